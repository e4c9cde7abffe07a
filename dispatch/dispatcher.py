"""What follows from what: triage, matching, expiring offers, telling of slipped arrivals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from dispatch import actions
from dispatch.actions import Estimate
from dispatch.core import arrival, matching, triage
from dispatch.core import events as ev
from dispatch.core.arrival import Approach
from dispatch.core.assignments import Assignment
from dispatch.core.crews import Crew, Fix
from dispatch.core.events import SYSTEM, Event, Kind
from dispatch.core.incidents import Incident
from dispatch.core.matching import Candidate, Need, Proposal
from dispatch.core.policy import Policy
from dispatch.core.reports import Report
from dispatch.core.triage import Neighbour, Signs
from dispatch.core.world import Timer, World

RoadSeconds = Mapping[tuple[UUID, UUID], float]
MATERIAL_ETE_S = 60.0
MATERIAL_P = 0.1


@dataclass(frozen=True, slots=True)
class Question:
    """What the roads are asked before a plan: from each crew to each incident, WGS 84 degrees."""

    crews: tuple[tuple[UUID, float, float], ...]
    incidents: tuple[tuple[UUID, float, float], ...]


def run_timer(world: World, now: datetime, timer: Timer) -> None:
    """Do what a timer asked for. An unknown kind is an error of the program."""
    if timer.kind == actions.TRIAGE:
        triage_report(world, now, timer.subject)
    elif timer.kind == actions.OFFER_EXPIRES:
        actions.expire_offer(world, now, timer.subject)
    else:
        raise ValueError(f"nobody knows a timer {timer.kind!r}")


# --- triage ------------------------------------------------------------------


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
    return cast(Report, _record(world, now, report, fact, because=because))


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


# --- matching ----------------------------------------------------------------


def question(world: World, now: datetime) -> Question:
    """What a plan needs to know from the roads; empty lists when there is nothing to plan."""
    wanting = [i for i in world.active_incidents() if i.wants_crews > 0]
    moving = [c for c in world.crews() if c.assignment_id is not None]
    if not wanting and not moving:
        return Question((), ())
    fixes = world.fixes()
    crews = tuple(
        (crew.id, fixes[crew.id].lon, fixes[crew.id].lat)
        for crew in world.crews()
        if crew.id in fixes and crew.status != "not_available"
    )
    incidents = tuple(
        (incident.id, incident.lon, incident.lat)
        for incident in world.active_incidents()
        if incident.status != "on_scene" or incident.wants_crews > 0
    )
    return Question(crews, incidents)


def needs(world: World, now: datetime) -> list[Need]:
    """The incidents that want crews, with the crews that should not be asked again yet."""
    return [
        Need(
            incident_id=incident.id,
            due_at=incident.due_at,
            priority=incident.priority,
            skills=frozenset(incident.required_skills),
            wants=incident.wants_crews,
            paused=_paused(world, now, incident),
        )
        for incident in world.active_incidents()
        if incident.wants_crews > 0
    ]


def _paused(world: World, now: datetime, incident: Incident) -> frozenset[UUID]:
    pause = timedelta(seconds=world.policy.offers.decline_pause_s)
    return frozenset(
        assignment.crew_id
        for assignment in world.assignments_of(incident.id)
        if assignment.status in ("declined", "expired", "withdrawn")
        and assignment.ended_at is not None
        and now - assignment.ended_at < pause
    )


def candidates(world: World, now: datetime) -> list[Candidate]:
    """All crews, each with what speaks against sending it now."""
    fixes = world.fixes()
    return [
        Candidate(
            crew_id=crew.id,
            skills=frozenset(crew.skills),
            unfit=unfit(crew, fixes.get(crew.id), now=now, policy=world.policy),
        )
        for crew in world.crews()
    ]


def unfit(crew: Crew, fix: Fix | None, *, now: datetime, policy: Policy) -> str | None:
    """Why a crew may not be sent by itself: off_duty, busy, no_position, stale, or None."""
    if crew.status != "available":
        return "off_duty" if crew.status == "not_available" else "busy"
    if crew.assignment_id is not None:
        return "busy"
    if fix is None:
        return "no_position"
    if (now - fix.fix_time).total_seconds() > policy.matching.stale_fix_s:
        return "stale"
    return None


def plan(world: World, now: datetime, road_s: RoadSeconds) -> list[Proposal]:
    """The proposals for this moment; nothing is recorded."""
    return matching.match(
        needs(world, now), candidates(world, now), road_s, policy=world.policy, now=now
    )


def plan_for(world: World, now: datetime, incident: Incident, road_s: RoadSeconds) -> Proposal:
    """The proposal for one incident as if it stood alone, for a dispatcher who asks."""
    wanted = Need(
        incident_id=incident.id,
        due_at=incident.due_at,
        priority=incident.priority,
        skills=frozenset(incident.required_skills),
        paused=_paused(world, now, incident),
    )
    [proposal] = matching.match(
        [wanted], candidates(world, now), road_s, policy=world.policy, now=now
    )
    return proposal


def estimate_of(road_s: float, incident: Incident, *, policy: Policy, now: datetime) -> Estimate:
    """What `road_s` seconds of road mean for this incident."""
    m = policy.matching
    ete_s = road_s + m.turnout_s
    left = (incident.due_at - now).total_seconds()
    return Estimate(
        ete_s=round(ete_s, 1),
        p90_ete_s=round(matching.p90(ete_s, sigma=m.sigma), 1),
        p_on_time=round(float(matching.p_on_time(left, ete_s, sigma=m.sigma)), 4),
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


def act(world: World, now: datetime, road_s: RoadSeconds, *, graph: str) -> list[Proposal]:
    """Plan, record what changed, and send crews where the policy sends by itself.

    `graph` names the version of the roads the seconds came from, for the record.
    """
    proposals = plan(world, now, road_s)
    for proposal in proposals:
        incident = world.incident(proposal.incident_id)
        auto = (
            proposal.crew_id is not None
            and incident.priority in world.policy.offers.automatic_priorities
        )
        if _material(incident, proposal):
            _recommend(world, now, incident, proposal, auto=auto, graph=graph)
        if auto and proposal.crew_id is not None:
            actions.send_crew(
                world,
                now,
                SYSTEM,
                incident.id,
                crew_id=proposal.crew_id,
                estimate=estimate(proposal),
                because=_because(proposal, graph=graph),
            )
    return proposals


def estimate(proposal: Proposal) -> Estimate | None:
    """The proposal's figures as an estimate, None when it proposes nobody."""
    if proposal.ete_s is None or proposal.p90_ete_s is None or proposal.p_on_time is None:
        return None
    return Estimate(proposal.ete_s, proposal.p90_ete_s, proposal.p_on_time)


