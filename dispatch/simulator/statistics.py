"""Is one policy better than another, and how sure are we: the same days under both, compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from dispatch.simulator.figures import Figures, Load, Share

Floats = NDArray[np.float64]
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the ends of its confidence interval; None when one seed alone gives none."""

    estimate: float
    low: float | None
    high: float | None
    n: int

    @property
    def above_zero(self) -> bool:
        """Whether the whole interval is a gain."""
        return self.low is not None and self.low > 0


def mean_interval(values: Sequence[float], *, confidence: float = CONFIDENCE) -> Interval:
    """Student's t interval of a mean over independent seeds: x̄ ± t·s/√n, n − 1 degrees."""
    found = np.asarray(values, dtype=np.float64)
    n = len(found)
    if n == 0:
        return Interval(math.nan, None, None, 0)
    mean = float(found.mean())
    if n == 1:
        return Interval(mean, None, None, 1)
    half = _t(n, confidence) * float(found.std(ddof=1)) / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, n)


def cut_interval(
    late: Sequence[float], base: Sequence[float], *, confidence: float = CONFIDENCE
) -> Interval:
    """The share of late arrivals that is cut, 1 − ΣL/ΣB over paired seeds, with its interval.

    R = ΣL/ΣB is a ratio estimator (Cochran 1977, Sampling Techniques, 3rd ed., §6.4):
    var(R) ≈ Σ(L − R·B)² / (n (n − 1) B̄²), and the interval is 1 − R ∓ t·se(R), n − 1 degrees.
    """
    found, of = np.asarray(late, dtype=np.float64), np.asarray(base, dtype=np.float64)
    n, total = len(found), float(of.sum())
    if n == 0 or total == 0:
        return Interval(math.nan, None, None, n)
    ratio = float(found.sum()) / total
    if n == 1:
        return Interval(1 - ratio, None, None, 1)
    rest = found - ratio * of
    half = _t(n, confidence) * math.sqrt(float(rest @ rest) / (n * (n - 1))) / (total / n)
    return Interval(1 - ratio, 1 - ratio - half, 1 - ratio + half, n)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A policy beside a baseline over the seeds that both played with the same incidents.

    Differences are policy minus baseline: shares 0 to 1, seconds. `unlike` counts seeds whose
    incidents differ, and which are therefore left out.
    """

    policy: str
    baseline: str
    seeds: tuple[int, ...]
    unlike: int
    late_cut: Interval
    on_time: Interval
    mean_s: Interval
    p95_s: Interval
    high_on_time: Interval


def compare(policy: Sequence[Figures], baseline: Sequence[Figures]) -> Comparison:
    """Seed by seed, with common random numbers. Raises ValueError for an empty side."""
    if not policy or not baseline:
        raise ValueError("A comparison needs runs on both sides.")
    base = {one.seed: one for one in baseline}
    both = [(one, base[one.seed]) for one in sorted(policy, key=_seed) if one.seed in base]
    pairs = [(one, other) for one, other in both if one.demand == other.demand]

    def differ(value: Callable[[Figures], float]) -> Interval:
        return mean_interval([value(one) - value(other) for one, other in pairs])

    return Comparison(
        policy=policy[0].policy,
        baseline=baseline[0].policy,
        seeds=tuple(one.seed for one, _ in pairs),
        unlike=len(both) - len(pairs),
        late_cut=cut_interval([one.late for one, _ in pairs], [other.late for _, other in pairs]),
        on_time=differ(lambda one: one.on_time),
        mean_s=differ(lambda one: one.mean_s),
        p95_s=differ(lambda one: one.p95_s),
        high_on_time=differ(lambda one: one.high.on_time),
    )


Setting = tuple[str, float, str, bool]
"""City, load, scenario, frictions: what is compared is compared within one."""


def setting_of(one: Figures) -> Setting:
    """The setting a run belongs to."""
    return (one.city, one.load, one.scenario, one.frictions)


def grouped(runs: Iterable[Figures]) -> dict[Setting, dict[str, list[Figures]]]:
    """Runs by setting and then by policy, both in the order they first come; seeds ascending."""
    found: dict[Setting, dict[str, list[Figures]]] = {}
    for one in runs:
        found.setdefault(setting_of(one), {}).setdefault(one.policy, []).append(one)
    for policies in found.values():
        for several in policies.values():
            several.sort(key=_seed)
    return found


@dataclass(frozen=True, slots=True)
class Summary:
    """One policy in one setting over its seeds.

    Means over seeds unless named otherwise; `max_s` is the longest of all, `decision_p99_ms`
    the mean of the seeds' p99; `days_per_cpu_minute` None when nobody measured.
    """

    policy: str
    seeds: int
    incidents: int
    late: int
    unreached: int
    on_time: Interval
    mean_s: Interval
    p50_s: float
    p90_s: float
    p95_s: float
    max_s: float
    high_on_time: Interval
    storm: Share
    diversions_per_job: float
    declines_per_job: float
    km_per_job: float
    moves_per_crew_h: float
    workload: float
    workload_spread: float
    decision_mean_ms: float
    decision_p99_ms: float
    days_per_cpu_minute: float | None
    cpu_share: Mapping[str, float]
    law_gap: float
    law_holds: bool


def summary(runs: Sequence[Figures]) -> Summary:
    """The runs of one policy in one setting. Raises ValueError for none."""
    if not runs:
        raise ValueError("A summary needs a run.")

    def mean(value: Callable[[Figures], float]) -> float:
        return float(np.mean([value(one) for one in runs]))

    cpu = {part: sum(one.cpu_s.get(part, 0.0) for one in runs) for part in _parts(runs)}
    spent = sum(cpu.values())
    laws = [law for one in runs for law in (one.waiting, one.in_system)]
    return Summary(
        policy=runs[0].policy,
        seeds=len(runs),
        incidents=sum(one.n for one in runs),
        late=sum(one.late for one in runs),
        unreached=sum(one.unreached for one in runs),
        on_time=mean_interval([one.on_time for one in runs]),
        mean_s=mean_interval([one.mean_s for one in runs]),
        p50_s=mean(lambda one: one.p50_s),
        p90_s=mean(lambda one: one.p90_s),
        p95_s=mean(lambda one: one.p95_s),
        max_s=max(one.max_s for one in runs),
        high_on_time=mean_interval([one.high.on_time for one in runs]),
        storm=added([one.storm for one in runs]),
        diversions_per_job=mean(lambda one: one.diversions_per_job),
        declines_per_job=mean(lambda one: one.declines_per_job),
        km_per_job=mean(lambda one: one.km_per_job),
        moves_per_crew_h=mean(lambda one: one.moves_per_crew_h),
        workload=mean(lambda one: one.workload),
        workload_spread=mean(lambda one: one.workload_spread),
        decision_mean_ms=mean(lambda one: one.decision_mean_ms),
        decision_p99_ms=mean(lambda one: one.decision_p99_ms),
        days_per_cpu_minute=60.0 * sum(one.days for one in runs) / spent if spent else None,
        cpu_share={part: seconds / spent for part, seconds in cpu.items()} if spent else {},
        law_gap=max(law.gap for law in laws),
        law_holds=all(law.holds for law in laws),
    )


def added(shares: Iterable[Share]) -> Share:
    """Groups of several runs as one."""
    several = list(shares)
    n = sum(share.n for share in several)
    total = sum(share.mean_s * share.n for share in several)
    return Share(n, sum(share.late for share in several), total / n if n else 0.0)


def by_group(
    runs: Sequence[Figures], groups: Callable[[Figures], Mapping[str, Share]]
) -> dict[str, Share]:
    """Every group of the runs, added up over seeds, by name."""
    names = sorted({name for one in runs for name in groups(one)})
    nothing = Share(0, 0, 0.0)
    return {name: added(groups(one).get(name, nothing) for one in runs) for name in names}


def by_hour(runs: Sequence[Figures]) -> list[Share]:
    """The 24 hours of the day in which incidents were received, added up over seeds."""
    return [added(one.by_hour[hour] for one in runs) for hour in range(24)]


def queue(runs: Sequence[Figures]) -> list[float]:
    """Mean number of incidents waiting for a crew's arrival by hour of the day; shape (24,)."""
    return [float(value) for value in np.mean([one.queue for one in runs], axis=0)]


