"""A photo is judged by its content, kept upright and small, and tells nothing about its sender."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import ExifTags, Image, ImageCms
from PIL.TiffImagePlugin import IFDRational

from dispatch.core.errors import Invalid
from web.photos import FULL_SIDE, MAX_BYTES, THUMB_SIDE, read_picture


def _bytes(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _scene(width: int = 64, height: int = 32) -> Image.Image:
    """Left half red, right half blue."""
    image = Image.new("RGB", (width, height), "blue")
    image.paste("red", (0, 0, width // 2, height))
    return image


def _exif(orientation: int | None = None, *, position: bool = False) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SecretPhone 9"
    if orientation:
        exif[ExifTags.Base.Orientation] = orientation
    if position:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        gps[ExifTags.GPS.GPSLatitudeRef] = "S"
        gps[ExifTags.GPS.GPSLatitude] = tuple(IFDRational(*n) for n in ((7, 1), (37, 1), (47, 1)))
        gps[ExifTags.GPS.GPSLongitudeRef] = "E"
        gps[ExifTags.GPS.GPSLongitude] = tuple(
            IFDRational(*n) for n in ((111, 1), (31, 1), (26, 1))
        )
        gps[ExifTags.GPS.GPSHPositioningError] = IFDRational(12, 1)
    return exif


def _opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def _problem(data: bytes) -> object:
    with pytest.raises(Invalid) as refused:
        read_picture(data)
    assert refused.value.fields["field"] == "photo"
    return refused.value.fields["problem"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "MPO"])
def test_every_accepted_type_becomes_a_jpeg(kind: str) -> None:
    picture = read_picture(_bytes(_scene(), kind))
    assert _opened(picture.full).format == "JPEG"
    assert (picture.width, picture.height) == (64, 32)


def test_metadata_is_gone_and_the_position_was_read_first() -> None:
    picture = read_picture(_bytes(_scene(), exif=_exif(position=True), comment=b"my home"))
    for data in (picture.full, picture.thumb):
        assert b"SecretPhone" not in data
        assert b"my home" not in data
        assert not dict(_opened(data).getexif())
    assert picture.position is not None
    assert picture.position.point.lat == pytest.approx(-7.62972, abs=1e-5)
    assert picture.position.point.lon == pytest.approx(111.52389, abs=1e-5)
    assert picture.position.accuracy_m == 12


def test_orientation_is_applied_to_the_pixels() -> None:
    picture = read_picture(_bytes(_scene(), exif=_exif(6)))
    assert (picture.width, picture.height) == (32, 64)
    upright = _opened(picture.full)
    assert upright.getpixel((16, 8))[0] > 200  # type: ignore[index]
    assert upright.getpixel((16, 56))[2] > 200  # type: ignore[index]


def test_large_photos_shrink_and_small_ones_do_not_grow() -> None:
    large = read_picture(_bytes(_scene(5000, 2500)))
    assert (large.width, large.height) == (FULL_SIDE, FULL_SIDE // 2)
    assert _opened(large.thumb).size == (THUMB_SIDE, THUMB_SIDE // 2)
    small = read_picture(_bytes(_scene(100, 50)))
    assert _opened(small.thumb).size == (100, 50)


def test_transparency_turns_white() -> None:
    picture = read_picture(_bytes(Image.new("RGBA", (20, 20), (0, 0, 0, 0)), "PNG"))
    assert _opened(picture.full).getpixel((10, 10)) == (255, 255, 255)


def test_a_colour_profile_is_applied_then_dropped() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = read_picture(_bytes(_scene(), icc_profile=profile))
    assert "icc_profile" not in _opened(picture.full).info
    broken = read_picture(_bytes(_scene(), icc_profile=b"not a profile"))
    assert _opened(broken.full).size == (64, 32)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "empty"),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            "not_a_picture",
        ),
        (b"GIF89a but then nothing", "not_a_picture"),
        (b"%PDF-1.7 not a photo", "not_a_picture"),
        (b"\xff" * (MAX_BYTES + 1), "too_large"),
    ],
)
def test_what_is_no_photo_is_refused(data: bytes, problem: str) -> None:
    assert _problem(data) == problem


def test_other_picture_types_are_refused_whatever_they_are_called() -> None:
    assert _problem(_bytes(_scene(), "TIFF")) == "not_a_picture"
    assert _problem(_bytes(_scene(), "BMP")) == "not_a_picture"


def test_half_a_photo_is_refused() -> None:
    whole = _bytes(_scene(800, 600), "PNG")
    assert _problem(whole[: len(whole) // 2]) == "broken"


def test_pinpricks_are_refused() -> None:
    assert _problem(_bytes(_scene(4, 4), "PNG")) == "too_small"


def _png(width: int, height: int) -> bytes:
    """A small file that claims to be `width` by `height` pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checked = kind + body
        return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 100_000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [6_000, 12_000, 60_000])
def test_decompression_bombs_are_refused_before_they_are_decoded(side: int) -> None:
    assert _problem(_png(side, side)) == "too_many_pixels"
