"""The server's part of `sigap bench recover`: a long log, and what catching up with it costs."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, update

from dispatch import actions
from dispatch.actions import NewReport
from dispatch.core.events import Actor
from dispatch.core.log import Entry
from dispatch.core.world import World
from dispatch.storage import codec, journal, tables
from dispatch.system import System
from geo.sql import writing
from realtime import wire
from web.robots.points import on_a_road

STEP = 5_000
ACTIVE = 300


def fill(system: System, city: str, events: int) -> None:
    """A log of so many events: some hundred reports that stay, crews that come and go.

    The reports and each crew's first changes are steps; what follows repeats those changes,
    written as steps write them but many at once.
    """
    admin = Actor("administrator", "bench")
    with system.looking(city) as world:
        crew_ids = [crew.id for crew in world.crews()]
    served = system.city(city)
    chance = random.Random(3)

    def first(world: World, now: datetime) -> None:
        for number in range(ACTIVE):
            lon, lat = on_a_road(chance, box=served.box, areas=served.areas, roads=served.roads)
            actions.receive_report(world, now, admin, report_at(number, lon, lat))
        for status in ("conditionally_available", "available"):
            for crew_id in crew_ids:
                actions.set_crew_status(world, now, admin, crew_id, status=status)

    system.do(city, admin, first)
    offset = system.offset(city)
    with system.reading(city) as connection:
        round_ = journal.after(connection, city, offset - 2 * len(crew_ids), 2 * len(crew_ids))
    versions = {entry.event.subject: entry.event.version for entry in round_}
    while offset < events:
        offset = _repeat(system, city, round_, versions, offset)


def _repeat(
    system: System, city: str, round_: Sequence[Entry], versions: dict[UUID, int], offset: int
) -> int:
    """Whole rounds of the crews' changes after the offset; returns the new offset."""
    lines: list[dict[str, object]] = []
    heard: list[dict[str, object]] = []
    while len(lines) < STEP:
        for entry in round_:
            offset += 1
            crew_id = entry.event.subject
            versions[crew_id] += 1
            event = replace(entry.event, version=versions[crew_id])
            changed = replace(entry, offset=offset, id=uuid4(), event=event)
            lines.append({"city_id": city, **codec.entry_values(changed)})
            heard += [
                {"city_id": city, "channel": channel, "offset": offset}
                for channel in entry.channels
            ]
    with writing(system.engine) as connection:
        connection.execute(insert(tables.log), lines)
        if heard:
            connection.execute(insert(tables.log_channel), heard)
        connection.execute(
            update(tables.city).where(tables.city.c.city_id == city).values(offset=offset)
        )
        for crew_id, version in versions.items():
            mine = (tables.crew.c.city_id == city) & (tables.crew.c.id == crew_id)
            connection.execute(update(tables.crew).where(mine).values(version=version))
    return offset


async def catch_up(system: System, city: str, missed: int, *, repeats: int) -> dict[str, Any]:
    """Server CPU and bytes for one client that missed so much, by pages and by the state."""
    relay = system.relay
    name = f"city/{city}"
    epoch, head = system.head(city)
    found: dict[str, Any] = {}
    for way in ("pages", "snapshot"):
        spent, took, size = [], [], 0
        for _ in range(repeats if missed <= 20_000 else 1):
            cpu, begun, size, since = time.process_time(), time.perf_counter(), 0, head - missed
            while True:
                start: Any
                if way == "pages":
                    start = await asyncio.to_thread(
                        relay.page, city, wire.Since(epoch, since), limit=2 * missed + STEP
                    )
                else:
                    start = await asyncio.to_thread(relay.whole, city, name)
                size += len(wire.answer(name, start).encode())
                if way == "snapshot" or not start.more:
                    break
                since = start.offset
            spent.append(time.process_time() - cpu)
            took.append(time.perf_counter() - begun)
        found |= {
            f"{way}_cpu_ms": round(1e3 * min(spent), 1),
            f"{way}_took_ms": round(1e3 * min(took), 1),
            f"{way}_kib": round(size / 1024),
        }
    chosen = await relay.start(city, name, wire.Since(epoch, head - missed))
    whole = b'"recovered":false' in wire.answer(name, chosen)[:200].encode()
    return {**found, "chosen": "snapshot" if whole else "pages"}


def report_at(number: int, lon: float, lat: float) -> NewReport:
    """A report like many."""
    return NewReport(
        channel="web",
        service_code="street_light",
        description=f"Lampu jalan nomor {number} mati sejak kemarin malam, tolong diperbaiki",
        lon=lon,
        lat=lat,
    )
