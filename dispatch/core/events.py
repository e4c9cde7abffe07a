"""Everything that can happen, as a closed set of facts in one envelope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

Kind = Literal["report", "incident", "assignment", "crew", "referral"]
Source = Literal["button", "geofence", "movement", "dispatcher", "automatic", "import"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it.

    `role` is citizen, crew, dispatcher, officer, supervisor, administrator or system.
    """

    role: str
    id: str = ""

    def __str__(self) -> str:
        return f"{self.role}:{self.id}" if self.id else self.role


SYSTEM = Actor("system")


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened to one thing; `at` of the envelope says when."""


# --- reports -----------------------------------------------------------------


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


# --- incidents ---------------------------------------------------------------


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


# --- assignments -------------------------------------------------------------


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
    """The crew is there; `evidence` grades how we know."""

    source: str = "button"
    evidence: str = "button"
    arrival_distance_m: float | None = None


@dataclass(frozen=True, slots=True)
class AssignmentEvidenceGraded(Fact):
    """Better evidence of the arrival came in (a photo taken there and then)."""

    evidence: str


@dataclass(frozen=True, slots=True)
class AssignmentEtaRevised(Fact):
    """The crew will be there sooner or later than thought."""

    eta: datetime
    ete_s: float
    p90_ete_s: float
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


# --- crews -------------------------------------------------------------------


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


# --- referrals ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReferralMade(Fact):
    """The incident was handed to the agency responsible."""

    incident_id: UUID
    agency_id: str


@dataclass(frozen=True, slots=True)
class ReferralAccepted(Fact):
    """The agency takes it."""


@dataclass(frozen=True, slots=True)
class ReferralRefused(Fact):
    """The agency says it is not theirs."""

    reason: str


@dataclass(frozen=True, slots=True)
class ReferralFinished(Fact):
    """The agency's part is done."""

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ReferralWithdrawn(Fact):
    """The referral was taken back."""

    reason: str


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a city's log before it has an offset.

    `version` is the version of the thing after it; `because` is the rule, its numbers and
    the candidates it considered, for every automatic event; `recorded_at` is when the server
    learned of it while `at` is when it happened; `device_time` is what the crew's phone said.
    """

    kind: Kind
    subject: UUID
    version: int
    at: datetime
    recorded_at: datetime
    actor: Actor
    fact: Fact
    because: Mapping[str, Any] | None = None
    device_time: datetime | None = None

    @property
    def type(self) -> str:
        """The name of the fact, as it stands in the log and on the wire."""
        return type(self.fact).__name__

    @property
    def key(self) -> str:
        """`kind/id`, as it stands on the wire."""
        return f"{self.kind}/{self.subject}"


def fact_types() -> Mapping[str, type[Fact]]:
    """Every fact there is, by name."""
    return dict(_FACTS)


_FACTS: Mapping[str, type[Fact]] = {
    name: found
    for name, found in list(globals().items())
    if isinstance(found, type) and issubclass(found, Fact) and found is not Fact
}
