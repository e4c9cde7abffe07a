"""Times as citizens read them: the city's clock, and how long ago."""

from __future__ import annotations

import importlib.resources
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

from geo.point import Point, distance_m
from web.pages.texts import Texts

Show = Literal["clock", "ago"]

_MONTHS = {
    "id": ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A time for a `<time>` element: `iso` for machines, `text` for people without scripts.

    `show` tells the page's script how to write it anew in the reader's own time zone.
    """

    iso: str
    text: str
    show: Show


def clock(at: datetime, *, now: datetime, zone: ZoneInfo, t: Texts) -> Moment:
    """The time of day, with the day unless it is today: 14.32, 21 Nov 14.32."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    time = local.strftime("%H.%M" if t.language == "id" else "%H:%M")
    if local.date() == today:
        text = time
    else:
        text = f"{local.day} {_MONTHS[t.language][local.month - 1]} {time}"
    return Moment(iso(at), text, "clock")


def ago(at: datetime, *, now: datetime, t: Texts) -> Moment:
    """How long ago, in the largest unit that fits."""
    minutes = int((now - at).total_seconds() // 60)
    if minutes < 1:
        text = t("time.now")
    elif minutes < 60:
        text = t("time.minutes", count=minutes)
    elif minutes < 48 * 60:
        text = t("time.hours", count=minutes // 60)
    else:
        text = t("time.days", count=minutes // (24 * 60))
    return Moment(iso(at), text, "ago")


def zone_name(at: datetime, zone: ZoneInfo) -> str:
    """How people call the zone at that time: WIB, EET; UTC+08 where it has no name."""
    name = at.astimezone(zone).tzname() or "UTC"
    return f"UTC{name}" if name[0] in "+-" else name


def iso(at: datetime) -> str:
    """ISO 8601 in UTC with Z, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(text: str) -> datetime:
    """The moment in a view's ISO 8601 text. Raises ValueError."""
    return datetime.fromisoformat(text).astimezone(UTC)


def zone_near(place: Point) -> ZoneInfo:
    """The time zone whose main city is nearest, from the tz database's own table of places.

    Right for nearly every city and only used to write times for browsers without scripts, which
    say the zone beside it; elsewhere the browser's own clock decides.
    """
    return ZoneInfo(min(_zones(), key=lambda named: (distance_m(place, named[1]), named[0]))[0])


@cache
def _zones() -> tuple[tuple[str, Point], ...]:
    table = importlib.resources.files("tzdata") / "zoneinfo" / "zone1970.tab"
    rows = (line.split("\t") for line in table.read_text(encoding="utf-8").splitlines())
    return tuple((row[2], _point(row[1])) for row in rows if len(row) > 2 and row[0][0] != "#")


_ISO_6709 = re.compile(r"([+-])(\d{2})(\d{2})(\d{2})?([+-])(\d{3})(\d{2})(\d{2})?")


def _point(text: str) -> Point:
    found = _ISO_6709.fullmatch(text)
    assert found is not None
    south, d, m, s, west, ld, lm, ls = found.groups()
    lat = int(d) + int(m) / 60 + int(s or 0) / 3600
    lon = int(ld) + int(lm) / 60 + int(ls or 0) / 3600
    return Point(-lon if west == "-" else lon, -lat if south == "-" else lat)
