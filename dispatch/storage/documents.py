"""The one document of each narrow channel: what a crew, a citizen or an agency may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from dispatch.core.assignments import DIVERTED, Assignment
from dispatch.core.closures import Closure
from dispatch.core.crews import Fix
from dispatch.core.freshness import freshness
from dispatch.core.incidents import Incident
from dispatch.core.log import plain, wire_view
from dispatch.core.policy import Policy
from dispatch.core.reports import Report
from dispatch.core.world import World
from dispatch.storage import tables as t

RECENT = 10
KEPT = timedelta(days=14)


def crew_view(
    connection: Connection, world: World, crew_id: UUID, now: datetime, fix: Fix | None
) -> dict[str, Any]:
    """A crew's phone: itself, its work with what the reporters wrote, closed roads, what it did.

    `fix` is its newest position as the server knows it.
    """
    assignment = world.active_assignment(crew_id)
    return {
        "crew": wire_view(world.crew(crew_id)),
        "fix": fix_view(fix, now, world.policy) if fix else None,
        "assignment": _job(world, assignment) if assignment else None,
        "round": _round(world, crew_id),
        "recent": _recent(connection, world.city_id, crew_id),
        "closures": [_closed(closure) for closure in world.active_closures()],
    }


def fix_view(fix: Fix, now: datetime, policy: Policy) -> dict[str, Any]:
    """A position with all that says how far to believe it: age, accuracy, battery, mock, road."""
    view: dict[str, Any] = plain(fix)
    for name in ("shown_lon", "shown_lat", "road_u", "road_v"):
        del view[name]
    lon, lat = fix.here
    return {
        **view,
        "lon": lon,
        "lat": lat,
        "raw_lon": fix.lon,
        "raw_lat": fix.lat,
        "on_road": fix.road_u is not None,
        "age_s": round(max(0.0, (now - fix.fix_time).total_seconds()), 1),
        "freshness": freshness(fix, now, policy),
    }


def _closed(closure: Closure) -> dict[str, Any]:
    """What whoever drives must know of a closure: where and why."""
    view = wire_view(closure)
    return {name: view[name] for name in ("id", "reason", "service_code", "made_at", "stretches")}


def _job(world: World, assignment: Assignment) -> dict[str, Any]:
    incident = world.incident(assignment.incident_id)
    reports = [_told(world, report) for report in world.reports_of(incident.id)]
    return {
        **wire_view(assignment),
        "incident": {**_outside(incident), "reports": reports},
    }


def _outside(incident: Incident) -> dict[str, Any]:
    """The incident without what only dispatchers weigh: other crews, and why it was late."""
    hidden = dict.fromkeys(("recommendation", "after_action"))
    return {**wire_view(incident), **hidden}


def _round(world: World, crew_id: UUID) -> dict[str, Any] | None:
    """The round that the crew drives, with where its stops are."""
    running = [r for r in world.open_rounds() if r.crew_id == crew_id and r.running]
    if not running:
        return None
    view = wire_view(running[0])
    for stop in view["stops"]:
        incident = world.incident(UUID(stop["incident_id"]))
        stop.update(
            ticket=incident.ticket,
            service_code=incident.service_code,
            place_label=incident.place_label,
            lon=incident.lon,
            lat=incident.lat,
        )
    return view


def _told(world: World, report: Report) -> dict[str, Any]:
    """What those who handle it may know of a report; of a secret one only where it is."""
    kept = None if report.secret else world.personal(report.id)
    return {
        "id": str(report.id),
        "ticket": report.ticket,
        "description": kept.description if kept else None,
        "place_typed": kept.place_typed if kept else None,
        "place_label": report.place_label,
        "photo_ids": [] if report.secret else [str(photo) for photo in report.photo_ids],
        "received_at": plain(report.received_at),
    }


def _recent(connection: Connection, city_id: str, crew_id: UUID) -> list[dict[str, Any]]:
    a, i = t.assignment.c, t.incident.c
    rows = connection.execute(
        select(i.ticket, i.service_code, a.cleared_at, a.disposition_code)
        .join_from(t.assignment, t.incident, (i.city_id == a.city_id) & (i.id == a.incident_id))
        .where(a.city_id == city_id, a.crew_id == crew_id, a.status == "cleared")
        .order_by(a.cleared_at.desc())
        .limit(RECENT)
    )
    return [plain(dict(row._mapping)) for row in rows]


def report_view(world: World, report: Report, now: datetime) -> dict[str, Any]:
    """A citizen's tracking page: every step with its time, an honest ETA, the result."""
    kept = world.personal(report.id)
    incident = world.incident(report.incident_id) if report.incident_id else None
    assignments = world.assignments_of(incident.id) if incident else []
    coming = _coming(assignments)
    due_at = incident.due_at if incident else None
    return {
        "ticket": report.ticket,
        "service_code": report.service_code,
        "status": _told_status(report, incident, coming),
        "steps": _steps(report, incident, assignments),
        "received_at": plain(report.received_at),
        **_expected(coming),
        "crew": _crew(world, coming),
        "place_label": report.place_label,
        "place_typed": kept.place_typed if kept else None,
        "lon": report.lon,
        "lat": report.lat,
        "description": kept.description if kept else None,
        "photo_ids": [str(photo) for photo in report.photo_ids],
        "anonymous": report.anonymous,
        "secret": report.secret,
        "result": _result(incident, assignments),
        "can_answer": _can_answer(world, report, now),
        "answer": report.answer,
        "due_at": plain(due_at) if due_at else None,
        "overdue": bool(
            incident and incident.open and incident.first_arrived_at is None and now > due_at
        )
        if due_at
        else False,
    }


