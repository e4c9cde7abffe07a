"""Crew positions: refused when impossible, newest in memory, history written in batches."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from dispatch.core.crews import Fix
from dispatch.system.cities import City
from geo.point import BadPoint, Point, distance_m, suspicion

AHEAD = timedelta(seconds=60)
TOO_OLD = timedelta(days=2)
TOO_FAST_MS = 70.0
OUTSIDE_M = 30_000.0


def refusal(city: City, fix: Fix, last: Fix | None, *, now: datetime) -> str | None:
    """Why a fix is not believed: not_a_position, zero, whole_degree, out_of_region, future,
    too_old, jump; None when it may be true.
    """
    try:
        point = Point(fix.lon, fix.lat)
    except BadPoint:
        return "not_a_position"
    odd = suspicion(point)
    if odd is not None:
        return odd
    if not city.box.padded(OUTSIDE_M).contains(point):
        return "out_of_region"
    if fix.fix_time > now + AHEAD:
        return "future"
    if fix.fix_time < now - TOO_OLD:
        return "too_old"
    if last is not None and _jumps(last, fix):
        return "jump"
    return None


def _jumps(last: Fix, fix: Fix) -> bool:
    seconds = (fix.fix_time - last.fix_time).total_seconds()
    if seconds <= 0:
        return False
    metres = distance_m(Point(last.lon, last.lat), Point(fix.lon, fix.lat))
    slack = (last.accuracy_m or 0.0) + (fix.accuracy_m or 0.0)
    return (metres - slack) / seconds > TOO_FAST_MS


class Positions:
    """The newest fix of each crew of one city, and those not written yet. Thread safe."""

    def __init__(self, newest: Mapping[UUID, Fix]) -> None:
        self._newest = dict(newest)
        self._waiting: list[Fix] = []
        self._lock = threading.Lock()

    def newest(self) -> dict[UUID, Fix]:
        """The newest fix of each crew."""
        with self._lock:
            return dict(self._newest)

    def of(self, crew_id: UUID) -> Fix | None:
        """The newest fix of one crew."""
        with self._lock:
            return self._newest.get(crew_id)

    def take(
        self, city: City, fixes: Sequence[Fix], *, now: datetime
    ) -> tuple[list[Fix], list[tuple[int, str]]]:
        """The fixes that moved the marker, in order of fix time, and the refused (index, reason).

        A late fix goes to the history without dragging the marker back.
        """
        moved, refused = [], []
        ordered = sorted(enumerate(fixes), key=lambda pair: (pair[1].fix_time, pair[0]))
        with self._lock:
            for index, fix in ordered:
                last = self._newest.get(fix.crew_id)
                reason = refusal(city, fix, last, now=now)
                if reason is not None:
                    refused.append((index, reason))
                    continue
                self._waiting.append(fix)
                if last is None or fix.fix_time > last.fix_time:
                    self._newest[fix.crew_id] = fix
                    moved.append(fix)
        return moved, sorted(refused)

    def learn(self, fixes: Mapping[UUID, Fix]) -> int:
        """Take over what other processes took in; returns how many markers moved."""
        moved = 0
        with self._lock:
            for crew_id, fix in fixes.items():
                last = self._newest.get(crew_id)
                if last is None or fix.fix_time > last.fix_time:
                    self._newest[crew_id] = fix
                    moved += 1
        return moved

    def unwritten(self) -> list[Fix]:
        """Take what waits to be written."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        return waiting

    def put_back(self, fixes: Sequence[Fix]) -> None:
        """They could not be written; try again later."""
        with self._lock:
            self._waiting = [*fixes, *self._waiting]
