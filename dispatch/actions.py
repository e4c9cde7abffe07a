"""One function for each thing somebody can do: load, decide, record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast
from uuid import UUID

from dispatch.core import assignments, crews, incidents, referrals, reports
from dispatch.core import events as ev
from dispatch.core.assignments import Assignment
from dispatch.core.crews import Crew
from dispatch.core.errors import Conflict, Invalid, TooLate, WrongStatus
from dispatch.core.events import SYSTEM, Actor, Event, Fact, Kind
from dispatch.core.incidents import Incident
from dispatch.core.referrals import Referral
from dispatch.core.reports import Report, required_reason
from dispatch.core.world import Entity, Personal, Timer, World

TRIAGE = "triage"
OFFER_EXPIRES = "offer_expires"
MAX_DESCRIPTION = 4000
MAX_NOTE = 2000
LATE_DEVICE = timedelta(hours=24)

E_ = TypeVar("E_", Report, Incident, Assignment, Crew, Referral)


@dataclass(frozen=True, slots=True)
class NewReport:
    """What a reporter sent, after its place was looked up. Degrees, metres, UTC."""

    channel: str
    service_code: str
    description: str
    lon: float | None = None
    lat: float | None = None
    radius_m: float | None = None
    place_label: str | None = None
    place_confidence: float | None = None
    place_typed: str | None = None
    ward: str | None = None
    district: str | None = None
    anonymous: bool = False
    secret: bool = False
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    token_hash: str | None = None
    photo_ids: tuple[UUID, ...] = ()
    classification: str = "complaint"
    oversight: bool = False
    external_id: str | None = None
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long the crew will need, seconds, and the chance to be there in time."""

    ete_s: float
    p90_ete_s: float
    p_on_time: float


# --- reports -----------------------------------------------------------------


def receive_report(world: World, now: datetime, actor: Actor, wish: NewReport) -> Report:
    """Take in a report. Raises Invalid for an unknown category or an empty or endless text."""
    world.policy.service(wish.service_code)
    description = wish.description.strip()
    if not description:
        raise Invalid("Write what is wrong: a few words are enough.", field="description")
    if len(description) > MAX_DESCRIPTION:
        raise Invalid(
            f"The text is too long; keep it within {MAX_DESCRIPTION} characters.",
            field="description",
        )
    fact = ev.ReportReceived(
        ticket=world.new_ticket(),
        channel=wish.channel,
        service_code=wish.service_code,
        received_at=wish.received_at or now,
        classification=wish.classification,
        oversight=wish.oversight,
        anonymous=wish.anonymous,
        secret=wish.secret,
        lon=wish.lon,
        lat=wish.lat,
        radius_m=wish.radius_m,
        place_label=wish.place_label,
        place_confidence=wish.place_confidence,
        ward=wish.ward,
        district=wish.district,
        photo_ids=wish.photo_ids,
        external_id=wish.external_id,
    )
    report_id = world.new_id()
    world.keep_personal(
        Personal(
            report_id=report_id,
            description=description,
            place_typed=wish.place_typed,
            name=None if wish.anonymous else wish.name,
            phone=None if wish.anonymous else wish.phone,
            email=None if wish.anonymous else wish.email,
            token_hash=wish.token_hash,
        )
    )
    report = _begin(world, now, actor, "report", report_id, fact)
    world.set_timer(Timer(TRIAGE, report_id, now))
    return cast(Report, report)


def locate_report(
    world: World,
    now: datetime,
    actor: Actor,
    report_id: UUID,
    *,
    lon: float,
    lat: float,
    radius_m: float | None = None,
    place_label: str | None = None,
    ward: str | None = None,
    district: str | None = None,
) -> Report:
    """Put the report on the map by hand; what the citizen typed stays as it was."""
    report = world.report(report_id)
    fact = ev.ReportLocated(lon, lat, radius_m, place_label, ward, district)
    return _record(world, now, actor, report, fact)


