"""The city's road network: travel times and routes by road, with closures, in a moment."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geo.network import SNAP_M, Nearby, Reached, Route, Segment, SegmentKey, Snap, check_factors
from geo.point import Point
from geo.reach import ReachGraph, reachable
from geo.roadarrays import RoadArrays
from geo.roadclasses import access_of
from geo.roadengine import RoadEngine, Search, compute_order
from geo.roadmap import RoadMap
from geo.roadmatrix import searched, take_direct
from geo.roadroute import Drive, describe
from geo.roadspots import Spot
from geo.roadstate import Ends, RoadState, Stand

REACH_M = 1_000.0
"""A drive begins and ends at the nearest open road this near; farther places have no road."""


class RoadGraph:
    """`RoadNetwork` over the arrays of one city; safe for many threads.

    Times are exact: those of the fastest drive that obeys one-ways, turn restrictions and
    closures, turns and signals included. Both ends are the nearest open road positions within
    REACH_M; the way from there on foot is not counted.
    """

    def __init__(
        self,
        arrays: RoadArrays,
        *,
        order: NDArray[np.uint32] | None = None,
        version: str = "roads",
    ) -> None:
        """`order` is what `compute_order` returned for the same arrays."""
        self.arrays = arrays
        self._map = RoadMap(arrays)
        self._layout = self._map.layout
        self._access = access_of(arrays)
        self._barred = self._access.edges[self._layout.piece_edge]
        self._spots = self._map.spots_without(self._barred)
        contraction = compute_order(arrays) if order is None else order
        # How fast each piece is driven, whoever may drive it; nan = closed to all.
        self._factor = np.ones(len(arrays.piece_ms))
        self._engine = RoadEngine(arrays, contraction, self._state(self._factor))
        self._updating = threading.Lock()
        self._version = version
        self._changes = 0
        self._reach = ReachGraph(arrays)
        # A view for a vehicle shares all but its engine; `_origin`, for a car, is whose view it is.
        self._origin = self
        self._views: dict[frozenset[str], RoadGraph] = {}

    @classmethod
    def open(cls, roads: Path, order: Path, *, version: str) -> Self:
        """The network stored as `roads` (.npz) and `order` (.npy); raises OSError, ValueError."""
        stored = np.load(order, mmap_mode="r", allow_pickle=False)
        return cls(RoadArrays.load(roads), order=stored, version=version)

    @property
    def version(self) -> str:
        """The version of the map, and how often its roads were changed since it was opened."""
        changes = self._origin._changes
        return f"{self._version}+{changes}" if changes else self._version

    def for_vehicle(self, avoids: AbstractSet[str]) -> "RoadGraph":
        """The same roads without those of these classes, for a vehicle that cannot use them.

        It shares the arrays; what is closed or slowed down on one is so on all. Where it may drive
        what a car may, as on roads of unknown classes, it is this network itself. One that avoids
        `no_motorbikes` is a motorbike: it also rides what is closed to cars only.
        """
        wanted = frozenset(avoids)
        with self._updating:
            if wanted not in self._views:
                self._views[wanted] = self._origin._view(wanted)
            return self._views[wanted]

    def _view(self, avoids: frozenset[str]) -> "RoadGraph":
        access = access_of(self.arrays, avoids)
        if access.same(self._access):
            return self
        view = copy(self)
        view._access = access
        view._reach = ReachGraph(self.arrays)
        view._layout = self._layout.without(access.turns)
        view._barred = access.edges[self._layout.piece_edge]
        if (self._barred & ~view._barred).any():
            view._spots = self._map.spots
        state = view._state(self._factor)
        view._engine = RoadEngine(self.arrays, self._engine.order, state, beside=self._engine)
        return view

    def _state(self, factor: NDArray[np.float64]) -> RoadState:
        """The roads at these speeds, as far as this vehicle may use them."""
        return RoadState(self._layout, np.where(self._barred, np.nan, factor))

    def snap(self, p: Point, *, max_m: float = SNAP_M) -> Snap | None:
        """The nearest open road position within `max_m` metres."""
        closed = self._engine.state.closed
        return self._map.snap(p, max_m=max_m, closed=closed, spots=self._spots)

    def travel_times(
        self, sources: Sequence[Point], targets: Sequence[Point]
    ) -> NDArray[np.float64]:
        """Seconds by road, shape (len(sources), len(targets)); inf = cannot be reached."""
        with self._engine.reading() as search:
            state = search.state
            origins = [self._stands(state, spot) for spot in self._nearest(sources, state)]
            goals = [self._stands(state, spot) for spot in self._nearest(targets, state)]
            starts = [state.starts(stands) for stands in origins]
            ends = [state.ends(stands) for stands in goals]
            ms = searched(search, starts, ends)
        take_direct(ms, state, origins=origins, goals=goals)
        seconds: NDArray[np.float64] = ms / 1_000
        return seconds

    def route(self, a: Point, b: Point) -> Route | None:
        """The fastest drive, whose duration is the travel time of the same pair."""
        with self._engine.reading() as search:
            state = search.state
            spots = self._nearest([a, b], state)
            if spots[0] is None or spots[1] is None:
                return None
            drive = _fastest(search, self._stands(state, spots[0]), self._stands(state, spots[1]))
        if drive is None:
            return None
        return describe(
            drive, state, names=self._map.names, start=spots[0].point, end=spots[1].point
        )

    def reachable(self, place: Point, limits_s: Sequence[float]) -> list[Reached]:
        """The areas within each limit of a drive from the place, in the order of the limits."""
        state = self._engine.state
        stands = self._stands(state, self._nearest([place], state)[0])
        return reachable(self._map, self._reach, state, stands, limits_s)

    def update(self, segments: Mapping[SegmentKey, float | None]) -> frozenset[SegmentKey]:
        """Set speed factors; None closes, 1.0 restores. Returns the keys no road has.

        Raises ValueError, changing nothing, for a factor that is not a positive number.
        """
        check_factors(segments)
        pieces = {key: self._map.pieces(key) for key in segments}
        origin = self._origin
        with self._updating:
            factor = origin._factor.copy()
            for key, value in segments.items():
                factor[pieces[key]] = np.nan if value is None else value
            if not np.array_equal(factor, origin._factor, equal_nan=True):
                # Views first: the version tells of a change when all have gone over to it.
                views = {id(view): view for view in self._views.values() if view is not origin}
                for view in (*views.values(), origin):
                    view._go_over(factor)
                origin._factor = factor
                origin._changes += 1
        return frozenset(key for key, found in pieces.items() if not len(found))

    def _go_over(self, factor: NDArray[np.float64]) -> None:
        """Drive at these speeds from now on."""
        state = self._state(factor)
        changed = np.flatnonzero(~_same(state.factor, self._engine.state.factor))
        if not len(changed):
            return
        edges = np.unique(self._layout.piece_edge[changed])
        turns = np.concatenate([self._layout.turns_onto(int(e)) for e in edges])
        self._engine.change(state, turns)

    def nearest_segments(self, p: Point, *, within_m: float) -> list[Segment]:
        """Open and closed segments around the place, nearest first."""
        return self._map.around(p, within_m=within_m, factor=self._shown)

    def segments_along(self, line: Sequence[Point], *, within_m: float) -> list[Segment]:
        """Open and closed segments that run with the line, at most so far beside it.

        Of a single point: the road nearest to it, and what lies within reach of that place on it.
        """
        return self._map.along(line, within_m=within_m, factor=self._shown)

    @property
    def _shown(self) -> NDArray[np.float64]:
        """What is said of each piece: closed to all, or, in a view, closed to its vehicle."""
        return self._factor if self is self._origin else self._engine.state.factor

    def roads_near(
        self, places: Sequence[tuple[float, float]], *, within_m: float
    ) -> list[list[Nearby]]:
        """For each place (lon, lat) the stretches of road within reach, for many at once."""
        return self._spots.roads_near(places, within_m=within_m)

    @contextmanager
    def searching(self) -> Iterator[Search]:
        """The engine under this network, as the roads are now; must not outlive the block."""
        with self._engine.reading() as search:
            yield search

    def ways(self, state: RoadState, place: Point) -> tuple[Ends, Ends]:
        """The ways to begin a drive at a place, and those to finish one there."""
        stands = self._stands(state, self._nearest([place], state)[0])
        return state.starts(stands), state.ends(stands)

    def _nearest(self, places: Sequence[Point], state: RoadState) -> list[Spot | None]:
        return self._spots.nearest(places, max_m=REACH_M, closed=state.closed)

    @staticmethod
    def _stands(state: RoadState, spot: Spot | None) -> list[Stand]:
        return state.stands(spot) if spot else []


def _same(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.bool_]:
    equal: NDArray[np.bool_] = (a == b) | (np.isnan(a) & np.isnan(b))
    return equal


def _fastest(search: Search, origins: Sequence[Stand], goals: Sequence[Stand]) -> Drive | None:
    state = search.state
    drives = [
        Drive(ms, origin, [], goal)
        for origin in origins
        for goal in goals
        if (ms := state.direct(origin, goal)) is not None
    ]
    starts, ends = state.starts(origins), state.ends(goals)
    found = search.path(starts, ends) if starts and ends else None
    if found:
        ms, edges = found
        origin = next(stand for stand in origins if stand.edge == edges[0])
        goal = min(
            (stand for stand in goals if edges[-1] in dict(state.arrivals(stand))),
            key=lambda stand: dict(state.arrivals(stand))[edges[-1]],
        )
        drives.append(Drive(ms, origin, edges, goal))
    return min(drives, key=lambda drive: drive.ms, default=None)
