"""Measures the whole path of a report, over real HTTP and real sockets on this machine."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from dispatch.system import Settings as SystemSettings
from dispatch.system import System
from dispatch.system import build as build_system
from geo.sql import writing
from web.cli.stop import Stop
from web.cli.up import DEMO_CITY
from web.robots import demo
from web.robots.door import Door, Listener
from web.robots.points import on_a_road

T = TypeVar("T")
BARE = 200
ANSWER_S = 20.0
CREWS = 27


def measure_path(
    url: str, data_dir: Path, cities: Path, *, reports: int, seconds: float, lanes: int
) -> dict[str, Any]:
    """Seconds of each bare insert and of each path, and the sustained reports per second."""
    link = data_dir / "cities"
    if not link.exists():
        link.symlink_to(cities.resolve(), target_is_directory=True)
    system = build_system(SystemSettings(database_url=url, data_dir=data_dir, cities=(DEMO_CITY,)))
    bare = bare_inserts(system)
    people = demo.prepare(system, system.city(DEMO_CITY), data_dir=data_dir, crews=CREWS)
    city = system.city(DEMO_CITY)
    chance = random.Random(7)
    spots = [
        on_a_road(chance, box=city.box, areas=city.areas, roads=city.roads) for _ in range(200)
    ]
    crew_ids = [str(crew_id) for crew_id, _, _ in people.crews]
    robot = people.account("robot")
    system.stop()
    with served(url, data_dir) as base:
        course = _Course(base, robot.username, robot.password, crew_ids, spots)
        path_s, rate = asyncio.run(course.run(reports, seconds=seconds, lanes=lanes))
    return {"insert_s": bare, "path_s": path_s, "sustained_per_s": round(rate, 2), "lanes": lanes}


@contextmanager
def served(url: str, data_dir: Path, *, rate_factor: float = 0.0) -> Iterator[str]:
    """A server in a process of its own, so that measuring does not slow what is measured.

    With a `rate_factor` of 1 its doors count knocks as for everybody; with 0 they do not.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", "from web.cli import main; main()", "up", "--port", "0"],
        env={
            **os.environ,
            "SIGAP_DATABASE_URL": url,
            "SIGAP_DATA_DIR": str(data_dir),
            "SIGAP_CITIES": DEMO_CITY,
            "SIGAP_RATE_FACTOR": str(rate_factor),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            found = re.search(r"http://\S+", line)
            if found:
                yield found.group()
                return
        raise Stop("The server to measure did not start.")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def bare_inserts(system: System) -> list[float]:
    """Seconds of one-row transactions that are on the disk when they return."""
    table = sa.Table(
        "bench_bare", sa.MetaData(), sa.Column("id", sa.Integer), sa.Column("text", sa.Text)
    )
    with writing(system.engine) as connection:
        table.drop(connection, checkfirst=True)
        table.create(connection)
    spent = []
    for number in range(BARE):
        begun = time.perf_counter()
        with writing(system.engine) as connection:
            connection.execute(sa.insert(table).values(id=number, text="x" * 200))
        spent.append(time.perf_counter() - begun)
    with writing(system.engine) as connection:
        table.drop(connection)
    return spent


class _Course:
    """Citizens, a dispatcher and crews that answer at once."""

    def __init__(
        self,
        base: str,
        username: str,
        password: str,
        crews: list[str],
        spots: list[tuple[float, float]],
    ) -> None:
        self._base, self._sign_in = base, (username, password)
        self._crews, self._spots = crews, spots
        self._desk = Door(base, DEMO_CITY)
        self._public = Door(base, DEMO_CITY)
        self._arrived: dict[str, float] = {}
        self._reports: dict[str, str] = {}
        self._news = asyncio.Condition()
        self._number = 0

    async def run(self, reports: int, *, seconds: float, lanes: int) -> tuple[list[float], float]:
        """The path's seconds one after the other, then reports per second with several lanes."""
        await self._desk.sign_in(*self._sign_in)
        async with AsyncExitStack() as stack:
            for crew_id in self._crews:
                await self._ready(crew_id, stack)
            city = await stack.enter_async_context(self._desk.listen(f"city/{DEMO_CITY}"))
            watch = asyncio.create_task(self._watch_city(city))
            spent = [await self._once() for _ in range(reports)]
            begun, done = time.perf_counter(), 0

            async def lane() -> None:
                nonlocal done
                while time.perf_counter() - begun < seconds:
                    await self._once()
                    done += 1

            await asyncio.gather(*(lane() for _ in range(lanes)))
            rate = done / (time.perf_counter() - begun)
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        return spent, rate

    async def _ready(self, crew_id: str, stack: AsyncExitStack) -> None:
        phone = Door(self._base, DEMO_CITY)
        code = await self._desk.post(f"/crews/{crew_id}/code")
        await phone.pair(code["code"])
        await phone.post(f"/crews/{crew_id}/status", {"status": "available"})
        lon, lat = random.Random(crew_id).choice(self._spots)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        fix = {"lon": lon, "lat": lat, "fix_time": now, "accuracy_m": 5}
        await phone.post(f"/crews/{crew_id}/fixes", {"fixes": [fix]})
        listener = await stack.enter_async_context(phone.listen(f"crew/{crew_id}"))
        task = asyncio.create_task(self._answer(listener))
        stack.push_async_callback(_cancel, task)

    async def _answer(self, listener: Listener) -> None:
        """Note when an offer reached this crew's socket."""
        while True:
            await listener.changed(within_s=5.0)
            job = listener.document().get("assignment")
            if job is not None:
                self._arrived.setdefault(job["incident_id"], time.perf_counter())
                async with self._news:
                    self._news.notify_all()

    async def _watch_city(self, listener: Listener) -> None:
        """Note the id of each report as its ticket reaches the dispatcher's socket."""
        while True:
            await listener.changed(within_s=5.0)
            for key, thing in list(listener.state.items()):
                if key.startswith("report/"):
                    self._reports[thing["ticket"]] = thing["id"]
            async with self._news:
                self._news.notify_all()

    async def _heard(self, where: Mapping[str, T], key: str) -> T:
        async with asyncio.timeout(ANSWER_S), self._news:
            await self._news.wait_for(lambda: key in where)
        return where[key]

    async def _once(self) -> float:
        """One report: received, verified, offered to a crew's socket; then taken back."""
        self._number += 1
        lon, lat = self._spots[self._number % len(self._spots)]
        begun = time.perf_counter()
        made = await self._public.post(
            "/reports",
            {"service_code": "waste", "description": "Sampah menumpuk", "lon": lon, "lat": lat},
        )
        report_id = await self._heard(self._reports, made["ticket"])
        verified = await self._desk.post(f"/reports/{report_id}/verify", {})
        incident_id = next(
            event["k"].partition("/")[2]
            for event in verified["events"]
            if event["t"] == "IncidentOpened"
        )
        arrived = await self._heard(self._arrived, incident_id)
        await self._desk.post(f"/incidents/{incident_id}/cancel", {"reason": "bench"})
        return arrived - begun


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
