"""Where the city can be reached in time now, and where free crews should wait."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response

from dispatch import actions
from dispatch.actions import Post
from dispatch.core.crews import Crew
from dispatch.core.errors import Invalid
from dispatch.core.world import World
from web import shapes, wishes
from web.api.crews import may_speak_for
from web.api.deeds import carry_out
from web.auth import CrewMember, Dispatcher, TheStep, TheSystem

router = APIRouter(prefix="/api/{city}", tags=["coverage"])

HAPPENED = shapes.answers(shapes.Happened)


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
