"""What is claimed of a policy is what its runs say, with an interval that covers the truth."""

import math
from dataclasses import replace

import numpy as np
import pytest

from dispatch.simulator import statistics
from dispatch.simulator.figures import figures, queue_by_hour, waiting_law
from dispatch.simulator.statistics import compare, cut_interval, grouped, mean_interval
from tests.unit.made_up_runs import made_up, unreached


def test_figures_count_what_counts() -> None:
    outcome = made_up()
    odd = replace(outcome.served[-1], genuine=False)
    outcome = replace(outcome, served=(*outcome.served[:-1], odd))
    jobs = [one for one in outcome.served if one.counted and one.genuine]
    found = figures(outcome)
    assert found.n == len(jobs) < len(outcome.served)
    assert found.late == sum(one.response_s > 1200 for one in jobs)
    assert found.on_time == 1 - found.late / found.n
    assert found.mean_s == pytest.approx(np.mean([one.response_s for one in jobs]))
    assert found.max_s == max(one.response_s for one in jobs)
    assert found.p50_s <= found.p90_s <= found.p95_s <= found.max_s
    assert found.high.n == sum(one.priority == 1 for one in jobs)
    for groups in (found.by_priority, found.by_district, found.by_service):
        assert sum(share.n for share in groups.values()) == found.n
        assert sum(share.late for share in groups.values()) == found.late
    assert sum(share.n for share in found.by_hour) == found.n
    assert len(found.late_at) == found.late
    assert (found.late_at[:, 2] > 0).all()
    assert found.days_per_cpu_minute == pytest.approx(20.0)


def test_whom_nobody_reached_is_late_and_leaves_the_mean_finite() -> None:
    found = figures(unreached(made_up()))
    assert found.unreached == 1
    assert found.max_s == math.inf
    assert math.isfinite(found.mean_s)
    assert math.isfinite(found.p95_s)


def test_a_run_without_incidents_has_figures() -> None:
    empty = replace(made_up(), served=(), waiting_mean=0.0, in_system_mean=0.0, decision_ms=())
    found = figures(empty)
    assert (found.n, found.on_time, found.waiting.holds) == (0, 1.0, True)


def test_littles_law_notices_a_lost_incident() -> None:
    outcome = made_up()
    assert waiting_law(outcome).holds
    assert figures(outcome).in_system.holds
    assert not waiting_law(replace(outcome, served=outcome.served[:-2])).holds


def test_the_queue_of_an_hour_is_the_time_waited_in_it() -> None:
    one = replace(made_up().served[0], received_s=10 * 3600 + 1800, response_s=3600.0)
    outcome = replace(made_up(), served=(one,))
    queue = queue_by_hour(outcome)
    assert queue[10] == pytest.approx(0.5)
    assert queue[11] == pytest.approx(0.5)
    assert np.nansum(queue) == pytest.approx(1.0)
    assert math.isnan(queue[2]), "nothing is known of hours that are all warm-up"


def test_a_t_interval_is_the_textbooks() -> None:
    # Student 1908, the sleep data: mean 1.58, t(9) interval 0.70 to 2.46
    gained = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
    found = mean_interval(gained)
    assert found.estimate == pytest.approx(1.58)
    assert found.low == pytest.approx(0.700, abs=5e-4)
    assert found.high == pytest.approx(2.460, abs=5e-4)
    assert found.above_zero


def test_one_seed_gives_no_interval() -> None:
    assert mean_interval([3.0]).low is None
    assert cut_interval([5], [10]) == statistics.Interval(0.5, None, None, 1)
    assert not mean_interval([3.0]).above_zero


def test_nothing_late_to_cut_is_no_cut() -> None:
    assert math.isnan(cut_interval([0, 0], [0, 0]).estimate)


@pytest.mark.parametrize("n", [5, 20])
def test_the_cut_interval_covers_the_truth_as_often_as_it_says(n: int) -> None:
    # late counts of a day vary much between seeds and together under both policies
    chance = np.random.default_rng(11)
    covered = 0
    for _ in range(2_000):
        level = chance.gamma(9.0, 30.0, n)
        base, late = chance.poisson(level), chance.poisson(0.6 * level)
        found = cut_interval(late.tolist(), base.tolist())
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.4 <= found.high
    # 95 % of 2,000, five standard deviations of a binomial either side
    assert abs(covered / 2_000 - 0.95) < 5 * math.sqrt(0.95 * 0.05 / 2_000)


def test_pairing_by_seed_finds_what_the_noise_hides() -> None:
    base = [figures(made_up(seed=seed)) for seed in range(1, 9)]
    fast = [figures(made_up(policy="F", seed=seed, speed=1.15)) for seed in range(8, 0, -1)]
    found = compare(fast, base)
    assert found.seeds == tuple(range(1, 9))
    assert found.unlike == 0
    assert found.late_cut.above_zero
    assert found.mean_s.high is not None
    assert found.mean_s.high < 0
    assert found.on_time.above_zero


def test_seeds_with_other_incidents_are_not_compared() -> None:
    base = [figures(made_up(seed=seed)) for seed in (1, 2, 3)]
    other = [replace(figures(made_up(policy="F", seed=seed)), seed=seed - 1) for seed in (2, 3, 4)]
    found = compare(other, base)
    assert (found.seeds, found.unlike) == ((), 3)
    assert math.isnan(found.late_cut.estimate)


def test_settings_stay_apart() -> None:
    runs = [
        figures(made_up(policy=policy, load=load, seed=seed, jobs=20))
        for seed in (2, 1)
        for load in (0.25, 0.35)
        for policy in ("A0", "F")
    ]
    found = grouped(runs)
    assert [setting[1] for setting in found] == [0.25, 0.35]
    assert all(list(policies) == ["A0", "F"] for policies in found.values())
    assert [one.seed for one in found["madiun", 0.25, "plain", True]["F"]] == [1, 2]


def test_a_summary_adds_seeds_up() -> None:
    runs = [figures(made_up(seed=seed)) for seed in (1, 2, 3)]
    found = statistics.summary(runs)
    assert found.incidents == sum(one.n for one in runs)
    assert found.law_holds
    assert found.cpu_share == {
        "rules": pytest.approx(0.5),
        "routing": pytest.approx(1 / 6),
        "rest": pytest.approx(1 / 3),
    }
    assert statistics.by_group(runs, lambda one: one.by_district).keys() == {
        "Kartoharjo",
        "Manguharjo",
        "Taman",
    }
    shares = statistics.distribution(runs, np.array([0.0, 1200.0, 1e9]))
    assert shares[0] == 0
    assert shares[1] == pytest.approx(1 - found.late / found.incidents)
    assert shares[2] == 1
    assert len(statistics.workloads(runs)) == 6
