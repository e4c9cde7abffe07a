"""Who listens to what: channels, each with the bounded outboxes of its listeners."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from realtime import wire
from realtime.frames import Packet, text_frame
from realtime.positions import Frame, View

OUTBOX_LIMIT = 512
OUTBOX_BYTES = 1 << 20


class Pipe(Protocol):
    """A socket that takes ready-made frames at once; `flowing` is False while it is full."""

    flowing: bool

    def write(self, frames: bytes) -> None:
        """Hand whole frames to the kernel or to the socket's own buffer; never blocks."""

    def when_flowing(self, resume: Callable[[], None]) -> None:
        """Call `resume` each time the socket can take more again."""

    def abort(self) -> None:
        """Hang up without a word."""


@dataclass(slots=True)
class Counts:
    """What the operator is told of all outboxes."""

    sent: int = 0
    overflows: int = 0
    dead: int = 0


class Outbox:
    """What waits to be sent to one client. Overflow drops everything and asks for a resync.

    With a pipe what can be sent is sent at once, and nothing waits but for a slow client.
    """

    __slots__ = (
        "_bytes",
        "_latest",
        "_limit",
        "_lost",
        "_pipe",
        "_ready",
        "_waiting",
        "closed",
        "counts",
        "on_close",
        "overflows",
    )

    def __init__(
        self, limit: int = OUTBOX_LIMIT, *, pipe: Pipe | None = None, counts: Counts | None = None
    ) -> None:
        self._waiting: deque[tuple[str, str]] = deque()
        self._bytes = 0
        self._latest: dict[str, str] = {}
        self._lost: set[str] = set()
        self._limit = limit
        self._ready: asyncio.Event | None = None
        self._pipe = pipe
        self.counts = counts or Counts()
        self.closed: str | None = None
        self.on_close: Callable[[], None] | None = None
        self.overflows = 0
        if pipe is not None:
            pipe.when_flowing(self._resume)

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return len(self._waiting) + len(self._latest)

    def put(self, channel: str, text: str) -> None:
        """Queue a message that must arrive; a full box loses the thread of its channels instead."""
        self.put_packet(channel, Packet((text,)))

    def put_packet(self, channel: str, packet: Packet) -> None:
        """The same for messages that many listeners get."""
        if channel in self._lost or self.closed is not None:
            return
        pipe = self._pipe
        if pipe is not None and pipe.flowing and not self._waiting:
            pipe.write(packet.frames)
            return
        for text in packet.texts:
            self._wait(channel, text)
            if channel in self._lost:
                break
        self._stir()

    def _wait(self, channel: str, text: str) -> None:
        self._waiting.append((channel, text))
        self._bytes += len(text)
        alone = len(self._waiting) == 1
        if len(self._waiting) > self._limit or (self._bytes > OUTBOX_BYTES and not alone):
            self._overflow()

    def _overflow(self) -> None:
        # every channel that loses a message is told: none may believe it is up to date
        lost = dict.fromkeys(channel for channel, _ in self._waiting if channel)
        self._waiting.clear()
        self._waiting.extend((channel, wire.resync(channel)) for channel in lost)
        self._bytes = 0
        self._lost.update(lost)
        self.overflows += 1
        self.counts.overflows += 1

    def put_latest(self, channel: str, text: str) -> bool:
        """Queue telemetry: a newer frame replaces one that was not sent yet.

        False when it did: whoever counts on every frame must begin anew.
        """
        if self.closed is not None:
            return True
        pipe = self._pipe
        if pipe is not None and pipe.flowing and not self._waiting:
            pipe.write(text_frame(text))
            return True
        replaced = channel in self._latest
        self._latest[channel] = text
        self._stir()
        return not replaced

    def put_latest_packet(self, channel: str, packet: Packet) -> bool:
        """The same for a frame that many listeners get."""
        pipe = self._pipe
        if pipe is not None and pipe.flowing and not self._waiting and self.closed is None:
            pipe.write(packet.frames)
            return True
        return self.put_latest(channel, packet.texts[0])

    def resumed(self, channel: str) -> None:
        """The client subscribed again: its thread is found."""
        self._lost.discard(channel)

    def resync(self, channel: str) -> None:
        """Make the client subscribe again: what it knows of the channel is no longer so."""
        if channel not in self._lost:
            self.put(channel, wire.resync(channel))
            self._lost.add(channel)

    def close(self, reason: str) -> None:
        """No more: the session ends with this reason once it notices."""
        if self.closed is None:
            self.closed = reason
            if self.on_close is not None:
                self.on_close()
        self._stir()

    def abort(self) -> None:
        """Hang up on a client that is no longer there."""
        if self._pipe is not None:
            self._pipe.abort()
        self.close("dead")

    def _stir(self) -> None:
        if self._ready is not None:
            self._ready.set()
        if self._pipe is not None and self._pipe.flowing:
            self._resume()

    def _resume(self) -> None:
        """The pipe flows again: what waited goes first, then the newest telemetry."""
        pipe = self._pipe
        if pipe is None or self.closed is not None:
            return
        while self._waiting and pipe.flowing:
            _, text = self._waiting.popleft()
            self._bytes -= len(text)
            pipe.write(text_frame(text))
        while self._latest and pipe.flowing and not self._waiting:
            _, text = self._latest.popitem()
            pipe.write(text_frame(text))
        if not self._waiting:
            self._bytes = 0

    async def take(self) -> list[str]:
        """All that waits; blocks while there is nothing. Empty when closed."""
        if self._ready is None:
            self._ready = asyncio.Event()
        while not self._waiting and not self._latest and self.closed is None:
            self._ready.clear()
            await self._ready.wait()
        texts = [*(text for _, text in self._waiting), *self._latest.values()]
        self._waiting.clear()
        self._latest.clear()
        self._bytes = 0
        return texts

    async def drained(self) -> None:
        """Wait until the client took most of what waits, or is gone."""
        # only who reads page after page waits here: an event for each socket would cost more
        while self._full():  # noqa: ASYNC110
            await asyncio.sleep(DRAIN_S)

    def _full(self) -> bool:
        stuck = self._pipe is not None and not self._pipe.flowing
        return self.closed is None and (bool(self._waiting) or stuck)


