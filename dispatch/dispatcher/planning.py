"""Which crew to propose or send for what waits, from a plan of the whole city."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dispatch import actions
from dispatch.actions import Estimate
from dispatch.actions.recording import record
from dispatch.core import events as ev
from dispatch.core import matching
from dispatch.core.assignments import DIVERTED
from dispatch.core.coverage import Terrain
from dispatch.core.events import SYSTEM
from dispatch.core.incidents import Incident
from dispatch.core.policy import Policy
from dispatch.core.proposals import Proposal
from dispatch.core.road_times import outlook_of
from dispatch.core.rounds import is_routine
from dispatch.core.world import World
from dispatch.dispatcher.board import (
    OnTheWay,
    candidates,
    held_need,
    needs,
    on_the_way,
)
from dispatch.dispatcher.forecasting import foresee
from geo.spread import Outlook, Spread

RoadSeconds = Mapping[tuple[UUID, UUID], float]
MATERIAL_ETE_S = 60.0
MATERIAL_P = 0.1
LATE_BY = 0.5
"""An incident missed for want of cover comes late by about so much of the promise."""


def plan(
    world: World,
    now: datetime,
    road_s: RoadSeconds,
    *,
    terrain: Terrain | None = None,
    moving: Mapping[UUID, OnTheWay] | None = None,
) -> list[Proposal]:
    """The proposals for this moment; nothing is recorded.

    With `moving` crews on their way are part of the plan, with what they are on their way to;
    routine work is no part of it, and gives its crew away whenever somebody else wants it.
    """
    moving = moving or {}
    held = [h for h in moving.values() if not is_routine(world.policy, h.incident)]
    wanted = [*needs(world, now), *(held_need(world, now, each) for each in held)]
    if not wanted:
        return []
    able = candidates(world, now, moving=moving, terrain=terrain)
    return matching.match(wanted, able, road_s, policy=world.policy, now=now)


def estimate_of(
    road_s: float, incident: Incident, *, crew_id: UUID, outlook: Outlook, now: datetime
) -> Estimate:
    """What `road_s` seconds of road mean for this incident when this crew is asked."""
    ete_s = road_s + outlook.turnout_of(crew_id)
    left = (incident.due_at - now).total_seconds()
    return Estimate(
        ete_s=round(ete_s, 1),
        p90_ete_s=round(outlook.offered.quantile_s(ete_s, 0.9), 1),
        p_on_time=round(float(outlook.offered.p_within(left, ete_s)), 4),
    )


def act(
    world: World,
    now: datetime,
    road_s: RoadSeconds,
    *,
    graph: str,
    terrain: Terrain | None = None,
) -> list[Proposal]:
    """Plan, record what changed, and send crews where the policy sends by itself.

    `graph` names the version of the roads the seconds came from, for the record; `terrain` is
    what is known of demand and cover. Crews on their way are turned round where the plan is
    better for it.
    """
    moving = on_the_way(world, now, road_s)
    proposals = plan(world, now, road_s, terrain=terrain, moving=moving)
    sent = {
        p.crew_id: p for p in proposals if p.crew_id is not None and not p.kept and _auto(world, p)
    }
    for proposal in proposals:
        if proposal.kept or (proposal.held_by and proposal.crew_id is None):
            continue
        incident = world.incident(proposal.incident_id)
        auto = proposal.crew_id in sent
        if proposal.slot == 0 and not proposal.held_by and _material(incident, proposal):
            _recommend(world, now, incident, proposal, auto=auto, graph=graph)
    _turn_round(world, now, proposals, sent, moving, graph=graph)
    for proposal in sent.values():
        _send(world, now, proposal, moving, graph=graph)
    offered = outlook_of(road_s, world.policy).offered
    _ask_beside(world, now, list(sent.values()), proposals, graph=graph, offered=offered)
    foresee(world, now, road_s, proposals)
    return proposals


def _auto(world: World, proposal: Proposal) -> bool:
    priority = world.incident(proposal.incident_id).priority
    return priority in world.policy.offers.automatic_priorities


def _turn_round(
    world: World,
    now: datetime,
    proposals: Sequence[Proposal],
    sent: Mapping[UUID, Proposal],
    moving: Mapping[UUID, OnTheWay],
    *,
    graph: str,
) -> None:
    """Take crews off what they were on their way to, where somebody is sent instead of it."""
    for proposal in proposals:
        held = moving.get(proposal.held_by) if proposal.held_by else None
        if held is None or proposal.kept:
            continue
        wanted_elsewhere = held.crew.id in sent
        relieved = proposal.crew_id is not None and proposal.crew_id in sent
        if not (wanted_elsewhere or relieved):
            continue
        to = sent[held.crew.id].incident_id if wanted_elsewhere else None
        _take_off(world, now, held, proposal, to, graph=graph)
    for crew_id, proposal in sent.items():
        held = moving.get(crew_id)
        if held is not None and is_routine(world.policy, held.incident):
            _take_off(world, now, held, proposal, proposal.incident_id, graph=graph)


def _take_off(
    world: World,
    now: datetime,
    held: OnTheWay,
    proposal: Proposal,
    to: UUID | None,
    *,
    graph: str,
) -> None:
    because = {
        **_because(proposal, graph=graph),
        "rule": "diversion",
        "left_s": round(held.left_s, 1),
        "to_incident": str(to) if to else None,
    }
    actions.withdraw(world, now, SYSTEM, held.assignment.id, reason=DIVERTED, because=because)


def _send(
    world: World,
    now: datetime,
    proposal: Proposal,
    moving: Mapping[UUID, OnTheWay],
    *,
    graph: str,
) -> None:
    assert proposal.crew_id is not None
    held = moving.get(proposal.crew_id)
    actions.send_crew(
        world,
        now,
        SYSTEM,
        proposal.incident_id,
        crew_id=proposal.crew_id,
        estimate=estimate(proposal),
        because=_because(proposal, graph=graph),
        diverted_from=held.incident.id if held else None,
    )


def _ask_beside(
    world: World,
    now: datetime,
    sent: Sequence[Proposal],
    proposals: Sequence[Proposal],
    *,
    graph: str,
    offered: Spread,
) -> None:
    """Ask a second crew at once where a decline of the first would cost the promise."""
    offers = world.policy.offers
    if offers.parallel_below <= 0:
        return
    taken = {str(p.crew_id) for p in proposals if p.crew_id}
    for proposal in sorted(sent, key=lambda p: (p.p_on_time or 0.0, p.incident_id)):
        second = next(
            (
                c
                for c in proposal.candidates
                if c["why_not"] is None and c["holds"] is None and c["crew_id"] not in taken
            ),
            None,
        )
        if second is None or proposal.p_on_time is None:
            continue
        incident = world.incident(proposal.incident_id)
        left = (incident.due_at - now).total_seconds()
        after = offered.p_within(left - offers.accept_s, second["ete_s"])
        alone = (1 - offers.decline_share) * proposal.p_on_time + offers.decline_share * after
        gain = offers.decline_share * (second["p_on_time"] - float(after))
        if float(alone) >= offers.parallel_below or gain < offers.parallel_gain:
            continue
        taken.add(second["crew_id"])
        actions.send_crew(
            world,
            now,
            SYSTEM,
            proposal.incident_id,
            crew_id=UUID(second["crew_id"]),
            estimate=Estimate(second["ete_s"], second["p90_ete_s"], second["p_on_time"]),
            because={**_because(proposal, graph=graph), "rule": "offers.parallel_below"},
        )


def estimate(proposal: Proposal) -> Estimate | None:
    """The proposal's figures as an estimate, None when it proposes nobody."""
    if proposal.ete_s is None or proposal.p90_ete_s is None or proposal.p_on_time is None:
        return None
    return Estimate(proposal.ete_s, proposal.p90_ete_s, proposal.p_on_time)


def false_cost_min(proposal: Proposal, policy: Policy) -> float:
    """Minutes of lateness that others must expect when the crew is sent for nothing."""
    return round(proposal.cover_loss * policy.promise.target_s / 60.0 * LATE_BY, 2)


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
        weight=proposal.weight,
        p_genuine=proposal.p_genuine,
        false_cost_min=false_cost_min(proposal, world.policy) if proposal.crew_id else None,
        saves=proposal.saves,
        graph=graph,
    )
    because = {"rule": "matching", "graph": graph, "calibration": proposal.calibration}
    record(world, now, SYSTEM, incident, fact, because=because)


def _because(proposal: Proposal, *, graph: str) -> Mapping[str, Any]:
    return {
        "rule": "matching",
        "selection_reason": proposal.selection_reason,
        "shortfall_reason": proposal.shortfall_reason,
        "weight": proposal.weight,
        "p_genuine": proposal.p_genuine,
        "saves": proposal.saves,
        "graph": graph,
        "calibration": proposal.calibration,
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
