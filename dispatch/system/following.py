"""Watches the positions of crews that are to come somewhere, without asking the database of each.

Which crews those are is read once after every change of the city's log, and kept.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import Connection

from dispatch import dispatcher
from dispatch.core import arrival
from dispatch.core.arrival import Approach
from dispatch.core.crews import Fix
from dispatch.core.errors import SigapError
from dispatch.core.world import World
from dispatch.dispatcher import TO_CONFIRM, Watch
from dispatch.storage import views
from dispatch.system.cities import City
from dispatch.system.driving import roads_of_all
from dispatch.system.positions import Positions
from geo.network import RoadNetwork, RoadsUnavailable
from geo.point import Point

logger = logging.getLogger("sigap.positions")

AGAIN_S = 5.0
"""A change of the log that nobody announced is seen after this."""


class Steps(Protocol):
    """What a follower needs of the system."""

    def now(self) -> datetime: ...
    def offset(self, city_id: str) -> int: ...
    def watches(self, city_id: str) -> list[Watch]:
        """The crews that are to come somewhere."""

    def step(self, city_id: str, act: Callable[[World, datetime], object]) -> None: ...


def watches(connection: Connection, city_id: str) -> list[Watch]:
    """Every crew that is watched now; the same as `dispatcher.watch_of` says of each."""
    coming, posted = views.watched(connection, city_id)
    found = [
        watch
        for watch in (Watch(*row) for row in coming)
        if watch.status != "on_scene" or watch.evidence in TO_CONFIRM
    ]
    found += [
        Watch(crew_id, post["lon"], post["lat"])
        for crew_id, post in posted
        if post["status"] == "ordered"
    ]
    return found


class Follower:
    """Judges what the fixes of one city show of its watched crews. Thread safe."""

    def __init__(self, city: City, positions: Positions, steps: Steps) -> None:
        self._city, self._positions, self._steps = city, positions, steps
        self._watches: dict[UUID, Watch] = {}
        self._approaches: dict[UUID, Approach] = {}
        self._grown = threading.Event()
        self._grown.set()
        self._offset = -1
        self._asked_at: datetime | None = None
        self._lock = threading.RLock()

    def use(self, city: City) -> None:
        """Go on with a newer version of the city, from the next position on."""
        self._city = city

    def wake(self) -> None:
        """The city's log grew. Callable from any thread."""
        self._grown.set()

    def follow(self, moved: Iterable[Fix]) -> None:
        """See what these new positions show, in order of fix time."""
        with self._lock:
            self.attend()
            for fix in moved:
                watch = self._watches.get(fix.crew_id)
                if watch is not None:
                    self._judge(watch, fix)
            if self._grown.is_set():
                self.attend()

    def attend(self) -> None:
        """Read anew who is watched when the log grew; who stands there already has arrived."""
        with self._lock:
            if not self._must_read():
                return
            found = {watch.crew_id: watch for watch in self._steps.watches(self._city.id)}
            fresh = [watch for watch in found.values() if self._is_new(watch)]
            self._watches = found
            for crew_id in set(self._approaches) - set(found):
                del self._approaches[crew_id]
            for watch in fresh:
                self._begin(watch)

    def _must_read(self) -> bool:
        now = self._steps.now()
        late = self._asked_at is None or (now - self._asked_at).total_seconds() >= AGAIN_S
        if not late and not self._grown.is_set():
            return False
        # cleared before the look: what grows meanwhile is looked at next time
        self._grown.clear()
        self._asked_at = now
        offset = self._steps.offset(self._city.id)
        grown, self._offset = offset != self._offset, offset
        return grown

    def _is_new(self, watch: Watch) -> bool:
        before = self._watches.get(watch.crew_id)
        return before is None or before.assignment_id != watch.assignment_id

    def _begin(self, watch: Watch) -> None:
        """Whoever is given work while it stands there need not come first."""
        self._approaches.pop(watch.crew_id, None)
        fix = self._positions.of(watch.crew_id)
        if fix is None or watch.assignment_id is None:
            return
        age_s = (self._steps.now() - fix.fix_time).total_seconds()
        since = self._positions.still_since(watch.crew_id)
        if age_s > self._city.policy.matching.stale_fix_s or since is None:
            return
        rule = self._city.policy.arrival
        self._approaches[watch.crew_id] = arrival.standing(
            fix, since, lon=watch.lon, lat=watch.lat, rule=rule, road_m=self._road_m(watch, fix)
        )
        self._judge(watch, fix)

    def _judge(self, watch: Watch, fix: Fix) -> None:
        approach = self._approaches.get(fix.crew_id, Approach())
        road_m, rule = self._road_m(watch, fix), self._city.policy.arrival
        following, sign = dispatcher.notice(watch, approach, fix, rule=rule, road_m=road_m)
        self._approaches[fix.crew_id] = following
        if sign is None:
            return
        try:
            self._steps.step(
                self._city.id,
                lambda world, now: dispatcher.follow_fix(world, now, approach, fix, road_m=road_m),
            )
        except SigapError as refused:
            # somebody was faster: the assignment is over, or says so already
            logger.info("a position of %s says nothing any more: %s", fix.crew_id, refused.detail)
        self.attend()

    def _road_m(self, watch: Watch, fix: Fix) -> float | None:
        """Metres by road from the crew to where its incident meets the road, the shorter way."""
        rule = self._city.policy.arrival
        straight = arrival.metres_between(fix.lon, fix.lat, watch.lon, watch.lat)
        if straight > rule.far_m or fix.road_u is None:
            return None
        if (fix.speed_ms or 0.0) > 2 * rule.moving_ms:
            # whoever drives on has not arrived, whatever the way
            return None
        here, there = Point(*fix.here), Point(watch.lon, watch.lat)
        return road_metres(self._city, here, there, within_m=rule.far_m)


def road_metres(city: City, a: Point, b: Point, *, within_m: float) -> float | None:
    """Metres along roads or gangs between two places, whichever way is the shortest.

    None when one of them is farther than `within_m` from every road or nobody can be asked,
    infinite without a way.
    """
    try:
        found = [_metres(roads, a, b, within_m=within_m) for roads in roads_of_all(city)]
    except RoadsUnavailable:
        return None
    return min((metres for metres in found if metres is not None), default=None)


def _metres(roads: RoadNetwork, a: Point, b: Point, *, within_m: float) -> float | None:
    if roads.snap(a, max_m=within_m) is None or roads.snap(b, max_m=within_m) is None:
        return None
    ways = [roads.route(a, b), roads.route(b, a)]
    return min((way.length_m for way in ways if way is not None), default=math.inf)
