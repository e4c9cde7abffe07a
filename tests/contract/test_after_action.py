"""Every missed promise gets its record by itself, whichever World keeps it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from dispatch import actions, dispatcher
from dispatch.actions import Estimate
from dispatch.actions.recording import record
from dispatch.core import events as ev
from dispatch.core.assignments import Assignment
from dispatch.core.errors import Conflict
from dispatch.core.events import SYSTEM, Actor
from dispatch.core.incidents import Incident
from dispatch.core.world import World
from tests.contract.worlds import NOON, Place

CITIZEN, DESK, CREW = Actor("citizen"), Actor("dispatcher", "d1"), Actor("crew", "c1")
HERE = (111.52, -7.63)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def crew_of(world: World, name: str) -> UUID:
    fact = ev.CrewRegistered(name, name, "pupr", ("roadworks",), "truck", 3, *HERE)
    crew = actions.register_crew(world, NOON, DESK, fact)
    actions.set_crew_status(world, NOON, DESK, crew.id, status="available")
    return crew.id


def incident_of(world: World, *, verified: float = 2) -> Incident:
    wish = actions.NewReport("web", "pothole", "Jalan berlubang", lon=HERE[0], lat=HERE[1])
    report = actions.receive_report(world, NOON, CITIZEN, wish)
    return actions.verify_report(world, at(verified), DESK, report.id)


def seen(crew_id: UUID, minutes: float, why_not: str | None = None) -> dict[str, Any]:
    return {"crew_id": str(crew_id), "ete_s": minutes * 60, "why_not": why_not}


def send(
    world: World, minutes: float, incident: Incident, crew_id: UUID, *weighed: dict[str, Any]
) -> Assignment:
    because = {"rule": "matching", "selection_reason": "keeps_skills", "candidates": list(weighed)}
    ete_s = next((c["ete_s"] for c in weighed if c["crew_id"] == str(crew_id)), 600.0)
    return actions.send_crew(
        world,
        at(minutes),
        SYSTEM,
        incident.id,
        crew_id=crew_id,
        estimate=Estimate(ete_s, ete_s * 1.4, 0.6),
        because=because,
    )


def arrive(world: World, job: Assignment, *, rolls: float, there: float) -> None:
    actions.acknowledge(world, at(rolls), CREW, job.id)
    actions.en_route(world, at(rolls), CREW, job.id)
    actions.on_scene(world, at(there), CREW, job.id)


def give_up_half_way(world: World, job: Assignment, other: Incident) -> None:
    actions.clear(world, at(11), CREW, job.id, disposition_code="05")
    arrive(world, send(world, 12, other, job.crew_id, seen(job.crew_id, 8)), rolls=13, there=14)
    send(world, 15, other, job.crew_id)


def run_due(place: Place, minutes: float) -> None:
    """What the dispatcher loop does about reviews that are due."""
    for timer in place.due(at(minutes)):
        if timer.kind == actions.AFTER_ACTION:
            with place.step() as world:
                dispatcher.run_timer(world, at(minutes), timer)
                world.cancel_timer(timer.kind, timer.subject)


def record_of(place: Place, incident_id: UUID) -> dict[str, Any]:
    with place.step() as world:
        known = world.incident(incident_id).after_action
    assert known is not None
    return dict(known)


def test_a_late_arrival_is_looked_back_at(place: Place) -> None:
    with place.step() as world:
        near, far, busy = (crew_of(world, name) for name in ("R1", "R2", "R3"))
        incident = incident_of(world)
    with place.step() as world:
        weighed = (seen(near, 6), seen(far, 11), seen(busy, 4, "busy"))
        first = send(world, 4, incident, near, *weighed)
    with place.step() as world:
        actions.decline(world, at(7), CREW, first.id, reason="vehicle")
        job = send(world, 7, incident, far, seen(far, 11), seen(near, 6, "declined"))
    with place.step() as world:
        arrive(world, job, rolls=9, there=25)
    run_due(place, 26)

    found = record_of(place, incident.id)
    pieces = [(piece["kind"], piece["s"] / 60) for piece in found["segments"]]
    assert pieces == [
        ("verification", 2),
        ("queue", 2),
        ("declined", 3),
        ("turnout", 2),
        ("travel", 10),
        ("slip", 6),
    ]
    assert found["late_s"] == 300
    assert (found["cause"], found["beyond_s"]) == ("slip", 360)
    assert found["crew_id"] == str(far)
    assert (found["asked"], found["declined"], found["expired"]) == (2, 1, 0)
    assert found["intervals"] == {
        "processing": 240,
        "turnout": 120,
        "travel": 960,
        "total_response": 1500,
    }
    assert found["nearest_s"] == 240
    sooner = [(c["crew_id"], c["why_not"], c["in_time"]) for c in found["sooner"]]
    assert sooner == [(str(busy), "busy", True), (str(near), "declined", True)]


def test_an_incident_that_ends_without_a_crew_is_a_miss_too(place: Place) -> None:
    with place.step() as world:
        incident = incident_of(world)
    with place.step() as world:
        actions.close_incident(world, at(31), DESK, incident.id, disposition_code="22")
    run_due(place, 31)
    found = record_of(place, incident.id)
    assert (found["arrived_at"], found["late_s"], found["cause"]) == (None, 660, "queue")
    assert found["intervals"]["processing"] is None


def test_who_is_in_time_gets_no_record(place: Place) -> None:
    with place.step() as world:
        crew = crew_of(world, "R1")
        incident = incident_of(world)
        arrive(world, send(world, 3, incident, crew, seen(crew, 8)), rolls=4, there=19.9)
        cancelled = incident_of(world)
        actions.cancel_incident(world, at(19), DESK, cancelled.id, reason="salah")
    assert [timer for timer in place.due(at(60)) if timer.kind == actions.AFTER_ACTION] == []
    with place.step() as world:
        assert dispatcher.record_after_action(world, at(60), incident.id).after_action is None


def test_a_record_is_made_once_for_each_life(place: Place) -> None:
    with place.step() as world:
        crew = crew_of(world, "R1")
        incident = incident_of(world)
        job = send(world, 3, incident, crew, seen(crew, 8))
        arrive(world, job, rolls=4, there=30)
    run_due(place, 30)
    before = len(place.log())
    with place.step() as world:
        dispatcher.record_after_action(world, at(31), incident.id)
    assert len(place.log()) == before
    with place.step() as world:
        actions.clear(world, at(40), CREW, job.id, disposition_code="05")
        actions.reopen_incident(world, at(50), DESK, incident.id, reason="belum")
        again = send(world, 51, incident, crew, seen(crew, 8))
        arrive(world, again, rolls=52, there=80)
    run_due(place, 80)
    found = record_of(place, incident.id)
    assert found["starts_at"] == "2026-03-02T12:50:00Z"
    assert found["late_s"] == 600
    assert [piece["kind"] for piece in found["segments"]] == ["queue", "turnout", "travel", "slip"]


def test_an_earlier_arrival_that_is_told_late_makes_a_new_record_or_none(place: Place) -> None:
    with place.step() as world:
        crews = [crew_of(world, name) for name in ("R1", "R2", "R3")]
        large = ev.IncidentAlarmRaised(2, "besar", (), 3, ())
        incident = record(world, at(2), DESK, incident_of(world), large)
        first, second, third = (send(world, 3, incident, crew, seen(crew, 8)) for crew in crews)
        arrive(world, first, rolls=5, there=30)
    run_due(place, 30)
    assert record_of(place, incident.id)["late_s"] == 600
    with place.step() as world:
        arrive(world, second, rolls=5, there=26)
    run_due(place, 31)
    found = record_of(place, incident.id)
    assert (found["late_s"], found["crew_id"]) == (360, str(crews[1]))
    with place.step() as world:
        arrive(world, third, rolls=5, there=19)
    run_due(place, 32)
    with place.step() as world:
        assert world.incident(incident.id).after_action is None


def test_the_usual_is_the_median_of_the_last_arrivals(place: Place) -> None:
    with place.step() as world:
        crew = crew_of(world, "R1")
        for _ in range(10):
            quick = incident_of(world, verified=1)
            job = send(world, 2, quick, crew, seen(crew, 10))
            arrive(world, job, rolls=5, there=17)
            actions.clear(world, at(18), CREW, job.id, disposition_code="05")
        late = incident_of(world, verified=1)
        arrive(world, send(world, 8, late, crew, seen(crew, 14)), rolls=11, there=24)
    run_due(place, 24)
    found = record_of(place, late.id)
    assert found["usual"] == {"verification": 60, "queue": 60, "turnout": 180, "travel": 720}
    assert found["usual_n"] == 10
    assert (found["cause"], found["beyond_s"]) == ("queue", 360)


def test_history_and_arrivals_are_the_same_everywhere(place: Place) -> None:
    with place.step() as world:
        crew = crew_of(world, "R1")
        incident, other = incident_of(world), incident_of(world)
        job = send(world, 3, incident, crew, seen(crew, 8))
    with place.step() as world:
        arrive(world, job, rolls=4, there=10)
        in_this_step = [event.type for event in world.history_of(incident.id)]
        assert [a.id for a in world.last_arrivals(5)] == [job.id]
    expected = [
        "IncidentOpened",
        "IncidentReportJoined",
        "AssignmentOffered",
        "IncidentDispatched",
        "AssignmentAcknowledged",
        "AssignmentEnRoute",
        "AssignmentOnScene",
        "IncidentCrewArrived",
    ]
    assert in_this_step == expected
    with pytest.raises(Conflict), place.step() as world:
        give_up_half_way(world, job, other)
    with place.step() as world:
        assert [event.type for event in world.history_of(incident.id)] == expected
        assert [a.id for a in world.last_arrivals(5)] == [job.id]
        assert list(world.last_arrivals(0)) == []
        assert [a.id for a in world.last_arrivals(5, since=at(9))] == [job.id]
        assert list(world.last_arrivals(5, since=at(10))) == []
