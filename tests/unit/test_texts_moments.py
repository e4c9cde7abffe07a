"""Times are written in the city's clock, and no more exact than they are known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from geo.point import Point
from web.pages import moments
from web.pages.texts import texts
from web.pages.track import time_left

NOW = datetime(2026, 11, 22, 12, 0, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lon", "lat", "zone"),
    [
        (24.94, 60.17, "Europe/Helsinki"),
        (111.52, -7.63, "Asia/Jakarta"),
        (106.83, -6.18, "Asia/Jakarta"),
        (-76.61, 39.29, "America/New_York"),
        (-51.23, -30.03, "America/Sao_Paulo"),
    ],
)
def test_zone_of_a_city(lon: float, lat: float, zone: str) -> None:
    # Other names of the same clock are as good: Porto Alegre may lie nearer to Montevideo.
    found, wanted = moments.zone_near(Point(lon, lat)), ZoneInfo(zone)
    for month in (1, 7):
        then = datetime(2026, month, 1, tzinfo=UTC)
        assert then.astimezone(found).utcoffset() == then.astimezone(wanted).utcoffset()


def test_clock_names_the_day_unless_it_is_today() -> None:
    zone, t = ZoneInfo("Asia/Jakarta"), texts("id")
    today = moments.clock(NOW, now=NOW, zone=zone, t=t)
    assert (today.text, today.iso) == ("19.00", "2026-11-22T12:00:40Z")
    yesterday = moments.clock(NOW - timedelta(days=1), now=NOW, zone=zone, t=t)
    assert yesterday.text == "21 Nov 19.00"
    english = moments.clock(NOW, now=NOW, zone=zone, t=texts("en"))
    assert english.text == "19:00"


def test_zones_are_called_as_people_call_them() -> None:
    assert moments.zone_name(NOW, ZoneInfo("Asia/Jakarta")) == "WIB"
    assert moments.zone_name(NOW, ZoneInfo("America/Sao_Paulo")) == "UTC-03"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(20, "just now"), (900, "15 min ago"), (3 * 3600, "3 h ago"), (72 * 3600, "3 days ago")],
)
def test_ago(seconds: int, text: str) -> None:
    found = moments.ago(NOW - timedelta(seconds=seconds), now=NOW, t=texts("en"))
    assert found.text == text


@pytest.mark.parametrize(
    ("soonest_s", "latest_s", "text"),
    [
        (450, 730, "in about 8–12 minutes"),
        (260, 290, "in about 5 minutes"),
        (10, 30, "any moment"),
        (-600, 200, "in about 0–4 minutes"),
        (-600, -100, "The estimate has passed; the crew is still on the road."),
    ],
)
def test_time_left(soonest_s: int, latest_s: int, text: str) -> None:
    soonest, latest = (NOW + timedelta(seconds=s) for s in (soonest_s, latest_s))
    assert time_left(soonest, latest, now=NOW, t=texts("en")) == text
