"""What time it is, for the whole system; a replay makes it run faster."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Now, UTC."""
    return datetime.now(UTC)


def fast_clock(start: datetime, *, speed: float) -> Clock:
    """A clock that shows `start` now and runs `speed` times as fast as the wall's."""
    begun = time.monotonic()

    def now() -> datetime:
        return start + timedelta(seconds=(time.monotonic() - begun) * speed)

    return now
