"""The cities of this installation, each with the counter of its log."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from dispatch.core.errors import NotFound
from dispatch.storage import tables
from geo.sql import take_turn


@dataclass(frozen=True, slots=True)
class CityRow:
    """A city as stored; `offset` is the newest of its log."""

    city_id: str
    name: str
    ticket_prefix: str
    config: Mapping[str, Any]
    epoch: str
    offset: int


def found_city(
    connection: Connection,
    city_id: str,
    *,
    name: str,
    ticket_prefix: str,
    now: datetime,
    config: Mapping[str, Any] | None = None,
) -> CityRow:
    """The city of this id; made when it is not there, renamed when it is."""
    take_turn(connection, "cities")
    chosen = {"name": name, "ticket_prefix": ticket_prefix, "config": dict(config or {})}
    changed = connection.execute(
        update(tables.city).where(tables.city.c.city_id == city_id).values(chosen)
    )
    if not changed.rowcount:
        beginning = {"epoch": _new_epoch(), "offset": 0, "tickets": 0, "created_at": now}
        connection.execute(insert(tables.city).values(city_id=city_id, **chosen, **beginning))
    return find_city(connection, city_id)


def cities(connection: Connection) -> list[CityRow]:
    """Every city, by id."""
    rows = connection.execute(select(tables.city).order_by(tables.city.c.city_id)).mappings()
    return [_city(row) for row in rows]


def find_city(connection: Connection, city_id: str) -> CityRow:
    """The city. Raises NotFound."""
    found = select(tables.city).where(tables.city.c.city_id == city_id)
    row = connection.execute(found).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no city “{city_id}” here.", kind="city")
    return _city(row)


def begin_epoch(connection: Connection, city_id: str) -> str:
    """Begin a new epoch: after a restore nobody may go on from an offset of the old log."""
    epoch = _new_epoch()
    connection.execute(
        update(tables.city).where(tables.city.c.city_id == city_id).values(epoch=epoch)
    )
    return epoch


def _new_epoch() -> str:
    return secrets.token_hex(3)


def _city(row: Any) -> CityRow:
    return CityRow(*(row[name] for name in CityRow.__slots__))
