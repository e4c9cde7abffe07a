"""Which crew to propose or send for what waits, from a plan of the whole city."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dispatch import actions
from dispatch.actions import Estimate
from dispatch.actions.recording import record
from dispatch.core import events as ev
from dispatch.core import matching
from dispatch.core.events import SYSTEM
from dispatch.core.gates import unfit
from dispatch.core.incidents import Incident
from dispatch.core.matching import Candidate, Need, Proposal
from dispatch.core.policy import Policy
from dispatch.core.rounds import is_routine
from dispatch.core.world import World

RoadSeconds = Mapping[tuple[UUID, UUID], float]
MATERIAL_ETE_S = 60.0
MATERIAL_P = 0.1


@dataclass(frozen=True, slots=True)
class Question:
    """What the roads are asked before a plan: from each crew to each incident, WGS 84 degrees."""

    crews: tuple[tuple[UUID, float, float], ...]
    incidents: tuple[tuple[UUID, float, float], ...]


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
        if incident.wants_crews > 0 and not is_routine(world.policy, incident)
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
    record(world, now, SYSTEM, incident, fact, because=_because(proposal, graph=graph))


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
