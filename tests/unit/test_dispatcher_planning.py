"""Asked at once, turned round, warned in time: what the plan does, told case by case."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from dispatch import actions, dispatcher
from dispatch.core import events as ev
from dispatch.core import triage
from dispatch.core.coverage import Kind, Terrain
from dispatch.core.crews import Fix
from dispatch.core.events import Actor
from dispatch.core.incidents import Incident
from dispatch.core.matching import p_on_time
from dispatch.core.policy import Policy
from dispatch.core.proposals import Proposal
from dispatch.dispatcher.board import needs, on_the_way, paused_for
from dispatch.simulator.memory import MemoryWorld
from tests.contract.worlds import NOON, POLICY, counted_ids

DESK, CITIZEN, CREW = Actor("dispatcher", "d1"), Actor("citizen"), Actor("crew", "c1")
PLACE = (111.5, -7.6)


def tuned(**sections: dict[str, Any]) -> Policy:
    changed: dict[str, Any] = {
        name: replace(getattr(POLICY, name), **values) for name, values in sections.items()
    }
    return replace(POLICY, **changed)


class City:
    """A city whose roads are a table: seconds from a crew to an incident."""

    def __init__(self, policy: Policy = POLICY, *, crews: int = 2) -> None:
        self.world = MemoryWorld("plan", policy, ids=counted_ids())
        self.now = NOON
        self.road: dict[tuple[UUID, UUID], float] = {}
        self.crews = [self._crew() for _ in range(crews)]

    def _crew(self) -> UUID:
        fact = ev.CrewRegistered("Regu", "R", "pupr", (), "car", 3, *PLACE)
        crew = actions.register_crew(self.world, self.now, DESK, fact)
        actions.set_crew_status(self.world, self.now, DESK, crew.id, status="available")
        return crew.id

    def incident(self, *seconds: float, priority: int = 3, contact: bool = True) -> UUID:
        """Something for any crew, so many seconds of road from each."""
        wish = actions.NewReport(
            "web",
            "waste",
            "Sampah menumpuk di pinggir jalan",
            lon=PLACE[0] + 0.01 * len(self.road),
            lat=PLACE[1],
            phone=f"0812{len(self.road)}" if contact else None,
            anonymous=not contact,
        )
        report = actions.receive_report(self.world, self.now, CITIZEN, wish)
        dispatcher.triage_report(self.world, self.now, report.id)
        incident = actions.verify_report(self.world, self.now, DESK, report.id, priority=priority)
        for crew, each in zip(self.crews, seconds, strict=False):
            self.road[crew, incident.id] = each
        return incident.id

    def turn(self, seconds: float = 0.0, terrain: Terrain | None = None) -> list[Proposal]:
        self.now += timedelta(seconds=seconds)
        for crew in self.crews:
            self.world.put_fix(Fix(crew, *PLACE, fix_time=self.now, server_time=self.now))
        return dispatcher.act(self.world, self.now, self.road, graph="table", terrain=terrain)

    def job(self, number: int) -> Any:
        return self.world.active_assignment(self.crews[number])

    def it(self, incident_id: UUID) -> Incident:
        return self.world.incident(incident_id)

    def told(self, type_: str) -> list[Any]:
        return [entry.event for entry in self.world.log if entry.event.type == type_]

    def take(self, number: int) -> None:
        actions.acknowledge(self.world, self.now, CREW, self.job(number).id)

    def roll(self, number: int) -> None:
        self.take(number)
        actions.en_route(self.world, self.now, CREW, self.job(number).id)

    def be_there(self, number: int) -> None:
        actions.on_scene(self.world, self.now, CREW, self.job(number).id)


# --- offers in parallel ------------------------------------------------------

ASKS = tuned(offers={"parallel_below": 0.9, "parallel_gain": 0.0}, diversion={"enabled": False})


def test_a_second_crew_is_asked_when_time_is_short() -> None:
    city = City(ASKS)
    tree = city.incident(900, 950, priority=1)
    city.turn()
    assert [city.job(i).incident_id for i in (0, 1)] == [tree, tree]
    first, second = city.told("AssignmentOffered")
    assert first.because["rule"] == "matching"
    assert second.because["rule"] == "offers.parallel_below"
    assert second.fact.ete_s == 950 + POLICY.matching.turnout_s
    assert second.fact.p90_ete_s > second.fact.ete_s


def test_with_time_to_spare_one_is_asked() -> None:
    city = City(ASKS)
    city.incident(200, 300, priority=1)
    city.turn()
    assert city.job(0) is not None
    assert city.job(1) is None


def test_one_that_adds_too_little_is_not_asked() -> None:
    city = City(tuned(offers={"parallel_below": 0.9, "parallel_gain": 0.02}))
    city.incident(900, 950, priority=1)
    city.turn()
    # the second adds decline_share · (p of now − p after waiting for a decline)
    after = float(p_on_time(1200.0 - 30.0, 1010.0, sigma=0.3))
    assert 0.1 * (float(p_on_time(1200.0, 1010.0, sigma=0.3)) - after) < 0.02
    assert city.job(1) is None


def test_by_default_nobody_is_asked_for_nothing() -> None:
    city = City(tuned(offers={"parallel_below": 0.0}))
    city.incident(900, 950, priority=1)
    city.turn()
    assert [city.job(i) is None for i in (0, 1)] == [False, True]


def test_who_is_needed_elsewhere_is_not_asked_beside() -> None:
    city = City(ASKS)
    city.incident(900, 950, priority=1)
    other = city.incident(5000, 800, priority=1)
    city.turn()
    assert city.job(1).incident_id == other
    assert len(city.told("AssignmentOffered")) == 2


def test_when_the_nearer_takes_it_the_other_is_let_go() -> None:
    city = City(ASKS)
    city.incident(900, 950, priority=1)
    city.turn()
    city.take(0)
    assert city.job(1) is None
    [withdrawn] = city.told("AssignmentWithdrawn")
    assert withdrawn.because["rule"] == "offers.parallel_below"
    assert withdrawn.actor.role == "system"
    assert city.world.crew(city.crews[1]).assignment_id is None


def test_when_the_farther_answers_first_the_nearer_keeps_its_offer() -> None:
    city = City(ASKS)
    tree = city.incident(900, 950, priority=1)
    city.turn()
    city.take(1)
    assert city.job(0).status == "offered"
    city.take(0)
    assert city.job(1) is None
    assert city.it(tree).assignment_ids == (city.job(0).id,)


def test_when_the_nearer_declines_the_other_has_it_already() -> None:
    city = City(ASKS)
    tree = city.incident(900, 950, priority=1)
    city.turn()
    actions.decline(city.world, city.now, CREW, city.job(0).id, reason="vehicle")
    city.turn(5)
    assert city.job(0) is None
    city.take(1)
    assert city.it(tree).assignment_ids == (city.job(1).id,)


def test_who_was_let_go_may_be_asked_again_who_said_no_may_not() -> None:
    city = City(ASKS)
    tree = city.incident(900, 950, priority=1)
    city.turn()
    city.take(0)
    assert paused_for(city.world, city.now, city.it(tree)) == frozenset()
    actions.withdraw(city.world, city.now, DESK, city.job(0).id, reason="mogok di jalan")
    city.turn(5)
    assert city.job(0) is None
    assert city.job(1).incident_id == tree
    assert paused_for(city.world, city.now, city.it(tree)) == {city.crews[0]}


def test_who_a_dispatcher_sent_is_never_let_go_by_itself() -> None:
    city = City(ASKS)
    tree = city.incident(900, 950, priority=1)
    for crew in city.crews:
        actions.send_crew(city.world, city.now, DESK, tree, crew_id=crew)
    city.take(0)
    assert city.job(1).status == "offered"


# --- turning round -----------------------------------------------------------


def test_a_crew_is_turned_round_for_a_more_urgent_incident() -> None:
    city = City(crews=1)
    lamp = city.incident(900)
    city.turn()
    city.roll(0)
    tree = city.incident(60, priority=1)
    city.turn(10)
    job = city.job(0)
    assert (job.incident_id, job.diverted_from) == (tree, lamp)
    assert city.it(lamp).status == "pending"
    [withdrawn] = city.told("AssignmentWithdrawn")
    assert withdrawn.fact.reason == "diverted"
    assert withdrawn.because["rule"] == "diversion"
    assert withdrawn.because["to_incident"] == str(tree)
    assert withdrawn.because["left_s"] == 900.0
    # the displaced incident keeps its clock
    assert city.it(lamp).due_at == NOON + timedelta(seconds=1200)
    # … and the crew arrives now, whatever comes
    city.roll(0)
    city.incident(10, priority=1)
    city.turn(10)
    assert city.job(0).incident_id == tree


def test_a_crew_that_is_nearly_there_goes_on() -> None:
    lock_s = POLICY.diversion.lock_s
    for road_s, turned in ((lock_s - 1, False), (lock_s + 60, True)):
        city = City(crews=1)
        lamp = city.incident(road_s)
        city.turn()
        city.roll(0)
        city.incident(5, priority=1)
        city.turn(0)
        assert (city.job(0).incident_id != lamp) == turned


def test_the_age_of_a_position_is_road_driven_already() -> None:
    """A crew seen 50 s ago at 340 s from its incident is 290 s away, and locked."""
    city = City(crews=1)
    lamp = city.incident(340)
    city.turn()
    city.roll(0)
    seen = city.now
    city.now += timedelta(seconds=50)
    city.world.put_fix(Fix(city.crews[0], *PLACE, fix_time=seen, server_time=seen))
    assert on_the_way(city.world, city.now, city.road) == {}
    fresh = Fix(city.crews[0], *PLACE, fix_time=city.now, server_time=city.now)
    city.world.put_fix(fresh)
    found = on_the_way(city.world, city.now, city.road)
    assert found[city.crews[0]].left_s == 340
    assert found[city.crews[0]].incident.id == lamp


def test_a_position_from_before_it_rolled_counts_from_then() -> None:
    city = City(crews=1)
    city.incident(800)
    city.turn()
    city.now += timedelta(seconds=40)
    city.roll(0)
    city.now += timedelta(seconds=10)
    [held] = on_the_way(city.world, city.now, city.road).values()
    assert held.left_s == 790


def test_before_it_rolls_its_turnout_is_still_to_come() -> None:
    policy = tuned(matching={"turnout_s": 90.0}, offers={"accept_s": 30.0})
    city = City(policy, crews=1)
    city.incident(800)
    city.turn()
    city.take(0)
    city.now += timedelta(seconds=20)
    [held] = on_the_way(city.world, city.now, city.road).values()
    assert held.left_s == 800 + 90 - 30 - 20


def test_only_what_the_policy_names_may_be_left() -> None:
    city = City(tuned(diversion={"priorities": (3,)}), crews=1)
    flood = city.incident(900, priority=2)
    city.turn()
    city.roll(0)
    city.incident(30, priority=1)
    city.turn(10)
    assert city.job(0).incident_id == flood
    off = City(tuned(diversion={"enabled": False}), crews=1)
    lamp = off.incident(900)
    off.turn()
    off.roll(0)
    off.incident(30, priority=1)
    off.turn(10)
    assert off.job(0).incident_id == lamp


def test_a_crew_that_was_relieved_is_not_turned_round_next() -> None:
    """A nearer crew takes over; the first is sent elsewhere, and gets there."""
    city = City(crews=2)
    actions.set_crew_status(city.world, NOON, DESK, city.crews[1], status="not_available")
    tree = city.incident(1100, 100, priority=1)
    city.turn()
    city.roll(0)
    actions.set_crew_status(city.world, NOON, DESK, city.crews[1], status="available")
    city.turn(10)
    assert city.job(1).incident_id == tree
    assert city.job(0) is None
    lamp = city.incident(900, 9000)
    city.turn(10)
    assert city.job(0).incident_id == lamp
    city.roll(0)
    urgent = city.incident(60, 9000, priority=1)
    city.turn(10)
    assert city.job(0).incident_id == lamp
    city.be_there(0)
    actions.clear(city.world, city.now, CREW, city.job(0).id, disposition_code="05")
    # once it has arrived somewhere it may be turned round again
    actions.cancel_incident(city.world, city.now, DESK, urgent, reason="uji")
    another = city.incident(900, 9000)
    city.turn(10)
    assert city.job(0).incident_id == another
    city.roll(0)
    city.incident(60, 9000, priority=1)
    city.turn(10)
    assert city.job(0).incident_id != another


def test_an_incident_does_not_lose_a_crew_twice() -> None:
    city = City(crews=1)
    lamp = city.incident(900)
    city.turn()
    city.roll(0)
    first = city.incident(60, priority=1)
    city.turn(10)
    city.roll(0)
    city.be_there(0)
    job = city.job(0)
    actions.clear(city.world, city.now, CREW, job.id, disposition_code="05")
    assert city.it(first).status in ("cleared", "closed")
    city.turn(10)
    assert city.job(0).incident_id == lamp
    city.roll(0)
    city.incident(5, priority=1)
    city.turn(10)
    assert city.job(0).incident_id == lamp


# --- the forecast ------------------------------------------------------------


def test_a_likely_miss_is_told_before_it_happens() -> None:
    """A crew is stuck far away; the alarm comes long before the breach and names who could save."""
    city = City(tuned(diversion={"enabled": False}))
    tree = city.incident(400, 500, priority=1)
    other = city.incident(9000, 9000)
    city.turn()
    city.roll(0)
    assert not city.it(tree).forecast_alarm
    assert city.it(other).forecast_alarm
    city.road[city.crews[0], tree] = 2000
    city.turn(60)
    told = city.it(tree)
    assert told.forecast_alarm
    assert city.now < told.due_at
    assert told.p_on_time is not None
    assert told.p_on_time < POLICY.forecast.alarm_below
    assert told.forecast_eta is not None
    assert told.forecast_eta > told.due_at


def test_the_savers_are_crews_that_would_be_there_in_time() -> None:
    """Nothing is sent by itself here: the alarm says who could be."""
    policy = tuned(offers={"automatic_priorities": ()}, diversion={"enabled": False})
    city = City(policy, crews=3)
    tree = city.incident(300, 400, 9000, priority=1)
    actions.send_crew(city.world, city.now, DESK, tree, crew_id=city.crews[2])
    city.turn()
    # with a crew on it there is no need on the board: nobody can be named
    assert city.it(tree).forecast_alarm
    waiting = city.incident(1150, 1170, 9000, priority=1)
    city.turn(10)
    told = city.it(waiting)
    assert told.recommendation is not None
    assert told.recommendation["crew_id"] == str(city.crews[0])
    assert told.saves is not None


def test_the_alarm_has_hysteresis_and_ends_at_the_arrival() -> None:
    policy = tuned(diversion={"enabled": False}, forecast={"alarm_below": 0.5, "clear_above": 0.7})
    city = City(policy, crews=1)
    tree = city.incident(400)

    def alarm(road_s: float) -> bool:
        city.road[city.crews[0], tree] = road_s
        city.turn()
        return city.it(tree).forecast_alarm

    city.turn()
    city.roll(0)
    # 1200 s left, σ .3: 1100 s → .61, 1300 s → .39, 1000 s → .73
    assert [alarm(s) for s in (1100, 1300, 1100, 1000, 1100)] == [False, True, True, False, False]
    assert alarm(1300)
    city.be_there(0)
    told = city.it(tree)
    assert (told.forecast_alarm, told.savers, told.saves) == (False, (), None)
    city.turn(10)
    assert not city.it(tree).forecast_alarm


def test_a_forecast_that_stays_is_told_once() -> None:
    city = City(tuned(diversion={"enabled": False}), crews=1)
    city.incident(400)
    city.turn()
    city.roll(0)
    city.turn(10)
    length = len(city.told("IncidentForecast"))
    for _ in range(5):
        city.turn(10)
    assert len(city.told("IncidentForecast")) == length
    assert all(told.because["rule"] == "forecast" for told in city.told("IncidentForecast"))


def test_a_city_may_do_without_forecasts() -> None:
    city = City(tuned(forecast={"enabled": False}))
    city.incident(9000, 9000)
    city.turn()
    assert city.told("IncidentForecast") == []


# --- what is probably nothing ------------------------------------------------


def test_of_two_alike_the_more_genuine_is_served_first() -> None:
    city = City(crews=1)
    doubtful = city.incident(300, contact=False)
    sure = city.incident(300, contact=True)
    p = {i: city.it(i).p_genuine or 1.0 for i in (doubtful, sure)}
    assert p[doubtful] < p[sure] < 1.0
    city.turn()
    assert city.job(0).incident_id == sure
    assert {need.incident_id: need.p_genuine for need in needs(city.world, city.now)} == {
        doubtful: p[doubtful]
    }


def test_a_verified_report_is_believed_more_and_two_more_than_one() -> None:
    city = City(crews=0)
    wish = actions.NewReport("web", "waste", "Sampah", lon=PLACE[0], lat=PLACE[1])
    report = actions.receive_report(city.world, city.now, CITIZEN, wish)
    dispatcher.triage_report(city.world, city.now, report.id)
    told = (city.world.report(report.id).triage or {})["p_genuine"]
    incident = actions.verify_report(city.world, city.now, DESK, report.id)
    assert incident.p_genuine == triage.after_verification(told, policy=POLICY)
    assert incident.p_genuine > told
    second = actions.receive_report(city.world, city.now, CITIZEN, wish)
    dispatcher.triage_report(city.world, city.now, second.id)
    actions.join_report(city.world, city.now, DESK, second.id, incident_id=incident.id)
    joined = city.it(incident.id).p_genuine
    assert joined is not None
    assert 1.0 >= joined >= incident.p_genuine


def test_two_reports_are_both_false_only_together() -> None:
    assert triage.either(None, 0.4) == 0.4
    assert triage.either(0.5, 0.5) == 0.75
    assert triage.either(0.9, 0.0) == 0.9
    logit = triage.after_verification(0.5, policy=POLICY)
    assert logit == pytest.approx(1 / (1 + np.exp(-POLICY.triage.verified)), abs=1e-4)
    assert 0.0 <= triage.after_verification(0.0, policy=POLICY) < 0.01
    assert triage.after_verification(1.0, policy=POLICY) == 1.0


def test_what_a_false_dispatch_costs_the_others_is_told() -> None:
    ground = Terrain(
        lon=np.array([PLACE[0]]),
        lat=np.array([PLACE[1]]),
        demand=np.array([1.0]),
        seconds=np.array([[60.0]]),
        kinds=(Kind(frozenset(), 1.0),),
        per_hour=np.full(24, 2.0),
    )
    city = City(crews=1)
    city.incident(300)
    city.turn(terrain=ground)
    [made] = city.told("RecommendationMade")
    # the only crew leaves: what arrives while it is bound comes late by half a promise
    away_h = (POLICY.matching.mean_service_s + POLICY.matching.mean_travel_s) / 3600
    lost = city_cover_lost(city, ground)
    assert made.fact.false_cost_min == pytest.approx(lost * 2.0 * away_h * 10, rel=0.05)
    assert made.fact.false_cost_min > 0
    bare = City(crews=1)
    bare.incident(300)
    bare.turn()
    assert bare.told("RecommendationMade")[0].fact.false_cost_min == 0


def city_cover_lost(city: City, ground: Terrain) -> float:
    """All there is: the crew was the only one, free when it was asked."""
    free = City(city.world.policy, crews=1)
    free.turn()
    return float(dispatcher.cover_of(free.world, free.now, ground).expected())
