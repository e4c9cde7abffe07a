"""Measures positions: the whole pipeline beside a bare insert, and a city held at 1 Hz."""

from __future__ import annotations

import asyncio
import os
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import orjson
import sqlalchemy as sa
import typer
from rich.console import Console
from rich.progress import Progress
from websockets.asyncio.client import connect

from dispatch import actions
from dispatch.core import events as ev
from dispatch.core.crews import Fix
from dispatch.core.reports import Report
from dispatch.core.world import World
from dispatch.relay import position_row
from dispatch.storage import fixes, tables
from dispatch.storage.devices import Device
from dispatch.system import Settings as SystemSettings
from dispatch.system import System
from dispatch.system import build as build_system
from dispatch.system.devices import Made
from geo.sql import conninfo_of, put_many, reading, writing
from realtime import wire
from web.cli.bench_path import served
from web.cli.city import folder
from web.cli.stop import Stop
from web.cli.up import DEMO_CITY, prepare_demo_city
from web.robots import demo
from web.robots.door import Door
from web.robots.points import on_a_road
from web.settings import Settings
from web.trackers import osmand

console = Console(stderr=True, highlight=False)
ADMIN = ev.Actor("administrator", "bench")
DEGREE_M = 111_195.08
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
BUSY = 100
"""So many crews have work, whose arrival is watched."""


def fixes_(
    database: Annotated[
        list[str] | None, typer.Option(help="URLs to measure; default: SQLite in a fresh folder")
    ] = None,
    crews: Annotated[int, typer.Option(min=1, help="crews that send at 1 Hz")] = 2000,
    rounds: Annotated[int, typer.Option(min=3, help="seconds of them that are measured")] = 30,
    hold: Annotated[
        float, typer.Option(min=0, help="then hold them so long over real HTTP, seconds")
    ] = 0.0,
) -> None:
    """Positions per CPU-second through the whole pipeline, beside the bare batched insert."""
    root = folder(Settings())
    prepare_demo_city(root)
    with tempfile.TemporaryDirectory(prefix="sigap-bench-") as fresh:
        for number, url in enumerate(database or [f"sqlite:///{fresh}/bench.sqlite3"]):
            data_dir = Path(fresh) / str(number)
            data_dir.mkdir()
            (data_dir / "cities").symlink_to(root.resolve(), target_is_directory=True)
            kind = url.partition(":")[0].partition("+")[0]
            console.print(f"fixes on {kind} …")
            with _Scene.made(url, data_dir, crews) as scene:
                figures = measure(scene, rounds)
                people = demo.prepare(scene.system, scene.city, data_dir=data_dir, crews=0)
            _line(bench="fixes", database=kind, crews=crews, rounds=rounds, **figures)
            if hold:
                account = people.account("robot")
                course = _Hold(scene, account.username, account.password)
                with served(url, data_dir) as base:
                    held = asyncio.run(course.run(base, hold))
                kept = _kept(url, data_dir) - figures["written"]
                _line(bench="fixes_hold", database=kind, crews=crews, **held, kept=kept)


def _line(**figures: Any) -> None:
    typer.echo(orjson.dumps(figures).decode())


# --- what is measured on --------------------------------------------------------------


@dataclass(slots=True)
class _Phone:
    """One crew's tracker, driving on."""

    made: Made
    crew_id: UUID
    lon: float
    lat: float
    east_m: float
    north_m: float

    def body(self, at: datetime) -> bytes:
        """Where it is a second later, as Traccar Client 9 says it."""
        self.lon += self.east_m / DEGREE_M
        self.lat += self.north_m / DEGREE_M
        location = {
            "timestamp": at.isoformat(timespec="milliseconds"),
            "coords": {
                "latitude": self.lat,
                "longitude": self.lon,
                "accuracy": 6.0,
                "speed": 8.0,
                "heading": 90.0,
                "altitude": 20.0,
            },
            "is_moving": True,
            "odometer": 1000.0,
            "event": "motionchange",
            "battery": {"level": 0.8, "is_charging": False},
            "activity": {"type": "in_vehicle"},
            "extras": {},
        }
        return orjson.dumps({"location": location, "device_id": self.made.device.id})


