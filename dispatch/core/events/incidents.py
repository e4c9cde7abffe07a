"""What can happen to an incident."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dispatch.core.events.envelope import Fact


@dataclass(frozen=True, slots=True)
class IncidentOpened(Fact):
    """A thing in the world needs a crew."""

    ticket: str
    service_code: str
    priority: int
    lon: float
    lat: float
    received_at: datetime
    due_at: datetime
    place_label: str | None
    ward: str | None
    district: str | None
    agency_id: str | None
    required_skills: tuple[str, ...]
    required_crews: int
    channel: str


@dataclass(frozen=True, slots=True)
class IncidentReportJoined(Fact):
    """One more report speaks of this incident."""

    report_id: UUID


@dataclass(frozen=True, slots=True)
class IncidentReportLeft(Fact):
    """A report was taken away from this incident."""

    report_id: UUID


@dataclass(frozen=True, slots=True)
class RecommendationMade(Fact):
    """The engine proposes a crew, or says why it cannot."""

    crew_id: UUID | None
    eta: datetime | None
    ete_s: float | None
    p90_ete_s: float | None
    p_on_time: float | None
    selection_reason: str | None
    shortfall_reason: str | None
    auto: bool
    candidates: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class IncidentDispatched(Fact):
    """The first crew has the job, or a new one after all others left it."""

    assignment_id: UUID


@dataclass(frozen=True, slots=True)
class IncidentCrewLeft(Fact):
    """An assignment ended without arriving; `pending` says whether nobody is left on it."""

    assignment_id: UUID
    pending: bool


@dataclass(frozen=True, slots=True)
class IncidentCrewArrived(Fact):
    """A crew is on scene; the first one stops the 20-minute clock."""

    assignment_id: UUID


@dataclass(frozen=True, slots=True)
class IncidentCleared(Fact):
    """The last crew finished its work there."""

    disposition_code: str


@dataclass(frozen=True, slots=True)
class IncidentClosed(Fact):
    """The incident is over."""

    disposition_code: str
    note: str | None


@dataclass(frozen=True, slots=True)
class IncidentCancelled(Fact):
    """It was never needed, or the verification was undone."""

    reason: str


@dataclass(frozen=True, slots=True)
class IncidentReopened(Fact):
    """It was closed, but not fixed. The promise starts again at this moment."""

    reason: str | None
    due_at: datetime


@dataclass(frozen=True, slots=True)
class IncidentReprioritised(Fact):
    """A dispatcher judged it more or less urgent."""

    priority: int
    reason: str
