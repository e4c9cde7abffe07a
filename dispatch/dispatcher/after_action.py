"""Writes down why a promise was missed, as soon as it is known to be."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from dispatch.actions.recording import record
from dispatch.core import after_action
from dispatch.core.after_action import Usual
from dispatch.core.events import SYSTEM
from dispatch.core.incidents import Incident
from dispatch.core.world import World

LATELY = 50
"""The usual is what the last so many arrivals took."""


def record_after_action(world: World, now: datetime, incident_id: UUID) -> Incident:
    """Record the after-action of a missed promise, once for each life of the incident."""
    incident = world.incident(incident_id)
    if not after_action.missed(incident) or _known(incident):
        return incident
    usual = _usual(world, incident)
    fact = after_action.review(
        incident,
        world.assignments_of(incident_id),
        world.history_of(incident_id),
        usual=usual,
        turnout_s=world.policy.matching.turnout_s,
    )
    because = {
        "rule": "promise.target_s",
        "target_s": world.policy.promise.target_s,
        "usual_of": usual.n,
    }
    return record(world, now, SYSTEM, incident, fact, because=because)


def _known(incident: Incident) -> bool:
    """Whether this life of the incident, as it is known now, has its record already."""
    known, arrived_at = incident.after_action, incident.first_arrived_at
    if known is None or known["due_at"] != after_action.moment(incident.due_at):
        return False
    return bool(known["arrived_at"] == (after_action.moment(arrived_at) if arrived_at else None))


def _usual(world: World, incident: Incident) -> Usual:
    m = world.policy.matching
    arrivals = [
        (world.incident(assignment.incident_id), assignment)
        for assignment in world.last_arrivals(LATELY)
        if assignment.incident_id != incident.id
    ]
    return after_action.usual(arrivals, turnout_s=m.turnout_s, travel_s=m.mean_travel_s)
