"""Takes what many trackers send at once through the pipeline together, as fast as it comes.

While one batch is at work the next one gathers, and when batches follow each other closely a
little longer: alone a fix waits for nothing, and under load the roads are asked once for many.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio.to_thread

from dispatch.core.crews import Fix
from dispatch.system import System
from dispatch.system.devices import Devices
from web.errors import Problem

logger = logging.getLogger("sigap.trackers")

MOST_WAITING = 50_000
GATHER_S = 0.05
CLOSE_S = 0.25
"""Batches that follow each other within this are gathered for GATHER_S."""
Said = Sequence[str | None]
Done = Callable[[Said | None, Exception | None], None]
"""Called once with what became of each fix, or with what went wrong."""


@dataclass(slots=True)
class _Queue:
    waiting: list[tuple[Sequence[Fix], Done]] = field(default_factory=list)
    fixes: int = 0
    done_at: float = -math.inf
    task: asyncio.Task[None] | None = None


class Intake:
    """One queue per city, in the event loop that serves the doors."""

    def __init__(self) -> None:
        self._queues: dict[str, _Queue] = {}
        self._reads: dict[str, asyncio.Task[None]] = {}

    async def registry(self, system: System, city_id: str) -> Devices:
        """The trackers of a city, read anew when that is due: once for all who knock meanwhile."""
        devices = system.devices(city_id)
        if devices.outdated():
            # who hangs up must not end the reading that others wait for
            await asyncio.shield(self.renew(city_id, devices))
        return devices

    def renew(self, city_id: str, devices: Devices) -> asyncio.Task[None]:
        """Read the trackers of a city anew, unless that is being done."""
        task = self._reads.get(city_id)
        if task is None or task.done():
            task = asyncio.create_task(anyio.to_thread.run_sync(devices.refresh))
            task.add_done_callback(_unless_away)
            self._reads[city_id] = task
        return task

    def put(self, system: System, city_id: str, fixes: Sequence[Fix], done: Done) -> bool:
        """Take these along with the next batch, unless too many wait already."""
        queue = self._queues.setdefault(city_id, _Queue())
        if queue.fixes + len(fixes) > MOST_WAITING:
            return False
        queue.waiting.append((fixes, done))
        queue.fixes += len(fixes)
        if queue.task is None or queue.task.done():
            queue.task = asyncio.create_task(self._work(system, city_id, queue))
        return True

    async def take(self, system: System, city_id: str, fixes: Sequence[Fix]) -> Said:
        """What became of each fix. Raises Problem 503 when too many wait already."""
        future: asyncio.Future[Said] = asyncio.get_running_loop().create_future()

        def done(said: Said | None, error: Exception | None) -> None:
            if future.done():
                return  # who asked hung up
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(said or ())

        if not self.put(system, city_id, fixes, done):
            raise Problem(503, "unavailable", headers={"Retry-After": "5"})
        return await future

    async def _work(self, system: System, city_id: str, queue: _Queue) -> None:
        while queue.waiting:
            if time.monotonic() - queue.done_at < CLOSE_S:
                await asyncio.sleep(GATHER_S)
            batch, queue.waiting = queue.waiting, []
            together = [fix for fixes, _ in batch for fix in fixes]
            try:
                taken = await anyio.to_thread.run_sync(system.take_many, city_id, together)
            except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it was
                for _, done in batch:
                    _tell(done, None, error)
                continue
            finally:
                queue.fixes -= len(together)
                queue.done_at = time.monotonic()
            start = 0
            for fixes, done in batch:
                _tell(done, taken.said[start : start + len(fixes)], None)
                start += len(fixes)


def _unless_away(task: asyncio.Task[None]) -> None:
    """Who waits for the reading is told himself; where nobody waits, this looks at its error."""
    if not task.cancelled() and task.exception() is not None:
        logger.warning("the registry of trackers is read later: %s", task.exception())


def _tell(done: Done, said: Said | None, error: Exception | None) -> None:
    try:
        done(said, error)
    except Exception:
        # one who cannot be told must not keep the others from their answers
        logger.exception("a tracker was not answered")