def _recommend(
    world: World,
    now: datetime,
    incident: Incident,
    proposal: Proposal,
    *,
    auto: bool,
    graph: str,
) -> None:
    fact = ev.RecommendationMade(
        crew_id=proposal.crew_id,
        eta=now + timedelta(seconds=proposal.ete_s) if proposal.ete_s is not None else None,
        ete_s=proposal.ete_s,
        p90_ete_s=proposal.p90_ete_s,
        p_on_time=proposal.p_on_time,
        selection_reason=proposal.selection_reason,
        shortfall_reason=proposal.shortfall_reason,
        auto=auto,
        candidates=proposal.candidates,
    )
    _record(world, now, incident, fact, because=_because(proposal, graph=graph))


def _because(proposal: Proposal, *, graph: str) -> Mapping[str, Any]:
    return {
        "rule": "matching",
        "selection_reason": proposal.selection_reason,
        "shortfall_reason": proposal.shortfall_reason,
        "graph": graph,
        "candidates": [dict(candidate) for candidate in proposal.candidates],
    }


def _material(incident: Incident, proposal: Proposal) -> bool:
    """Whether the proposal differs from the standing one enough to tell anybody."""
    standing = incident.recommendation
    if standing is None:
        return True
    crew_id = str(proposal.crew_id) if proposal.crew_id else None
    if standing["crew_id"] != crew_id:
        return True
    if standing["shortfall_reason"] != proposal.shortfall_reason:
        return True
    if proposal.ete_s is None or standing["ete_s"] is None:
        return False
    slipped_s = abs(float(standing["ete_s"]) - proposal.ete_s)
    shifted = abs(float(standing["p_on_time"]) - (proposal.p_on_time or 0.0))
    return slipped_s > MATERIAL_ETE_S or shifted > MATERIAL_P


