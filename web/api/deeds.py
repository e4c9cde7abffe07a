"""Carries one wish through one transaction and tells the asker what was recorded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import orjson
from fastapi import Response

from dispatch.core.log import plain
from dispatch.core.world import World
from dispatch.storage.store import StoredWorld
from dispatch.system import Done, Step, System
from web.accounts import Principal

T = TypeVar("T")


def json(body: Any, *, status: int = 200) -> Response:
    """The answer as it is: its shape was made by us and is not checked a second time."""
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")


def answered(done: Done) -> Response:
    """What a step gave; a repeated request is told so."""
    response = json(done.body, status=done.status)
    if done.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def carry_out(
    system: System,
    who: Principal,
    step: Step,
    action: Callable[[World, datetime], T],
    *,
    render: Callable[[World, T], dict[str, Any]] | None = None,
) -> Response:
    """Do it as `who` in their city, once for each key; answers with the events recorded."""

    def shown(world: StoredWorld, result: T) -> dict[str, Any]:
        extra = render(world, result) if render else {}
        return {"events": recorded(world), **extra}

    return answered(system.do(who.city_id, who.actor, action, step=step, render=shown))


def recorded(world: StoredWorld) -> list[dict[str, Any]]:
    """The events of this step, as the sockets tell them, without their fields."""
    return [
        {
            "o": entry.offset,
            "t": entry.event.type,
            "k": entry.event.key,
            "v": entry.event.version,
        }
        for entry in world.entries
    ]


def moment(value: datetime | None) -> Any:
    """ISO 8601 UTC with Z, or None."""
    return plain(value)
