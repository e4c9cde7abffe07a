"""Where the city can be reached in time now, and where free crews should wait."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from dispatch import actions
from dispatch.actions import Post
from dispatch.core.crews import Crew
from dispatch.core.errors import Invalid
from dispatch.core.world import World
from geo.point import Point
from web import shapes, why, wishes
from web.api.crews import may_speak_for
from web.api.deeds import carry_out, json
from web.auth import CrewMember, Dispatcher, TheCity, TheStep, TheSystem, Watcher

router = APIRouter(prefix="/api/{city}", tags=["coverage"])

HAPPENED = shapes.answers(shapes.Happened)


@router.get("/coverage", responses=shapes.answers(why.Coverage))
def coverage(
    city: TheCity,
    who: Watcher,
    system: TheSystem,
    skill: Annotated[str | None, Query(max_length=60)] = None,
    minus: Annotated[list[UUID] | None, Query(max_length=50)] = None,
    plus: Annotated[list[str] | None, Query(max_length=20)] = None,
) -> Response:
    """Where free crews reach in time now, by zone; `plus` adds crews at “lon,lat”."""
    places = [_place(text) for text in plus or ()]
    found = system.coverage(city.id, skill=skill, minus=tuple(minus or ()), plus=places)
    return json(found)


def _place(text: str) -> tuple[float, float]:
    try:
        lon, lat = (float(part) for part in text.split(","))
        Point(lon, lat)
    except ValueError as error:
        raise Invalid("Write a place as “longitude,latitude”.", field="plus") from error
    return lon, lat


@router.post("/crews/{crew_id}/move-up", responses=HAPPENED, tags=["crews"])
def move_up(
    crew_id: UUID, wish: wishes.MoveUp, who: Dispatcher, step: TheStep, system: TheSystem
) -> Response:
    """Send a free crew to wait at the suggested post or at this one, or dismiss the suggestion."""
    if (wish.lon is None) != (wish.lat is None):
        raise Invalid("A post needs both longitude and latitude.", field="lon")
    post = None
    if wish.lon is not None and wish.lat is not None:
        post = Post(wish.lon, wish.lat, label=wish.label)

    def action(world: World, now: datetime) -> Crew:
        if wish.verdict == "dismiss":
            reason = wish.reason or "dismissed"
            return actions.end_move_up(world, now, who.actor, crew_id, reason=reason)
        return actions.order_move_up(world, now, who.actor, crew_id, post=post)

    return carry_out(system, who, step, action)


@router.post("/crews/{crew_id}/post", responses=HAPPENED, tags=["crews"])
def answer_move_up(
    crew_id: UUID, wish: wishes.PostAnswer, who: CrewMember, step: TheStep, system: TheSystem
) -> Response:
    """The crew waits at its post, or cannot go there."""
    may_speak_for(who, crew_id)

    def action(world: World, now: datetime) -> Crew:
        if wish.answer == "there":
            return actions.reach_post(world, now, who.actor, crew_id)
        return actions.end_move_up(world, now, who.actor, crew_id, reason="declined")

    return carry_out(system, who, step, action)
