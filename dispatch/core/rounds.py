"""A round: routine work that one crew drives stop by stop, when nothing urgent wants it."""

from __future__ import annotations

from dispatch.core.incidents import Incident
from dispatch.core.policy import Policy


def is_routine(policy: Policy, incident: Incident) -> bool:
    """Whether the incident waits for a round instead of being sent by itself.

    Raised above the priority of its service, or wanting a second crew, it is no routine.
    """
    service = policy.services.get(incident.service_code)
    return (
        incident.service_code in policy.rounds.services
        and service is not None
        and incident.priority >= service.priority
        and incident.required_crews == 1
    )
