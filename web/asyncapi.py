"""Describes the socket: every message either way, as an AsyncAPI 3 document made from its types."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from realtime import messages
from web import wire_facts, wire_things

FILE = Path(__file__).resolve().parent / "ui" / "asyncapi.json"
SCHEMAS = "#/components/schemas/"

ABOUT = """One socket for each city. A client subscribes to channels; every channel begins with an
answer (what was missed, or the whole state), and events follow in order. Whoever loses the thread
subscribes again: start and recovery are the same path. The fold is one rule: for each key keep the
newest version `v`, and lay the fields of `d` over what is known.

Channels: `city/{city}` (dispatchers, supervisors, administrators: all that happens), `crew/{id}`
(its own phone, and those), `agency/{id}` (its officers, and those), `report/{ticket}` (its reporter
with `token`, and those). The narrow ones carry one document each, `crew_view/{id}` and so on.

The server closes with 4401 when the session ended, 1008 when a session has too many sockets or the
origin is another site's, 1009 when a message is too long, 1001 when it stops or hears nothing, 1013
when its database does not answer. After 1001 and 1013 a client comes again, a little later."""


@cache
def document() -> Mapping[str, Any]:
    """The AsyncAPI document."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Sigap", "version": "1", "description": ABOUT},
        "defaultContentType": "application/json",
        "channels": {
            "socket": {
                "address": "/ws/{city}",
                "title": "The socket of a city",
                "parameters": {"city": {"description": "the city's id"}},
                "messages": {each: {"$ref": f"#/components/messages/{each}"} for each in _names()},
                "bindings": {"ws": {"method": "GET"}},
            }
        },
        "operations": {
            "hear": _operation("receive", messages.FROM_CLIENT, "What a client says."),
            "tell": _operation("send", messages.FROM_SERVER, "What a client is told."),
        },
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _all() -> list[type[msgspec.Struct]]:
    return list(dict.fromkeys((*messages.FROM_SERVER, *messages.FROM_CLIENT)))


def _names() -> list[str]:
    return [each.__name__ for each in _all()]


def _operation(action: str, shapes: Iterable[type[msgspec.Struct]], summary: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/socket"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/socket/messages/{each.__name__}"} for each in shapes],
    }


def _messages() -> dict[str, Any]:
    return {
        each.__name__: {
            "name": each.__name__,
            "summary": inspect.cleandoc(each.__doc__ or "").replace("\n", " "),
            "payload": {"$ref": f"{SCHEMAS}{each.__name__}"},
        }
        for each in _all()
    }


def _schemas() -> dict[str, Any]:
    _, made = msgspec.json.schema_components(_all(), ref_template=SCHEMAS + "{name}")
    for schema in made.values():
        schema["additionalProperties"] = False
    for name in ("Event", "Durable"):
        made[name] |= wire_facts.by_key(SCHEMAS)
    made["Snapshot"]["properties"]["state"] = wire_facts.state(SCHEMAS)
    made |= wire_facts.schemas(SCHEMAS) | wire_things.schemas(SCHEMAS + "{model}")
    for kind in wire_things.LIFECYCLES:
        change = made[f"{kind.title()}Change"]
        change |= {"if": {"required": ["id"]}, "then": {"required": list(change["properties"])}}
    for schema in made.values():
        if "description" in schema:
            schema["description"] = inspect.cleandoc(schema["description"]).replace("\n", " ")
    plain: dict[str, Any] = _draft_07(made)
    return plain


def _draft_07(schema: Any) -> Any:
    """As AsyncAPI wants it: a list of fixed length is written in the older way."""
    if isinstance(schema, list):
        return [_draft_07(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _draft_07(each) for name, each in schema.items()}
    if "prefixItems" in plain:
        plain |= {"items": plain.pop("prefixItems"), "additionalItems": False}
    return plain


def text() -> str:
    """The document as it stands in the file."""
    return json.dumps(document(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{FILE}\n")
