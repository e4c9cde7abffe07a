"""What can happen to a crew."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from dispatch.core.events.envelope import Fact


@dataclass(frozen=True, slots=True)
class CrewRegistered(Fact):
    """A crew that can be sent."""

    name: str
    call_sign: str
    agency_id: str
    skills: tuple[str, ...]
    vehicle: str
    members: int
    station_lon: float
    station_lat: float


@dataclass(frozen=True, slots=True)
class CrewStatusSet(Fact):
    """The crew signed on or off."""

    status: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class CrewCommitted(Fact):
    """The crew has an assignment now."""

    assignment_id: UUID


@dataclass(frozen=True, slots=True)
class CrewReleased(Fact):
    """The crew is free of that assignment."""

    assignment_id: UUID
