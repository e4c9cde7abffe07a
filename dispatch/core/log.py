"""One line of a city's log, and how facts and things are written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from uuid import UUID

import msgspec

from dispatch.core.events import Event, Fact, fact_types
from dispatch.core.world import Entity


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its place in the log.

    `offset` is contiguous from 1 within the city; `changes` are the fields that differ after it;
    `channels` are the narrow channels that hear of it, beside the city's own.
    """

    offset: int
    id: UUID
    event: Event
    changes: Mapping[str, Any]
    channels: tuple[str, ...] = ()


def plain(value: object) -> Any:
    """The value in JSON's own types: ids as text, times as ISO 8601 UTC with Z."""
    return msgspec.json.decode(_ENCODER.encode(value))


def wire_view(entity: Entity) -> dict[str, Any]:
    """Every field of the thing, as the screens get it."""
    view: dict[str, Any] = plain(entity)
    return view


def changes_between(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `after` that are new or different."""
    if before is None:
        return dict(after)
    return {
        name: value for name, value in after.items() if name not in before or before[name] != value
    }


def write_fact(fact: Fact) -> dict[str, Any]:
    """The fact in JSON's own types; its name is kept beside it, as `type`."""
    written: dict[str, Any] = plain(fact)
    return written


def read_fact(type_: str, document: Mapping[str, Any]) -> Fact:
    """The fact of this name. Raises msgspec.ValidationError when the document does not fit."""
    return msgspec.convert(document, fact_types()[type_])


def settled(event: Event) -> Event:
    """The event as the log will give it back: what is kept and what is used are the same."""
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
    return _decoder(type_).decode(_ENCODER.encode(value))
