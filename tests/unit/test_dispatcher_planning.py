"""Asked at once, turned round: what the plan does with crews, told case by case."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dispatch import actions
from dispatch.core.crews import Fix
from dispatch.core.matching import p_on_time
from dispatch.dispatcher.board import on_the_way, paused_for
from tests.contract.worlds import NOON, POLICY
from tests.unit.table_city import CREW, DESK, PLACE, City, tuned

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
    """A crew seen 50 s ago at 220 s from its incident is 170 s away, and locked."""
    city = City(crews=1)
    lamp = city.incident(220)
    city.turn()
    city.roll(0)
    seen = city.now
    city.now += timedelta(seconds=50)
    city.world.put_fix(Fix(city.crews[0], *PLACE, fix_time=seen, server_time=seen))
    assert on_the_way(city.world, city.now, city.road) == {}
    fresh = Fix(city.crews[0], *PLACE, fix_time=city.now, server_time=city.now)
    city.world.put_fix(fresh)
    found = on_the_way(city.world, city.now, city.road)
    assert found[city.crews[0]].left_s == 220
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


@pytest.mark.parametrize(("most", "stays"), [(1, True), (2, False)])
def test_an_incident_loses_so_many_crews_and_no_more(most: int, stays: bool) -> None:
    city = City(tuned(diversion={"most_per_incident": most}), crews=1)
    lamp = city.incident(900)
    city.turn()
    city.roll(0)
    first = city.incident(60, priority=1)
    city.turn(10)
    city.roll(0)
    city.now += timedelta(seconds=60)
    city.be_there(0)
    job = city.job(0)
    actions.clear(city.world, city.now, CREW, job.id, disposition_code="05")
    assert city.it(first).status in ("cleared", "closed")
    city.turn(10)
    assert city.job(0).incident_id == lamp
    city.roll(0)
    city.incident(5, priority=1)
    city.turn(10)
    assert (city.job(0).incident_id == lamp) == stays
