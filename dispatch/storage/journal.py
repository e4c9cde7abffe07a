"""Reading the log: for relays that tell it, for screens that explain it, for the evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Connection, Row, func, select

from dispatch.core.events import Event
from dispatch.core.log import Entry
from dispatch.storage import codec, tables

RECEIVED = "ReportReceived"


def head(connection: Connection, city_id: str) -> tuple[str, int]:
    """The epoch and the newest offset of the city's log."""
    city = tables.city.c
    row = connection.execute(select(city.epoch, city.offset).where(city.city_id == city_id)).one()
    return str(row.epoch), int(row.offset)


def after(connection: Connection, city_id: str, offset: int, limit: int) -> list[Entry]:
    """The entries after the offset, in order, with their narrow channels.

    The entry of a received report carries what the citizen wrote, until retention deletes it.
    """
    log = tables.log
    rows = connection.execute(
        select(log)
        .where(log.c.city_id == city_id, log.c.offset > offset)
        .order_by(log.c.offset)
        .limit(limit)
    ).mappings()
    found = [dict(row) for row in rows]
    if not found:
        return []
    channels = _channels(connection, city_id, found[0]["offset"], found[-1]["offset"])
    _add_words(connection, city_id, found)
    return [codec.read_entry(row, channels.get(row["offset"], ())) for row in found]


def _channels(
    connection: Connection, city_id: str, first: int, last: int
) -> dict[int, tuple[str, ...]]:
    c = tables.log_channel.c
    rows = connection.execute(
        select(c.offset, c.channel)
        .where(c.city_id == city_id, c.offset.between(first, last))
        .order_by(c.offset, c.channel)
    )
    found: dict[int, tuple[str, ...]] = {}
    for offset, channel in rows:
        found[offset] = (*found.get(offset, ()), channel)
    return found


def _add_words(connection: Connection, city_id: str, rows: Sequence[dict[str, Any]]) -> None:
    received = [row for row in rows if row["type"] == RECEIVED]
    if not received:
        return
    words = described(connection, city_id, [row["subject"] for row in received])
    for row in received:
        row["changes"] = {**row["changes"], **words.get(row["subject"], NO_WORDS)}


NO_WORDS: Mapping[str, Any] = {"description": None, "place_typed": None}


def described(
    connection: Connection, city_id: str, report_ids: Sequence[UUID]
) -> dict[UUID, dict[str, Any]]:
    """What citizens wrote in these reports: description and place_typed, by report id."""
    p = tables.personal.c
    rows = connection.execute(
        select(p.report_id, p.description, p.place_typed).where(
            p.city_id == city_id, p.report_id.in_(report_ids)
        )
    )
    return {
        row.report_id: {"description": row.description, "place_typed": row.place_typed}
        for row in rows
    }


def channel_after(
    connection: Connection, city_id: str, channel: str, offset: int, limit: int
) -> list[tuple[Entry, int]]:
    """The entries of a narrow channel after the offset, each with the channel's offset before."""
    c, log = tables.log_channel.c, tables.log
    before = func.coalesce(func.lag(c.offset).over(order_by=c.offset), 0).label("before")
    numbered = (
        select(c.offset.label("at"), before)
        .where(c.city_id == city_id, c.channel == channel)
        .subquery()
    )
    rows = connection.execute(
        select(log, numbered.c.before)
        .join(numbered, numbered.c.at == log.c.offset)
        .where(log.c.city_id == city_id, log.c.offset > offset)
        .order_by(log.c.offset)
        .limit(limit)
    ).mappings()
    return [
        (codec.read_entry(cast("Mapping[str, Any]", row), (channel,)), int(row["before"]))
        for row in rows
    ]


def previous(connection: Connection, city_id: str, channel: str, offset: int) -> int:
    """The newest offset of the narrow channel before this one, 0 when there is none."""
    c = tables.log_channel.c
    found = connection.scalar(
        select(func.max(c.offset)).where(
            c.city_id == city_id, c.channel == channel, c.offset < offset
        )
    )
    return int(found or 0)


def of_subjects(
    connection: Connection, city_id: str, subjects: Sequence[UUID]
) -> list[tuple[int, Event]]:
    """Everything that happened to these things, in order, with its offset."""
    log = tables.log
    rows = connection.execute(
        select(log)
        .where(log.c.city_id == city_id, log.c.subject.in_(subjects))
        .order_by(log.c.offset)
    ).mappings()
    return [_numbered(row) for row in rows]


def _numbered(row: Any) -> tuple[int, Event]:
    return int(row["offset"]), codec.read_event(cast("Mapping[str, Any]", row))


def events(
    connection: Connection,
    city_id: str,
    *,
    kinds: Sequence[str],
    until: datetime | None = None,
    upto: int | None = None,
) -> Iterator[Event]:
    """Every event of these kinds, in order, recorded before `until`, up to an offset; streamed."""
    log = tables.log
    query = select(log).where(log.c.city_id == city_id, log.c.kind.in_(kinds))
    if until is not None:
        query = query.where(log.c.recorded_at < until)
    if upto is not None:
        query = query.where(log.c.offset <= upto)
    rows: Iterator[Row[Any]] = connection.execution_options(yield_per=1000).execute(
        query.order_by(log.c.offset)
    )
    for row in rows:
        yield codec.read_event(cast("Mapping[str, Any]", row._mapping))
