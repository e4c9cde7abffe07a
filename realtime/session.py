"""One connected client: recover, then live; the same path at start and after a lost network."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from realtime import wire
from realtime.frames import Packet
from realtime.hub import OUTBOX_LIMIT, Hub, Outbox, Pipe
from realtime.messages import Ping, Pong
from realtime.positions import View

MAX_CHANNELS = 32
PING_EVERY_S = 20.0
DEAD_AFTER_S = 50.0
"""A client that was asked twice and said nothing is gone, whatever its network claims."""


class Refused(Exception):
    """The client may not hear this channel; the text says so in its language."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class Source(Protocol):
    """Where a session's channels come from."""

    async def allow(self, channel: str, token: str | None) -> str:
        """The hub's name of the channel, if this client may hear it. Raises Refused."""

    async def start(self, channel: str, since: wire.Since | None) -> wire.Start:
        """All a client needs to be up to date, or a page of it; an offset read before the state."""


class Session:
    """Drives one socket, given how to send and receive text, or a pipe that takes frames."""

    def __init__(
        self,
        hub: Hub,
        source: Source,
        *,
        send: Callable[[str], Awaitable[None]],
        receive: Callable[[], Awaitable[str | None]],
        pipe: Pipe | None = None,
    ) -> None:
        self.outbox = Outbox(pipe=pipe, counts=hub.counts)
        self._hub, self._source = hub, source
        self._send, self._receive = send, receive
        self._piped = pipe is not None
        self._channels: dict[str, str] = {}
        self._heard_at = self._asked_at = 0.0

    async def run(self) -> str:
        """Serve until the client leaves or the outbox is closed; returns why it ended."""
        self._heard_at = self._asked_at = asyncio.get_running_loop().time()
        self._hub.clients.add(self)
        try:
            await (self._run_piped() if self._piped else self._run_tasks())
        finally:
            self._hub.clients.discard(self)
            for name, channel in self._channels.items():
                self._hub.leave(channel, self.outbox)
                self.outbox.resumed(name)
        return self.outbox.closed or "left"

    async def _run_piped(self) -> None:
        """The pipe writes by itself: this task only reads. One task for a socket, not four."""
        reading = asyncio.current_task()
        assert reading is not None
        ended = False

        def end() -> None:
            nonlocal ended
            if asyncio.current_task() is not reading:
                ended = True
                reading.cancel()

        self.outbox.on_close = end
        try:
            await self._read()
        except asyncio.CancelledError:
            # by our own outbox, or by whoever stops the server: that one must see it
            if not ended or reading.uncancel() > 0:
                raise
        finally:
            self.outbox.on_close = None

    async def _run_tasks(self) -> None:
        tasks = {asyncio.create_task(self._write()), asyncio.create_task(self._read())}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            # not gather: it would hide from whoever cancels us that it was them
            await asyncio.wait(tasks)
        for task in tasks:
            failed = None if task.cancelled() else task.exception()
            if failed is not None:
                raise failed

    def tend(self, now: float) -> None:
        """Ask whether the client is there, or end when it is not."""
        if now - self._heard_at > DEAD_AFTER_S:
            self._hub.counts.dead += 1
            self.outbox.abort()
        elif now - max(self._heard_at, self._asked_at) >= PING_EVERY_S:
            self._asked_at = now
            self.outbox.put_latest("", wire.PING)

    async def _write(self) -> None:
        while self.outbox.closed is None:
            for text in await self.outbox.take():
                await self._send(text)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while self.outbox.closed is None and (text := await self._receive()) is not None:
            self._heard_at = loop.time()
            try:
                message = wire.decode(text)
            except wire.BadMessage as error:
                self.outbox.put("", wire.error(None, "bad_message", str(error)))
                continue
            match message:
                case wire.Subscribe():
                    await self._subscribe(message)
                case wire.View():
                    self._look(message)
                case wire.Unsubscribe():
                    self._unsubscribe(message.channel)
                case Ping():
                    self.outbox.put_latest("pong", wire.pong(message.ping))
                case Pong():
                    pass

    def _look(self, message: wire.View) -> None:
        channel = self._channels.get(message.channel)
        if channel is not None:
            self._hub.look(channel, self.outbox, View(message.bbox))

    def _unsubscribe(self, name: str) -> None:
        channel = self._channels.pop(name, None)
        if channel is not None:
            self._hub.leave(channel, self.outbox)
        self.outbox.resumed(name)

    async def _subscribe(self, message: wire.Subscribe) -> None:
        name = message.channel
        if name not in self._channels and len(self._channels) >= MAX_CHANNELS:
            detail = f"at most {MAX_CHANNELS} channels on one socket"
            self.outbox.put(name, wire.error(name, "too_many", detail))
            return
        try:
            channel = await self._source.allow(name, message.token)
        except Refused as refused:
            # what was allowed once may be forbidden now
            self._unsubscribe(name)
            self.outbox.put(name, wire.error(name, refused.code, refused.detail))
            return
        # hear first, then read: what happens in between arrives twice rather than never
        held = _Held(self.outbox)
        self._unsubscribe(name)
        self._hub.join(channel, held)
        try:
            await self._answer(name, channel, message.since)
        finally:
            self._hub.leave(channel, held)
        held.release(name)
        self._channels[name] = channel
        view = View(message.bbox) if message.positions else None
        self._hub.join(channel, self.outbox, view)

    async def _answer(self, name: str, channel: str, since: wire.Since | None) -> None:
        """Everything at once, or page after page, no faster than the client takes them."""
        while True:
            start = await self._source.start(channel, since)
            if isinstance(start, wire.Ready):
                self.outbox.put_packet(name, start.packet)
                if start.then:
                    self.outbox.put_packet(name, Packet(start.then))
            else:
                self.outbox.put(name, wire.answer(name, start))
            if isinstance(start, wire.Snapshot) or not start.more:
                return
            since = wire.Since(start.epoch, start.offset)
            await self.outbox.drained()


class _Held(Outbox):
    """Keeps what arrives while a subscription is answered, then passes it on in order."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__()
        self._outbox = outbox
        self._kept: list[Packet] = []
        self._too_many = False

    def put_packet(self, channel: str, packet: Packet) -> None:
        if len(self._kept) >= OUTBOX_LIMIT:
            self._too_many = True
        else:
            self._kept.append(packet)

    def put_latest(self, channel: str, text: str) -> bool:
        return self._outbox.put_latest(channel, text)

    def put_latest_packet(self, channel: str, packet: Packet) -> bool:
        return self._outbox.put_latest_packet(channel, packet)

    def resync(self, channel: str) -> None:
        self._too_many = True

    def close(self, reason: str) -> None:
        self._outbox.close(reason)

    def release(self, name: str) -> None:
        for packet in self._kept:
            self._outbox.put_packet(name, packet)
        self._kept.clear()
        if self._too_many:
            self._outbox.resync(name)
