"""What is done with an assignment, by the crew or to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from dispatch.actions.after_action import review_if_missed
from dispatch.actions.recording import begin, record
from dispatch.core import arrival, assignments, gates, incidents
from dispatch.core import events as ev
from dispatch.core.assignments import DIVERTED, TAKEN, Assignment
from dispatch.core.errors import Conflict, Invalid
from dispatch.core.events import SYSTEM, Actor, Fact
from dispatch.core.incidents import Incident
from dispatch.core.reports import required_reason
from dispatch.core.world import Timer, World

OFFER_EXPIRES = "offer_expires"
SHIFT_ENDS = "shift_ends"
MAX_NOTE = 2000
LATE_DEVICE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long the crew will need, seconds, and the chance to be there in time."""

    ete_s: float
    p90_ete_s: float
    p_on_time: float


def send_crew(
    world: World,
    now: datetime,
    actor: Actor,
    incident_id: UUID,
    *,
    crew_id: UUID,
    estimate: Estimate | None = None,
    because: Mapping[str, Any] | None = None,
    diverted_from: UUID | None = None,
) -> Assignment:
    """Offer the incident to a crew.

    Raises WrongStatus when the incident is over, Conflict when the crew has work, Invalid when
    it is off duty or out of service.
    """
    incident, crew = world.incident(incident_id), world.crew(crew_id)
    incidents.LIFECYCLE.after(incident.status, "IncidentDispatched")
    if crew.assignment_id is not None:
        raise Conflict(f"{crew.name} already has an assignment.", crew=crew.name)
    if crew.status == "not_available":
        raise Invalid(f"{crew.name} is off duty and cannot be sent.", field="crew_id")
    if crew.out_of_service_reason is not None:
        raise Invalid(
            f"{crew.name} is out of service ({crew.out_of_service_reason}) and cannot be sent.",
            field="crew_id",
        )
    expires_at = now + timedelta(seconds=world.policy.offers.expires_s)
    offered = ev.AssignmentOffered(
        incident_id=incident_id,
        crew_id=crew_id,
        expires_at=expires_at,
        eta=now + timedelta(seconds=estimate.ete_s) if estimate else None,
        ete_s=estimate.ete_s if estimate else None,
        p90_ete_s=estimate.p90_ete_s if estimate else None,
        p_on_time=estimate.p_on_time if estimate else None,
        source="automatic" if actor == SYSTEM else "dispatcher",
        diverted_from=diverted_from,
    )
    assignment_id = world.new_id()
    assignment = begin(world, now, actor, "assignment", assignment_id, offered, because=because)
    record(world, now, actor, crew, ev.CrewCommitted(assignment_id), follows=assignment)
    dispatched = ev.IncidentDispatched(assignment_id)
    record(world, now, actor, incident, dispatched, follows=assignment)
    world.set_timer(Timer(OFFER_EXPIRES, assignment_id, expires_at))
    return cast(Assignment, assignment)


def divert_crew(
    world: World,
    now: datetime,
    actor: Actor,
    incident_id: UUID,
    *,
    crew_id: UUID,
    estimate: Estimate | None = None,
    because: Mapping[str, Any] | None = None,
) -> Assignment:
    """Turn a crew that is on its way to other work round to this incident; a free one is sent.

    Raises Conflict when it is at work there, was diverted before, or its work may not wait.
    """
    held = world.active_assignment(crew_id)
    if held is None:
        return send_crew(
            world, now, actor, incident_id, crew_id=crew_id, estimate=estimate, because=because
        )
    name = world.crew(crew_id).name
    incidents.LIFECYCLE.after(world.incident(incident_id).status, "IncidentDispatched")
    if held.status == "on_scene":
        raise Conflict(f"{name} is already at work. Withdraw it there first.", crew=name)
    if held.diverted_from is not None:
        raise Conflict(f"{name} was diverted once and must arrive now.", crew=name)
    if world.incident(held.incident_id).priority not in world.policy.diversion.priorities:
        raise Conflict(f"{name} is on its way to work that may not wait.", crew=name)
    withdraw(
        world,
        now,
        actor,
        held.id,
        reason=DIVERTED,
        because={"rule": "diversion", "to_incident": str(incident_id)},
    )
    return send_crew(
        world,
        now,
        actor,
        incident_id,
        crew_id=crew_id,
        estimate=estimate,
        because=because,
        diverted_from=held.incident_id,
    )


