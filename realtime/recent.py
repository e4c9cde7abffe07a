"""What was told a moment ago, kept in memory for those who come back and those who come at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

from realtime import wire
from realtime.wire import Durable

RING, RING_S = 2_000, 600.0
"""So many events, and so old ones, are kept in memory for screens that come back."""
SHARED_S = 1.0
"""So long a reading serves whoever asks for the same."""


class Ring:
    """The newest events of the dispatchers' channel as text, in memory: a cache of the log."""

    def __init__(self, offset: int) -> None:
        self._last = offset
        self._bodies: deque[tuple[float, str]] = deque(maxlen=RING)

    def add(self, messages: Sequence[Durable], now: float) -> None:
        """Events that follow the newest, at this time of the loop's clock; seconds."""
        for message in messages:
            self._bodies.append((now, wire.body(message)))
            self._last = message.o
        while self._bodies and now - self._bodies[0][0] > RING_S:
            self._bodies.popleft()

    def after(self, offset: int) -> list[str] | None:
        """The events after the offset, None when some of them are not here."""
        count = self._last - offset
        if count < 0 or count > len(self._bodies):
            return None
        start = len(self._bodies) - count
        return [body for _, body in islice(self._bodies, start, None)]


T = TypeVar("T")


class Shared(Generic[T]):
    """One reading for all who ask while it runs, or while it is still usable."""

    def __init__(self) -> None:
        self._running: asyncio.Task[T] | None = None
        self._known: tuple[float, T] | None = None

    async def get(self, read: Callable[[], T], usable: Callable[[T], bool]) -> T:
        """What was read at most `SHARED_S` ago and is usable, else what is read now (a thread)."""
        now = asyncio.get_running_loop().time()
        if self._known is not None and now - self._known[0] <= SHARED_S and usable(self._known[1]):
            return self._known[1]
        if self._running is None:
            self._running = asyncio.create_task(asyncio.to_thread(read))
            self._running.add_done_callback(self._read)
        # whoever hangs up while it is read must not take it from the others
        return await asyncio.shield(self._running)

    def _read(self, task: asyncio.Task[T]) -> None:
        self._running = None
        if not task.cancelled() and task.exception() is None:
            self._known = (asyncio.get_running_loop().time(), task.result())