def verify_report(
    world: World,
    now: datetime,
    actor: Actor,
    report_id: UUID,
    *,
    service_code: str | None = None,
    priority: int | None = None,
    reason: str | None = None,
) -> Incident:
    """It is real and ours: open an incident and refer it to the agency responsible."""
    report = world.report(report_id)
    service = world.policy.service(service_code or report.service_code)
    if priority is not None and priority not in (1, 2, 3):
        raise Invalid("The priority is 1, 2 or 3; 1 is the most urgent.", field="priority")
    fact = reports.verify(
        report,
        now,
        service_code=service.service_code,
        priority=priority or service.priority,
        reason=reason,
        undo_s=world.policy.offers.undo_s,
    )
    report = _record(world, now, actor, report, fact)
    incident = _open_incident(world, now, actor, report)
    _record(world, now, actor, report, ev.ReportLinked(incident.id))
    referral = ev.ReferralMade(incident.id, service.agency_id)
    _begin(world, now, actor, "referral", world.new_id(), referral)
    return incident


def _open_incident(world: World, now: datetime, actor: Actor, report: Report) -> Incident:
    service = world.policy.service(report.service_code)
    assert report.lon is not None
    assert report.lat is not None
    assert report.priority is not None
    fact = ev.IncidentOpened(
        ticket=report.ticket,
        service_code=report.service_code,
        priority=report.priority,
        lon=report.lon,
        lat=report.lat,
        received_at=report.received_at,
        due_at=report.received_at + timedelta(seconds=world.policy.promise.target_s),
        place_label=report.place_label,
        ward=report.ward,
        district=report.district,
        agency_id=service.agency_id,
        required_skills=service.skills,
        required_crews=service.crews,
        channel=report.channel,
    )
    incident = cast(Incident, _begin(world, now, actor, "incident", world.new_id(), fact))
    return _record(world, now, actor, incident, ev.IncidentReportJoined(report.id))


def join_report(
    world: World,
    now: datetime,
    actor: Actor,
    report_id: UUID,
    *,
    incident_id: UUID,
    reason: str | None = None,
) -> Incident:
    """The report speaks of an incident we know; its reporter keeps an own ticket."""
    report, incident = world.report(report_id), world.incident(incident_id)
    if not incident.open:
        raise WrongStatus(
            "This incident is over. Reopen it first, or verify the report as a new one.",
            status=incident.status,
        )
    fact = reports.mark_duplicate(
        report, now, incident_id=incident_id, reason=reason, undo_s=world.policy.offers.undo_s
    )
    report = _record(world, now, actor, report, fact)
    _record(world, now, actor, report, ev.ReportLinked(incident_id))
    return _record(world, now, actor, incident, ev.IncidentReportJoined(report_id))


def put_aside_report(
    world: World, now: datetime, actor: Actor, report_id: UUID, *, verdict: str, reason: str
) -> Report:
    """Postpone, refuse (not our authority) or archive; see `reports.put_aside`."""
    report = world.report(report_id)
    fact = reports.put_aside(
        report, now, verdict=verdict, reason=reason, undo_s=world.policy.offers.undo_s
    )
    return _record(world, now, actor, report, fact)


def undo_decision(world: World, now: datetime, actor: Actor, report_id: UUID) -> Report:
    """Take back the last decision about a report, and all that followed from it."""
    report = world.report(report_id)
    fact = reports.restore(report, now)
    if report.incident_id is not None:
        incident = world.incident(report.incident_id)
        others = [i for i in incident.report_ids if i != report_id]
        if incident.report_ids[:1] != (report_id,):
            _record(world, now, actor, incident, ev.IncidentReportLeft(report_id))
        elif others:
            raise Conflict("Other reports joined this incident meanwhile; cancel it instead.")
        else:
            _end_crews(world, now, actor, incident, reason="verification undone")
            _withdraw_referrals(world, now, actor, incident.id, reason="verification undone")
            incident = world.incident(incident.id)
            _record(world, now, actor, incident, ev.IncidentCancelled("verification undone"))
    return _record(world, now, actor, report, fact)


