"""What is done with a report, by its reporter or a dispatcher."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from dispatch.actions.assignments import end_crews
from dispatch.actions.closures import lift_closures_of
from dispatch.actions.incidents import (
    open_incident,
    reopen_incident,
    verified_genuine,
    withdraw_referrals,
)
from dispatch.actions.recording import begin, record
from dispatch.core import events as ev
from dispatch.core import reports, triage
from dispatch.core.errors import Conflict, Invalid, TooLate, WrongStatus
from dispatch.core.events import Actor
from dispatch.core.incidents import Incident
from dispatch.core.reports import Report
from dispatch.core.world import Personal, Timer, World

TRIAGE = "triage"
MAX_DESCRIPTION = 4000
MAX_ANSWER = 2000


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
    asset_code: str | None = None


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
        asset_code=wish.asset_code,
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
    report = begin(world, now, actor, "report", report_id, fact)
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
    return record(world, now, actor, report, fact)


def remember_place(world: World, now: datetime, actor: Actor, report_id: UUID) -> Report:
    """From now on what this citizen typed is a name of the place where the pin is."""
    report = world.report(report_id)
    return record(world, now, actor, report, reports.remember_place(report, world.new_id()))


def forget_place(
    world: World, now: datetime, actor: Actor, report_id: UUID, *, reason: str | None = None
) -> Report:
    """Take back the name that was remembered from this report."""
    report = world.report(report_id)
    return record(world, now, actor, report, reports.forget_place(report, reason=reason))


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
    report = record(world, now, actor, report, fact)
    incident = open_incident(world, now, actor, report, service_code=service.service_code)
    record(world, now, actor, report, ev.ReportLinked(incident.id))
    referral = ev.ReferralMade(incident.id, incident.agency_id or service.agency_id)
    begin(world, now, actor, "referral", world.new_id(), referral)
    return incident


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
    report = record(world, now, actor, report, fact)
    record(world, now, actor, report, ev.ReportLinked(incident_id))
    p_genuine = triage.either(incident.p_genuine, verified_genuine(world, report))
    joined = ev.IncidentReportJoined(report_id, p_genuine)
    return record(world, now, actor, incident, joined)


def put_aside_report(
    world: World, now: datetime, actor: Actor, report_id: UUID, *, verdict: str, reason: str
) -> Report:
    """Postpone, refuse (not our authority) or archive; see `reports.put_aside`."""
    report = world.report(report_id)
    fact = reports.put_aside(
        report, now, verdict=verdict, reason=reason, undo_s=world.policy.offers.undo_s
    )
    return record(world, now, actor, report, fact)


def undo_decision(world: World, now: datetime, actor: Actor, report_id: UUID) -> Report:
    """Take back the last decision about a report, and all that followed from it."""
    report = world.report(report_id)
    fact = reports.restore(report, now)
    if report.incident_id is not None:
        incident = world.incident(report.incident_id)
        others = [i for i in incident.report_ids if i != report_id]
        if incident.report_ids[:1] != (report_id,):
            record(world, now, actor, incident, ev.IncidentReportLeft(report_id))
        elif others:
            raise Conflict("Other reports joined this incident meanwhile; cancel it instead.")
        else:
            end_crews(world, now, actor, incident, reason="verification undone")
            withdraw_referrals(world, now, actor, incident.id, reason="verification undone")
            incident = world.incident(incident.id)
            undone = ev.IncidentCancelled("verification undone")
            incident = record(world, now, actor, incident, undone)
            lift_closures_of(world, now, incident, reason="verification undone")
    return record(world, now, actor, report, fact)


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
        _keep_answer(world, report_id, text.strip()[:MAX_ANSWER])
    fact = ev.ReporterAnswered("satisfied" if answer == "satisfied" else "reopened")
    report = record(world, now, actor, report, fact)
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
        world.keep_personal(replace(kept, answer_text=text))
