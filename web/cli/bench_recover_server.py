"""The server's part of `sigap bench recover`: a long log, and what catching up with it costs."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import datetime
from typing import Any

from dispatch import actions
from dispatch.actions import NewReport
from dispatch.core.events import Actor
from dispatch.core.world import World
from dispatch.system import System
from realtime import wire
from web.robots.points import on_a_road

STEP = 500
BREATH_S = 0.05
ACTIVE = 300


def fill(system: System, city: str, events: int) -> dict[str, int]:
    """A log of so many events: some hundred reports that stay, crews that come and go."""
    admin = Actor("administrator", "bench")
    with system.looking(city) as world:
        crew_ids = [crew.id for crew in world.crews()]
    served = system.city(city)
    chance = random.Random(3)

    def reports(world: World, now: datetime) -> None:
        for number in range(ACTIVE):
            lon, lat = on_a_road(chance, box=served.box, areas=served.areas, roads=served.roads)
            actions.receive_report(world, now, admin, report_at(number, lon, lat))

    system.do(city, admin, reports)
    turn = 0
    while system.offset(city) < events:

        def change(world: World, now: datetime) -> None:
            nonlocal turn
            for _ in range(STEP):
                turn += 1
                crew_id = crew_ids[turn % len(crew_ids)]
                there = world.crew(crew_id).status
                status = "available" if there != "available" else "conditionally_available"
                actions.set_crew_status(world, now, admin, crew_id, status=status)

        system.do(city, admin, change)
        # the dispatcher writes too, and waits for its turn
        time.sleep(BREATH_S)
    return {"events": system.offset(city), "reports": ACTIVE}


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
