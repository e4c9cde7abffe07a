"""Drives on roads that nobody built: hidden factors by road and hour, outliers, turnouts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.trips import GROUPS, Trips

Floats = NDArray[np.float64]

HIDDEN: Floats = 1.08 * np.array(
    [
        [1.0, 1.0, 1.0, 1.0, 1.0],
        [1.05, 1.25, 1.1, 1.3, 1.1],
        [1.05, 1.4, 1.2, 1.5, 1.1],
        [1.1, 1.6, 1.3, 1.7, 1.15],
        [1.0, 1.5, 1.15, 1.6, 1.05],
        [0.95, 1.3, 1.0, 1.4, 1.0],
    ]
)
DAY_S = 86_400.0


def made_up_trips(
    n: int, *, seed: int, slow_from: int | None = None, slow: float = 1.3, hidden: Floats = HIDDEN
) -> Trips:
    """`n` drives in the order in which they ended; from `slow_from` on everything is `slow`."""
    chance = np.random.default_rng(seed)
    base_s = chance.gamma(2.2, 160.0, n) + 40.0
    drive_s = base_s[:, None] * chance.dirichlet([0.01, 0.6, 1.5, 1.5, 1.5, 2.5], n)
    left_at = np.sort(chance.uniform(0.0, 90 * DAY_S, n))
    hour = (left_at % DAY_S) / 3600.0
    band = np.searchsorted([6.0, 9.0, 15.0, 19.0], hour, side="right")
    actual_s = (drive_s * hidden[:, band].T).sum(axis=1)
    actual_s *= np.exp(chance.standard_t(5, n) * 0.16)
    actual_s += chance.gamma(2.0, 30.0, n)
    if slow_from is not None:
        actual_s[slow_from:] *= slow
    turnout_s = np.exp(chance.normal(np.log(75.0), 0.4, n))
    assert drive_s.shape[1] == len(GROUPS)
    return Trips(drive_s, band, actual_s, left_at, turnout_s, ("",) * n).in_order()
