"""What is done with a crew."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from dispatch.actions.assignments import withdraw
from dispatch.actions.recording import begin, record
from dispatch.core import crews
from dispatch.core import events as ev
from dispatch.core.crews import Crew
from dispatch.core.errors import Conflict, Invalid
from dispatch.core.events import Actor
from dispatch.core.world import World


def register_crew(world: World, now: datetime, actor: Actor, fact: ev.CrewRegistered) -> Crew:
    """A new crew; it starts off duty."""
    if fact.agency_id not in world.policy.agencies:
        raise Invalid(f"There is no agency “{fact.agency_id}”.", field="agency_id")
    return cast(Crew, begin(world, now, actor, "crew", world.new_id(), fact))


def set_crew_status(
    world: World,
    now: datetime,
    actor: Actor,
    crew_id: UUID,
    *,
    status: str,
    reason: str | None = None,
) -> Crew:
    """Sign on or off. Signing off takes an unanswered offer back; other work must end first."""
    if status not in crews.STATUSES:
        raise Invalid(f"A crew is one of: {', '.join(sorted(crews.STATUSES))}.", field="status")
    crew = world.crew(crew_id)
    if status == "not_available" and crew.assignment_id is not None:
        assignment = world.assignment(crew.assignment_id)
        if assignment.status != "offered":
            raise Conflict(
                "Finish or decline the current assignment before signing off.", crew=crew.name
            )
        withdraw(world, now, actor, assignment.id, reason="crew signed off")
        crew = world.crew(crew_id)
    if crew.status == status:
        return crew
    return record(world, now, actor, crew, ev.CrewStatusSet(status, reason))
