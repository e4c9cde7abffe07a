"""Where crews were and what they did meanwhile: the stuff that a replay is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, or_, select

from dispatch.core.crews import Fix
from dispatch.core.log import Entry
from dispatch.storage import fixes, journal, tables

MOST_FIXES = 200_000
MOST_MOMENTS = 5_000


@dataclass(frozen=True, slots=True)
class Job:
    """One assignment of a crew; `until` None while it lasts. `secret`: a reporter asked for it."""

    assignment_id: UUID
    incident_id: UUID
    crew_id: UUID
    since: datetime
    until: datetime | None
    secret: bool


def jobs_of_crew(
    connection: Connection, city_id: str, crew_id: UUID, *, since: datetime, until: datetime
) -> list[Job]:
    """What a crew was asked to do in [since, until), by time."""
    a = tables.assignment.c
    return _jobs(
        connection,
        city_id,
        a.crew_id == crew_id,
        a.dispatched_at < until,
        or_(a.ended_at.is_(None), a.ended_at >= since),
    )


def jobs_of_incident(connection: Connection, city_id: str, incident_id: UUID) -> list[Job]:
    """Who was asked to go to an incident, by time."""
    return _jobs(connection, city_id, tables.assignment.c.incident_id == incident_id)


def is_secret(connection: Connection, city_id: str, incident_id: UUID) -> bool:
    """Whether one of the incident's reports is secret."""
    r = tables.report.c
    found = select(r.id).where(r.city_id == city_id, r.incident_id == incident_id, r.secret)
    return connection.scalar(found.limit(1)) is not None


def _jobs(connection: Connection, city_id: str, *where: object) -> list[Job]:
    a, r = tables.assignment.c, tables.report.c
    secret = (
        select(r.id)
        .where(r.city_id == a.city_id, r.incident_id == a.incident_id, r.secret)
        .exists()
    )
    found = (
        select(a.id, a.incident_id, a.crew_id, a.dispatched_at, a.ended_at, secret)
        .where(a.city_id == city_id, *where)  # type: ignore[arg-type]
        .order_by(a.dispatched_at, a.id)
    )
    rows = connection.execute(found)
    return [
        Job(assignment_id, incident_id, crew_id, begun, ended, bool(hidden))
        for assignment_id, incident_id, crew_id, begun, ended, hidden in rows
    ]


def track(
    connection: Connection,
    city_id: str,
    crew_id: UUID,
    *,
    since: datetime,
    until: datetime,
    every: timedelta = timedelta(0),
) -> list[Fix]:
    """Where a crew was in [since, until), oldest first; of each `every` only the first fix."""
    found = fixes.between(connection, city_id, crew_id, since=since, until=until, limit=MOST_FIXES)
    seconds = every.total_seconds()
    if seconds <= 0:
        return found
    kept: list[Fix] = []
    slot: int | None = None
    for fix in found:
        mine = int(fix.fix_time.timestamp() // seconds)
        if mine != slot:
            kept.append(fix)
        slot = mine
    return kept


def moments(
    connection: Connection,
    city_id: str,
    subjects: Sequence[UUID],
    *,
    since: datetime,
    until: datetime,
) -> list[Entry]:
    """What happened to these things in [since, until), by when it happened."""
    found = journal.of_things(
        connection, city_id, subjects, limit=MOST_MOMENTS, during=(since, until)
    )
    return sorted(found, key=lambda entry: (entry.event.at, entry.offset))
