"""What can happen to a round."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dispatch.core.events.envelope import Fact


@dataclass(frozen=True, slots=True)
class Stop:
    """One incident of a round; `eta` is the planned arrival, `eta_latest` when 9 of 10 have come.

    `state` is waiting, done or dropped; `reason` says why it was dropped: closed, taken, urgent,
    declined, unreachable, skill.
    """

    incident_id: UUID
    eta: datetime | None = None
    state: str = "waiting"
    reason: str | None = None
    eta_latest: datetime | None = None


@dataclass(frozen=True, slots=True)
class RoundProposed(Fact):
    """A tour for one crew was worked out.

    `planned_s` seconds from its start to the end of its last work, `planned_m` metres of driving;
    `graph` names the version of the roads.
    """

    crew_id: UUID
    stops: tuple[Stop, ...]
    planned_s: float
    planned_m: float
    graph: str


@dataclass(frozen=True, slots=True)
class RoundStarted(Fact):
    """A dispatcher let it begin; the arrivals count from now."""

    stops: tuple[Stop, ...]


@dataclass(frozen=True, slots=True)
class RoundStopDone(Fact):
    """The crew finished the work at one of its stops."""

    incident_id: UUID


@dataclass(frozen=True, slots=True)
class RoundRevised(Fact):
    """Stops fell away, or the rest is driven in another order or at other times."""

    stops: tuple[Stop, ...]
    graph: str


@dataclass(frozen=True, slots=True)
class RoundPaused(Fact):
    """The crew does something else first.

    `reason` is interrupted (by `incident_id`), unanswered, withdrawn, or what speaks against
    sending the crew at all (see `dispatch.core.gates`).
    """

    reason: str
    incident_id: UUID | None


@dataclass(frozen=True, slots=True)
class RoundResumed(Fact):
    """The crew is free again; what is left was ordered anew from where it is."""

    stops: tuple[Stop, ...]
    graph: str


@dataclass(frozen=True, slots=True)
class RoundDone(Fact):
    """No stop is left."""


@dataclass(frozen=True, slots=True)
class RoundCancelled(Fact):
    """It is not driven, or not to its end; what is left waits for another round."""

    reason: str | None
