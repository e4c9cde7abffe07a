"""Which side of a great road a place is on: nobody walks across a dual carriageway to his work."""

import math

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.osm_rules import ROAD_CLASSES
from geo.roadarrays import Floats, Ints, RoadArrays

GREAT = ("motorway", "trunk", "primary")
APART_M = 40.0
"""The two carriageways of one road are at most so far apart."""
_OPPOSITE = -math.cos(math.radians(30.0))


class Carriageways:
    """The stretches that are one side of a dual carriageway; read-only.

    Such are one-way stretches of GREAT roads that have another one, driven the other way, beside
    them. `start` and `end` are metres in a flat frame, shape (stretches, 2), in the direction of
    `forth`, which is -1 where only `back` exists; `tree` indexes the same stretches.
    """

    def __init__(
        self,
        arrays: RoadArrays,
        tree: shapely.STRtree,
        *,
        start: Floats,
        end: Floats,
        forth: Ints,
        back: Ints,
    ) -> None:
        self._tree = tree
        driven = np.where(forth >= 0, forth, back)
        great = np.isin(arrays.edge_class, [ROAD_CLASSES.index(name) for name in GREAT])
        is_great = (great & ~arrays.edge_roundabout)[arrays.piece_edge[driven]]
        is_great &= (forth >= 0) != (back >= 0)
        run = np.where((forth >= 0)[:, np.newaxis], end - start, start - end)
        length = np.maximum(np.hypot(run[:, 0], run[:, 1]), 1e-9)
        self._way: Floats = run / length[:, np.newaxis]
        self.is_dual = self._beside(np.flatnonzero(is_great), is_great, (start + end) / 2)

    def across(self, here: Floats, home: int, stretch: int, there: Floats) -> bool:
        """Must one cross a dual carriageway from a place to a position on a stretch?

        `home` is the stretch that the place lies nearest to. Who is on a carriageway, or beside
        it, is on its side whichever edge of it he stands on: only the other one is across.
        """
        from_home = bool(self.is_dual[home])
        if from_home and self._is_opposite(home, stretch):
            return True
        if np.hypot(*(there - here)) < 1e-6:
            return False
        way = shapely.LineString([here, there])
        crossed = self._tree.query(way, predicate="intersects")
        return any(
            bool(self.is_dual[each]) and (not from_home or self._is_opposite(home, each))
            for each in crossed.tolist()
            if each != stretch
        )

    def _is_opposite(self, home: int, other: int) -> bool:
        cosine = float(self._way[home] @ self._way[other])
        return bool(self.is_dual[other]) and cosine <= _OPPOSITE

    def _beside(
        self, great: Ints, is_great: NDArray[np.bool_], middle: Floats
    ) -> NDArray[np.bool_]:
        found = np.zeros(len(middle), dtype=np.bool_)
        if len(great):
            near = self._tree.query(
                shapely.points(middle[great]), predicate="dwithin", distance=APART_M
            )
            one, other = great[near[0]], near[1]
            cosine = (self._way[one] * self._way[other]).sum(axis=1)
            found[one[is_great[other] & (cosine <= _OPPOSITE)]] = True
        return found
