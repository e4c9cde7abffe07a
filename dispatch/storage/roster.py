"""What a process has at hand of a city between its steps: a plan reads only what changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Connection, select

from dispatch.core.crews import Crew, Fix
from dispatch.storage import codec, tables

FEW = 200
"""When more crews changed all are read again."""


class Roster:
    """Every crew of a city as it was at one offset of its log. Thread safe.

    Each change of a crew is a line of the log, so those that changed since are known from there.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._epoch, self._offset = "", -1
        self._crews: Mapping[UUID, Crew] = {}

    def at(
        self, connection: Connection, city_id: str, *, epoch: str, offset: int
    ) -> Mapping[UUID, Crew] | None:
        """Every crew by id, in the order of ids; None when what is kept is newer.

        The connection must see the city at this offset, and have changed nothing itself.
        """
        with self._lock:
            known, since, crews = self._epoch == epoch, self._offset, self._crews
        if known and since > offset:
            return None
        if known and since == offset:
            return crews
        changed = _changed(connection, city_id, after=since) if known else None
        if changed is None or len(changed) > FEW:
            crews = _read(connection, city_id)
        elif changed:
            crews = dict(sorted({**crews, **_read(connection, city_id, changed)}.items()))
        with self._lock:
            if self._epoch != epoch or self._offset < offset:
                self._epoch, self._offset, self._crews = epoch, offset, crews
        return crews


@dataclass(frozen=True, slots=True)
class AtHand:
    """The crews as of their last change, and the newest fix of each, which memory knows first."""

    fixes: Callable[[], Mapping[UUID, Fix]]
    roster: Roster = field(default_factory=Roster)


def _changed(connection: Connection, city_id: str, *, after: int) -> Sequence[UUID]:
    log = tables.log.c
    found = select(log.subject).where(
        log.city_id == city_id, log.offset > after, log.kind == Crew.kind
    )
    return connection.scalars(found.distinct().limit(FEW + 1)).all()


def _read(
    connection: Connection, city_id: str, only: Sequence[UUID] | None = None
) -> dict[UUID, Crew]:
    crew = tables.crew
    found = select(crew).where(crew.c.city_id == city_id).order_by(crew.c.id)
    if only is not None:
        found = found.where(crew.c.id.in_(only))
    rows = connection.execute(found).mappings()
    return {row["id"]: cast("Crew", codec.read_entity("crew", cast("Any", row))) for row in rows}
