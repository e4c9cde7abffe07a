"""What is done with a closure: a road is closed, and opened again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from dispatch.actions.recording import begin, record
from dispatch.core import closures, incidents
from dispatch.core import events as ev
from dispatch.core.closures import Closure
from dispatch.core.errors import Invalid, WrongStatus
from dispatch.core.events import SYSTEM, Actor, Stretch
from dispatch.core.incidents import Incident
from dispatch.core.world import World

MAX_REASON = 500


def close_road(
    world: World,
    now: datetime,
    actor: Actor,
    stretches: Iterable[Stretch],
    *,
    reason: str,
    service_code: str | None = None,
    incident_id: UUID | None = None,
    note: str | None = None,
    because: Mapping[str, Any] | None = None,
) -> Closure:
    """Keep everybody off these stretches until the closure is lifted or its incident ends.

    Raises Invalid without a road or a reason, WrongStatus when the incident is over.
    """
    if incident_id is not None:
        _is_going_on(world.incident(incident_id))
    if service_code is not None:
        world.policy.service(service_code)
    fact = ev.ClosureMade(
        reason=_reason(reason),
        service_code=service_code,
        incident_id=incident_id,
        note=note.strip()[:MAX_REASON] or None if note else None,
        stretches=closures.checked(stretches),
    )
    made = begin(world, now, actor, "closure", world.new_id(), fact, because=because)
    return cast(Closure, made)


def lift_closure(
    world: World,
    now: datetime,
    actor: Actor,
    closure_id: UUID,
    *,
    reason: str,
    because: Mapping[str, Any] | None = None,
) -> Closure:
    """The road is open again."""
    fact = ev.ClosureLifted(_reason(reason))
    return record(world, now, actor, world.closure(closure_id), fact, because=because)


def lift_closures_of(world: World, now: datetime, incident: Incident, *, reason: str) -> None:
    """The incident is over: the roads it closed are open again."""
    for closure in world.closures_of(incident.id):
        if closure.active:
            fact = ev.ClosureLifted(reason)
            record(world, now, SYSTEM, closure, fact, follows=incident)


def _is_going_on(incident: Incident) -> None:
    if incident.status not in incidents.ACTIVE:
        raise WrongStatus(
            "This incident is over. Reopen it first, or close the road without it.",
            status=incident.status,
        )


def _reason(reason: str) -> str:
    if not reason.strip():
        raise Invalid("Say why the road is closed or opened: crews will read it.", field="reason")
    return reason.strip()[:MAX_REASON]