def answer_report(
    world: World,
    now: datetime,
    actor: Actor,
    report_id: UUID,
    *,
    answer: str,
    text: str | None = None,
) -> Report:
    """The reporter is satisfied, or says it is not fixed: then the incident opens again."""
    report = world.report(report_id)
    if answer not in ("satisfied", "reopened"):
        raise Invalid("Answer “satisfied” or “reopen”.", field="answer")
    reports.LIFECYCLE.after(report.status, "ReporterAnswered")
    if answer == "reopened":
        _still_open_to_answer(world, now, report)
    if text and text.strip():
        _keep_answer(world, report_id, text.strip()[:MAX_NOTE])
    fact = ev.ReporterAnswered("satisfied" if answer == "satisfied" else "reopened")
    report = _record(world, now, actor, report, fact)
    if answer == "reopened" and report.incident_id is not None:
        reopen_incident(world, now, actor, report.incident_id, reason="reporter: not fixed")
        report = world.report(report_id)
    return report


def _still_open_to_answer(world: World, now: datetime, report: Report) -> None:
    hours = world.policy.closing.reopen_within_h
    if report.closed_at is not None and now - report.closed_at > timedelta(hours=hours):
        raise TooLate("This report was closed too long ago. Please make a new report.")


def _keep_answer(world: World, report_id: UUID, text: str) -> None:
    kept = world.personal(report_id)
    if kept is not None:
        world.keep_personal(
            Personal(
                report_id=report_id,
                description=kept.description,
                place_typed=kept.place_typed,
                name=kept.name,
                phone=kept.phone,
                email=kept.email,
                token_hash=kept.token_hash,
                answer_text=text,
            )
        )


# --- incidents ---------------------------------------------------------------


def send_crew(
    world: World,
    now: datetime,
    actor: Actor,
    incident_id: UUID,
    *,
    crew_id: UUID,
    estimate: Estimate | None = None,
    because: Mapping[str, Any] | None = None,
) -> Assignment:
    """Offer the incident to a crew.

    Raises WrongStatus when the incident is over, Conflict when the crew has work, Invalid when
    it is off duty.
    """
    incident, crew = world.incident(incident_id), world.crew(crew_id)
    incidents.LIFECYCLE.after(incident.status, "IncidentDispatched")
    if crew.assignment_id is not None:
        raise Conflict(f"{crew.name} already has an assignment.", crew=crew.name)
    if crew.status == "not_available":
        raise Invalid(f"{crew.name} is off duty and cannot be sent.", field="crew_id")
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
    )
    assignment_id = world.new_id()
    assignment = _begin(world, now, actor, "assignment", assignment_id, offered, because=because)
    _record(world, now, actor, crew, ev.CrewCommitted(assignment_id))
    _record(world, now, actor, incident, ev.IncidentDispatched(assignment_id))
    world.set_timer(Timer(OFFER_EXPIRES, assignment_id, expires_at))
    return cast(Assignment, assignment)


def close_incident(
    world: World,
    now: datetime,
    actor: Actor,
    incident_id: UUID,
    *,
    disposition_code: str,
    note: str | None = None,
    because: Mapping[str, Any] | None = None,
) -> Incident:
    """The incident is over: crews still on it are withdrawn, its reports close."""
    _known_disposition(world, disposition_code)
    incident = world.incident(incident_id)
    incidents.LIFECYCLE.after(incident.status, "IncidentClosed")
    _end_crews(world, now, actor, incident, reason="incident closed")
    incident = world.incident(incident_id)
    fact = ev.IncidentClosed(disposition_code, note)
    incident = _record(world, now, actor, incident, fact, because=because)
    _close_reports(world, now, actor, incident_id, disposition_code)
    for referral in world.referrals_of(incident_id):
        if referrals.LIFECYCLE.allows(referral.status, "ReferralFinished"):
            _record(world, now, actor, referral, ev.ReferralFinished())
    return incident


