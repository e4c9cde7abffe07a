"""A city's log, read from any offset: by the relay, by recovering screens and by the evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from dispatch.core.errors import NotFound
from dispatch.core.events import Event
from dispatch.core.log import Entry, Line, in_full, tells_all
from dispatch.storage import codec, tables

WRITTEN_BY_CITIZENS = ("description", "place_typed")
"""What a report's view has from the personal table, not from the log."""

BATCH = 1000
_log, _heard = tables.log.c, tables.log_channel.c


def head(connection: Connection, city_id: str) -> tuple[str, int]:
    """The epoch and the newest offset, 0 before the first event. Raises NotFound."""
    city = tables.city.c
    found = select(city.epoch, city.offset).where(city.city_id == city_id)
    row = connection.execute(found).one_or_none()
    if row is None:
        raise NotFound(f"There is no city “{city_id}” here.", kind="city")
    return str(row.epoch), int(row[1])


def after(connection: Connection, city_id: str, offset: int, limit: int) -> list[Entry]:
    """At most `limit` entries after the offset, in order, as dispatchers may see them."""
    found = (
        select(tables.log)
        .where(_log.city_id == city_id, _log.offset > offset)
        .order_by(_log.offset)
        .limit(limit)
    )
    return _entries(connection, city_id, connection.execute(found).mappings().all())


def told(connection: Connection, city_id: str, offset: int, limit: int) -> list[Line]:
    """At most `limit` lines after the offset, as channels are told: the facts are not even read."""
    found = (
        select(_log.offset, _log.type, _log.kind, _log.subject, _log.version, _log.changes)
        .where(_log.city_id == city_id, _log.offset > offset)
        .order_by(_log.offset)
        .limit(limit)
    )
    rows = connection.execute(found).all()
    if not rows:
        return []
    channels = _channels(connection, city_id, [row[0] for row in rows])
    in_words = [row.subject for row in rows if row.kind == "report" and tells_all(row.changes)]
    written = words_of(connection, city_id, in_words) if in_words else {}
    return [
        Line(
            row[0],
            row.type,
            f"{row.kind}/{row.subject}",
            row.version,
            {**row.changes, **written.get(row.subject, NO_WORDS)}
            if row.kind == "report" and tells_all(row.changes)
            else row.changes,
            tuple(channels.get(row[0], ())),
        )
        for row in rows
    ]


def channel_after(
    connection: Connection, city_id: str, channel: str, offset: int, limit: int
) -> list[tuple[Entry, int]]:
    """At most `limit` entries of a narrow channel after the offset.

    Each comes with the channel's offset before it, 0 for its first.
    """
    found = (
        select(tables.log)
        .join(tables.log_channel, _same_line())
        .where(_heard.city_id == city_id, _heard.channel == channel, _heard.offset > offset)
        .order_by(_heard.offset)
        .limit(limit)
    )
    entries = _entries(connection, city_id, connection.execute(found).mappings().all())
    first = previous(connection, city_id, channel, offset + 1)
    offsets = [first, *(entry.offset for entry in entries)]
    return [(entry, before) for entry, (before, _) in zip(entries, pairwise(offsets), strict=True)]


def previous(connection: Connection, city_id: str, channel: str, offset: int) -> int:
    """The newest offset of a narrow channel before this one, 0 when there is none."""
    found = select(func.max(_heard.offset)).where(
        _heard.city_id == city_id, _heard.channel == channel, _heard.offset < offset
    )
    return int(connection.scalar(found) or 0)


def tells_of(connection: Connection, city_id: str, kind: str, *, after: int) -> bool:
    """Whether something happened to a thing of this kind after the offset."""
    found = select(_log.offset).where(
        _log.city_id == city_id, _log.kind == kind, _log.offset > after
    )
    return connection.scalar(found.limit(1)) is not None


def of_things(
    connection: Connection,
    city_id: str,
    subjects: Iterable[UUID],
    *,
    limit: int = 1000,
    during: tuple[datetime, datetime] | None = None,
) -> list[Entry]:
    """What happened to these things, in order; only in [from, until) when `during` says so."""
    span = () if during is None else (_log.at >= during[0], _log.at < during[1])
    found = (
        select(tables.log)
        .where(_log.city_id == city_id, _log.subject.in_(list(subjects)), *span)
        .order_by(_log.offset)
        .limit(limit)
    )
    return _entries(connection, city_id, connection.execute(found).mappings().all())


