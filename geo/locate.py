"""From what a device sent to a position that can be believed: a list of steps that can be read.

Each step is `(track, last, seen, settings) -> (track, verdict)` and touches nothing else: `track`
is what earlier fixes of this device showed, `last` the newest fix on the map of whoever carries
it, `seen` the fix at hand. A verdict that ends is the last word about the fix; a late one is kept
and goes on, but moves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from geo.network import Nearby
from geo.point import METRES_PER_DEGREE, Box, Point, suspicion

Reason = Literal[
    "not_a_position",
    "swapped",
    "zero",
    "whole_degree",
    "out_of_region",
    "future",
    "too_old",
    "jump",
]
REASONS: tuple[Reason, ...] = (
    "not_a_position",
    "swapped",
    "zero",
    "whole_degree",
    "out_of_region",
    "future",
    "too_old",
    "jump",
)
"""Why a fix is not believed."""


class RawFix(Protocol):
    """What a device sent. Degrees, metres, m/s, degrees from north; None is unknown."""

    @property
    def lon(self) -> float: ...
    @property
    def lat(self) -> float: ...
    @property
    def fix_time(self) -> datetime: ...
    @property
    def server_time(self) -> datetime: ...
    @property
    def accuracy_m(self) -> float | None: ...
    @property
    def heading(self) -> float | None: ...
    @property
    def speed_ms(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Settings:
    """The numbers of the steps; `region` is where positions can be at all.

    `jump_ms` is faster than anybody drives; after `agree` fixes that agree with each other it is
    the old place that was wrong. `smooth_ms` is how fast a position may wander between two fixes
    of a device that stands; `snap_m` is how far from its road a vehicle is drawn on it; whoever
    stays within `still_m` stands; `moving_ms` is the least speed whose heading means something.
    """

    region: Box
    ahead_s: float = 60.0
    oldest_s: float = 172_800.0
    jump_ms: float = 70.0
    agree: int = 3
    smooth_ms: float = 1.5
    snap_m: float = 35.0
    still_m: float = 25.0
    moving_ms: float = 1.5


@dataclass(frozen=True, slots=True)
class Seen:
    """A fix as it passes through the steps, with the roads around it."""

    fix: RawFix
    roads: Sequence[Nearby] = ()


@dataclass(frozen=True, slots=True)
class Spot:
    """A smoothed place; `variance_m2` says how sure it is."""

    lon: float
    lat: float
    variance_m2: float


@dataclass(frozen=True, slots=True)
class OnRoad:
    """The place on the road, and the segment u → v (OSM node ids) in the direction of driving."""

    lon: float
    lat: float
    u: int
    v: int
    metres: float


@dataclass(frozen=True, slots=True)
class Motion:
    """How it moves: m/s and degrees from north, and since when it stands around the anchor."""

    speed_ms: float
    heading: float | None
    anchor_lon: float
    anchor_lat: float
    still_since: datetime


@dataclass(frozen=True, slots=True)
class Doubt:
    """A place that looked like a jump, and how many fixes in a row agree on it."""

    fix: RawFix
    count: int


@dataclass(frozen=True, slots=True)
class Track:
    """What earlier fixes of one device showed. `times` are those seen lately, refused ones too."""

    times: tuple[datetime, ...] = ()
    last: RawFix | None = None
    doubt: Doubt | None = None
    spot: Spot | None = None
    road: OnRoad | None = None
    motion: Motion | None = None

    @property
    def shown(self) -> tuple[float, float] | None:
        """Where to draw it: on its road, else where it was smoothed to."""
        if self.road is not None:
            return self.road.lon, self.road.lat
        return (self.spot.lon, self.spot.lat) if self.spot else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a step says of a fix."""

    word: Literal["repeated", "late", "refused"]
    reason: Reason | None = None

    @property
    def ends(self) -> bool:
        """Whether no further step looks at the fix."""
        return self.word != "late"


REPEATED = Verdict("repeated")
LATE = Verdict("late")
_REFUSED = {reason: Verdict("refused", reason) for reason in REASONS}

Told = tuple[Track, Verdict | None]
Step = Callable[[Track, RawFix | None, Seen, Settings], Told]

REMEMBERED = 256
DEFAULT_ACCURACY_M = 15.0
LEAST_ACCURACY_M = 3.0
ASTRAY = 4.0
"""What a road across the heading costs, as much as lying 2.8 standard deviations off."""


def locate(
    track: Track, last: RawFix | None, seen: Seen, settings: Settings
) -> tuple[Track, tuple[Verdict, ...]]:
    """One fix through every step; the track after it, and what was said of the fix."""
    said: tuple[Verdict, ...] = ()
    for step in STEPS:
        track, verdict = step(track, last, seen, settings)
        if verdict is not None:
            said = (*said, verdict)
            if verdict.ends:
                break
    return track, said


# --- the steps ------------------------------------------------------------------------


