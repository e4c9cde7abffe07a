"""Compares everything kept of a city with what its log makes, line by line and row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar, cast
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Table, select

from dispatch import actions
from dispatch.core import reports
from dispatch.core.assignments import Assignment
from dispatch.core.audit import Finding, Replay
from dispatch.core.crews import Crew
from dispatch.core.events import Kind
from dispatch.core.reports import Report
from dispatch.core.world import Entity
from dispatch.storage import codec, journal, tables
from dispatch.storage.retention import Kept
from geo.progress import Progress

T = TypeVar("T")
BATCH = 1000
TIMED: Mapping[str, Kind] = {
    actions.TRIAGE: "report",
    actions.OFFER_EXPIRES: "assignment",
    actions.SHIFT_ENDS: "crew",
    actions.AFTER_ACTION: "incident",
}
"""What each kind of timer is about."""


def replayed(
    connection: Connection, city_id: str, replay: Replay, *, progress: Progress
) -> Iterator[Finding]:
    """Play the whole log, and see that it ends where the city's counter stands."""
    _, head = journal.head(connection, city_id)
    progress.stage("Playing the log", head)
    for batch in journal.lines(connection, city_id):
        for row, channels in batch:
            try:
                entry = codec.read_entry(row, channels)
            except (msgspec.ValidationError, KeyError) as error:
                replay.spoil(row["offset"], f"{row['kind']}/{row['subject']}")
                yield Finding("lifecycle", f"this line cannot be read: {error}", row["offset"])
            else:
                yield from replay.take(entry)
        progress.advance(len(batch))
    if replay.offset != head:
        yield Finding("offsets", f"the log ends at {replay.offset}, its counter says {head}")
    yield from replay.together()


def compared(
    connection: Connection, city_id: str, replay: Replay, *, progress: Progress
) -> Iterator[Finding]:
    """Compare every row of every thing with what the log makes of it."""
    progress.stage("Comparing the tables", len(replay.state))
    unseen = set(replay.state)
    for kind, table in tables.ENTITIES.items():
        for batch in _rows(connection, city_id, table, "id"):
            for row in batch:
                key = f"{kind}/{row['id']}"
                unseen.discard(key)
                wrong = _unlike(replay.state.get(key), cast("Kind", kind), row)
                if wrong is not None:
                    yield Finding("rows", f"{key} {wrong}")
            progress.advance(len(batch))
    for key in sorted(unseen):
        yield Finding("rows", f"{key} is in the log and in no table")


def _unlike(thing: Entity | None, kind: Kind, row: Mapping[str, Any]) -> str | None:
    """What differs between the log's thing and its row, None when nothing does."""
    if thing is None:
        return "is in its table and not in the log"
    kept = codec.read_entity(kind, row)
    if kept != thing:
        names = [f.name for f in fields(kept) if getattr(kept, f.name) != getattr(thing, f.name)]
        return f"is not what the log makes of it: {', '.join(names)}"
    geom = row.get("geom")
    if geom is not None and (geom.x, geom.y) != (getattr(kept, "lon", 0), getattr(kept, "lat", 0)):
        return "lies elsewhere in the spatial index"
    return None


def counted(connection: Connection, city_id: str, replay: Replay) -> Iterator[Finding]:
    """No ticket was given out twice or beyond the counter."""
    city = tables.city.c
    given = int(connection.scalar(select(city.tickets).where(city.city_id == city_id)) or 0)
    tickets = Counter(t.ticket for t in replay.state.values() if isinstance(t, Report))
    for ticket, times in tickets.items():
        if times > 1:
            yield Finding("counters", f"ticket {ticket} was given out {times} times")
    if len(tickets) > given:
        yield Finding("counters", f"{len(tickets)} tickets are used, {given} were given out")


def answered(connection: Connection, city_id: str) -> Iterator[Finding]:
    """Every kept answer speaks of lines that are there, and no two keys of the same line."""
    of_line: dict[int, str] = {}
    of_ticket: dict[str, str] = {}
    for batch in _rows(connection, city_id, tables.idempotency, "actor", "key"):
        named: dict[int, tuple[str, Mapping[str, Any]]] = {}
        for row in batch:
            key, answer = f"{row['actor']} {row['key']}", row["answer"]
            for event in answer.get("events", ()):
                if of_line.setdefault(event["o"], key) != key:
                    yield Finding("keys", f"two keys had line {event['o']} answered", event["o"])
                named[event["o"]] = key, event
            ticket = answer.get("ticket") if "token" in answer else None
            if ticket and of_ticket.setdefault(ticket, key) != key:
                yield Finding("keys", f"two keys had ticket {ticket} answered")
        yield from _unlike_lines(connection, city_id, named)
    yield from _unknown_tickets(connection, city_id, sorted(of_ticket))


