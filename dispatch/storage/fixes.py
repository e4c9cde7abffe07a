"""Where the crews are and were: the newest position of each, and the history in batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from dispatch.core.crews import Fix
from dispatch.storage import codec, tables
from geo.sql import put_many

COLUMNS = ("city_id", *(field.name for field in fields(Fix)))
KEY = ("city_id", "crew_id", "fix_time", "device")
_values = attrgetter(*COLUMNS[1:])


def row_of(city_id: str, fix: Fix) -> tuple[Any, ...]:
    """The columns of a position, in the order of COLUMNS."""
    return (city_id, *_values(fix))


def newest(
    connection: Connection, city_id: str, *, since: datetime | None = None
) -> dict[UUID, Fix]:
    """The newest fix of each crew that ever sent one, by crew; only those taken since then."""
    table = tables.crew_fix
    found = select(table).where(table.c.city_id == city_id).order_by(table.c.crew_id)
    if since is not None:
        found = found.where(table.c.server_time >= since)
    rows = connection.execute(found).mappings()
    return {row["crew_id"]: codec.read_fix(dict(row)) for row in rows}


def write(
    connection: Connection, city_id: str, history: Sequence[Fix], markers: Iterable[Fix] = ()
) -> None:
    """Add to the history, and move the markers of the crews whose newest fix this is.

    A fix that a device sends twice (same crew, device and `fix_time`) is kept once. A marker never
    moves back: another process may have written a newer fix of the crew.
    """
    rows = [row_of(city_id, fix) for fix in history]
    put_many(connection, tables.fix, COLUMNS, rows, key=KEY)
    places = [row_of(city_id, fix) for fix in markers]
    key = ("city_id", "crew_id")
    put_many(connection, tables.crew_fix, COLUMNS, places, key=key, newer="fix_time")


def between(
    connection: Connection,
    city_id: str,
    crew_id: UUID,
    *,
    since: datetime,
    until: datetime,
    limit: int | None = None,
) -> list[Fix]:
    """Where a crew was in [since, until), oldest first."""
    fix = tables.fix.c
    found = (
        select(tables.fix)
        .where(
            fix.city_id == city_id,
            fix.crew_id == crew_id,
            fix.fix_time >= since,
            fix.fix_time < until,
        )
        .order_by(fix.fix_time, fix.device)
        .limit(limit)
    )
    return [codec.read_fix(dict(row)) for row in connection.execute(found).mappings()]
