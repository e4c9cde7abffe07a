"""What can happen to a closure of a road."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from dispatch.core.events.envelope import Fact


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of road between two neighbouring nodes of the map (OSM ids), closed both ways.

    Its ends in degrees, WGS 84, so that it can be drawn without the map; unnamed roads: "".
    """

    u: int
    v: int
    u_lon: float
    u_lat: float
    v_lon: float
    v_lat: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class ClosureMade(Fact):
    """Nobody can drive here until it is lifted."""

    reason: str
    service_code: str | None
    incident_id: UUID | None
    note: str | None
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class ClosureLifted(Fact):
    """The road is open again."""

    reason: str
