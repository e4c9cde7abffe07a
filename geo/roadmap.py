"""The pieces of a city's roads by place and by name: what an engine of any make says of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo.network import Segment, SegmentKey, Snap
from geo.point import Point
from geo.roadarrays import Floats, Ints, RoadArrays
from geo.roadspots import RoadSpots
from geo.roadstate import RoadLayout

POINTED_M = 60.0
"""Whoever points at a road on a map means one at most this far away."""


class RoadMap:
    """Positions, names and keys of the pieces; read-only, so safe for many threads.

    `factor` multiplies the usual speed of each piece, nan = closed; shape (pieces,).
    """

    def __init__(self, arrays: RoadArrays) -> None:
        self.arrays = arrays
        self.layout = RoadLayout(arrays)
        self.spots = RoadSpots(arrays)
        self.names = arrays.names()
        self._keys = _SegmentKeys(arrays)

    def pieces(self, key: SegmentKey) -> Ints:
        """The pieces from u to v: none when there is no such road, rarely more than one."""
        return self._keys.pieces(key)

    def spots_without(self, barred: NDArray[np.bool_]) -> RoadSpots:
        """An index without the stretches whose pieces are all barred; `spots` if nothing is."""
        return RoadSpots(self.arrays, without=barred) if barred.any() else self.spots

    def snap(
        self, p: Point, *, max_m: float, closed: NDArray[np.bool_], spots: RoadSpots
    ) -> Snap | None:
        """The nearest position within `max_m` metres that is open in some direction."""
        spot = spots.nearest([p], max_m=max_m, closed=closed)[0]
        if spot is None:
            return None
        piece, fraction = spot.forth, spot.fraction
        if piece < 0 or closed[piece]:
            piece, fraction = spot.back, 1.0 - spot.fraction
        u, v = self.osm_ids(piece)
        return Snap(spot.point, spot.distance_m, u, v, fraction)

    def around(self, p: Point, *, within_m: float, factor: Floats) -> list[Segment]:
        """Open and closed segments around the place, nearest first."""
        return self._segments(self.spots.around(p, within_m=within_m), factor)

    def along(self, line: Sequence[Point], *, within_m: float, factor: Floats) -> list[Segment]:
        """Open and closed segments that run with the line, at most so far beside it.

        Of a single point: the road nearest to it, and what lies within reach of that place on it.
        """
        if len(line) != 1:
            return self._segments(self.spots.along(line, within_m=within_m), factor)
        nowhere_closed = np.zeros(len(self.arrays.piece_ms), dtype=np.bool_)
        spot = self.spots.nearest(line, max_m=POINTED_M, closed=nowhere_closed)[0]
        if spot is None:
            return []
        return self.around(spot.point, within_m=within_m, factor=factor)

    def osm_ids(self, piece: int) -> SegmentKey:
        """The OSM ids of the nodes where the piece begins and ends."""
        arrays = self.arrays
        u, v = arrays.piece_u[piece], arrays.piece_v[piece]
        return int(arrays.node_osm_id[u]), int(arrays.node_osm_id[v])

    def place(self, node: int) -> Point:
        """Where a node of the arrays lies."""
        return Point(float(self.arrays.lon[node]), float(self.arrays.lat[node]))

    def _segments(self, stretches: Sequence[tuple[int, float]], factor: Floats) -> list[Segment]:
        return [
            self._segment(piece, distance, factor)
            for stretch, distance in stretches
            for piece in (int(self.spots.forth[stretch]), int(self.spots.back[stretch]))
            if piece >= 0
        ]

    def _segment(self, piece: int, distance_m: float, factor: Floats) -> Segment:
        arrays = self.arrays
        u, v = self.osm_ids(piece)
        return Segment(
            u=u,
            v=v,
            name=self.names[arrays.edge_name[self.layout.piece_edge[piece]]],
            start=self.place(int(arrays.piece_u[piece])),
            end=self.place(int(arrays.piece_v[piece])),
            length_m=float(arrays.piece_m[piece]),
            distance_m=distance_m,
            factor=None if np.isnan(factor[piece]) else float(factor[piece]),
        )


class _SegmentKeys:
    """From the OSM ids of two nodes to the pieces between them."""

    def __init__(self, arrays: RoadArrays) -> None:
        self._count = arrays.node_count
        self._node_order = np.argsort(arrays.node_osm_id, kind="stable")
        self._osm_ids = arrays.node_osm_id[self._node_order]
        keys = arrays.piece_u * self._count + arrays.piece_v
        self._piece_order = np.argsort(keys, kind="stable")
        self._keys = keys[self._piece_order]

    def pieces(self, key: SegmentKey) -> Ints:
        """The pieces from u to v: none when there is no such road, rarely more than one."""
        u, v = self._node(key[0]), self._node(key[1])
        if u < 0 or v < 0:
            return np.zeros(0, dtype=np.int64)
        wanted = u * self._count + v
        first, last = np.searchsorted(self._keys, [wanted, wanted + 1])
        return self._piece_order[first:last]

    def _node(self, osm_id: int) -> int:
        at = int(np.searchsorted(self._osm_ids, osm_id))
        is_there = at < self._count and self._osm_ids[at] == osm_id
        return int(self._node_order[at]) if is_there else -1