class _Scene:
    """A city with many crews, each with a tracker, and some with work."""

    def __init__(self, system: System, phones: Sequence[_Phone]) -> None:
        self.system, self.phones = system, phones
        self.city = system.city(DEMO_CITY)

    @classmethod
    @contextmanager
    def made(cls, url: str, data_dir: Path, crews: int) -> Iterator[_Scene]:
        """Closed at the end, the database stays."""
        settings = SystemSettings(database_url=url, data_dir=data_dir, cities=(DEMO_CITY,))
        system = build_system(settings)
        city, chance = system.city(DEMO_CITY), random.Random(7)
        spots = [
            on_a_road(chance, box=city.box, areas=city.areas, roads=city.roads)
            for _ in range(min(crews, 400))
        ]
        crew_ids = _register(system, [spots[i % len(spots)] for i in range(crews)])
        phones = [
            _Phone(
                made,
                crew_id,
                *spots[i % len(spots)],
                chance.uniform(-8, 8),
                chance.uniform(-8, 8),
            )
            for i, (crew_id, made) in enumerate(
                zip(crew_ids, _devices(system, crew_ids), strict=True)
            )
        ]
        _employ(system, crew_ids[:BUSY], spots)
        try:
            yield cls(system, phones)
        finally:
            system.stop()


def _register(system: System, spots: Sequence[tuple[float, float]]) -> list[UUID]:
    agency = next(iter(system.city(DEMO_CITY).policy.agencies))
    made: list[UUID] = []

    def register(world: World, now: datetime) -> None:
        for number, (lon, lat) in enumerate(spots):
            name = f"Bench {number}"
            fact = ev.CrewRegistered(name, name, agency, (), "van", 2, lon, lat)
            crew = actions.register_crew(world, now, ADMIN, fact)
            actions.set_crew_status(world, now, ADMIN, crew.id, status="available")
            made.append(crew.id)

    system.do(DEMO_CITY, ADMIN, register)
    return made


def _devices(system: System, crew_ids: Sequence[UUID]) -> list[Made]:
    """Registered in one go; a secret takes no time to check, only to make."""
    devices = system.devices(DEMO_CITY)
    first = devices.register(label="Bench", by="bench", crew_id=crew_ids[0])
    rest = []
    rows = []
    for number, crew_id in enumerate(crew_ids[1:], 1):
        kept = first.device
        device = Device(
            f"bench-{number}",
            "Bench",
            crew_id,
            kept.secret_hash,
            kept.created_at,
            "bench",
            kept.secret_at,
        )
        rest.append(Made(device, first.secret))
        names = ("id", "label", "crew_id", "secret_hash", "created_at", "created_by", "secret_at")
        rows.append({"city_id": DEMO_CITY, **{name: getattr(device, name) for name in names}})
    if rows:
        with writing(system.engine) as connection:
            connection.execute(sa.insert(tables.device), rows)
    devices.refresh()
    return [first, *rest]


def _employ(system: System, crew_ids: Sequence[UUID], spots: Sequence[tuple[float, float]]) -> None:
    service = next(iter(system.city(DEMO_CITY).policy.services))
    for crew_id, (lon, lat) in zip(crew_ids, spots, strict=False):

        def send(world: World, now: datetime, crew_id: UUID, lon: float, lat: float) -> None:
            new = actions.NewReport("web", service, "bench", lon=lon, lat=lat)
            report: Report = actions.receive_report(world, now, ADMIN, new)
            incident = actions.verify_report(world, now, ADMIN, report.id)
            job = actions.send_crew(world, now, ADMIN, incident.id, crew_id=crew_id)
            actions.acknowledge(world, now, ADMIN, job.id)

        system.do(
            DEMO_CITY,
            ADMIN,
            lambda world, now, c=crew_id, x=lon, y=lat: send(world, now, c, x, y),  # type: ignore[misc]
        )


