"""How an action is written down: one event, with its actor, its time and its reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from dispatch.core.assignments import Assignment
from dispatch.core.closures import Closure
from dispatch.core.crews import Crew
from dispatch.core.events import SYSTEM, Actor, Event, Fact, Kind
from dispatch.core.incidents import Incident
from dispatch.core.referrals import Referral
from dispatch.core.reports import Report
from dispatch.core.rounds import Round
from dispatch.core.world import Entity, World

Thing = TypeVar("Thing", Report, Incident, Assignment, Crew, Referral, Closure, Round)


def begin(
    world: World,
    now: datetime,
    actor: Actor,
    kind: Kind,
    subject: UUID,
    fact: Fact,
    *,
    because: Mapping[str, Any] | None = None,
) -> Entity:
    """Record the first fact of a new thing."""
    return world.record(Event(kind, subject, 1, now, now, actor, fact, because))


def record(
    world: World,
    now: datetime,
    actor: Actor,
    thing: Thing,
    fact: Fact,
    *,
    at: datetime | None = None,
    because: Mapping[str, Any] | None = None,
    follows: Entity | None = None,
    device_time: datetime | None = None,
) -> Thing:
    """Record the next fact of a thing; `at` is when it happened, if not now.

    `follows` is the thing whose change brought this about: what happens by itself says why.
    """
    if because is None and follows is not None and actor == SYSTEM:
        because = {"rule": "follows", follows.kind: str(follows.id), "status": follows.status}
    event = Event(
        kind=cast(Kind, thing.kind),
        subject=thing.id,
        version=thing.version + 1,
        at=at or now,
        recorded_at=now,
        actor=actor,
        fact=fact,
        because=because,
        device_time=device_time,
    )
    return cast(Thing, world.record(event))
