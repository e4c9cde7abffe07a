"""What somebody may do is what the tables allow: every action in every status."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from dispatch import actions
from dispatch.core import assignments, closures, crews, incidents, referrals, reports, rounds
from dispatch.core import events as ev
from dispatch.core.errors import Conflict, Invalid, SigapError, WrongStatus
from dispatch.core.events import Actor
from dispatch.core.lifecycle import Lifecycle
from dispatch.core.policy import CardSlot, RunCard
from dispatch.core.world import Entity
from dispatch.simulator.memory import MemoryWorld
from tests.contract.worlds import NOON, POLICY, counted_ids

DESK, CREW = Actor("dispatcher", "d1"), Actor("crew", "c1")
NOW = NOON + timedelta(seconds=5)


@dataclass(frozen=True)
class City:
    """One thing of each kind, bound to each other."""

    world: MemoryWorld
    report: UUID
    incident: UUID
    assignment: UUID
    crew: UUID
    referral: UUID
    closure: UUID


def busy_city() -> City:
    """A verified report, its incident, a crew that was sent, the agency's referral."""
    card = RunCard("pothole", (CardSlot(("roadworks",)),), 2)
    policy = replace(POLICY, run_cards={("pothole", 2): card})
    world = MemoryWorld("verbs", policy, ids=counted_ids())
    wish = actions.NewReport("web", "pothole", "Jalan berlubang", lon=111.5, lat=-7.6)
    report = actions.receive_report(world, NOON, Actor("citizen"), wish)
    incident = actions.verify_report(world, NOON, DESK, report.id)
    fact = ev.CrewRegistered("Regu", "R1", "pupr", ("roadworks",), "truck", 3, 111.5, -7.6)
    crew = actions.register_crew(world, NOON, DESK, fact)
    actions.set_crew_status(world, NOON, DESK, crew.id, status="available")
    assignment = actions.send_crew(world, NOON, DESK, incident.id, crew_id=crew.id)
    (referral,) = world.referrals_of(incident.id)
    stretch = ev.Stretch(1, 2, 111.5, -7.6, 111.5, -7.61)
    closure = actions.close_road(world, NOON, DESK, [stretch], reason="pohon tumbang")
    made = (report.id, incident.id, assignment.id, crew.id, referral.id, closure.id)
    return City(world, *made)


def idle_city() -> City:
    """The same before anybody was sent, with a crew that is free."""
    city = busy_city()
    actions.withdraw(city.world, NOON, DESK, city.assignment, reason="ulang")
    return city


def forced(city: City, kind: Any, subject: UUID, **fields: Any) -> Entity:
    """Put a thing into a status, whatever led there."""
    known: Any = city.world._entities[kind, subject]
    thing: Entity = replace(known, **fields)
    city.world._entities[kind, subject] = thing
    return thing


@dataclass(frozen=True)
class Verb:
    """An action, the fact by which the table judges it, and what it needs to be told."""

    act: Callable[..., Any]
    fact: str
    wish: Mapping[str, Any]
    actor: Actor = DESK


