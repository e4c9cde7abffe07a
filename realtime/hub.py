"""Who listens to what: channels, each with the bounded outboxes of its listeners."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from realtime import wire

OUTBOX_LIMIT = 512


class Outbox:
    """What waits to be sent to one client. Overflow drops everything and asks for a resync."""

    def __init__(self, limit: int = OUTBOX_LIMIT) -> None:
        self._waiting: deque[tuple[str, str]] = deque()
        self._latest: dict[str, str] = {}
        self._lost: set[str] = set()
        self._limit = limit
        self._ready = asyncio.Event()
        self.closed: str | None = None
        self.overflows = 0

    def put(self, channel: str, text: str) -> None:
        """Queue a message that must arrive; a full box loses the thread of its channels instead."""
        if channel in self._lost:
            return
        self._waiting.append((channel, text))
        if len(self._waiting) > self._limit:
            self._overflow()
        self._ready.set()

    def _overflow(self) -> None:
        # every channel that loses a message is told: none may believe it is up to date
        lost = dict.fromkeys(channel for channel, _ in self._waiting if channel)
        self._waiting.clear()
        self._waiting.extend((channel, wire.resync(channel)) for channel in lost)
        self._lost.update(lost)
        self.overflows += 1

    def put_latest(self, channel: str, text: str) -> None:
        """Queue telemetry: a newer frame replaces one that was not sent yet."""
        self._latest[channel] = text
        self._ready.set()

    def resumed(self, channel: str) -> None:
        """The client subscribed again: its thread is found."""
        self._lost.discard(channel)

    def close(self, reason: str) -> None:
        """No more: the session ends with this reason once it notices."""
        self.closed = reason
        self._ready.set()

    async def take(self) -> list[str]:
        """All that waits; blocks while there is nothing. Empty when closed."""
        while not self._waiting and not self._latest and self.closed is None:
            self._ready.clear()
            await self._ready.wait()
        texts = [*(text for _, text in self._waiting), *self._latest.values()]
        self._waiting.clear()
        self._latest.clear()
        return texts


class Hub:
    """Channels by name. Lives in one event loop; call it only from there."""

    def __init__(self) -> None:
        self._channels: dict[str, set[Outbox]] = {}

    def join(self, channel: str, outbox: Outbox) -> None:
        """Let the outbox hear the channel from now on."""
        self._channels.setdefault(channel, set()).add(outbox)

    def leave(self, channel: str, outbox: Outbox) -> None:
        """Stop that."""
        listeners = self._channels.get(channel)
        if listeners is None:
            return
        listeners.discard(outbox)
        if not listeners:
            del self._channels[channel]

    def listening(self, channel: str) -> bool:
        """Whether anybody listens."""
        return channel in self._channels

    def listeners(self, channel: str) -> int:
        """How many listen."""
        return len(self._channels.get(channel, ()))

    def send(self, channel: str, name: str, texts: Iterable[str]) -> None:
        """Queue messages for everybody on the channel; `name` is what clients call it."""
        listeners = self._channels.get(channel)
        if not listeners:
            return
        for text in texts:
            for outbox in listeners:
                outbox.put(name, text)

    def send_latest(self, channel: str, name: str, text: str) -> None:
        """Queue telemetry for everybody on the channel."""
        for outbox in self._channels.get(channel, ()):
            outbox.put_latest(name, text)

    def close_all(self, reason: str) -> None:
        """End every session, for a shutdown."""
        for listeners in self._channels.values():
            for outbox in listeners:
                outbox.close(reason)
