"""Is the simulator right? Cities small enough for theory come out as theory says.

Every city is played by the real engine under the real baseline policy, and held against what
nobody here made: the published hypercube, Erlang, Pollaczek and Khinchine, Lindley, Little. Once
directly: theory must lie within the interval of independent seeds in which it lies 999 times of
1,000. And once sharply: incident by incident the engine must do what one line of arithmetic does,
and that line is held against theory over a hundred thousand incidents.

Seeds in which more work arrived than theory expects are told apart by control variates: the figure
is regressed on the seed's arrivals and work, whose means are known, and the intercept's t interval
is the figure's (Lavenberg & Welch 1981, Management Science 27).
"""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import stdtrit

from dispatch.simulator.day import play
from dispatch.simulator.demand import Job
from dispatch.simulator.figures import system_law, waiting_law
from dispatch.simulator.outcome import Outcome
from dispatch.simulator.presets import POLICIES
from dispatch.simulator.scene import BARE, CrewSetup, Scene, terrain_of
from dispatch.simulator.statistics import Interval, mean_interval
from dispatch.simulator.streets import PlainStreets
from dispatch.system.cities import read_policy
from tests.unit.queueing import (
    Group,
    erlang_c,
    first_come,
    hypercube,
    mean_wait_mg1,
    mean_wait_mmc,
)

HOUR_S = 3600.0
NEAR_S = 0.01
SURE = 0.999

# Larson & Odoni 1981, Urban Operations Research, chapter 5: two areas share their first server
TEXTBOOK: tuple[Group, ...] = (
    (0.50, (0, 1, 2)),
    (0.25, (0, 2, 1)),
    (0.35, (1, 0, 2)),
    (0.40, (2, 0, 1)),
)
PUBLISHED = (0.5574, 0.4734, 0.4693)
PUBLISHED_P_WAIT = 0.2368


def city(
    groups: Sequence[Group],
    *,
    servers: int,
    hours: float,
    seed: int,
    service_s: Callable[[np.random.Generator, int], NDArray[np.float64]],
) -> Scene:
    """Servers at sites after those of the groups; a drive takes a hundredth of a second a rank."""
    chance = np.random.default_rng([seed, 101])
    rates = np.array([rate for rate, _ in groups])
    count = int(chance.poisson(rates.sum() * hours))
    at = np.sort(chance.uniform(0, hours * HOUR_S, count))
    where = chance.choice(len(groups), count, p=rates / rates.sum())
    work = service_s(chance, count)
    jobs = [
        Job(
            at_s=float(at[k]),
            site=int(where[k]),
            service_code="waste",
            priority=3,
            on_scene_s=float(work[k]),
            travel=1.0,
            chance=0.5,
        )
        for k in range(count)
    ]
    sites = len(groups) + servers
    table = np.full((sites, sites), NEAR_S)
    np.fill_diagonal(table, 0.0)
    for group, (_, preferred) in enumerate(groups):
        for rank, server in enumerate(preferred):
            home = len(groups) + server
            table[home, group] = table[group, home] = NEAR_S * (1 + rank)
    streets = PlainStreets(table)
    homes = [len(groups) + server for server in range(servers)]
    return Scene(
        city="textbook",
        streets=streets,
        jobs=jobs,
        crews=[CrewSetup(frozenset(), home) for home in homes],
        terrain=terrain_of(streets, homes, rates, rate=float(rates.sum())),
        posts=homes,
        days=hours / 24,
        load=float(rates.sum()) / servers,
    )


def exponential(chance: np.random.Generator, count: int) -> NDArray[np.float64]:
    return chance.exponential(HOUR_S, count)


def lognormal(chance: np.random.Generator, count: int) -> NDArray[np.float64]:
    sigma = float(np.sqrt(np.log(1 + 0.7**2)))
    return HOUR_S * chance.lognormal(-sigma * sigma / 2, sigma, count)


def played(
    groups: Sequence[Group],
    *,
    servers: int,
    hours: float,
    seeds: int,
    service_s: Callable[[np.random.Generator, int], NDArray[np.float64]],
) -> list[Outcome]:
    policy = POLICIES["A0"](read_policy(None))
    outcomes = []
    for seed in range(1, seeds + 1):
        scene = city(groups, servers=servers, hours=hours, seed=seed, service_s=service_s)
        outcomes.append(play(scene, policy, name="A0", frictions=BARE, seed=seed))
    return outcomes


def agrees(
    values: Sequence[float], outcomes: Sequence[Outcome], theory: float, *, within: float
) -> None:
    """Theory lies in the controlled interval, which is no wider than `within` either side."""
    known = np.column_stack([np.ones(len(outcomes)), [extra_of(one) for one in outcomes]])
    solved = np.linalg.inv(known.T @ known)
    weights = solved @ known.T @ np.array(values)
    rest = np.array(values) - known @ weights
    freedom = len(values) - known.shape[1]
    spread = float(np.sqrt(rest @ rest / freedom * solved[0, 0]))
    half = float(stdtrit(freedom, 0.5 + SURE / 2)) * spread
    found = float(weights[0])
    assert abs(found - theory) <= half, f"{found} ± {half} does not hold {theory}"
    assert half <= within, f"{found} ± {half} says too little"