def deduplicate(track: Track, last: RawFix | None, seen: Seen, settings: Settings) -> Told:
    """A fix is known by its device and its time: the same one again changes nothing."""
    at = seen.fix.fix_time
    times = track.times
    if times and at <= times[-1] and at in times:
        return track, REPEATED
    # The newest stays last, so that fixes that come in order are never searched for.
    kept = times[1 - REMEMBERED :]
    times = (*kept, at) if not kept or at > kept[-1] else (*kept[:-1], at, kept[-1])
    return Track(times, track.last, track.doubt, track.spot, track.road, track.motion), None


def order(track: Track, last: RawFix | None, seen: Seen, settings: Settings) -> Told:
    """A fix older than the one on the map goes to the history and drags nothing back."""
    return track, LATE if is_late(last, seen.fix) else None


def is_late(last: RawFix | None, fix: RawFix) -> bool:
    """Whether something newer is on the map already."""
    return last is not None and fix.fix_time <= last.fix_time


def reject(track: Track, last: RawFix | None, seen: Seen, settings: Settings) -> Told:
    """Refuse what cannot be true."""
    fix = seen.fix
    reason = impossible(fix, settings)
    if reason is not None:
        return track, _REFUSED[reason]
    if track.last is None or is_late(last, fix) or not jumps(track.last, fix, settings):
        return track, None
    doubt = track.doubt
    agrees = doubt is not None and not jumps(doubt.fix, fix, settings)
    count = 1 + (doubt.count if doubt is not None and agrees else 0)
    if count >= settings.agree:
        # Everything before was wrong: begin anew where the device now surely is.
        return Track(track.times), None
    doubted = Track(
        track.times, track.last, Doubt(fix, count), track.spot, track.road, track.motion
    )
    return doubted, _REFUSED["jump"]


def impossible(fix: RawFix, settings: Settings) -> Reason | None:
    """Why the fix by itself cannot be true."""
    lon, lat, box = fix.lon, fix.lat, settings.region
    if not (box.west <= lon <= box.east and box.south <= lat <= box.north):
        return _nowhere(lon, lat, box)
    if abs(lat - round(lat)) < 1e-4 and (odd := suspicion(Point(lon, lat))):
        return odd
    age_s = (fix.server_time - fix.fix_time).total_seconds()
    if age_s < -settings.ahead_s:
        return "future"
    return "too_old" if age_s > settings.oldest_s else None


def _nowhere(lon: float, lat: float, box: Box) -> Reason:
    if box.west <= lat <= box.east and box.south <= lon <= box.north:
        return "swapped"
    # written so that what is no number at all fails too
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        return "not_a_position"
    return suspicion(Point(lon, lat)) or "out_of_region"


def jumps(before: RawFix, fix: RawFix, settings: Settings) -> bool:
    """Whether nobody drives that fast, even if both fixes were off by their accuracy."""
    seconds = (fix.fix_time - before.fix_time).total_seconds()
    if seconds <= 0:
        return False
    metres = apart_m(before.lon, before.lat, fix.lon, fix.lat)
    slack = (before.accuracy_m or 0.0) + (fix.accuracy_m or 0.0)
    return (metres - slack) / seconds > settings.jump_ms


def smooth(track: Track, last: RawFix | None, seen: Seen, settings: Settings) -> Told:
    """Weigh the fix against where the device was, by how sure both are.

    A Kalman filter over a random walk, one variance for both axes: a device that stands hardly
    trembles, one that drives is followed at once because its own speed widens the walk.
    """
    fix = seen.fix
    if is_late(last, fix):
        return track, None
    noise_m2 = _accuracy(fix) ** 2
    spot, before = track.spot, track.last
    if spot is None or before is None:
        spot = Spot(fix.lon, fix.lat, noise_m2)
    else:
        seconds = (fix.fix_time - before.fix_time).total_seconds()
        walk_ms = max(settings.smooth_ms, _speed(track, fix, seconds))
        variance = spot.variance_m2 + (walk_ms * seconds) ** 2
        share = variance / (variance + noise_m2)
        spot = Spot(
            spot.lon + share * (fix.lon - spot.lon),
            spot.lat + share * (fix.lat - spot.lat),
            (1.0 - share) * variance,
        )
    return Track(track.times, before, track.doubt, spot, track.road, track.motion), None


def match(track: Track, last: RawFix | None, seen: Seen, settings: Settings) -> Told:
    """Choose the road it drives on, if one is near; the fix itself stays what it was.

    The online form of Newson & Krumm (2009): how far off the road is against how exact the fix
    is, whether the road leads where the device heads, and whether it follows the last road.
    """
    fix = seen.fix
    if is_late(last, fix):
        return track, None
    best, least = None, math.inf
    if seen.roads:
        heading = _heading(track, fix, settings)
        sigma = max(6.0, _accuracy(fix) / 2)
        for near in seen.roads:
            if near.metres > settings.snap_m:
                continue
            cost = (near.metres / sigma) ** 2 / 2 + _follows(track.road, near)
            if heading is not None:
                cost += ASTRAY * (1.0 - _along(near, heading))
            if cost < least:
                best, least = near, cost
    road = None if best is None else _on(best, _heading(track, fix, settings), track.road)
    return Track(track.times, track.last, track.doubt, track.spot, road, track.motion), None


