"""What sockets tell of each kind of event: of what, and which of its fields with which status."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from dispatch.core.events import Kind, fact_types
from dispatch.core.lifecycle import ANY, SAME, Lifecycle
from web.wire_things import LIFECYCLES, VIEWS, article

UUID_PATTERN = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
LEAVES_PENDING = "IncidentCrewLeft"
"""The one fact whose own field says which status follows."""


def kind_of(fact: str) -> Kind:
    """What this fact happens to: the thing whose lifecycle knows it."""
    return next(kind for kind, lifecycle in LIFECYCLES.items() if fact in _facts(lifecycle))


def _facts(lifecycle: Lifecycle) -> set[str]:
    return {*lifecycle.first, *(fact for _, fact in lifecycle.table)}


def statuses_after(fact: str) -> list[str]:
    """Which statuses the thing can have after the fact."""
    lifecycle = LIFECYCLES[kind_of(fact)]
    found = {lifecycle.first[fact]} if fact in lifecycle.first else set()
    for (before, each), after in lifecycle.table.items():
        if each == fact:
            stays = lifecycle.statuses() if before == ANY else {before}
            found |= stays if after == SAME else {after}
    if fact == LEAVES_PENDING:
        found.add("pending")
    return sorted(found)


def schemas(place: str) -> dict[str, dict[str, Any]]:
    """By its name the schema of each fact, of what can happen to each kind, and of `Document`."""
    return {
        **{name: _fact(name) for name in sorted(fact_types())},
        **{event_of(kind): _happens(kind, place) for kind in LIFECYCLES},
        "Document": {
            "description": "An event of a narrow channel: the whole document anew, or {} while "
            "more events of the same moment follow.",
            "type": "object",
            "oneOf": [_view(kind, name, place) for kind, (name, _, _) in VIEWS.items()],
        },
    }


def by_key(place: str) -> dict[str, Any]:
    """What the key of an event decides: which schema the rest of it fits.

    Not one of them all: a reader who is wrong about one field hears which.
    """
    kinds = [
        *((kind, event_of(kind)) for kind in LIFECYCLES),
        *((view, "Document") for view in VIEWS),
    ]
    known = "|".join(kind for kind, _ in kinds)
    return {
        "allOf": [
            {"properties": {"k": {"pattern": f"^({known})/"}}},
            *(
                {
                    "if": {"properties": {"k": {"pattern": f"^{kind}/"}}},
                    "then": {"$ref": f"{place}{name}"},
                }
                for kind, name in kinds
            ),
        ]
    }


def event_of(kind: Kind) -> str:
    """The name of the schema of all that can happen to this kind of thing."""
    return f"{kind.title()}Event"


def _happens(kind: Kind, place: str) -> dict[str, Any]:
    facts = [name for name in sorted(fact_types()) if kind_of(name) == kind]
    return {
        "description": f"What happened to {article(kind)}: `t` says what, and narrows `d`.",
        "type": "object",
        "required": ["t", "k", "d"],
        "properties": {
            "k": {"type": "string", "pattern": f"^{kind}/{UUID_PATTERN}$"},
            "t": {"enum": facts},
            "d": {"$ref": f"{place}{kind.title()}Change"},
        },
        "discriminator": "t",
        "oneOf": [{"$ref": f"{place}{name}"} for name in facts],
    }


def _fact(name: str) -> dict[str, Any]:
    """What a fact adds to the schema of all that can happen to its kind."""
    first = name in LIFECYCLES[kind_of(name)].first
    return {
        "description": inspect.cleandoc(fact_types()[name].__doc__ or ""),
        "type": "object",
        "required": ["t", "d"],
        "properties": {
            "t": {"const": name},
            "d": {
                "type": "object",
                "properties": {"status": {"enum": statuses_after(name)}},
                **({"required": ["id"]} if first else {}),
            },
        },
    }


def _view(kind: str, name: str, place: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["t", "k", "d"],
        "properties": {
            "t": {"enum": sorted(fact_types())},
            "k": {"type": "string", "pattern": f"^{kind}/[^/]+$"},
            "d": {"anyOf": [{"type": "object", "maxProperties": 0}, {"$ref": f"{place}{name}"}]},
        },
    }


def state(place: str) -> dict[str, Any]:
    """The schema of a snapshot's state: by its key each thing, or the one document."""
    kinds: Mapping[str, str] = {
        **{f"^{kind}/{UUID_PATTERN}$": kind.title() for kind in LIFECYCLES},
        **{f"^{kind}/[^/]+$": f"{name}State" for kind, (name, _, _) in VIEWS.items()},
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "patternProperties": {key: {"$ref": f"{place}{name}"} for key, name in kinds.items()},
    }
