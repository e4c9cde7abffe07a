"""What screens ask for: the dispatchers' state at an offset, and things by ticket or place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select

from dispatch.core import assignments, incidents, reports
from dispatch.core.events import Kind
from dispatch.core.log import wire_view
from dispatch.core.world import Entity
from dispatch.storage import codec, journal, tables

KEPT = timedelta(hours=12)
UNFINISHED: dict[str, Sequence[str]] = {
    "report": sorted({*reports.WAITING, "verified", "duplicate", "linked"}),
    "incident": sorted(incidents.OPEN),
    "assignment": sorted(assignments.ACTIVE),
    "referral": ["accepted", "made"],
}


def snapshot(
    connection: Connection, city_id: str, now: datetime
) -> tuple[str, int, dict[str, dict[str, Any]]]:
    """Epoch, offset and the state by wire key: all unfinished things and those of the last 12 h.

    The offset is read before the state, so a state may be ahead of its offset, never behind.
    """
    epoch, offset = journal.head(connection, city_id)
    state: dict[str, dict[str, Any]] = {}
    for kind, table in tables.ENTITIES.items():
        query = select(table).where(table.c.city_id == city_id)
        if kind in UNFINISHED:
            recent = table.c.changed_at >= now - KEPT
            query = query.where(table.c.status.in_(UNFINISHED[kind]) | recent)
        rows = connection.execute(query.order_by(table.c.id)).mappings()
        for row in rows:
            entity = codec.read_entity(cast("Kind", kind), dict(row))
            state[f"{kind}/{entity.id}"] = {**wire_view(entity), "v": entity.version}
    _add_words(connection, city_id, state)
    return epoch, offset, state


def _add_words(connection: Connection, city_id: str, state: dict[str, dict[str, Any]]) -> None:
    ids = [UUID(key.partition("/")[2]) for key in state if key.startswith("report/")]
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        words = journal.described(connection, city_id, part)
        for report_id in part:
            state[f"report/{report_id}"].update(words.get(report_id, journal.NO_WORDS))


def find_report(connection: Connection, city_id: str, ticket: str) -> UUID | None:
    """The id of the report with this ticket."""
    r = tables.report.c
    found: UUID | None = connection.scalar(
        select(r.id).where(r.city_id == city_id, r.ticket == ticket)
    )
    return found


def listed(
    connection: Connection,
    city_id: str,
    kind: Kind,
    *where: ColumnElement[Any],
    limit: int = 100,
    newest_first: bool = True,
) -> list[Entity]:
    """Things of one kind that fulfil all conditions, by time of arrival (ids are in that order)."""
    table = tables.ENTITIES[kind]
    order = table.c.id.desc() if newest_first else table.c.id
    rows = connection.execute(
        select(table).where(table.c.city_id == city_id, *where).order_by(order).limit(limit)
    ).mappings()
    return [codec.read_entity(kind, dict(row)) for row in rows]
