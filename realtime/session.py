"""One connected client: recover, then live; the same path at start and after a lost network."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from realtime import wire
from realtime.hub import Hub, Outbox

MAX_CHANNELS = 32
PING_EVERY_S = 20.0


class Refused(Exception):
    """The client may not hear this channel; the text says so in its language."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class Source(Protocol):
    """Where a session's channels come from."""

    async def allow(self, channel: str, token: str | None) -> str:
        """The hub's name of the channel, if this client may hear it. Raises Refused."""

    async def start(self, channel: str, since: wire.Since | None) -> wire.Recovered | wire.Snapshot:
        """All a client needs to be up to date, at an offset read before the state."""


class Session:
    """Drives one socket, given how to send and receive text."""

    def __init__(
        self,
        hub: Hub,
        source: Source,
        *,
        send: Callable[[str], Awaitable[None]],
        receive: Callable[[], Awaitable[str | None]],
    ) -> None:
        self.outbox = Outbox()
        self._hub, self._source = hub, source
        self._send, self._receive = send, receive
        self._channels: dict[str, str] = {}

    async def run(self) -> str:
        """Serve until the client leaves or the outbox is closed; returns why it ended."""
        writer = asyncio.create_task(self._write())
        reader = asyncio.create_task(self._read())
        pinger = asyncio.create_task(self._ping())
        tasks = {writer, reader, pinger}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for name, channel in self._channels.items():
                self._hub.leave(channel, self.outbox)
                self.outbox.resumed(name)
            for task in tasks:
                task.cancel()
            # not gather: it would hide from whoever cancels us that it was them
            await asyncio.wait(tasks)
        for task in tasks:
            failed = None if task.cancelled() else task.exception()
            if failed is not None:
                raise failed
        return self.outbox.closed or "left"

    async def _write(self) -> None:
        while self.outbox.closed is None:
            for text in await self.outbox.take():
                await self._send(text)

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_EVERY_S)
            self.outbox.put_latest("", wire.PING)

    async def _read(self) -> None:
        while (text := await self._receive()) is not None:
            try:
                message = wire.decode(text)
            except wire.BadMessage as error:
                self.outbox.put("", wire.error(None, "bad_message", str(error)))
                continue
            if isinstance(message, wire.Subscribe):
                await self._subscribe(message)
            elif isinstance(message, wire.Unsubscribe):
                self._unsubscribe(message.channel)

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
            start = await self._source.start(channel, message.since)
        finally:
            self._hub.leave(channel, held)
        self.outbox.put(name, wire.answer(name, start))
        held.release()
        self._channels[name] = channel
        self._hub.join(channel, self.outbox)


class _Held(Outbox):
    """Keeps what arrives while a subscription is answered, then passes it on in order."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__()
        self._outbox = outbox
        self._kept: list[tuple[str, str]] = []

    def put(self, channel: str, text: str) -> None:
        self._kept.append((channel, text))

    def put_latest(self, channel: str, text: str) -> None:
        self._outbox.put_latest(channel, text)

    def close(self, reason: str) -> None:
        self._outbox.close(reason)

    def release(self) -> None:
        for channel, text in self._kept:
            self._outbox.put(channel, text)
        self._kept.clear()