def cancel_incident(
    world: World, now: datetime, actor: Actor, incident_id: UUID, *, reason: str
) -> Incident:
    """It was never needed; crews turn round, reporters are told why."""
    incident = world.incident(incident_id)
    incidents.LIFECYCLE.after(incident.status, "IncidentCancelled")
    reason = required_reason(reason)
    _end_crews(world, now, actor, incident, reason=reason)
    _withdraw_referrals(world, now, actor, incident_id, reason=reason)
    incident = world.incident(incident_id)
    incident = _record(world, now, actor, incident, ev.IncidentCancelled(reason))
    _close_reports(world, now, actor, incident_id, "21")
    return incident


def reopen_incident(
    world: World, now: datetime, actor: Actor, incident_id: UUID, *, reason: str | None
) -> Incident:
    """Closed was not fixed: the incident, its reports and the referral are open again."""
    incident = world.incident(incident_id)
    fact = incidents.reopen(incident, now, reason=reason, target_s=world.policy.promise.target_s)
    incident = _record(world, now, actor, incident, fact)
    for report in world.reports_of(incident_id):
        if report.status == "closed":
            _record(world, now, actor, report, ev.ReportReopened(reason))
    for referral in world.referrals_of(incident_id):
        if referral.status == "finished":
            _record(world, now, actor, referral, ev.ReferralAccepted())
    return incident


def reprioritise(
    world: World, now: datetime, actor: Actor, incident_id: UUID, *, priority: int, reason: str
) -> Incident:
    """A dispatcher judged it more or less urgent."""
    if priority not in (1, 2, 3):
        raise Invalid("The priority is 1, 2 or 3; 1 is the most urgent.", field="priority")
    fact = ev.IncidentReprioritised(priority, required_reason(reason))
    return _record(world, now, actor, world.incident(incident_id), fact)


# --- assignments -------------------------------------------------------------


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
    assignment = _crew_says(world, now, actor, assignment_id, fact, device_time=device_time)
    world.cancel_timer(OFFER_EXPIRES, assignment_id)
    return assignment


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
    assignment = _crew_says(world, now, actor, assignment_id, fact, device_time=device_time)
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
    device_time: datetime | None = None,
) -> Assignment:
    """The crew is on its way."""
    fact = ev.AssignmentEnRoute(source)
    return _crew_says(world, now, actor, assignment_id, fact, device_time=device_time)


def on_scene(
    world: World,
    now: datetime,
    actor: Actor,
    assignment_id: UUID,
    *,
    source: str = "button",
    evidence: str = "button",
    distance_m: float | None = None,
    device_time: datetime | None = None,
) -> Assignment:
    """The crew is there. Pressed far away it counts, but the distance stays with it."""
    fact = ev.AssignmentOnScene(source, evidence, distance_m)
    assignment = _crew_says(world, now, actor, assignment_id, fact, device_time=device_time)
    incident = world.incident(assignment.incident_id)
    arrived = ev.IncidentCrewArrived(assignment_id)
    _record(world, now, actor, incident, arrived, at=assignment.arrived_at)
    return assignment


def write_note(
    world: World, now: datetime, actor: Actor, assignment_id: UUID, *, text: str
) -> Assignment:
    """What the crew found or did."""
    if not text.strip():
        raise Invalid("The note is empty.", field="text")
    fact = ev.AssignmentNoted(text.strip()[:MAX_NOTE])
    return _record(world, now, actor, world.assignment(assignment_id), fact)


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
    return _record(world, now, actor, assignment, fact)


