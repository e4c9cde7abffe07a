"""What can happen to an incident."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dispatch.core.events.envelope import Fact
from dispatch.core.policy import Slot


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
    alarm_level: int = 1
    required_slots: tuple[Slot, ...] = ()
    p_genuine: float | None = None


@dataclass(frozen=True, slots=True)
class IncidentReportJoined(Fact):
    """One more report speaks of this incident, which is the more probably genuine for it."""

    report_id: UUID
    p_genuine: float | None = None


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
    weight: float | None = None
    p_genuine: float | None = None
    false_cost_min: float | None = None
    saves: float | None = None
    graph: str | None = None


@dataclass(frozen=True, slots=True)
class IncidentForecast(Fact):
    """How probably the promise will be kept, when that changed enough to tell.

    `saves` is what acting now adds to it; `alarm` says that a miss is likely, and `savers` which
    crews could still keep the promise: crew_id, p_on_time, ete_s, how (send or divert).
    """

    p_on_time: float
    eta: datetime | None
    saves: float
    alarm: bool
    savers: tuple[Mapping[str, Any], ...] = ()


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


@dataclass(frozen=True, slots=True)
class IncidentAlarmRaised(Fact):
    """It needs more than was thought; what is required is named in full."""

    alarm_level: int
    reason: str
    required_skills: tuple[str, ...]
    required_crews: int
    required_slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class AfterActionRecorded(Fact):
    """Why the promise was missed; see `dispatch.core.after_action` for the pieces.

    `segments` ({kind, from, to, s, crew_id}) fill the time from `starts_at` to `ended_at` without
    gaps; `cause` is the kind that took `beyond_s` seconds more than the usual, which is the
    median of `usual_n` arrivals, 0: of the policy. `sooner` are crews that would have been there
    before ({crew_id, at, ete_s, would_arrive_at, sooner_s, in_time, why_not}); `nearest_s` is
    what the nearest able crew needed when crews were first weighed.
    """

    starts_at: datetime
    due_at: datetime
    arrived_at: datetime | None
    ended_at: datetime
    late_s: float
    cause: str
    beyond_s: float
    assignment_id: UUID | None
    crew_id: UUID | None
    intervals: Mapping[str, float | None]
    segments: tuple[Mapping[str, Any], ...]
    usual: Mapping[str, float]
    usual_n: int
    asked: int
    declined: int
    expired: int
    arrival_distance_m: float | None
    nearest_s: float | None
    sooner: tuple[Mapping[str, Any], ...]
