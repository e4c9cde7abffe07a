"""The figures that judge us: intervals between times of the log, with their definitions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dispatch.core import events as ev
from dispatch.core.assignments import Assignment
from dispatch.core.events import Event
from dispatch.core.incidents import Incident
from dispatch.core.world import EVOLVE, Entity

DEFINITIONS: Mapping[str, tuple[str, str]] = {
    "processing": ("received_at", "dispatched_at"),
    "turnout": ("dispatched_at", "enroute_at"),
    "travel": ("enroute_at", "arrived_at"),
    "total_response": ("received_at", "arrived_at"),
    "on_scene": ("arrived_at", "cleared_at"),
    "commitment": ("dispatched_at", "available_at"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One interval over many cases, seconds; `within_target` only for total response."""

    n: int
    missing: int
    p50_s: float | None
    p90_s: float | None
    mean_s: float | None
    max_s: float | None = None
    within_target: float | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One incident's intervals, in seconds; None where a time is missing.

    `evidence` grades how the first arrival is known, None before it: one of EVIDENCE.
    """

    incident_id: UUID
    service_code: str
    district: str | None
    channel: str
    priority: int
    intervals: Mapping[str, float | None]
    evidence: str | None = None


def percentile(values: Sequence[float], q: float) -> float | None:
    """The q-quantile (0…1) by linear interpolation (Hyndman & Fan 1996, type 7)."""
    if not values:
        return None
    ordered = sorted(values)
    at = q * (len(ordered) - 1)
    low, high = math.floor(at), math.ceil(at)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def figure(values: Iterable[float | None], *, target_s: float | None = None) -> Figure:
    """Counts, quantiles and mean of the known values; the share is over n, never hiding missing."""
    all_values = list(values)
    known = [value for value in all_values if value is not None]
    within = None
    if target_s is not None and known:
        within = sum(value <= target_s for value in known) / len(known)
    return Figure(
        n=len(known),
        missing=len(all_values) - len(known),
        p50_s=percentile(known, 0.5),
        p90_s=percentile(known, 0.9),
        mean_s=sum(known) / len(known) if known else None,
        max_s=max(known) if known else None,
        within_target=within,
    )


TYPES: frozenset[str] = frozenset(
    fact.__name__
    for fact in (
        ev.IncidentOpened,
        ev.IncidentDispatched,
        ev.IncidentCrewLeft,
        ev.IncidentCrewArrived,
        ev.IncidentCleared,
        ev.IncidentClosed,
        ev.IncidentCancelled,
        ev.IncidentReopened,
        ev.IncidentReprioritised,
        ev.AssignmentOffered,
        ev.AssignmentAcknowledged,
        ev.AssignmentEnRoute,
        ev.AssignmentOnScene,
        ev.AssignmentEvidenceGraded,
        ev.AssignmentCleared,
        ev.AssignmentDeclined,
        ev.AssignmentExpired,
        ev.AssignmentWithdrawn,
    )
)
"""The facts that the figures depend on; the rest of a log need not be read for them."""


class Ledger:
    """What the figures need of a log that is read in order; it may go on where it stopped."""

    def __init__(self) -> None:
        self._state: dict[str, Entity] = {}

    def take(self, event: Event) -> None:
        """Enter the next event of the log; those the figures do not depend on change nothing."""
        if event.type in TYPES:
            self._state[event.key] = EVOLVE[event.kind](self._state.get(event.key), event)

    def cases(self, *, since: datetime, until: datetime) -> list[Case]:
        """The cases of incidents received in [since, until).

        Cancelled incidents are left out. A reopened incident keeps the times of its first life:
        the clock of the promise stops at the first arrival ever. The crew that arrived first
        gives turnout, travel, on scene and commitment.
        """
        sent: dict[UUID, list[Assignment]] = {}
        for entity in self._state.values():
            if isinstance(entity, Assignment):
                sent.setdefault(entity.incident_id, []).append(entity)
        found = [
            _case(entity, sent.get(entity.id, []))
            for entity in self._state.values()
            if isinstance(entity, Incident)
            and entity.status != "cancelled"
            and since <= entity.received_at < until
        ]
        return sorted(found, key=lambda case: case.incident_id)


def cases(events: Iterable[Event], *, since: datetime, until: datetime) -> list[Case]:
    """The cases of a whole log; see `Ledger.cases`."""
    ledger = Ledger()
    for event in events:
        ledger.take(event)
    return ledger.cases(since=since, until=until)


def _case(incident: Incident, sent: Sequence[Assignment]) -> Case:
    dispatched_at = min((a.dispatched_at for a in sent), default=None)
    there = [a for a in sent if a.arrived_at is not None]
    first = min(there, key=lambda a: (a.arrived_at, a.id), default=None)
    intervals = dict.fromkeys(DEFINITIONS) | {
        "processing": _between(incident.received_at, dispatched_at)
    }
    if first is not None:
        intervals |= {
            "turnout": _between(first.dispatched_at, first.enroute_at),
            "travel": _between(first.enroute_at, first.arrived_at),
            "total_response": _between(incident.received_at, first.arrived_at),
            "on_scene": _between(first.arrived_at, first.cleared_at),
            "commitment": _between(first.dispatched_at, first.available_at),
        }
    return Case(
        incident_id=incident.id,
        service_code=incident.service_code,
        district=incident.district,
        channel=incident.channel,
        priority=incident.priority,
        intervals=intervals,
        evidence=None if first is None else evidence_of(first),
    )


EVIDENCE = (
    "photo",
    "geofence",
    "crossing",
    "button",
    "button_unseen",
    "button_far",
    "button_mock",
)
"""How an arrival is known, the surest first.

