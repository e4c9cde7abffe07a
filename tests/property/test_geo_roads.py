"""Whatever is closed or slow, the engine says what a search over every piece of road says."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.dijkstra import DijkstraNetwork
from geo.network import SegmentKey
from geo.osm_access import CAR
from geo.osm_graph import SIGNAL_MS
from geo.osm_turns import TURN_S, UTURN_S
from geo.point import Point, distance_m
from geo.roadarrays import RoadArrays
from geo.roadgraph import REACH_M, RoadGraph
from tests.maps import helsinki_roads

ARRAYS = helsinki_roads()
NETWORK = RoadGraph(ARRAYS)
OSM_U = ARRAYS.node_osm_id[ARRAYS.piece_u]
OSM_V = ARRAYS.node_osm_id[ARRAYS.piece_v]
KEYS: list[SegmentKey] = list(zip(OSM_U.tolist(), OSM_V.tolist(), strict=True))

speeds = st.dictionaries(
    st.sampled_from(KEYS), st.one_of(st.none(), st.sampled_from([0.25, 0.5, 0.8, 1.3])), max_size=60
)
lons = st.floats(float(ARRAYS.lon.min()), float(ARRAYS.lon.max()))
lats = st.floats(float(ARRAYS.lat.min()), float(ARRAYS.lat.max()))
places = st.lists(st.builds(Point, lons, lats), min_size=1, max_size=4)


@pytest.fixture(autouse=True)
def _open_roads() -> None:
    NETWORK.update(dict.fromkeys(KEYS, 1.0))


class PieceGraph:
    """The judge: one node for each directed piece between two OSM nodes, nothing contracted.

    A node stands for the end of its piece. It shares no code with the engine beyond the arrays.
    """

    def __init__(self, arrays: RoadArrays, changes: Mapping[SegmentKey, float | None]) -> None:
        factor = np.array([_or_nan(changes.get(key, 1.0)) for key in KEYS])
        # the judge drives a car
        factor[~arrays.for_cars[arrays.piece_edge]] = np.nan
        self.closed = np.isnan(factor)
        self.wait = arrays.piece_wait_ms
        usual = (arrays.piece_ms - self.wait) / np.where(self.closed, 1.0, factor)
        self.ms = np.maximum(np.rint(usual), 1).astype(np.int64) + self.wait
        last = arrays.edge_start[1:] - 1
        within = np.setdiff1d(np.arange(len(self.ms)), last)
        tail = np.concatenate([within, last[arrays.turn_from]])
        head = np.concatenate([within + 1, arrays.edge_start[arrays.turn_to]])
        turn = np.concatenate([np.zeros(len(within), dtype=np.int64), arrays.turn_ms])
        allowed = np.concatenate([np.ones(len(within), dtype=bool), arrays.turn_barred & CAR == 0])
        is_open = ~self.closed[tail] & ~self.closed[head] & allowed
        self.tail, self.head, self.turn = tail[is_open], head[is_open], turn[is_open]
        weights = (self.turn + self.ms[self.head]).astype(np.float64)
        size = (len(self.ms), len(self.ms))
        self.graph = csr_array((weights, (self.tail, self.head)), shape=size)

    def seconds(self, a: Point, b: Point) -> float:
        starts, goals = self._stands(a), self._stands(b)
        best = np.inf
        for piece, offset in starts:
            reached = dijkstra(self.graph, indices=[piece])[0]
            for goal, goal_offset in goals:
                if goal == piece and goal_offset >= offset:
                    best = min(best, goal_offset - offset)
                onto = self.head == goal
                through = reached[self.tail[onto]] + self.turn[onto] + goal_offset
                best = min(best, self.ms[piece] - offset + through.min(initial=np.inf))
        return best / 1_000

    def _stands(self, place: Point) -> list[tuple[int, int]]:
        snap = NETWORK.snap(place, max_m=REACH_M)
        if snap is None:
            return []
        forth, back = _piece(snap.u, snap.v), _piece(snap.v, snap.u)
        # The engine rounds the share of the piece whose nodes come in order of the arrays.
        fraction = snap.fraction
        stands = [(forth, fraction), (back, 1 - fraction)]
        return [
            (piece, round(int(self.ms[piece] - self.wait[piece]) * share))
            for piece, share in stands
            if piece >= 0 and not self.closed[piece]
        ]


def _or_nan(factor: float | None) -> float:
    return np.nan if factor is None else factor


def _piece(u: int, v: int) -> int:
    found = np.flatnonzero((u == OSM_U) & (v == OSM_V))
    return int(found[0]) if len(found) else -1


def table(judge: PieceGraph, a: Sequence[Point], b: Sequence[Point]) -> NDArray[np.float64]:
    return np.array([[judge.seconds(p, q) for q in b] for p in a])


@settings(max_examples=30, deadline=None)
@given(changes=speeds, sources=places, targets=places)
def test_travel_times_are_exact(
    changes: dict[SegmentKey, float | None], sources: list[Point], targets: list[Point]
) -> None:
    NETWORK.update(changes)
    try:
        answer = NETWORK.travel_times(sources, targets)
        judge = PieceGraph(ARRAYS, changes)
        assert answer.tolist() == table(judge, sources, targets).tolist()
        factor = np.array([_or_nan(changes.get(key, 1.0)) for key in KEYS])
        textbook = DijkstraNetwork(ARRAYS, factor=factor)
        assert textbook.travel_times(sources, targets).tolist() == answer.tolist()
    finally:
        NETWORK.update(dict.fromkeys(changes, 1.0))


@settings(max_examples=60, deadline=None)
@given(closed=st.sets(st.sampled_from(KEYS), max_size=80), sources=places, targets=places)
def test_routes_never_pass_a_closed_segment(
    closed: set[SegmentKey], sources: list[Point], targets: list[Point]
) -> None:
    NETWORK.update(dict.fromkeys(closed, None))
    try:
        for a, b in zip(sources, targets, strict=False):
            route = NETWORK.route(a, b)
            if route is not None:
                assert not closed & set(driven(route.points))
                assert set(driven(route.points)) <= set(KEYS)
    finally:
        NETWORK.update(dict.fromkeys(closed, 1.0))


@settings(max_examples=40, deadline=None)
@given(changes=st.lists(speeds, max_size=4), a=places, b=places)
def test_opening_what_was_closed_gives_the_first_answer_again(
    changes: list[dict[SegmentKey, float | None]], a: list[Point], b: list[Point]
) -> None:
    before = NETWORK.travel_times(a, b)
    for change in changes:
        NETWORK.update(change)
    for change in changes:
        NETWORK.update(dict.fromkeys(change, 1.0))
    assert NETWORK.travel_times(a, b).tolist() == before.tolist()


@settings(max_examples=40, deadline=None)
@given(a=places, b=places, c=places)
@example([Point(24.9375, 60.171875)], [Point(24.9352471, 60.171875)], [Point(24.9375, 60.16796875)])
def test_a_stop_on_the_way_never_saves_time(a: list[Point], b: list[Point], c: list[Point]) -> None:
    stop = NETWORK.snap(b[0], max_m=REACH_M)
    if stop is None:
        return
    # Standing on the road, so that both legs meet at one position; turning there is free, and so
    # is the light there: who drives past pays both.
    direct = NETWORK.travel_times([a[0]], [c[0]])[0, 0]
    first = NETWORK.travel_times([a[0]], [stop.point])[0, 0]
    second = NETWORK.travel_times([stop.point], [c[0]])[0, 0]
    turning_round_s = UTURN_S + TURN_S + SIGNAL_MS / 1000
    assert direct <= first + second + turning_round_s + 1e-9


@settings(max_examples=60, deadline=None)
@given(changes=speeds, sources=places, targets=places)
def test_a_route_begins_and_ends_where_its_places_snap_and_is_as_long_as_its_line(
    changes: dict[SegmentKey, float | None], sources: list[Point], targets: list[Point]
) -> None:
    """Snap, route, length: the three say the same of one drive."""
    NETWORK.update(changes)
    a, b = sources[0], targets[0]
    start, end = NETWORK.snap(a, max_m=REACH_M), NETWORK.snap(b, max_m=REACH_M)
    route = NETWORK.route(a, b)
    if route is None:
        return
    assert start is not None
    assert end is not None
    assert distance_m(route.points[0], start.point) < 0.01
    assert distance_m(route.points[-1], end.point) < 0.01
    line = sum(distance_m(p, q) for p, q in pairwise(route.points))
    assert route.length_m == pytest.approx(line, abs=0.01)
    assert route.length_m >= distance_m(start.point, end.point) - 0.01
    assert route.length_m == pytest.approx(sum(s.length_m for s in route.steps), abs=0.01)
    assert route.duration_s == NETWORK.travel_times([a], [b])[0, 0]
    # from where it snapped one snaps to the same place, and the drive is the same
    assert distance_m(snapped(start.point), start.point) < 0.01


@settings(max_examples=40, deadline=None)
@given(
    closed=st.lists(st.sampled_from(KEYS), max_size=20, unique=True),
    chance=st.randoms(use_true_random=False),
    a=places,
    b=places,
)
def test_closures_are_symmetric(
    closed: list[SegmentKey], chance: Random, a: list[Point], b: list[Point]
) -> None:
    """In whatever order, at once or one by one, from whichever end a street is named."""
    # the example before may have been broken off while roads were closed
    NETWORK.update(dict.fromkeys(KEYS, 1.0))
    both: dict[SegmentKey, float | None] = {}
    for u, v in closed:
        both[u, v] = both[v, u] = None
    NETWORK.update(both)
    at_once = NETWORK.travel_times(a, b)
    NETWORK.update(dict.fromkeys(both, 1.0))
    turned = [(v, u) if chance.random() < 0.5 else (u, v) for u, v in closed]
    chance.shuffle(turned)
    for u, v in turned:
        NETWORK.update({(u, v): None, (v, u): None})
    assert NETWORK.travel_times(a, b).tolist() == at_once.tolist()
    chance.shuffle(turned)
    for u, v in turned:
        NETWORK.update({(v, u): 1.0, (u, v): 1.0})
    assert not any(s.factor is None for s in NETWORK.nearest_segments(a[0], within_m=2_000))


def snapped(place: Point) -> Point:
    found = NETWORK.snap(place)
    assert found is not None
    return found.point


def driven(points: Sequence[Point]) -> list[SegmentKey]:
    """The segments between the OSM nodes that a route passes."""
    nodes = [NODE_AT.get((p.lon, p.lat)) for p in points]
    return [(u, v) for u, v in pairwise(nodes) if u is not None and v is not None]


NODE_AT = {
    (float(lon), float(lat)): int(osm_id)
    for lon, lat, osm_id in zip(ARRAYS.lon, ARRAYS.lat, ARRAYS.node_osm_id, strict=True)
}
