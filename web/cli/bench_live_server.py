"""The servers of `sigap bench live`: the product, and bare `websockets` beside it."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import orjson
from websockets.asyncio.server import ServerConnection, broadcast, serve

from dispatch import actions
from dispatch.core.events import Actor
from dispatch.system import Settings as SystemSettings
from dispatch.system import System
from dispatch.system import build as build_system
from realtime import wire
from realtime.wire import Durable
from web import accounts
from web.app import create_app
from web.cli.bench_live_clients import more_files, say, stdin
from web.cli.bench_recover_server import catch_up, fill
from web.cli.up import listen
from web.robots import demo
from web.serving import Server
from web.settings import Settings
from web.stream import MAX_SOCKETS_PER_SESSION

DELIVERIES_PER_S = 20_000


class Served(Protocol):
    """A running server with its sockets."""

    port: int
    cookies: list[str]

    def send(self, text: str) -> None:
        """One message to every socket."""


class Bare:
    """`websockets` and nothing else, without compression and keepalive, as ours."""

    def __init__(self, port: int, count: int) -> None:
        self.port, self.cookies = port, ["x"] * count
        self.connections: set[ServerConnection] = set()

    async def handle(self, connection: ServerConnection) -> None:
        self.connections.add(connection)
        await connection.recv()
        await connection.send("ready")
        await connection.wait_closed()

    def send(self, text: str) -> None:
        broadcast(self.connections, text)


class Ours:
    """The whole application with its people signed in."""

    def __init__(self, system: System, city: str, port: int, cookies: list[str]) -> None:
        self.system, self.city, self.port, self.cookies = system, city, port, cookies

    def send(self, text: str) -> None:
        name = f"city/{self.city}"
        self.system.hub.send(f"{self.city}:{name}", name, [text])

    def commit(self, crew_id: Any, number: int) -> tuple[int, float]:
        """One step; its offset and when it was committed."""
        admin = Actor("administrator", "bench")
        status = "conditionally_available" if number % 2 else "available"
        self.system.do(
            self.city,
            admin,
            lambda w, now: actions.set_crew_status(w, now, admin, crew_id, status=status),
        )
        return self.system.offset(self.city), time.monotonic()


@asynccontextmanager
async def bare(order: dict[str, Any]) -> AsyncIterator[Bare]:
    listener = listen("127.0.0.1", 0)
    made = Bare(listener.getsockname()[1], order["sockets"])
    async with serve(
        made.handle, sock=listener, compression=None, ping_interval=None, max_size=None
    ):
        yield made


@asynccontextmanager
async def ours(order: dict[str, Any]) -> AsyncIterator[Ours]:
    data_dir, city = Path(order["data_dir"]), order["city"]
    system = build_system(
        SystemSettings(database_url=order["database_url"], data_dir=data_dir, cities=(city,))
    )
    demo.prepare(system, system.city(city), data_dir=data_dir, crews=27)
    if order.get("events"):
        # before anybody dispatches: who writes without a pause lets nobody else write
        await asyncio.to_thread(fill, system, city, order["events"])
    listener = listen("127.0.0.1", 0)
    app = create_app(Settings(data_dir=data_dir, rate_factor=0), system=system)
    up = asyncio.Event()
    server = Server(app, started=up.set)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await up.wait()
    cookies = people(system, city, order["sockets"])
    try:
        yield Ours(system, city, listener.getsockname()[1], cookies)
    finally:
        server.should_exit = True
        await serving


def people(system: System, city: str, sockets: int) -> list[str]:
    """As many signed-in dispatchers as the sockets need, one cookie for each socket."""
    sessions = -(-sockets // MAX_SOCKETS_PER_SESSION)
    opened = accounts.open_sessions(system, city, "operator", count=sessions)
    return [
        f"sigap_session={city}.{opened[number // MAX_SOCKETS_PER_SESSION]}"
        for number in range(sockets)
    ]


def event_text(city: str, size: int) -> str:
    """An event of about so many bytes, as the dispatchers' channel tells them."""
    key = "incident/01a22007-2a43-7283-af75-9e323ba5dfb6"
    bare_size = len(
        wire.durable(f"city/{city}", Durable(1, 0, "IncidentChanged", key, 1, {"x": ""}))
    )
    told = {"x": "x" * (size - bare_size)}
    return wire.durable(f"city/{city}", Durable(1, 0, "IncidentChanged", key, 1, told))


async def follow(served: Any, order: dict[str, Any], lines: asyncio.StreamReader) -> None:
    """Do what the measurement asks, until it hangs up."""
    say({"port": served.port, "cookies": served.cookies})
    while said := await lines.readline():
        wish = orjson.loads(said)
        match wish["do"]:
            case "usage":
                say({"cpu_s": time.process_time(), "rss": resident()})
            case "send":
                text = event_text(order["city"], wish["size"])
                for _ in range(wish["messages"]):
                    served.send(text)
                    # one after the other, as events come: a burst would be joined in fewer writes
                    await asyncio.sleep(len(served.cookies) / DELIVERIES_PER_S)
                say({})
            case "commit":
                say({"at": await commits(served, wish["events"], wish["per_s"])})
            case "empty":
                # those of a measurement before must be gone: a session has so many sockets
                while served.system.hub.clients:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                say({})
            case "catch_up":
                say(
                    await catch_up(
                        served.system, served.city, wish["missed"], repeats=wish["repeats"]
                    )
                )
            case "since":
                epoch, head = served.system.head(served.city)
                say({"epoch": epoch, "offset": head - wish["behind"]})
            case _:
                raise ValueError(wish)


async def commits(served: Ours, events: int, per_s: float) -> dict[str, float]:
    with served.system.looking(served.city) as world:
        crew_id = next(iter(world.crews())).id
    found: dict[str, float] = {}
    for number in range(events):
        offset, at = await asyncio.to_thread(served.commit, crew_id, number)
        found[str(offset)] = at
        await asyncio.sleep(1.0 / per_s)
    return found


def resident() -> int:
    """Bytes of this process in memory (Linux), 0 where that is not told."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * 4096 if status.exists() else 0


async def main() -> None:
    lines = await stdin()
    order = orjson.loads(await lines.readline())
    async with (bare if sys.argv[1] == "broadcast" else ours)(order) as served:
        await follow(served, order, lines)


if __name__ == "__main__":
    more_files()
    logging.disable(logging.INFO)
    asyncio.run(main())
