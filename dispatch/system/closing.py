"""Keeps the roads of this process as the log says: what is closed there is closed here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from dispatch.core.closures import Closure, SegmentKey, to_change
from dispatch.core.events import Stretch
from geo.network import RoadNetwork
from geo.point import Point

MOVED_M = 12.0
"""A street of a newer map lies at most this far from where it was on the older one."""


class RoadKeeper:
    """Applies a city's closures to its road network; callable from many threads.

    It owns which segments are shut: a road is opened again only when no closure holds it. A
    closure names segments by the nodes of the map it was made on; where a newer map has others,
    what runs along the same line is shut instead.
    """

    def __init__(self, roads: RoadNetwork) -> None:
        self._roads = roads
        self._shut: frozenset[SegmentKey] = frozenset()
        self._seen = -1
        self._here: dict[SegmentKey, frozenset[SegmentKey]] = {}
        self._lock = threading.Lock()

    @property
    def seen(self) -> int:
        """The offset of the log up to which the roads are right; -1 before the first look."""
        return self._seen

    @property
    def version(self) -> str:
        """The version of the roads kept here."""
        return self._roads.version

    def follow(self, offset: int, active: Callable[[], Sequence[Closure]] | None) -> bool:
        """Bring the roads to where the log was at `offset`; returns whether they changed.

        `active` reads the closures in force; None says that the log tells of no other than before.
        """
        with self._lock:
            if offset <= self._seen:
                return False
            wanted = self._shut if active is None else self._closed(active())
            changes = to_change(self._shut, wanted)
            if changes:
                self._roads.update(changes)
            self._shut, self._seen = wanted, offset
            return bool(changes)

    def _closed(self, closures: Sequence[Closure]) -> frozenset[SegmentKey]:
        stretches = [each for closure in closures if closure.active for each in closure.stretches]
        return frozenset().union(*(self._segments(each) for each in stretches))

    def _segments(self, stretch: Stretch) -> frozenset[SegmentKey]:
        """Both directions of a stretch, as this map names them."""
        key = (stretch.u, stretch.v)
        if key not in self._here:
            self._here[key] = self._found(stretch)
        return self._here[key]

    def _found(self, stretch: Stretch) -> frozenset[SegmentKey]:
        named = frozenset({(stretch.u, stretch.v), (stretch.v, stretch.u)})
        line = [Point(stretch.u_lon, stretch.u_lat), Point(stretch.v_lon, stretch.v_lat)]
        along = self._roads.segments_along(line, within_m=MOVED_M)
        there = {(each.u, each.v) for each in along}
        if there & named or not there:
            return named
        return frozenset(there | {(v, u) for u, v in there})
