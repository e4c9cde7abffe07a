"""An assignment: one crew on one incident; it carries all the times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from dispatch.core import events as ev
from dispatch.core.errors import WrongStatus
from dispatch.core.lifecycle import SAME, Lifecycle


@dataclass(frozen=True, slots=True)
class Assignment:
    """One crew on one incident. Times are UTC and written once; `ete_s` seconds; `eta` a moment."""

    id: UUID
    version: int
    changed_at: datetime
    incident_id: UUID
    crew_id: UUID
    status: str
    dispatched_at: datetime
    expires_at: datetime
    acknowledged_at: datetime | None = None
    enroute_at: datetime | None = None
    arrived_at: datetime | None = None
    work_started_at: datetime | None = None
    cleared_at: datetime | None = None
    available_at: datetime | None = None
    ended_at: datetime | None = None
    eta: datetime | None = None
    ete_s: float | None = None
    p90_ete_s: float | None = None
    p_on_time: float | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    evidence: str | None = None
    arrival_distance_m: float | None = None
    arrival_flag: str | None = None
    disposition_code: str | None = None
    decline_reason: str | None = None
    note: str | None = None
    diverted_from: UUID | None = None
    photo_ids: tuple[UUID, ...] = ()

    kind = "assignment"

    @property
    def active(self) -> bool:
        """Whether it binds the crew."""
        return self.status in ACTIVE


DIVERTED = "diverted"
"""The reason of a withdrawal that gave the crew to another incident."""
TAKEN = "another crew took it"
"""The reason of a withdrawal when two were asked at once and the other one took it."""

ACTIVE = frozenset({"offered", "acknowledged", "en_route", "on_scene"})

LIFECYCLE = Lifecycle(
    kind="assignment",
    first={"AssignmentOffered": "offered"},
    table={
        ("offered", "AssignmentAcknowledged"): "acknowledged",
        ("offered", "AssignmentDeclined"): "declined",
        ("offered", "AssignmentExpired"): "expired",
        ("acknowledged", "AssignmentEnRoute"): "en_route",
        ("acknowledged", "AssignmentOnScene"): "on_scene",
        ("en_route", "AssignmentOnScene"): "on_scene",
        ("acknowledged", "AssignmentDeclined"): "declined",
        ("en_route", "AssignmentDeclined"): "declined",
        ("on_scene", "AssignmentCleared"): "cleared",
        ("on_scene", "AssignmentEvidenceGraded"): SAME,
        ("cleared", "AssignmentEvidenceGraded"): SAME,
        **{
            (status, "AssignmentWithdrawn"): "withdrawn"
            for status in ("offered", "acknowledged", "en_route", "on_scene")
        },
        **{
            (status, "AssignmentEtaRevised"): SAME
            for status in ("offered", "acknowledged", "en_route")
        },
        **{
            (status, fact): SAME
            for status in ("acknowledged", "en_route", "on_scene", "cleared")
            for fact in ("AssignmentNoted", "AssignmentPhotographed")
        },
    },
    final=frozenset({"cleared", "declined", "expired", "withdrawn"}),
)


def evolve(assignment: Assignment | None, event: ev.Event) -> Assignment:
    """The assignment after the event. Raises WrongStatus when the lifecycle forbids it."""
    status = LIFECYCLE.after(assignment.status if assignment else None, event.type)
    fact = event.fact
    if assignment is None:
        assert isinstance(fact, ev.AssignmentOffered)
        return Assignment(
            id=event.subject,
            version=event.version,
            changed_at=event.recorded_at,
            incident_id=fact.incident_id,
            crew_id=fact.crew_id,
            status=status,
            dispatched_at=event.at,
            expires_at=fact.expires_at,
            eta=fact.eta,
            ete_s=fact.ete_s,
            p90_ete_s=fact.p90_ete_s,
            p_on_time=fact.p_on_time,
            sources={"dispatched_at": fact.source},
            diverted_from=fact.diverted_from,
        )
    new = replace(assignment, version=event.version, changed_at=event.recorded_at, status=status)
    match fact:
        case ev.AssignmentAcknowledged():
            return _timed(replace(new, acknowledged_at=event.at), "acknowledged_at", fact.source)
        case ev.AssignmentEnRoute():
            return _timed(replace(new, enroute_at=event.at), "enroute_at", fact.source)
        case ev.AssignmentOnScene():
            arrived = replace(
                new,
                arrived_at=event.at,
                evidence=fact.evidence,
                arrival_distance_m=fact.arrival_distance_m,
                arrival_flag=fact.flag,
            )
            return _timed(arrived, "arrived_at", fact.source)
        case ev.AssignmentEvidenceGraded():
            return replace(new, evidence=fact.evidence)
        case ev.AssignmentEtaRevised():
            return replace(
                new,
                eta=fact.eta,
                ete_s=fact.ete_s,
                p90_ete_s=fact.p90_ete_s,
                p_on_time=fact.p_on_time,
            )
        case ev.AssignmentNoted():
            return replace(new, note=fact.note)
        case ev.AssignmentPhotographed():
            started = assignment.work_started_at
            if fact.moment == "before" and status == "on_scene":
                started = started or event.at
            return replace(
                new, photo_ids=(*assignment.photo_ids, fact.photo_id), work_started_at=started
            )
        case ev.AssignmentCleared():
            cleared = replace(
                new,
                cleared_at=event.at,
                available_at=event.at,
                ended_at=event.at,
                disposition_code=fact.disposition_code,
                note=fact.note or assignment.note,
            )
            return _timed(cleared, "cleared_at", fact.source)
        case ev.AssignmentDeclined():
            return replace(new, decline_reason=fact.reason, ended_at=event.at)
        case ev.AssignmentExpired():
            return replace(new, ended_at=event.at)
        case ev.AssignmentWithdrawn():
            return replace(new, decline_reason=fact.reason, ended_at=event.at)
    raise WrongStatus(f"{event.type} says nothing about an assignment.", kind="assignment")


def _timed(assignment: Assignment, time: str, source: str) -> Assignment:
    return replace(assignment, sources={**assignment.sources, time: source})
