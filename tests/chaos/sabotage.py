"""Breaks Sigap on purpose, inside a forked server, to see that the harness notices."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from dispatch.relay import Relay
from dispatch.storage import answers
from dispatch.storage.store import StoredWorld
from dispatch.system.system import Done, System

SHARE = 0.1


class _NeverMind(Exception):
    """Thrown where the commit would have been."""


def early_answer() -> None:
    """Now and then somebody is told that it is done, and it is not."""
    real = System.do

    def do(self: System, city_id: str, actor: Any, action: Any, **more: Any) -> Any:
        if more.get("step") is None or random.random() > SHARE:
            return real(self, city_id, actor, action, **more)
        told: list[Any] = []
        render = more.pop("render", None)

        def shown(world: StoredWorld, result: Any) -> dict[str, Any]:
            world.finish()
            told.append(render(world, result) if render else {})
            raise _NeverMind

        try:
            return real(self, city_id, actor, action, render=shown, **more)
        except _NeverMind:
            return Done(more.get("status", 200), told[0])

    System.do = do  # type: ignore[method-assign]


def lost_line() -> None:
    """Now and then no screen is told of a line, and the next one pretends to follow."""
    real: Any = Relay._tell_city

    def tell(self: Relay, city_id: str, lines: Any) -> None:
        told = [line for line in lines if line.offset % 37]
        if told:
            real(self, city_id, told)

    Relay._tell_city = tell  # type: ignore[method-assign]


def forgotten_keys() -> None:
    """A wish that is repeated is fulfilled again."""
    keep = answers.keep
    seen: set[str] = set()

    def kept(*given: Any, **more: Any) -> None:
        request = given[3]
        if request.key not in seen:
            seen.add(request.key)
            keep(*given, **more)

    answers.find = lambda *_: None
    answers.keep = kept


SABOTAGE: dict[str, Callable[[], None]] = {
    "early_answer": early_answer,
    "lost_line": lost_line,
    "forgotten_keys": forgotten_keys,
}
