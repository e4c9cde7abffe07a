"""The position a phone writes into a photo."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from geo.photo_position import read_position

R = IFDRational
GPS_IFD = 0x8825
MADIUN: dict[int, Any] = {
    1: "S",
    2: (R(7), R(37), R(4728, 100)),
    3: "E",
    4: (R(111), R(31), R(2604, 100)),
    7: (R(3), R(4), R(5)),
    29: "2026:11:22",
    31: R(12, 1),
}


def _photo(tags: dict[int, Any], form: str = "JPEG") -> bytes:
    image = Image.new("RGB", (8, 8))
    exif = image.getexif()
    exif.get_ifd(GPS_IFD).update(tags)
    out = io.BytesIO()
    image.save(out, form, exif=exif)
    return out.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_position_accuracy_and_time(form: str) -> None:
    position = read_position(_photo(MADIUN, form))
    assert position is not None
    assert position.point.lat == pytest.approx(-7.6298)
    assert position.point.lon == pytest.approx(111.5239)
    assert position.accuracy_m == 12.0
    assert position.fix_time == datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)


def test_accuracy_and_time_may_be_missing() -> None:
    position = read_position(_photo({k: v for k, v in MADIUN.items() if k < 5}))
    assert position is not None
    assert (position.accuracy_m, position.fix_time) == (None, None)


@pytest.mark.parametrize(
    "change",
    [
        {2: (R(0), R(0), R(0)), 4: (R(0), R(0), R(0))},
        {2: (R(0, 0), R(0, 0), R(0, 0))},
        {1: ""},
        {2: (R(97), R(0), R(0))},
    ],
    ids=["null island", "unknown", "no hemisphere", "beyond the pole"],
)
def test_what_is_no_position(change: dict[int, Any]) -> None:
    assert read_position(_photo(MADIUN | change)) is None


def test_a_nonsense_time_does_not_cost_the_position() -> None:
    position = read_position(_photo(MADIUN | {29: "0000:00:00", 31: R(0, 0)}))
    assert position is not None
    assert (position.accuracy_m, position.fix_time) == (None, None)


def test_files_without_a_position() -> None:
    assert read_position(_photo({})) is None
    assert read_position(b"") is None
    assert read_position(b"GIF89a not really") is None
    assert read_position(_photo(MADIUN)[:200]) is None
