"""Did the crew leave, and is it there? Judged from positions, mindful of how exact they are."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime

from dispatch.core.crews import Fix
from dispatch.core.policy import Arrival

METRES_PER_DEGREE = 111_195.08


@dataclass(frozen=True, slots=True)
class Approach:
    """What earlier fixes of this assignment showed."""

    inside_since: datetime | None = None
    last: Fix | None = None


def metres_between(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Equirectangular distance, metres; within 0.1 % at city scale."""
    dx = (lon_b - lon_a) * math.cos(math.radians((lat_a + lat_b) / 2))
    return math.hypot(dx, lat_b - lat_a) * METRES_PER_DEGREE


def judge(
    approach: Approach, fix: Fix, *, lon: float, lat: float, rule: Arrival
) -> tuple[Approach, str | None, float]:
    """The next state, "moving", "arrived" or None, and the metres to the incident.

    Inside is a distance within `radius_m` plus half the accuracy of the fix; outside, for a
    crew that was inside, only beyond 1.5 times that (hysteresis). Arrival is a stay of `dwell_s`
    inside, by fix time. Fixes older than the last one change nothing.
    """
    distance = metres_between(fix.lon, fix.lat, lon, lat)
    if approach.last is not None and fix.fix_time <= approach.last.fix_time:
        return approach, None, distance
    accuracy = min(fix.accuracy_m or 0.0, 200.0)
    reach = rule.radius_m + accuracy / 2
    inside = distance <= reach or (approach.inside_since is not None and distance <= 1.5 * reach)
    following = Approach(last=fix, inside_since=approach.inside_since if inside else None)
    if inside and following.inside_since is None:
        following = replace(following, inside_since=fix.fix_time)
    since = following.inside_since
    if since is not None and (fix.fix_time - since).total_seconds() >= rule.dwell_s:
        return following, "arrived", distance
    if _moving(approach, fix, accuracy=accuracy, rule=rule):
        return following, "moving", distance
    return following, None, distance


def _moving(approach: Approach, fix: Fix, *, accuracy: float, rule: Arrival) -> bool:
    if fix.speed_ms is not None and fix.speed_ms >= 0:
        return fix.speed_ms >= rule.moving_ms
    last = approach.last
    if last is None:
        return False
    seconds = (fix.fix_time - last.fix_time).total_seconds()
    moved = metres_between(last.lon, last.lat, fix.lon, fix.lat) - accuracy
    return seconds > 0 and moved / seconds >= rule.moving_ms