WHY = {"reason": "alasan"}
ON_REPORTS = [
    Verb(actions.verify_report, "ReportVerified", {}),
    Verb(actions.locate_report, "ReportLocated", {"lon": 111.5, "lat": -7.6}),
    Verb(actions.remember_place, "ReportPlaceRemembered", {}),
    Verb(actions.undo_decision, "ReportRestored", {}),
    Verb(actions.answer_report, "ReporterAnswered", {"answer": "satisfied"}),
    Verb(actions.put_aside_report, "ReportPostponed", {"verdict": "postponed", **WHY}),
    Verb(actions.put_aside_report, "ReportRefused", {"verdict": "not_our_authority", **WHY}),
    Verb(actions.put_aside_report, "ReportArchived", {"verdict": "archived", **WHY}),
]
ON_INCIDENTS = [
    Verb(actions.close_incident, "IncidentClosed", {"disposition_code": "05"}),
    Verb(actions.cancel_incident, "IncidentCancelled", WHY),
    Verb(actions.reopen_incident, "IncidentReopened", WHY),
    Verb(actions.reprioritise, "IncidentReprioritised", {"priority": 1, **WHY}),
    Verb(actions.raise_alarm, "IncidentAlarmRaised", {"alarm_level": 2, **WHY}),
]
ON_CREWS = [
    Verb(actions.take_out_of_service, "CrewOutOfService", WHY),
    Verb(actions.put_back_in_service, "CrewBackInService", {}),
    Verb(actions.tell_position_trouble, "CrewPositionTrouble", {"trouble": "denied"}),
    Verb(actions.staff_crew, "CrewStaffed", {"members_present": 1, "least_members": 2}),
    Verb(actions.equip_crew, "CrewEquipped", {"equipment": ["winch"]}),
    Verb(actions.set_shift, "CrewShiftSet", {"shift_ends_at": None, "rest_until": NOW}),
]
POST = actions.Post(111.51, -7.61, gain=0.02, ete_s=120.0, label="Alun-alun")
ON_FREE_CREWS = [
    Verb(actions.suggest_move_up, "MoveUpSuggested", {"post": POST}),
    Verb(actions.order_move_up, "MoveUpOrdered", {"post": POST}),
]
AS_SUGGESTED = Verb(actions.order_move_up, "MoveUpOrdered", {})
ON_SENT_CREWS = [
    Verb(actions.reach_post, "MoveUpReached", {}, CREW),
    Verb(actions.end_move_up, "MoveUpEnded", WHY),
]
ON_ASSIGNMENTS = [
    Verb(actions.acknowledge, "AssignmentAcknowledged", {}, CREW),
    Verb(actions.decline, "AssignmentDeclined", {"reason": "vehicle"}, CREW),
    Verb(actions.en_route, "AssignmentEnRoute", {}, CREW),
    Verb(actions.on_scene, "AssignmentOnScene", {}, CREW),
    Verb(actions.grade_evidence, "AssignmentEvidenceGraded", {"evidence": "photo"}, CREW),
    Verb(actions.write_note, "AssignmentNoted", {"text": "lubang"}, CREW),
    Verb(
        actions.add_photo,
        "AssignmentPhotographed",
        {"photo_id": UUID(int=9), "moment": "before"},
        CREW,
    ),
    Verb(actions.clear, "AssignmentCleared", {"disposition_code": "05"}, CREW),
    Verb(actions.withdraw, "AssignmentWithdrawn", WHY),
]
ON_REFERRALS = [
    Verb(actions.accept_referral, "ReferralAccepted", {}),
    Verb(actions.refuse_referral, "ReferralRefused", WHY),
    Verb(actions.finish_referral, "ReferralFinished", {}),
]
ON_CLOSURES = [Verb(actions.lift_closure, "ClosureLifted", WHY)]
ON_ROUNDS = [
    Verb(actions.start_round, "RoundStarted", {}),
    Verb(actions.cancel_round, "RoundCancelled", WHY),
]


def _cases(verbs: list[Verb], lifecycle: Lifecycle) -> list[Any]:
    return [
        pytest.param(verb, status, id=f"{verb.fact}-{status}")
        for verb in verbs
        for status in sorted(lifecycle.statuses())
    ]


SAID_ALREADY = {
    ("AssignmentEnRoute", "en_route"),
    ("AssignmentEnRoute", "on_scene"),
    ("AssignmentOnScene", "on_scene"),
}
"""Buttons that the crew's own movement may have answered first: repeated, they change nothing."""


def judge(city: City, verb: Verb, thing: Entity, lifecycle: Lifecycle) -> None:
    """The action is done exactly when the table has the step, and leaves no trace when not."""
    length = len(city.world.log)
    if (verb.fact, thing.status) in SAID_ALREADY:
        with city.world.step():
            assert verb.act(city.world, NOW, verb.actor, thing.id, **verb.wish) == thing
        assert len(city.world.log) == length
    elif lifecycle.allows(thing.status, verb.fact):
        with city.world.step():
            verb.act(city.world, NOW, verb.actor, thing.id, **verb.wish)
        told = [(e.event.type, e.event.subject) for e in city.world.log[length:]]
        assert (verb.fact, thing.id) in told
    else:
        with pytest.raises(WrongStatus), city.world.step():
            verb.act(city.world, NOW, verb.actor, thing.id, **verb.wish)
        assert len(city.world.log) == length


def refused(city: City, verb: Verb, error: type[SigapError], subject: UUID | None = None) -> None:
    """The action is refused with this error and leaves no trace."""
    length = len(city.world.log)
    with pytest.raises(error), city.world.step():
        verb.act(city.world, NOW, verb.actor, subject or city.crew, **verb.wish)
    assert len(city.world.log) == length


@pytest.mark.parametrize(("verb", "status"), _cases(ON_REPORTS, reports.LIFECYCLE))
def test_reports(verb: Verb, status: str) -> None:
    city = idle_city()
    linked = city.incident if status in ("linked", "closed") else None
    if linked is None:
        city.world._of["report", city.incident] = {}
    in_time = {"undo_until": NOW, "closed_at": NOON}
    report = forced(city, "report", city.report, status=status, incident_id=linked, **in_time)
    judge(city, verb, report, reports.LIFECYCLE)


