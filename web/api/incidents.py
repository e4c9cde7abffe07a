"""What a dispatcher sees of an incident and decides about it: send, close, cancel, reopen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from dispatch import actions
from dispatch.core import gates, run_cards
from dispatch.core.assignments import Assignment
from dispatch.core.crews import Crew, Fix
from dispatch.core.errors import Conflict
from dispatch.core.incidents import Incident
from dispatch.core.log import Entry, wire_view, write_fact
from dispatch.core.world import Entity, World
from dispatch.storage import views
from dispatch.system import City, System
from web import shapes, wishes
from web.api.deeds import carry_out, json, moment
from web.auth import Dispatcher, TheCity, TheStep, TheSystem, Watcher

router = APIRouter(prefix="/api/{city}/incidents/{incident_id}", tags=["incidents"])

HAPPENED = shapes.answers(shapes.Happened)


@router.get("", responses=shapes.answers(shapes.IncidentFile))
def incident_file(city: TheCity, incident_id: UUID, who: Watcher, system: TheSystem) -> Response:
    """Everything about one incident, with the lines of the log that made it so."""
    with system.looking(city.id) as world:
        incident = world.incident(incident_id)
        found: dict[str, Sequence[Entity]] = {
            "reports": world.reports_of(incident_id),
            "assignments": world.assignments_of(incident_id),
            "referrals": world.referrals_of(incident_id),
        }
        seen = {
            name: list(views.viewed(world.connection, city.id, things).values())
            for name, things in found.items()
        }
        entries = views.log_of_incident(world.connection, city.id, incident_id)
    log = [_line(entry) for entry in entries]
    return json({"incident": wire_view(incident), **seen, "log": log})


def _line(entry: Entry) -> dict[str, Any]:
    """One line of the log: what happened to what, when, by whom, and by which rule."""
    event = entry.event
    return {
        "o": entry.offset,
        "t": event.type,
        "k": event.key,
        "at": moment(event.at),
        "recorded_at": moment(event.recorded_at),
        "actor": str(event.actor),
        "summary": write_fact(event.fact),
        "because": dict(event.because) if event.because is not None else None,
    }


@router.get("/candidates", responses=shapes.answers(shapes.Candidates))
def candidates(city: TheCity, incident_id: UUID, who: Watcher, system: TheSystem) -> Response:
    """Every crew with its road time from where it is now, and why not, if not."""
    return json(system.proposal(city.id, incident_id))


@router.post("/send", responses=shapes.answers(shapes.CrewSent))
def send_crew(
    city: TheCity,
    incident_id: UUID,
    wish: wishes.Send,
    who: Dispatcher,
    step: TheStep,
    system: TheSystem,
) -> Response:
    """Offer it to a crew; without one, to the crew that is recommended.

    `warning` says why the crew would not have been sent by itself: a dispatcher may know better.
    """
    weighed = _weighed(system, city, incident_id)
    crew_id = wish.crew_id or _recommended(system, city.id, incident_id)
    # Roads are asked before the step; a repeated request needs no answer from them.
    estimate = system.estimate(city.id, incident_id, crew_id) if crew_id else None
    fix = system.newest_fix(city.id, crew_id) if crew_id else None

    def action(world: World, now: datetime) -> tuple[Assignment, str | None]:
        if crew_id is None:
            raise Conflict("No crew can be recommended now. Choose one yourself.")
        warning = _warning(world, now, world.incident(incident_id), world.crew(crew_id), fix)
        send = actions.divert_crew if wish.divert else actions.send_crew
        sent = send(
            world,
            now,
            who.actor,
            incident_id,
            crew_id=crew_id,
            estimate=estimate,
            because=weighed,
        )
        return sent, warning

    return carry_out(system, who, step, action, render=lambda _, done: {"warning": done[1]})


def _warning(
    world: World, now: datetime, incident: Incident, crew: Crew, fix: Fix | None
) -> str | None:
    """The gate that shuts for this crew, one of `gates.REASONS`, or what it has not got."""
    slots = run_cards.slots_of(incident)
    shut = gates.unfit(
        crew, fix, now=now, policy=world.policy, priority=incident.priority, on_the_way=True
    )
    if shut is not None or any(run_cards.fits(slot, crew) for slot in slots):
        return shut
    return "skill" if all(set(s.skills) - set(crew.skills) for s in slots) else "equipment"


def _weighed(system: System, city: City, incident_id: UUID) -> dict[str, Any]:
    """What the engine would have done at this moment, kept beside what the dispatcher decides."""
    found = system.proposal(city.id, incident_id)
    shown = found["recommendation"]
    return {
        "rule": "dispatcher",
        "proposed": shown["crew_id"],
        "selection_reason": shown["selection_reason"],
        "shortfall_reason": shown["shortfall_reason"],
        "graph": city.roads.version,
        "calibration": shown["calibration"],
        "candidates": found["candidates"],
    }


def _recommended(system: System, city_id: str, incident_id: UUID) -> UUID | None:
    """The crew shown to the dispatcher, or else the one found now."""
    with system.looking(city_id) as world:
        shown = world.incident(incident_id).recommendation
    if shown is None or shown["crew_id"] is None:
        shown = system.proposal(city_id, incident_id)["recommendation"]
    return UUID(str(shown["crew_id"])) if shown["crew_id"] else None


@router.post("/close", responses=HAPPENED)
def close_incident(
    incident_id: UUID, wish: wishes.Close, who: Dispatcher, step: TheStep, system: TheSystem
) -> Response:
    """It is over; crews still on it are withdrawn and its reporters are told."""

    def action(world: World, now: datetime) -> Incident:
        return actions.close_incident(
            world,
            now,
            who.actor,
            incident_id,
            disposition_code=wish.disposition_code,
            note=wish.note,
        )

    return carry_out(system, who, step, action)


@router.post("/cancel", responses=HAPPENED)
def cancel_incident(
    incident_id: UUID, wish: wishes.Because, who: Dispatcher, step: TheStep, system: TheSystem
) -> Response:
    """It was never needed; crews turn round."""

    def action(world: World, now: datetime) -> Incident:
        return actions.cancel_incident(world, now, who.actor, incident_id, reason=wish.reason)

    return carry_out(system, who, step, action)


@router.post("/reopen", responses=HAPPENED)
def reopen_incident(
    incident_id: UUID, wish: wishes.Because, who: Dispatcher, step: TheStep, system: TheSystem
) -> Response:
    """Closed was not fixed: it is open again and the promise starts anew."""

    def action(world: World, now: datetime) -> Incident:
        return actions.reopen_incident(world, now, who.actor, incident_id, reason=wish.reason)

    return carry_out(system, who, step, action)


@router.post("/alarm", responses=HAPPENED)
def raise_alarm(
    incident_id: UUID, wish: wishes.Alarm, who: Dispatcher, step: TheStep, system: TheSystem
) -> Response:
    """It needs more: the crews of a higher alarm level join those of the levels below."""

    def action(world: World, now: datetime) -> Incident:
        return actions.raise_alarm(
            world, now, who.actor, incident_id, alarm_level=wish.alarm_level, reason=wish.reason
        )

    return carry_out(system, who, step, action)


@router.post("/reprioritise", responses=HAPPENED)
def reprioritise(
    incident_id: UUID, wish: wishes.Reprioritise, who: Dispatcher, step: TheStep, system: TheSystem
) -> Response:
    """More or less urgent than thought."""

    def action(world: World, now: datetime) -> Incident:
        return actions.reprioritise(
            world, now, who.actor, incident_id, priority=wish.priority, reason=wish.reason
        )

    return carry_out(system, who, step, action)
