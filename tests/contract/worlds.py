"""The same city in three Worlds: in memory, on SQLite and on PostGIS."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

from sqlalchemy import Engine, select

import dispatch
from dispatch.core.crews import Fix
from dispatch.core.log import Entry
from dispatch.core.policy import Policy, parse_policy
from dispatch.core.world import Entity, Timer, World
from dispatch.simulator.memory import MemoryWorld
from dispatch.storage import codec, fixes, journal, tables, timers, views
from dispatch.storage.cities import found_city
from dispatch.storage.roster import AtHand
from dispatch.storage.store import step
from geo.sql import reading, writing

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
POLICY: Policy = parse_policy(
    tomllib.loads(Path(dispatch.__file__).with_name("policy.toml").read_text("utf-8"))
)

_cities = count(1)


def counted_ids() -> Callable[[], UUID]:
    """Ids 1, 2, 3 … so that two Worlds can be compared line by line."""
    numbers = count(1)
    return lambda: UUID(int=next(numbers))


class Place(Protocol):
    """A city somewhere, as the contract asks for it."""

    city_id: str

    def step(self) -> AbstractContextManager[World]:
        """All or nothing."""

    def log(self, after: int = 0) -> list[Entry]: ...
    def heard(self, channel: str, after: int = 0) -> list[tuple[Entry, int]]: ...
    def things(self) -> dict[str, Entity]: ...
    def put_fix(self, fix: Fix) -> None: ...
    def due(self, now: datetime) -> list[Timer]: ...
    def snapshot(self, now: datetime) -> tuple[int, dict[str, dict[str, Any]]]: ...


class InMemory:
    """The simulator's World."""

    def __init__(self) -> None:
        self.city_id = "memory"
        self.world = MemoryWorld(self.city_id, POLICY, ticket_prefix="TST", ids=counted_ids())

    def step(self) -> AbstractContextManager[World]:
        return self.world.step()

    def log(self, after: int = 0) -> list[Entry]:
        return self.world.log[after:]

    def heard(self, channel: str, after: int = 0) -> list[tuple[Entry, int]]:
        return [(entry, before) for before, entry in self.world.read(channel, after=after)]

    def things(self) -> dict[str, Entity]:
        return self.world.entities()

    def put_fix(self, fix: Fix) -> None:
        self.world.put_fix(fix)

    def due(self, now: datetime) -> list[Timer]:
        return self.world.due(now)

    def snapshot(self, now: datetime) -> tuple[int, dict[str, dict[str, Any]]]:
        return len(self.world.log), self.world.views()


class Stored:
    """A city of its own in a database that many tests share, or one that is there already."""

    def __init__(self, engine: Engine, *, there: str | None = None) -> None:
        self.engine = engine
        self.city_id = there or f"city-{next(_cities)}"
        self.new_id = uuid4 if there else counted_ids()
        # kept from step to step, as a process keeps it: what is wrong in it breaks the contract
        self.at_hand = AtHand(self.newest)
        if there is None:
            with writing(engine) as connection:
                found_city(connection, self.city_id, name="Test", ticket_prefix="TST", now=NOON)

    @contextmanager
    def step(self) -> Iterator[World]:
        given: dict[str, Any] = {"ids": self.new_id, "at_hand": self.at_hand}
        with step(self.engine, self.city_id, POLICY, **given) as world:
            yield world

    def newest(self) -> Mapping[UUID, Fix]:
        with reading(self.engine) as connection:
            return fixes.newest(connection, self.city_id)

    def log(self, after: int = 0) -> list[Entry]:
        with reading(self.engine) as connection:
            return journal.after(connection, self.city_id, after, 10_000)

    def heard(self, channel: str, after: int = 0) -> list[tuple[Entry, int]]:
        with reading(self.engine) as connection:
            return journal.channel_after(connection, self.city_id, channel, after, 10_000)

    def things(self) -> dict[str, Entity]:
        found: dict[str, Entity] = {}
        with reading(self.engine) as connection:
            for kind, table in tables.ENTITIES.items():
                rows = select(table).where(table.c.city_id == self.city_id)
                for row in connection.execute(rows).mappings():
                    entity = codec.read_entity(kind, dict(row))  # type: ignore[arg-type]
                    found[f"{kind}/{entity.id}"] = entity
        return found

    def put_fix(self, fix: Fix) -> None:
        with writing(self.engine) as connection:
            fixes.write(connection, self.city_id, [fix], [fix])

    def due(self, now: datetime) -> list[Timer]:
        """Without claiming: the transaction is given up."""
        claimed: list[Timer] = []
        with self.engine.connect() as connection, connection.begin() as transaction:
            claimed = timers.claim_due(connection, self.city_id, now=now, limit=100)
            transaction.rollback()
        return claimed

    def snapshot(self, now: datetime) -> tuple[int, dict[str, dict[str, Any]]]:
        with reading(self.engine) as connection:
            _, offset, state = views.snapshot(connection, self.city_id, now)
            return offset, state