def derive_motion(track: Track, last: RawFix | None, seen: Seen, settings: Settings) -> Told:
    """How fast, which way, and since when it stands, where the device does not say."""
    fix, spot = seen.fix, track.spot
    if spot is None or is_late(last, fix):
        return track, None
    before, old = track.last, track.motion
    seconds = (fix.fix_time - before.fix_time).total_seconds() if before else 0.0
    speed = _speed(track, fix, seconds)
    heading = _heading(track, fix, settings)
    if heading is None and old is not None:
        heading = old.heading
    anchor_lon, anchor_lat, since = spot.lon, spot.lat, fix.fix_time
    if old is not None:
        drift = apart_m(old.anchor_lon, old.anchor_lat, spot.lon, spot.lat)
        if drift <= settings.still_m + min(_accuracy(fix), 100.0) / 2:
            anchor_lon, anchor_lat, since = old.anchor_lon, old.anchor_lat, old.still_since
    motion = Motion(speed, heading, anchor_lon, anchor_lat, since)
    return Track(track.times, before, track.doubt, spot, track.road, motion), None


def remember(track: Track, last: RawFix | None, seen: Seen, settings: Settings) -> Told:
    """The fix is the device's newest now, and no jump is in doubt any more."""
    if is_late(last, seen.fix):
        return track, None
    return Track(track.times, seen.fix, None, track.spot, track.road, track.motion), None


STEPS: tuple[Step, ...] = (
    deduplicate,
    order,
    reject,
    smooth,
    match,
    derive_motion,
    remember,
)
"""In this order. Decoding and authenticating come before, at the doors; arrival comes after."""


# --- small sums -----------------------------------------------------------------------


def apart_m(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Equirectangular distance, metres; within 0.1 % at city scale."""
    dx = (lon_b - lon_a) * math.cos(math.radians((lat_a + lat_b) / 2))
    return math.hypot(dx, lat_b - lat_a) * METRES_PER_DEGREE


def _accuracy(fix: RawFix) -> float:
    known = fix.accuracy_m
    return DEFAULT_ACCURACY_M if known is None else max(known, LEAST_ACCURACY_M)


def _speed(track: Track, fix: RawFix, seconds: float) -> float:
    """m/s as the device says, else from where it was, less what its trembling explains."""
    if fix.speed_ms is not None and fix.speed_ms >= 0:
        return fix.speed_ms
    before = track.last
    if before is None or seconds <= 0:
        return 0.0
    metres = apart_m(before.lon, before.lat, fix.lon, fix.lat)
    return max(0.0, metres - min(_accuracy(fix), 50.0)) / seconds


def _heading(track: Track, fix: RawFix, settings: Settings) -> float | None:
    """Degrees from north when it surely moves, None when it may be standing."""
    slow = fix.speed_ms is not None and 0 <= fix.speed_ms < settings.moving_ms
    if slow:
        return None
    if fix.heading is not None and fix.speed_ms is not None and fix.speed_ms > 0:
        return fix.heading
    before = track.last
    if before is None:
        return None
    if apart_m(before.lon, before.lat, fix.lon, fix.lat) < max(8.0, _accuracy(fix)):
        return None
    east = (fix.lon - before.lon) * math.cos(math.radians(fix.lat))
    return math.degrees(math.atan2(east, fix.lat - before.lat)) % 360.0


def _along(near: Nearby, heading: float) -> float:
    """Cosine of the angle to the nearest direction in which the road may be driven."""
    cosine = math.cos(math.radians(heading - near.bearing))
    if near.forth and near.back:
        return abs(cosine)
    return cosine if near.forth else -cosine


def _follows(road: OnRoad | None, near: Nearby) -> float:
    """What it costs to be on this road after the last one."""
    if road is None:
        return 0.0
    ends = (road.u, road.v)
    shared = (near.u in ends) + (near.v in ends)
    return (1.5, 0.3, 0.0)[shared]


def _on(near: Nearby, heading: float | None, before: OnRoad | None) -> OnRoad:
    """The place on the road, in the direction it is driven."""
    ahead = near.forth
    if near.forth and near.back:
        if heading is not None:
            ahead = math.cos(math.radians(heading - near.bearing)) >= 0
        elif before is not None:
            ahead = (before.u, before.v) != (near.v, near.u)
    u, v = (near.u, near.v) if ahead else (near.v, near.u)
    return OnRoad(near.lon, near.lat, u, v, near.metres)
