"""Is the whole city slow just now? Told by the trips that ended last."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HALF_LIFE_TRIPS = 10.0
HALF_LIFE_S = 4 * 3600.0
PRIOR_TRIPS = 4.0
"""An ordinary day counts as so many trips."""
MOST_SIGMAS = 3.0
LOOKED_AT = 40


def tempo(ended_at: Floats, off: Floats, at: float, *, sigma: float) -> float:
    """By how much, as a logarithm, trips take longer now than the factors say.

    `off` are log(actual / by the factors) of the trips before `at`, in the order in which they
    ended. An exponentially weighted mean (Brown 1959), by trips and by hours, of errors cut off at
    MOST_SIGMAS·`sigma`, shrunk towards 0.
    """
    off, ended_at = off[-LOOKED_AT:], ended_at[-LOOKED_AT:]
    if not len(off):
        return 0.0
    rank = np.arange(len(off))[::-1]
    age_s = np.maximum(at - ended_at, 0.0)
    weight = np.exp2(-rank / HALF_LIFE_TRIPS - age_s / HALF_LIFE_S)
    kept = np.clip(off, -MOST_SIGMAS * sigma, MOST_SIGMAS * sigma)
    return float((weight @ kept) / (weight.sum() + PRIOR_TRIPS))


def tempos(ended_at: Floats, off: Floats, left_at: Floats, *, sigma: float) -> Floats:
    """The tempo that was known when each trip left, shape (n,); `ended_at` must not fall."""
    known = np.searchsorted(ended_at, left_at, side="right")
    return np.array(
        [
            tempo(
                ended_at[max(k - LOOKED_AT, 0) : k], off[max(k - LOOKED_AT, 0) : k], at, sigma=sigma
            )
            for k, at in zip(known.tolist(), left_at.tolist(), strict=True)
        ]
    )