# --- crews on their way ------------------------------------------------------


def revise_etas(world: World, now: datetime, road_s: RoadSeconds) -> list[Assignment]:
    """Tell of arrivals that slipped by more than the policy's `eta_slip_s`."""
    revised = []
    m = world.policy.matching
    for crew in world.crews():
        if crew.assignment_id is None:
            continue
        assignment = world.assignment(crew.assignment_id)
        seconds = road_s.get((crew.id, assignment.incident_id))
        if assignment.status not in ("acknowledged", "en_route") or seconds is None:
            continue
        turnout = 0.0 if assignment.status == "en_route" else m.turnout_s
        ete_s = seconds + turnout
        if ete_s == float("inf"):
            continue
        eta = now + timedelta(seconds=ete_s)
        if assignment.eta and abs((eta - assignment.eta).total_seconds()) <= m.eta_slip_s:
            continue
        revised.append(_revise(world, now, assignment, ete_s))
    return revised


def _revise(world: World, now: datetime, assignment: Assignment, ete_s: float) -> Assignment:
    incident = world.incident(assignment.incident_id)
    sigma = world.policy.matching.sigma
    left = (incident.due_at - now).total_seconds()
    fact = ev.AssignmentEtaRevised(
        eta=now + timedelta(seconds=ete_s),
        ete_s=round(ete_s, 1),
        p90_ete_s=round(matching.p90(ete_s, sigma=sigma), 1),
        p_on_time=round(float(matching.p_on_time(left, ete_s, sigma=sigma)), 4),
    )
    because = {"rule": "matching.eta_slip_s", "ete_s": round(ete_s, 1)}
    return cast(Assignment, _record(world, now, assignment, fact, because=because))


def notice(world: World, approach: Approach, fix: Fix) -> tuple[Approach, str | None]:
    """The state to keep for the crew's next fix, and what this one shows: moving, arrived, None."""
    assignment = world.active_assignment(fix.crew_id)
    if assignment is None or assignment.status not in ("acknowledged", "en_route"):
        return Approach(last=fix), None
    incident = world.incident(assignment.incident_id)
    following, sign, _ = arrival.judge(
        approach, fix, lon=incident.lon, lat=incident.lat, rule=world.policy.arrival
    )
    if sign == "moving" and assignment.status == "en_route":
        return following, None
    return following, sign


def follow_fix(
    world: World, now: datetime, approach: Approach, fix: Fix
) -> tuple[Approach, Assignment | None]:
    """Record what a crew's new position shows: under way, or there.

    Returns the state to keep for the crew's next fix, and the assignment if it changed.
    """
    following, sign = notice(world, approach, fix)
    assignment = world.active_assignment(fix.crew_id)
    if sign is None or assignment is None:
        return following, None
    incident = world.incident(assignment.incident_id)
    metres = arrival.metres_between(fix.lon, fix.lat, incident.lon, incident.lat)
    because = {
        "rule": f"arrival.{sign}",
        "distance_m": round(metres, 1),
        "accuracy_m": fix.accuracy_m,
        "speed_ms": fix.speed_ms,
    }
    if sign == "moving":
        changed = actions.en_route(
            world,
            now,
            SYSTEM,
            assignment.id,
            source="movement",
            because=because,
            device_time=fix.fix_time,
        )
        return following, changed
    changed = actions.on_scene(
        world,
        now,
        SYSTEM,
        assignment.id,
        source="geofence",
        evidence="geofence",
        distance_m=round(metres, 1),
        because=because,
        device_time=fix.fix_time,
    )
    return following, changed


def _record(
    world: World,
    now: datetime,
    thing: Report | Incident | Assignment,
    fact: ev.Fact,
    *,
    because: Mapping[str, Any],
) -> object:
    event = Event(
        kind=cast(Kind, thing.kind),
        subject=thing.id,
        version=thing.version + 1,
        at=now,
        recorded_at=now,
        actor=SYSTEM,
        fact=fact,
        because=because,
    )
    return world.record(event)
