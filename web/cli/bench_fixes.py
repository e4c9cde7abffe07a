"""Measures positions: the whole pipeline beside a bare insert, and a city held at 1 Hz."""

from __future__ import annotations

import random
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import orjson
import sqlalchemy as sa
import typer
from rich.console import Console
from rich.progress import Progress

from dispatch import actions
from dispatch.core import events as ev
from dispatch.core.crews import Fix
from dispatch.core.reports import Report
from dispatch.core.world import World
from dispatch.relay import position_row
from dispatch.storage import fixes, tables
from dispatch.storage.devices import Device
from dispatch.system import City, System
from dispatch.system import Settings as SystemSettings
from dispatch.system import build as build_system
from dispatch.system.devices import Made, fingerprint
from dispatch.system.memory import settle
from geo.point import Point
from geo.sql import conninfo_of, put_many, reading, writing
from realtime import wire
from web.cli.bench_hold import Hold, Phone, Way, moment_of, way_between
from web.cli.bench_path import served
from web.cli.city import folder
from web.cli.cpu import Cpu
from web.cli.stop import Stop
from web.cli.up import DEMO_CITY, prepare_demo_city
from web.robots import demo
from web.robots.points import on_a_road
from web.settings import Settings
from web.trackers import osmand

console = Console(stderr=True, highlight=False)
ADMIN = ev.Actor("administrator", "bench")
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
                cpu = Cpu(scene.system.engine)
                figures = measure(scene, rounds, cpu)
                people = demo.prepare(scene.system, scene.city, data_dir=data_dir, crews=0)
            _line(bench="fixes", database=kind, crews=crews, rounds=rounds, **figures)
            if hold:
                with served(url, data_dir, rate_factor=1.0) as base:
                    course = Hold(scene.phones, people.account("robot"), base)
                    held = course.run(hold, spent=cpu.database_s)
                kept = _kept(url, data_dir) - figures["written"]
                _line(bench="fixes_hold", database=kind, crews=crews, **held, kept=kept)


def _line(**figures: Any) -> None:
    typer.echo(orjson.dumps(figures).decode())


# --- what is measured on --------------------------------------------------------------


class _Scene:
    """A city with many crews, each with a tracker, and some with work."""

    def __init__(self, system: System, phones: Sequence[Phone]) -> None:
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
        ways = _ways(city, [Point(*spot) for spot in spots], chance)
        phones = [
            Phone(made, crew_id, way := ways[i % len(ways)], chance.randrange(len(way)))
            for i, (crew_id, made) in enumerate(
                zip(crew_ids, _devices(system, crew_ids), strict=True)
            )
        ]
        _employ(system, crew_ids[:BUSY], spots)
        try:
            yield cls(system, phones)
        finally:
            system.stop()


def _ways(city: City, spots: Sequence[Point], chance: random.Random) -> list[Way]:
    """A drive from each spot to another one, where there is one."""
    found = []
    for spot in spots:
        for _ in range(20):
            way = way_between(city.roads, spot, chance.choice(spots), chance)
            if way is not None:
                found.append(way)
                break
    if not found:
        raise Stop("The benchmark found no way to drive in its city.")
    return found


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
    """Registered in one go, each with a secret of its own."""
    devices = system.devices(DEMO_CITY)
    first = devices.register(label="Bench", by="bench", crew_id=crew_ids[0])
    rest = []
    rows = []
    for number, crew_id in enumerate(crew_ids[1:], 1):
        kept, secret = first.device, secrets.token_urlsafe(18)
        device = Device(
            f"bench-{number}",
            "Bench",
            crew_id,
            fingerprint(secret),
            kept.created_at,
            "bench",
            kept.secret_at,
        )
        rest.append(Made(device, secret))
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


# --- the whole pipeline beside a bare insert ------------------------------------------


def measure(scene: _Scene, rounds: int, cpu: Cpu) -> dict[str, Any]:
    """CPU seconds of both, in the same run and taking turns, so that a slow moment hits both."""
    start = datetime.now(UTC) - timedelta(seconds=rounds)
    bare = _bare_table(scene.system)
    spent: dict[str, list[float]] = {"whole": [], "bare": []}
    moved = 0
    settle()  # as a server does when it starts
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("positions", total=rounds)
        for number in range(rounds):
            at = start + timedelta(seconds=number)
            said_at = moment_of(at)
            bodies = [phone.body(said_at) for phone in scene.phones]
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


def _cost(cpu: Cpu, work: Callable[[], object]) -> float:
    before = cpu.seconds()
    work()
    return cpu.seconds() - before


def _whole(scene: _Scene, bodies: Sequence[bytes]) -> None:
    """Decode, authenticate, every step, arrival, history and markers, and the frame for screens."""
    system, now = scene.system, datetime.now(UTC)
    devices = system.devices(DEMO_CITY)
    found: list[Fix] = []
    known: list[Device] = []
    for phone, body in zip(scene.phones, bodies, strict=True):
        for reading_ in osmand.from_json(orjson.loads(body)):
            device = devices.let_in(reading_.device_id, phone.made.secret)
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
            Fix(phone.crew_id, lon, lat, at, at, 6.0, heading, 8.0, 0.8, device="d"),
        )
        for phone in scene.phones
        for lon, lat, heading in [phone.way[phone.second]]
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
