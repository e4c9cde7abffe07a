"""Plans with crews on their way, cover to keep and people who said no: still the best there is."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dispatch.core.matching import INFEASIBLE, Board, Candidate, Need, match
from dispatch.core.policy import Matching, Policy, Service
from dispatch.core.proposals import SHORTFALLS, Proposal
from dispatch.core.road_times import RoadTimes

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
POLICY = Policy(
    services={"x": Service("x", "X", "X", "a", 1, "g")}, agencies={}, dispositions={}, declines={}
)
SKILLS, TOOLS = ("saw", "pump", "lift"), ("winch", "boat")
UNFIT = (None, None, None, "busy", "off_duty", "stale", "no_position", "conditional", "rest")
REASONS = {
    *("nearest", "only_suitable", "keeps_skills", "keeps_cover", "diverted", "best_for_all"),
}


def uid(n: int) -> UUID:
    return UUID(int=n)


@dataclass(frozen=True)
class City:
    """What a plan is made of."""

    needs: list[Need]
    crews: list[Candidate]
    road: dict[tuple[UUID, UUID], float]

    def plan(self, policy: Policy = POLICY) -> list[Proposal]:
        return match(self.needs, self.crews, self.road, policy=policy, now=NOW)

    def board(self, policy: Policy = POLICY) -> Board:
        needs = sorted(self.needs, key=lambda need: (need.incident_id, need.slot))
        crews = sorted(self.crews, key=lambda crew: crew.crew_id)
        return Board(needs, crews, self.road, policy=policy, now=NOW)


skills = st.frozensets(st.sampled_from(SKILLS), max_size=2)
tools = st.frozensets(st.sampled_from(TOOLS), max_size=1)
seconds = st.integers(10, 3000).map(float) | st.just(float("inf"))


@st.composite
def cities(draw: st.DrawFn, *, most: int = 5) -> City:
    """Up to `most` incidents and crews; some crews are on their way to some of the incidents."""
    crews = [
        Candidate(
            crew_id=uid(100 + j),
            skills=draw(skills),
            equipment=draw(tools),
            unfit=draw(st.sampled_from(UNFIT)),
            turnout_s=draw(st.none() | st.just(30.0)),
            cover_loss=draw(st.floats(0, 2)),
        )
        for j in range(draw(st.integers(0, most)))
    ]
    ids = [crew.crew_id for crew in crews]
    paused = st.frozensets(st.sampled_from(ids), max_size=2) if ids else st.just(frozenset[UUID]())
    needs = [
        Need(
            incident_id=uid(1 + i),
            due_at=NOW + timedelta(seconds=draw(st.integers(-9000, 1200))),
            priority=draw(st.sampled_from((1, 2, 3))),
            skills=draw(skills),
            equipment=draw(tools),
            paused=draw(paused),
            p_genuine=draw(st.sampled_from((1.0, 0.9, 0.3))),
        )
        for i in range(draw(st.integers(1, most)))
    ]
    road = {
        (crew.crew_id, need.incident_id): draw(seconds)
        for crew in crews
        for need in needs
        if draw(st.integers(0, 4))
    }
    for i, j in enumerate(range(min(len(needs), len(crews)))):
        if draw(st.booleans()):
            _holds(needs, crews, road, i, j, seconds_left=draw(st.integers(310, 2000)))
    return City(needs, crews, road)


def _holds(
    needs: list[Need],
    crews: list[Candidate],
    road: dict[tuple[UUID, UUID], float],
    i: int,
    j: int,
    *,
    seconds_left: float,
) -> None:
    """Crew j is on its way to incident i, and able."""
    need, crew = needs[i], crews[j]
    crews[j] = replace(
        crew,
        skills=crew.skills | need.skills,
        equipment=crew.equipment | need.equipment,
        unfit=None,
        holds=need.incident_id,
    )
    needs[i] = replace(need, held_by=crew.crew_id, paused=frozenset())
    road[crew.crew_id, need.incident_id] = float(seconds_left)


@given(cities())
def test_nobody_goes_twice_or_without_what_is_needed(city: City) -> None:
    proposals = city.plan()
    sent = [p.crew_id for p in proposals if p.crew_id]
    assert len(sent) == len(set(sent))
    crews = {crew.crew_id: crew for crew in city.crews}
    needs = {need.incident_id: need for need in city.needs}
    assert [p.incident_id for p in proposals] == sorted(needs)
    for proposal in proposals:
        need = needs[proposal.incident_id]
        assert proposal.held_by == need.held_by
        if proposal.crew_id is None:
            assert proposal.shortfall_reason in {*SHORTFALLS, "no_crews", "skill", "equipment"} | {
                "more_urgent"
            }
            assert proposal.selection_reason is None
            continue
        crew = crews[proposal.crew_id]
        assert proposal.selection_reason in REASONS
        assert need.skills <= crew.skills
        assert need.equipment <= crew.equipment
        assert np.isfinite(city.road[crew.crew_id, need.incident_id])
        assert crew.crew_id not in need.paused
        # on call only for what it is on call for
        on_call = need.priority in POLICY.diversion.conditional_for
        assert crew.unfit is None or (crew.unfit == "conditional" and on_call)


@given(cities(), st.randoms(use_true_random=False))
def test_the_order_of_what_is_known_changes_nothing(city: City, chance: random.Random) -> None:
    needs, crews, road = list(city.needs), list(city.crews), list(city.road.items())
    for each in (needs, crews, road):
        chance.shuffle(each)
    assert City(needs, crews, dict(road)).plan() == city.plan()
    assert city.plan() == city.plan()


@given(cities())
def test_a_table_of_roads_says_what_a_list_of_roads_says(city: City) -> None:
    """The same seconds in the form in which the road engine answers."""
    crews = [crew.crew_id for crew in city.crews]
    incidents = [need.incident_id for need in city.needs]
    table = np.array(
        [[city.road.get((c, i), np.nan) for i in incidents] for c in crews], dtype=np.float64
    ).reshape(len(crews), len(incidents))
    roads: Mapping[tuple[UUID, UUID], float] = RoadTimes(crews, incidents, table)
    found = match(city.needs, city.crews, roads, policy=POLICY, now=NOW)
    assert found == city.plan()


@given(cities(most=4))
def test_no_other_plan_is_cheaper(city: City) -> None:
    """Every way to give needs to crews, or to leave them, priced by the board's own prices."""
    board = city.board()
    chosen = board.solve()
    leave = board.leave()
    cheapest = min(
        _cost(board, leave, dict(zip(rows, columns, strict=True)))
        for size in range(min(len(board.needs), len(board.candidates)) + 1)
        for rows in itertools.combinations(range(len(board.needs)), size)
        for columns in itertools.permutations(range(len(board.candidates)), size)
    )
    assert _cost(board, leave, chosen) == pytest.approx(cheapest)


