"""A tree across the only short road: everybody's arrivals, offers and ways change, and return."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from shapely.geometry import box

from dispatch import actions
from dispatch.blobs import Blobs
from dispatch.core import events as ev
from dispatch.core.closures import Closure
from dispatch.core.crews import Fix
from dispatch.core.errors import Invalid
from dispatch.core.events import Actor
from dispatch.core.world import World
from dispatch.storage import journal, migrations
from dispatch.storage.cities import found_city
from dispatch.system import City, System
from geo.areas import Area, Areas
from geo.osm_import import import_extract
from geo.point import Box, Point
from geo.roadgraph import RoadGraph
from geo.sql import open_engine, reading, writing
from realtime.bus import LocalBus
from tests.maps import SmallMap, metres
from tests.story.small_city import OnePlace, manual_policy

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DESK, CITIZEN = Actor("dispatcher", "d1"), Actor("citizen")
WEST, TREE, EAST = metres(20, 0), metres(400, 4), metres(1_000, 0)


def town() -> SmallMap:
    """Jalan Pendek runs 800 m from west to east; around it, over the north, it is 8 km."""
    map_ = SmallMap()
    for node, east, north in (
        (1, 0, 0),
        (2, 300, 0),
        (3, 500, 0),
        (4, 800, 0),
        (5, 1_200, 0),
        (6, 0, 3_600),
        (7, 800, 3_600),
    ):
        map_.node(node, east, north)
    map_.way(1, [1, 2, 3, 4], name="Jalan Pendek")
    map_.way(2, [4, 5], name="Jalan Timur")
    map_.way(3, [1, 6, 7, 4], name="Jalan Lingkar")
    return map_


class Desk:
    """A served city over a real road network, its clock in hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOON
        self.vehicle = "truk"
        self.system = self.open()

    def open(self) -> System:
        folder = self.folder
        roads = RoadGraph(import_extract(town().write(folder / "town.osm")), version="town")
        low, high = metres(-3_000, -3_000), metres(5_000, 5_000)
        shape = box(low.lon, low.lat, high.lon, high.lat)
        city = City(
            id="kota",
            name="Kota",
            ticket_prefix="KTA",
            policy=manual_policy(),
            roads=roads,
            areas=Areas([Area("w", "Kota", "ward", None, None, shape)]),
            geocoder=OnePlace(),
            box=Box(low.lon, low.lat, high.lon, high.lat),
            version="v1",
        )
        engine = open_engine(f"sqlite:///{folder / 'sigap.sqlite3'}")
        migrations.upgrade(engine)
        with writing(engine) as connection:
            found_city(connection, "kota", name="Kota", ticket_prefix="KTA", now=NOON)
        system = System(
            engine, [city], bus=LocalBus(), blobs=Blobs(folder / "b"), clock=lambda: self.now
        )
        # what `start` does before its threads run
        system.follow_roads("kota", system.offset("kota"))
        return system

    def restart(self) -> None:
        self.system.stop()
        self.system = self.open()

    def do(self, act: Callable[..., Any], *wish: Any, actor: Actor = DESK, **wishes: Any) -> Any:
        made: list[Any] = []

        def step(world: World, now: datetime) -> None:
            made.append(act(world, now, actor, *wish, **wishes))

        self.system.do("kota", actor, step)
        return made[0]

    def turn(self, *, after_s: float = 1.0) -> None:
        self.now += timedelta(seconds=after_s)
        self.system._loops["kota"].turn()

    def crew(self, name: str, at: Point) -> UUID:
        fact = ev.CrewRegistered(
            name, name, "bpbd", ("roadworks", "chainsaw"), self.vehicle, 3, at.lon, at.lat
        )
        crew_id: UUID = self.do(actions.register_crew, fact).id
        self.do(actions.set_crew_status, crew_id, status="available")
        fix = Fix(crew_id, at.lon, at.lat, self.now, self.now)
        assert self.system.take_fixes("kota", crew_id, [fix]) == []
        self.system.flush_positions()
        return crew_id

    def incident(self, service: str, at: Point, *, radius_m: float = 10.0) -> UUID:
        wish = actions.NewReport(
            "web", service, "Tolong segera", lon=at.lon, lat=at.lat, radius_m=radius_m
        )
        report = self.do(actions.receive_report, wish, actor=CITIZEN)
        found: UUID = self.do(actions.verify_report, report.id).id
        return found

    def send(self, incident_id: UUID, crew_id: UUID) -> UUID:
        estimate = self.system.estimate("kota", incident_id, crew_id)
        job = self.do(actions.send_crew, incident_id, crew_id=crew_id, estimate=estimate)
        found: UUID = job.id
        return found

    def ete_s(self, assignment_id: UUID) -> float | None:
        with self.system.looking("kota") as world:
            return world.assignment(assignment_id).ete_s

    def proposed(self, incident_id: UUID) -> UUID | None:
        with self.system.looking("kota") as world:
            found = world.incident(incident_id).recommendation
        return UUID(found["crew_id"]) if found and found["crew_id"] else None

    def closures(self) -> list[Closure]:
        with self.system.looking("kota") as world:
            return list(world.active_closures())

    def metres_driven(self) -> float:
        route = self.system.route("kota", WEST, EAST)
        assert route is not None
        return route.length_m

    def told(self, kind: str) -> list[str]:
        with reading(self.system.engine) as connection:
            entries = journal.after(connection, "kota", 0, 10_000)
        return [entry.event.type for entry in entries if entry.event.kind == kind]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    running = Desk(tmp_path)
    yield running
    running.system.stop()


