"""What a tracker said, in one shape, whatever protocol it speaks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

KNOT_MS = 1852.0 / 3600.0
"""Metres per second in a knot: one nautical mile per hour."""
KMH_MS = 1 / 3.6
_LONGEST_S = 1e11
"""Larger numbers are milliseconds: as seconds this is the year 5138."""


class Unreadable(ValueError):
    """The message is none of the protocol; the code says what is wrong with it."""

    def __init__(self, code: str = "unreadable_fix") -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Reading:
    """One message: degrees, metres, m/s, battery 0 to 1; None is unknown.

    Without a place it only says that the device is alive; `valid` False: it has no satellites.
    `fix_time` None: the message says nothing, so it is now.
    """

    device_id: str
    lon: float | None = None
    lat: float | None = None
    fix_time: datetime | None = None
    device_time: datetime | None = None
    accuracy_m: float | None = None
    heading: float | None = None
    speed_ms: float | None = None
    battery: float | None = None
    mock: bool = False
    valid: bool = True


def number(value: Any) -> float | None:
    """A finite number, None for what is missing, empty or says that it is unknown.

    Raises Unreadable for what is no number at all.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        raise Unreadable
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        raise Unreadable from None
    return found if math.isfinite(found) else None


def between(value: Any, low: float, high: float, *, times: float = 1.0) -> float | None:
    """The number times a factor; None when it is not in [low, high], such as -1 for unknown."""
    found = number(value)
    if found is None or not low <= found * times <= high:
        return None
    return found * times


def accuracy(value: Any) -> float | None:
    """Metres; 0 is how some devices say that they do not know."""
    found = between(value, 0.0, 100_000.0)
    return found or None


def heading(value: Any) -> float | None:
    """Degrees from north, below 360."""
    found = between(value, 0.0, 360.0)
    return None if found is None else found % 360.0


def speed(value: Any, *, times: float = 1.0) -> float | None:
    """m/s of a number in other units; -1 is unknown."""
    return between(value, 0.0, 150.0, times=times)


def truth(value: Any) -> bool:
    """Whether it says yes: true, 1, "true", "1"."""
    return value is True or str(value).strip().lower() in ("1", "true", "yes")


def moment(value: Any) -> datetime | None:
    """A moment in UTC from seconds, milliseconds or ISO 8601; without a zone it is UTC.

    Raises Unreadable for what is no moment.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        raise Unreadable("unreadable_time")
    if isinstance(value, str) and ":" in value:
        return _iso(value)
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return _iso(value)
    if abs(seconds) >= _LONGEST_S:
        seconds /= 1000.0
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        raise Unreadable("unreadable_time") from None


def _iso(value: Any) -> datetime:
    text = str(value).strip()
    # A plus sign that a phone forgot to escape in its query arrives as a space.
    head, _, zone = text.rpartition(" ")
    if head and len(zone) in (4, 5) and zone.replace(":", "").isdigit() and "T" in head:
        text = f"{head}+{zone}"
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable("unreadable_time") from None


def text(value: Any) -> str:
    """A device's id as it was written; numbers are ids too. Raises Unreadable without one."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unreadable("no_device_id")
    found = str(value).strip()
    if not found or len(found) > 100:
        raise Unreadable("no_device_id")
    return found
