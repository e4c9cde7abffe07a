"""A crew stops on the side of a great road where its work is, or drives round to that side."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from geo.locate import Seen, Track, locate
from geo.network import SegmentKey
from geo.osm_import import import_extract
from geo.point import METRES_PER_DEGREE, Point, distance_m
from geo.roadgraph import RoadGraph
from tests.maps import SmallMap, metres
from tests.unit.test_geo_locate import NOON, SETTINGS, Raw

LONG, STEP, WIDE = 1_000, 100, 16
NORTH_STREET, SOUTH_STREET = 200.0, -200.0


def avenue(**tags: str) -> SmallMap:
    """Two carriageways 1 km long: the southern driven east, the northern, 16 m off, west.

    One can turn at both ends only. A street runs along each side, 200 m away.
    """
    map_ = SmallMap()
    for n in range(LONG // STEP + 1):
        map_.node(100 + n, n * STEP, 0)
        map_.node(200 + n, n * STEP, WIDE)
        map_.node(300 + n, n * STEP, NORTH_STREET)
        map_.node(400 + n, n * STEP, SOUTH_STREET)
    last = LONG // STEP
    kind = {"highway": "primary", "oneway": "yes", **tags}
    map_.way(1, [100 + n for n in range(last + 1)], name="Jalan Raya", **kind)
    map_.way(2, [200 + n for n in reversed(range(last + 1))], name="Jalan Raya", **kind)
    map_.way(3, [300 + n for n in range(last + 1)], name="Jalan Utara")
    map_.way(4, [400 + n for n in range(last + 1)], name="Jalan Selatan")
    map_.way(5, [400, 100, 200, 300])
    map_.way(6, [400 + last, 100 + last, 200 + last, 300 + last])
    return map_


def opened(map_: SmallMap, folder: Path) -> RoadGraph:
    return RoadGraph(import_extract(map_.write(folder / "avenue.osm")))


@pytest.fixture(scope="module")
def roads(tmp_path_factory: pytest.TempPathFactory) -> RoadGraph:
    return opened(avenue(), tmp_path_factory.mktemp("avenue"))


@pytest.fixture(autouse=True)
def _open(roads: RoadGraph) -> None:
    reopen(roads)


def reopen(roads: RoadGraph) -> None:
    roads.update(dict.fromkeys((*carriageway(100), *carriageway(200), *streets()), 1.0))


def carriageway(first: int) -> list[SegmentKey]:
    """The segments of the southern (100) or northern (200) one, in driving direction."""
    along = [(first + n, first + n + 1) for n in range(LONG // STEP)]
    return along if first == 100 else [(v, u) for u, v in along]


def streets() -> list[SegmentKey]:
    both = [(first + n, first + n + 1) for first in (300, 400) for n in range(LONG // STEP)]
    return [*both, *((v, u) for u, v in both)]


def spot(roads: RoadGraph, place: Point) -> tuple[float, float]:
    """Metres east and north of where a place meets the roads."""
    found = roads.snap(place, max_m=1_000)
    assert found is not None
    return (found.point.lon - 10) * METRES_PER_DEGREE, found.point.lat * METRES_PER_DEGREE


def test_a_place_is_approached_on_its_own_side(roads: RoadGraph) -> None:
    """From the south-west to a house in the north: past it on the other side, and back."""
    house = metres(500, 40)
    route = roads.route(metres(100, -5), house)
    assert route is not None
    assert spot(roads, house) == pytest.approx((500, WIDE), abs=0.1)
    assert route.length_m == pytest.approx(900 + WIDE + 500, rel=0.01)
    opposite = roads.route(metres(100, -5), metres(500, -24))
    assert opposite is not None
    assert opposite.length_m == pytest.approx(400, rel=0.01)


def test_where_its_side_is_closed_one_walks_along_it_and_not_across(roads: RoadGraph) -> None:
    shut = {(205, 204): None, (206, 205): None}
    roads.update(shut)
    east, north = spot(roads, metres(480, 40))
    assert north == pytest.approx(WIDE, abs=0.1)
    assert east == pytest.approx(400, abs=0.1)
    # whatever lies on the carriageway itself, at its edge towards the other one too
    for off in (-0.5, 0.0, 0.5, 3.0):
        assert spot(roads, metres(480, WIDE + off)) == pytest.approx((400, WIDE), abs=0.1)


def test_where_all_of_its_side_is_closed_one_comes_from_behind(roads: RoadGraph) -> None:
    roads.update(dict.fromkeys(carriageway(200), None))
    assert spot(roads, metres(480, 40)) == pytest.approx((480, NORTH_STREET), abs=0.1)
    assert spot(roads, metres(480, -40)) == pytest.approx((480, 0), abs=0.1)
    # only where nothing else is left is across the road better than nowhere
    north = [(u, v) for u, v in streets() if u < 400]
    roads.update(dict.fromkeys(north, None))
    behind = spot(roads, metres(480, 40))
    assert behind[1] < WIDE or behind[0] in (0, LONG)


@pytest.mark.parametrize(
    "tags", [{"highway": "residential"}, {"highway": "tertiary"}, {"junction": "roundabout"}]
)
def test_ordinary_streets_are_walked_across(tmp_path: Path, tags: dict[str, str]) -> None:
    roads = opened(avenue(**tags), tmp_path)
    roads.update(dict.fromkeys(carriageway(200), None))
    assert spot(roads, metres(480, 40)) == pytest.approx((480, 0), abs=0.1)


def test_a_great_road_with_one_carriageway_is_walked_across(tmp_path: Path) -> None:
    map_ = avenue()
    del map_.ways[2]
    roads = opened(map_, tmp_path)
    roads.update(dict.fromkeys((k for k in streets() if k[0] < 400), None))
    assert spot(roads, metres(480, 140)) == pytest.approx((480, 0), abs=0.1)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    closed=st.sets(st.sampled_from([*carriageway(100), *carriageway(200), *streets()])),
    east=st.floats(0, LONG),
    north=st.floats(-300, 300),
)
@example(closed=set(carriageway(200)), east=500.0, north=30.0)
def test_nobody_is_sent_across_while_anything_on_his_side_is_open(
    roads: RoadGraph, closed: set[SegmentKey], east: float, north: float
) -> None:
    """The judge looks at every open segment of the place's side of the avenue."""
    reopen(roads)
    roads.update(dict.fromkeys(closed, None))
    if abs(north - WIDE / 2) < 2:
        return
    is_north = north > WIDE / 2
    level = {100: 0.0, 200: float(WIDE), 300: NORTH_STREET, 400: SOUTH_STREET}
    mine = (200, 300) if is_north else (100, 400)
    away = [
        np.hypot(max(min(u, v) % 100 * STEP - east, 0, east - max(u, v) % 100 * STEP), y - north)
        for first, y in level.items()
        if first in mine
        for u, v in ({*carriageway(100), *carriageway(200), *streets()} - closed)
        if min(u, v) // 100 * 100 == first
    ]
    # the streets at both ends are always open, and lead past both sides
    off = max(SOUTH_STREET - north, 0, north - NORTH_STREET)
    away += [np.hypot(x, off) for x in (east, LONG - east)]
    found = roads.snap(metres(east, north), max_m=5_000)
    assert found is not None
    assert found.distance_m == pytest.approx(min(away), abs=0.5)
    route = roads.route(metres(0, -100), metres(east, north))
    if route is not None:
        assert distance_m(route.points[-1], found.point) < 0.01


def test_a_crew_stands_on_the_carriageway_that_it_heads_along(roads: RoadGraph) -> None:
    """The phone says it is on the other one, 16 m off; whoever drives west is on the northern."""
    track = Track()
    for n in range(4):
        place = metres(600 - 30 * n, 3)
        when = NOON + timedelta(seconds=3 * n)
        fix = Raw(place.lon, place.lat, when, heading=270.0, speed_ms=10.0)
        [near] = roads.roads_near([(place.lon, place.lat)], within_m=35)
        track, said = locate(track, None, Seen(fix, near), SETTINGS)
        assert not said
    assert track.road is not None
    assert (track.road.u, track.road.v) == (206, 205)
    shown = Point(*track.shown) if track.shown else None
    assert shown is not None
    # so a house ahead of it is near, and one behind it means driving round
    assert roads.travel_times([shown], [metres(300, 40)])[0, 0] < 25
    assert roads.travel_times([shown], [metres(700, 40)])[0, 0] > 60
