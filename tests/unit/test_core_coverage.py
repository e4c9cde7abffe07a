"""The cover is what its formula says, crew by crew and zone by zone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest
from scipy.stats import norm

from dispatch.core.coverage import (
    Cover,
    Kind,
    Placed,
    Rule,
    Terrain,
    _ranks,
    chances,
    learned,
    uniform,
)

SAW, PUMP = frozenset({"saw"}), frozenset({"pump"})
GRADED = Rule(drive_s=1140.0, sigma=0.3, busy_share=0.35)
SHARP = Rule(drive_s=1140.0, sigma=0.3, busy_share=0.35, threshold=600.0)


def terrain(*, zones: int = 7, seed: int = 3) -> Terrain:
    chance = np.random.default_rng(seed)
    demand = chance.uniform(size=zones)
    slow = np.ones(24)
    slow[17] = 2.0
    return Terrain(
        lon=np.linspace(111.5, 111.6, zones),
        lat=np.full(zones, -7.6),
        demand=demand / demand.sum(),
        seconds=chance.uniform(0, 2400, (zones, zones)),
        kinds=(
            Kind(frozenset(), 0.7),
            Kind(SAW, 0.2, weight=2.0),
            Kind(SAW | PUMP, 0.1),
        ),
        per_hour=np.ones(24),
        slow=slow,
    )


def crews(count: int, *, zones: int = 7, seed: int = 4) -> list[Placed]:
    chance = np.random.default_rng(seed)
    kits: tuple[frozenset[str], ...] = (frozenset(), SAW, SAW | PUMP)
    return [
        Placed(UUID(int=count - i), kits[i % 3], int(chance.integers(zones))) for i in range(count)
    ]


def p_in_time(seconds: float, rule: Rule) -> float:
    if rule.threshold:
        return float(seconds <= rule.threshold)
    return float(norm.cdf(math.log(rule.drive_s / max(seconds, 1.0)) / rule.sigma))


def expected(ground: Terrain, placed: Sequence[Placed], rule: Rule, *, hour: int) -> float:
    """E written out once more, with loops."""
    total = 0.0
    for kind in ground.kinds:
        for z, share in enumerate(ground.demand):
            able = sorted(
                ground.seconds[crew.zone, z] * ground.slow[hour]
                for crew in placed
                if kind.skills <= crew.skills
            )
            for n, seconds in enumerate(able):
                busy = (1 - rule.busy_share) * rule.busy_share**n
                total += kind.share * kind.weight * share * busy * p_in_time(seconds, rule)
    return total


@pytest.mark.parametrize("rule", [GRADED, SHARP], ids=["graded", "threshold"])
@pytest.mark.parametrize("count", [0, 1, 3, 9])
@pytest.mark.parametrize("hour", [3, 17, 41])
def test_the_expected_share_by_its_formula(rule: Rule, count: int, hour: int) -> None:
    ground, placed = terrain(), crews(count)
    cover = Cover(ground, placed, rule=rule, hour=hour)
    assert cover.expected() == pytest.approx(expected(ground, placed, rule, hour=hour % 24))


@pytest.mark.parametrize("rule", [GRADED, SHARP], ids=["graded", "threshold"])
@pytest.mark.parametrize("count", [1, 2, 6])
def test_losses_are_what_is_missing_without_the_crew(rule: Rule, count: int) -> None:
    ground, placed = terrain(), crews(count)
    cover = Cover(ground, placed, rule=rule, hour=8)
    for crew, loss in zip(cover.placed, cover.losses(), strict=True):
        without = [other for other in placed if other != crew]
        left = Cover(ground, without, rule=rule, hour=8).expected()
        assert loss == pytest.approx(cover.expected() - left)
        assert loss >= -1e-12


@pytest.mark.parametrize("rule", [GRADED, SHARP], ids=["graded", "threshold"])
@pytest.mark.parametrize("skills", [frozenset(), SAW, SAW | PUMP], ids=["none", "saw", "both"])
def test_gains_are_what_one_more_adds(rule: Rule, skills: frozenset[str]) -> None:
    ground, placed = terrain(), crews(5)
    cover = Cover(ground, placed, rule=rule, hour=8)
    gains = cover.gains(skills)
    for post in range(7):
        more = [*placed, Placed(UUID(int=99), skills, post)]
        grown = Cover(ground, more, rule=rule, hour=8).expected()
        assert gains[post] == pytest.approx(grown - cover.expected())


def test_a_crew_that_moves_is_left_out_where_it_was() -> None:
    ground, placed = terrain(), crews(5)
    cover = Cover(ground, placed, rule=GRADED, hour=8)
    for crew in placed:
        others = [other for other in placed if other != crew]
        bare = Cover(ground, others, rule=GRADED, hour=8)
        found = cover.gains(crew.skills, without=crew.crew_id)
        assert found == pytest.approx(bare.gains(crew.skills))
        # to stay where it is gains back what leaving loses
        loss = cover.losses()[[c.crew_id for c in cover.placed].index(crew.crew_id)]
        assert found[crew.zone] == pytest.approx(loss)


def test_the_order_of_the_crews_changes_nothing() -> None:
    ground, placed = terrain(), crews(6)
    one = Cover(ground, placed, rule=GRADED, hour=8)
    other = Cover(ground, placed[::-1], rule=GRADED, hour=8)
    assert one.placed == other.placed
    assert (one.losses() == other.losses()).all()
    assert one.expected() == other.expected()


def test_how_a_zone_is_reached_by_skill() -> None:
    ground = terrain()
    placed = [Placed(UUID(int=1), frozenset(), 0), Placed(UUID(int=2), SAW, 1)]
    cover = Cover(ground, placed, rule=GRADED, hour=8)
    chance = chances(ground, rule=GRADED, hour=8)
    assert cover.by_zone(SAW) == pytest.approx(chance[1])
    assert cover.by_zone() == pytest.approx(np.maximum(chance[0], chance[1]))
    assert cover.by_zone(PUMP).tolist() == [0.0] * 7


def test_what_is_remembered_is_of_this_hour_and_rule() -> None:
    ground = replace(terrain(), slow=np.array([1.0 + 0.05 * hour for hour in range(24)]))
    for hour in (8, 20, 8, 32):
        for rule in (GRADED, replace(GRADED, drive_s=700.0), replace(GRADED, threshold=500.0)):
            fresh = chances(replace(ground), rule=rule, hour=hour)
            assert (chances(ground, rule=rule, hour=hour) == fresh).all()
            assert not fresh.flags.writeable
    early, late = (chances(ground, rule=GRADED, hour=hour) for hour in (8, 20))
    assert (early > late).any()


def test_both_ways_of_ranking_agree() -> None:
    """A large city is ranked zone by zone, a small one at once."""
    chance = np.random.default_rng(1)
    # ties too: some crews stand at the same post
    posts = chance.integers(0, 20, (60, 60)) / 20.0
    ranked = -np.sort(-chance.integers(0, 20, (80, 60)) / 20.0, axis=0)
    assert ranked.shape[0] * posts.size >= 200_000
    by_zone = _ranks(ranked, posts)
    at_once = (ranked[None, :, :] > posts[:, None, :]).sum(axis=1)
    assert (by_zone == at_once).all()
    assert (_ranks(ranked[:5], posts) == (ranked[None, :5] > posts[:, None]).sum(axis=1)).all()


def test_nobody_drives_without_time_left() -> None:
    late = Rule(drive_s=0.0, sigma=0.3, busy_share=0.35)
    assert Cover(terrain(), crews(4), rule=late, hour=8).expected() == 0.0
    by_distance = Rule(drive_s=0.0, sigma=0.3, busy_share=0.35, threshold=600.0)
    assert Cover(terrain(), crews(4), rule=by_distance, hour=8).expected() > 0.0


def test_slower_roads_cover_less() -> None:
    ground, placed = terrain(), crews(4)
    calm = Cover(ground, placed, rule=GRADED, hour=8).expected()
    jam = Cover(ground, placed, rule=GRADED, hour=17).expected()
    assert jam < calm


def test_demand_is_learned_from_where_incidents_were() -> None:
    prior = uniform(4)
    assert prior.tolist() == [0.25] * 4
    assert learned(prior, np.zeros(4)) == pytest.approx(prior)
    # a Dirichlet prior worth fifty: 100 incidents in one zone of four
    found = learned(prior, np.array([100.0, 0.0, 0.0, 0.0]))
    assert found.sum() == pytest.approx(1.0)
    assert found[0] == pytest.approx((0.25 * 50 + 100) / 150)
    weak = learned(prior, np.array([100.0, 0.0, 0.0, 0.0]), strength=5.0)
    assert weak[0] > found[0]
    assert len(uniform(0)) == 0


def test_the_zone_of_a_place_is_that_of_the_nearest_post() -> None:
    """A degree of longitude at 60° north is half of one of latitude."""
    ground = Terrain(
        lon=np.array([24.0, 24.1]),
        lat=np.array([60.0, 60.06]),
        demand=uniform(2),
        seconds=np.zeros((2, 2)),
        kinds=(),
        per_hour=np.ones(24),
    )
    assert ground.zone_of(24.09, 60.0) == 0
    assert ground.zone_of(24.1, 60.05) == 1
    assert [kind.skills for kind in ground.only(SAW).kinds] == [SAW]