@pytest.mark.parametrize("status", sorted(reports.LIFECYCLE.statuses()))
def test_a_report_joins_an_incident_while_it_is_undecided(status: str) -> None:
    city = idle_city()
    wish = actions.NewReport("web", "pothole", "Lubang yang sama", lon=111.5, lat=-7.6)
    other = actions.receive_report(city.world, NOON, Actor("citizen"), wish)
    report = forced(city, "report", other.id, status=status)
    join = Verb(actions.join_report, "ReportMarkedDuplicate", {"incident_id": city.incident})
    judge(city, join, report, reports.LIFECYCLE)


@pytest.mark.parametrize(("verb", "status"), _cases(ON_INCIDENTS, incidents.LIFECYCLE))
def test_incidents(verb: Verb, status: str) -> None:
    city = idle_city()
    judge(city, verb, forced(city, "incident", city.incident, status=status), incidents.LIFECYCLE)


@pytest.mark.parametrize("status", sorted(incidents.LIFECYCLE.statuses()))
def test_a_crew_is_sent_only_where_one_is_needed(status: str) -> None:
    city = idle_city()
    incident = forced(city, "incident", city.incident, status=status)
    send = Verb(actions.send_crew, "IncidentDispatched", {"crew_id": city.crew})
    judge(city, send, incident, incidents.LIFECYCLE)


@pytest.mark.parametrize(("verb", "status"), _cases(ON_ASSIGNMENTS, assignments.LIFECYCLE))
def test_assignments(verb: Verb, status: str) -> None:
    city = busy_city()
    forced(city, "incident", city.incident, status="on_scene")
    assignment = forced(city, "assignment", city.assignment, status=status)
    judge(city, verb, assignment, assignments.LIFECYCLE)


@pytest.mark.parametrize(("verb", "status"), _cases(ON_REFERRALS, referrals.LIFECYCLE))
def test_referrals(verb: Verb, status: str) -> None:
    city = idle_city()
    referral = forced(city, "referral", city.referral, status=status)
    judge(city, verb, referral, referrals.LIFECYCLE)


def test_every_fact_of_the_tables_is_reached_by_something() -> None:
    """Nothing stands in a table that nobody can do."""
    verbs = [*ON_REPORTS, *ON_INCIDENTS, *ON_ASSIGNMENTS, *ON_REFERRALS, *ON_CLOSURES, *ON_CREWS]
    verbs += [*ON_FREE_CREWS, *ON_SENT_CREWS, *ON_ROUNDS]
    reached = {verb.fact for verb in verbs}
    # what follows from an action, or is done by the dispatcher loop
    reached |= {"ReportReceived", "ReportTriaged", "ReportMarkedDuplicate", "ReportLinked"}
    reached |= {"ReportClosed", "ReportReopened", "IncidentOpened", "IncidentReportJoined"}
    reached |= {"IncidentReportLeft", "RecommendationMade", "IncidentDispatched"}
    reached |= {"AfterActionRecorded", "IncidentForecast", "ReportPlaceForgotten"}
    reached |= {"IncidentCrewLeft", "IncidentCrewArrived", "IncidentCleared"}
    reached |= {"AssignmentOffered", "AssignmentExpired", "AssignmentEtaRevised"}
    reached |= {"ReferralMade", "ReferralWithdrawn", "ClosureMade"}
    reached |= {"RoundProposed", "RoundStopDone", "RoundRevised", "RoundPaused"}
    reached |= {"RoundResumed", "RoundDone"}
    reached |= {"CrewRegistered", "CrewStatusSet", "CrewCommitted", "CrewReleased"}
    assert reached == set(ev.fact_types())


@pytest.mark.parametrize(("verb", "status"), _cases(ON_CREWS, crews.LIFECYCLE))
def test_crews(verb: Verb, status: str) -> None:
    city = idle_city()
    broken = "mogok" if verb.fact == "CrewBackInService" else None
    crew = forced(city, "crew", city.crew, status=status, out_of_service_reason=broken)
    judge(city, verb, crew, crews.LIFECYCLE)


SUGGESTED = {"status": "suggested", "lon": 111.5, "lat": -7.6, "gain": 0.1, "ete_s": 60.0}
SUGGESTED |= {"label": None, "at": NOON.isoformat()}
ORDERED = {**SUGGESTED, "status": "ordered"}


@pytest.mark.parametrize(("verb", "status"), _cases(ON_FREE_CREWS, crews.LIFECYCLE))
def test_posts(verb: Verb, status: str) -> None:
    """Whoever is on duty and free may be sent to a post; off-duty people get nothing."""
    city = idle_city()
    crew = forced(city, "crew", city.crew, status=status, move_up=SUGGESTED)
    if status == "not_available":
        refused(city, verb, Invalid)
        return
    judge(city, verb, crew, crews.LIFECYCLE)


