"""What happens to a report by itself: it is judged, and shown with what resembles it."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from dispatch.actions.recording import record
from dispatch.core import arrival, triage
from dispatch.core import events as ev
from dispatch.core.events import SYSTEM
from dispatch.core.incidents import Incident
from dispatch.core.reports import Report
from dispatch.core.triage import Neighbour, Signs
from dispatch.core.world import World


def triage_report(world: World, now: datetime, report_id: UUID) -> Report:
    """Judge a new report and put it before a dispatcher; nothing is ever dropped here."""
    report = world.report(report_id)
    if report.status != "received":
        return report
    similar = similar_reports(world, report)
    signs = signs_of(world, report, len(similar))
    p_genuine, reasons = triage.judge(signs, policy=world.policy)
    shown = tuple(
        {
            "report_id": str(neighbour.id),
            "ticket": neighbour.ticket,
            "score": score,
            "distance_m": round(neighbour.distance_m, 1),
        }
        for neighbour, score in similar[:5]
    )
    because = {"rule": "triage", "p_genuine": p_genuine, "reasons": list(reasons)}
    fact = ev.ReportTriaged(p_genuine, reasons, shown)
    return record(world, now, SYSTEM, report, fact, because=because)


def signs_of(world: World, report: Report, similar: int) -> Signs:
    """What triage looks at for this report."""
    kept = world.personal(report.id)
    return Signs(
        service_code=report.service_code,
        channel=report.channel,
        description=kept.description if kept else "",
        photos=len(report.photo_ids),
        radius_m=report.radius_m if report.lon is not None else None,
        has_contact=bool(kept and (kept.phone or kept.email)),
        anonymous=report.anonymous,
        similar=similar,
        pranks_before=_pranks_before(world, report),
    )


def _pranks_before(world: World, report: Report) -> int:
    """How many earlier reports of the same telephone or e-mail were archived."""
    kept = world.personal(report.id)
    if kept is None:
        return 0
    others = world.reports_from(phone=kept.phone, email=kept.email)
    return sum(other.status == "archived" for other in others if other.id != report.id)


def similar_reports(world: World, report: Report) -> list[tuple[Neighbour, float]]:
    """Other reports that may speak of the same thing, most alike first."""
    if report.lon is None or report.lat is None:
        return []
    service = world.policy.service(report.service_code)
    since = report.received_at - timedelta(hours=service.duplicate_window_h)
    near = world.reports_near(
        report.lon, report.lat, within_m=service.duplicate_radius_m, since=since
    )
    kept = world.personal(report.id)
    return triage.similar_to(
        [_neighbour(world, report, other) for other in near if other.id != report.id],
        service=service,
        description=kept.description if kept else "",
        received_at=report.received_at,
    )


def _neighbour(world: World, report: Report, other: Report) -> Neighbour:
    assert report.lon is not None
    assert report.lat is not None
    assert other.lon is not None
    assert other.lat is not None
    kept = world.personal(other.id)
    return Neighbour(
        id=other.id,
        ticket=other.ticket,
        service_code=other.service_code,
        distance_m=arrival.metres_between(report.lon, report.lat, other.lon, other.lat),
        received_at=other.received_at,
        description=kept.description if kept else None,
    )


def near_incidents(world: World, report: Report) -> list[tuple[Incident, float, float]]:
    """Active incidents near a report, with metres and likeness 0…1, most alike first."""
    if report.lon is None or report.lat is None:
        return []
    service = world.policy.service(report.service_code)
    radius = max(service.duplicate_radius_m, 150.0)
    found = []
    for incident in world.incidents_near(report.lon, report.lat, within_m=radius):
        metres = arrival.metres_between(report.lon, report.lat, incident.lon, incident.lat)
        same = 1.0 if incident.service_code == report.service_code else 0.35
        found.append((incident, metres, round(same * max(0.0, 1.0 - metres / radius), 4)))
    return sorted(found, key=lambda item: (-item[2], item[0].id))
