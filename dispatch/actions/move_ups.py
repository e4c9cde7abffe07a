"""What is done to have a free crew wait where it is most useful."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dispatch.actions.recording import record
from dispatch.core import events as ev
from dispatch.core.crews import Crew
from dispatch.core.errors import Conflict, Invalid
from dispatch.core.events import SYSTEM, Actor
from dispatch.core.reports import required_reason
from dispatch.core.world import World


@dataclass(frozen=True, slots=True)
class Post:
    """Where to wait, degrees; what it adds to the cover; seconds of road to it; its name.

    `ete_s` is the median, 9 of 10 such drives take no longer than `p90_ete_s`.
    """

    lon: float
    lat: float
    gain: float | None = None
    ete_s: float | None = None
    label: str | None = None
    p90_ete_s: float | None = None


def suggest_move_up(
    world: World,
    now: datetime,
    actor: Actor,
    crew_id: UUID,
    *,
    post: Post,
    because: Mapping[str, Any] | None = None,
) -> Crew:
    """Put a better post before the dispatcher."""
    fact = ev.MoveUpSuggested(
        post.lon, post.lat, post.gain or 0.0, post.ete_s or 0.0, post.label, post.p90_ete_s
    )
    return record(world, now, actor, _free(world, crew_id), fact, because=because)


def order_move_up(
    world: World,
    now: datetime,
    actor: Actor,
    crew_id: UUID,
    *,
    post: Post | None = None,
    because: Mapping[str, Any] | None = None,
) -> Crew:
    """Ask the crew to wait at a post: the one given, or the one suggested.

    Raises Conflict when the crew has work, Invalid when it is off duty or nothing is suggested.
    """
    crew = _free(world, crew_id)
    if post is None:
        if crew.move_up is None:
            raise Invalid(f"No post is suggested for {crew.name}; choose one on the map.")
        known = crew.move_up
        post = Post(
            known["lon"],
            known["lat"],
            known["gain"],
            known["ete_s"],
            known["label"],
            known.get("p90_ete_s"),  # suggested before it was told
        )
    fact = ev.MoveUpOrdered(post.lon, post.lat, post.gain, post.ete_s, post.label, post.p90_ete_s)
    return record(world, now, actor, crew, fact, because=because)


def reach_post(
    world: World, now: datetime, actor: Actor, crew_id: UUID, *, source: str = "button"
) -> Crew:
    """The crew waits at its post; said twice, nothing is left to say."""
    crew = world.crew(crew_id)
    if crew.move_up is None or crew.move_up["status"] != "ordered":
        return crew
    because = {"rule": "arrival.posted"} if actor == SYSTEM else None
    return record(world, now, actor, crew, ev.MoveUpReached(source), because=because)


def end_move_up(
    world: World,
    now: datetime,
    actor: Actor,
    crew_id: UUID,
    *,
    reason: str,
    because: Mapping[str, Any] | None = None,
) -> Crew:
    """Dismiss the suggestion, or take the order back."""
    crew = world.crew(crew_id)
    if crew.move_up is None:
        return crew
    fact = ev.MoveUpEnded(required_reason(reason))
    return record(world, now, actor, crew, fact, because=because)


def _free(world: World, crew_id: UUID) -> Crew:
    crew = world.crew(crew_id)
    if crew.assignment_id is not None:
        raise Conflict(f"{crew.name} has an assignment and cannot move up.", crew=crew.name)
    if crew.status == "not_available":
        raise Invalid(f"{crew.name} is off duty.", field="crew_id")
    return crew
