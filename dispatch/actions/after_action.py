"""When a promise was missed, somebody looks back at it: by itself, and soon."""

from __future__ import annotations

from datetime import datetime

from dispatch.core import after_action
from dispatch.core.incidents import Incident
from dispatch.core.world import Timer, World

AFTER_ACTION = "after_action"


def review_if_missed(world: World, now: datetime, incident: Incident) -> None:
    """Ask for the after-action record of an incident that a crew reached late, or never."""
    if after_action.missed(incident):
        world.set_timer(Timer(AFTER_ACTION, incident.id, now))
