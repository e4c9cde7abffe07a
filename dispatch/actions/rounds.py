"""What is done with a round: proposed, started, cancelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from dispatch.actions.recording import begin, record
from dispatch.core import events as ev
from dispatch.core import rounds
from dispatch.core.errors import Conflict, Invalid
from dispatch.core.events import Actor, Stop
from dispatch.core.rounds import Round
from dispatch.core.world import World


def propose_round(
    world: World,
    now: datetime,
    actor: Actor,
    crew_id: UUID,
    *,
    stops: Sequence[Stop],
    planned_s: float,
    planned_m: float,
    graph: str,
    because: Mapping[str, Any] | None = None,
) -> Round:
    """A tour for one crew, to be started by a dispatcher.

    Raises Conflict when the crew has a round already, or a stop is taken or no routine any more;
    Invalid when there is no stop or too many.
    """
    most = world.policy.rounds.most_stops
    if not 0 < len(stops) <= most:
        raise Invalid(f"A round has 1 to {most} stops, not {len(stops)}.", field="stops")
    crew = world.crew(crew_id)
    taken: set[UUID] = set()
    for other in world.open_rounds():
        taken.update(other.waiting)
        if other.crew_id == crew_id:
            raise Conflict(f"{crew.name} already has a round. Cancel it first.", crew=crew.name)
    for stop in stops:
        incident = world.incident(stop.incident_id)
        if stop.incident_id in taken or not rounds.may_join(world.policy, incident):
            raise Conflict(f"{incident.ticket} is taken care of otherwise. Plan again.")
        taken.add(stop.incident_id)
    fact = ev.RoundProposed(crew_id, tuple(stops), planned_s, planned_m, graph)
    subject = world.new_id()
    return cast(Round, begin(world, now, actor, "round", subject, fact, because=because))


def start_round(world: World, now: datetime, actor: Actor, round_id: UUID) -> Round:
    """Let the crew begin. Raises Invalid when it is off duty, WrongStatus when it began before."""
    round_ = world.round(round_id)
    rounds.LIFECYCLE.after(round_.status, "RoundStarted")
    crew = world.crew(round_.crew_id)
    if crew.status == "not_available":
        raise Invalid(f"{crew.name} is off duty and cannot be sent.", field="crew_id")
    return record(world, now, actor, round_, ev.RoundStarted(rounds.begun(round_, now)))


def cancel_round(
    world: World, now: datetime, actor: Actor, round_id: UUID, *, reason: str | None = None
) -> Round:
    """It is not driven on; work begun at a stop goes on, the rest waits for another round."""
    return record(world, now, actor, world.round(round_id), ev.RoundCancelled(reason))
