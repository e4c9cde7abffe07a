"""Whatever finds the ways, the embedded engine or an OSRM server: the same promises hold."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geo import osrm_take
from geo.network import RoadNetwork, SegmentKey
from geo.osrm import OsrmNetwork
from geo.osrm_speeds import command_reload, write_speeds
from geo.osrm_tools import OsrmServer, OsrmTools
from geo.point import Point, distance_m
from geo.roadgraph import RoadGraph
from tests.maps import helsinki_extract, helsinki_roads

FARTHER_THAN_ANY_ROAD = Point(24.95, 60.30)
APART_S = 1.0
"""OSRM counts tenths of a second and rounds each part of a drive."""


@pytest.fixture(
    scope="module", params=["embedded", pytest.param("osrm", marks=pytest.mark.needs("osrm"))]
)
def network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RoadNetwork]:
    if request.param == "embedded":
        yield RoadGraph(helsinki_roads(), version="map")
        return
    folder = tmp_path_factory.mktemp("osrm")
    tools = OsrmTools.find()
    assert tools is not None
    base = tools.prepare(helsinki_extract(), folder)
    speeds = folder / "speeds.csv"
    with tools.serving(base) as server, asking(server, speeds, reload=server.take) as osrm:
        yield osrm


@contextmanager
def asking(server: OsrmServer, speeds: Path, **more: Any) -> Iterator[OsrmNetwork]:
    with closing(
        OsrmNetwork(server.url, helsinki_roads(), version="map", speeds=speeds, **more)
    ) as osrm:
        yield osrm


@pytest.fixture
def roads(network: RoadNetwork) -> Iterator[RoadNetwork]:
    """The network, open again when the test is over."""
    yield network
    arrays = helsinki_roads()
    u, v = arrays.node_osm_id[arrays.piece_u], arrays.node_osm_id[arrays.piece_v]
    network.update(dict.fromkeys(zip(u.tolist(), v.tolist(), strict=True), 1.0))


def places(count: int, *, seed: int) -> list[Point]:
    """Points in the middle of pieces, off the road by a few metres."""
    arrays, rng = helsinki_roads(), np.random.default_rng(seed)
    long_enough = np.flatnonzero((arrays.piece_m > 30) & arrays.for_cars[arrays.piece_edge])
    pieces = rng.choice(long_enough, count)
    u, v = arrays.piece_u[pieces], arrays.piece_v[pieces]
    lon, lat = (arrays.lon[u] + arrays.lon[v]) / 2, (arrays.lat[u] + arrays.lat[v]) / 2
    return [Point(float(x), float(y) + 2e-5) for x, y in zip(lon, lat, strict=True)]


def test_a_table_has_a_row_for_each_source(roads: RoadNetwork) -> None:
    table = roads.travel_times(places(3, seed=1), places(5, seed=2))
    assert table.shape == (3, 5)
    assert (table[np.isfinite(table)] >= 0).all()
    assert roads.travel_times([], places(2, seed=1)).shape == (0, 2)
    assert roads.travel_times(places(2, seed=1), []).shape == (2, 0)


def test_farther_than_any_road_nothing_is_reached(roads: RoadNetwork) -> None:
    here = places(1, seed=3)
    assert np.isinf(roads.travel_times([FARTHER_THAN_ANY_ROAD], here)).all()
    assert np.isinf(roads.travel_times(here, [FARTHER_THAN_ANY_ROAD])).all()
    assert roads.route(FARTHER_THAN_ANY_ROAD, here[0]) is None
    assert roads.snap(FARTHER_THAN_ANY_ROAD) is None


def test_a_route_takes_the_time_of_the_table_and_its_steps_add_up(roads: RoadNetwork) -> None:
    for a, b in pairwise(places(8, seed=4)):
        seconds = float(roads.travel_times([a], [b])[0, 0])
        route = roads.route(a, b)
        assert route is not None
        assert route.duration_s == pytest.approx(seconds, abs=APART_S)
        assert sum(s.duration_s for s in route.steps) == pytest.approx(seconds, abs=APART_S)
        assert sum(s.length_m for s in route.steps) == pytest.approx(route.length_m, abs=1)
        assert route.steps[0].turn == "depart"
        assert all(s.turn != "depart" for s in route.steps[1:])


def test_a_route_is_as_long_as_its_line_and_ends_where_the_places_snap(
    roads: RoadNetwork,
) -> None:
    for a, b in pairwise(places(6, seed=5)):
        route, start, end = roads.route(a, b), roads.snap(a), roads.snap(b)
        assert route is not None
        assert start is not None
        assert end is not None
        walked = sum(distance_m(p, q) for p, q in pairwise(route.points))
        assert walked == pytest.approx(route.length_m, rel=0.01, abs=2)
        assert distance_m(route.points[0], start.point) < 5
        assert distance_m(route.points[-1], end.point) < 5


def test_what_is_closed_is_driven_around_and_opens_again(roads: RoadNetwork) -> None:
    a, b = places(2, seed=6)
    usual = roads.route(a, b)
    assert usual is not None
    middle = usual.points[len(usual.points) // 2]
    near = roads.nearest_segments(middle, within_m=15)
    closed: dict[SegmentKey, float | None] = {(s.u, s.v): None for s in near}
    before = roads.version
    assert roads.update(closed) == frozenset()
    assert roads.version != before
    detour = roads.route(a, b)
    assert detour is not None
    assert detour.duration_s > usual.duration_s
    assert min(distance_m(p, middle) for p in detour.points) > 5
    assert all(s.factor is None for s in roads.nearest_segments(middle, within_m=15))
    around = roads.snap(middle)
    assert around is not None
    assert (around.u, around.v) not in closed
    roads.update(dict.fromkeys(closed, 1.0))
    again = roads.route(a, b)
    assert again is not None
    assert again.duration_s == pytest.approx(usual.duration_s, abs=0.2)


def test_a_slow_road_takes_longer(roads: RoadNetwork) -> None:
    a, b = places(2, seed=7)
    usual = float(roads.travel_times([a], [b])[0, 0])
    arrays = helsinki_roads()
    u, v = arrays.node_osm_id[arrays.piece_u], arrays.node_osm_id[arrays.piece_v]
    every = list(zip(u.tolist(), v.tolist(), strict=True))
    roads.update(dict.fromkeys(every, 0.5))
    slow = float(roads.travel_times([a], [b])[0, 0])
    # what turns and lights cost stays
    assert 1.3 * usual < slow <= 2.2 * usual


def test_what_no_road_has_is_said_and_the_rest_is_done(roads: RoadNetwork) -> None:
    segment = roads.nearest_segments(places(1, seed=8)[0], within_m=20)[0]
    assert roads.update({(segment.u, segment.v): None, (1, 2): None}) == {(1, 2)}
    with pytest.raises(ValueError, match="must be positive"):
        roads.update({(segment.u, segment.v): 0.0})
    with pytest.raises(ValueError, match="must be positive"):
        roads.update({(segment.u, segment.v): float("nan")})


def test_the_nearest_crew_is_the_same_as_the_embedded_engine_says(roads: RoadNetwork) -> None:
    """Cold start: nobody has driven yet, and the two engines know only the map."""
    crews, incidents = places(12, seed=9), places(60, seed=10)
    ours = RoadGraph(helsinki_roads()).travel_times(crews, incidents)
    theirs = roads.travel_times(crews, incidents)
    same = float(np.mean(ours.argmin(axis=0) == theirs.argmin(axis=0)))
    ok = np.isfinite(ours) & np.isfinite(theirs) & (theirs > 60)
    assert same >= 0.9
    assert 0.9 <= float(np.median(ours[ok] / theirs[ok])) <= 1.1


# --- what is OSRM's own: it may be away, behind, small or of another map ---


@pytest.fixture(scope="module")
def tools() -> OsrmTools:
    found = OsrmTools.find()
    assert found is not None
    return found


@pytest.fixture(scope="module")
def base(tools: OsrmTools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tools.prepare(helsinki_extract(), tmp_path_factory.mktemp("osrm"))


@pytest.mark.needs("osrm")
def test_it_sees_the_nearest_road_where_we_do(tools: OsrmTools, base: Path, tmp_path: Path) -> None:
    with tools.serving(base) as server, asking(server, tmp_path / "speeds.csv") as osrm:
        assert osrm.serves_this_map()
        for place in places(20, seed=11):
            ours = osrm.snap(place)
            assert ours is not None
            theirs, nodes = osrm.nearest(place)
            assert distance_m(ours.point, theirs) < 3
            assert {ours.u, ours.v} & set(nodes)


@pytest.mark.needs("osrm")
def test_the_command_for_closures_closes_and_opens(
    tools: OsrmTools, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What an administrator puts into SIGAP_OSRM_RELOAD, as the process it is."""
    base, speeds = tools.prepare(helsinki_extract(), tmp_path), tmp_path / "speeds.csv"
    words = [sys.executable, "-m", "geo.osrm_take", str(base), "{speeds}"]
    a, b = places(2, seed=6)
    with tools.serving(base) as server, asking(server, tmp_path / "none.csv") as osrm:
        usual = osrm.route(a, b)
        assert usual is not None
        near = osrm.nearest_segments(usual.points[len(usual.points) // 2], within_m=15)
    times: list[float] = []
    for closed in (False, True, False):
        write_speeds(speeds, [f"{s.u},{s.v},0" for s in near] if closed else [])
        command_reload(words)(speeds)
        with tools.serving(base) as server, asking(server, tmp_path / "none.csv") as osrm:
            times.append(float(osrm.travel_times([a], [b])[0, 0]))
    assert times[1] > times[0] == times[2]
    assert osrm_take.main([str(tmp_path / "no.osrm"), str(speeds)]) == 1
    assert "sigap osrm prepare" in capfd.readouterr().err


@pytest.mark.needs("osrm")
def test_big_tables_are_asked_in_parts(
    tools: OsrmTools, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crews, incidents = places(40, seed=12), places(30, seed=13)
    with tools.serving(base) as server, asking(server, tmp_path / "a.csv") as osrm:
        whole = osrm.travel_times(crews, incidents)
    monkeypatch.setattr("geo.osrm_tools.MOST_PLACES", 25)
    with tools.serving(base) as server, asking(server, tmp_path / "b.csv") as small:
        assert small.travel_times(crews, incidents).tolist() == whole.tolist()


@pytest.mark.needs("osrm")
def test_with_closures_it_was_not_told_the_embedded_engine_answers(
    tools: OsrmTools, base: Path, tmp_path: Path
) -> None:
    (a, b), speeds = places(2, seed=6), tmp_path / "speeds.csv"
    opened = RoadGraph(helsinki_roads())
    with (
        tools.serving(base) as server,
        asking(server, speeds, embedded=lambda: opened) as osrm,
    ):
        usual = osrm.route(a, b)
        assert usual is not None
        middle = usual.points[len(usual.points) // 2]
        closed = {(s.u, s.v): None for s in osrm.nearest_segments(middle, within_m=15)}
        osrm.update(closed)
        embedded = RoadGraph(helsinki_roads())
        embedded.update(closed)
        assert osrm.travel_times([a], [b]) == embedded.travel_times([a], [b])
        written = speeds.read_text("ascii").splitlines()
        assert written == [f"{u},{v},0.00" for u, v in sorted(closed)]
