"""What is done with an incident: opened, cleared, closed, cancelled, opened again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from dispatch.actions.after_action import review_if_missed
from dispatch.actions.assignments import MAX_NOTE, crew_says, end_crews, release
from dispatch.actions.closures import lift_closures_of
from dispatch.actions.recording import begin, record
from dispatch.core import events as ev
from dispatch.core import incidents, referrals, run_cards, triage
from dispatch.core.assignments import Assignment
from dispatch.core.errors import Invalid
from dispatch.core.events import SYSTEM, Actor
from dispatch.core.incidents import Incident
from dispatch.core.reports import Report, required_reason
from dispatch.core.world import World


def open_incident(
    world: World, now: datetime, actor: Actor, report: Report, *, service_code: str
) -> Incident:
    """Open an incident of the judged category for a verified report, which joins it."""
    service = world.policy.service(service_code)
    wanted = run_cards.slots(world.policy, service_code)
    assert report.lon is not None
    assert report.lat is not None
    assert report.priority is not None
    fact = ev.IncidentOpened(
        ticket=report.ticket,
        service_code=service_code,
        priority=report.priority,
        lon=report.lon,
        lat=report.lat,
        received_at=report.received_at,
        due_at=report.received_at + timedelta(seconds=world.policy.promise.target_s),
        place_label=report.place_label,
        ward=report.ward,
        district=report.district,
        agency_id=world.policy.agency_for(
            service, lon=report.lon, lat=report.lat, ward=report.ward, district=report.district
        ),
        required_skills=run_cards.skills_of(wanted),
        required_crews=len(wanted),
        required_slots=wanted,
        channel=report.channel,
        p_genuine=verified_genuine(world, report),
    )
    incident = cast(Incident, begin(world, now, actor, "incident", world.new_id(), fact))
    joined = ev.IncidentReportJoined(report.id)
    return record(world, now, actor, incident, joined)


def verified_genuine(world: World, report: Report) -> float:
    """P(genuine) of a report that a dispatcher judged real."""
    told = (report.triage or {}).get("p_genuine")
    return triage.after_verification(told, policy=world.policy)


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
    known_disposition(world, disposition_code)
    fact = ev.AssignmentCleared(disposition_code, note[:MAX_NOTE] if note else None)
    assignment = crew_says(world, now, actor, assignment_id, fact, device_time=device_time)
    release(world, now, actor, assignment)
    incident = world.incident(assignment.incident_id)
    remaining = [i for i in incident.assignment_ids if i != assignment_id]
    if remaining:
        left = ev.IncidentCrewLeft(assignment_id, pending=False)
        record(world, now, actor, incident, left)
        return assignment
    cleared = ev.IncidentCleared(disposition_code)
    incident = record(world, now, actor, incident, cleared, at=assignment.cleared_at)
    lift_closures_of(world, now, incident, reason="incident cleared")
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
    known_disposition(world, disposition_code)
    incident = world.incident(incident_id)
    incidents.LIFECYCLE.after(incident.status, "IncidentClosed")
    end_crews(world, now, actor, incident, reason="incident closed")
    incident = world.incident(incident_id)
    fact = ev.IncidentClosed(disposition_code, note)
    incident = record(world, now, actor, incident, fact, because=because)
    review_if_missed(world, now, incident)
    lift_closures_of(world, now, incident, reason="incident closed")
    _close_reports(world, now, actor, incident, disposition_code)
    for referral in world.referrals_of(incident_id):
        if referrals.LIFECYCLE.allows(referral.status, "ReferralFinished"):
            record(world, now, actor, referral, ev.ReferralFinished(), follows=incident)
    return incident


def cancel_incident(
    world: World, now: datetime, actor: Actor, incident_id: UUID, *, reason: str
) -> Incident:
    """It was never needed; crews turn round, reporters are told why."""
    incident = world.incident(incident_id)
    incidents.LIFECYCLE.after(incident.status, "IncidentCancelled")
    reason = required_reason(reason)
    end_crews(world, now, actor, incident, reason=reason)
    withdraw_referrals(world, now, actor, incident_id, reason=reason)
    incident = world.incident(incident_id)
    incident = record(world, now, actor, incident, ev.IncidentCancelled(reason))
    review_if_missed(world, now, incident)
    lift_closures_of(world, now, incident, reason="incident cancelled")
    _close_reports(world, now, actor, incident, "21")
    return incident


def reopen_incident(
    world: World, now: datetime, actor: Actor, incident_id: UUID, *, reason: str | None
) -> Incident:
    """Closed was not fixed: the incident, its reports and the referral are open again."""
    incident = world.incident(incident_id)
    fact = incidents.reopen(incident, now, reason=reason, target_s=world.policy.promise.target_s)
    incident = record(world, now, actor, incident, fact)
    for report in world.reports_of(incident_id):
        if report.status == "closed":
            record(world, now, actor, report, ev.ReportReopened(reason))
    for referral in world.referrals_of(incident_id):
        if referral.status == "finished":
            record(world, now, actor, referral, ev.ReferralAccepted())
    return incident


def reprioritise(
    world: World, now: datetime, actor: Actor, incident_id: UUID, *, priority: int, reason: str
) -> Incident:
    """A dispatcher judged it more or less urgent."""
    if priority not in (1, 2, 3):
        raise Invalid("The priority is 1, 2 or 3; 1 is the most urgent.", field="priority")
    fact = ev.IncidentReprioritised(priority, required_reason(reason))
    return record(world, now, actor, world.incident(incident_id), fact)


def raise_alarm(
    world: World, now: datetime, actor: Actor, incident_id: UUID, *, alarm_level: int, reason: str
) -> Incident:
    """It needs more than was thought: the crews of a higher level join those of the levels below.

    Raises Invalid when the level is not higher, or when the city has no run card for it.
    """
    incident = world.incident(incident_id)
    incidents.LIFECYCLE.after(incident.status, "IncidentAlarmRaised")
    highest = run_cards.highest_level(world.policy, incident.service_code)
    if alarm_level > highest:
        raise Invalid(
            f"This category has alarm levels up to {highest}. Choose one of them.",
            field="alarm_level",
        )
    if alarm_level <= incident.alarm_level:
        raise Invalid(
            f"The alarm level is {incident.alarm_level} already and can only rise.",
            field="alarm_level",
        )
    if not reason.strip():
        raise Invalid("Say why more crews are needed: they will read it.", field="reason")
    wanted = run_cards.slots(world.policy, incident.service_code, alarm_level)
    fact = ev.IncidentAlarmRaised(
        alarm_level=alarm_level,
        reason=reason.strip(),
        required_skills=run_cards.skills_of(wanted),
        required_crews=len(wanted),
        required_slots=wanted,
    )
    return record(world, now, actor, incident, fact)


def known_disposition(world: World, code: str) -> None:
    """Raise Invalid unless the policy knows the code."""
    if code not in world.policy.dispositions:
        known = ", ".join(sorted(world.policy.dispositions))
        raise Invalid(f"Say how it ended with one of: {known}.", field="disposition_code")


def _close_reports(
    world: World, now: datetime, actor: Actor, incident: Incident, disposition_code: str
) -> None:
    for report in world.reports_of(incident.id):
        if report.status == "linked":
            closed = ev.ReportClosed(disposition_code)
            record(world, now, actor, report, closed, follows=incident)


def withdraw_referrals(
    world: World, now: datetime, actor: Actor, incident_id: UUID, *, reason: str
) -> None:
    """Take back what agencies have not finished."""
    for referral in world.referrals_of(incident_id):
        if referrals.LIFECYCLE.allows(referral.status, "ReferralWithdrawn"):
            record(world, now, actor, referral, ev.ReferralWithdrawn(reason))
