"""A truck is not sent into a lane: it is told so, and whoever can get there goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from dispatch import actions
from dispatch.core.errors import BadPolicy
from dispatch.core.policy import Vehicle, parse_policy
from dispatch.dispatcher import Question
from dispatch.system import System
from dispatch.system.closing import RoadKeeper
from dispatch.system.driving import road_seconds
from dispatch.system.following import road_metres
from geo.osm_import import import_extract
from geo.point import Point
from geo.roadgraph import RoadGraph
from tests.contract.worlds import POLICY
from tests.maps import SmallMap, metres
from tests.story.small_city import manual_policy
from tests.unit.test_system_closures import Desk

DEEP, MOUTH = metres(400, -300), metres(400, -60)
TRUCK = POLICY.vehicles["truck"]


def kampung() -> SmallMap:
    """Jalan Raya runs 800 m east and Jalan Timur goes on; Gang Dalam, a lane, runs 320 m south."""
    map_ = SmallMap()
    for node, east, north in ((1, 0, 0), (2, 400, 0), (3, 800, 0), (4, 400, -320), (5, 1_200, 0)):
        map_.node(node, east, north)
    map_.way(1, [1, 2, 3], name="Jalan Raya")
    map_.way(3, [3, 5], name="Jalan Timur")
    map_.way(2, [2, 4], highway="living_street", name="Gang Dalam")
    return map_


class Kampung(Desk):
    """A served city with a lane in it."""

    def map(self) -> SmallMap:
        return kampung()

    def open(self) -> System:
        system = super().open()
        roads = RoadGraph(import_extract(self.map().write(self.folder / "lane.osm")))
        city = replace(system.city("kota"), roads=roads, policy=manual_policy())
        system._cities["kota"] = city
        system._loops["kota"]._city = city
        system._keepers["kota"] = RoadKeeper(roads)
        return system

    def crew_with(self, name: str, vehicle: str, at: Point) -> UUID:
        self.vehicle = vehicle
        return self.crew(name, at)


class Gang(Kampung):
    """The same with a gang in place of the lane: no car fits in."""

    def map(self) -> SmallMap:
        map_ = super().map()
        map_.ways[2] = ([2, 4], {"highway": "path", "motorcycle": "yes", "name": "Gang Dalam"})
        return map_


@pytest.fixture
def gang(tmp_path: Path) -> Iterator[Gang]:
    running = Gang(tmp_path)
    yield running
    running.system.stop()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Kampung]:
    running = Kampung(tmp_path)
    yield running
    running.system.stop()


def why_not(desk: Kampung, incident: UUID) -> dict[str, str | None]:
    found = desk.system.proposal("kota", incident)["candidates"]
    return {each["crew_id"]: each["why_not"] for each in found}


def test_a_truck_is_not_proposed_for_a_place_deep_in_a_lane(desk: Kampung) -> None:
    truck = desk.crew_with("Truk", "Truk besar", metres(380, 0))
    bike = desk.crew_with("Motor", "motorbike", metres(20, 0))
    incident = desk.incident("pothole", DEEP)
    desk.turn()
    assert desk.proposed(incident) == bike
    assert why_not(desk, incident) == {str(truck): "vehicle", str(bike): None}
    assert desk.system.estimate("kota", incident, truck) is None
    assert desk.system.estimate("kota", incident, bike) is not None


def test_alone_it_leaves_the_incident_short_of_a_vehicle(desk: Kampung) -> None:
    desk.crew_with("Truk", "truck", metres(380, 0))
    incident = desk.incident("pothole", DEEP)
    desk.turn()
    with desk.system.looking("kota") as world:
        recommendation = world.incident(incident).recommendation
    assert recommendation is not None
    assert (recommendation["crew_id"], recommendation["shortfall_reason"]) == (None, "vehicle")


def test_a_truck_stops_at_the_mouth_of_the_lane_when_that_is_near_enough(desk: Kampung) -> None:
    truck = desk.crew_with("Truk", "truck", metres(20, 0))
    incident = desk.incident("pothole", MOUTH)
    desk.turn()
    assert desk.proposed(incident) == truck
    way = desk.system.route("kota", metres(20, 0), MOUTH, crew_id=truck)
    car = desk.system.route("kota", metres(20, 0), MOUTH)
    assert way is not None
    assert car is not None
    assert way.length_m == pytest.approx(380, rel=0.02)
    assert car.length_m == pytest.approx(440, rel=0.02)


def test_only_a_motorbike_gets_to_the_end_of_a_gang(gang: Gang) -> None:
    truck = gang.crew_with("Truk", "Truk besar", metres(380, 0))
    bike = gang.crew_with("Motor", "motorbike", metres(20, 0))
    incident = gang.incident("pothole", DEEP)
    gang.turn()
    assert gang.proposed(incident) == bike
    assert why_not(gang, incident) == {str(truck): "vehicle", str(bike): None}
    way = gang.system.route("kota", metres(20, 0), DEEP, crew_id=bike)
    car = gang.system.route("kota", metres(20, 0), DEEP)
    assert way is not None
    assert car is not None
    assert way.length_m == pytest.approx(380 + 300, rel=0.02)
    assert car.length_m == pytest.approx(380, rel=0.02)


def test_how_near_a_crew_is_counts_along_gangs_too(gang: Gang) -> None:
    """A gang joins two streets: whoever stands at one end of it is near a house at the other."""
    map_ = gang.map()
    map_.node(6, 0, -320)
    map_.way(4, [1, 6, 4], name="Jalan Selatan")
    roads = RoadGraph(import_extract(map_.write(gang.folder / "through.osm")))
    city = replace(gang.system.city("kota"), roads=roads)
    north, south = metres(400, 0), metres(400, -320)
    assert road_metres(city, north, south, within_m=50) == pytest.approx(320, abs=1)
    car = roads.route(north, south)
    assert car is not None
    assert car.length_m == pytest.approx(400 + 320 + 400, rel=0.01)
    assert road_metres(city, metres(200, 500), south, within_m=50) is None


def test_a_closure_holds_for_trucks_too(desk: Kampung) -> None:
    truck = desk.crew_with("Truk", "truck", metres(20, 0))
    desk.incident("fallen_tree", metres(600, 3))
    beyond = desk.incident("pothole", metres(1_100, 0))
    desk.turn()
    desk.turn()
    with desk.system.looking("kota") as world:
        asked = Question(
            ((truck, 10.0002, 0.0),), ((beyond, *_lonlat(metres(1_100, 0))),), {truck: TRUCK}
        )
        [closure] = world.active_closures()
    seconds = road_seconds(desk.system.city("kota"), asked)
    assert seconds[truck, beyond] == float("inf")
    desk.do(actions.lift_closure, closure.id, reason="bersih")
    seconds = road_seconds(desk.system.city("kota"), asked)
    assert 0 < seconds[truck, beyond] < 300


def _lonlat(place: Point) -> tuple[float, float]:
    return place.lon, place.lat


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("truck", "truck"),
        ("bucket_truck", "truck"),
        ("Truk tangki 4x2", "truck"),
        ("motorbike", "motorbike"),
        ("Motor trail", "motorbike"),
        ("van", "van"),
        ("sedan", None),
        ("", None),
    ],
)
def test_what_stands_at_a_crew_names_its_vehicle(written: str, kind: str | None) -> None:
    found = POLICY.vehicle_of(written)
    assert (found.kind if found else None) == kind


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"avoids": ["footway"]}, "footway"),
        ({"avoids": ["unknown"]}, "unknown"),
        ({"reach_m": 0}, "reach_m"),
        ({"wheels": 4}, "wheels"),
    ],
)
def test_a_vehicle_nobody_could_mean_is_refused(change: dict[str, object], part: str) -> None:
    document: dict[str, Any] = {
        "service": [
            {
                "service_code": "waste",
                "name": "Sampah",
                "name_en": "Waste",
                "agency_id": "dlh",
                "priority": 3,
                "group": "x",
            }
        ],
        "agency": [{"agency_id": "dlh", "name": "DLH", "name_en": "DLH"}],
        "disposition": [{"code": "05", "name": "x", "name_en": "x"}],
        "decline": [{"code": "other", "name": "x", "name_en": "x"}],
        "vehicle": [{"kind": "truck", "name": "Truk", "name_en": "Truck"}],
    }
    assert parse_policy(document).vehicles == {"truck": Vehicle("truck", "Truk", "Truck")}
    document["vehicle"][0].update(change)
    with pytest.raises(BadPolicy) as refused:
        parse_policy(document)
    assert part in refused.value.detail
