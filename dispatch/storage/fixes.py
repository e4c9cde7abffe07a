"""Crew positions on disk: the newest of each crew, and the history in batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from dispatch.core.crews import Fix
from dispatch.storage import codec, tables
from geo.point import Point
from geo.sql import upsert


def newest(connection: Connection, city_id: str) -> dict[UUID, Fix]:
    """The newest fix of each crew that ever sent one."""
    table = tables.crew_fix
    rows = connection.execute(select(table).where(table.c.city_id == city_id)).mappings()
    return {row["crew_id"]: codec.read_fix(dict(row)) for row in rows}


def write(
    connection: Connection, city_id: str, fixes: Sequence[Fix], newest: Sequence[Fix]
) -> None:
    """Add to the history, and move the markers. The same fix twice is written once."""
    history: dict[tuple[UUID, Any], dict[str, Any]] = {
        (fix.crew_id, fix.fix_time): {"city_id": city_id, **codec.fix_values(fix)} for fix in fixes
    }
    upsert(connection, tables.fix, list(history.values()), key=["city_id", "crew_id", "fix_time"])
    markers = [
        {"city_id": city_id, **codec.fix_values(fix), "geom": Point(fix.lon, fix.lat)}
        for fix in newest
    ]
    upsert(connection, tables.crew_fix, markers, key=["city_id", "crew_id"])