@pytest.mark.parametrize("verb", [*ON_FREE_CREWS, AS_SUGGESTED], ids=["one", "two", "three"])
def test_a_crew_with_work_is_not_sent_to_a_post(verb: Verb) -> None:
    city = busy_city()
    forced(city, "crew", city.crew, move_up=SUGGESTED)
    refused(city, verb, Conflict)


def test_a_crew_goes_where_was_suggested_or_nowhere() -> None:
    city = idle_city()
    refused(city, AS_SUGGESTED, Invalid)
    crew = forced(city, "crew", city.crew, move_up=SUGGESTED)
    judge(city, AS_SUGGESTED, crew, crews.LIFECYCLE)
    post = city.world.crew(city.crew).move_up
    ordered = {"status": "ordered", "at": "2026-03-02T12:00:05Z"}
    # suggested before posts had a p90: it is ordered without one
    assert post == {**SUGGESTED, **ordered, "p90_ete_s": None}


@pytest.mark.parametrize(("verb", "status"), _cases(ON_SENT_CREWS, crews.LIFECYCLE))
def test_sent_to_a_post(verb: Verb, status: str) -> None:
    city = idle_city()
    judge(
        city,
        verb,
        forced(city, "crew", city.crew, status=status, move_up=ORDERED),
        crews.LIFECYCLE,
    )


@pytest.mark.parametrize("verb", ON_SENT_CREWS, ids=["there", "ended"])
def test_of_a_post_that_is_not_there_nothing_is_said(verb: Verb) -> None:
    city = idle_city()
    length = len(city.world.log)
    crew = verb.act(city.world, NOW, verb.actor, city.crew, **verb.wish)
    assert (crew, len(city.world.log)) == (city.world.crew(city.crew), length)


@pytest.mark.parametrize("status", sorted(assignments.LIFECYCLE.statuses()))
def test_a_crew_is_turned_round_only_before_it_is_there(status: str) -> None:
    """Sent elsewhere: taken off what it has not begun, refused at work, plainly sent when free."""
    city = busy_city()
    wish = actions.NewReport("web", "pothole", "Lubang di depan sekolah", lon=111.5, lat=-7.65)
    report = actions.receive_report(city.world, NOON, Actor("citizen"), wish)
    other = actions.verify_report(city.world, NOON, DESK, report.id)
    held = forced(city, "assignment", city.assignment, status=status)
    if status not in assignments.ACTIVE:
        del city.world._taken[city.crew]
        forced(city, "crew", city.crew, assignment_id=None)
    if status == "on_scene":
        refused(city, Verb(actions.divert_crew, "", {"crew_id": city.crew}), Conflict, other.id)
        return
    made = actions.divert_crew(city.world, NOW, DESK, other.id, crew_id=city.crew)
    taken_off = status in assignments.ACTIVE
    assert made.incident_id == other.id
    assert made.diverted_from == (city.incident if taken_off else None)
    assert (city.world.assignment(held.id).status == "withdrawn") == (
        taken_off or status == "withdrawn"
    )


def test_a_crew_is_not_turned_round_twice() -> None:
    city = busy_city()
    forced(city, "assignment", city.assignment, diverted_from=UUID(int=404))
    again = Verb(actions.divert_crew, "", {"crew_id": city.crew})
    refused(city, again, Conflict, city.incident)


def test_a_crew_is_not_turned_round_from_work_that_may_not_wait() -> None:
    city = busy_city()
    kept = replace(city.world.policy.diversion, priorities=(3,))
    city.world.policy = replace(city.world.policy, diversion=kept)
    divert = Verb(actions.divert_crew, "", {"crew_id": city.crew})
    refused(city, divert, Conflict, city.incident)


@pytest.mark.parametrize(("verb", "status"), _cases(ON_CLOSURES, closures.LIFECYCLE))
def test_closures(verb: Verb, status: str) -> None:
    city = idle_city()
    closure = forced(city, "closure", city.closure, status=status)
    judge(city, verb, closure, closures.LIFECYCLE)


@pytest.mark.parametrize(("verb", "status"), _cases(ON_ROUNDS, rounds.LIFECYCLE))
def test_rounds(verb: Verb, status: str) -> None:
    city = idle_city()
    wish = actions.NewReport("web", "street_light", "Lampu mati", lon=111.5, lat=-7.6)
    report = actions.receive_report(city.world, NOON, Actor("citizen"), wish)
    lamp = actions.verify_report(city.world, NOON, DESK, report.id)
    proposed = actions.propose_round(
        city.world,
        NOON,
        DESK,
        city.crew,
        stops=[ev.Stop(lamp.id)],
        planned_s=900.0,
        planned_m=0.0,
        graph="g",
    )
    judge(city, verb, forced(city, "round", proposed.id, status=status), rounds.LIFECYCLE)
