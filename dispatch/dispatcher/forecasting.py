"""Whether each promise will be kept, told before it is broken, with what could still save it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from dispatch.actions.recording import record
from dispatch.core import events as ev
from dispatch.core.events import SYSTEM
from dispatch.core.incidents import Incident
from dispatch.core.matching import Candidate
from dispatch.core.proposals import Proposal
from dispatch.core.road_times import outlook_of
from dispatch.core.rounds import is_routine
from dispatch.core.world import World
from dispatch.dispatcher.board import candidates, plan_for
from geo.spread import Spread

MATERIAL_P = 0.1
SAVERS = 3


def foresee(
    world: World,
    now: datetime,
    road_s: Mapping[tuple[UUID, UUID], float],
    proposals: Sequence[Proposal],
) -> None:
    """Record the chance of every open incident that nobody reached yet, where it changed."""
    if not world.policy.forecast.enabled:
        return
    planned = {p.incident_id: p for p in proposals if p.slot == 0}
    able = cache(lambda: candidates(world, now))
    for incident in world.active_incidents():
        if incident.first_arrived_at is None and not is_routine(world.policy, incident):
            fact = _forecast(world, now, incident, road_s, planned.get(incident.id), able)
            if _tells(incident, fact):
                because = {"rule": "forecast", "alarm_below": world.policy.forecast.alarm_below}
                record(world, now, SYSTEM, incident, fact, because=because)


def _forecast(
    world: World,
    now: datetime,
    incident: Incident,
    road_s: Mapping[tuple[UUID, UUID], float],
    proposal: Proposal | None,
    able: Callable[[], Sequence[Candidate]],
) -> ev.IncidentForecast:
    left = (incident.due_at - now).total_seconds()
    ete_s, spread = _soonest(world, now, incident, road_s)
    saves = 0.0
    if ete_s is not None:
        p = float(spread.p_within(left, ete_s))
    elif proposal is None:
        p = 0.0
    else:
        ete_s = proposal.ete_s
        p = proposal.p_on_time if proposal.p_on_time is not None else proposal.p_otherwise or 0.0
        saves = proposal.saves or 0.0
    rule = world.policy.forecast
    alarm = p < (rule.clear_above if incident.forecast_alarm else rule.alarm_below)
    savers: tuple[Mapping[str, Any], ...] = ()
    if alarm and left > 0:
        asked = proposal or plan_for(world, now, incident, road_s, able=able())
        savers = _savers(asked, better_than=p)
    eta = now + timedelta(seconds=round(ete_s)) if ete_s is not None else None
    return ev.IncidentForecast(round(p, 4), eta, round(saves, 4), alarm, savers)


def _soonest(
    world: World,
    now: datetime,
    incident: Incident,
    road_s: Mapping[tuple[UUID, UUID], float],
) -> tuple[float | None, Spread]:
    """Seconds until the first crew sent there arrives, None when nobody is sent; how surely."""
    found: list[tuple[float, Spread]] = []
    outlook = outlook_of(road_s, world.policy)
    for assignment_id in incident.assignment_ids:
        assignment = world.assignment(assignment_id)
        seconds = road_s.get((assignment.crew_id, incident.id))
        if seconds is not None and seconds != float("inf"):
            if assignment.status == "en_route":
                found.append((seconds, outlook.rolling))
            else:
                turnout_s = outlook.turnout_of(assignment.crew_id)
                found.append((seconds + turnout_s, outlook.offered))
        elif assignment.eta is not None:
            found.append((max((assignment.eta - now).total_seconds(), 0.0), outlook.rolling))
    return min(found, key=lambda each: each[0], default=(None, outlook.offered))


def _savers(proposal: Proposal, *, better_than: float) -> tuple[Mapping[str, Any], ...]:
    """The crews with the best chance that beats the plan's, best first."""
    able = [
        c
        for c in proposal.candidates
        if c["why_not"] is None and (c["p_on_time"] or 0.0) > better_than + MATERIAL_P
    ]
    best = sorted(able, key=lambda c: (-c["p_on_time"], c["crew_id"]))[:SAVERS]
    return tuple(
        {
            "crew_id": c["crew_id"],
            "p_on_time": c["p_on_time"],
            "ete_s": c["ete_s"],
            "p90_ete_s": c["p90_ete_s"],
            "how": "divert" if c["holds"] else "send",
        }
        for c in best
    )


def _tells(incident: Incident, fact: ev.IncidentForecast) -> bool:
    """Whether the forecast differs enough from the last one to tell anybody."""
    if incident.forecast_alarm != fact.alarm or incident.p_on_time is None:
        return True
    if fact.alarm and {c["crew_id"] for c in fact.savers} != {
        c["crew_id"] for c in incident.savers
    }:
        return True
    moved = abs(incident.p_on_time - fact.p_on_time) > MATERIAL_P
    return moved or abs((incident.saves or 0.0) - fact.saves) > MATERIAL_P
