"""How the application is served over HTTP and sockets, by one process or by each of many."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from web.sockets import PipedProtocol

MAX_MESSAGE_BYTES = 16 * 1024
WAITING = 2048
"""So many connections wait in the kernel to be accepted."""
AT_ONCE = 16
"""So many a process accepts in one go; the rest is left to the others."""


class Server(uvicorn.Server):
    """Serves one application on a socket that other processes may accept from too."""

    def __init__(self, app: FastAPI, *, started: Callable[[], object]) -> None:
        self._tell_started = started
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
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
