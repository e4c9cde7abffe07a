"""Finds where a place meets the roads: the nearest open road position."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.network import Nearby
from geo.point import METRES_PER_DEGREE, Point
from geo.roadarrays import Floats, Ints, RoadArrays
from geo.roadside import Carriageways

WITH_DEG = 40.0
"""A road that points farther away from a drawn line crosses it."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A position on a road: on piece `forth` at `fraction`, on `back` at 1 − fraction.

    `back` is the same stretch driven the other way. A direction that does not exist is -1.
    """

    forth: int
    back: int
    fraction: float
    point: Point
    distance_m: float


class RoadSpots:
    """A spatial index of the roads; read-only, so safe for many threads."""

    def __init__(self, arrays: RoadArrays, *, without: NDArray[np.bool_] | None = None) -> None:
        """`without` are the pieces that are left out, shape (pieces,)."""
        self._middle = (float(np.mean(arrays.lon)), float(np.mean(arrays.lat)))
        # One flat frame in metres for the whole city: 0.1 % off at 50 km, nothing at 250 m.
        self._scale = np.array(
            [METRES_PER_DEGREE * math.cos(math.radians(self._middle[1])), METRES_PER_DEGREE]
        )
        nodes = (np.column_stack([arrays.lon, arrays.lat]) - self._middle) * self._scale
        self.forth, self.back = stretches(arrays)
        if without is not None:
            forth, back = _left(self.forth, without), _left(self.back, without)
            some = (forth >= 0) | (back >= 0)
            self.forth, self.back = forth[some], back[some]
        known = np.where(self.forth >= 0, self.forth, self.back)
        turned = self.forth < 0
        first = np.where(turned, arrays.piece_v[known], arrays.piece_u[known])
        last = np.where(turned, arrays.piece_u[known], arrays.piece_v[known])
        self._start, self._end = nodes[first], nodes[last]
        self._osm_ids = np.stack([arrays.node_osm_id[first], arrays.node_osm_id[last]])
        run = self._end - self._start
        self._bearing = np.degrees(np.arctan2(run[:, 0], run[:, 1])) % 360.0
        lines = shapely.linestrings(np.stack([self._start, self._end], axis=1))
        self._tree = shapely.STRtree(np.asarray(lines, dtype=object))
        # The tree is built by its first question; ask it before threads can ask at once.
        self._tree.query(shapely.Point(0, 0))
        self._carriageways = Carriageways(
            arrays, self._tree, start=self._start, end=self._end, forth=self.forth, back=self.back
        )

    def nearest(
        self, places: Sequence[Point], *, max_m: float, closed: NDArray[np.bool_]
    ) -> list[Spot | None]:
        """For each place the nearest position open in some direction, at most `max_m` away.

        `closed` says so for each piece of the arrays.
        """
        if not places:
            return []
        flat = self._flat(places)
        # Asking for the nearest and dropping the far ones is faster than asking with a limit.
        (which, stretch), metres = self._tree.query_nearest(
            shapely.points(flat), return_distance=True, all_matches=False
        )
        near = metres <= max_m
        which, stretch = which[near], stretch[near]
        is_open = self._is_open(stretch, closed)
        found: list[Spot | None] = [None] * len(places)
        for i, spot in zip(
            which[is_open].tolist(),
            self._on_road(flat[which[is_open]], stretch[is_open]),
            strict=True,
        ):
            found[i] = spot
        for i in which[~is_open].tolist():
            found[i] = self._nearest_open(flat[i], max_m=max_m, closed=closed)
        return found

    def around(self, place: Point, *, within_m: float) -> list[tuple[int, float]]:
        """(stretch, metres) of every stretch within reach, nearest first."""
        flat = self._flat([place])[0]
        near = self._within(flat, within_m)
        metres = self._distances(flat, near)
        order = np.lexsort((near, metres))
        return [(int(near[i]), float(metres[i])) for i in order]

    def along(self, line: Sequence[Point], *, within_m: float) -> list[tuple[int, float]]:
        """(stretch, metres) of every stretch that runs with the line, in the order of the line.

        A stretch runs with a straight piece of the line when it comes within `within_m` of it,
        points the same way to WITH_DEG, and lies beside it for a third of the shorter of the two
        or twice `within_m`, whichever is less.
        """
        found: dict[int, float] = {}
        for start, end in pairwise(self._flat(line) if len(line) else []):
            for stretch, metres in self._beside(start, end, within_m):
                found[stretch] = min(metres, found.get(stretch, metres))
        return list(found.items())

    def roads_near(
        self, places: Sequence[tuple[float, float]], *, within_m: float
    ) -> list[list[Nearby]]:
        """For each place (lon, lat) the stretches within reach, closed ones too; many at once."""
        found: list[list[Nearby]] = [[] for _ in places]
        if not places:
            return found
        flat = (np.array(places, dtype=np.float64) - self._middle) * self._scale
        reach = shapely.box(*(flat - within_m).T, *(flat + within_m).T)
        which, stretch = self._tree.query(reach)
        on_road, metres = self._dropped(flat[which], stretch)
        near = metres <= within_m
        which, stretch = which[near], stretch[near]
        u, v = self._osm_ids[:, stretch].tolist()
        lon, lat = (on_road[near] / self._scale + self._middle).T.tolist()
        rows = zip(
            which.tolist(),
            u,
            v,
            lon,
            lat,
            metres[near].tolist(),
            self._bearing[stretch].tolist(),
            (self.forth[stretch] >= 0).tolist(),
            (self.back[stretch] >= 0).tolist(),
            strict=True,
        )
        for i, *near_one in rows:
            found[i].append(Nearby._make(near_one))
        return found

    def _dropped(self, flat: Floats, stretch: Ints) -> tuple[Floats, Floats]:
        """Each place (row of `flat`) moved onto its stretch, and how far that is."""
        start, run = self._start[stretch], self._end[stretch] - self._start[stretch]
        squared = np.maximum((run * run).sum(axis=1), 1e-12)
        fraction = np.clip(((flat - start) * run).sum(axis=1) / squared, 0.0, 1.0)
        on_road = start + fraction[:, np.newaxis] * run
        return on_road, np.hypot(*(flat - on_road).T)

    def _beside(self, start: Floats, end: Floats, within_m: float) -> list[tuple[int, float]]:
        """The stretches that run with one straight piece of a line, in its order."""
        length = float(np.hypot(*(end - start)))
        if length < 1e-6:
            return []
        with_line = (end - start) / length
        reach = shapely.LineString([start, end])
        near = np.sort(self._tree.query(reach, predicate="dwithin", distance=within_m))
        runs = self._end[near] - self._start[near]
        lengths = np.maximum(np.hypot(*runs.T), 1e-9)
        straight = np.abs(runs @ with_line) / lengths >= math.cos(math.radians(WITH_DEG))
        # The ends along the line, in metres from its start; what lies beside it is between them.
        ends = np.stack([(at[near] - start) @ with_line for at in (self._start, self._end)])
        shared = np.minimum(ends.max(axis=0), length) - np.maximum(ends.min(axis=0), 0.0)
        least = np.minimum(lengths, min(6 * within_m, length)) / 3
        chosen = straight & (shared > 0) & (shared >= least)
        kept, begins = near[chosen], ends.min(axis=0)[chosen]
        metres = shapely.distance(self._tree.geometries[kept], reach)
        return [(int(kept[i]), float(metres[i])) for i in np.lexsort((kept, begins))]

    def _nearest_open(
        self, flat: Floats, *, max_m: float, closed: NDArray[np.bool_]
    ) -> Spot | None:
        """The nearest that is open on this side of every dual carriageway, else the nearest."""
        near = self._within(flat, max_m)
        metres = self._distances(flat, near)
        home = int(near[np.argmin(metres)])
        is_open = self._is_open(near, closed)
        near, metres = near[is_open], metres[is_open]
        if not len(near):
            return None
        ordered = near[np.lexsort((near, metres))]
        on_road, _ = self._dropped(np.repeat(flat[np.newaxis], len(ordered), axis=0), ordered)
        chosen = next(
            (
                stretch
                for stretch, there in zip(ordered.tolist(), on_road, strict=True)
                if not self._carriageways.across(flat, home, stretch, there)
            ),
            int(ordered[0]),
        )
        return self._on_road(flat[np.newaxis], np.array([chosen]))[0]

    def _within(self, flat: Floats, metres: float) -> Ints:
        near = self._tree.query(shapely.Point(flat), predicate="dwithin", distance=metres)
        return np.sort(near).astype(np.int64)

    def _distances(self, flat: Floats, stretch: Ints) -> Floats:
        away: Floats = shapely.distance(self._tree.geometries[stretch], shapely.Point(flat))
        return away

    def _is_open(self, stretch: Ints, closed: NDArray[np.bool_]) -> NDArray[np.bool_]:
        forth, back = self.forth[stretch], self.back[stretch]
        usable: NDArray[np.bool_] = ((forth >= 0) & ~closed[forth]) | ((back >= 0) & ~closed[back])
        return usable

    def _on_road(self, flat: Floats, stretch: Ints) -> list[Spot]:
        """Each place (row of `flat`) moved onto its stretch."""
        start, run = self._start[stretch], self._end[stretch] - self._start[stretch]
        squared = np.maximum((run * run).sum(axis=1), 1e-12)
        fraction = np.clip(((flat - start) * run).sum(axis=1) / squared, 0.0, 1.0)
        on_road = start + fraction[:, np.newaxis] * run
        metres = np.hypot(*(flat - on_road).T)
        columns = (
            self.forth[stretch].tolist(),
            self.back[stretch].tolist(),
            fraction.tolist(),
            (on_road / self._scale + self._middle).tolist(),
            metres.tolist(),
        )
        return [
            Spot(forth, back, share, Point(lon, lat), away)
            for forth, back, share, (lon, lat), away in zip(*columns, strict=True)
        ]

    def _flat(self, places: Sequence[Point]) -> Floats:
        flat: Floats = (np.array([(p.lon, p.lat) for p in places]) - self._middle) * self._scale
        return flat


def _left(pieces: Ints, without: NDArray[np.bool_]) -> Ints:
    """The same pieces, -1 for what is left out."""
    return np.where((pieces >= 0) & ~without[pieces], pieces, -1)


def stretches(arrays: RoadArrays) -> tuple[Ints, Ints]:
    """(forth, back): the pieces of each stretch of road by direction, -1 where there is none."""
    low = np.minimum(arrays.piece_u, arrays.piece_v)
    high = np.maximum(arrays.piece_u, arrays.piece_v)
    keys, stretch = np.unique(low * np.int64(arrays.node_count) + high, return_inverse=True)
    pieces = np.arange(len(stretch), dtype=np.int64)
    upward = arrays.piece_u <= arrays.piece_v
    forth = np.full(len(keys), -1, dtype=np.int64)
    back = np.full(len(keys), -1, dtype=np.int64)
    # Backwards, so that of two roads between the same nodes the first one wins.
    forth[stretch[upward][::-1]] = pieces[upward][::-1]
    back[stretch[~upward][::-1]] = pieces[~upward][::-1]
    return forth, back
