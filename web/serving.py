"""How the application is served over HTTP and sockets, by one process or by each of many."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dispatch.system.memory import settle
from web.sockets import PipedProtocol
from web.trackers.express import Asked, Express

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


class _Nobody:
    def set(self) -> None:
        """Nobody waits for the rest of a request that is whole."""


_NOBODY_WAITS = _Nobody()


@dataclass(slots=True)
class _Taken:
    """A request that the short way answers, as uvicorn looks at the one at hand."""

    keep_alive: bool
    response_complete: bool = False
    disconnected: bool = False
    message_event: _Nobody = _NOBODY_WAITS


class Expressed(HeadLimited):
    """Offers a whole request to the application's short way before any work is done for it.

    What that does not take goes on as if it had just come. Requests are answered in their order:
    while one waits for its answer, the next ones of the connection go the usual way behind it.
    """

    _body: bytearray | None = None

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        state = getattr(self.config.app, "state", None)
        self._express: Express | None = getattr(state, "express", None)

    def on_headers_complete(self) -> None:
        before, parser = cast("Any", self.cycle), self.parser
        if (
            self._express is not None
            and (before is None or before.response_complete)
            and self._express.fits(parser.get_method(), self.url, self.headers)
            and parser.get_http_version() == "1.1"
        ):
            self._is_in_head, self._body = False, bytearray()
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._body is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        if self._body is None or self._express is None:
            super().on_message_complete()
            return
        body, self._body = bytes(self._body), None
        asked = Asked(
            self.parser.get_method(), self.url, self.headers, body, self.scheme == "https"
        )
        taken = _Taken(self.parser.should_keep_alive())
        self.cycle = cast("Any", taken)
        if not self._express.take(asked, lambda answer: self._answer(taken, asked, answer)):
            self._go_the_usual_way(taken, body)

    def _go_the_usual_way(self, taken: _Taken, body: bytes) -> None:
        taken.response_complete = True
        super().on_headers_complete()
        super().on_body(body)
        super().on_message_complete()

    def _answer(self, taken: _Taken, asked: Asked, answer: tuple[bytes, bytes] | None) -> None:
        if self.transport.is_closing():
            return
        if answer is None:
            if self.headers is asked.headers:
                self._go_the_usual_way(taken, asked.body)
            else:
                # the next request is being read already: who sent this one sends it again
                self.transport.close()
            return
        lines, body = answer
        first = b"".join([b"%s: %s\r\n" % each for each in self.server_state.default_headers])
        end = b"" if taken.keep_alive else b"connection: close\r\n"
        self.transport.write(b"HTTP/1.1 200 OK\r\n%s%s%s\r\n%s" % (first, lines, end, body))
        taken.response_complete = True
        if not taken.keep_alive:
            self.transport.close()
        self.on_response_complete()


class Server(uvicorn.Server):
    """Serves one application on a socket that other processes may accept from too."""

    def __init__(self, app: FastAPI, *, started: Callable[[], object]) -> None:
        self._tell_started = started
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                http=Expressed,
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
        # the application is built and its city open: what lives long is there
        settle()
        for each in sockets or ():
            each.listen(WAITING)
        if self.started:
            self._tell_started()
