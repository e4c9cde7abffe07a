"""Robots play every role through the public doors, until a person takes one over."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from dispatch.core.events import Event, ReportReceived
from dispatch.storage import journal
from dispatch.system import City, System
from geo.bundle import Extract, build_bundle
from tests.maps import grid
from web import accounts
from web.cli.replay import build_replay_system, serving
from web.robots import demo
from web.robots.citizen import Citizens
from web.robots.crew import CrewRobot, Habits
from web.robots.dispatcher import DispatcherRobot
from web.robots.door import Door, Refused, SignedOut
from web.robots.orders import paired
from web.robots.pace import Pace
from web.robots.points import on_a_road
from web.settings import Settings

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SPEED = 30.0
EAGER = Habits(
    accept_s=(1.0, 5.0),
    decline_share=0.0,
    ignore_share=0.0,
    turnout_s=(1.0, 5.0),
    mean_work_s=30.0,
)


@dataclass
class Town:
    """A served city with its people, and a clock that runs fast."""

    base: str
    system: System
    people: demo.Demo

    @property
    def city(self) -> City:
        return self.system.city("kotak")

    def orders(self) -> dict[str, Any]:
        robot = self.people.account("robot")
        return {
            "base": self.base,
            "city": "kotak",
            "username": robot.username,
            "password": robot.password,
            "crews": [{"id": str(i), "lon": lon, "lat": lat} for i, lon, lat in self.people.crews],
        }

    def pace(self) -> Pace:
        return Pace(speed=SPEED, start=self.system.clock())

    def events(self) -> list[Event]:
        with self.system.reading("kotak") as connection:
            return list(journal.events(connection, "kotak"))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    extract = grid(6).write(folder / "kotak.osm")
    build_bundle("kotak", source=Extract(extract), root=folder / "cities", name="Kotak")
    settings = Settings(data_dir=folder, cities=("kotak",), rate_factor=0.0)
    system = build_replay_system(settings, "kotak", start=NOON, speed=SPEED)
    people = demo.prepare(system, system.city("kotak"), data_dir=folder, crews=3)
    with serving(system, settings) as base:
        yield Town(base, system, people)


def play(scene: Callable[[], Awaitable[None]]) -> None:
    async def within_a_minute() -> None:
        async with asyncio.timeout(90):
            await scene()

    asyncio.run(within_a_minute())


async def sooner_or_later(test: Callable[[], bool]) -> None:
    while not await asyncio.to_thread(test):  # noqa: ASYNC110 - a thread does it
        await asyncio.sleep(0.1)


def citizens(town: Town) -> Citizens:
    city = town.city
    return Citizens(
        Door(town.base, "kotak"),
        lambda own: on_a_road(own, box=city.box, areas=city.areas, roads=city.roads),
        town.pace(),
        random.Random(3),
        mean_gap_s=60.0,
    )


async def end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.slow
def test_reports_come_in_and_crews_drive_until_a_person_takes_over(town: Town) -> None:
    async def scene() -> None:
        orders, pace = town.orders(), town.pace()
        crews = await paired(orders, pace, random.Random(1), habits=EAGER)
        desk = DispatcherRobot(
            Door(town.base, "kotak"), orders["username"], orders["password"], pace, patience_s=3.0
        )
        public = citizens(town)
        driving = [asyncio.create_task(crew.run()) for crew in crews]
        others = [asyncio.create_task(desk.run()), asyncio.create_task(public.run())]
        try:
            await sooner_or_later(lambda: "AssignmentCleared" in {e.type for e in town.events()})
            await taken_over(town, crews[0], driving[0])
            assert not driving[1].done()
            assert not any(task.done() for task in others)
        finally:
            await end(*driving, *others)
            for door in (*(crew.door for crew in crews), desk.door, public.door):
                await door.close()

    play(scene)
    told = town.events()
    happened = {event.type: event.actor.role for event in told}
    assert happened["ReportReceived"] == "citizen"
    assert happened["ReportVerified"] == "dispatcher"
    assert happened["AssignmentAcknowledged"] == happened["AssignmentCleared"] == "crew"
    assert {"AssignmentEnRoute", "AssignmentOnScene", "IncidentClosed"} <= happened.keys()
    facts = [event.fact for event in told if isinstance(event.fact, ReportReceived)]
    assert all(fact.lon is not None and fact.channel in ("web", "android") for fact in facts)
    with town.system.looking("kotak") as world:
        assert all(
            crew.id in world.fixes() or town.system.newest_fix("kotak", crew.id)
            for crew in world.crews()
        )


async def taken_over(town: Town, robot: CrewRobot, task: asyncio.Task[None]) -> None:
    """A person signs on with a new code: the robot's session ends, and so does the robot."""
    crew_id = town.people.crews[0][0]
    code = await asyncio.to_thread(accounts.new_code, town.system, "kotak", crew_id)
    person = Door(town.base, "kotak")
    try:
        await person.pair(code.code)
        await asyncio.wait_for(task, timeout=30)
        with pytest.raises(SignedOut):
            await robot.door.post(f"/crews/{crew_id}/status", {"status": "available"})
    finally:
        await person.close()


