"""The clients of `sigap bench live`: as many sockets as wanted, each as cheap as can be."""

from __future__ import annotations

import asyncio
import base64
import os
import resource
import sys
import time
from typing import Any

import orjson
from websockets.frames import Frame, Opcode

AT_ONCE = 100
WATCHED = 20


class Socket(asyncio.Protocol):
    """Counts the messages that arrive; reads them only while it is told to.

    Frames are found by their lengths: parsing thousands of sockets would measure the parser.
    """

    def __init__(
        self,
        cookie: str,
        city: str,
        started: asyncio.Future[None],
        since: dict[str, Any] | None = None,
    ) -> None:
        self._cookie, self._city, self._started, self._since = cookie, city, started, since
        self.recovered = False
        self._rest = b""
        self._opened = False
        self.messages = 0
        self.wanted: asyncio.Event | None = None
        self.target = 0
        self.watching = False
        self.seen: list[tuple[int, float]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Shake hands."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        head = (
            f"GET /ws/{self._city} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Cookie: {self._cookie}\r\n\r\n"
        )
        transport.write(head.encode())

    def data_received(self, data: bytes) -> None:
        """Take what arrived."""
        self._rest += data
        if not self._opened:
            head, found, rest = self._rest.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                self._fail(RuntimeError(head.decode("latin-1")))
                return
            self._opened, self._rest = True, rest
            asked = {} if self._since is None else {"since": self._since}
            self.say({"sub": f"city/{self._city}", **asked})
        self._frames()

    def _frames(self) -> None:
        at, rest, end = 0, self._rest, len(self._rest)
        while end - at >= 2:
            length, start = rest[at + 1] & 0x7F, at + 2
            if length == 126:
                length, start = int.from_bytes(rest[at + 2 : at + 4], "big"), at + 4
            elif length == 127:
                length, start = int.from_bytes(rest[at + 2 : at + 10], "big"), at + 10
            if start + length > end:
                break
            self._message(rest[start : start + length])
            at = start + length
        self._rest = rest[at:]

    def _message(self, data: bytes) -> None:
        if not self._started.done():
            if b'"recovered"' in data[:200] or data.startswith(b"ready"):
                # looked at, not parsed: a thousand states would measure the parser
                self.recovered = b'"recovered":true' in data[:200]
                self._started.set_result(None)
            elif b'"error"' in data[:200]:
                self._fail(RuntimeError(data.decode()))
            return
        if data.startswith(b'{"ping"'):
            self.say({"pong": 1})
            return
        if b'"pos"' in data[:60]:
            return
        self.messages += 1
        if self.watching and b'"o":' in data[:60]:
            self.seen.append((orjson.loads(data)["o"], time.monotonic()))
        if self.wanted is not None and self.messages >= self.target:
            self.wanted.set()

    def say(self, message: dict[str, Any]) -> None:
        """A client's frame, masked."""
        frame = Frame(Opcode.TEXT, orjson.dumps(message))
        self.transport.write(frame.serialize(mask=True))

    def connection_lost(self, exc: Exception | None) -> None:
        """The server hung up."""
        self._fail(exc or RuntimeError("the server hung up"))

    def _fail(self, error: Exception) -> None:
        if not self._started.done():
            self._started.set_exception(error)


async def connected(order: dict[str, Any]) -> list[tuple[Socket, float]]:
    """All sockets, each with its first answer and how long that took; seconds."""
    loop = asyncio.get_running_loop()
    gate = asyncio.Semaphore(order.get("at_once", AT_ONCE))
    city, port, since = order["city"], order["port"], order.get("since")

    async def one(cookie: str) -> tuple[Socket, float]:
        async with gate:
            begun = time.monotonic()
            started: asyncio.Future[None] = loop.create_future()
            _, socket = await loop.create_connection(
                lambda: Socket(cookie, city, started, since), "127.0.0.1", port
            )
            await started
            return socket, time.monotonic() - begun

    return await asyncio.gather(*(one(cookie) for cookie in order["cookies"]))


async def counted(sockets: list[Socket], messages: int) -> int:
    """Say that it counts, and wait until each socket got so many; returns how many all got."""
    events = []
    for socket in sockets:
        socket.messages, socket.target, socket.wanted = 0, messages, asyncio.Event()
        events.append(socket.wanted)
    say({"counting": True})
    for event in events:
        await event.wait()
    return sum(socket.messages for socket in sockets)


async def serve() -> None:
    """Follow the orders of the measurement."""
    sockets: list[Socket] = []
    lines = await stdin()
    while said := await lines.readline():
        order = orjson.loads(said)
        match order["do"]:
            case "connect":
                came = await connected(order)
                sockets = [socket for socket, _ in came]
                answer: dict[str, Any] = {
                    "waits": [wait_s for _, wait_s in came],
                    "recovered": sum(socket.recovered for socket in sockets),
                }
            case "count":
                answer = {"deliveries": await counted(sockets, order["messages"])}
            case "watch":
                watched = sockets[:: max(1, len(sockets) // WATCHED)]
                for socket in watched:
                    socket.watching = True
                await counted(watched, order["events"])
                answer = {"at": [each for socket in watched for each in socket.seen]}
            case _:
                raise ValueError(order)
        say(answer)


def say(answer: dict[str, Any]) -> None:
    """Answer an order, as a line."""
    sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
    sys.stdout.buffer.flush()


async def stdin() -> asyncio.StreamReader:
    """Standard input, as a stream of the loop's."""
    reader = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    return reader


def more_files() -> None:
    """As many open files as this user may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    more_files()
    asyncio.run(serve())