def grade_evidence(
    world: World, now: datetime, actor: Actor, assignment_id: UUID, *, evidence: str
) -> Assignment:
    """Better evidence of the arrival came in; a worse grade changes nothing."""
    assignment = world.assignment(assignment_id)
    grades = ("button", "geofence", "photo")
    if assignment.evidence in grades and grades.index(evidence) <= grades.index(
        assignment.evidence
    ):
        return assignment
    return _record(world, now, actor, assignment, ev.AssignmentEvidenceGraded(evidence))


def clear(
    world: World,
    now: datetime,
    actor: Actor,
    assignment_id: UUID,
    *,
    disposition_code: str,
    note: str | None = None,
    device_time: datetime | None = None,
) -> Assignment:
    """The crew is done; when it was the last one there, the incident is cleared and closed."""
    _known_disposition(world, disposition_code)
    fact = ev.AssignmentCleared(disposition_code, note[:MAX_NOTE] if note else None)
    assignment = _crew_says(world, now, actor, assignment_id, fact, device_time=device_time)
    _release(world, now, actor, assignment)
    incident = world.incident(assignment.incident_id)
    remaining = [i for i in incident.assignment_ids if i != assignment_id]
    if remaining:
        left = ev.IncidentCrewLeft(assignment_id, pending=False)
        _record(world, now, actor, incident, left)
        return assignment
    cleared = ev.IncidentCleared(disposition_code)
    _record(world, now, actor, incident, cleared, at=assignment.cleared_at)
    if world.policy.closing.automatic:
        because = {"rule": "closing.automatic", "assignment_id": str(assignment_id)}
        close_incident(
            world,
            now,
            SYSTEM,
            incident.id,
            disposition_code=disposition_code,
            note=assignment.note,
            because=because,
        )
    return assignment


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
    assignment = _record(world, now, actor, assignment, fact, because=because)
    world.cancel_timer(OFFER_EXPIRES, assignment_id)
    _free_crew(world, now, actor, assignment)
    return assignment


def expire_offer(world: World, now: datetime, assignment_id: UUID) -> Assignment:
    """Nobody answered in time: the offer goes to the next crew."""
    assignment = world.assignment(assignment_id)
    if assignment.status != "offered" or now < assignment.expires_at:
        return assignment
    because = {"rule": "offers.expires_s", "expires_s": world.policy.offers.expires_s}
    assignment = _record(world, now, SYSTEM, assignment, ev.AssignmentExpired(), because=because)
    _free_crew(world, now, SYSTEM, assignment)
    return assignment


# --- crews and agencies ------------------------------------------------------


def register_crew(world: World, now: datetime, actor: Actor, fact: ev.CrewRegistered) -> Crew:
    """A new crew; it starts off duty."""
    if fact.agency_id not in world.policy.agencies:
        raise Invalid(f"There is no agency “{fact.agency_id}”.", field="agency_id")
    return cast(Crew, _begin(world, now, actor, "crew", world.new_id(), fact))


def set_crew_status(
    world: World,
    now: datetime,
    actor: Actor,
    crew_id: UUID,
    *,
    status: str,
    reason: str | None = None,
) -> Crew:
    """Sign on or off. Signing off takes an unanswered offer back; other work must end first."""
    if status not in crews.STATUSES:
        raise Invalid(f"A crew is one of: {', '.join(sorted(crews.STATUSES))}.", field="status")
    crew = world.crew(crew_id)
    if status == "not_available" and crew.assignment_id is not None:
        assignment = world.assignment(crew.assignment_id)
        if assignment.status != "offered":
            raise Conflict(
                "Finish or decline the current assignment before signing off.", crew=crew.name
            )
        withdraw(world, now, actor, assignment.id, reason="crew signed off")
        crew = world.crew(crew_id)
    if crew.status == status:
        return crew
    return _record(world, now, actor, crew, ev.CrewStatusSet(status, reason))


def accept_referral(world: World, now: datetime, actor: Actor, referral_id: UUID) -> Referral:
    """The agency takes it."""
    return _record(world, now, actor, world.referral(referral_id), ev.ReferralAccepted())


