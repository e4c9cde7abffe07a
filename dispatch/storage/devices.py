"""The trackers a city knows: which one speaks for which crew, and what it last sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, select, update

from dispatch.core.errors import Conflict, NotFound
from dispatch.storage import tables


@dataclass(frozen=True, slots=True)
class Device:
    """A tracker or phone: no crew, no vehicle. `news` is what it last sent, as JSON.

    `crew_id` None: it speaks for nobody yet. Only a fingerprint of its secret is kept.
    """

    id: str
    label: str
    crew_id: UUID | None
    secret_hash: str
    created_at: datetime
    created_by: str
    secret_at: datetime
    retired_at: datetime | None = None
    seen_at: datetime | None = None
    news: Mapping[str, Any] | None = None


COLUMNS = tuple(field.name for field in fields(Device))
DOOR = ("id", "label", "crew_id", "secret_hash", "retired_at")
"""What decides who is let in, and for whom; the rest is only shown."""
_door = attrgetter(*DOOR)
FEW = 100


def every(connection: Connection, city_id: str) -> list[Device]:
    """Every device of the city, retired ones too, by id."""
    table = tables.device
    found = select(*(table.c[name] for name in COLUMNS)).where(table.c.city_id == city_id)
    return [Device(*row) for row in connection.execute(found.order_by(table.c.id))]


def refreshed(
    connection: Connection, city_id: str, known: Mapping[str, Device]
) -> dict[str, Device]:
    """Every device by id: as it is known, or read where it is new or its door opens otherwise."""
    table = tables.device.c
    found = select(*(table[name] for name in DOOR)).where(table.city_id == city_id)
    doors = {row.id: tuple(row) for row in connection.execute(found.order_by(table.id))}
    other = {
        device_id
        for device_id, door in doors.items()
        if device_id not in known or door != _door(known[device_id])
    }
    if len(other) > FEW:
        return {device.id: device for device in every(connection, city_id)}
    return {
        device_id: find(connection, city_id, device_id) if device_id in other else known[device_id]
        for device_id in doors
    }


def find(connection: Connection, city_id: str, device_id: str) -> Device:
    """The device. Raises NotFound."""
    table = tables.device
    found = select(*(table.c[name] for name in COLUMNS)).where(
        table.c.city_id == city_id, table.c.id == device_id
    )
    row = connection.execute(found).one_or_none()
    if row is None:
        raise NotFound(f"There is no device “{device_id}” in this city.", kind="device")
    return Device(*row)


def add(connection: Connection, city_id: str, device: Device) -> None:
    """A new device. Raises Conflict when its id is taken."""
    table = tables.device
    taken = select(table.c.id).where(table.c.city_id == city_id, table.c.id == device.id)
    if connection.scalar(taken) is not None:
        raise Conflict(f"There is a device “{device.id}” already. Choose another id.", field="id")
    row = {name: getattr(device, name) for name in COLUMNS}
    connection.execute(insert(table).values(city_id=city_id, **row))


def change(connection: Connection, city_id: str, device_id: str, **values: Any) -> Device:
    """Set these columns. Raises NotFound."""
    table = tables.device
    where = (table.c.city_id == city_id, table.c.id == device_id)
    if connection.execute(update(table).where(*where).values(values)).rowcount != 1:
        raise NotFound(f"There is no device “{device_id}” in this city.", kind="device")
    return find(connection, city_id, device_id)


def tell(
    connection: Connection,
    city_id: str,
    news: Iterable[tuple[str, datetime, Mapping[str, Any]]],
) -> None:
    """Keep what these devices last sent: (id, when, what)."""
    table = tables.device
    rows = [
        {"its_id": device_id, "seen_at": seen_at, "news": dict(said)}
        for device_id, seen_at, said in news
    ]
    if rows:
        where = (table.c.city_id == city_id, table.c.id == bindparam("its_id"))
        change = update(table).where(*where)
        connection.execute(
            change.values(seen_at=bindparam("seen_at"), news=bindparam("news")), rows
        )