DRAIN_S = 0.02


class Client(Protocol):
    """A session, as the hub tends it."""

    def tend(self, now: float) -> None:
        """Ask whether the client is there, or end when it is not."""


class Hub:
    """Channels by name. Lives in one event loop; call it only from there."""

    def __init__(self) -> None:
        self._channels: dict[str, dict[Outbox, View | None]] = {}
        self._names: dict[str, str] = {}
        self.clients: set[Client] = set()
        self.counts = Counts()

    def join(self, channel: str, outbox: Outbox, view: View | None = None) -> None:
        """Let the outbox hear the channel from now on; positions only with a `view`."""
        self._channels.setdefault(channel, {})[outbox] = view

    def leave(self, channel: str, outbox: Outbox) -> None:
        """Stop that."""
        listeners = self._channels.get(channel)
        if listeners is None:
            return
        listeners.pop(outbox, None)
        if not listeners:
            del self._channels[channel]

    def look(self, channel: str, outbox: Outbox, view: View) -> None:
        """From now on the listener looks at this part of the map."""
        listeners = self._channels.get(channel, {})
        if outbox in listeners:
            listeners[outbox] = view

    def listening(self, channel: str) -> bool:
        """Whether anybody listens."""
        return channel in self._channels

    def listeners(self, channel: str) -> int:
        """How many listen."""
        return len(self._channels.get(channel, ()))

    def waiting(self) -> int:
        """How many messages wait for slow clients."""
        return sum(outbox.waiting for outbox in self._outboxes())

    def _outboxes(self) -> Iterator[Outbox]:
        seen: set[int] = set()
        for listeners in self._channels.values():
            for outbox in listeners:
                if id(outbox) not in seen:
                    seen.add(id(outbox))
                    yield outbox

    def send(self, channel: str, name: str, texts: Iterable[str]) -> None:
        """Queue messages for everybody on the channel; `name` is what clients call it."""
        listeners = self._channels.get(channel)
        if not listeners:
            return
        packet = Packet(tuple(texts))
        self.counts.sent += len(listeners) * len(packet.texts)
        for outbox in list(listeners):
            outbox.put_packet(name, packet)

    def send_latest(self, channel: str, name: str, text: str) -> None:
        """Queue telemetry for everybody on the channel."""
        packet = Packet((text,))
        for outbox in list(self._channels.get(channel, ())):
            outbox.put_latest_packet(name, packet)

    def send_positions(self, channel: str, name: str, frame: Frame[Packet]) -> None:
        """Queue a position frame: each listener gets its part of the map."""
        for outbox, view in list(self._channels.get(channel, {}).items()):
            if view is None:
                continue
            packet = frame.packet(name, view)
            if packet is not None:
                # who did not get the frame before this one needs all positions again
                view.fresh = not outbox.put_latest_packet(name, packet)

    def resync(self, prefix: str) -> int:
        """Make every listener of channels with this prefix subscribe again; returns how many."""
        told = 0
        for channel in [each for each in self._channels if each.startswith(prefix)]:
            for outbox in list(self._channels[channel]):
                outbox.resync(channel[len(prefix) :])
                told += 1
        return told

    def lose(self, channel: str, name: str) -> None:
        """Make every listener of one channel, which they call `name`, subscribe again."""
        for outbox in list(self._channels.get(channel, ())):
            outbox.resync(name)

    def tend(self, now: float) -> None:
        """Ask silent clients whether they are there; hang up on those that are not."""
        for client in list(self.clients):
            client.tend(now)

    def close_all(self, reason: str) -> None:
        """End every session, for a shutdown."""
        for outbox in list(self._outboxes()):
            outbox.close(reason)
