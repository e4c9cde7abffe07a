"""The other end of the wire, in Python: follows channels across lost connections."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.typing import Origin

from realtime.wire import Bbox, Folded

logger = logging.getLogger("realtime.client")

FIRST_RETRY_S, LONGEST_RETRY_S = 0.5, 15.0
QUIET_S, DEAD_S = 25.0, 10.0
"""Silence after which the client asks whether the server is there, and then gives it up."""
SIGNED_OUT = 4401


class Channel:
    """What is known of one channel: `state` by key, kept by the same rule as in a browser."""

    def __init__(self, name: str, *, token: str | None, bbox: Bbox | None, positions: bool) -> None:
        self.name, self.token, self.bbox, self.wants_positions = name, token, bbox, positions
        self.folded = Folded()
        self.positions: dict[str, list[Any]] = {}
        self.refused: Mapping[str, Any] | None = None
        self.asking = False
        self.changes = 0
        self.recoveries = 0
        self.snapshots = 0
        self._changed = asyncio.Event()

    @property
    def state(self) -> Mapping[str, Mapping[str, Any]]:
        """The state by wire key."""
        return self.folded.state

    @property
    def started(self) -> bool:
        """Whether a first answer came."""
        return bool(self.folded.epoch)

    def document(self) -> Mapping[str, Any]:
        """The one document of a narrow channel, empty before the first answer."""
        return next(iter(self.folded.state.values()), {})

    async def changed(self, *, within_s: float) -> bool:
        """Wait for a change; False when none came in so many seconds."""
        try:
            async with asyncio.timeout(within_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True

    async def until(self, true: Callable[[], bool], *, within_s: float = 30.0) -> None:
        """Wait until it is so. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while not true():
                await self._changed.wait()
                self._changed.clear()

    def subscription(self) -> dict[str, Any]:
        """What to ask: from the last offset on, if there is one."""
        wish: dict[str, Any] = {"sub": self.name}
        if self.started:
            wish["since"] = {"epoch": self.folded.epoch, "offset": self.folded.offset}
        if self.token is not None:
            wish["token"] = self.token
        if self.bbox is not None:
            wish["bbox"] = list(self.bbox)
        if not self.wants_positions:
            wish["pos"] = False
        return wish

    def take(self, message: Mapping[str, Any]) -> bool:
        """Take in a message of this channel. False: the thread is lost, subscribe again."""
        if "error" in message:
            self.refused, self.asking = message["error"], False
        elif "resync" in message:
            return False
        elif "pos" in message:
            self.positions |= {row[0]: row for row in message["pos"]}
        elif "recovered" in message:
            self.folded.start(message)
            self.asking = message.get("more", False)
            self.recoveries += bool(message["recovered"])
            self.snapshots += not message["recovered"]
        elif "o" in message and not self.asking and not self.folded.take(message):
            return False
        self.tell()
        return True

    def tell(self) -> None:
        """Wake whoever waits for a change."""
        self.changes += 1
        self._changed.set()


class LiveClient:
    """One socket to one city, many channels. Use it as `async with`, or call `run`."""

    def __init__(
        self,
        url: str,
        *,
        headers: Callable[[], Mapping[str, str]] = dict,
        origin: str | None = None,
        watch: Callable[[Mapping[str, Any]], object] | None = None,
        first_retry_s: float = FIRST_RETRY_S,
    ) -> None:
        """`headers` are asked for at every connection; `watch` sees every message."""
        self._url, self._origin, self._watch = url, origin, watch
        self._headers = headers
        self._first_retry_s = first_retry_s
        self._channels: dict[str, Channel] = {}
        self._socket: ClientConnection | None = None
        self._running: asyncio.Task[None] | None = None
        self.signed_out = False
        self.connections = 0

    async def __aenter__(self) -> LiveClient:
        self._running = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def follow(
        self,
        name: str,
        *,
        token: str | None = None,
        bbox: Bbox | None = None,
        positions: bool = True,
    ) -> Channel:
        """Follow a channel from now on, across lost connections."""
        channel = Channel(name, token=token, bbox=bbox, positions=positions)
        self._channels[name] = channel
        await self._ask(channel)
        return channel

    async def leave(self, name: str) -> None:
        """Enough of it."""
        if self._channels.pop(name, None) is not None:
            await self._say({"unsub": name})

    async def look(self, name: str, bbox: Bbox | None) -> None:
        """From now on the positions in this box; None is everywhere."""
        self._channels[name].bbox = bbox
        await self._say({"view": name, **({} if bbox is None else {"bbox": list(bbox)})})

    async def drop(self) -> None:
        """Lose the connection, as a network does; it comes back by itself."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def run(self) -> None:
        """Stay connected until signed out; whoever comes back asks for what it missed."""
        failures = 0
        while not self.signed_out:
            before = self.connections
            try:
                await self._once()
            except ConnectionClosed as closed:
                self.signed_out = closed.rcvd is not None and closed.rcvd.code == SIGNED_OUT
            except (OSError, InvalidHandshake, InvalidMessage, TimeoutError) as error:
                logger.debug("%s: %s", self._url, error)
            finally:
                self._socket = None
            failures = 0 if self.connections > before else failures + 1
            # half of it chance: after a restart a thousand clients must not knock at once
            ceiling = min(LONGEST_RETRY_S, self._first_retry_s * 2**failures)
            if not self.signed_out:
                await asyncio.sleep(ceiling * random.uniform(0.5, 1.0))
        for channel in self._channels.values():
            channel.tell()

    async def _once(self) -> None:
        async with connect(
            self._url,
            additional_headers=self._headers(),
            origin=None if self._origin is None else Origin(self._origin),
            max_size=None,
            compression=None,
            ping_interval=None,
        ) as socket:
            self._socket = socket
            self.connections += 1
            for channel in list(self._channels.values()):
                await self._ask(channel)
            while True:
                await self._hear(socket)

    async def _hear(self, socket: ClientConnection) -> None:
        try:
            async with asyncio.timeout(QUIET_S):
                text = await socket.recv()
        except TimeoutError:
            await self._say({"ping": 1})
            async with asyncio.timeout(DEAD_S):
                text = await socket.recv()
        message = orjson.loads(text)
        if self._watch is not None:
            self._watch(message)
        if "ping" in message:
            await self._say({"pong": message["ping"]})
        channel = self._channels.get(message.get("ch") or "")
        if channel is None:
            return
        if not channel.take(message):
            await self._ask(channel)

    async def _ask(self, channel: Channel) -> None:
        if channel.refused is None:
            channel.asking = self._socket is not None
            await self._say(channel.subscription())

    async def _say(self, message: Mapping[str, Any]) -> None:
        if self._socket is not None:
            await self._socket.send(orjson.dumps(message).decode())
