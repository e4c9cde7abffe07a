"""A simulated day is played by the dispatcher of the product, and can be played again."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise
from uuid import UUID

import numpy as np
import pytest

from dispatch.core.events import Event
from dispatch.simulator import demand
from dispatch.simulator.day import START, Day, fitted, play
from dispatch.simulator.demand import STORM_AT_S, slow_at
from dispatch.simulator.figures import system_law, waiting_law
from dispatch.simulator.following import Diverged, follow
from dispatch.simulator.outcome import Outcome
from dispatch.simulator.presets import POLICIES
from dispatch.simulator.scene import FRICTIONS, SMOOTH, Frictions, Scene, mixed_skills
from dispatch.simulator.stage import Stage
from dispatch.simulator.streets import PlainStreets, Spot
from dispatch.system.cities import read_policy

CREWS, DAYS = 8, 0.6


@cache
def stage() -> Stage:
    """A square of 6 × 6 sites, two minutes from each to the next; every other one is a post."""
    xy = np.array([(x, y) for x in range(6) for y in range(6)], dtype=np.float64)
    table = 120.0 * np.abs(xy[:, None, :] - xy[None, :, :]).sum(axis=2)
    return Stage(
        city="square",
        streets=PlainStreets(table),
        weights=np.ones(36),
        xy=xy * 840.0,
        posts=tuple(range(0, 36, 2)),
        districts=tuple("north" if y > 2 else "south" for _, y in xy),
    )


def scene(seed: int = 1, *, load: float = 0.4, days: float = DAYS, storm: bool = False) -> Scene:
    return stage().scene(seed, load=load, crews=CREWS, days=days, storm=storm)


@cache
def played(policy: str, seed: int = 1, smooth: bool = False) -> Outcome:
    frictions = SMOOTH if smooth else FRICTIONS
    preset = POLICIES[policy](read_policy(None))
    return play(scene(seed), preset, name=policy, seed=seed, frictions=frictions, followed=True)


def day_of(policy: str, scene_: Scene, frictions: Frictions = FRICTIONS) -> Day:
    day = Day(scene_, fitted(POLICIES[policy](read_policy(None)), frictions), frictions, seed=1)
    day.run()
    return day


def _timeless(outcome: Outcome) -> Outcome:
    """Without what the clock of this machine says."""
    return replace(outcome, decision_ms=(), cpu_s={})


@pytest.mark.parametrize("policy", ["A0", "F", "sigap"])
def test_the_same_seed_gives_the_same_outcome(policy: str) -> None:
    again = play(scene(), POLICIES[policy](read_policy(None)), name=policy, seed=1)
    assert _timeless(again) == _timeless(played(policy))
    assert len(again.decision_ms) == len(played(policy).decision_ms)
    other = play(scene(2), POLICIES[policy](read_policy(None)), name=policy, seed=2)
    assert _timeless(other) != _timeless(again)


def test_a_screen_that_follows_a_run_sees_what_is_there() -> None:
    """Also of a storm, and not if the state changed beside the log or the log beside the state."""
    world = day_of("sigap", scene(3, storm=True)).world
    follow(world)
    crew = world.crews()[0]
    world._entities["crew", crew.id] = replace(crew, status_reason="beside the log")
    with pytest.raises(Diverged, match=f"crew/{crew.id}: status_reason is 'beside the log'"):
        follow(world)
    world._entities["crew", crew.id] = crew
    last = world.log.pop()
    with pytest.raises(Diverged, match=last.event.key):
        follow(world)


def test_every_policy_meets_the_same_day() -> None:
    """Common random numbers: the same jobs, the same work, whoever decides."""
    outcomes = [played(policy) for policy in ("A0", "A1", "A2", "B", "F", "sigap")]
    days = [
        [
            (s.received_s, s.lon, s.service_code, s.priority, s.on_scene_s, s.genuine)
            for s in o.served
        ]
        for o in outcomes
    ]
    assert all(day == days[0] for day in days)
    # and yet they are decided otherwise
    assert len({tuple(s.response_s for s in o.served) for o in outcomes}) >= 3


def test_a_crew_says_no_to_a_job_under_every_policy() -> None:
    day = Day(scene(), fitted(read_policy(None), FRICTIONS), FRICTIONS, seed=1)
    draws = [
        day._declines(robot, job) for robot in day.robots for job in range(len(day.scene.jobs))
    ]
    share = sum(draws) / len(draws)
    assert share == pytest.approx(FRICTIONS.declines, abs=0.01)
    for policy in ("A0", "F"):
        run = day_of(policy, scene())
        for event in _events(run, "AssignmentDeclined"):
            assignment = run.world.assignment(event.subject)
            robot = run._robot_of[assignment.crew_id]
            assert day._declines(robot, run.job_of[assignment.incident_id])


def _events(day: Day, *types: str) -> list[Event]:
    return [entry.event for entry in day.world.log if entry.event.type in types]


@pytest.mark.parametrize("policy", ["A0", "D", "F", "sigap"])
def test_everything_received_is_served_and_the_queue_is_empty(policy: str) -> None:
    outcome = played(policy)
    assert len(outcome.served) == len(scene().jobs)
    assert all(s.response_s > 0 for s in outcome.served)
    assert outcome.ended_s > max(job.at_s for job in scene().jobs)
    day = day_of(policy, scene())
    assert list(day.world.active_incidents()) == []
    assert all(crew.assignment_id is None for crew in day.world.crews())
    arrived = Counter(e.subject for e in _events(day, "IncidentCrewArrived"))
    assert sorted(arrived) == sorted(day.incident_of.values())
    assert sum(crew.jobs for crew in outcome.crews) == len(outcome.served)


@pytest.mark.parametrize("policy", ["A0", "F", "sigap"])
def test_little_holds_in_every_run(policy: str) -> None:
    """L = λ·W, exactly: the areas under the curves are the sums of the stays."""
    outcome = played(policy)
    for law in (waiting_law(outcome), system_law(outcome)):
        assert law.gap == pytest.approx(0.0, abs=1e-6)


def test_response_is_made_of_its_parts() -> None:
    for one in played("F").served:
        parts = one.processing_s + one.turnout_s + one.travel_s
        # processing ends with the offer that was driven, the clock with the first arrival
        assert parts == pytest.approx(one.response_s, abs=1e-5)


@pytest.mark.parametrize("policy", ["A0", "sigap"])
def test_one_in_ten_says_no(policy: str) -> None:
    outcomes = [played(policy, seed) for seed in (1, 2, 3)]
    asked = sum(s.offers for o in outcomes for s in o.served)
    declined = sum(o.declines for o in outcomes)
    sd = (asked * 0.1 * 0.9) ** 0.5
    assert abs(declined - 0.1 * asked) < 4 * sd


def test_without_frictions_nobody_declines_or_is_asked_in_vain() -> None:
    outcome = played("A0", smooth=True)
    assert (outcome.declines, outcome.expiries, outcome.frictions) == (0, 0, False)
    assert {s.offers for s in outcome.served} == {1}
    assert played("A0").frictions
    mean = np.mean([s.response_s for s in outcome.served])
    assert mean < np.mean([s.response_s for s in played("A0").served])


def test_breaks_take_crews_off_duty() -> None:
    day = day_of("A0", scene())
    rests = [
        e for e in _events(day, "CrewStatusSet") if getattr(e.fact, "status", "") == "not_available"
    ]
    assert len(rests) >= CREWS
    off = {e.subject: e.at for e in rests}
    assert set(off) == {robot.crew_id for robot in day.robots}
    never = day_of("A0", scene(), replace(FRICTIONS, rest_s=0.0))
    assert all(worked.off_s == 0 for worked in never.robots)


def test_nobody_is_asked_while_off_duty_or_at_work() -> None:
    """Read from the log alone, for the policy that moves crews about most."""
    day = day_of("sigap", scene(load=0.6))
    status: dict[UUID, str] = {}
    busy: dict[UUID, UUID] = {}
    offers = 0
    for entry in day.world.log:
        event, fact = entry.event, entry.event.fact
        if event.type == "CrewStatusSet":
            status[event.subject] = fact.status  # type: ignore[attr-defined]
        elif event.type == "AssignmentOffered":
            crew = fact.crew_id  # type: ignore[attr-defined]
            assert status[crew] == "available"
            assert crew not in busy
            busy[crew] = event.subject
            offers += 1
        elif event.type == "CrewReleased":
            assert busy.pop(event.subject) == fact.assignment_id  # type: ignore[attr-defined]
    assert offers > 30
    assert busy == {}


def test_only_who_has_the_skill_arrives() -> None:
    skills = {t.service_code: t.skills for t in demand.TYPES}
    outcome = played("F")
    for one in outcome.served:
        assert skills[one.service_code] <= set(outcome.crews[one.crew].skills)
    assert {s.service_code for s in outcome.served} == set(skills)


def test_it_is_the_dispatcher_of_the_product_that_decides() -> None:
    """The log of the run reads like the log of a city: proposals and offers with their reasons."""
    day = day_of("sigap", scene())
    made = _events(day, "RecommendationMade")
    offered = _events(day, "AssignmentOffered")
    assert len(made) >= len(day.scene.jobs)
    for event in [*made, *offered, *_events(day, "MoveUpOrdered")]:
        assert event.actor.role == "system"
        assert event.because
    rules = Counter((event.because or {})["rule"] for event in offered)
    assert set(rules) <= {"matching", "offers.parallel_below"}
    assert all((event.because or {})["graph"] == "table" for event in offered)
    assert all((event.because or {})["candidates"] for event in offered)
    types = {entry.event.type for entry in day.world.log}
    assert {"ReportTriaged", "ReportVerified", "CrewCommitted", "IncidentClosed"} <= types


def test_what_follows_in_time_is_in_order() -> None:
    day = day_of("F", scene())
    moments = [entry.event.recorded_at for entry in day.world.log]
    assert all(one <= next_ for one, next_ in pairwise(moments))
    assert moments[0] == START


def test_baselines_turn_nobody_round_and_send_nobody_to_a_post() -> None:
    for policy in ("A0", "A1", "A2", "B"):
        outcome = played(policy)
        assert (outcome.diversions, outcome.move_ups) == (0, 0)
    assert played("D").diversions > 0
    assert played("D").move_ups == 0
    assert played("F").move_ups > 0


def test_a_storm_brings_trees_and_slow_roads() -> None:
    calm, wild = scene(days=3), scene(days=3, storm=True)
    trees = [job for job in wild.jobs if job.storm]
    assert len(trees) == demand.STORM_REPORTS
    assert all(
        STORM_AT_S <= job.at_s <= STORM_AT_S + demand.STORM_REPORTS_WITHIN_S for job in trees
    )
    assert {job.service_code for job in trees} == {"fallen_tree"}
    # the rest of the days is the same
    assert [job for job in wild.jobs if not job.storm] == list(calm.jobs)
    assert slow_at(STORM_AT_S, storm=True) == pytest.approx(
        slow_at(STORM_AT_S, storm=False) * demand.STORM_SLOW
    )
    assert slow_at(0.0, storm=True) == slow_at(0.0, storm=False)


def test_a_stormy_run_is_told_apart() -> None:
    wild = stage().scene(3, load=0.3, crews=CREWS, days=1.75, storm=True)
    jobs = [job for job in wild.jobs if job.at_s > STORM_AT_S - 7200]
    few = {id(job) for job in [job for job in jobs if job.storm][::4]}
    wild = replace(wild, jobs=[job for job in jobs if not job.storm or id(job) in few])
    outcome = play(wild, POLICIES["A0"](read_policy(None)), name="A0", seed=3)
    assert outcome.scenario == "storm"
    storm = [s.response_s for s in outcome.served if s.storm]
    calm = [s.response_s for s in outcome.served if not s.storm]
    assert len(storm) >= demand.STORM_REPORTS / 4
    assert np.mean(storm) > np.mean(calm)


def test_fewer_crews_meet_the_same_demand() -> None:
    full = stage().scene(1, load=0.4, crews=CREWS, days=DAYS)
    less = stage().scene(1, load=0.4, crews=CREWS, days=DAYS, fewer_crews=2)
    assert list(less.jobs) == list(full.jobs)
    assert list(less.crews) == list(full.crews)[:-2]
    outcome = play(less, POLICIES["A0"](read_policy(None)), name="A0", seed=1)
    assert len(outcome.crews) == CREWS - 2
    mean = np.mean([s.response_s for s in outcome.served])
    assert mean > np.mean([s.response_s for s in played("A0").served])


def test_the_warm_up_and_pranks_do_not_count() -> None:
    outcome = played("A0")
    for one in outcome.served:
        assert one.counted == (one.genuine and one.received_s > 4 * 3600)
    assert any(not one.genuine for one in outcome.served)


def test_skills_are_mixed_alike_every_time() -> None:
    crews = mixed_skills(20)
    assert crews == mixed_skills(20)
    count = Counter(tuple(sorted(each)) for each in crews)
    assert count[("chainsaw",)] == 6
    assert count[("electrical",)] == 4
    assert count["chainsaw", "electrical"] == 2
    assert count[()] == 8


def test_a_crew_under_way_counts_from_where_it_is() -> None:
    streets = stage().streets
    trip = streets.trip(Spot(site=0), 35)
    assert trip is not None
    assert trip.duration_s == 1200.0
    under_way = trip.at(300.0)
    assert streets.seconds(under_way)[35] == 900.0
    assert trip.at(1300.0) == Spot(site=35)
