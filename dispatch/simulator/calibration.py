"""Does the simulated city behave like the logged one: times foretold beside times that were."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dispatch.simulator.outcome import Outcome

Floats = NDArray[np.float64]
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
INTERVALS = ("processing", "turnout", "travel", "total_response", "on_scene")


@dataclass(frozen=True, slots=True)
class Spread:
    """How one interval is distributed, seconds; `quantiles` in the order of `QUANTILES`."""

    n: int
    mean_s: float
    quantiles: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Likeness:
    """An interval as simulated and as logged.

    `ks` is the two-sample Kolmogorov–Smirnov distance, 0 to 1; `ks_noise` what it stays below in
    95 % of comparisons of equal distributions (1.358·√((n+m)/nm), Smirnov 1948); `apart_s` is the
    1-Wasserstein distance: by how many seconds the distributions differ on average.
    """

    interval: str
    simulated: Spread
    logged: Spread
    ks: float
    ks_noise: float
    apart_s: float


@dataclass(frozen=True, slots=True)
class Foretold:
    """How good the arrival times were that crews and dispatchers were told when a crew was sent.

    Seconds. `bias_s` is the mean of actual minus foretold; `ratio` the median of actual over
    foretold; `sigma` the standard deviation of the log of that ratio; `covered` the share of
    arrivals within the foretold p90, None when none was foretold.
    """

    n: int
    bias_s: float
    mae_s: float
    ratio: float
    sigma: float
    covered: float | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """A replay beside a simulation of the same city."""

    source: str
    foretold: Foretold | None
    intervals: tuple[Likeness, ...]


def spread(values: Floats) -> Spread:
    """Mean and quantiles of seconds, shape (n,); zeros of nothing."""
    if not len(values):
        return Spread(0, 0.0, (0.0,) * len(QUANTILES))
    found = np.quantile(values, QUANTILES)
    return Spread(len(values), float(values.mean()), tuple(float(value) for value in found))


def likeness(interval: str, *, simulated: Floats, logged: Floats) -> Likeness:
    """Compare two samples of one interval, seconds, shapes (n,) and (m,).

    Raises ValueError when either is empty.
    """
    n, m = len(simulated), len(logged)
    if not n or not m:
        raise ValueError(f"There is nothing to compare of {interval}.")
    ours, theirs = np.sort(simulated), np.sort(logged)
    everything = np.sort(np.concatenate([ours, theirs]))
    gap = np.abs(
        np.searchsorted(ours, everything, side="right") / n
        - np.searchsorted(theirs, everything, side="right") / m
    )
    return Likeness(
        interval=interval,
        simulated=spread(ours),
        logged=spread(theirs),
        ks=float(gap.max()),
        ks_noise=1.358 * math.sqrt((n + m) / (n * m)),
        apart_s=float(gap[:-1] @ np.diff(everything)),
    )


def foretold(predicted_s: Floats, actual_s: Floats, *, p90_s: Floats | None = None) -> Foretold:
    """Foretold beside actual seconds, both shape (n,); pairs that are not positive are left out.

    Raises ValueError when no pair is left.
    """
    good = (predicted_s > 0) & (actual_s > 0)
    predicted, actual = predicted_s[good], actual_s[good]
    if not len(predicted):
        raise ValueError("No arrival was foretold.")
    ratio = actual / predicted
    within = None
    if p90_s is not None:
        known = good & (p90_s > 0)
        within = float((actual_s[known] <= p90_s[known]).mean()) if known.any() else None
    return Foretold(
        n=len(predicted),
        bias_s=float((actual - predicted).mean()),
        mae_s=float(np.abs(actual - predicted).mean()),
        ratio=float(np.median(ratio)),
        sigma=float(np.log(ratio).std()),
        covered=within,
    )


def calibrate(
    logged: Mapping[str, Floats],
    simulated: Mapping[str, Floats],
    *,
    source: str,
    told: Foretold | None = None,
) -> Calibration:
    """Every interval that both sides know, in the order of `INTERVALS`."""
    return Calibration(
        source=source,
        foretold=told,
        intervals=tuple(
            likeness(name, simulated=simulated[name], logged=logged[name])
            for name in INTERVALS
            if len(simulated.get(name, ())) and len(logged.get(name, ()))
        ),
    )


def intervals_of(outcome: Outcome) -> dict[str, Floats]:
    """The intervals of a run's counted incidents that were reached, seconds, by name."""
    jobs = [one for one in outcome.served if one.counted and math.isfinite(one.response_s)]
    return {
        "processing": np.array([one.processing_s for one in jobs]),
        "turnout": np.array([one.turnout_s for one in jobs]),
        "travel": np.array([one.travel_s for one in jobs]),
        "total_response": np.array([one.response_s for one in jobs]),
        "on_scene": np.array([one.on_scene_s for one in jobs]),
    }