def test_a_refused_report_does_not_end_the_citizens(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        public = citizens(town)
        public.somewhere = lambda own: (0.0, 0.0)
        public.burst = 3
        running = asyncio.create_task(public.run())
        await sooner_or_later(lambda: caplog.text.count("a report was refused") >= 3)
        assert not running.done()
        await end(running)
        await public.door.close()

    with caplog.at_level(logging.INFO, "sigap.robots"):
        play(scene)


def test_what_failed_is_decided_again_and_what_was_refused_is_not(town: Town) -> None:
    robot = DispatcherRobot(Door(town.base, "kotak"), "robot", "x", Pace(), patience_s=0.0)
    report = {
        "id": "r1",
        "ticket": "T",
        "status": "under_verification",
        "lon": 10.0,
        "received_at": "2020-01-01T00:00:00Z",
        "triage": {"p_genuine": 0.9, "similar": []},
    }

    async def scene() -> None:
        async with robot.door.listen("city/kotak") as listener:
            for status, again in ((503, True), (409, False)):
                robot.done.clear()

                async def answer(*_: object, status: int = status) -> None:
                    raise Refused(status, {"code": "x", "detail": "x"})

                robot.door.post = answer  # type: ignore[assignment,method-assign]
                assert robot._ripe(report)
                await robot._decide(report, listener)
                assert robot._ripe(report) == again
        await robot.door.close()

    play(scene)


def test_a_password_file_cut_short_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    made = demo.passwords(path)
    assert demo.passwords(path) == made
    assert path.stat().st_mode & 0o077 == 0
    path.write_bytes(path.read_bytes()[:20])
    again = demo.passwords(path)
    assert again.keys() == made.keys()
    assert orjson.loads(path.read_bytes()) == again


def test_a_second_start_of_the_demo_changes_nothing(town: Town, tmp_path: Path) -> None:
    before = len(town.events())
    data_dir = Path(str(town.system.engine.url.database)).parents[1]
    again = demo.prepare(town.system, town.city, data_dir=data_dir, crews=3)
    assert again == replace(town.people)
    assert [e.type for e in town.events()[before:]].count("CrewRegistered") == 0
    with suppress(StopIteration):
        again.account("nobody")
        pytest.fail("there is no such person")


def test_places_are_on_roads_inside_the_city(town: Town) -> None:
    chance, city = random.Random(5), town.city
    for _ in range(20):
        lon, lat = on_a_road(chance, box=city.box, areas=city.areas, roads=city.roads)
        assert city.box.west <= lon <= city.box.east
        assert city.box.south <= lat <= city.box.north
