"""Routine work as rounds: planned aside with a progress bar, started, watched, cancelled."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from uuid_utils.compat import uuid7

from dispatch import actions
from dispatch.core.errors import Conflict
from dispatch.core.log import plain, wire_view
from dispatch.core.rounds import Round
from dispatch.core.world import World
from dispatch.storage import views
from dispatch.storage.store import StoredWorld
from dispatch.system import System
from dispatch.system.round_tours import Ask, Task, task_of
from dispatch.system.rounds import Plan
from geo.point import Point
from web import shapes, wishes
from web.api.deeds import answered, carry_out, json
from web.auth import TheCity, TheStep, TheSystem, Watcher
from web.errors import language
from web.sentences import PLANS

router = APIRouter(prefix="/api/{city}/rounds", tags=["rounds"])

HAPPENED = shapes.answers(shapes.Happened)


@router.get("", responses=shapes.answers(shapes.Rounds))
def rounds(city: TheCity, who: Watcher, system: TheSystem) -> Response:
    """The rounds that are open or ended lately, the newest first."""
    with system.reading(city.id) as connection:
        return json({"rounds": views.list_rounds(connection, city.id, system.now())})


@router.post("/plan", status_code=202, responses=shapes.answers(shapes.PlanBegun, status=202))
def plan(
    city: TheCity, wish: wishes.PlanRounds, who: Watcher, step: TheStep, system: TheSystem
) -> Response:
    """Begin to work out rounds; ask for the plan to see how far it is. Nothing starts by itself."""
    ask = Ask(tuple(wish.crew_ids), tuple(wish.services))
    plan_id = uuid7()

    def action(world: World, now: datetime) -> Task:
        if system.rounds.busy(city.id):
            raise Conflict("A plan is being worked out already. Wait for it, or cancel it.")
        return task_of(world, now, ask)

    def render(_: StoredWorld, task: Task) -> dict[str, Any]:
        return {
            "plan_id": str(plan_id),
            "stops": len(task.incidents),
            "crews": len(task.crews),
        }

    done = system.do(city.id, who.actor, action, step=step, render=render, status=202)
    if not done.replayed:
        system.rounds.begin(city.id, plan_id, who.actor, ask)
    return answered(done)


@router.get("/plan/{plan_id}", responses=shapes.answers(shapes.PlanView))
def plan_progress(
    request: Request, city: TheCity, plan_id: UUID, who: Watcher, system: TheSystem
) -> Response:
    """How far the plan is, and at its end the rounds it proposed or why there are none."""
    return json(_plan(request, system.rounds.find(city.id, plan_id)))


@router.post("/plan/{plan_id}/cancel", responses=shapes.answers(shapes.PlanView))
def cancel_plan(
    request: Request,
    city: TheCity,
    plan_id: UUID,
    _: wishes.Nothing,
    who: Watcher,
    step: TheStep,
    system: TheSystem,
) -> Response:
    """End it; nothing of it stays. One that ended already stays as it is."""
    return json(_plan(request, system.rounds.cancel(city.id, plan_id)))


def _plan(request: Request, found: Plan) -> dict[str, Any]:
    sentence = PLANS[found.problem].say(language(request)) if found.problem else None
    view: dict[str, Any] = plain(found)
    return {**view, "ended": found.ended, "detail": sentence}


@router.get("/{round_id}", responses=shapes.answers(shapes.RoundFile))
def round_file(city: TheCity, round_id: UUID, who: Watcher, system: TheSystem) -> Response:
    """One round with the incidents of its stops and the way through what is left of it."""
    with system.looking(city.id) as world:
        found = world.round(round_id)
        incidents = [world.incident(stop.incident_id) for stop in found.stops]
        places = {i.id: Point(i.lon, i.lat) for i in incidents}
        crew = world.crew(found.crew_id)
    fix = system.newest_fix(city.id, found.crew_id)
    here = Point(*fix.here) if fix else Point(crew.station_lon, crew.station_lat)
    way = _way(system, city.id, [here, *(places[i] for i in found.waiting)])
    return json(
        {
            "round": wire_view(found),
            "incidents": [wire_view(incident) for incident in incidents],
            "points": way if found.status in ("proposed", "active", "paused") else [],
        }
    )


def _way(system: System, city_id: str, places: list[Point]) -> list[tuple[float, float]]:
    """The drive through the places in order; where no road leads it jumps."""
    points: list[tuple[float, float]] = []
    for a, b in pairwise(places):
        route = system.route(city_id, a, b)
        points += [(round(p.lon, 6), round(p.lat, 6)) for p in (route.points if route else (a, b))]
    return points


@router.post("/{round_id}/start", responses=HAPPENED)
def start_round(
    round_id: UUID, _: wishes.Nothing, who: Watcher, step: TheStep, system: TheSystem
) -> Response:
    """Let the crew begin; it is sent to the first stop as soon as it is free."""

    def action(world: World, now: datetime) -> Round:
        return actions.start_round(world, now, who.actor, round_id)

    return carry_out(system, who, step, action)


@router.post("/{round_id}/cancel", responses=HAPPENED)
def cancel_round(
    round_id: UUID, wish: wishes.MaybeBecause, who: Watcher, step: TheStep, system: TheSystem
) -> Response:
    """It is not driven on; work begun goes on, the rest waits for another round."""

    def action(world: World, now: datetime) -> Round:
        return actions.cancel_round(world, now, who.actor, round_id, reason=wish.reason)

    return carry_out(system, who, step, action)