def refuse_referral(
    world: World, now: datetime, actor: Actor, referral_id: UUID, *, reason: str
) -> Referral:
    """The agency says it is not theirs, and why."""
    fact = ev.ReferralRefused(required_reason(reason))
    return _record(world, now, actor, world.referral(referral_id), fact)


def finish_referral(
    world: World, now: datetime, actor: Actor, referral_id: UUID, *, reason: str | None = None
) -> Referral:
    """The agency's part is done."""
    fact = ev.ReferralFinished(reason)
    return _record(world, now, actor, world.referral(referral_id), fact)


# --- what every action shares ------------------------------------------------


def _begin(
    world: World,
    now: datetime,
    actor: Actor,
    kind: Kind,
    subject: UUID,
    fact: Fact,
    *,
    because: Mapping[str, Any] | None = None,
) -> Entity:
    return world.record(Event(kind, subject, 1, now, now, actor, fact, because))


def _record(
    world: World,
    now: datetime,
    actor: Actor,
    thing: E_,
    fact: Fact,
    *,
    at: datetime | None = None,
    because: Mapping[str, Any] | None = None,
    device_time: datetime | None = None,
) -> E_:
    event = Event(
        kind=cast(Kind, thing.kind),
        subject=thing.id,
        version=thing.version + 1,
        at=at or now,
        recorded_at=now,
        actor=actor,
        fact=fact,
        because=because,
        device_time=device_time,
    )
    return cast(E_, world.record(event))


def _crew_says(
    world: World,
    now: datetime,
    actor: Actor,
    assignment_id: UUID,
    fact: Fact,
    *,
    device_time: datetime | None,
) -> Assignment:
    """Record what a crew did, at the time its phone says when that can be true."""
    assignment = world.assignment(assignment_id)
    at = _happened_at(assignment, now, device_time)
    return _record(world, now, actor, assignment, fact, at=at, device_time=device_time)


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


def _known_disposition(world: World, code: str) -> None:
    if code not in world.policy.dispositions:
        known = ", ".join(sorted(world.policy.dispositions))
        raise Invalid(f"Say how it ended with one of: {known}.", field="disposition_code")


def _release(world: World, now: datetime, actor: Actor, assignment: Assignment) -> None:
    crew = world.crew(assignment.crew_id)
    _record(world, now, actor, crew, ev.CrewReleased(assignment.id))


def _free_crew(world: World, now: datetime, actor: Actor, assignment: Assignment) -> None:
    """The assignment ended without work done: crew and incident look for others."""
    _release(world, now, actor, assignment)
    incident = world.incident(assignment.incident_id)
    if assignment.id in incident.assignment_ids:
        remaining = [i for i in incident.assignment_ids if i != assignment.id]
        left = ev.IncidentCrewLeft(assignment.id, pending=not remaining)
        _record(world, now, actor, incident, left)


def _end_crews(
    world: World, now: datetime, actor: Actor, incident: Incident, *, reason: str
) -> None:
    for assignment in world.assignments_of(incident.id):
        if assignments.LIFECYCLE.allows(assignment.status, "AssignmentWithdrawn"):
            withdraw(world, now, actor, assignment.id, reason=reason)


def _withdraw_referrals(
    world: World, now: datetime, actor: Actor, incident_id: UUID, *, reason: str
) -> None:
    for referral in world.referrals_of(incident_id):
        if referrals.LIFECYCLE.allows(referral.status, "ReferralWithdrawn"):
            _record(world, now, actor, referral, ev.ReferralWithdrawn(reason))


def _close_reports(
    world: World, now: datetime, actor: Actor, incident_id: UUID, disposition_code: str
) -> None:
    for report in world.reports_of(incident_id):
        if report.status == "linked":
            _record(world, now, actor, report, ev.ReportClosed(disposition_code))