def workloads(runs: Sequence[Figures]) -> list[Load]:
    """Each crew's work, averaged over seeds, by crew."""
    return [_usual(several) for several in zip(*(one.crews for one in runs), strict=True)]


def _usual(several: Sequence[Load]) -> Load:
    def mean(value: Callable[[Load], float]) -> float:
        return float(np.mean([value(load) for load in several]))

    return Load(
        crew=several[0].crew,
        skills=several[0].skills,
        bound=mean(lambda load: load.bound),
        driving=mean(lambda load: load.driving),
        km=mean(lambda load: load.km),
        jobs=round(mean(lambda load: load.jobs)),
        move_ups=round(mean(lambda load: load.move_ups)),
    )


def distribution(runs: Sequence[Figures], at_s: Floats) -> Floats:
    """The share of all incidents reached within each of these seconds; shape of `at_s`."""
    everything = np.sort(np.concatenate([one.response_s for one in runs]))
    if not len(everything):
        return np.ones_like(at_s)
    return np.searchsorted(everything, at_s, side="right") / len(everything)


def _parts(runs: Sequence[Figures]) -> list[str]:
    return list(dict.fromkeys(part for one in runs for part in one.cpu_s))


def _seed(one: Figures) -> int:
    return one.seed


def _t(n: int, confidence: float) -> float:
    """The two-sided quantile of Student's t with n − 1 degrees of freedom."""
    return float(stdtrit(n - 1, 0.5 + confidence / 2))
