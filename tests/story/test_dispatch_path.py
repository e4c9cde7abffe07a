"""A report becomes an incident, a crew is sent, arrives and clears; told without a database."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

import dispatch
from dispatch import actions, dispatcher
from dispatch.core import events as ev
from dispatch.core.arrival import Approach
from dispatch.core.assignments import Assignment
from dispatch.core.crews import Crew, Fix
from dispatch.core.errors import Conflict, Invalid, TooLate, WrongStatus
from dispatch.core.events import Actor
from dispatch.core.policy import Policy, parse_policy
from dispatch.core.reports import Report
from dispatch.simulator.memory import MemoryWorld

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CITIZEN, DISPATCHER, CREW = Actor("citizen"), Actor("dispatcher", "d1"), Actor("crew", "c1")


def default_policy() -> Policy:
    path = Path(dispatch.__file__).with_name("policy.toml")
    return parse_policy(tomllib.loads(path.read_text()))


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld("test", default_policy(), ticket_prefix="TST")


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def new_report(**changes: object) -> actions.NewReport:
    wish = {
        "channel": "web",
        "service_code": "fallen_tree",
        "description": "Pohon tumbang menutup jalan",
        "lon": 111.52,
        "lat": -7.63,
        "radius_m": 10.0,
        "phone": "081",
    }
    return actions.NewReport(**{**wish, **changes})  # type: ignore[arg-type]


def crew_on_duty(world: MemoryWorld, *, lon: float = 111.53, skills: tuple[str, ...] = ()) -> Crew:
    fact = ev.CrewRegistered("Regu 1", "R1", "bpbd", skills, "truck", 3, lon, -7.63)
    crew = actions.register_crew(world, NOON, DISPATCHER, fact)
    crew = actions.set_crew_status(world, NOON, DISPATCHER, crew.id, status="available")
    world.put_fix(Fix(crew.id, lon, -7.63, fix_time=NOON, server_time=NOON))
    return crew


def received(world: MemoryWorld, now: datetime = NOON, **changes: object) -> Report:
    report = actions.receive_report(world, now, CITIZEN, new_report(**changes))
    for timer in world.due(now):
        dispatcher.run_timer(world, now, timer)
    return world.report(report.id)


def all_at(world: MemoryWorld, seconds: float) -> dict[tuple[UUID, UUID], float]:
    asked = dispatcher.question(world, NOON)
    return {(c[0], i[0]): seconds for c in asked.crews for i in asked.incidents}


def sent(world: MemoryWorld, now: datetime) -> Assignment:
    dispatcher.act(world, now, all_at(world, 240.0), graph="test")
    crew = world.crews()[0]
    assignment = world.active_assignment(crew.id)
    assert assignment is not None
    return assignment


def test_the_whole_path_from_report_to_closed(world: MemoryWorld) -> None:
    crew_on_duty(world, skills=("chainsaw",))
    report = received(world)
    assert report.status == "under_verification"
    assert report.triage is not None
    assert report.triage["p_genuine"] > 0.8

    incident = actions.verify_report(world, later(60), DISPATCHER, report.id)
    assert world.report(report.id).status == "linked"
    assignment = sent(world, later(61))
    assert assignment.ete_s == 300.0  # road and turnout
    assert assignment.p_on_time is not None
    assert assignment.p_on_time > 0.99

    actions.acknowledge(world, later(70), CREW, assignment.id)
    actions.en_route(world, later(90), CREW, assignment.id)
    actions.on_scene(world, later(400), CREW, assignment.id)
    assert world.incident(incident.id).first_arrived_at == later(400)
    actions.clear(world, later(900), CREW, assignment.id, disposition_code="05", note="beres")
    closed = world.incident(incident.id)
    assert (closed.status, closed.disposition_code) == ("closed", "05")
    assert world.report(report.id).status == "closed"
    assert [r.status for r in world.referrals_of(incident.id)] == ["finished"]
    assert world.crews()[0].assignment_id is None


def test_not_fixed_reopens_for_reporter_agency_and_crews(world: MemoryWorld) -> None:
    crew_on_duty(world, skills=("chainsaw",))
    report = received(world)
    incident = actions.verify_report(world, later(60), DISPATCHER, report.id)
    actions.close_incident(world, later(100), DISPATCHER, incident.id, disposition_code="05")
    answered = actions.answer_report(world, later(200), CITIZEN, report.id, answer="reopened")
    assert answered.status == "linked"
    again = world.incident(incident.id)
    assert (again.status, again.due_at) == ("pending", later(200 + 1200))
    assert [r.status for r in world.referrals_of(incident.id)] == ["accepted"]
    assert sent(world, later(201)).incident_id == incident.id


def test_a_crew_cannot_be_booked_twice(world: MemoryWorld) -> None:
    crew = crew_on_duty(world, skills=("chainsaw",))
    first = actions.verify_report(world, NOON, DISPATCHER, received(world).id)
    second = actions.verify_report(world, NOON, DISPATCHER, received(world, lon=111.6).id)
    actions.send_crew(world, NOON, DISPATCHER, first.id, crew_id=crew.id)
    with pytest.raises(Conflict):
        actions.send_crew(world, NOON, DISPATCHER, second.id, crew_id=crew.id)


def test_an_unanswered_offer_goes_to_the_next_crew(world: MemoryWorld) -> None:
    one = crew_on_duty(world, skills=("chainsaw",))
    two = crew_on_duty(world, skills=("chainsaw",))
    incident = actions.verify_report(world, NOON, DISPATCHER, received(world).id)
    offer = actions.send_crew(world, NOON, DISPATCHER, incident.id, crew_id=one.id)
    for timer in world.due(offer.expires_at):
        dispatcher.run_timer(world, offer.expires_at, timer)
    assert world.assignment(offer.id).status == "expired"
    assert world.incident(incident.id).status == "pending"
    dispatcher.act(world, later(62), all_at(world, 100.0), graph="test")
    following = world.active_assignment(two.id)
    assert following is not None
    assert following.incident_id == incident.id
    assert world.active_assignment(one.id) is None


def test_a_declined_offer_keeps_its_reason_and_is_not_repeated(world: MemoryWorld) -> None:
    crew = crew_on_duty(world, skills=("chainsaw",))
    incident = actions.verify_report(world, NOON, DISPATCHER, received(world).id)
    offer = actions.send_crew(world, NOON, DISPATCHER, incident.id, crew_id=crew.id)
    with pytest.raises(Invalid):
        actions.decline(world, later(5), CREW, offer.id, reason="no idea")
    actions.decline(world, later(5), CREW, offer.id, reason="vehicle")
    dispatcher.act(world, later(6), all_at(world, 100.0), graph="test")
    standing = world.incident(incident.id).recommendation
    assert standing is not None
    assert (standing["crew_id"], standing["shortfall_reason"]) == (None, "declined")


def test_undo_takes_back_the_verification_and_the_crew(world: MemoryWorld) -> None:
    crew_on_duty(world, skills=("chainsaw",))
    report = received(world)
    incident = actions.verify_report(world, later(60), DISPATCHER, report.id)
    assignment = sent(world, later(61))
    actions.undo_decision(world, later(69), DISPATCHER, report.id)
    assert world.incident(incident.id).status == "cancelled"
    assert world.assignment(assignment.id).status == "withdrawn"
    assert world.report(report.id).status == "under_verification"
    actions.put_aside_report(
        world, later(80), DISPATCHER, report.id, verdict="archived", reason="prank"
    )
    with pytest.raises(TooLate):
        actions.undo_decision(world, later(91), DISPATCHER, report.id)


def test_a_joined_report_keeps_its_ticket_and_can_leave_again(world: MemoryWorld) -> None:
    first, second = received(world), received(world)
    incident = actions.verify_report(world, NOON, DISPATCHER, first.id)
    actions.join_report(world, later(5), DISPATCHER, second.id, incident_id=incident.id)
    assert world.incident(incident.id).report_ids == (first.id, second.id)
    assert world.report(second.id).ticket == second.ticket != first.ticket
    actions.undo_decision(world, later(9), DISPATCHER, second.id)
    assert world.incident(incident.id).report_ids == (first.id,)
    assert world.report(second.id).incident_id is None


def test_without_a_place_nobody_is_sent(world: MemoryWorld) -> None:
    report = received(world, lon=None, lat=None, radius_m=None)
    with pytest.raises(Invalid):
        actions.verify_report(world, NOON, DISPATCHER, report.id)
    actions.locate_report(world, NOON, DISPATCHER, report.id, lon=111.5, lat=-7.6)
    assert actions.verify_report(world, NOON, DISPATCHER, report.id).lon == 111.5


def test_a_late_phone_keeps_its_own_time_but_never_runs_backwards(world: MemoryWorld) -> None:
    crew_on_duty(world, skills=("chainsaw",))
    actions.verify_report(world, NOON, DISPATCHER, received(world).id)
    assignment = sent(world, NOON)
    actions.acknowledge(world, later(600), CREW, assignment.id, device_time=later(20))
    actions.en_route(world, later(600), CREW, assignment.id, device_time=later(10))
    there = actions.on_scene(world, later(600), CREW, assignment.id, device_time=later(300))
    assert (there.acknowledged_at, there.enroute_at, there.arrived_at) == (
        later(20),
        later(20),
        later(300),
    )
    assert world.incident(there.incident_id).first_arrived_at == later(300)


def test_arrival_needs_a_stay_and_not_one_stray_fix(world: MemoryWorld) -> None:
    crew = crew_on_duty(world, skills=("chainsaw",))
    incident = actions.verify_report(world, NOON, DISPATCHER, received(world).id)
    assignment = sent(world, NOON)
    actions.acknowledge(world, later(10), CREW, assignment.id)
    approach = Approach()

    def fix(at: float, lon: float, speed: float) -> Fix:
        return Fix(crew.id, lon, incident.lat, later(at), later(at), accuracy_m=8.0, speed_ms=speed)

    approach, changed = dispatcher.follow_fix(world, later(20), approach, fix(20, 111.53, 9.0))
    assert changed is not None
    assert (changed.status, changed.sources["enroute_at"]) == ("en_route", "movement")
    approach, changed = dispatcher.follow_fix(world, later(100), approach, fix(100, 111.52, 0.0))
    assert changed is None
    approach, changed = dispatcher.follow_fix(world, later(110), approach, fix(110, 111.53, 9.0))
    assert changed is None
    approach, changed = dispatcher.follow_fix(world, later(200), approach, fix(200, 111.52, 0.0))
    approach, changed = dispatcher.follow_fix(world, later(225), approach, fix(225, 111.5201, 0.0))
    assert changed is not None
    assert (changed.status, changed.evidence) == ("on_scene", "geofence")


def test_off_duty_people_get_nothing(world: MemoryWorld) -> None:
    crew = crew_on_duty(world, skills=("chainsaw",))
    actions.set_crew_status(world, NOON, CREW, crew.id, status="not_available")
    incident = actions.verify_report(world, NOON, DISPATCHER, received(world).id)
    dispatcher.act(world, later(1), all_at(world, 60.0), graph="test")
    assert world.active_assignment(crew.id) is None
    standing = world.incident(incident.id).recommendation
    assert standing is not None
    assert standing["shortfall_reason"] == "off_duty"
    with pytest.raises(Invalid):
        actions.send_crew(world, later(1), DISPATCHER, incident.id, crew_id=crew.id)


def test_a_finished_thing_stays_finished(world: MemoryWorld) -> None:
    report = received(world)
    actions.put_aside_report(
        world, NOON, DISPATCHER, report.id, verdict="not_our_authority", reason="PLN"
    )
    with pytest.raises(WrongStatus):
        actions.verify_report(world, NOON, DISPATCHER, report.id)


def test_who_cried_wolf_is_believed_less_but_still_heard(world: MemoryWorld) -> None:
    first = received(world)
    actions.put_aside_report(
        world, NOON, DISPATCHER, first.id, verdict="archived", reason="laporan palsu"
    )
    again, stranger = received(world, lon=111.6), received(world, lon=111.7, phone="082")
    assert again.triage is not None
    assert stranger.triage is not None
    assert again.triage["p_genuine"] < stranger.triage["p_genuine"]
    assert again.status == "under_verification"
    assert "repeated" in {reason["code"] for reason in again.triage["reasons"]}


def test_another_category_is_judged_for_the_incident_and_undone_whole(world: MemoryWorld) -> None:
    report = received(world)
    incident = actions.verify_report(world, NOON, DISPATCHER, report.id, service_code="drain")
    assert (incident.service_code, incident.agency_id) == ("drain", "pupr")
    assert incident.required_skills == ("pump",)
    undone = actions.undo_decision(world, later(5), DISPATCHER, report.id)
    assert undone.service_code == "fallen_tree"


def test_a_button_pressed_after_the_position_said_it_changes_nothing(world: MemoryWorld) -> None:
    crew_on_duty(world, skills=("chainsaw",))
    actions.verify_report(world, NOON, DISPATCHER, received(world).id)
    assignment = sent(world, NOON)
    actions.acknowledge(world, later(10), CREW, assignment.id)
    moved = actions.en_route(world, later(20), CREW, assignment.id, source="movement")
    assert actions.en_route(world, later(25), CREW, assignment.id) == moved
    there = actions.on_scene(world, later(90), CREW, assignment.id, source="geofence")
    assert actions.on_scene(world, later(99), CREW, assignment.id) == there
    assert actions.en_route(world, later(99), CREW, assignment.id) == there
