"""Did the crew leave, and is it there? Judged from positions, mindful of how exact they are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from dispatch.core.crews import Fix
from dispatch.core.policy import Arrival

METRES_PER_DEGREE = 111_195.08
VAGUEST_M = 200.0
"""A fix vaguer than this reaches no farther."""
DETOUR = 1.3
"""Metres by road for each metre as the crow flies, where no road was asked."""

GRADES = ("button", "crossing", "geofence", "photo")
"""What an arrival rests on, the weakest first.

button: the crew said so. crossing: it went by while nobody looked, with time for a stop.
geofence: its positions stayed there. photo: a camera was there at that time.
"""
FLAGS = ("far", "unseen", "mock")
"""What speaks against a button: pressed far away, with no position known, or with a made-up one."""


@dataclass(frozen=True, slots=True)
class Approach:
    """What earlier fixes of this assignment showed."""

    inside_since: datetime | None = None
    last: Fix | None = None


@dataclass(frozen=True, slots=True)
class Sign:
    """What a fix shows: `at` is when it began, `distance_m` how far the crew was then at most."""

    what: Literal["moving", "arrived", "passed"]
    at: datetime
    distance_m: float


def metres_between(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Equirectangular distance, metres; within 0.1 % at city scale."""
    dx = (lon_b - lon_a) * math.cos(math.radians((lat_a + lat_b) / 2))
    return math.hypot(dx, lat_b - lat_a) * METRES_PER_DEGREE


def judge(
    approach: Approach,
    fix: Fix,
    *,
    lon: float,
    lat: float,
    rule: Arrival,
    road_m: float | None = None,
) -> tuple[Approach, Sign | None]:
    """The state after the fix, and what it shows of a crew that is to come to (lon, lat).

    Arrival is a stay of `dwell_s` inside, by fix time, and counts from its first fix. A crew that
    was inside is outside only beyond half as much again (hysteresis). `road_m` is how far the
    crew is by road from where the place meets it, None when no road knows. Fixes older than the
    last one, and made-up ones, change nothing.
    """
    if fix.mock or (approach.last is not None and fix.fix_time <= approach.last.fix_time):
        return approach, None
    distance = metres_between(fix.lon, fix.lat, lon, lat)
    inside = is_inside(
        fix, distance, road_m, rule=rule, was_inside=approach.inside_since is not None
    )
    since = (approach.inside_since or fix.fix_time) if inside else None
    following = Approach(since, fix)
    if since is not None and (fix.fix_time - since).total_seconds() >= rule.dwell_s:
        return following, Sign("arrived", since, distance)
    beyond = distance > rule.radius_m + _accuracy(fix) / 2
    if beyond and (passed := _passed(approach, fix, lon=lon, lat=lat, rule=rule)):
        return following, passed
    if _moving(approach.last, fix, rule=rule):
        return following, Sign("moving", fix.fix_time, distance)
    return following, None


def is_inside(
    fix: Fix, distance_m: float, road_m: float | None, *, rule: Arrival, was_inside: bool = False
) -> bool:
    """Whether a fix so far from the place, straight and by road, is there."""
    wide = 1.5 if was_inside else 1.0
    reach = wide * (rule.radius_m + _accuracy(fix) / 2)
    if distance_m <= reach:
        # Almost on the spot is there, whatever the roads say; across the river is not.
        cut_off = road_m is not None and road_m > rule.apart_m
        return not cut_off or distance_m <= rule.radius_m / 3
    return road_m is not None and road_m <= wide * rule.road_m and distance_m <= rule.far_m


def standing(
    fix: Fix, since: datetime, *, lon: float, lat: float, rule: Arrival, road_m: float | None = None
) -> Approach:
    """Where a crew begins that is given work while it stands: perhaps it is there already."""
    distance = metres_between(fix.lon, fix.lat, lon, lat)
    inside = not fix.mock and is_inside(fix, distance, road_m, rule=rule)
    return Approach(since if inside else None)


def _passed(approach: Approach, fix: Fix, *, lon: float, lat: float, rule: Arrival) -> Sign | None:
    """Whether the place lay on the way between two fixes, with time left for a stop there."""
    last = approach.last
    if last is None:
        return None
    was_near = metres_between(last.lon, last.lat, lon, lat) <= rule.radius_m + _accuracy(last) / 2
    if was_near and approach.inside_since is None:
        # so near before, and yet not there: a river lies between
        return None
    seconds = (fix.fix_time - last.fix_time).total_seconds()
    if not 0 < seconds <= rule.gap_s:
        return None
    distance, share = _closest(last, fix, lon=lon, lat=lat)
    if distance > rule.radius_m:
        return None
    metres = metres_between(last.lon, last.lat, fix.lon, fix.lat)
    speed = max(rule.pass_ms, last.speed_ms or 0.0, fix.speed_ms or 0.0)
    if seconds - DETOUR * metres / speed < rule.dwell_s:
        return None
    return Sign("passed", last.fix_time + share * timedelta(seconds=seconds), distance)


def _closest(a: Fix, b: Fix, *, lon: float, lat: float) -> tuple[float, float]:
    """Metres from the place to the straight line between two fixes, and how far along it (0…1)."""
    wide = math.cos(math.radians(lat)) * METRES_PER_DEGREE
    ax, ay = (a.lon - lon) * wide, (a.lat - lat) * METRES_PER_DEGREE
    dx, dy = (b.lon - a.lon) * wide, (b.lat - a.lat) * METRES_PER_DEGREE
    squared = dx * dx + dy * dy
    share = 0.0 if squared == 0 else min(1.0, max(0.0, -(ax * dx + ay * dy) / squared))
    return math.hypot(ax + share * dx, ay + share * dy), share


def _moving(last: Fix | None, fix: Fix, *, rule: Arrival) -> bool:
    if fix.speed_ms is not None and fix.speed_ms >= 0:
        return fix.speed_ms >= rule.moving_ms
    if last is None:
        return False
    seconds = (fix.fix_time - last.fix_time).total_seconds()
    moved = metres_between(last.lon, last.lat, fix.lon, fix.lat) - _accuracy(fix)
    return seconds > 0 and moved / seconds >= rule.moving_ms


def _accuracy(fix: Fix) -> float:
    return min(fix.accuracy_m or 0.0, VAGUEST_M)


def flag_of(
    distance_m: float | None, *, mock: bool, rule: Arrival
) -> Literal["far", "unseen", "mock"] | None:
    """What speaks against a button pressed so far from the place; None when nothing does."""
    if mock:
        return "mock"
    if distance_m is None:
        return "unseen"
    return "far" if distance_m > rule.far_m else None


def proves(
    *,
    distance_m: float,
    taken_at: datetime | None,
    arrived_at: datetime | None,
    rule: Arrival,
) -> bool:
    """Whether a photo taken so far from the place, at that time, proves the arrival."""
    if taken_at is None or arrived_at is None or distance_m > rule.far_m:
        return False
    return abs((taken_at - arrived_at).total_seconds()) <= rule.photo_s
