"""The grid of zones holds all roads of the city, and the tables drive as the roads do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geo.osm_import import import_extract
from geo.point import Box, Point, distance_m
from geo.roadgraph import RoadGraph
from geo.roadtable import RoadTable
from geo.zones import Zone, reachable_zones, zones_of
from tests.maps import grid, helsinki_roads, metres


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> RoadGraph:
    """9 × 9 crossings of 200 m, and a bridge to an island with a street."""
    map_ = grid(9)
    map_.node(9001, 3000, 0)
    map_.node(9002, 3000, 150)
    map_.way(9000, [9001, 9002], name="Jalan Pulau")
    map_.way(9001, [9, 9001], name="Jembatan")
    folder: Path = tmp_path_factory.mktemp("zones")
    return RoadGraph(import_extract(map_.write(folder / "town.osm")), version="town")


def box() -> Box:
    low, high = metres(-100, -100), metres(3_100, 1_700)
    return Box(low.lon, low.lat, high.lon, high.lat)


def everywhere(_: Point) -> bool:
    return True


def test_every_road_is_in_one_zone(town: RoadGraph) -> None:
    zones = zones_of(town.arrays, box(), covers=everywhere, most=30)
    assert 10 <= len(zones) <= 30
    assert [zone.id for zone in zones] == list(range(len(zones)))
    assert sum(zone.road_m for zone in zones) == pytest.approx(float(town.arrays.length_m.sum()))
    for zone in zones:
        (west, south), (east, north) = _corners(zone)
        assert west <= zone.post.lon <= east
        assert south <= zone.post.lat <= north


def _corners(zone: Zone) -> tuple[tuple[float, float], tuple[float, float]]:
    lon, lat = [p.lon for p in zone.ring], [p.lat for p in zone.ring]
    return (min(lon), min(lat)), (max(lon), max(lat))


def test_zones_do_not_overlap(town: RoadGraph) -> None:
    zones = zones_of(town.arrays, box(), covers=everywhere, most=30)
    middles = [
        Point((w + e) / 2, (s + n) / 2) for (w, s), (e, n) in (_corners(zone) for zone in zones)
    ]
    (west, _), (east, _) = _corners(zones[0])
    side = distance_m(Point(west, 0.0), Point(east, 0.0))
    for i, one in enumerate(middles):
        for other in middles[i + 1 :]:
            apart = max(
                distance_m(Point(one.lon, 0), Point(other.lon, 0)),
                distance_m(Point(0, one.lat), Point(0, other.lat)),
            )
            assert apart > side * 0.99


def test_only_zones_of_the_service_area_count(town: RoadGraph) -> None:
    west_of = metres(800, 0).lon
    zones = zones_of(town.arrays, box(), covers=lambda p: p.lon < west_of, most=30)
    assert zones
    assert all(zone.post.lon < west_of for zone in zones)


def test_no_more_zones_than_asked_for() -> None:
    arrays = helsinki_roads()
    box_ = Box(
        float(arrays.lon.min()),
        float(arrays.lat.min()),
        float(arrays.lon.max()),
        float(arrays.lat.max()),
    )
    for most in (5, 40, 160):
        zones = zones_of(arrays, box_, covers=everywhere, most=most)
        assert most * 0.4 <= len(zones) <= most


def test_an_island_of_road_is_no_place_to_wait(town: RoadGraph) -> None:
    zones = zones_of(town.arrays, box(), covers=everywhere, most=30)
    assert reachable_zones(zones, town)[0] == zones
    bridge = {(9, 9001): None, (9001, 9): None}
    assert town.update(bridge) == frozenset()
    kept, seconds = reachable_zones(zones, town)
    lost = [zone for zone in zones if zone not in kept]
    assert [round(zone.post.lon, 3) for zone in lost] == [round(metres(3000, 0).lon, 3)]
    assert seconds.shape == (len(kept), len(kept))
    assert np.isfinite(seconds).all()
    assert (np.diag(seconds) == 0).all()
    posts = [zone.post for zone in kept]
    off = ~np.eye(len(kept), dtype=bool)
    assert seconds[off] == pytest.approx(town.travel_times(posts, posts)[off])
    town.update(dict.fromkeys(bridge, 1.0))
    none, nothing = reachable_zones([], town)
    assert (none, nothing.shape) == ([], (0, 0))


def test_the_table_takes_as_long_as_the_roads() -> None:
    graph = RoadGraph(helsinki_roads())
    arrays = graph.arrays
    chance = np.random.default_rng(2)
    nodes = chance.choice(np.unique(arrays.head), 25, replace=False)
    sites = [Point(float(arrays.lon[n]), float(arrays.lat[n])) for n in nodes]
    done: list[tuple[int, int]] = []
    table = RoadTable(graph, sites, tick=lambda n, of: done.append((n, of)))
    wanted = graph.travel_times(sites, sites)
    off = ~np.eye(len(sites), dtype=bool)
    assert table.seconds[off] == pytest.approx(wanted[off], abs=0.01)
    assert done[-1][0] == done[-1][1] == 25
    for i, j in [(0, 1), (3, 7), (9, 2), (24, 0)]:
        drive = table.drive(table.starts[i], j)
        if not np.isfinite(wanted[i, j]):
            assert drive is None
            continue
        assert drive is not None
        assert drive.duration_s == pytest.approx(wanted[i, j], abs=0.01)
        # halfway along, the rest is what the table says from there
        middle = len(drive.edges) // 2
        rest_s = float(table.from_edge[drive.edges[middle], j])
        assert drive.reached_s[middle] + rest_s == pytest.approx(drive.duration_s, abs=0.01)
        assert table.from_road(int(drive.edges[middle]), 5.0)[j] == pytest.approx(rest_s + 5.0)
        assert (np.diff(drive.reached_s) >= -0.01).all()
        assert drive.length_m >= distance_m(sites[i], sites[j]) * 0.9
        assert table.point(int(drive.edges[-1])) is not None
