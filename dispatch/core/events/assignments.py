"""What can happen to an assignment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from dispatch.core.events.envelope import Fact


@dataclass(frozen=True, slots=True)
class AssignmentOffered(Fact):
    """A crew is asked to take an incident, until `expires_at`."""

    incident_id: UUID
    crew_id: UUID
    expires_at: datetime
    eta: datetime | None
    ete_s: float | None
    p90_ete_s: float | None
    p_on_time: float | None
    source: str
    diverted_from: UUID | None = None


@dataclass(frozen=True, slots=True)
class AssignmentAcknowledged(Fact):
    """The crew took it."""

    source: str = "button"


@dataclass(frozen=True, slots=True)
class AssignmentEnRoute(Fact):
    """The crew is on its way."""

    source: str = "button"


@dataclass(frozen=True, slots=True)
class AssignmentOnScene(Fact):
    """The crew is there; `evidence` grades how we know, `flag` says what speaks against it."""

    source: str = "button"
    evidence: str = "button"
    arrival_distance_m: float | None = None
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class AssignmentEvidenceGraded(Fact):
    """Better evidence of the arrival came in (a photo taken there and then)."""

    evidence: str


@dataclass(frozen=True, slots=True)
class AssignmentEtaRevised(Fact):
    """The crew will be there sooner or later than thought; None = no road leads there now."""

    eta: datetime | None
    ete_s: float | None
    p90_ete_s: float | None
    p_on_time: float


@dataclass(frozen=True, slots=True)
class AssignmentNoted(Fact):
    """The crew wrote what it found or did."""

    note: str


@dataclass(frozen=True, slots=True)
class AssignmentPhotographed(Fact):
    """The crew took a picture before or after the work."""

    photo_id: UUID
    moment: Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class AssignmentCleared(Fact):
    """The crew is done there."""

    disposition_code: str
    note: str | None
    source: str = "button"


@dataclass(frozen=True, slots=True)
class AssignmentDeclined(Fact):
    """The crew cannot take it."""

    reason: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class AssignmentExpired(Fact):
    """Nobody answered the offer in time."""


@dataclass(frozen=True, slots=True)
class AssignmentWithdrawn(Fact):
    """It was taken back from the crew."""

    reason: str
