"""One of several processes that serve together; started and watched by `sigap up --workers N`."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import threading
from typing import Any

import orjson

from web import logs
from web.app import create_app
from web.serving import Server
from web.settings import Settings

READY = b"ready\n"


def main() -> None:
    """Serve on the socket that was handed down, until told to stop or the parent is gone."""
    orders: dict[str, Any] = orjson.loads(sys.stdin.buffer.readline())
    logs.configure(level=orders["log_level"])
    app = create_app(Settings(**orders["settings"]))
    app.state.demo_accounts = orders["demo_accounts"]
    server = Server(app, started=_announce)
    listener = socket.socket(fileno=orders["listener"])
    threading.Thread(target=_watch_parent, args=(server,), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    # a worker that could not start says so by its status
    sys.exit(0 if server.started else 3)


def _announce() -> None:
    os.write(sys.stdout.fileno(), READY)


def _watch_parent(server: Server) -> None:
    """The parent holds our standard input open for as long as it lives."""
    sys.stdin.buffer.read()
    logging.getLogger("sigap.worker").info("told to stop, or nobody watches this process any more")
    server.should_exit = True


if __name__ == "__main__":
    main()
