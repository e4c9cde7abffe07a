"""What each fact makes of a report, an incident or an assignment, and what it may not change."""

from __future__ import annotations

import tomllib
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

import dispatch
from dispatch import actions
from dispatch.core import assignments, incidents, reports
from dispatch.core import events as ev
from dispatch.core.assignments import Assignment
from dispatch.core.crews import Fix
from dispatch.core.errors import Invalid, TooLate, WrongStatus
from dispatch.core.events import Actor, Event, Kind
from dispatch.core.incidents import Incident
from dispatch.core.policy import parse_policy
from dispatch.core.reports import Report
from dispatch.core.world import EVOLVE, fold
from dispatch.simulator.memory import MemoryWorld

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DESK, CREW = Actor("dispatcher", "d"), Actor("crew", "c")
ONE, TWO = UUID(int=1), UUID(int=2)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def event(kind: Kind, fact: ev.Fact, *, version: int = 1, at: float = 0.0) -> Event:
    return Event(kind, UUID(int=9), version, later(at), later(at), DESK, fact)


def new_report() -> Report:
    fact = ev.ReportReceived("KTA-1", "web", "flood", later(-60), lon=1.5, lat=2.5)
    return reports.evolve(None, event("report", fact))


def new_incident(**changes: object) -> Incident:
    fact = ev.IncidentOpened(
        ticket="KTA-1",
        service_code="flood",
        priority=1,
        lon=1.5,
        lat=2.5,
        received_at=later(-60),
        due_at=later(1140),
        place_label=None,
        ward=None,
        district=None,
        agency_id="bpbd",
        required_skills=("pump",),
        required_crews=2,
        channel="web",
    )
    made = incidents.evolve(None, event("incident", fact))
    return replace(made, **changes)  # type: ignore[arg-type]


def new_assignment(status: str = "offered") -> Assignment:
    fact = ev.AssignmentOffered(ONE, TWO, later(60), later(300), 300.0, 440.0, 0.97, "automatic")
    return replace(assignments.evolve(None, event("assignment", fact)), status=status)


def test_the_times_of_an_assignment_come_with_their_source() -> None:
    job = new_assignment()
    for at, fact in (
        (10, ev.AssignmentAcknowledged("button")),
        (30, ev.AssignmentEnRoute("movement")),
        (400, ev.AssignmentOnScene("geofence", "geofence", 12.5)),
        (900, ev.AssignmentCleared("05", "beres", "button")),
    ):
        job = assignments.evolve(job, event("assignment", fact, version=job.version + 1, at=at))
    assert (job.acknowledged_at, job.enroute_at, job.arrived_at, job.cleared_at) == (
        later(10),
        later(30),
        later(400),
        later(900),
    )
    assert job.available_at == job.ended_at == later(900)
    assert dict(job.sources) == {
        "dispatched_at": "automatic",
        "acknowledged_at": "button",
        "enroute_at": "movement",
        "arrived_at": "geofence",
        "cleared_at": "button",
    }
    assert (job.evidence, job.arrival_distance_m, job.note) == ("geofence", 12.5, "beres")
    assert not job.active


def test_work_begins_with_the_first_picture_on_scene() -> None:
    job = new_assignment("acknowledged")
    for number, (status, moment, at) in enumerate(
        (
            ("acknowledged", "before", 5),
            ("on_scene", "after", 10),
            ("on_scene", "before", 20),
            ("on_scene", "before", 30),
        ),
        start=1,
    ):
        taken = ev.AssignmentPhotographed(UUID(int=number), moment)  # type: ignore[arg-type]
        job = assignments.evolve(
            replace(job, status=status), event("assignment", taken, version=number + 1, at=at)
        )
    assert job.work_started_at == later(20)
    assert job.photo_ids == tuple(UUID(int=number) for number in range(1, 5))


@pytest.mark.parametrize("status", ["cleared", "declined", "expired", "withdrawn"])
def test_an_assignment_that_ended_binds_nobody(status: str) -> None:
    assert not new_assignment(status).active


def test_an_incident_keeps_its_first_times_until_it_is_opened_again() -> None:
    incident = new_incident()
    steps: tuple[tuple[float, ev.Fact], ...] = (
        (10, ev.IncidentDispatched(ONE)),
        (20, ev.IncidentDispatched(TWO)),
        (300, ev.IncidentCrewArrived(TWO)),
        (400, ev.IncidentCrewArrived(ONE)),
    )
    for at, fact in steps:
        incident = incidents.evolve(
            incident, event("incident", fact, version=incident.version + 1, at=at)
        )
    assert (incident.first_dispatched_at, incident.first_arrived_at) == (later(10), later(300))
    assert (incident.assignment_ids, incident.wants_crews) == ((ONE, TWO), 0)
    closed = incidents.evolve(incident, event("incident", ev.IncidentClosed("05", "beres"), at=900))
    assert (closed.status, closed.closed_at, closed.assignment_ids) == ("closed", later(900), ())
    assert (closed.open, closed.wants_crews) == (False, 0)
    again = incidents.evolve(
        closed, event("incident", ev.IncidentReopened("rusak", later(2200)), at=1000)
    )
    assert (again.status, again.due_at, again.reopened_at) == ("pending", later(2200), later(1000))
    assert again.first_arrived_at is None
    assert again.closed_at is None
    assert again.received_at == later(-60)
    assert again.wants_crews == 2


