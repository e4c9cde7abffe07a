"""How the application is served over HTTP and sockets, by one process or by each of many."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from web.sockets import PipedProtocol

MAX_MESSAGE_BYTES = 16 * 1024
WAITING = 2048
"""So many connections wait in the kernel to be accepted."""
AT_ONCE = 16
"""So many a process accepts in one go; the rest is left to the others."""


MAX_HEAD_BYTES = 64 * 1024


class HeadLimited(HttpToolsProtocol):
    """Requests read by llhttp, in C; unlike h11 it sets no limit to their heads."""

    _head_bytes = 0
    _is_in_head = False

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.send_400_response("The request's headers are too long.")

    def on_message_begin(self) -> None:
        self._is_in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()


class Server(uvicorn.Server):
    """Serves one application on a socket that other processes may accept from too."""

    def __init__(self, app: FastAPI, *, started: Callable[[], object]) -> None:
        self._tell_started = started
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                http=HeadLimited,
                ws=PipedProtocol,
                # the protocol's own heartbeats serve: browsers answer those even while asleep
                ws_ping_interval=None,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=3,
                # the application itself believes the proxies that the settings name
                proxy_headers=False,
                ws_max_size=MAX_MESSAGE_BYTES,
                server_header=False,
                backlog=AT_ONCE,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so; asyncio shortened the kernel's queue to what it accepts at once."""
        await super().startup(sockets)
        for each in sockets or ():
            each.listen(WAITING)
        if self.started:
            self._tell_started()
