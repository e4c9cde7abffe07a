"""What one simulated run says about a policy: how often in time, how long, at what price."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dispatch.simulator.outcome import Outcome, Served

Floats = NDArray[np.float64]
TARGET_S = 1200.0
HOUR_S = 3600.0
DAY_H = 24
LAW_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Share:
    """A group of counted incidents: how many, how many late, and their mean response, seconds."""

    n: int
    late: int
    mean_s: float

    @property
    def on_time(self) -> float:
        """The share reached in time, 0 to 1; 1 of nothing."""
        return 1.0 - self.late / self.n if self.n else 1.0


@dataclass(frozen=True, slots=True)
class Balance:
    """Both sides of Little's law L = λW (Little 1961): the time average of the number there,
    measured while the run went on, and arrivals per second times their mean seconds there.
    """

    l_measured: float
    l_expected: float

    @property
    def gap(self) -> float:
        """The difference relative to the larger side; 0 when both are nothing."""
        larger = max(self.l_measured, self.l_expected)
        return abs(self.l_measured - self.l_expected) / larger if larger else 0.0

    @property
    def holds(self) -> bool:
        """Whether the sides agree within a thousandth (what is kept is rounded)."""
        return self.gap <= LAW_TOLERANCE


@dataclass(frozen=True, slots=True)
class Load:
    """A crew's work: bound and driving seconds as shares of its duty, kilometres, jobs."""

    crew: int
    skills: tuple[str, ...]
    bound: float
    driving: float
    km: float
    jobs: int
    move_ups: int


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """One run in numbers; only counted incidents that were genuine, unless said otherwise.

    Times in seconds. `demand` names the incidents that were received: two runs with the same
    name saw the same. `response_s` is ascending, infinite for whom nobody reached, and then
    `mean_s` is of those who were reached. `late_at` has a row (lon, lat, minutes past the
    target) for each late arrival. `queue` is the mean number of incidents received and not yet
    reached, by hour of the day.
    """

    policy: str
    city: str
    seed: int
    load: float
    scenario: str
    frictions: bool
    days: float
    demand: str
    n: int
    late: int
    unreached: int
    mean_s: float
    p50_s: float
    p90_s: float
    p95_s: float
    max_s: float
    processing_s: float
    turnout_s: float
    travel_s: float
    high: Share
    storm: Share
    by_priority: Mapping[str, Share]
    by_district: Mapping[str, Share]
    by_service: Mapping[str, Share]
    by_hour: tuple[Share, ...]
    queue: tuple[float, ...]
    diversions_per_job: float
    declines_per_job: float
    expiries_per_job: float
    km_per_job: float
    moves_per_crew_h: float
    workload: float
    workload_spread: float
    crews: tuple[Load, ...]
    decision_mean_ms: float
    decision_p99_ms: float
    waiting: Balance
    in_system: Balance
    response_s: Floats
    late_at: Floats
    cpu_s: Mapping[str, float] = field(default_factory=dict)

    @property
    def on_time(self) -> float:
        """The share of counted incidents reached in time, 0 to 1."""
        return 1.0 - self.late / self.n if self.n else 1.0

    @property
    def days_per_cpu_minute(self) -> float | None:
        """Simulated days in a minute of one processor; None when nobody measured."""
        spent = sum(self.cpu_s.values())
        return 60.0 * self.days / spent if spent > 0 else None


