"""What can happen to a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from dispatch.core.events.envelope import Fact


@dataclass(frozen=True, slots=True)
class ReportReceived(Fact):
    """A citizen (or a channel on their behalf) reported something. Words and names stay apart."""

    ticket: str
    channel: str
    service_code: str
    received_at: datetime
    classification: str = "complaint"
    oversight: bool = False
    anonymous: bool = False
    secret: bool = False
    lon: float | None = None
    lat: float | None = None
    radius_m: float | None = None
    place_label: str | None = None
    place_confidence: float | None = None
    ward: str | None = None
    district: str | None = None
    photo_ids: tuple[UUID, ...] = ()
    external_id: str | None = None
    asset_code: str | None = None
    """The number of the lamp pole, tree or the like that the reporter named or picked."""


@dataclass(frozen=True, slots=True)
class ReportTriaged(Fact):
    """Triage looked at it: how probably it is genuine, why, and what looks like it."""

    p_genuine: float
    reasons: tuple[Mapping[str, Any], ...]
    similar: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ReportLocated(Fact):
    """The place was set or corrected by hand."""

    lon: float
    lat: float
    radius_m: float | None
    place_label: str | None
    ward: str | None
    district: str | None


@dataclass(frozen=True, slots=True)
class ReportPlaceRemembered(Fact):
    """What the citizen typed is from now on a name of the report's place. The words stay apart."""

    alias_id: UUID
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class ReportPlaceForgotten(Fact):
    """The name that was remembered from this report is taken back."""

    alias_id: UUID
    reason: str | None


@dataclass(frozen=True, slots=True)
class ReportVerified(Fact):
    """It is real and ours."""

    service_code: str
    priority: int
    reason: str | None
    undo_until: datetime


@dataclass(frozen=True, slots=True)
class ReportMarkedDuplicate(Fact):
    """Somebody already told us about this incident."""

    incident_id: UUID
    reason: str | None
    undo_until: datetime


@dataclass(frozen=True, slots=True)
class ReportPostponed(Fact):
    """It must wait; the reason is told to the reporter."""

    reason: str
    undo_until: datetime


@dataclass(frozen=True, slots=True)
class ReportRefused(Fact):
    """It is not our authority; the reason says whose it is."""

    reason: str
    undo_until: datetime


@dataclass(frozen=True, slots=True)
class ReportArchived(Fact):
    """Nothing will be done: a prank, a test, or not a report."""

    reason: str
    undo_until: datetime


@dataclass(frozen=True, slots=True)
class ReportLinked(Fact):
    """It belongs to this incident from now on."""

    incident_id: UUID


@dataclass(frozen=True, slots=True)
class ReportRestored(Fact):
    """The last decision was undone: the report waits for a dispatcher again."""

    undone: str


@dataclass(frozen=True, slots=True)
class ReportClosed(Fact):
    """Its incident is closed."""

    disposition_code: str


@dataclass(frozen=True, slots=True)
class ReportReopened(Fact):
    """Its incident is open again."""

    reason: str | None


@dataclass(frozen=True, slots=True)
class ReporterAnswered(Fact):
    """The reporter said whether it is fixed. Their words stay apart."""

    answer: Literal["satisfied", "reopened"]
