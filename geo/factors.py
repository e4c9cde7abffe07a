"""By how much roads are slower than the map says, by road and hour, from drives that were made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.trips import BANDS, Trips

Floats = NDArray[np.float64]

BAND_PRIOR, CITY_PRIOR, TURNOUT_PRIOR = 8.0, 20.0, 20.0
"""The trips that what is believed before any is seen counts as."""
RIDGE = 1.0
HUBER = 1.5
LEAST_FACTOR, MOST_FACTOR = 0.3, 6.0
NORMAL_MAD = 1.4826
"""A normal's standard deviation over its median absolute deviation."""

COLD: Floats = np.array(
    [
        # night morning  day  afternoon evening
        [1.00, 1.00, 1.00, 1.00, 1.00],  # unknown: a plain without roads has a city's speed
        [1.00, 1.32, 1.20, 1.44, 1.12],  # fast
        [1.00, 1.32, 1.20, 1.44, 1.12],  # primary
        [1.00, 1.32, 1.20, 1.44, 1.12],  # secondary
        [1.00, 1.21, 1.13, 1.29, 1.08],  # tertiary
        [1.00, 1.10, 1.06, 1.14, 1.04],  # local
    ]
)
"""The cold start, shape (groups, bands): what a city without trips of its own is believed to be.

TomTom's Traffic Index of Jakarta for 2018: 63 % over free flow in the morning rush, 88 % in the
evening's, 53 % all day. A middle-sized city gets half of that on its main roads, a third on its
tertiary, a sixth on its small ones. Free flow itself, with turns and signals, is the map's
(`geo.osm_rules.DRIVEN_SHARE`).
"""


def by_band(trips: Trips, prior: Floats) -> Floats:
    """Stage 1: prior·exp(g_b), where g_b is the band's median log ratio, shrunk.

    g_b = (n_b·median_b + BAND_PRIOR·g)/(n_b + BAND_PRIOR) towards the city's g, which is shrunk
    in the same way towards 0 (a normal mean with a normal prior: Gelman et al., Bayesian Data
    Analysis, 3rd ed., 2.5; medians for the outliers).
    """
    base = np.maximum((trips.drive_s * prior[:, trips.band].T).sum(axis=1), 1.0)
    log = np.log(trips.actual_s / base)
    n = len(trips)
    city = float(np.median(log)) * n / (n + CITY_PRIOR) if n else 0.0
    found = prior.copy()
    for band in range(len(BANDS)):
        own = log[trips.band == band]
        middle = float(np.median(own)) if len(own) else 0.0
        found[:, band] *= np.exp((len(own) * middle + BAND_PRIOR * city) / (len(own) + BAND_PRIOR))
    return found


def by_class(trips: Trips, prior: Floats) -> tuple[Floats, float]:
    """Stage 2: the factors and the constant that least miss, relative to each trip.

    Ridge regression (Hoerl & Kennard 1970) of (actual − p)/p on d_gb/p and 60 s/p around stage
    1's p, reweighted by Huber's weights (Huber 1964) so that detours and traffic jams of single
    trips count little. What few trips tell of stays near stage 1.
    """
    groups, bands = prior.shape
    n = len(trips)
    p = np.maximum((trips.drive_s * prior[:, trips.band].T).sum(axis=1), 1.0)
    design = np.zeros((n, groups * bands + 1))
    columns = np.arange(groups)[None, :] * bands + trips.band[:, None]
    design[np.arange(n)[:, None], columns] = trips.drive_s / p[:, None]
    design[:, -1] = 60.0 / p
    wanted = trips.actual_s / p - 1.0
    penalty = RIDGE * np.eye(groups * bands + 1)
    weight = np.ones(n)
    found = np.zeros(groups * bands + 1)
    for _ in range(5):
        weighted = design * weight[:, None]
        found = np.linalg.solve(design.T @ weighted + penalty, weighted.T @ wanted)
        missed = np.abs(wanted - design @ found)
        scale = max(NORMAL_MAD * float(np.median(missed)), 1e-6)
        weight = np.minimum(1.0, HUBER * scale / np.maximum(missed, 1e-9))
    factor = np.clip(prior + found[:-1].reshape(groups, bands), LEAST_FACTOR, MOST_FACTOR)
    return factor, max(60.0 * float(found[-1]), 0.0)


def turnouts(trips: Trips, prior_s: float) -> tuple[dict[str, float], float]:
    """Median turnout by vehicle, shrunk towards the city's, which is towards the policy's."""
    known = np.isfinite(trips.turnout_s) & (trips.turnout_s > 0.0)
    log = np.log(np.where(known, trips.turnout_s, 1.0))
    vehicles = np.array(trips.vehicle, dtype=object)
    everybody = _shrunk(log[known], float(np.log(max(prior_s, 1.0))))
    found = {
        str(kind): float(np.exp(_shrunk(log[known & (vehicles == kind)], everybody)))
        for kind in sorted(set(trips.vehicle))
    }
    return found, float(np.exp(everybody))


def _shrunk(log: Floats, towards: float) -> float:
    n = len(log)
    middle = float(np.median(log)) if n else 0.0
    return (n * middle + TURNOUT_PRIOR * towards) / (n + TURNOUT_PRIOR)