def holds(found: Interval, theory: float, *, within: float) -> None:
    """Theory lies in the interval, which is no wider than `within` either side."""
    assert found.low is not None
    assert found.high is not None
    assert found.low <= theory <= found.high, f"{found} does not hold {theory}"
    assert found.high - found.estimate <= within, f"{found} says too little"


def extra_of(outcome: Outcome) -> tuple[float, float]:
    """Arrivals and work beyond what theory expects, an hour of every one's and nothing else."""
    hours, rate = outcome.days * 24, outcome.load * len(outcome.crews)
    work = sum(one.on_scene_s for one in outcome.served) / HOUR_S
    return len(outcome.served) / hours - rate, work / hours - rate


def test_theory_is_the_textbooks() -> None:
    assert hypercube(TEXTBOOK, 3) == pytest.approx(PUBLISHED, abs=5e-5)
    assert erlang_c(3, 1.5) == pytest.approx(PUBLISHED_P_WAIT, abs=5e-5)
    # one server: P(wait) is the load; M/M/1 is M/G/1 with a coefficient of variation of 1
    assert erlang_c(1, 0.6) == pytest.approx(0.6)
    assert mean_wait_mmc(1, rate=0.6, service=1) == pytest.approx(
        mean_wait_mg1(rate=0.6, service=1, cv=1)
    )


@pytest.fixture(scope="module")
def textbook() -> list[Outcome]:
    return played(TEXTBOOK, servers=3, hours=200, seeds=8, service_s=exponential)


def test_workloads_are_those_of_the_hypercube(textbook: list[Outcome]) -> None:
    for crew, theory in enumerate(PUBLISHED):
        shares = [outcome.crews[crew].bound_s / outcome.ended_s for outcome in textbook]
        agrees(shares, textbook, theory, within=0.1)


def test_waiting_is_erlangs(textbook: list[Outcome]) -> None:
    waits = [waits_of(outcome) for outcome in textbook]
    share = [float((wait > 1.0).mean()) for wait in waits]
    agrees(share, textbook, PUBLISHED_P_WAIT, within=0.15)
    theory = mean_wait_mmc(3, rate=1.5, service=1.0) * HOUR_S
    agrees([float(wait.mean()) for wait in waits], textbook, theory, within=1.5 * theory)


def test_every_incident_gets_the_crew_that_arithmetic_sends(textbook: list[Outcome]) -> None:
    for outcome in textbook:
        waits, whom = first_come(
            TEXTBOOK,
            3,
            at=[one.received_s for one in outcome.served],
            where=[round((one.lon - 100.0) / 0.001) for one in outcome.served],
            work=[one.on_scene_s for one in outcome.served],
        )
        assert [one.crew for one in outcome.served] == whom
        # drives take hundredths of a second, and add up while nobody is free
        assert waits_of(outcome) == pytest.approx(waits, abs=2.0)


def test_that_arithmetic_is_the_hypercube_and_erlang() -> None:
    busy, waited, hours = np.zeros((20, 3)), np.zeros(20), 5_000.0
    for seed in range(20):
        scene = city(TEXTBOOK, servers=3, hours=hours, seed=seed, service_s=exponential)
        work = [job.on_scene_s / HOUR_S for job in scene.jobs]
        waits, whom = first_come(
            TEXTBOOK,
            3,
            at=[job.at_s / HOUR_S for job in scene.jobs],
            where=[job.site for job in scene.jobs],
            work=work,
        )
        busy[seed] = np.bincount(whom, weights=work, minlength=3) / hours
        waited[seed] = np.mean(np.array(waits) > 0)
    for crew, theory in enumerate(PUBLISHED):
        holds(mean_interval(busy[:, crew].tolist(), confidence=SURE), theory, within=0.012)
    holds(mean_interval(waited.tolist(), confidence=SURE), PUBLISHED_P_WAIT, within=0.015)


def test_one_crew_waits_as_lindley_pollaczek_and_khinchine_say() -> None:
    """W' = max(0, W + S − A), Lindley 1952, in the engine and in the long run."""
    groups: tuple[Group, ...] = ((0.5, (0,)),)
    for outcome in played(groups, servers=1, hours=250, seeds=3, service_s=lognormal):
        waits, _ = first_come(
            groups,
            1,
            at=[one.received_s for one in outcome.served],
            where=[0] * len(outcome.served),
            work=[one.on_scene_s for one in outcome.served],
        )
        assert waits_of(outcome) == pytest.approx(waits, abs=2.0)
    means = []
    for seed in range(20):
        scene = city(groups, servers=1, hours=20_000, seed=seed, service_s=lognormal)
        waits, _ = first_come(
            groups,
            1,
            at=[job.at_s for job in scene.jobs],
            where=[0] * len(scene.jobs),
            work=[job.on_scene_s for job in scene.jobs],
        )
        means.append(float(np.mean(waits)))
    theory = mean_wait_mg1(rate=0.5, service=1.0, cv=0.7) * HOUR_S
    holds(mean_interval(means, confidence=SURE), theory, within=0.06 * theory)


def test_littles_law_holds_in_every_run(textbook: list[Outcome]) -> None:
    for outcome in textbook:
        assert waiting_law(outcome).gap < 1e-6
        assert system_law(outcome).gap < 1e-6


def waits_of(outcome: Outcome) -> NDArray[np.float64]:
    """Seconds from received to first arrival, all but nothing of them driven."""
    return np.array([one.response_s for one in outcome.served])
