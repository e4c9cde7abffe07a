"""What always holds of learned times of arrival."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import factors, speeds
from geo.conformal import Levels, quantile, table
from geo.foretelling import replay
from geo.spread import LEVELS, Spread
from tests.unit.made_up_trips import made_up_trips

seeds = st.integers(0, 10_000)
COLD = speeds.cold(turnout_s=60.0, sigma=0.3)


@given(seed=seeds, n=st.integers(9, 60), level=st.sampled_from([0.5, 0.8, 0.9]))
@settings(max_examples=20)
def test_the_next_exchangeable_score_stays_below_as_often_as_said(
    seed: int, n: int, level: float
) -> None:
    chance = np.random.default_rng(seed)
    within = 0
    for _ in range(600):
        scores = chance.standard_t(3, n + 1)
        within += scores[-1] <= quantile(scores[:-1], level)
    # exactly ⌈(n+1)·level⌉/(n+1) on average; three and a half standard errors
    least = level - 3.5 * np.sqrt(level * (1 - level) / 600)
    assert within / 600 >= least
    assert within / 600 <= level + 1 / (n + 1) + 3.5 * np.sqrt(level * (1 - level) / 600)


@given(st.lists(st.floats(-5, 5), max_size=40))
def test_quantiles_never_fall(scores: list[float]) -> None:
    found = table(np.array(scores))
    assert list(found) == sorted(found)


@given(
    sigma=st.floats(0.03, 1.0),
    short_s=st.floats(0, 400),
    scores=st.lists(st.floats(-4, 4), min_size=len(LEVELS), max_size=len(LEVELS)),
    ete_s=st.floats(5, 7200),
    left_s=st.lists(st.floats(-100, 20_000), min_size=2, max_size=6),
)
def test_more_time_left_is_never_less_likely_to_be_enough(
    sigma: float, short_s: float, scores: list[float], ete_s: float, left_s: list[float]
) -> None:
    spread = Spread(sigma, short_s, tuple(sorted(scores)))
    p = spread.p_within(np.sort(left_s), ete_s)
    assert ((p >= 0) & (p <= 1)).all()
    assert (np.diff(p) >= -1e-12).all()
    assert spread.quantile_s(ete_s, 0.5) <= spread.quantile_s(ete_s, 0.9)


@given(seed=seeds, ratio=st.floats(0.5, 3.0))
@settings(max_examples=20)
def test_shrinkage_lies_between_what_was_believed_and_what_was_seen(
    seed: int, ratio: float
) -> None:
    trips = made_up_trips(80, seed=seed)
    base = (trips.drive_s * factors.COLD[:, trips.band].T).sum(axis=1)
    exact = replace(trips, actual_s=base * ratio)
    moved = factors.by_band(exact, factors.COLD) / factors.COLD
    low, high = min(1.0, ratio) - 1e-9, max(1.0, ratio) + 1e-9
    assert (moved >= low).all()
    assert (moved <= high).all()
    nothing = factors.by_band(trips.only(slice(0, 0)), factors.COLD)
    assert (nothing == factors.COLD).all()


@given(late=st.lists(st.booleans(), max_size=400))
def test_levels_stay_levels(late: list[bool]) -> None:
    levels = Levels()
    for missed in late:
        levels = levels.after(within_half=not missed, within_most=not missed)
        assert 0 < levels.half <= levels.most < 1


@given(seed=seeds, slow=st.floats(0.75, 1.6))
@settings(max_examples=8, deadline=None)
def test_coverage_comes_back_whatever_the_city_does(seed: int, slow: float) -> None:
    trips = made_up_trips(1600, seed=seed, slow_from=900, slow=slow)
    learned = speeds.fit(trips.only(slice(0, 700)), before=COLD, number=1)
    after = trips.only(slice(700, None))
    _, told = replay(learned, after, float(after.ended_at[-1]))
    assert (told.drive_s <= told.drive_p90_s).all()
    within = (after.actual_s <= told.drive_p90_s)[200:]
    # Gibbs & Candès, proposition 4.1: the miscoverage over T steps is off by (1+γ)/(γT) at most
    assert abs(within.mean() - 0.9) <= 1.02 / (0.02 * len(within)) + 0.02


@given(seed=seeds)
@settings(max_examples=10, deadline=None)
def test_who_left_before_an_arrival_was_known_is_told_without_it(seed: int) -> None:
    trips = made_up_trips(60, seed=seed)
    last = trips.ended_at[-1]
    _, told = replay(COLD, trips, float(last))
    actual = trips.actual_s.copy()
    actual[-1] *= 2.0  # the last arrival is unknown to everybody
    _, again = replay(COLD, replace(trips, actual_s=actual), float(last))
    assert (told.drive_s == again.drive_s).all()
    assert (told.drive_p90_s == again.drive_p90_s).all()
