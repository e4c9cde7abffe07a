"""The stored log, as the relay reads it: each call a short transaction of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from dispatch.core.crews import Fix
from dispatch.core.errors import NotFound
from dispatch.core.log import Entry, Line
from dispatch.core.policy import Policy
from dispatch.storage import documents, journal, views
from dispatch.storage.store import StoredWorld
from dispatch.system.clock import Clock
from geo.sql import reading


class StoredLog:
    """Satisfies `dispatch.relay.Log`."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        *,
        policy: Callable[[str], Policy],
        newest: Callable[[str], Iterable[Fix]],
    ) -> None:
        self._engine, self._clock = engine, clock
        self._policy, self._newest = policy, newest

    def head(self, city_id: str) -> tuple[str, int]:
        with reading(self._engine) as connection:
            return journal.head(connection, city_id)

    def after(self, city_id: str, offset: int, limit: int) -> Sequence[Entry]:
        with reading(self._engine) as connection:
            return journal.after(connection, city_id, offset, limit)

    def tail(self, city_id: str, offset: int, limit: int) -> tuple[str, int, Sequence[Line]]:
        with reading(self._engine) as connection:
            epoch, head = journal.head(connection, city_id)
            if head <= offset:
                return epoch, head, ()
            return epoch, head, journal.told(connection, city_id, offset, limit)

    def channel_after(
        self, city_id: str, channel: str, offset: int, limit: int
    ) -> Sequence[tuple[Entry, int]]:
        with reading(self._engine) as connection:
            return journal.channel_after(connection, city_id, channel, offset, limit)

    def previous(self, city_id: str, channel: str, offset: int) -> int:
        with reading(self._engine) as connection:
            return journal.previous(connection, city_id, channel, offset)

    def snapshot(self, city_id: str) -> tuple[str, int, Mapping[str, Mapping[str, Any]]]:
        with reading(self._engine) as connection:
            return views.snapshot(connection, city_id, self._clock())

    def fixes(self, city_id: str) -> Iterable[Fix]:
        return self._newest(city_id)

    def document(self, city_id: str, channel: str) -> Mapping[str, Any] | None:
        """The document of a crew, report or agency channel, None when nothing has that name."""
        kind, _, name = channel.partition("/")
        with reading(self._engine) as connection:
            world = StoredWorld(connection, city_id, self._policy(city_id), locked=False)
            try:
                if kind == "crew":
                    crew_id = UUID(name)
                    fix = next((f for f in self._newest(city_id) if f.crew_id == crew_id), None)
                    return documents.crew_view(connection, world, crew_id, self._clock(), fix)
                if kind == "agency":
                    return documents.agency_view(connection, world, name, self._clock())
                report_id = views.find_report(connection, city_id, name)
                if report_id is None:
                    return None
                return documents.report_view(world, world.report(report_id), self._clock())
            except (NotFound, ValueError):
                return None