def _cost(board: Board, leave: NDArray[np.float64], plan: Mapping[int, int]) -> float:
    return sum(
        float(board.cost[i, plan[i]]) if i in plan else float(leave[i])
        for i in range(len(board.needs))
    )


def _objective(city: City) -> float:
    board = city.board()
    return _cost(board, board.leave(), board.solve())


@given(cities(), st.lists(st.integers(10, 3000), min_size=5, max_size=5), skills, tools)
def test_one_crew_more_never_makes_the_plan_worse(
    city: City, road_s: list[int], skilled: frozenset[str], equipped: frozenset[str]
) -> None:
    """By the plan's own objective, and by how many are reached at all."""
    # with a cover to keep, a crew more also means that there is a cover to keep
    crews = [replace(crew, cover_loss=0.0) for crew in city.crews]
    before = City(city.needs, crews, city.road)
    new = Candidate(uid(999), skilled, equipment=equipped)
    road = dict(city.road)
    for need, seconds_there in zip(city.needs, road_s, strict=False):
        road[new.crew_id, need.incident_id] = float(seconds_there)
    after = City(city.needs, [*crews, new], road)
    # the bar to leaving somebody is the same as long as it is higher than every price
    prices = [c.board().prices.total for c in (before, after)]
    assume(all(float(p.max(initial=0.0)) < POLICY.matching.leave - 1 for p in prices))
    assert _objective(after) <= _objective(before) + 1e-6
    served = [sum(p.crew_id is not None for p in c.plan()) for c in (before, after)]
    assert served[1] >= served[0]


@given(cities())
def test_who_is_on_the_way_is_told_apart_from_who_is_free(city: City) -> None:
    """A crew that keeps its way pays no switch; whoever replaces it does."""
    board = city.board()
    for i, need in enumerate(board.needs):
        for j, crew in enumerate(board.candidates):
            switching = need.held_by is not None and need.held_by != crew.crew_id
            assert board.prices.switch[i, j] == (POLICY.diversion.switch if switching else 0.0)