def acknowledge(
    world: World,
    now: datetime,
    actor: Actor,
    assignment_id: UUID,
    *,
    device_time: datetime | None = None,
) -> Assignment:
    """The crew takes the offer."""
    fact = ev.AssignmentAcknowledged()
    assignment = crew_says(world, now, actor, assignment_id, fact, device_time=device_time)
    world.cancel_timer(OFFER_EXPIRES, assignment_id)
    _let_go_surplus(world, now, assignment)
    return assignment


def _let_go_surplus(world: World, now: datetime, taken: Assignment) -> None:
    """Of crews asked at the same time, those that would be later are let go."""
    incident = world.incident(taken.incident_id)
    surplus = len(incident.assignment_ids) - incident.required_crews
    if surplus <= 0:
        return
    others = [world.assignment(i) for i in incident.assignment_ids if i != taken.id]
    later = [
        other
        for other in others
        if other.status in ("offered", "acknowledged", "en_route")
        and other.sources["dispatched_at"] == "automatic"
        and (other.eta or now) >= (taken.eta or now)
    ]
    later.sort(key=lambda other: (other.eta or now, other.id), reverse=True)
    because = {"rule": "offers.parallel_below", "taken": str(taken.id)}
    for other in later[:surplus]:
        withdraw(world, now, SYSTEM, other.id, reason=TAKEN, because=because)


def decline(
    world: World,
    now: datetime,
    actor: Actor,
    assignment_id: UUID,
    *,
    reason: str,
    text: str | None = None,
    device_time: datetime | None = None,
) -> Assignment:
    """The crew cannot take it; the reason is a code of the policy."""
    if reason not in world.policy.declines:
        known = ", ".join(sorted(world.policy.declines))
        raise Invalid(f"Say why with one of: {known}.", field="reason")
    fact = ev.AssignmentDeclined(reason, text[:MAX_NOTE] if text else None)
    assignment = crew_says(world, now, actor, assignment_id, fact, device_time=device_time)
    world.cancel_timer(OFFER_EXPIRES, assignment_id)
    _free_crew(world, now, actor, assignment)
    return assignment


def en_route(
    world: World,
    now: datetime,
    actor: Actor,
    assignment_id: UUID,
    *,
    source: str = "button",
    because: Mapping[str, Any] | None = None,
    device_time: datetime | None = None,
    happened_at: datetime | None = None,
) -> Assignment:
    """The crew is on its way; pressed after its movement showed it, nothing is left to say."""
    known = world.assignment(assignment_id)
    if known.status in ("en_route", "on_scene"):
        return known
    return crew_says(
        world,
        now,
        actor,
        assignment_id,
        ev.AssignmentEnRoute(source),
        because=because,
        device_time=device_time,
        happened_at=happened_at,
    )


def on_scene(
    world: World,
    now: datetime,
    actor: Actor,
    assignment_id: UUID,
    *,
    source: str = "button",
    evidence: str = "button",
    distance_m: float | None = None,
    mock: bool = False,
    because: Mapping[str, Any] | None = None,
    device_time: datetime | None = None,
    happened_at: datetime | None = None,
) -> Assignment:
    """The crew is there. Pressed far away it counts, but flag and distance stay with it.

    Pressed after its position showed the arrival, nothing is left to say. `mock` says that the
    position at the button was made up by an app.
    """
    known = world.assignment(assignment_id)
    if known.status == "on_scene":
        return known
    flag = None
    if evidence == "button":
        flag = arrival.flag_of(distance_m, mock=mock, rule=world.policy.arrival)
    fact = ev.AssignmentOnScene(source, evidence, distance_m, flag)
    assignment = crew_says(
        world,
        now,
        actor,
        assignment_id,
        fact,
        because=because,
        device_time=device_time,
        happened_at=happened_at,
    )
    incident = world.incident(assignment.incident_id)
    arrived = ev.IncidentCrewArrived(assignment_id)
    incident = record(
        world, now, actor, incident, arrived, at=assignment.arrived_at, follows=assignment
    )
    review_if_missed(world, now, incident)
    return assignment


def write_note(
    world: World, now: datetime, actor: Actor, assignment_id: UUID, *, text: str
) -> Assignment:
    """What the crew found or did."""
    if not text.strip():
        raise Invalid("The note is empty.", field="text")
    fact = ev.AssignmentNoted(text.strip()[:MAX_NOTE])
    return record(world, now, actor, world.assignment(assignment_id), fact)


