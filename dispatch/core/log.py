"""One line of a city's log, and how facts and things are written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

import msgspec

from dispatch.core.errors import Invalid
from dispatch.core.events import Event, Fact, fact_types
from dispatch.core.world import Entity


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its place in the log.

    `offset` is contiguous from 1 within the city; `changes` are what screens are told of it;
    `channels` are the narrow channels that hear of it, beside the city's own.
    """

    offset: int
    id: UUID
    event: Event
    changes: Mapping[str, Any]
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """What channels are told of one line of the log.

    `changes` None: only the log itself may tell them (what a citizen wrote stays in its table).
    """

    offset: int
    type: str
    key: str
    version: int
    changes: Mapping[str, Any] | None
    channels: tuple[str, ...] = ()


def line_of(entry: Entry) -> Line:
    """An entry, as channels are told of it."""
    event = entry.event
    return Line(entry.offset, event.type, event.key, event.version, entry.changes, entry.channels)


def plain(value: object) -> Any:
    """The value in JSON's own types: ids as text, times as ISO 8601 UTC with Z."""
    return msgspec.json.decode(_ENCODER.encode(value))


def wire_view(entity: Entity) -> dict[str, Any]:
    """Every field of the thing, as the screens get it."""
    view: dict[str, Any] = plain(entity)
    return view


TOLD_IN_FULL_AFTER = timedelta(hours=6)
"""Screens forget finished things after 12 hours. What comes back to life is told in full."""


def changes_of(before: Entity | None, after: Entity) -> dict[str, Any]:
    """The fields to tell of a change: those that differ, or all when screens may not know it."""
    view = wire_view(after)
    if before is None or after.changed_at - before.changed_at > TOLD_IN_FULL_AFTER:
        return view
    known = wire_view(before)
    return {name: value for name, value in view.items() if value != known[name]}


def in_full(entry: Entry) -> bool:
    """Whether the entry tells every field of its subject."""
    return tells_all(entry.changes)


def tells_all(changes: Mapping[str, Any]) -> bool:
    """Whether changes are every field of their subject."""
    return "id" in changes


def write_fact(fact: Fact) -> dict[str, Any]:
    """The fact in JSON's own types; its name is kept beside it, as `type`."""
    written: dict[str, Any] = plain(fact)
    return written


def read_fact(type_: str, document: Mapping[str, Any]) -> Fact:
    """The fact of this name. Raises msgspec.ValidationError when the document does not fit."""
    return msgspec.convert(document, fact_types()[type_])


def settled(event: Event) -> Event:
    """The event as the log will give it back: what is kept and what is used are the same.

    Raises Invalid when a text holds a NUL, which no log can keep.
    """
    because = None if event.because is None else _through_json(event.because, dict[str, Any])
    return replace(event, fact=_through_json(event.fact, type(event.fact)), because=because)


def _number(value: object) -> Any:
    """Numpy's numbers are Python's by another name."""
    item = getattr(value, "item", None)
    if item is None:
        raise TypeError(f"{type(value).__name__} cannot be written to the log.")
    return item()


_ENCODER = msgspec.json.Encoder(enc_hook=_number)


@cache
def _decoder(type_: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_)


def _through_json(value: object, type_: Any) -> Any:
    written = _ENCODER.encode(value)
    if _NUL in written:
        refuse_nul(msgspec.json.decode(written))
    return _decoder(type_).decode(written)


_NUL = b"\\u0000"


def refuse_nul(value: object) -> None:
    """Raise Invalid when a text anywhere in the JSON value holds a NUL: PostgreSQL keeps none."""
    match value:
        case str() if "\x00" in value:
            raise Invalid("The text holds a character that cannot be kept (NUL). Remove it.")
        case dict():
            for key, item in value.items():
                refuse_nul(key)
                refuse_nul(item)
        case list():
            for item in value:
                refuse_nul(item)
