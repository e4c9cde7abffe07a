"""What can happen to a crew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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
    equipment: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CrewStatusSet(Fact):
    """The crew signed on or off; the shift it has from now on is named in full."""

    status: str
    reason: str | None
    on_duty_since: datetime | None = None
    off_duty_since: datetime | None = None
    shift_ends_at: datetime | None = None
    rest_until: datetime | None = None
    members_present: int | None = None


@dataclass(frozen=True, slots=True)
class CrewShiftSet(Fact):
    """Somebody changed until when the crew works or rests."""

    shift_ends_at: datetime | None
    rest_until: datetime | None


@dataclass(frozen=True, slots=True)
class CrewStaffed(Fact):
    """So many people are with the crew, and so many it needs at least."""

    members_present: int | None
    least_members: int | None


@dataclass(frozen=True, slots=True)
class CrewEquipped(Fact):
    """What the crew has on its vehicle."""

    equipment: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CrewOutOfService(Fact):
    """The crew cannot be sent until it is back in service."""

    reason: str


@dataclass(frozen=True, slots=True)
class CrewBackInService(Fact):
    """What kept the crew from work is over."""


@dataclass(frozen=True, slots=True)
class CrewPositionTrouble(Fact):
    """The crew's phone cannot say where it is, and why; None: it can again."""

    trouble: str | None


@dataclass(frozen=True, slots=True)
class MoveUpSuggested(Fact):
    """The crew would be of more use waiting at another post.

    Half of such drives take `ete_s`, 9 of 10 no longer than `p90_ete_s`.
    """

    lon: float
    lat: float
    gain: float
    ete_s: float
    label: str | None = None
    p90_ete_s: float | None = None


@dataclass(frozen=True, slots=True)
class MoveUpOrdered(Fact):
    """The crew is asked to wait at this post."""

    lon: float
    lat: float
    gain: float | None = None
    ete_s: float | None = None
    label: str | None = None
    p90_ete_s: float | None = None


@dataclass(frozen=True, slots=True)
class MoveUpReached(Fact):
    """The crew waits at the post."""

    source: str = "button"


@dataclass(frozen=True, slots=True)
class MoveUpEnded(Fact):
    """The suggestion or order no longer holds: dismissed, declined, or needed elsewhere."""

    reason: str


@dataclass(frozen=True, slots=True)
class CrewCommitted(Fact):
    """The crew has an assignment now."""

    assignment_id: UUID


@dataclass(frozen=True, slots=True)
class CrewReleased(Fact):
    """The crew is free of that assignment."""

    assignment_id: UUID