def test_a_tree_changes_arrivals_and_ways_at_once_and_its_end_brings_them_back(desk: Desk) -> None:
    crew = desk.crew("Barat", WEST)
    job = desk.send(desk.incident("pothole", EAST), crew)
    desk.do(actions.acknowledge, job, actor=Actor("crew", str(crew)))
    desk.do(actions.en_route, job, actor=Actor("crew", str(crew)))
    desk.turn()
    direct = desk.ete_s(job)
    assert direct is not None
    assert desk.metres_driven() == pytest.approx(980, rel=0.02)
    tree = desk.incident("fallen_tree", TREE)
    desk.turn()
    [closure] = desk.closures()
    assert closure.incident_id == tree
    assert [(each.u, each.v) for each in closure.stretches] == [(2, 3)]
    around = desk.ete_s(job)
    assert around is not None
    assert around > direct + 300
    assert desk.metres_driven() > 8_000
    desk.do(actions.cancel_incident, tree, reason="sudah dipotong warga")
    assert desk.metres_driven() == pytest.approx(980, rel=0.02)
    desk.turn()
    back = desk.ete_s(job)
    assert back is not None
    assert back == pytest.approx(direct, abs=120)


def test_a_tree_changes_who_is_proposed(desk: Desk) -> None:
    near, far = desk.crew("Barat", WEST), desk.crew("Utara", metres(800, 1_500))
    waiting = desk.incident("pothole", EAST)
    desk.turn()
    assert desk.proposed(waiting) == near
    tree = desk.incident("fallen_tree", TREE)
    desk.turn()
    assert desk.proposed(waiting) == far
    desk.do(actions.cancel_incident, tree, reason="sudah dipotong warga")
    desk.turn()
    assert desk.proposed(waiting) == near


def test_an_offer_is_told_the_longer_way_too(desk: Desk) -> None:
    job = desk.send(desk.incident("pothole", EAST), desk.crew("Barat", WEST))
    desk.turn()
    direct = desk.ete_s(job)
    assert direct is not None
    desk.incident("fallen_tree", TREE)
    desk.turn()
    around = desk.ete_s(job)
    assert around is not None
    assert around > direct + 300


def test_a_crew_cut_off_has_no_time_of_arrival_until_the_road_opens(desk: Desk) -> None:
    crew = desk.crew("Barat", WEST)
    job = desk.send(desk.incident("pothole", EAST), crew)
    desk.do(actions.acknowledge, job, actor=Actor("crew", str(crew)))
    desk.turn()
    line = [metres(10, 0), metres(790, 0)], [metres(800, 10), metres(800, 3_590)]
    drawn = [
        desk.do(
            actions.close_road,
            desk.system.stretches_along("kota", points, within_m=12.0),
            reason="banjir",
        )
        for points in line
    ]
    desk.turn()
    assert desk.ete_s(job) is None
    assert desk.system.route("kota", WEST, EAST) is None
    desk.do(actions.lift_closure, drawn[0].id, reason="surut")
    desk.turn()
    assert desk.ete_s(job) is not None


def test_two_closures_over_one_road_open_it_with_the_last(desk: Desk) -> None:
    road = desk.system.stretches_along("kota", [metres(310, 2), metres(490, 2)], within_m=12.0)
    assert [each.name for each in road] == ["Jalan Pendek"]
    first = desk.do(actions.close_road, road, reason="pawai")
    second = desk.do(actions.close_road, road, reason="galian")
    desk.do(actions.lift_closure, first.id, reason="selesai")
    assert desk.metres_driven() > 8_000
    desk.do(actions.lift_closure, second.id, reason="selesai")
    assert desk.metres_driven() < 1_000


def test_closed_roads_are_closed_after_a_restart(desk: Desk) -> None:
    desk.incident("fallen_tree", TREE)
    desk.turn()
    desk.restart()
    assert desk.metres_driven() > 8_000
    [closure] = desk.closures()
    desk.do(actions.lift_closure, closure.id, reason="bersih")
    assert desk.metres_driven() < 1_000
    desk.restart()
    assert desk.metres_driven() < 1_000


def test_another_process_drives_by_the_same_roads(desk: Desk) -> None:
    """It does not dispatch, but its turns follow the log."""
    other = desk.open()
    try:
        desk.incident("fallen_tree", TREE)
        desk.turn()
        route = other.route("kota", WEST, EAST)
        assert route is not None
        assert route.length_m < 1_000
        other._loops["kota"].turn()
        route = other.route("kota", WEST, EAST)
        assert route is not None
        assert route.length_m > 8_000
    finally:
        other.stop()


def test_the_tree_is_closed_once_and_a_place_in_doubt_never(desk: Desk) -> None:
    desk.incident("fallen_tree", TREE)
    desk.incident("fallen_tree", metres(400, 3_600), radius_m=200.0)
    desk.incident("fallen_tree", metres(2_500, 2_500))
    for _ in range(3):
        desk.turn(after_s=15)
    assert desk.told("closure") == ["ClosureMade"]


def test_a_line_without_a_road_closes_nothing(desk: Desk) -> None:
    nowhere = desk.system.stretches_along("kota", [metres(300, 800)], within_m=12.0)
    with pytest.raises(Invalid):
        desk.do(actions.close_road, nowhere, reason="pawai")
    assert desk.closures() == []
