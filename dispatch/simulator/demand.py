"""What happens in a simulated city, drawn from a seed: the same for every policy.

Synthetic demand is a Poisson process thinned by the hour of the day; on-scene times are lognormal
with a coefficient of variation of 0.7, travel noise is lognormal with sd of log 0.25.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S

_BY_HOUR: Floats = np.array(
    [
        *(0.35, 0.3, 0.3, 0.3, 0.4, 0.6, 0.9, 1.3, 1.5, 1.4, 1.3, 1.3),
        *(1.25, 1.25, 1.3, 1.35, 1.4, 1.5, 1.4, 1.2, 1.0, 0.8, 0.6, 0.4),
    ]
)
BY_HOUR: Floats = _BY_HOUR / _BY_HOUR.mean()
"""Incidents by hour of the day, mean 1, shape (24,)."""

SLOW: Floats = np.array(
    [
        *(1.0, 1.0, 1.0, 1.0, 1.0, 1.05, 1.2, 1.4, 1.45, 1.25, 1.15, 1.15),
        *(1.15, 1.15, 1.2, 1.3, 1.4, 1.5, 1.4, 1.2, 1.1, 1.05, 1.0, 1.0),
    ]
)
"""How much slower than usual the roads are, by hour of the day, shape (24,)."""

THINNING = 1.7
SERVICE_CV = 0.7
TRAVEL_SIGMA = 0.25
TRAVEL_GUESS_S = 540.0
PRANK_ON_SCENE_S = 480.0

STORM_AT_S = DAY_S + 15 * HOUR_S
STORM_REPORTS = 60
STORM_REPORTS_WITHIN_S = 2 * HOUR_S
STORM_SLOW_UNTIL_S = DAY_S + 20 * HOUR_S
STORM_SLOW = 1.2
STORM_COUNTED_UNTIL_S = DAY_S + 24 * HOUR_S


CALM = "Mohon segera ditangani, mengganggu warga sekitar."
SHORT = "tolong!!"


@dataclass(frozen=True, slots=True)
class Type:
    """A kind of incident: its share of all, and its mean seconds of work on scene."""

    service_code: str
    skills: frozenset[str]
    share: float
    on_scene_s: float


TYPES = (
    Type("waste", frozenset(), 0.70, 1800.0),
    Type("fallen_tree", frozenset({"chainsaw"}), 0.18, 3000.0),
    Type("traffic_light", frozenset({"electrical"}), 0.12, 2700.0),
)
PRIORITY_SHARES = (0.15, 0.35, 0.50)
"""Of priority 1, 2, 3."""
STORM_PRIORITY_SHARES = (0.3, 0.4, 0.3)


@dataclass(frozen=True, slots=True)
class Job:
    """Something that will be reported: when, where, what it is, how long it takes.

    `travel` multiplies the road time of whoever drives there; `chance` is a number in [0, 1) that
    decides, with the crew, who declines it.
    """

    at_s: float
    site: int
    service_code: str
    priority: int
    on_scene_s: float
    travel: float
    chance: float
    genuine: bool = True
    storm: bool = False
    contact: bool = True
    description: str = CALM


def per_hour(load: float, crews: int, types: Sequence[Type] = TYPES) -> float:
    """Incidents per hour that bind `crews` crews for the share `load` of their time.

    Work on scene plus nine minutes of driving.
    """
    bound_s = sum(t.share * t.on_scene_s for t in types) + TRAVEL_GUESS_S
    return load * crews / bound_s * HOUR_S


def synthetic(
    seed: int,
    *,
    load: float,
    crews: int,
    days: float,
    weights: Floats,
    xy: Floats,
    storm: bool = False,
    pranks: float = 0.05,
    types: Sequence[Type] = TYPES,
) -> list[Job]:
    """The jobs of a seed. `weights` (sites,) say where, `xy` (sites, 2) metres for the storm.

    `pranks` is the share of additional false reports among all.
    """
    chance = np.random.default_rng([seed, 7])
    rate = per_hour(load, crews, types)
    moments = _moments(chance, rate, days)
    moments, genuine = _with_pranks(chance, moments, rate, days, pranks)
    count = len(moments)
    sites = chance.choice(len(weights), count, p=weights / weights.sum())
    kinds = chance.choice(len(types), count, p=[t.share for t in types])
    priorities = 1 + chance.choice(3, count, p=PRIORITY_SHARES)
    jobs = [
        job(
            chance,
            float(moments[i]),
            int(sites[i]),
            types[kinds[i]],
            int(priorities[i]),
            genuine=bool(genuine[i]),
        )
        for i in range(count)
    ]
    if storm:
        jobs += _storm(np.random.default_rng([seed, 8]), types, xy)
    return sorted(jobs, key=lambda job: (job.at_s, job.site))


def _moments(chance: np.random.Generator, per_hour_: float, days: float) -> Floats:
    """A Poisson process with the profile of the day, by thinning (Lewis and Shedler 1979)."""
    count = chance.poisson(per_hour_ * THINNING * days * 24)
    at = np.sort(chance.uniform(0, days * DAY_S, count))
    kept: Floats = at[
        chance.uniform(size=count) < BY_HOUR[(at // HOUR_S % 24).astype(int)] / THINNING
    ]
    return kept


def _with_pranks(
    chance: np.random.Generator, moments: Floats, rate: float, days: float, pranks: float
) -> tuple[Floats, NDArray[np.bool_]]:
    false = _moments(np.random.default_rng(chance.integers(2**32)), rate * pranks, days)
    both = np.concatenate([moments, false])
    genuine = np.concatenate([np.ones(len(moments), bool), np.zeros(len(false), bool)])
    order = np.argsort(both, kind="stable")
    return both[order], genuine[order]


def _lognormal(chance: np.random.Generator, mean: float) -> float:
    sigma = float(np.sqrt(np.log(1 + SERVICE_CV**2)))
    return float(mean * np.exp(chance.normal() * sigma - sigma * sigma / 2))


def job(
    chance: np.random.Generator,
    at_s: float,
    site: int,
    kind: Type,
    priority: int,
    *,
    genuine: bool = True,
    storm: bool = False,
) -> Job:
    """A job of a kind at a moment and site, its work, travel and reporter drawn."""
    on_scene_s = _lognormal(chance, kind.on_scene_s if genuine else PRANK_ON_SCENE_S)
    travel = float(np.exp(chance.normal() * TRAVEL_SIGMA))
    told = chance.uniform(size=3)
    return Job(
        at_s=at_s,
        site=site,
        service_code=kind.service_code,
        priority=priority,
        on_scene_s=on_scene_s,
        travel=travel,
        chance=float(told[0]),
        genuine=genuine,
        storm=storm,
        contact=bool(told[1] < (0.7 if genuine else 0.15)),
        description=CALM if told[2] < (0.9 if genuine else 0.4) else SHORT,
    )


def _storm(chance: np.random.Generator, types: Sequence[Type], xy: Floats) -> list[Job]:
    """Sixty trees in two hours around three places."""
    moments = STORM_AT_S + np.sort(chance.uniform(0, STORM_REPORTS_WITHIN_S, STORM_REPORTS))
    centres = xy[chance.integers(0, len(xy), 3)]
    spread = 0.18 * float(np.ptp(xy, axis=0).min())
    tree = next((t for t in types if t.skills), types[0])
    jobs = []
    for i, at_s in enumerate(moments):
        place = centres[i % 3] + chance.normal(size=2) * spread
        site = int(((xy - place) ** 2).sum(axis=1).argmin())
        priority = 1 + int(chance.choice(3, p=STORM_PRIORITY_SHARES))
        jobs.append(job(chance, float(at_s), site, tree, priority, storm=True))
    return jobs


def slow_at(at_s: float, *, storm: bool, slow: Floats = SLOW) -> float:
    """How much slower than usual the roads are at a moment."""
    factor = float(slow[int(at_s // HOUR_S) % 24])
    raging = storm and STORM_AT_S <= at_s <= STORM_SLOW_UNTIL_S
    return factor * STORM_SLOW if raging else factor