def figures(outcome: Outcome, *, target_s: float = TARGET_S) -> Figures:
    """The figures of one run; late is a response longer than `target_s`."""
    jobs = [one for one in outcome.served if one.counted and one.genuine]
    response = np.array([one.response_s for one in jobs])
    late = response > target_s
    reached = np.isfinite(response)
    everything = max(len(outcome.served), 1)
    duty_h = sum(crew.duty_s for crew in outcome.crews) / HOUR_S
    crews = tuple(
        Load(
            crew=crew.crew,
            skills=crew.skills,
            bound=_ratio(crew.bound_s, crew.duty_s),
            driving=_ratio(crew.driving_s, crew.duty_s),
            km=crew.km,
            jobs=crew.jobs,
            move_ups=crew.move_ups,
        )
        for crew in outcome.crews
    )
    bound = np.array([crew.bound for crew in crews])
    ms = np.array(outcome.decision_ms)

    def by(name: Callable[[Served], str]) -> dict[str, Share]:
        return _shares(jobs, name, target_s=target_s)

    hours = by(lambda one: str(int(one.received_s // HOUR_S) % DAY_H))
    return Figures(
        policy=outcome.policy,
        city=outcome.city,
        seed=outcome.seed,
        load=outcome.load,
        scenario=outcome.scenario,
        frictions=outcome.frictions,
        days=outcome.days,
        demand=demand_of(outcome),
        n=len(jobs),
        late=int(late.sum()),
        unreached=int((~reached).sum()),
        mean_s=_mean(response[reached]),
        **{
            name: _quantile(response, q)
            for name, q in (("p50_s", 0.5), ("p90_s", 0.9), ("p95_s", 0.95), ("max_s", 1.0))
        },
        processing_s=_mean(np.array([one.processing_s for one in jobs])[reached]),
        turnout_s=_mean(np.array([one.turnout_s for one in jobs])[reached]),
        travel_s=_mean(np.array([one.travel_s for one in jobs])[reached]),
        high=_share([one for one in jobs if one.priority == 1], target_s=target_s),
        storm=_share([one for one in jobs if one.storm], target_s=target_s),
        by_priority=by(lambda one: str(one.priority)),
        by_district=by(lambda one: one.district),
        by_service=by(lambda one: one.service_code),
        by_hour=tuple(hours.get(str(hour), Share(0, 0, 0.0)) for hour in range(DAY_H)),
        queue=queue_by_hour(outcome),
        diversions_per_job=outcome.diversions / everything,
        declines_per_job=outcome.declines / everything,
        expiries_per_job=outcome.expiries / everything,
        km_per_job=sum(crew.km for crew in outcome.crews) / everything,
        moves_per_crew_h=_ratio(outcome.move_ups, duty_h),
        workload=_mean(bound),
        workload_spread=float(bound.std()) if len(bound) else 0.0,
        crews=crews,
        decision_mean_ms=_mean(ms),
        decision_p99_ms=_quantile(ms, 0.99),
        waiting=waiting_law(outcome),
        in_system=system_law(outcome),
        response_s=np.sort(response),
        late_at=np.array(
            [
                (one.lon, one.lat, (one.response_s - target_s) / 60)
                for one in jobs
                if one.response_s > target_s
            ]
        ).reshape(-1, 3),
        cpu_s=outcome.cpu_s,
    )


def waiting_law(outcome: Outcome) -> Balance:
    """Little's law for incidents received and not yet reached, over the whole run."""
    return _law(outcome, outcome.waiting_mean, lambda one: one.response_s)


def system_law(outcome: Outcome) -> Balance:
    """Little's law for incidents received and not yet finished, over the whole run."""
    return _law(outcome, outcome.in_system_mean, lambda one: one.response_s + one.on_scene_s)


def demand_of(outcome: Outcome) -> str:
    """A short name of what was received: when, where and what, whoever was sent."""
    received = sorted(
        (round(one.received_s, 1), round(one.lon, 5), round(one.lat, 5), one.service_code)
        for one in outcome.served
    )
    return hashlib.blake2b(repr(received).encode(), digest_size=6).hexdigest()


def queue_by_hour(outcome: Outcome) -> tuple[float, ...]:
    """Mean number of incidents received and not yet reached, for each hour of the day.

    Of the days after the warm-up; nan for an hour that has none; shape (24,).
    """
    waited = np.zeros(DAY_H)
    for one in outcome.served:
        at, end = one.received_s, one.received_s + one.response_s
        at, end = max(at, outcome.warm_up_s), min(end, outcome.days * DAY_H * HOUR_S)
        while at < end:
            till = min(end, (at // HOUR_S + 1) * HOUR_S)
            waited[int(at // HOUR_S) % DAY_H] += till - at
            at = till
    shown = _seconds_of_hours(outcome.warm_up_s, outcome.days * DAY_H * HOUR_S)
    return tuple(float(w / s) if s else math.nan for w, s in zip(waited, shown, strict=True))


def _seconds_of_hours(start_s: float, end_s: float) -> Floats:
    """How many seconds of each hour of the day lie between two moments; shape (24,)."""
    edges = np.arange(np.floor(start_s / HOUR_S), np.ceil(end_s / HOUR_S) + 1) * HOUR_S
    seconds = np.diff(np.clip(edges, start_s, end_s))
    hours = (edges[:-1] // HOUR_S).astype(np.int64) % DAY_H
    return np.bincount(hours, weights=seconds, minlength=DAY_H).astype(np.float64)


def _law(outcome: Outcome, measured: float, stay: Callable[[Served], float]) -> Balance:
    stays = sum(stay(one) for one in outcome.served)
    return Balance(measured, _ratio(stays, outcome.ended_s))


def _shares(
    jobs: list[Served], name: Callable[[Served], str], *, target_s: float
) -> dict[str, Share]:
    groups: dict[str, list[Served]] = {}
    for one in jobs:
        groups.setdefault(name(one), []).append(one)
    return {key: _share(groups[key], target_s=target_s) for key in sorted(groups)}


def _share(jobs: list[Served], *, target_s: float) -> Share:
    response = np.array([one.response_s for one in jobs])
    return Share(
        n=len(jobs),
        late=int((response > target_s).sum()),
        mean_s=_mean(response[np.isfinite(response)]),
    )


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else 0.0


def _quantile(values: Floats, q: float) -> float:
    # "lower" never lies between a number and infinity
    return float(np.quantile(values, q, method="lower")) if len(values) else 0.0


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
