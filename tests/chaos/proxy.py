"""A wire between two ends, on the loopback interface: cut, held, slowed or half closed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass, field
from typing import Literal

CHUNK = 64 * 1024
MISSED_AFTER_S = 25.0
State = Literal["whole", "cut", "held", "slow"]
# SO_LINGER with zero seconds: closing sends RST instead of FIN.
_RESET = struct.pack("ii", 1, 0)


@dataclass(eq=False)
class _Pair:
    """One connection through the wire: the client's end and the server's."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def local_port(self) -> int:
        """The port from which the wire speaks to the server."""
        return int(self.server.get_extra_info("sockname")[1])

    def reset(self) -> None:
        for writer in (self.client, self.server):
            end = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                if end is not None:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
        for task in self.tasks:
            task.cancel()


class Wire:
    """Listens on a port of its own and passes everything on to `target` while it is whole."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.port = 0
        self.state: State = "whole"
        self.delay_s = 0.0
        self.refused = 0
        self._whole = asyncio.Event()
        self._whole.set()
        self._pairs: set[_Pair] = set()
        self._orphans: list[asyncio.StreamWriter] = []
        self._serving: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=4096)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self.heal()
        self.reset()
        for orphan in self._orphans:
            orphan.transport.abort()
        await asyncio.gather(*self._serving, return_exceptions=True)

    # --- what can be done to it ---------------------------------------------------

    def cut(self) -> None:
        """Reset what is open, refuse what is new."""
        self.state = "cut"
        self.reset()

    def hold(self) -> None:
        """Swallow nothing and pass nothing: both ends wait, as behind a dead switch."""
        self.state = "held"
        self._whole.clear()

    def slow(self, delay_s: float) -> None:
        """Everything takes so much longer, each way."""
        self.state, self.delay_s = "slow", delay_s

    def half_close(self) -> None:
        """Each server hears that its client will say no more; answers still pass."""
        for pair in list(self._pairs):
            with contextlib.suppress(OSError, RuntimeError):
                pair.server.write_eof()

    def heal(self) -> None:
        """Pass everything again; what was held goes on."""
        self.state, self.delay_s = "whole", 0.0
        self._whole.set()

    def reset(self) -> None:
        """Break every open connection, once."""
        for pair in list(self._pairs):
            pair.reset()
        self._pairs.clear()

    def orphan(self) -> None:
        """Let the clients be gone without a word to the server: a host that lost its power."""
        for pair in list(self._pairs):
            self._pairs.discard(pair)
            self._orphans.append(pair.server)
            # by then the kernel's own probes have told the server
            asyncio.get_running_loop().call_later(MISSED_AFTER_S, pair.server.transport.abort)
            pair.client.transport.abort()
            for task in pair.tasks:
                task.cancel()

    def local_ports(self) -> set[int]:
        """The ports from which it speaks to the target now."""
        return {pair.local_port() for pair in self._pairs}

    # --- passing on ---------------------------------------------------------------

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._whole.wait()
        if self.state == "cut":
            self.refused += 1
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.target)
        except OSError:
            self.refused += 1
            writer.transport.abort()
            return
        pair = _Pair(writer, far_writer)
        self._pairs.add(pair)
        pair.tasks = [
            asyncio.create_task(self._pass(pair, reader, far_writer)),
            asyncio.create_task(self._pass(pair, far_reader, writer)),
        ]
        try:
            await asyncio.wait(pair.tasks)
        finally:
            if pair in self._pairs:
                self._pairs.discard(pair)
                pair.reset()

    async def _pass(
        self, pair: _Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while data := await reader.read(CHUNK):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                await self._whole.wait()
                writer.write(data)
                await writer.drain()
            await self._whole.wait()
            if writer.can_write_eof():
                writer.write_eof()
        except (OSError, RuntimeError):
            # one end was reset: the other learns it
            if pair in self._pairs:
                pair.reset()