# --- CPU seconds ----------------------------------------------------------------------


class _Cpu:
    """CPU seconds of this process, and of the database's processes where they can be seen."""

    def __init__(self, system: System) -> None:
        self._postmaster: int | None = None
        if conninfo_of(system.engine) is not None:
            with reading(system.engine) as connection:
                backend = connection.scalar(sa.text("SELECT pg_backend_pid()"))
            found = _stat(int(backend))
            self._postmaster = found[0] if found else None

    @property
    def sees_database(self) -> bool:
        """Whether the database's share is counted."""
        return self._postmaster is not None

    def seconds(self) -> float:
        """Spent so far."""
        own = time.process_time()
        if self._postmaster is None:
            return own
        return own + sum(
            found[1]
            for pid in _pids()
            if (found := _stat(pid)) and self._postmaster in (found[0], pid)
        )


def _pids() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]


def _stat(pid: int) -> tuple[int, float] | None:
    """(parent, CPU seconds) of a process on Linux, None elsewhere or when it is gone."""
    try:
        text = (Path("/proc") / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    return int(fields[1]), (int(fields[11]) + int(fields[12])) / ticks


# --- the whole pipeline beside a bare insert ------------------------------------------


def measure(scene: _Scene, rounds: int) -> dict[str, Any]:
    """CPU seconds of both, in the same run and taking turns, so that a slow moment hits both."""
    cpu = _Cpu(scene.system)
    start = datetime.now(UTC) - timedelta(seconds=rounds)
    bare = _bare_table(scene.system)
    spent: dict[str, list[float]] = {"whole": [], "bare": []}
    moved = 0
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("positions", total=rounds)
        for number in range(rounds):
            at = start + timedelta(seconds=number)
            bodies = [phone.body(at) for phone in scene.phones]
            spent["whole"].append(_cost(cpu, lambda b=bodies: _whole(scene, b)))  # type: ignore[misc]
            rows = _rows(scene, at)
            spent["bare"].append(_cost(cpu, lambda r=rows: _insert(scene.system, bare, r)))  # type: ignore[misc]
            moved += len(scene.system.newest_fixes(DEMO_CITY))
            progress.advance(task)
    with writing(scene.system.engine) as connection:
        bare.drop(connection)
        written = connection.scalar(sa.select(sa.func.count()).select_from(tables.fix)) or 0
    n = len(scene.phones) * rounds
    # the first rounds read the registry and who is watched
    whole, flat = (sum(spent[name][2:]) * rounds / (rounds - 2) for name in ("whole", "bare"))
    matched = sum(fix.road_u is not None for fix in scene.system.newest_fixes(DEMO_CITY))
    return {
        "n": n,
        "written": written,
        "matched_share": round(matched / len(scene.phones), 3),
        "fixes_per_cpu_s": round(n / whole),
        "bare_per_cpu_s": round(n / flat),
        "ratio": round(flat / whole, 3),
        "database_counted": cpu.sees_database or conninfo_of(scene.system.engine) is None,
    }


def _cost(cpu: _Cpu, work: Callable[[], object]) -> float:
    before = cpu.seconds()
    work()
    return cpu.seconds() - before


def _whole(scene: _Scene, bodies: Sequence[bytes]) -> None:
    """Decode, authenticate, every step, arrival, history and markers, and the frame for screens."""
    system, now = scene.system, datetime.now(UTC)
    devices = system.devices(DEMO_CITY)
    secret = scene.phones[0].made.secret
    found: list[Fix] = []
    known: list[Device] = []
    for body in bodies:
        for reading_ in osmand.from_json(orjson.loads(body)):
            device = devices.let_in(reading_.device_id, secret)
            if device is None or device.crew_id is None or reading_.fix_time is None:
                raise Stop("The benchmark's own device is not let in.")
            known.append(device)
            found.append(
                Fix(
                    device.crew_id,
                    reading_.lon or 0.0,
                    reading_.lat or 0.0,
                    reading_.fix_time,
                    now,
                    reading_.accuracy_m,
                    reading_.heading,
                    reading_.speed_ms,
                    reading_.battery,
                    reading_.mock,
                    reading_.device_time,
                    device.id,
                )
            )
    taken = system.take_many(DEMO_CITY, found)
    for device, fix, word in zip(known, found, taken.said, strict=True):
        devices.heard(device, "osmand", (fix,), (word,))
    system.flush_positions()
    frame = [position_row(fix, now) for fix in system.newest_fixes(DEMO_CITY)]
    wire.positions(f"city/{DEMO_CITY}", frame)


def _bare_table(system: System) -> sa.Table:
    """The history's columns and key, and nothing else."""
    columns = [sa.Column(c.name, c.type, primary_key=c.name in fixes.KEY) for c in tables.fix.c]
    table = sa.Table("bench_fix", sa.MetaData(), *columns)
    with writing(system.engine) as connection:
        table.drop(connection, checkfirst=True)
        table.create(connection)
    return table


def _rows(scene: _Scene, at: datetime) -> list[tuple[Any, ...]]:
    return [
        fixes.row_of(
            DEMO_CITY,
            Fix(phone.crew_id, phone.lon, phone.lat, at, at, 6.0, 90.0, 8.0, 0.8, device="d"),
        )
        for phone in scene.phones
    ]


def _insert(system: System, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
    with writing(system.engine) as connection:
        put_many(connection, table, fixes.COLUMNS, rows, key=fixes.KEY)


def _kept(url: str, data_dir: Path) -> int:
    settings = SystemSettings(database_url=url, data_dir=data_dir, cities=(DEMO_CITY,))
    system = build_system(settings)
    try:
        with reading(system.engine) as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(tables.fix)) or 0
    finally:
        system.stop()


# --- held at 1 Hz ---------------------------------------------------------------------


class _Hold:
    """Every tracker sends once a second over real HTTP; a dispatcher's screen watches."""

    def __init__(self, scene: _Scene, username: str, password: str) -> None:
        self._phones, self._account = scene.phones, (username, password)
        self.accepted = self.refused = self.missed = 0
        self.answer_s: list[float] = []
        self._oldest: list[int] = []
        self._crews = {str(phone.crew_id) for phone in scene.phones}

    async def run(self, base: str, seconds: float) -> dict[str, Any]:
        """What was sent and accepted, the server's CPU share, the oldest position on the map."""
        host, _, port = base.removeprefix("http://").rstrip("/").partition(":")
        desk = Door(base, DEMO_CITY)
        await desk.sign_in(*self._account)
        server = _server(int(port))
        lines = await self._connected(host, int(port))
        begun, before = time.perf_counter(), _tree_s(server)
        watch = asyncio.create_task(self._watch(base, desk.cookies(), begun))
        with Progress(console=console, transient=True) as progress:
            bar = asyncio.create_task(_show(progress, begun, seconds))
            wall = await self._drive(lines, seconds)
            bar.cancel()
        spent = _tree_s(server) - before
        await asyncio.sleep(2.0)
        watch.cancel()
        await asyncio.gather(watch, bar, return_exceptions=True)
        unanswered = sum(line.waits for line in lines)
        for line in lines:
            line.close()
        await desk.close()
        return {
            "seconds": round(wall, 1),
            "accepted": self.accepted,
            "refused": self.refused,
            "missed": self.missed,
            "unanswered": unanswered,
            "per_s": round(self.accepted / wall, 1),
            "server_cpu_share": round(spent / wall, 3),
            "fixes_per_server_cpu_s": round(self.accepted / spent),
            "frames": len(self._oldest),
            "oldest_on_map_s": {
                "p50": statistics.median(self._oldest) if self._oldest else None,
                "max": max(self._oldest, default=None),
            },
            "answer_s": {
                "p50": round(statistics.median(self.answer_s), 4),
                "p99": round(statistics.quantiles(self.answer_s, n=100)[98], 4),
                "max": round(max(self.answer_s), 3),
            },
        }

    async def _connected(self, host: str, port: int) -> list[_Line]:
        """Every tracker on a connection of its own that is kept."""
        loop = asyncio.get_running_loop()
        lines = [_Line(phone, self, f"{host}:{port}") for phone in self._phones]
        for line in lines:
            await loop.create_connection(lambda line=line: line, host, port)  # type: ignore[misc]
        return lines

    async def _drive(self, lines: Sequence[_Line], seconds: float) -> float:
        """Each line sends once a second, evenly spread; returns the seconds it really took."""
        begun, sent, n = time.perf_counter(), 0, len(lines)
        total = round(seconds * n)
        while sent < total:
            at = datetime.now(UTC)
            due = min(total, int((time.perf_counter() - begun) * n))
            for number in range(sent, due):
                lines[number % n].send(at)
            sent = due
            await asyncio.sleep(0.005)
        return time.perf_counter() - begun

    async def _watch(self, base: str, cookies: str, begun: float) -> None:
        url = f"ws{base.removeprefix('http').rstrip('/')}/ws/{DEMO_CITY}"
        headers = {"Cookie": cookies, "Origin": base.rstrip("/")}
        async with connect(url, additional_headers=headers, max_size=None) as socket:
            await socket.send(orjson.dumps({"sub": f"city/{DEMO_CITY}"}).decode())
            async for message in socket:
                told = orjson.loads(message)
                # after a start everybody has to send once
                if "pos" in told and time.perf_counter() - begun > 5.0:
                    ages = [row[4] for row in told["pos"] if row[0] in self._crews]
                    self._oldest.append(max(ages))


async def _show(progress: Progress, begun: float, seconds: float) -> None:
    task = progress.add_task("held", total=seconds)
    while True:
        progress.update(task, completed=time.perf_counter() - begun)
        await asyncio.sleep(0.5)


def _request(secret: str, host: str, body: bytes) -> bytes:
    head = (
        f"POST /osmand/{DEMO_CITY}/{secret} HTTP/1.1\r\nHost: {host}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Line(asyncio.Protocol):
    """One tracker's connection: it sends its next position only when the last was answered."""

    def __init__(self, phone: _Phone, hold: _Hold, host: str) -> None:
        self._phone, self._hold, self._host = phone, hold, host
        self._transport: asyncio.Transport | None = None
        self._got = b""
        self._sent_at = 0.0
        self.waits = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, at: datetime) -> None:
        """Send a position, or miss this second because the last is not answered yet."""
        if self.waits or self._transport is None or self._transport.is_closing():
            self._hold.missed += 1
            return
        body = self._phone.body(at)
        self.waits, self._sent_at = True, time.perf_counter()
        self._transport.write(_request(self._phone.made.secret, self._host, body))

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or (length and len(body) < int(length[1])):
            return
        if head.split(b" ", 2)[1] == b"200" and b'"accepted":1' in body:
            self._hold.accepted += 1
        else:
            self._hold.refused += 1
        self._hold.answer_s.append(time.perf_counter() - self._sent_at)
        self._got, self.waits = b"", False

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


def _server(port: int) -> int:
    """The process that we started to listen there: the newest child of this one."""
    own = os.getpid()
    children = [pid for pid in _pids() if (found := _stat(pid)) and found[0] == own]
    if not children:
        raise Stop(f"The server on port {port} cannot be seen; its CPU share needs Linux.")
    return max(children)


def _tree_s(root: int) -> float:
    """CPU seconds of a process and its children."""
    total = 0.0
    for pid in _pids():
        found = _stat(pid)
        if found and (pid == root or found[0] == root):
            total += found[1]
    return total