@given(cities())
def test_a_held_crew_rolls_already(city: City) -> None:
    """No turnout to where it goes; to anywhere else its own."""
    board = city.board()
    m = POLICY.matching
    for i, need in enumerate(board.needs):
        for j, crew in enumerate(board.candidates):
            road = city.road.get((crew.crew_id, need.incident_id))
            if road is None or not np.isfinite(road):
                continue
            usual = m.turnout_s if crew.turnout_s is None else crew.turnout_s
            turnout = 0.0 if need.held_by == crew.crew_id else usual
            assert board.ete[i, j] == pytest.approx(road + turnout)


@settings(max_examples=200)
@given(cities())
def test_nobody_waits_beside_an_idle_crew_that_could_go(city: City) -> None:
    """Never held on purpose, whatever leaving would save in cover, travel or skill."""
    board = city.board()
    chosen = board.solve()
    idle = set(range(len(board.candidates))) - set(chosen.values())
    for i in set(range(len(board.needs))) - set(chosen):
        assert not any(board.cost[i, j] < INFEASIBLE for j in idle)


STRICT = Matching(fair_after_s=1800.0)


@given(
    road_s=st.integers(30, 3000),
    busy=st.integers(0, 25),
    newer_s=st.integers(0, 1000),
    priority=st.sampled_from((1, 2, 3)),
)
def test_whoever_waited_long_goes_before_an_equal_newer_one(
    road_s: int, busy: int, newer_s: int, priority: int
) -> None:
    """Two alike but for the wait, one crew: past the ceiling the older one is never passed over.

    However far away they are, and however many other crews will soon be free.
    """
    policy = replace(POLICY, matching=STRICT)
    target = timedelta(seconds=policy.promise.target_s)
    waited = timedelta(seconds=12 * STRICT.fair_after_s)
    old = Need(uid(1), NOW - waited + target, priority)
    new = Need(uid(2), NOW - timedelta(seconds=newer_s) + target, priority)
    crews = [Candidate(uid(100), frozenset())]
    crews += [Candidate(uid(200 + i), frozenset(), unfit="busy") for i in range(busy)]
    road = {(uid(100), uid(n)): float(road_s) for n in (1, 2)}
    first, second = match([old, new], crews, road, policy=policy, now=NOW)
    assert (first.crew_id, second.crew_id) == (uid(100), None)
    assert second.shortfall_reason == "more_urgent"


@given(st.integers(30, 3000), st.integers(0, 25), st.integers(0, 1000), st.integers(30, 600))
def test_even_the_least_of_all_is_reached_in_the_end(
    road_s: int, busy: int, newer_s: int, near_s: int
) -> None:
    """Priority 3 at the edge of the city against priority 1 next door, again and again new."""
    policy = replace(POLICY, matching=STRICT)
    target = timedelta(seconds=policy.promise.target_s)
    old = Need(uid(1), NOW - timedelta(days=4) + target, 3)
    new = Need(uid(2), NOW - timedelta(seconds=newer_s) + target, 1)
    crews = [Candidate(uid(100), frozenset())]
    crews += [Candidate(uid(200 + i), frozenset(), unfit="busy") for i in range(busy)]
    road = {(uid(100), uid(1)): float(road_s), (uid(100), uid(2)): float(near_s)}
    first, _ = match([old, new], crews, road, policy=policy, now=NOW)
    assert first.crew_id == uid(100)


@given(p=st.floats(0.05, 0.95), road_s=st.integers(30, 1500), left_s=st.integers(60, 1200))
def test_of_two_alike_the_more_probably_genuine_goes_first(
    p: float, road_s: int, left_s: int
) -> None:
    due_at = NOW + timedelta(seconds=left_s)
    doubtful, sure = Need(uid(1), due_at, 2, p_genuine=p), Need(uid(2), due_at, 2)
    crews = [Candidate(uid(100), frozenset())]
    road = {(uid(100), uid(n)): float(road_s) for n in (1, 2)}
    first, second = match([doubtful, sure], crews, road, policy=POLICY, now=NOW)
    assert (first.crew_id, second.crew_id) == (None, uid(100))
