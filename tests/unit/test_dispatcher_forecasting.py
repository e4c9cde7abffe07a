"""Warned in time, and believed as far as it deserves: what is foreseen, told case by case."""

from __future__ import annotations

import numpy as np
import pytest

from dispatch import actions, dispatcher
from dispatch.core import triage
from dispatch.core.coverage import Kind, Terrain
from dispatch.dispatcher.board import needs
from tests.contract.worlds import POLICY
from tests.unit.table_city import CITIZEN, DESK, PLACE, City, tuned

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
    told = city.it(tree)
    assert told.forecast_alarm
    assert [one["crew_id"] for one in told.savers] == [str(crew) for crew in city.crews[:2]]
    assert {one["how"] for one in told.savers} == {"send"}
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
