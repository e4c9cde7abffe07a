"""One line of a city's log, and how facts and things are written down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def message(entry: Entry, *, channel: str, previous: int) -> dict[str, Any]:
    """The durable message that tells a channel of this entry; `p` is the channel's offset before.

    Of a narrow channel only the envelope holds: whoever sends it puts the channel's document in.
    """
    return {
        "ch": channel,
        "o": entry.offset,
        "p": previous,
        "t": entry.event.type,
        "k": entry.event.key,
        "v": entry.event.version,
        "d": dict(entry.changes),
    }


def fold_messages(
    state: Mapping[str, Mapping[str, Any]], messages: Iterable[Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """What a client knows after these messages: the one rule, also kept in TypeScript."""
    known = {key: dict(view) for key, view in state.items()}
    for told in messages:
        key, version = told["k"], told["v"]
        if key in known and version <= known[key]["v"]:
            continue
        known[key] = {**known.get(key, {}), **told["d"], "v": version}
    return known


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
