"""Areas reached in so many minutes: as large as the drives, with holes, and not past closures."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.dijkstra import DijkstraNetwork
from geo.network import Reached, SegmentKey, StraightLineNetwork
from geo.osm_import import import_extract
from geo.point import METRES_PER_DEGREE, Point
from geo.reach import BESIDE_M, CELL_M, outline
from geo.roadgraph import RoadGraph
from tests.maps import grid, helsinki_roads, metres

HELSINKI = RoadGraph(helsinki_roads())


@pytest.fixture
def town(tmp_path: Path) -> RoadGraph:
    """Nine by nine crossings, 200 m apart, all at 25 km/h."""
    return RoadGraph(import_extract(grid(9).write(tmp_path / "town.osm")), version="town")


def holds(found: Reached, place: Point) -> bool:
    return bool(shapely.intersects_xy(found.area, place.lon, place.lat))


def square_m(found: Reached) -> float:
    """Near the equator a degree is a degree."""
    return float(found.area.area) * METRES_PER_DEGREE**2


def test_what_a_minute_reaches_and_what_it_does_not(town: RoadGraph) -> None:
    (minute,) = town.reachable(metres(800, 800), [60.0])
    # 417 m at 25 km/h, straight on along the street, and turns cost time
    assert holds(minute, metres(1_200, 800))
    assert holds(minute, metres(800, 400))
    assert not holds(minute, metres(1_600, 800))
    assert not holds(minute, metres(1_200, 1_200))


def test_longer_drives_reach_all_that_shorter_ones_do(town: RoadGraph) -> None:
    found = town.reachable(metres(100, 0), [30.0, 60.0, 120.0])
    assert [each.limit_s for each in found] == [30.0, 60.0, 120.0]
    for near, far in pairwise(found):
        assert far.road_m > near.road_m
        assert square_m(far) > square_m(near)
        # cells of one raster are not those of the next: a strip of a cell may differ
        lost = near.area.difference(far.area.buffer(1.5 * CELL_M / METRES_PER_DEGREE))
        assert lost.area * METRES_PER_DEGREE**2 < 1.0


def test_of_a_street_half_driven_half_is_reached(tmp_path: Path) -> None:
    lonely = grid(2, spacing_m=2_000)
    roads = RoadGraph(import_extract(lonely.write(tmp_path / "town.osm")))
    (found,) = roads.reachable(metres(1_000, 0), [36.0])
    # 250 m at 25 km/h to either side
    assert found.road_m == pytest.approx(500, abs=2)
    assert holds(found, metres(1_200, 0))
    assert not holds(found, metres(1_250 + BESIDE_M + 2 * CELL_M, 0))


def test_a_block_nobody_can_drive_into_is_a_hole(tmp_path: Path) -> None:
    roads = RoadGraph(import_extract(grid(2, spacing_m=900).write(tmp_path / "town.osm")))
    (found,) = roads.reachable(metres(0, 0), [900.0])
    assert len(found.area.geoms) == 1
    assert len(found.area.geoms[0].interiors) == 1
    assert not holds(found, metres(450, 450))


def test_behind_a_closure_nothing_is_reached_but_up_to_it_is(tmp_path: Path) -> None:
    street = grid(2, spacing_m=200)
    for n, east in ((50, 700), (51, 1_200), (52, 1_700)):
        street.node(n, east, 0)
    street.way(3_000, [2, 50, 51, 52], name="Jalan Panjang")
    roads = RoadGraph(import_extract(street.write(tmp_path / "town.osm")))
    (before,) = roads.reachable(metres(0, 0), [600.0])
    roads.update({(50, 51): None, (51, 50): None})
    (after,) = roads.reachable(metres(0, 0), [600.0])
    assert holds(before, metres(1_650, 0))
    assert holds(after, metres(680, 0))
    assert not holds(after, metres(1_100, 0))
    roads.update({(50, 51): 1.0, (51, 50): 1.0})
    assert roads.reachable(metres(0, 0), [600.0]) == [before]


def test_far_from_every_road_nothing_is_reached(town: RoadGraph) -> None:
    found = town.reachable(metres(-1_500, 0), [300.0, 600.0])
    assert [each.area.is_empty for each in found] == [True, True]
    assert town.reachable(metres(0, 0), []) == []


def test_a_vehicle_reaches_by_its_own_roads(tmp_path: Path) -> None:
    town = grid(4, spacing_m=500)
    town.ways[1_003] = (town.ways[1_003][0], {"highway": "service", "service": "alley"})
    roads = RoadGraph(import_extract(town.write(tmp_path / "town.osm")))
    car = roads.reachable(metres(0, 0), [600.0])[0]
    truck = roads.for_vehicle({"alley"}).reachable(metres(0, 0), [600.0])[0]
    assert truck.road_m <= car.road_m - 3_000
    assert holds(car, metres(750, 1_500))
    assert not holds(truck, metres(750, 1_500))


def test_on_a_plain_it_is_a_circle() -> None:
    (found,) = StraightLineNetwork(speed_kmh=36, detour=1.25).reachable(metres(0, 0), [100.0])
    assert square_m(found) == pytest.approx(np.pi * 800**2, rel=0.02)


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from([60.0, 180.0, 400.0]))
def test_a_place_on_the_road_is_inside_if_and_only_if_the_drive_is_short_enough(
    seed: int, limit_s: float
) -> None:
    """The judge is scipy's Dijkstra; near the limit the raster may be a cell off."""
    chance = np.random.default_rng(seed)
    arrays = HELSINKI.arrays
    nodes = chance.choice(np.unique(arrays.head[arrays.for_cars]), 40)
    spots = [Point(float(arrays.lon[n]), float(arrays.lat[n])) for n in nodes]
    some = chance.choice(len(arrays.piece_ms), 30)
    keys = [HELSINKI._map.osm_ids(int(piece)) for piece in some]
    closed: dict[SegmentKey, float | None] = dict.fromkeys(keys, None)
    HELSINKI.update(closed)
    try:
        (found,) = HELSINKI.reachable(spots[0], [limit_s])
        judge = DijkstraNetwork(arrays, factor=HELSINKI._engine.state.factor)
        seconds = judge.travel_times(spots[:1], spots[1:])[0]
    finally:
        HELSINKI.update(dict.fromkeys(closed, 1.0))
    for place, taken in zip(spots[1:], seconds.tolist(), strict=True):
        if taken <= limit_s:
            assert holds(found, place), taken


def test_areas_are_valid_whatever_the_lines() -> None:
    chance = np.random.default_rng(7)
    for count in (1, 3, 40, 400):
        start = chance.normal((106.8, -6.2), 0.02, (count, 2))
        lines = np.stack([start, start + chance.normal(0, 0.004, (count, 2))], axis=1)
        area = outline(lines)
        assert area.is_valid
        assert not area.is_empty
        inside = shapely.intersects_xy(area.buffer(1e-9), start[:, 0], start[:, 1])
        assert inside.all()
