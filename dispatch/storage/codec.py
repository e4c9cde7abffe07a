"""How things and log lines become rows, and rows become things again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec

from dispatch.core.crews import Fix
from dispatch.core.events import Actor, Event, Kind
from dispatch.core.log import Entry, read_fact, write_fact
from dispatch.core.world import ENTITY, Entity, Personal
from dispatch.storage import tables
from geo.point import Point

T = TypeVar("T")


def entity_values(entity: Entity) -> dict[str, Any]:
    """The columns of a thing, its place included, without the city."""
    values = _values(entity)
    if "geom" in tables.ENTITIES[entity.kind].c:
        lon, lat = values["lon"], values["lat"]
        values["geom"] = None if lon is None or lat is None else Point(lon, lat)
    return values


def read_entity(kind: Kind, row: Mapping[str, Any]) -> Entity:
    """The thing in a row of its table."""
    return _read(ENTITY[kind], row)


def personal_values(personal: Personal) -> dict[str, Any]:
    """The columns of what a citizen wrote, without the city."""
    return _values(personal)


def read_personal(row: Mapping[str, Any]) -> Personal:
    """What a citizen wrote."""
    return _read(Personal, row)


def fix_values(fix: Fix) -> dict[str, Any]:
    """The columns of a position, without the city."""
    return _values(fix)


def read_fix(row: Mapping[str, Any]) -> Fix:
    """The position in a row of `fix` or `crew_fix`."""
    return _read(Fix, row)


def entry_values(entry: Entry) -> dict[str, Any]:
    """The columns of a log line, without the city."""
    event = entry.event
    return {
        "offset": entry.offset,
        "id": entry.id,
        "kind": event.kind,
        "subject": event.subject,
        "version": event.version,
        "type": event.type,
        "at": event.at,
        "recorded_at": event.recorded_at,
        "device_time": event.device_time,
        "actor_role": event.actor.role,
        "actor_id": event.actor.id,
        "fact": write_fact(event.fact),
        "changes": dict(entry.changes),
        "because": None if event.because is None else dict(event.because),
    }


def read_event(row: Mapping[str, Any]) -> Event:
    """The event of a row of `log`; `changes` is not needed."""
    return Event(
        kind=row["kind"],
        subject=row["subject"],
        version=row["version"],
        at=row["at"],
        recorded_at=row["recorded_at"],
        actor=Actor(row["actor_role"], row["actor_id"]),
        fact=read_fact(row["type"], row["fact"]),
        because=row["because"],
        device_time=row["device_time"],
    )


def read_entry(row: Mapping[str, Any], channels: tuple[str, ...] = ()) -> Entry:
    """The log line of a row of `log`."""
    return Entry(
        offset=row["offset"],
        id=row["id"],
        event=read_event(row),
        changes=row["changes"],
        channels=channels,
    )


@cache
def _names(type_: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(type_))


def _values(thing: Any) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in _names(cast("Any", type(thing)))}


def _read(type_: type[T], row: Mapping[str, Any]) -> T:
    """Columns come as what they are; only lists out of JSON need their items read."""
    known = {name: row[name] for name in _names(cast("Any", type_))}
    for name, item in _tuples(cast("Any", type_)):
        known[name] = tuple(item(value) for value in known[name])
    return type_(**known)


@cache
def _tuples(type_: Any) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """The fields that are tuples, with the type of their items."""
    hints = get_type_hints(type_)
    return tuple(
        (name, _reader(get_args(hints[name])[0]))
        for name in _names(type_)
        if get_origin(hints[name]) is tuple
    )


def _reader(type_: Any) -> Callable[[Any], Any]:
    """What makes an item of a list out of JSON: its type, its fields by name, or a document."""
    if is_dataclass(type_):
        return lambda value: msgspec.convert(value, type_)
    if get_origin(type_) is Mapping:
        return dict
    return cast("Callable[[Any], Any]", type_)
