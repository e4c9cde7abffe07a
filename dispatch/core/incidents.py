"""An incident: the thing in the world that needs a crew; one incident, many reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dispatch.core import events as ev
from dispatch.core.errors import WrongStatus
from dispatch.core.lifecycle import SAME, Lifecycle
from dispatch.core.policy import Slot


@dataclass(frozen=True, slots=True)
class Incident:
    """Times are UTC. `received_at` starts the 20-minute clock, `first_arrived_at` stops it."""

    id: UUID
    version: int
    changed_at: datetime
    ticket: str
    service_code: str
    priority: int
    status: str
    lon: float
    lat: float
    received_at: datetime
    due_at: datetime
    channel: str
    place_label: str | None = None
    ward: str | None = None
    district: str | None = None
    agency_id: str | None = None
    required_skills: tuple[str, ...] = ()
    required_crews: int = 1
    verified_at: datetime | None = None
    first_dispatched_at: datetime | None = None
    first_arrived_at: datetime | None = None
    cleared_at: datetime | None = None
    closed_at: datetime | None = None
    reopened_at: datetime | None = None
    disposition_code: str | None = None
    report_ids: tuple[UUID, ...] = ()
    assignment_ids: tuple[UUID, ...] = ()
    recommendation: Mapping[str, Any] | None = None
    p_on_time: float | None = None
    note: str | None = None
    alarm_level: int = 1
    required_slots: tuple[Slot, ...] = ()
    after_action: Mapping[str, Any] | None = None
    p_genuine: float | None = None
    saves: float | None = None
    forecast_eta: datetime | None = None
    forecast_alarm: bool = False
    savers: tuple[Mapping[str, Any], ...] = ()

    kind = "incident"

    @property
    def open(self) -> bool:
        """Whether a crew is still needed or at work."""
        return self.status in OPEN

    @property
    def wants_crews(self) -> int:
        """How many crews are still to be found."""
        if self.status not in ("pending", "dispatched", "on_scene"):
            return 0
        return max(0, self.required_crews - len(self.assignment_ids))


OPEN = frozenset({"pending", "dispatched", "on_scene", "cleared"})
ACTIVE = ("pending", "dispatched", "on_scene")

LIFECYCLE = Lifecycle(
    kind="incident",
    first={"IncidentOpened": "pending"},
    table={
        **{
            (status, fact): SAME
            for status in ("pending", "dispatched", "on_scene", "cleared", "closed")
            for fact in ("IncidentReportJoined", "IncidentReportLeft")
        },
        **{(status, "RecommendationMade"): SAME for status in ACTIVE},
        **{(status, "IncidentReprioritised"): SAME for status in ACTIVE},
        **{(status, "IncidentForecast"): SAME for status in ACTIVE},
        **{(status, "IncidentAlarmRaised"): SAME for status in ACTIVE},
        **{
            (status, "AfterActionRecorded"): SAME
            for status in ("on_scene", "cleared", "closed", "cancelled")
        },
        **{(status, "IncidentCancelled"): "cancelled" for status in ACTIVE},
        **{(status, "IncidentClosed"): "closed" for status in (*ACTIVE, "cleared")},
        ("pending", "IncidentDispatched"): "dispatched",
        ("dispatched", "IncidentDispatched"): SAME,
        ("on_scene", "IncidentDispatched"): SAME,
        ("dispatched", "IncidentCrewArrived"): "on_scene",
        ("on_scene", "IncidentCrewArrived"): SAME,
        ("on_scene", "IncidentCleared"): "cleared",
        # which of the two follows is the fact's own: `pending` tells that nobody is left on it
        ("dispatched", "IncidentCrewLeft"): "dispatched",
        ("on_scene", "IncidentCrewLeft"): "on_scene",
        ("closed", "IncidentReopened"): "pending",
        ("cleared", "IncidentReopened"): "pending",
    },
    final=frozenset({"closed", "cancelled"}),
)


def evolve(incident: Incident | None, event: ev.Event) -> Incident:
    """The incident after the event. Raises WrongStatus when the lifecycle forbids it."""
    status = LIFECYCLE.after(incident.status if incident else None, event.type)
    fact = event.fact
    if incident is None:
        assert isinstance(fact, ev.IncidentOpened)
        return _opened(event, fact, status)
    new = replace(incident, version=event.version, changed_at=event.recorded_at, status=status)
    match fact:
        case ev.IncidentReportJoined():
            return replace(
                new,
                report_ids=(*incident.report_ids, fact.report_id),
                p_genuine=fact.p_genuine or incident.p_genuine,
            )
        case ev.IncidentReportLeft():
            return replace(
                new, report_ids=tuple(i for i in incident.report_ids if i != fact.report_id)
            )
        case ev.RecommendationMade():
            return replace(new, recommendation=_recommendation(fact, event.at))
        case ev.IncidentForecast():
            return replace(
                new,
                p_on_time=fact.p_on_time,
                saves=fact.saves,
                forecast_eta=fact.eta,
                forecast_alarm=fact.alarm,
                savers=fact.savers,
            )
        case ev.IncidentDispatched():
            return replace(
                new,
                assignment_ids=(*incident.assignment_ids, fact.assignment_id),
                first_dispatched_at=incident.first_dispatched_at or event.at,
                recommendation=None,
            )
        case ev.IncidentCrewLeft():
            remaining = tuple(i for i in incident.assignment_ids if i != fact.assignment_id)
            left = replace(new, assignment_ids=remaining)
            return replace(left, status="pending") if fact.pending else left
        case ev.IncidentCrewArrived():
            # a phone without network may tell later that its crew was there before others
            arrived = min(incident.first_arrived_at or event.at, event.at)
            # … and then a miss may turn out to be none
            known = incident.after_action if arrived > incident.due_at else None
            return replace(
                _settled(new), first_arrived_at=arrived, recommendation=None, after_action=known
            )
        case ev.IncidentCleared() | ev.IncidentClosed() | ev.IncidentCancelled():
            return _over(_settled(new), fact, event.at)
        case ev.IncidentReopened():
            return replace(
                new,
                reopened_at=event.at,
                due_at=fact.due_at,
                first_dispatched_at=None,
                first_arrived_at=None,
                cleared_at=None,
                closed_at=None,
                disposition_code=None,
            )
        case ev.IncidentReprioritised():
            return replace(new, priority=fact.priority, recommendation=None)
        case ev.IncidentAlarmRaised():
            return replace(
                new,
                alarm_level=fact.alarm_level,
                required_skills=fact.required_skills,
                required_crews=fact.required_crews,
                required_slots=fact.required_slots,
                recommendation=None,
            )
        case ev.AfterActionRecorded():
            return replace(new, after_action=_after_action(fact))
    raise WrongStatus(f"{event.type} says nothing about an incident.", kind="incident")


def _opened(event: ev.Event, fact: ev.IncidentOpened, status: str) -> Incident:
    return Incident(
        id=event.subject,
        version=event.version,
        changed_at=event.recorded_at,
        status=status,
        ticket=fact.ticket,
        service_code=fact.service_code,
        priority=fact.priority,
        lon=fact.lon,
        lat=fact.lat,
        received_at=fact.received_at,
        due_at=fact.due_at,
        channel=fact.channel,
        place_label=fact.place_label,
        ward=fact.ward,
        district=fact.district,
        agency_id=fact.agency_id,
        required_skills=fact.required_skills,
        required_crews=fact.required_crews,
        alarm_level=fact.alarm_level,
        required_slots=fact.required_slots,
        verified_at=event.at,
        p_genuine=fact.p_genuine,
    )


def _over(
    incident: Incident,
    fact: ev.IncidentCleared | ev.IncidentClosed | ev.IncidentCancelled,
    at: datetime,
) -> Incident:
    """Nobody works on it any more."""
    left = replace(incident, assignment_ids=(), recommendation=None)
    match fact:
        case ev.IncidentCleared():
            return replace(left, cleared_at=at, disposition_code=fact.disposition_code)
        case ev.IncidentClosed():
            note = fact.note or incident.note
            return replace(left, closed_at=at, disposition_code=fact.disposition_code, note=note)
        case ev.IncidentCancelled():
            return replace(left, closed_at=at, note=fact.reason)


def _settled(incident: Incident) -> Incident:
    """Nothing is left to foresee."""
    return replace(incident, saves=None, forecast_eta=None, forecast_alarm=False, savers=())


def _moment(value: datetime) -> str:
    """As everywhere on the wire: ISO 8601, UTC, with Z."""
    return value.isoformat().replace("+00:00", "Z")


def _recommendation(fact: ev.RecommendationMade, made_at: datetime) -> Mapping[str, Any]:
    return {
        "crew_id": str(fact.crew_id) if fact.crew_id else None,
        "eta": _moment(fact.eta) if fact.eta else None,
        "ete_s": fact.ete_s,
        "p90_ete_s": fact.p90_ete_s,
        "p_on_time": fact.p_on_time,
        "selection_reason": fact.selection_reason,
        "shortfall_reason": fact.shortfall_reason,
        "auto": fact.auto,
        "made_at": _moment(made_at),
        "candidates": [dict(candidate) for candidate in fact.candidates],
        "weight": fact.weight,
        "p_genuine": fact.p_genuine,
        "false_cost_min": fact.false_cost_min,
        "saves": fact.saves,
        "graph": fact.graph,
    }


def _after_action(fact: ev.AfterActionRecorded) -> Mapping[str, Any]:
    """The record as the screens get it."""
    return {
        "starts_at": _moment(fact.starts_at),
        "due_at": _moment(fact.due_at),
        "arrived_at": _moment(fact.arrived_at) if fact.arrived_at else None,
        "ended_at": _moment(fact.ended_at),
        "late_s": fact.late_s,
        "cause": fact.cause,
        "beyond_s": fact.beyond_s,
        "assignment_id": str(fact.assignment_id) if fact.assignment_id else None,
        "crew_id": str(fact.crew_id) if fact.crew_id else None,
        "intervals": dict(fact.intervals),
        "segments": [dict(segment) for segment in fact.segments],
        "usual": dict(fact.usual),
        "usual_n": fact.usual_n,
        "asked": fact.asked,
        "declined": fact.declined,
        "expired": fact.expired,
        "arrival_distance_m": fact.arrival_distance_m,
        "nearest_s": fact.nearest_s,
        "sooner": [dict(crew) for crew in fact.sooner],
    }


def reopen(
    incident: Incident, now: datetime, *, reason: str | None, target_s: float
) -> ev.IncidentReopened:
    """Closed was not fixed. The promise of `target_s` seconds starts again now."""
    LIFECYCLE.after(incident.status, "IncidentReopened")
    return ev.IncidentReopened(reason, now + timedelta(seconds=target_s))
