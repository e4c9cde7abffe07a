"""What is under test: a city, its database, its messages, and the processes that serve it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

import dispatch
from dispatch import actions
from dispatch.blobs import Blobs
from dispatch.core.events import Actor, CrewRegistered
from dispatch.core.world import World
from dispatch.system.audit import Audit, audit_city
from geo.bundle import Extract, build_bundle
from geo.sql import open_engine
from tests import services
from tests.chaos.proxy import Wire
from tests.chaos.servers import Database, Messages, Room, children
from tests.chaos.zygote import CLOCK
from tests.maps import grid, metres
from web import accounts
from web.app import build_system
from web.settings import Settings

ROOT = Path(__file__).parents[2]
CITY = "kotak"
PASSWORD = "sandi rahasia"
CREWS = 8
DISK_MIB = 400
AT_WORK = 3
"""Sockets of a worker that serves: the listener it was handed, and some to the database."""
READY_WITHIN_S = 120.0
SKILLS = ("chainsaw", "pump", "roadworks", "electrical", "enforcement")


@dataclass(frozen=True, slots=True)
class Setup:
    """One way to run Sigap."""

    name: str
    database: str = "sqlite"
    processes: int = 1
    workers: int = 1
    bus: bool = False


SETUPS = {
    setup.name: setup
    for setup in (
        Setup("sqlite"),
        Setup("postgis", database="postgis"),
        Setup("postgis-2", database="postgis", processes=2),
        Setup("workers", database="postgis", workers=2),
        Setup("nats", database="postgis", processes=2, bus=True),
    )
}


class Zygote:
    """Forks servers that have everything imported already."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.zygote"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
            )
        self._hear()

    def _hear(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            raise AssertionError(f"the zygote ended: {self._log.read_text()[-2000:]}")
        return said

    def fork(self, order: dict[str, Any]) -> int:
        """The process id of a new server."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(json.loads(self._hear())["pid"])

    def stop(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait(timeout=30)


@dataclass(eq=False)
class Server:
    """One `sigap up` and the wires to and from it."""

    number: int
    port: int
    clients: Wire
    database: Wire | None
    messages: Wire | None
    order: dict[str, Any]
    pid: int | None = None
    starts: int = 0

    @property
    def base(self) -> str:
        """Where its clients reach it, by the wire."""
        return f"http://127.0.0.1:{self.clients.port}"

    def alive(self) -> bool:
        return self.pid is not None and Path(f"/proc/{self.pid}").exists()

    def workers(self) -> list[int]:
        """The processes that serve: its workers, or itself."""
        if self.pid is None:
            return []
        return children(self.pid) or [self.pid]

    def serving(self) -> list[int]:
        """Those of them that have spoken with the database: no longer only starting."""
        return [pid for pid in self.workers() if _sockets(pid) >= AT_WORK]

    def signal(self, number: signal.Signals, pid: int | None = None) -> None:
        with contextlib.suppress(ProcessLookupError):
            if pid or self.pid:
                os.kill(pid or self.pid or 0, number)

    def kill(self) -> None:
        """End all of it as a power cut does."""
        for pid in [*self.workers(), self.pid]:
            if pid:
                self.signal(signal.SIGKILL, pid)
        until = time.monotonic() + 10
        while self.alive() and time.monotonic() < until:
            time.sleep(0.01)
        self.pid = None


def _sockets(pid: int) -> int:
    """How many sockets a process has open."""
    found = 0
    for each in Path(f"/proc/{pid}/fd").glob("*"):
        with contextlib.suppress(OSError):
            found += each.readlink().name.startswith("socket:")
    return found


@dataclass(eq=False)
class Site:
    """A running installation with people who may sign in."""

    setup: Setup
    folder: Path
    database_url: str
    engine: Engine
    servers: list[Server]
    zygote: Zygote
    room: Room
    crews: list[UUID]
    codes: list[str]
    clock: Path
    disk: Path | None
    database: Database | None = None
    messages: Messages | None = None
    known: dict[str, Any] = field(default_factory=dict)

    # --- life ----------------------------------------------------------------------

    async def start(self, server: Server, *, wait: bool = True) -> None:
        server.pid = await asyncio.to_thread(self.zygote.fork, server.order)
        server.starts += 1
        if wait:
            await self.ready(server)

    async def ready(self, server: Server) -> None:
        """Wait until it serves; it is started again when it could not."""
        until = time.monotonic() + READY_WITHIN_S
        async with httpx.AsyncClient(timeout=5.0) as http:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    answer = await http.get(f"http://127.0.0.1:{server.port}/readyz")
                    if answer.status_code == 200:
                        return
                if time.monotonic() > until:
                    raise AssertionError(f"server {server.number} does not serve: {self.said()}")
                if not server.alive():
                    await self.start(server, wait=False)
                    await asyncio.sleep(0.3)
                await asyncio.sleep(0.05)

    async def whole(self) -> None:
        """Everything runs and every wire passes."""
        if self.database is not None and not self.database.alive():
            await asyncio.to_thread(self.database.start)
        if self.messages is not None and self.messages.child.pid() is None:
            await asyncio.to_thread(self.messages.start)
        for wire in self.wires():
            wire.heal()
        for server in self.servers:
            if not server.alive():
                await self.start(server, wait=False)
        for server in self.servers:
            await self.ready(server)

    async def stop(self) -> None:
        for server in self.servers:
            server.kill()
            for wire in (server.clients, server.database, server.messages):
                if wire is not None:
                    await wire.stop()
        self.engine.dispose()
        self.zygote.stop()
        if self.messages is not None:
            self.messages.stop()
        if self.database is not None:
            await asyncio.to_thread(self.database.stop)

    def wires(self) -> list[Wire]:
        ends = [(s.clients, s.database, s.messages) for s in self.servers]
        return [wire for three in ends for wire in three if wire is not None]

    # --- questions -----------------------------------------------------------------

    def said(self) -> str:
        """What the servers logged last."""
        return "\n".join(
            path.read_text("utf-8", "replace")[-1500:] for path in sorted(self.folder.glob("*.log"))
        )

    def bases(self) -> list[str]:
        return [server.base for server in self.servers]

    def audit(self) -> Audit:
        """The product's own audit."""
        blobs = Blobs(self.folder / "blobs")
        now = accounts._now()
        return audit_city(self.engine, blobs, CITY, now)

    def leader(self) -> tuple[Server, int] | None:
        """The server, and the process of it, that dispatches now; None when nobody knows."""
        if self.setup.database != "postgis":
            return None
        with contextlib.suppress(DBAPIError):
            return self._leader()
        return None

    def _leader(self) -> tuple[Server, int] | None:
        with self.engine.connect() as connection:
            held = connection.scalars(
                text(
                    "SELECT a.application_name FROM pg_locks l "
                    "JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' "
                    "AND l.granted AND a.datname = current_database() "
                    "AND a.application_name LIKE 'sigap dispatcher/%'"
                )
            ).all()
        for each in held:
            pid = int(str(each).rpartition(" ")[2])
            for server in self.servers:
                if pid in server.workers():
                    return server, pid
        return None

    def skew(self, seconds: float) -> None:
        """Let the servers' clocks be wrong by so much."""
        with self.clock.open("r+b") as file:
            file.write(CLOCK.pack(seconds))


def policy(path: Path) -> Path:
    """The policy that comes with Sigap, with offers that do not wait a minute."""
    written = Path(dispatch.__file__).with_name("policy.toml").read_text("utf-8")
    for name, value in (("expires_s", 8), ("decline_pause_s", 5)):
        written = re.sub(rf"(?m)^{name} = \d+", f"{name} = {value}", written, count=1)
    path.write_text(written, "utf-8")
    return path


async def make(setup: Setup, room: Room, *, sabotage: str = "") -> Site:
    """Build the city, its database and its people; start nothing of Sigap yet."""
    in_files = setup.database == "sqlite"
    folder = room.folder("data", mebibytes=DISK_MIB if in_files else None)
    town = grid(8, spacing_m=250).write(folder / "town.osm")
    await asyncio.to_thread(
        build_bundle, CITY, source=Extract(town), root=folder / "cities", name="Kotak"
    )
    database = messages = None
    if not in_files:
        database = await asyncio.to_thread(Database.make, room, mebibytes=DISK_MIB)
        url = database.server.create("sigap")
    else:
        url = f"sqlite:///{folder / 'sigap.sqlite3'}"
    if setup.bus:
        messages = await asyncio.to_thread(Messages.make, room)
    crews, codes = await asyncio.to_thread(_people, url, folder)
    clock = room.folder("clock") / "skew"
    clock.write_bytes(CLOCK.pack(0.0))
    zygote = Zygote(folder / "zygote.log")
    await asyncio.to_thread(zygote.start)
    disk = folder if in_files else (database.disk if database else None)
    site = Site(
        setup=setup,
        folder=folder,
        database_url=url,
        engine=open_engine(url),
        servers=[],
        zygote=zygote,
        room=room,
        crews=crews,
        codes=codes,
        clock=clock,
        disk=disk if disk and room.small(disk) else None,
        database=database,
        messages=messages,
    )
    for number in range(setup.processes):
        site.servers.append(await _server(site, number, sabotage=sabotage))
    return site


async def _server(site: Site, number: int, *, sabotage: str) -> Server:
    port = services.free_port()
    clients = Wire(("127.0.0.1", port))
    await clients.start()
    environment = {
        "SIGAP_DATA_DIR": str(site.folder),
        "SIGAP_DATABASE_URL": site.database_url,
        "SIGAP_POLICY": str(policy(site.folder / "policy.toml")),
        "SIGAP_RATE_FACTOR": "0",
        "PYTHONPATH": str(ROOT),
    }
    to_database = to_messages = None
    if site.database is not None:
        to_database = Wire(("127.0.0.1", site.database.server.port))
        await to_database.start()
        there = f":{site.database.server.port}/"
        environment["SIGAP_DATABASE_URL"] = site.database_url.replace(
            there, f":{to_database.port}/"
        )
    if site.messages is not None:
        to_messages = Wire(("127.0.0.1", site.messages.port))
        await to_messages.start()
        environment["SIGAP_BUS"] = f"nats://127.0.0.1:{to_messages.port}"
    more = ["--workers", str(site.setup.workers)] if site.setup.workers > 1 else []
    order = {
        "args": ["up", "--port", str(port), *more],
        "env": environment,
        "folder": str(site.folder),
        "log": str(site.folder / f"server-{number}.log"),
        "clock": str(site.clock),
        "sabotage": sabotage,
    }
    return Server(number, port, clients, to_database, to_messages, order)


def _people(url: str, folder: Path) -> tuple[list[UUID], list[str]]:
    """Two dispatchers, an officer and crews, each crew with a code for its phone."""
    system = build_system(Settings(data_dir=folder, database_url=url, cities=(CITY,)))
    admin = Actor("administrator", "chaos")
    for username, role, agency in (
        ("meja1", "dispatcher", None),
        ("meja2", "dispatcher", None),
        ("dinas", "officer", "pupr"),
    ):
        accounts.add_staff(
            system,
            CITY,
            username=username,
            password=PASSWORD,
            role=role,
            name=username,
            agency_id=agency,
        )
    made: list[UUID] = []
    for n in range(CREWS):
        place = station(n)
        fact = CrewRegistered(f"Regu {n}", f"R{n}", "pupr", SKILLS, "van", 3, place[0], place[1])
        register = partial(_register, made, admin, fact)
        system.do(CITY, admin, register)
    codes = [accounts.new_code(system, CITY, crew, valid_s=86_400.0).code for crew in made]
    system.stop()
    return made, codes


def _register(
    made: list[UUID], admin: Actor, fact: CrewRegistered, world: World, now: datetime
) -> None:
    made.append(actions.register_crew(world, now, admin, fact).id)


def station(n: int) -> tuple[float, float]:
    """Where crew n waits, degrees."""
    point = metres(250.0 * (1 + n % 6), 250.0 * (1 + n // 6))
    return point.lon, point.lat
