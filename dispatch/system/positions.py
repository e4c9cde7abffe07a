"""Crew positions: through the steps of `geo.locate`, newest in memory, history in batches.

From door to map in one line: decode and authenticate (web.trackers) → `geo.locate.STEPS` →
detect arrival (dispatch.core.arrival, in `Follower`) → publish (the newest, once a second).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from dispatch.core.crews import Fix
from dispatch.system.cities import City
from geo.locate import LATE, REMEMBERED, Seen, Settings, Track, impossible, locate
from geo.network import Nearby

KEPT_WAITING = 500_000
"""So many fixes wait for a database that is away: four minutes of 2,000 crews at one a second."""


def settings_of(city: City) -> Settings:
    """The numbers of the steps for a city."""
    p = city.policy.positions
    return Settings(
        region=city.box.padded(p.outside_m),
        ahead_s=p.ahead_s,
        oldest_s=p.oldest_h * 3600.0,
        jump_ms=p.jump_ms,
        agree=p.agree,
        smooth_ms=p.smooth_ms,
        snap_m=p.snap_m,
        still_m=p.still_m,
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch: `moved` are the fixes that moved a marker, by fix time.

    `said` says of each fix of the batch, in its order: None, or late, repeated, or why it was
    refused.
    """

    moved: Sequence[Fix]
    said: Sequence[str | None]

    @property
    def refused(self) -> list[tuple[int, str]]:
        """The refused ones as (index, reason)."""
        fine = (None, "late", "repeated")
        return [(index, word) for index, word in enumerate(self.said) if word not in fine]


class Positions:
    """The newest fix of each crew of one city, and those not written yet. Thread safe."""

    def __init__(self, newest: Mapping[UUID, Fix]) -> None:
        self._newest = dict(newest)
        self._tracks: dict[tuple[UUID, str], Track] = {}
        self._waiting: deque[Fix] = deque(maxlen=KEPT_WAITING)
        self._changed: set[UUID] = set()
        self._untold: dict[UUID, datetime] = {}
        self._lock = threading.Lock()
        for fix in newest.values():
            # After a start what was believed last is believed still.
            self._tracks[fix.crew_id, fix.device] = Track(times=(fix.fix_time,), last=fix)

    def newest(self) -> dict[UUID, Fix]:
        """The newest fix of each crew."""
        with self._lock:
            return dict(self._newest)

    def of(self, crew_id: UUID) -> Fix | None:
        """The newest fix of one crew."""
        with self._lock:
            return self._newest.get(crew_id)

    def telling(self) -> datetime | None:
        """All newest fixes are told now; when the oldest of those came in that were not yet."""
        with self._lock:
            untold, self._untold = self._untold, {}
        return min(untold.values(), default=None)

    def still_since(self, crew_id: UUID) -> datetime | None:
        """Since when the crew stands where its newest fix is, by fix time; None is unknown."""
        with self._lock:
            fix = self._newest.get(crew_id)
            track = self._tracks.get((crew_id, fix.device)) if fix else None
        return track.motion.still_since if track and track.motion else None

    def take(self, city: City, fixes: Sequence[Fix]) -> Taken:
        """Lead each fix through the steps, oldest first, whatever the order of the batch.

        A late fix goes to the history without dragging the marker back.
        """
        settings = settings_of(city)
        said: list[str | None] = [None] * len(fixes)
        moved: list[Fix] = []
        ordered = sorted(range(len(fixes)), key=lambda i: (fixes[i].fix_time, i))
        near = self._roads_near(city, fixes, settings)
        with self._lock:
            for i in ordered:
                said[i] = self._take(fixes[i], near[i], settings, moved)
        return Taken(moved, said)

    def learn(self, fixes: Mapping[UUID, Fix]) -> list[Fix]:
        """Take over what other processes took in; returns what moved a marker.

        The next fix of the same device may come here: it is held against what came there.
        """
        moved = []
        with self._lock:
            for crew_id, fix in fixes.items():
                last = self._newest.get(crew_id)
                if last is not None and fix.fix_time <= last.fix_time:
                    continue
                self._newest[crew_id] = fix
                self._untold.setdefault(crew_id, fix.server_time)
                key = (crew_id, fix.device)
                track = self._tracks.get(key) or Track()
                times = tuple(sorted({*track.times, fix.fix_time})[-REMEMBERED:])
                self._tracks[key] = replace(track, times=times, last=fix)
                moved.append(fix)
        return moved

    @staticmethod
    def _roads_near(
        city: City, fixes: Sequence[Fix], settings: Settings
    ) -> Sequence[Sequence[Nearby]]:
        """The roads around all that may be on one, asked at once."""
        near: list[Sequence[Nearby]] = [()] * len(fixes)
        if settings.snap_m <= 0:
            return near
        able = [i for i, fix in enumerate(fixes) if impossible(fix, settings) is None]
        found = city.roads.roads_near(
            [(fixes[i].lon, fixes[i].lat) for i in able], within_m=settings.snap_m
        )
        for i, roads in zip(able, found, strict=True):
            near[i] = roads
        return near

    def _take(
        self, fix: Fix, roads: Sequence[Nearby], settings: Settings, moved: list[Fix]
    ) -> str | None:
        key = (fix.crew_id, fix.device)
        track, verdicts = locate(
            self._tracks.get(key) or Track(),
            self._newest.get(fix.crew_id),
            Seen(fix, roads),
            settings,
        )
        self._tracks[key] = track
        if verdicts and verdicts[-1].ends:
            return verdicts[-1].reason or verdicts[-1].word
        if LATE in verdicts:
            self._waiting.append(fix)
            return "late"
        placed = _placed(fix, track)
        self._waiting.append(placed)
        self._newest[fix.crew_id] = placed
        self._changed.add(fix.crew_id)
        self._untold.setdefault(fix.crew_id, fix.server_time)
        moved.append(placed)
        return None

    # --- writing ------------------------------------------------------------------

    def unwritten(self) -> tuple[list[Fix], list[Fix]]:
        """Take what waits to be written: the history, and the markers that moved."""
        with self._lock:
            waiting, self._waiting = list(self._waiting), deque(maxlen=KEPT_WAITING)
            markers = [self._newest[crew_id] for crew_id in sorted(self._changed)]
            self._changed.clear()
        return waiting, markers

    def put_back(self, fixes: Sequence[Fix], markers: Sequence[Fix]) -> None:
        """They could not be written; try again later, with the newest first in line to stay."""
        with self._lock:
            self._waiting = deque([*fixes, *self._waiting], maxlen=KEPT_WAITING)
            self._changed |= {fix.crew_id for fix in markers}


def _placed(fix: Fix, track: Track) -> Fix:
    """The fix as it was sent, with the road and the motion that it showed."""
    motion, road = track.motion, track.road
    lon, lat = track.shown or (fix.lon, fix.lat)
    speed = fix.speed_ms
    return Fix(
        fix.crew_id,
        fix.lon,
        fix.lat,
        fix.fix_time,
        fix.server_time,
        fix.accuracy_m,
        motion.heading if motion else fix.heading,
        speed,
        fix.battery,
        fix.mock,
        fix.device_time,
        fix.device,
        lon,
        lat,
        road.u if road else None,
        road.v if road else None,
    )
