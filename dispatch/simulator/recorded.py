"""Days like those a city has had: jobs drawn from what it received, as often as it should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dispatch.core.policy import Policy
from dispatch.simulator import demand
from dispatch.simulator.arrivals import Arrivals
from dispatch.simulator.demand import DAY_S, HOUR_S, Job, Type
from dispatch.simulator.scene import CrewSetup, Scene, homes, terrain_of
from dispatch.simulator.stage import Stage
from dispatch.simulator.streets import Spot
from geo.point import METRES_PER_DEGREE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
WEEK_H = 168
ALL_ROUND = 10
"""One crew in so many can do whatever the city is asked for."""


class TooLittle(ValueError):
    """The record is too short, or lies elsewhere; the text says which."""


def scene_of(
    stage: Stage,
    arrivals: Arrivals,
    policy: Policy,
    seed: int,
    *,
    load: float,
    crews: int,
    days: float,
    fewer_crews: int = 0,
) -> Scene:
    """A scene whose demand has the record's hours of the week, places, kinds and priorities.

    The record's rate is scaled to `load`; crews have the skills that the record asks for.
    Raises TooLittle when the record cannot fill a week or is not of this city.
    """
    sites = nearest_sites(stage, arrivals)
    inside = sites >= 0
    if inside.sum() < 50:
        raise TooLittle(
            f"Only {int(inside.sum())} of {len(arrivals)} requests lie in {stage.city}; "
            "a simulation needs at least 50."
        )
    types = types_of(arrivals, inside, policy)
    rate = demand.per_hour(load, crews, types)
    weights = np.bincount(sites[inside], minlength=len(stage.weights)).astype(np.float64)
    terrain = terrain_of(stage.streets, stage.posts, weights, types=types, rate=rate)
    skills = skills_of(types, crews)
    zones = homes(terrain, crews, busy_share=load)
    return Scene(
        city=stage.city,
        streets=stage.streets,
        jobs=draw(seed, arrivals, sites, types, rate=rate, days=days),
        crews=[CrewSetup(s, stage.posts[z]) for s, z in zip(skills, zones, strict=True)][
            : crews - fewer_crews
        ],
        terrain=replace(terrain, per_hour=rate * by_hour(arrivals)),
        posts=stage.posts,
        days=days,
        load=load,
        districts=stage.districts,
    )


def nearest_sites(stage: Stage, arrivals: Arrivals, *, within_m: float = 3_000.0) -> Ints:
    """The stage's site nearest to each arrival, −1 where none is near; shape (n,)."""
    places = np.array([stage.streets.lonlat(Spot(site=k)) for k in range(len(stage.weights))])
    squeeze = np.cos(np.radians(places[:, 1].mean()))
    scale = np.array([METRES_PER_DEGREE * squeeze, METRES_PER_DEGREE])
    ours = places * scale
    theirs = np.stack([arrivals.lon, arrivals.lat], axis=1) * scale
    found = np.full(len(arrivals), -1, dtype=np.int64)
    for k in np.flatnonzero(np.isfinite(theirs).all(axis=1)).tolist():
        away = np.hypot(*(ours - theirs[k]).T)
        if away.min() <= within_m:
            found[k] = int(away.argmin())
    return found


def types_of(arrivals: Arrivals, inside: NDArray[np.bool_], policy: Policy) -> tuple[Type, ...]:
    """The record's services by share, with the skills the policy asks for."""
    counts = Counter(
        code
        for code, good in zip(arrivals.service_code, inside.tolist(), strict=True)
        if good and code in policy.services
    )
    total = sum(counts.values())
    if not total:
        raise TooLittle("The record has no category that the policy knows.")
    on_scene_s = policy.matching.mean_service_s
    return tuple(
        Type(code, frozenset(policy.services[code].skills), n / total, on_scene_s)
        for code, n in sorted(counts.items())
    )


def skills_of(types: Sequence[Type], crews: int) -> list[frozenset[str]]:
    """Skills for so many crews: each skill as often as it is asked for, and at least once."""
    asked: dict[str, float] = {}
    for kind in types:
        for skill in kind.skills:
            asked[skill] = asked.get(skill, 0.0) + kind.share
    names = sorted(asked)
    if not names:
        return [frozenset() for _ in range(crews)]
    given = dict.fromkeys(names, 0)
    every = max(1, crews // ALL_ROUND)
    found = [frozenset(names)] * min(every, crews)
    while len(found) < crews:
        # whoever is asked for most, for each crew that has it already (D'Hondt)
        name = max(names, key=lambda skill: (asked[skill] / (given[skill] + 1), skill))
        given[name] += 1
        found.append(frozenset({name}))
    return found


def by_hour(arrivals: Arrivals) -> Floats:
    """How much of the record falls in each hour of the day, mean 1, shape (24,)."""
    hours = (arrivals.t_s // HOUR_S).astype(np.int64) % 24
    counts = np.bincount(hours, minlength=24).astype(np.float64)
    shape: Floats = counts / counts.mean()
    return shape


def draw(
    seed: int,
    arrivals: Arrivals,
    sites: Ints,
    types: Sequence[Type],
    *,
    rate: float,
    days: float,
) -> list[Job]:
    """Jobs of a seed: a Poisson process with the record's hours of the week (thinned), and each
    job's place, kind and priority those of a record of that hour. `rate` is per hour, the mean.
    """
    known = {kind.service_code: kind for kind in types}
    usable = np.array(
        [
            site >= 0 and code in known
            for site, code in zip(sites.tolist(), arrivals.service_code, strict=True)
        ]
    )
    hour_of = (arrivals.t_s // HOUR_S).astype(np.int64) % WEEK_H
    lists = [np.flatnonzero(usable & (hour_of == hour)) for hour in range(WEEK_H)]
    shape = np.array([len(found) for found in lists], dtype=np.float64)
    shape /= shape.mean()
    most = float(shape.max())
    chance = np.random.default_rng([seed, 17])
    count = int(chance.poisson(rate * most * days * 24))
    at = np.sort(chance.uniform(0, days * DAY_S, count))
    hours = (at // HOUR_S).astype(np.int64) % WEEK_H
    kept = at[chance.uniform(size=count) < shape[hours] / most]
    jobs = []
    for moment in kept.tolist():
        pool = lists[int(moment // HOUR_S) % WEEK_H]
        record = int(pool[int(chance.integers(len(pool)))])
        kind = known[arrivals.service_code[record]]
        jobs.append(
            demand.job(chance, moment, int(sites[record]), kind, int(arrivals.priority[record]))
        )
    return jobs
