"""Who hears of an event, beside the dispatchers who hear of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol
from uuid import UUID

from dispatch.core.assignments import Assignment
from dispatch.core.closures import Closure
from dispatch.core.crews import Crew
from dispatch.core.incidents import Incident
from dispatch.core.referrals import Referral
from dispatch.core.reports import Report
from dispatch.core.rounds import Round
from dispatch.core.world import Entity


class Around(Protocol):
    """What an audience depends on; every World has it."""

    def incident(self, incident_id: UUID) -> Incident: ...
    def reports_of(self, incident_id: UUID) -> Sequence[Report]: ...
    def assignments_of(self, incident_id: UUID) -> Sequence[Assignment]: ...
    def referrals_of(self, incident_id: UUID) -> Sequence[Referral]: ...
    def crews(self) -> Sequence[Crew]: ...


def city_channel(city_id: str) -> str:
    """The channel of the dispatchers: everything."""
    return f"city/{city_id}"


def crew_channel(crew_id: UUID) -> str:
    """The channel of one crew's phone."""
    return f"crew/{crew_id}"


def report_channel(ticket: str) -> str:
    """The channel of the citizen who follows this ticket."""
    return f"report/{ticket}"


def agency_channel(agency_id: str) -> str:
    """The channel of one agency's officers."""
    return f"agency/{agency_id}"


def channels_of(around: Around, *, before: Entity | None, after: Entity) -> tuple[str, ...]:
    """The narrow channels that hear of a change, sorted.

    A thing that moved away is told to those it left as well as to those it joined.
    """
    if isinstance(after, Closure):
        # Whoever drives must know; what closed the road is no business of theirs.
        return tuple(sorted(crew_channel(crew.id) for crew in around.crews()))
    found = set(_own(after))
    for incident_id in {_incident_of(before), _incident_of(after)} - {None}:
        assert incident_id is not None
        found.update(_involved(around, incident_id, reports=not isinstance(after, Report)))
    if isinstance(after, Incident):
        found.update(agency_channel(agency) for agency in _agencies(before, after))
    return tuple(sorted(found))


def _own(entity: Entity) -> Iterator[str]:
    match entity:
        case Report():
            yield report_channel(entity.ticket)
        case Assignment() | Round():
            yield crew_channel(entity.crew_id)
        case Crew():
            yield crew_channel(entity.id)
            yield agency_channel(entity.agency_id)
        case Referral():
            yield agency_channel(entity.agency_id)


def _incident_of(entity: Entity | None) -> UUID | None:
    match entity:
        case Incident():
            return entity.id
        case Report() | Assignment() | Referral():
            return entity.incident_id
    return None


def _involved(around: Around, incident_id: UUID, *, reports: bool) -> Iterator[str]:
    """The crews at work on it, the agencies it was handed to and, if asked, its reporters."""
    for assignment in around.assignments_of(incident_id):
        if assignment.active:
            yield crew_channel(assignment.crew_id)
    for referral in around.referrals_of(incident_id):
        yield agency_channel(referral.agency_id)
    agency_id = around.incident(incident_id).agency_id
    if agency_id:
        yield agency_channel(agency_id)
    if reports:
        for report in around.reports_of(incident_id):
            yield report_channel(report.ticket)


def _agencies(before: Entity | None, after: Incident) -> Iterator[str]:
    for entity in (before, after):
        if isinstance(entity, Incident) and entity.agency_id:
            yield entity.agency_id