def test_a_crew_that_leaves_says_whether_anybody_is_left() -> None:
    both = new_incident(status="dispatched", assignment_ids=(ONE, TWO))
    one = incidents.evolve(both, event("incident", ev.IncidentCrewLeft(ONE, pending=False)))
    assert (one.status, one.assignment_ids, one.wants_crews) == ("dispatched", (TWO,), 1)
    none = incidents.evolve(one, event("incident", ev.IncidentCrewLeft(TWO, pending=True)))
    assert (none.status, none.assignment_ids, none.wants_crews) == ("pending", (), 2)


@pytest.mark.parametrize(
    "fact",
    [ev.IncidentDispatched(ONE), ev.IncidentReprioritised(2, "x")],
    ids=["sent", "reprioritised"],
)
def test_a_recommendation_ends_with_what_it_was_for(fact: ev.Fact) -> None:
    standing = new_incident(recommendation={"crew_id": str(ONE)})
    assert incidents.evolve(standing, event("incident", fact)).recommendation is None


def test_a_report_undone_waits_as_if_nobody_had_decided() -> None:
    report = new_report()
    triaged = reports.evolve(
        report, event("report", ev.ReportTriaged(0.8, ({"code": "prior", "weight": 1.4},), ()))
    )
    decided = reports.evolve(
        triaged,
        event(
            "report",
            reports.verify(triaged, NOON, service_code="flood", priority=1, reason=None, undo_s=10),
        ),
    )
    linked = reports.evolve(decided, event("report", ev.ReportLinked(ONE)))
    assert (linked.status, linked.incident_id, linked.priority) == ("linked", ONE, 1)
    restored = reports.evolve(linked, event("report", reports.restore(linked, later(10))))
    assert restored.waiting
    for field in fields(Report):
        if field.name not in ("version", "changed_at"):
            assert getattr(restored, field.name) == getattr(triaged, field.name), field.name


def test_undo_ends_with_its_seconds_and_needs_a_decision() -> None:
    report = replace(new_report(), status="archived", undo_until=later(10))
    with pytest.raises(TooLate):
        reports.restore(report, later(10.001))
    with pytest.raises(WrongStatus):
        reports.restore(new_report(), NOON)


@pytest.mark.parametrize("verdict", ["postponed", "not_our_authority", "archived"])
def test_who_puts_a_report_aside_says_why(verdict: str) -> None:
    for empty in ("", "  \n"):
        with pytest.raises(Invalid, match="Say why"):
            reports.put_aside(new_report(), NOON, verdict=verdict, reason=empty, undo_s=10)
    fact = reports.put_aside(new_report(), NOON, verdict=verdict, reason=" palsu ", undo_s=10)
    aside = reports.evolve(new_report(), event("report", fact))
    assert (aside.status, aside.reason, aside.undo_until) == (verdict, "palsu", later(10))


def test_a_fact_of_another_thing_is_refused() -> None:
    for thing in (new_report(), new_incident(), new_assignment()):
        with pytest.raises(WrongStatus):
            EVOLVE[thing.kind](thing, event("crew", ev.CrewReleased(ONE)))  # type: ignore[index]


def test_a_log_folded_twice_is_the_same_city() -> None:
    path = Path(dispatch.__file__).with_name("policy.toml")
    world = MemoryWorld("kota", parse_policy(tomllib.loads(path.read_text(encoding="utf-8"))))
    wish = actions.NewReport("web", "waste", "Sampah menumpuk", lon=1.5, lat=2.5)
    report = actions.receive_report(world, NOON, Actor("citizen"), wish)
    incident = actions.verify_report(world, later(5), DESK, report.id)
    actions.close_incident(world, later(9), DESK, incident.id, disposition_code="05")
    actions.answer_report(world, later(20), Actor("citizen"), report.id, answer="reopened")
    told = [entry.event for entry in world.log]
    assert fold(told) == fold(told) == world.entities()


def test_a_step_taken_back_takes_back_what_is_read_again() -> None:
    """Crews and positions are remembered between changes; a failed step is no change."""
    path = Path(dispatch.__file__).with_name("policy.toml")
    world = MemoryWorld("kota", parse_policy(tomllib.loads(path.read_text(encoding="utf-8"))))
    fact = ev.CrewRegistered("Regu", "R", "pupr", (), "car", 3, 111.5, -7.6)
    crew = actions.register_crew(world, NOON, DESK, fact)
    assert [c.status for c in world.crews()] == ["not_available"]
    here = Fix(crew.id, 111.5, -7.6, fix_time=NOON, server_time=NOON)
    world.put_fix(here)
    assert dict(world.fixes()) == {crew.id: here}
    with pytest.raises(ZeroDivisionError), world.step():
        _begin_and_fail(world, crew.id, replace(here, lon=111.6, fix_time=later(5)))
    assert [c.status for c in world.crews()] == ["not_available"]
    assert dict(world.fixes()) == {crew.id: here}
    actions.set_crew_status(world, NOON, DESK, crew.id, status="available")
    assert [c.status for c in world.crews()] == ["available"]


def _begin_and_fail(world: MemoryWorld, crew_id: UUID, fix: Fix) -> None:
    actions.set_crew_status(world, NOON, DESK, crew_id, status="available")
    world.put_fix(fix)
    assert [c.status for c in world.crews()] == ["available"]
    assert world.fixes()[crew_id] == fix
    raise ZeroDivisionError