def _coming(assignments: Sequence[Assignment]) -> Assignment | None:
    """The assignment a citizen should know of: accepted, and the farthest on."""
    order = ("acknowledged", "en_route", "on_scene")
    taken = [a for a in assignments if a.status in order]
    return max(taken, key=lambda a: (order.index(a.status), a.id), default=None)


def _told_status(report: Report, incident: Incident | None, coming: Assignment | None) -> str:
    if report.status != "linked" or incident is None:
        return report.status
    if coming is not None:
        return coming.status
    return "verified" if incident.status in ("pending", "dispatched") else incident.status


def _steps(
    report: Report, incident: Incident | None, assignments: Sequence[Assignment]
) -> list[dict[str, Any]]:
    found: list[tuple[str, datetime | None, str | None]] = [
        ("received", report.received_at, None),
        ("verified", report.verified_at, None),
    ]
    if report.status in ("postponed", "not_our_authority", "archived"):
        found.append((report.status, report.decided_at, report.reason))
    for assignment in assignments:
        if assignment.status in ("offered", "expired", "declined"):
            continue
        found.append(("dispatched", assignment.acknowledged_at, None))
        if assignment.decline_reason == DIVERTED and assignment.acknowledged_at:
            found.append(("diverted", assignment.ended_at, None))
        if assignment.status != "withdrawn":
            found.append(("en_route", assignment.enroute_at, None))
            found.append(("on_scene", assignment.arrived_at, None))
            found.append(("cleared", assignment.cleared_at, None))
    if incident is not None:
        found.append(("reopened", incident.reopened_at, None))
        code = "cancelled" if incident.status == "cancelled" else "closed"
        found.append((code, incident.closed_at, incident.note))
    known = [(code, at, text) for code, at, text in found if at is not None]
    known.sort(key=lambda step: step[1])
    return [{"code": code, "at": plain(at), "text": text} for code, at, text in known]


def _expected(coming: Assignment | None) -> dict[str, Any]:
    if coming is None or coming.eta is None or coming.arrived_at is not None:
        return {"eta": None, "eta_latest": None}
    spread = (coming.p90_ete_s or coming.ete_s or 0.0) - (coming.ete_s or 0.0)
    return {"eta": plain(coming.eta), "eta_latest": plain(coming.eta + timedelta(seconds=spread))}


def _crew(world: World, coming: Assignment | None) -> dict[str, Any] | None:
    if coming is None:
        return None
    fix = world.fixes().get(coming.crew_id) if coming.status != "on_scene" else None
    return {
        "id": str(coming.crew_id),
        "name": world.crew(coming.crew_id).name,
        "lon": fix.here[0] if fix else None,
        "lat": fix.here[1] if fix else None,
        "fix_time": plain(fix.fix_time) if fix else None,
    }


def _result(incident: Incident | None, assignments: Sequence[Assignment]) -> dict[str, Any] | None:
    if incident is None or incident.status != "closed":
        return None
    done = [a for a in assignments if a.status == "cleared"]
    return {
        "disposition_code": incident.disposition_code,
        "note": incident.note,
        "photo_ids": [str(photo) for a in done for photo in a.photo_ids],
    }


def _can_answer(world: World, report: Report, now: datetime) -> bool:
    if report.status != "closed" or report.closed_at is None:
        return False
    return now - report.closed_at <= timedelta(hours=world.policy.closing.reopen_within_h)


def agency_view(
    connection: Connection, world: World, agency_id: str, now: datetime
) -> dict[str, Any]:
    """An agency's desk: its referrals with their incidents, and its own numbers."""
    agency = world.policy.agencies.get(agency_id)
    r = t.referral.c
    rows = connection.execute(
        select(r.id)
        .where(
            r.city_id == world.city_id,
            r.agency_id == agency_id,
            r.status.in_(("made", "accepted")) | (r.changed_at >= now - KEPT),
        )
        .order_by(r.referred_at.desc(), r.id)
        .limit(500)
    )
    referrals = [_handed(world, row.id) for row in rows]
    return {
        "agency": {
            "id": agency_id,
            "name": agency.name if agency else agency_id,
            "name_en": agency.name_en if agency else agency_id,
        },
        "referrals": referrals,
        "numbers": _numbers(referrals),
    }


def _handed(world: World, referral_id: UUID) -> dict[str, Any]:
    referral = world.referral(referral_id)
    incident = world.incident(referral.incident_id)
    reports = [_told(world, report) for report in world.reports_of(incident.id)]
    return {
        **wire_view(referral),
        "incident": {**_outside(incident), "reports": reports},
    }


def _numbers(referrals: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    numbers = dict.fromkeys(("made", "accepted", "refused", "finished", "withdrawn"), 0)
    for referral in referrals:
        numbers[referral["status"]] += 1
    return {**numbers, "total": len(referrals)}