def _unlike_lines(
    connection: Connection, city_id: str, named: Mapping[int, tuple[str, Mapping[str, Any]]]
) -> Iterator[Finding]:
    line = tables.log.c
    wanted = select(line.offset, line.type, line.kind, line.subject, line.version)
    found: dict[int, tuple[str, str, int]] = {}
    for some in _chunks(sorted(named)):
        rows = connection.execute(wanted.where(line.city_id == city_id, line.offset.in_(some)))
        found.update({row[0]: (row.type, f"{row.kind}/{row.subject}", row.version) for row in rows})
    for offset, (key, event) in named.items():
        if found.get(offset) != (event["t"], event["k"], event["v"]):
            what = f"{key} was answered {event['t']} of {event['k']}, which is not that line"
            yield Finding("keys", what, offset)


def _unknown_tickets(
    connection: Connection, city_id: str, tickets: Sequence[str]
) -> Iterator[Finding]:
    report = tables.report.c
    for some in _chunks(tickets):
        known = connection.scalars(
            select(report.ticket).where(report.city_id == city_id, report.ticket.in_(some))
        )
        for ticket in sorted({*some} - {*known}):
            yield Finding("keys", f"ticket {ticket} was answered and is no report's")


def timed(connection: Connection, city_id: str, replay: Replay) -> Iterator[Finding]:
    """Every timer is about something, and what must not be forgotten has its timer."""
    due = tables.due.c
    found = select(due.kind, due.subject).where(due.city_id == city_id)
    running = {(row.kind, row.subject) for row in connection.execute(found)}
    for kind, subject in sorted(running):
        about = TIMED.get(kind)
        if about is None or f"{about}/{subject}" not in replay.state:
            yield Finding("timers", f"timer {kind} is about {subject}, which is not there")
    for thing in replay.state.values():
        kind = _needs(thing)
        if kind is not None and (kind, thing.id) not in running:
            yield Finding("timers", f"{thing.kind}/{thing.id} is {thing.status} without {kind}")


def _needs(thing: Entity) -> str | None:
    """The timer without which a thing would be stuck for ever."""
    if thing.kind == "report" and thing.status == "received":
        return actions.TRIAGE
    if thing.kind == "assignment" and thing.status == "offered":
        return actions.OFFER_EXPIRES
    if isinstance(thing, Crew) and thing.shift_ends_at and thing.status != "not_available":
        # one whose shift is over is let finish what it is at
        return actions.SHIFT_ENDS if thing.assignment_id is None else None
    return None


def remembered(
    connection: Connection, city_id: str, replay: Replay, *, now: datetime, kept: Kept
) -> Iterator[Finding]:
    """What citizens wrote is there until retention may delete it."""
    personal = tables.personal.c
    found = connection.scalars(select(personal.report_id).where(personal.city_id == city_id))
    there = {*found}
    for thing in replay.state.values():
        if isinstance(thing, Report) and thing.id not in there:
            ended = thing.status in reports.LIFECYCLE.final
            if not ended or thing.changed_at >= now - kept.personal:
                yield Finding("personal", f"report/{thing.id} lost what its reporter wrote")


def pictured(
    connection: Connection, city_id: str, replay: Replay
) -> Iterator[tuple[UUID, str | None]]:
    """Every photo that is kept or spoken of, with its SHA-256; None when its row is gone."""
    spoken: set[UUID] = set()
    for thing in replay.state.values():
        if isinstance(thing, Report | Assignment):
            spoken.update(thing.photo_ids)
    for batch in _rows(connection, city_id, tables.photo, "id"):
        for row in batch:
            spoken.discard(row["id"])
            yield row["id"], row["sha256"]
    for photo_id in sorted(spoken):
        yield photo_id, None


def is_kept(connection: Connection, city_id: str, photo_id: UUID) -> bool:
    """Whether the photo has its row."""
    photo = tables.photo.c
    found = select(photo.id).where(photo.city_id == city_id, photo.id == photo_id)
    return connection.scalar(found) is not None


def _rows(
    connection: Connection, city_id: str, table: Table, *key: str
) -> Iterator[Sequence[Mapping[str, Any]]]:
    """The rows of a city in batches, by key."""
    found = (
        select(table)
        .where(table.c.city_id == city_id)
        .order_by(*(table.c[name] for name in key))
        .execution_options(yield_per=BATCH)
    )
    for batch in connection.execute(found).mappings().partitions():
        yield [dict(row) for row in batch]


def _chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """SQLite takes only so many values in one question."""
    for start in range(0, len(values), 500):
        yield values[start : start + 500]
