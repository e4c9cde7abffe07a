"""Keeps the roads of this process as the log says: what is closed there is closed here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from dispatch.core.closures import Closure, SegmentKey, closed_segments, to_change
from geo.network import RoadNetwork


class RoadKeeper:
    """Applies a city's closures to its road network; callable from many threads.

    It owns which segments are shut: a road is opened again only when no closure holds it.
    """

    def __init__(self, roads: RoadNetwork) -> None:
        self._roads = roads
        self._shut: frozenset[SegmentKey] = frozenset()
        self._seen = -1
        self._lock = threading.Lock()

    @property
    def seen(self) -> int:
        """The offset of the log up to which the roads are right; -1 before the first look."""
        return self._seen

    def follow(self, offset: int, active: Callable[[], Sequence[Closure]] | None) -> bool:
        """Bring the roads to where the log was at `offset`; returns whether they changed.

        `active` reads the closures in force; None says that the log tells of no other than before.
        """
        with self._lock:
            if offset <= self._seen:
                return False
            wanted = self._shut if active is None else closed_segments(active())
            changes = to_change(self._shut, wanted)
            if changes:
                self._roads.update(changes)
            self._shut, self._seen = wanted, offset
            return bool(changes)