def add_photo(
    world: World, now: datetime, actor: Actor, assignment_id: UUID, *, photo_id: UUID, moment: str
) -> Assignment:
    """A picture before or after the work."""
    if moment not in ("before", "after"):
        raise Invalid("A photo is “before” or “after” the work.", field="kind")
    assignment = world.assignment(assignment_id)
    if photo_id in assignment.photo_ids:
        return assignment
    fact = ev.AssignmentPhotographed(photo_id, "before" if moment == "before" else "after")
    return record(world, now, actor, assignment, fact)


def grade_evidence(
    world: World,
    now: datetime,
    actor: Actor,
    assignment_id: UUID,
    *,
    evidence: str,
    because: Mapping[str, Any] | None = None,
) -> Assignment:
    """Better evidence of the arrival came in; a worse grade changes nothing."""
    assignment = world.assignment(assignment_id)
    grades = arrival.GRADES
    if assignment.evidence in grades and grades.index(evidence) <= grades.index(
        assignment.evidence
    ):
        return assignment
    graded = ev.AssignmentEvidenceGraded(evidence)
    return record(world, now, actor, assignment, graded, because=because)


def withdraw(
    world: World,
    now: datetime,
    actor: Actor,
    assignment_id: UUID,
    *,
    reason: str,
    because: Mapping[str, Any] | None = None,
) -> Assignment:
    """Take the assignment back from the crew."""
    fact = ev.AssignmentWithdrawn(required_reason(reason))
    assignment = world.assignment(assignment_id)
    assignment = record(world, now, actor, assignment, fact, because=because)
    world.cancel_timer(OFFER_EXPIRES, assignment_id)
    _free_crew(world, now, actor, assignment)
    return assignment


def expire_offer(world: World, now: datetime, assignment_id: UUID) -> Assignment:
    """Nobody answered in time: the offer goes to the next crew."""
    assignment = world.assignment(assignment_id)
    if assignment.status != "offered" or now < assignment.expires_at:
        return assignment
    because = {"rule": "offers.expires_s", "expires_s": world.policy.offers.expires_s}
    assignment = record(world, now, SYSTEM, assignment, ev.AssignmentExpired(), because=because)
    _free_crew(world, now, SYSTEM, assignment)
    return assignment


def end_crews(
    world: World, now: datetime, actor: Actor, incident: Incident, *, reason: str
) -> None:
    """Withdraw every crew still bound to the incident."""
    for assignment in world.assignments_of(incident.id):
        if assignments.LIFECYCLE.allows(assignment.status, "AssignmentWithdrawn"):
            because = {"rule": "follows", "incident": str(incident.id)}
            withdraw(world, now, actor, assignment.id, reason=reason, because=because)


def release(world: World, now: datetime, actor: Actor, assignment: Assignment) -> None:
    """The crew is free of the assignment."""
    crew = world.crew(assignment.crew_id)
    record(world, now, actor, crew, ev.CrewReleased(assignment.id), follows=assignment)
    if crew.shift_ends_at is not None:
        over_at = gates.last_end(crew.shift_ends_at, world.policy.gates)
        world.set_timer(Timer(SHIFT_ENDS, crew.id, max(over_at, now)))


def crew_says(
    world: World,
    now: datetime,
    actor: Actor,
    assignment_id: UUID,
    fact: Fact,
    *,
    because: Mapping[str, Any] | None = None,
    device_time: datetime | None,
    happened_at: datetime | None = None,
) -> Assignment:
    """Record what a crew did, at the time its phone says when that can be true.

    `happened_at` is what its positions say instead.
    """
    assignment = world.assignment(assignment_id)
    at = _happened_at(assignment, now, happened_at or device_time)
    return record(
        world, now, actor, assignment, fact, at=at, because=because, device_time=device_time
    )


def _happened_at(assignment: Assignment, now: datetime, device_time: datetime | None) -> datetime:
    """The phone's time if it lies between the last step and now, else the nearest such moment."""
    if device_time is None or now - device_time > LATE_DEVICE:
        return now
    known = (
        assignment.dispatched_at,
        assignment.acknowledged_at,
        assignment.enroute_at,
        assignment.arrived_at,
    )
    last = max(moment for moment in known if moment is not None)
    return min(max(device_time, last), now)


def _free_crew(world: World, now: datetime, actor: Actor, assignment: Assignment) -> None:
    """The assignment ended without work done: crew and incident look for others."""
    release(world, now, actor, assignment)
    incident = world.incident(assignment.incident_id)
    if assignment.id in incident.assignment_ids:
        remaining = [i for i in incident.assignment_ids if i != assignment.id]
        left = ev.IncidentCrewLeft(assignment.id, pending=not remaining)
        record(world, now, actor, incident, left, follows=assignment)
