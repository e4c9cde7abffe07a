"""Whatever the city looks like: nobody booked twice, nobody sent without the skill."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.core.matching import Candidate, Need, match, p90, p_on_time
from dispatch.core.policy import Policy, Service

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
POLICY = Policy(
    services={"x": Service("x", "X", "X", "a", 1, "g")}, agencies={}, dispositions={}, declines={}
)
SKILLS = ("saw", "pump", "lift")
UNFIT = (None, None, None, "busy", "off_duty", "stale", "no_position")


def uid(n: int) -> UUID:
    return UUID(int=n)


@st.composite
def worlds(
    draw: st.DrawFn,
) -> tuple[list[Need], list[Candidate], dict[tuple[UUID, UUID], float]]:
    skills = st.frozensets(st.sampled_from(SKILLS), max_size=2)
    needs = [
        Need(
            incident_id=uid(i),
            due_at=NOW + timedelta(seconds=draw(st.integers(-1800, 1800))),
            priority=draw(st.sampled_from((1, 2, 3))),
            skills=draw(skills),
        )
        for i in range(draw(st.integers(1, 6)))
    ]
    crews = [
        Candidate(uid(100 + j), draw(skills), draw(st.sampled_from(UNFIT)))
        for j in range(draw(st.integers(0, 6)))
    ]
    road = {
        (c.crew_id, n.incident_id): float(draw(st.integers(10, 3000)))
        for c in crews
        for n in needs
        if draw(st.booleans()) or draw(st.booleans())
    }
    return needs, crews, road


@given(worlds())
def test_no_crew_twice_and_none_unfit(
    world: tuple[list[Need], list[Candidate], dict[tuple[UUID, UUID], float]],
) -> None:
    needs, crews, road = world
    proposals = match(needs, crews, road, policy=POLICY, now=NOW)
    assert [p.incident_id for p in proposals] == sorted(n.incident_id for n in needs)
    sent = [p.crew_id for p in proposals if p.crew_id]
    assert len(sent) == len(set(sent))
    by_id = {c.crew_id: c for c in crews}
    for need, proposal in zip(needs, proposals, strict=True):
        if proposal.crew_id is None:
            assert proposal.shortfall_reason
            continue
        crew = by_id[proposal.crew_id]
        assert crew.unfit is None
        assert need.skills <= crew.skills
        assert (crew.crew_id, need.incident_id) in road
        assert proposal.selection_reason


@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_the_arguments_does_not_matter(
    world: tuple[list[Need], list[Candidate], dict[tuple[UUID, UUID], float]],
    chance: random.Random,
) -> None:
    needs, crews, road = world
    mixed_needs, mixed_crews = list(needs), list(crews)
    chance.shuffle(mixed_needs)
    chance.shuffle(mixed_crews)
    assert match(needs, crews, road, policy=POLICY, now=NOW) == match(
        mixed_needs, mixed_crews, road, policy=POLICY, now=NOW
    )


@given(worlds())
def test_nobody_waits_while_a_suitable_crew_stands_idle(
    world: tuple[list[Need], list[Candidate], dict[tuple[UUID, UUID], float]],
) -> None:
    needs, crews, road = world
    single = [Need(n.incident_id, n.due_at, n.priority, n.skills) for n in needs]
    proposals = match(single, crews, road, policy=POLICY, now=NOW)
    sent = {p.crew_id for p in proposals if p.crew_id}
    idle = [c for c in crews if c.unfit is None and c.crew_id not in sent]
    for need, proposal in zip(single, proposals, strict=True):
        if proposal.crew_id is None:
            for crew in idle:
                reachable = (crew.crew_id, need.incident_id) in road
                assert not (reachable and need.skills <= crew.skills)


def test_it_is_the_cheapest_of_all_plans() -> None:
    """Against every permutation, with the cost written out once more from the formula."""
    chance = np.random.default_rng(4)
    for _ in range(20):
        needs = [
            Need(
                uid(i),
                NOW + timedelta(seconds=int(chance.integers(60, 1200))),
                1 + i % 3,
                frozenset(),
            )
            for i in range(3)
        ]
        crews = [Candidate(uid(10 + j), frozenset()) for j in range(4)]
        road = {
            (c.crew_id, n.incident_id): float(chance.integers(30, 1500))
            for c in crews
            for n in needs
        }

        def cost(need: Need, crew: Candidate, road: dict[tuple[UUID, UUID], float] = road) -> float:
            m = POLICY.matching
            eta = road[crew.crew_id, need.incident_id] + m.turnout_s
            left = (need.due_at - NOW).total_seconds()
            late = 1 - float(p_on_time(left, eta, sigma=m.sigma))
            lateness = m.late * late + m.tardiness * max(eta - left, 0) / 1200
            return POLICY.weight(need.priority) * lateness + m.travel * eta / 1200

        best = min(
            sum(cost(n, c) for n, c in zip(needs, chosen, strict=True))
            for chosen in itertools.permutations(crews, 3)
        )
        by_id = {c.crew_id: c for c in crews}
        got = sum(
            cost(n, by_id[p.crew_id])
            for n, p in zip(needs, match(needs, crews, road, policy=POLICY, now=NOW), strict=True)
            if p.crew_id
        )
        assert got == pytest.approx(best)


def test_probabilities_follow_the_lognormal() -> None:
    assert float(p_on_time(600.0, 600.0, sigma=0.3)) == pytest.approx(0.5)
    assert float(p_on_time(0.0, 60.0, sigma=0.3)) == 0.0
    nine_of_ten = p90(600.0, sigma=0.3)
    assert float(p_on_time(nine_of_ten, 600.0, sigma=0.3)) == pytest.approx(0.9)


def test_a_rare_skill_is_kept_for_the_work_that_needs_it() -> None:
    needs = [Need(uid(1), NOW + timedelta(seconds=1200), 3, frozenset())]
    crews = [
        Candidate(uid(10), frozenset({"saw", "pump"})),
        Candidate(uid(11), frozenset()),
    ]
    road = {(uid(10), uid(1)): 100.0, (uid(11), uid(1)): 160.0}
    [proposal] = match(needs, crews, road, policy=POLICY, now=NOW)
    assert (proposal.crew_id, proposal.selection_reason) == (uid(11), "keeps_skills")