photo: taken there and then; geofence: positions that stayed there; crossing: it went by with time
for a stop; button: pressed near the place; then pressed with no position known, pressed far away,
and pressed with a position that an app made up.
"""


def evidence_of(arrived: Assignment) -> str:
    """The grade of an arrival: its evidence, and of a mere button what speaks against it."""
    grade = arrived.evidence or "button"
    if grade == "button" and arrived.arrival_flag is not None:
        return f"button_{arrived.arrival_flag}"
    return grade


def arrivals(found: Sequence[Case], *, target_s: float) -> list[dict[str, Any]]:
    """First arrivals by evidence, the surest first: how many, their share, and how many in time."""
    there = [case for case in found if case.evidence is not None]
    counted = []
    for grade in EVIDENCE:
        own = [case for case in there if case.evidence == grade]
        response = figure((case.intervals["total_response"] for case in own), target_s=target_s)
        counted.append(
            {
                "evidence": grade,
                "n": len(own),
                "share": len(own) / len(there) if there else None,
                "within_target": response.within_target,
            }
        )
    return counted


def _between(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds()


GROUPS: Mapping[str, Callable[[Case], str]] = {
    "service": lambda case: case.service_code,
    "district": lambda case: case.district or "",
    "channel": lambda case: case.channel,
    "priority": lambda case: str(case.priority),
    "evidence": lambda case: case.evidence or "",
}


def summary(found: Sequence[Case], *, target_s: float) -> dict[str, Figure]:
    """Each interval over all cases."""
    return {
        name: figure(
            (case.intervals[name] for case in found),
            target_s=target_s if name == "total_response" else None,
        )
        for name in DEFINITIONS
    }


def grouped(found: Sequence[Case], by: str, *, target_s: float) -> list[dict[str, Any]]:
    """The summary per group, largest group first. Raises KeyError for an unknown grouping."""
    groups: dict[str, list[Case]] = {}
    for case in found:
        groups.setdefault(GROUPS[by](case), []).append(case)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return [{"key": key, **summary(members, target_s=target_s)} for key, members in ordered]
