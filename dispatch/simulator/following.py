"""Follows a run as a screen does: an old snapshot and the events since make a fresh snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dispatch.core.events import Event
from dispatch.core.log import changes_of, wire_view
from dispatch.core.world import EVOLVE, Entity
from dispatch.simulator.memory import MemoryWorld
from realtime.wire import Folded

State = Mapping[str, Mapping[str, Any]]


class Diverged(Exception):
    """What a client made of the events is not what the World holds."""


def follow(world: MemoryWorld) -> None:
    """Fold the run's log as clients do: from the start, and from a snapshot at half of it.

    Raises Diverged with the first thing that differs.
    """
    events = [entry.event for entry in world.log]
    half = len(events) // 2
    known: dict[str, Entity] = {}
    first = _client(0, {})
    for message in _told(events[:half], known, offset=0):
        first.take(message)
    late = _client(half, views(known))
    for message in _told(events[half:], known, offset=half):
        first.take(message)
        late.take(message)
    fresh = world.views()
    for client in (first, late):
        compare(client.state, fresh)


def views(known: Mapping[str, Entity]) -> State:
    """The state that a snapshot tells."""
    return {key: {"v": entity.version, **wire_view(entity)} for key, entity in known.items()}


def compare(folded: State, fresh: State) -> None:
    """Raises Diverged when the two are not alike."""
    if folded == fresh:
        return
    for key in sorted(folded.keys() | fresh.keys()):
        one, other = folded.get(key, {}), fresh.get(key, {})
        for name in sorted(one.keys() | other.keys()):
            if one.get(name) != other.get(name):
                raise Diverged(
                    f"{key}: {name} is {other.get(name)!r}, but the events make "
                    f"{one.get(name)!r} of it: what screens show would be wrong."
                )


def _client(offset: int, state: State) -> Folded:
    client = Folded()
    client.start({"recovered": False, "epoch": "run", "offset": offset, "state": state})
    return client


def _told(
    events: Iterable[Event], known: dict[str, Entity], *, offset: int
) -> Iterable[dict[str, Any]]:
    """The messages of these events; `known` grows with them."""
    for o, event in enumerate(events, offset + 1):
        before = known.get(event.key)
        after = known[event.key] = EVOLVE[event.kind](before, event)
        yield {
            "o": o,
            "p": o - 1,
            "t": event.type,
            "k": event.key,
            "v": event.version,
            "d": changes_of(before, after),
        }
