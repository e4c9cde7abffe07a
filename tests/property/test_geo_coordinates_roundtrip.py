"""Whatever place is written down, in whatever way, the same place is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.coordinates import read_coordinates
from geo.point import Box

WORLD = Box(-180, -90, 180, 90)
lats = st.floats(-89.9, 89.9).map(lambda x: round(x, 5))
lons = st.floats(-179.9, 179.9).map(lambda x: round(x, 5))


def _dms(value: float, letters: str) -> str:
    seconds = round(abs(value) * 3600, 2)
    degrees, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    letter = letters[0] if value >= 0 else letters[1]
    return f"{int(degrees)}°{int(minutes)}'{seconds:.2f}\"{letter}"


@given(lats, lons)
def test_decimals(lat: float, lon: float) -> None:
    for text in (f"{lat:.5f}, {lon:.5f}", f"lokasi {lat:.5f},{lon:.5f} ya", f"{lat:.5f} {lon:.5f}"):
        reading = read_coordinates(text, box=WORLD)
        assert reading is not None
        assert (reading.point.lat, reading.point.lon) == (lat, lon)


@given(lats, lons)
def test_links(lat: float, lon: float) -> None:
    for text in (
        f"https://maps.google.com/?q={lat:.5f},{lon:.5f}",
        f"https://www.google.com/maps/place/X/@1.5,2.5,17z/data=!3d{lat:.5f}!4d{lon:.5f}",
        f"geo:{lat:.5f},{lon:.5f}",
    ):
        reading = read_coordinates(text, box=WORLD)
        assert reading is not None
        assert (reading.point.lat, reading.point.lon) == (lat, lon)


@given(lats, lons)
def test_degrees_minutes_seconds(lat: float, lon: float) -> None:
    reading = read_coordinates(f"{_dms(lat, 'NS')} {_dms(lon, 'EW')}", box=WORLD)
    assert reading is not None
    assert reading.point.lat == pytest.approx(lat, abs=1e-5)
    assert reading.point.lon == pytest.approx(lon, abs=1e-5)


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    reading = read_coordinates(text, box=WORLD)
    assert reading is None or WORLD.contains(reading.point)
