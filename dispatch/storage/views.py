"""What dispatchers see: a city at one offset, and lists of its reports and incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select

from dispatch.core import assignments, closures, incidents, reports, rounds
from dispatch.core.log import Entry, wire_view
from dispatch.core.world import Entity
from dispatch.storage import codec, journal, tables
from geo.point import Box
from geo.sql import in_bbox

KEPT = timedelta(hours=12)
"""Finished things stay in view so long after their last change."""

_STILL_OPEN: Mapping[str, Sequence[str]] = {
    "report": sorted({*reports.WAITING, "verified", "duplicate", "linked"}),
    "incident": sorted(incidents.OPEN),
    "assignment": sorted(assignments.ACTIVE),
    "referral": ("accepted", "made"),
    "closure": closures.ACTIVE,
    "round": sorted(rounds.OPEN),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list should hold; None stands for all. `after` is the cursor of the page before."""

    statuses: Sequence[str] | None = None
    service_codes: Sequence[str] | None = None
    box: Box | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 100
    after: tuple[datetime, UUID] | None = None


def snapshot(
    connection: Connection, city_id: str, now: datetime
) -> tuple[str, int, dict[str, dict[str, Any]]]:
    """Epoch, offset and everything still open or changed in the last 12 hours, by wire key.

    The offset is read before the state: what happens in between is told again, and ignored.
    """
    epoch, offset = journal.head(connection, city_id)
    state: dict[str, dict[str, Any]] = {}
    for kind, table in tables.ENTITIES.items():
        where = [table.c.city_id == city_id]
        if kind in _STILL_OPEN:
            open_ = table.c.status.in_(list(_STILL_OPEN[kind]))
            where.append(or_(open_, table.c.changed_at >= now - KEPT))
        found = select(table).where(*where).order_by(table.c.id)
        state.update(viewed(connection, city_id, _read(connection, table, found)))
    return epoch, offset, state


def viewed(
    connection: Connection, city_id: str, entities: Sequence[Entity]
) -> dict[str, dict[str, Any]]:
    """These things as dispatchers see them, by wire key: the view of the snapshot."""
    report_ids = [entity.id for entity in entities if entity.kind == "report"]
    words = journal.words_of(connection, city_id, report_ids) if report_ids else {}
    state = {}
    for entity in entities:
        view = {"v": entity.version, **wire_view(entity)}
        if entity.kind == "report":
            view.update(words.get(entity.id, journal.NO_WORDS))
        state[f"{entity.kind}/{entity.id}"] = view
    return state


def watched(
    connection: Connection, city_id: str
) -> tuple[list[tuple[Any, ...]], list[tuple[UUID, Mapping[str, Any]]]]:
    """The crews that are to come somewhere: to an incident, or (crew, post) to a post.

    Of the first: crew_id, lon, lat, assignment id, status, evidence, arrived_at.
    """
    a, i, crew = tables.assignment.c, tables.incident.c, tables.crew.c
    coming = (
        select(a.crew_id, i.lon, i.lat, a.id, a.status, a.evidence, a.arrived_at)
        .join_from(
            tables.assignment,
            tables.incident,
            and_(i.city_id == a.city_id, i.id == a.incident_id),
        )
        .where(a.city_id == city_id, a.status.in_(("acknowledged", "en_route", "on_scene")))
        .order_by(a.crew_id)
    )
    posted = (
        select(crew.id, crew.move_up)
        .where(crew.city_id == city_id, crew.move_up.is_not(None), crew.assignment_id.is_(None))
        .order_by(crew.id)
    )
    return (
        [tuple(row) for row in connection.execute(coming)],
        [(crew_id, post) for crew_id, post in connection.execute(posted)],
    )


def find_report(connection: Connection, city_id: str, ticket: str) -> UUID | None:
    """The report with this ticket."""
    report = tables.report.c
    found = select(report.id).where(report.city_id == city_id, report.ticket == ticket)
    return connection.scalar(found)


def list_reports(connection: Connection, city_id: str, wanted: Wanted) -> list[dict[str, Any]]:
    """Reports, the newest first, as dispatchers see them."""
    return _listed(connection, city_id, tables.report, wanted)


def list_incidents(connection: Connection, city_id: str, wanted: Wanted) -> list[dict[str, Any]]:
    """Incidents, the newest first."""
    return _listed(connection, city_id, tables.incident, wanted)


def list_missed(
    connection: Connection, city_id: str, wanted: Wanted, *, district: str | None = None
) -> list[dict[str, Any]]:
    """Incidents whose promise was missed, with the after-action record, the newest first."""
    column = tables.incident.c
    missed: list[ColumnElement[bool]] = [column.after_action.is_not(None)]
    if district is not None:
        missed.append(column.district == district)
    return _listed(connection, city_id, tables.incident, wanted, *missed)


def list_rounds(connection: Connection, city_id: str, now: datetime) -> list[dict[str, Any]]:
    """Rounds that are open or changed lately, the newest first."""
    column = tables.round_.c
    recent = or_(column.status.in_(list(_STILL_OPEN["round"])), column.changed_at >= now - KEPT)
    found = (
        select(tables.round_)
        .where(column.city_id == city_id, recent)
        .order_by(column.made_at.desc(), column.id.desc())
    )
    entities = _read(connection, tables.round_, found)
    return list(viewed(connection, city_id, entities).values())


def log_of_incident(connection: Connection, city_id: str, incident_id: UUID) -> list[Entry]:
    """What happened to an incident, its reports, assignments, referrals and closures, in order."""
    subjects = [incident_id]
    for table in (tables.report, tables.assignment, tables.referral, tables.closure):
        found = select(table.c.id).where(
            table.c.city_id == city_id, table.c.incident_id == incident_id
        )
        subjects += connection.scalars(found)
    return journal.of_things(connection, city_id, subjects)


def _listed(
    connection: Connection,
    city_id: str,
    table: Table,
    wanted: Wanted,
    *also: ColumnElement[bool],
) -> list[dict[str, Any]]:
    column = table.c
    found = (
        select(table)
        .where(column.city_id == city_id, *_conditions(table, wanted), *also)
        .order_by(column.received_at.desc(), column.id.desc())
        .limit(wanted.limit)
    )
    entities = _read(connection, table, found)
    return list(viewed(connection, city_id, entities).values())


def _conditions(table: Table, wanted: Wanted) -> list[ColumnElement[Any]]:
    column = table.c
    conditions: list[ColumnElement[Any]] = []
    if wanted.statuses is not None:
        conditions.append(column.status.in_(list(wanted.statuses)))
    if wanted.service_codes is not None:
        conditions.append(column.service_code.in_(list(wanted.service_codes)))
    if wanted.box is not None:
        conditions.append(in_bbox(column.geom, *wanted.box.bounds))
    if wanted.since is not None:
        conditions.append(column.received_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(column.received_at < wanted.until)
    if wanted.after is not None:
        moment, id_ = wanted.after
        later = and_(column.received_at == moment, column.id < id_)
        conditions.append(or_(column.received_at < moment, later))
    return conditions


def _read(connection: Connection, table: Table, found: Any) -> list[Entity]:
    kind: Any = table.name
    rows = connection.execute(found).mappings()
    return [codec.read_entity(kind, dict(row)) for row in rows]