def events(
    connection: Connection,
    city_id: str,
    *,
    kinds: Sequence[str] | None = None,
    types: Sequence[str] | None = None,
    since: datetime | None = None,
    after: int = 0,
    upto: int | None = None,
) -> Iterator[Event]:
    """The events of the log in order, one after the other, never all in memory.

    Only those of these kinds and types, that happened at or after `since`, after an offset and
    up to another.
    """
    wanted = (
        select(*(column for column in _log if column.name != "changes"))
        .where(_log.city_id == city_id)
        .order_by(_log.offset)
        .limit(BATCH)
    )
    if kinds is not None:
        wanted = wanted.where(_log.kind.in_(list(kinds)))
    if types is not None:
        wanted = wanted.where(_log.type.in_(list(types)))
    if since is not None:
        wanted = wanted.where(_log.at >= since)
    if upto is not None:
        wanted = wanted.where(_log.offset <= upto)
    last = after
    while rows := connection.execute(wanted.where(_log.offset > last)).mappings().all():
        for row in rows:
            yield codec.read_event(dict(row))
        last = rows[-1]["offset"]


def lines(
    connection: Connection, city_id: str
) -> Iterator[list[tuple[Mapping[str, Any], tuple[str, ...]]]]:
    """Every line as it was written, with the narrow channels that hear of it, in batches."""
    wanted = select(tables.log).where(_log.city_id == city_id).order_by(_log.offset).limit(BATCH)
    last = 0
    while rows := connection.execute(wanted.where(_log.offset > last)).mappings().all():
        last = rows[-1]["offset"]
        heard = _channels(connection, city_id, [row["offset"] for row in rows])
        yield [(dict(row), tuple(heard.get(row["offset"], ()))) for row in rows]


def _entries(connection: Connection, city_id: str, rows: Sequence[Any]) -> list[Entry]:
    if not rows:
        return []
    channels = _channels(connection, city_id, [row["offset"] for row in rows])
    entries = [codec.read_entry(dict(row), tuple(channels.get(row["offset"], ()))) for row in rows]
    return _with_words(connection, city_id, entries)


def _channels(connection: Connection, city_id: str, offsets: Sequence[int]) -> dict[int, list[str]]:
    found = (
        select(_heard.offset, _heard.channel)
        .where(_heard.city_id == city_id, _heard.offset.in_(offsets))
        .order_by(_heard.offset, _heard.channel)
    )
    heard: dict[int, list[str]] = {}
    for offset, channel in connection.execute(found):
        heard.setdefault(offset, []).append(channel)
    return heard


def _with_words(connection: Connection, city_id: str, entries: list[Entry]) -> list[Entry]:
    """Add to each report told in full what its reporter wrote, unless retention deleted it."""
    told = [entry for entry in entries if entry.event.kind == "report" and in_full(entry)]
    if not told:
        return entries
    written = words_of(connection, city_id, [entry.event.subject for entry in told])
    words = {entry.offset: written.get(entry.event.subject, NO_WORDS) for entry in told}
    return [
        replace(entry, changes={**entry.changes, **words.get(entry.offset, {})})
        for entry in entries
    ]


NO_WORDS: dict[str, str | None] = dict.fromkeys(WRITTEN_BY_CITIZENS)


def words_of(
    connection: Connection, city_id: str, report_ids: Sequence[UUID]
) -> dict[UUID, dict[str, str | None]]:
    """What reporters wrote about what is wrong and where, by report."""
    personal = tables.personal.c
    found = select(personal.report_id, personal.description, personal.place_typed).where(
        personal.city_id == city_id, personal.report_id.in_(report_ids)
    )
    return {
        row.report_id: {"description": row.description, "place_typed": row.place_typed}
        for row in connection.execute(found)
    }


def _same_line() -> Any:
    return (_log.city_id == _heard.city_id) & (_log.offset == _heard.offset)
