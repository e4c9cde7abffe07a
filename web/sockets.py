"""uvicorn's WebSocket protocol, with a way to write frames that were made once for many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

PIPE = "sigap.pipe"
"""The ASGI extension under which a socket's application finds its pipe."""


class PipedProtocol(WebSocketsSansIOProtocol):
    """Satisfies `realtime.hub.Pipe`.

    A server's frames carry no mask and no state of their connection, so one that was made for one
    client fits all. Compression must be off, as it is. What uvicorn itself sends (the handshake,
    pings, the close) goes the usual way: each write is whole frames, so they never mix.
    """

    flowing = True
    _resume: Callable[[], None] | None = None

    def handle_connect(self, event: Request) -> None:
        """Offer the pipe to the application; its task has not run yet."""
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)
        if scope is not None:
            scope["extensions"][PIPE] = {"pipe": self}

    def write(self, frames: bytes) -> None:
        """Hand whole frames to the transport, unless the socket is closing."""
        if not self.close_sent and not self.transport.is_closing():
            self.transport.write(frames)

    def when_flowing(self, resume: Callable[[], None]) -> None:
        """Call `resume` each time the transport can take more again."""
        self._resume = resume

    def abort(self) -> None:
        """Hang up without a word, whatever still waits to be sent."""
        self.transport.abort()

    def pause_writing(self) -> None:
        """The transport holds all it should."""
        self.flowing = False
        super().pause_writing()

    def resume_writing(self) -> None:
        """The client took it."""
        self.flowing = True
        super().resume_writing()
        if self._resume is not None:
            self._resume()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self.flowing = False
        self._resume = None
        super().connection_lost(exc)
