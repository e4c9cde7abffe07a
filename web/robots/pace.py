"""How fast robots live: a second of theirs may be a fraction of a real one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(slots=True)
class Pace:
    """`speed` 1 is real time; in a replay it is the server's clock, which began at `start`."""

    speed: float = 1.0
    start: datetime | None = None
    _begun: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """The moment by the server's clock, UTC."""
        if self.start is None:
            return datetime.now(UTC)
        return self.start + timedelta(seconds=(time.monotonic() - self._begun) * self.speed)

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` of the robots' time pass."""
        await asyncio.sleep(max(0.0, seconds) / self.speed)

    async def until(self, moment: datetime) -> None:
        """Wait for a moment of the server's clock."""
        await self.sleep((moment - self.now()).total_seconds())

    async def wait_for(self, test: Callable[[], bool], *, within_s: float) -> bool:
        """Wait until `test()` holds, at most `within_s` of the robots' time."""
        end = self.now() + timedelta(seconds=within_s)
        while not test():
            if self.now() >= end:
                return False
            await asyncio.sleep(0.05)
        return True
