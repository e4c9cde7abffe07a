"""The small city behind a real server on a real port, for whoever needs real sockets."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from argon2 import PasswordHasher

from dispatch.system import System
from tests.story.small_city import PASSWORD, add_crew, small_system
from web import accounts
from web.app import create_app
from web.cli.up import listen
from web.serving import Server
from web.settings import Settings


@dataclass
class Served:
    """A running server; `base` is where it listens."""

    base: str
    system: System
    loop: asyncio.AbstractEventLoop

    def url(self, city: str = "kota") -> str:
        return f"{self.base.replace('http', 'ws', 1)}/ws/{city}"

    def cookie(self, username: str = "meja", city: str = "kota") -> dict[str, str]:
        """The headers of somebody signed in."""
        [token] = accounts.open_sessions(self.system, city, username, count=1)
        return {"Cookie": f"sigap_session={city}.{token}"}


@contextmanager
def served(
    folder: Path, *, system: System | None = None, rate_factor: float = 0.0
) -> Iterator[Served]:
    """Serve the small city with a dispatcher `meja` and one crew, until the block is left."""
    system = system or small_system(folder)
    with patch.object(accounts, "_HASHER", PasswordHasher(1, 1024, 1)):
        accounts.add_staff(
            system, "kota", username="meja", password=PASSWORD, role="dispatcher", name="Meja"
        )
    add_crew(system, "kota", "Regu 1")
    listener = listen("127.0.0.1", 0)
    up: queue.Queue[asyncio.AbstractEventLoop] = queue.Queue()
    app = create_app(Settings(data_dir=folder, rate_factor=rate_factor), system=system)
    server = Server(app, started=lambda: up.put(asyncio.get_running_loop()))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        loop = up.get(timeout=60)
        yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", system, loop)
    finally:
        server.should_exit = True
        thread.join(60)
        listener.close()
