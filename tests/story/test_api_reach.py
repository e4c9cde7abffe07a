"""How far a crew comes in five, ten, twenty minutes, asked through the door."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from shapely.geometry import MultiPolygon, Point, Polygon

from geo.osm_import import import_extract
from geo.point import Point as Place
from geo.roadgraph import RoadGraph
from tests.story.small_city import Stand, stand
from tests.story.test_api_coverage import beside, streets


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("reach")
    roads = RoadGraph(import_extract(streets().write(folder / "town.osm")), version="town")
    with stand(folder / "stand") as running:
        running.system._cities["kota"] = replace(running.system.city("kota"), roads=roads)
        yield running


def reach(city: Stand, query: str) -> Any:
    answer = city.staff("dispatcher").get(f"/reach{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def area(found: Any, n: int) -> MultiPolygon:
    return MultiPolygon([Polygon(rings[0], rings[1:]) for rings in found["areas"][n]["polygons"]])


def test_from_a_crew_in_the_usual_minutes(city: Stand) -> None:
    found = reach(city, f"?crew={city.crew_id}")
    assert [each["minutes"] for each in found["areas"]] == [5.0, 10.0, 20.0]
    assert found["crew_id"] == str(city.crew_id)
    assert found["graph"] == city.system.city("kota").roads.version
    small, middle, large = (area(found, n) for n in range(3))
    assert small.area < middle.area < large.area
    assert small.covers(Point(found["lon"], found["lat"]))


def test_from_a_post_where_nobody_stands(city: Stand) -> None:
    lon, lat = beside(0, 0)
    found = reach(city, f"?lon={lon}&lat={lat}&minutes=2&minutes=4")
    assert (found["crew_id"], found["lon"], found["lat"]) == (None, lon, lat)
    assert [each["minutes"] for each in found["areas"]] == [2.0, 4.0]
    # two minutes at 25 km/h, slower by what the hour does: no block between streets
    metres = 833 / found["slow"]
    assert found["slow"] >= 1
    assert area(found, 0).covers(Point(beside(metres - 50, 0)))
    assert not area(found, 0).covers(Point(beside(metres + 150, 0)))
    assert not area(found, 0).covers(Point(beside(500, 500)))


def test_a_closure_is_not_passed(city: Stand) -> None:
    lon, lat = beside(0, 0)
    query = f"?lon={lon}&lat={lat}&minutes=2"
    before = reach(city, query)
    roads = city.system.city("kota").roads
    ahead = roads.segments_along([Place(*beside(100, 0)), Place(*beside(900, 0))], within_m=10)
    closed = {(s.u, s.v): None for s in ahead}
    roads.update(closed)
    try:
        after = reach(city, query)
    finally:
        roads.update(dict.fromkeys(closed, 1.0))
    assert after["graph"] != before["graph"]
    assert area(before, 0).covers(Point(beside(400, 0)))
    assert not area(after, 0).covers(Point(beside(400, 0)))


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("", 422, "regu atau tempat"),
        ("?lon=10", 422, "bujur dan lintang"),
        ("?lon=10&lat=0&minutes=0", 422, "antara 0 dan 60"),
        ("?lon=10&lat=0&minutes=61", 422, "antara 0 dan 60"),
        ("?lon=10&lat=0&minutes=nan", 422, "antara 0 dan 60"),
        ("?lon=999&lat=0", 422, "lon"),
        ("?crew=00000000-0000-7000-8000-000000000000", 404, "regu"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(
    city: Stand, query: str, status: int, said: str
) -> None:
    answer = city.staff("dispatcher").get(f"/reach{query}", headers={"accept-language": "id"})
    assert answer.status_code == status, answer.text
    assert said in answer.json()["detail"].lower()


def test_far_from_every_road_the_areas_are_empty(city: Stand) -> None:
    lon, lat = beside(9_000, 9_000)
    found = reach(city, f"?lon={lon}&lat={lat}")
    assert [each["polygons"] for each in found["areas"]] == [[], [], []]
