"""Drives that crews made: what the roads said, by class of road, and what they took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from geo.osm_rules import ROAD_CLASSES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GROUPS = ("unknown", "fast", "primary", "secondary", "tertiary", "local")
"""Classes of road that are slow and fast together; the columns of `Trips.drive_s`."""
_FAST = {"motorway", "trunk"}

GROUP_OF_CLASS: Ints = np.array(
    [
        GROUPS.index(name if name in GROUPS else "fast" if name in _FAST else "local")
        for name in ROAD_CLASSES
    ]
)
"""The group of each of ROAD_CLASSES, shape (classes,)."""

BANDS = ("night", "morning", "day", "afternoon", "evening")
_BAND_STARTS_H = (6, 9, 15, 19)

SHORTEST_S, LONGEST_S = 20.0, 10_800.0
"""Drives shorter than the first or longer than the last say nothing about roads."""
MOST_OFF = 4.0
"""Whoever took so many times what the roads say, or so small a part, did something else too."""


@dataclass(frozen=True, slots=True, eq=False)
class Trips:
    """`n` drives in the order in which they ended."""

    drive_s: Floats
    """What the roads said before any calibration, seconds by GROUPS, shape (n, groups)."""
    band: Ints
    """The position in BANDS of when each began, shape (n,)."""
    actual_s: Floats
    """From rolling to arrived, shape (n,)."""
    left_at: Floats
    """When each began to roll, POSIX seconds, shape (n,)."""
    turnout_s: Floats
    """From asked to rolling; nan where unknown. Shape (n,)."""
    vehicle: tuple[str, ...]
    """The kind of vehicle, "" for an ordinary one."""

    @classmethod
    def none(cls) -> Trips:
        """No trips at all."""
        nothing = np.zeros(0)
        return cls(np.zeros((0, len(GROUPS))), np.zeros(0, np.int64), nothing, nothing, nothing, ())

    def __len__(self) -> int:
        return len(self.actual_s)

    @property
    def base_s(self) -> Floats:
        """What the roads said, shape (n,)."""
        total: Floats = self.drive_s.sum(axis=1)
        return total

    @property
    def ended_at(self) -> Floats:
        """When each arrived, POSIX seconds, shape (n,)."""
        return self.left_at + self.actual_s

    def only(self, which: Ints | NDArray[np.bool_] | slice) -> Trips:
        """Some of them, in this order."""
        rows = np.arange(len(self))[which]
        return Trips(
            self.drive_s[rows],
            self.band[rows],
            self.actual_s[rows],
            self.left_at[rows],
            self.turnout_s[rows],
            tuple(self.vehicle[row] for row in rows.tolist()),
        )

    def in_order(self) -> Trips:
        """The same by when they ended."""
        return self.only(np.argsort(self.ended_at, kind="stable"))

    def believable(self) -> Trips:
        """Those that can tell about roads: no pause on the way, no false start."""
        base, actual = self.base_s, self.actual_s
        ratio = actual / np.maximum(base, 1.0)
        good = (base >= SHORTEST_S) & (actual >= SHORTEST_S) & (actual <= LONGEST_S)
        return self.only(good & (ratio <= MOST_OFF) & (ratio >= 1.0 / MOST_OFF))


def band_of(at: datetime, lon: float) -> int:
    """The position in BANDS of a moment at a longitude.

    By the sun's clock, a whole hour every 15 degrees, which is within an hour of the legal one
    almost everywhere; Saturday and Sunday know no rush hours.
    """
    local = at + timedelta(hours=round(lon / 15.0))
    band = int(np.searchsorted(_BAND_STARTS_H, local.hour, side="right"))
    return 2 if local.weekday() >= 5 and band in (1, 3) else band
