"""Every wish that was sent, what was answered, and whether the log holds it exactly once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from dispatch.storage import tables

CHUNK = 400


@dataclass(slots=True)
class Wish:
    """One writing request; `mark` is a text in it that is in no other."""

    key: str
    path: str
    body: Mapping[str, Any]
    mark: str | None = None
    tries: int = 0
    status: int | None = None
    answer: Any = None
    replayed: bool = False

    @property
    def acknowledged(self) -> bool:
        """Whether somebody was told that it is done."""
        return self.status is not None and self.status < 300


@dataclass(slots=True)
class Ledger:
    """All wishes of a run, in the order in which they were first sent."""

    wishes: list[Wish] = field(default_factory=list)
    strange: Counter[str] = field(default_factory=Counter)
    """Answers that no fault explains: a status and a path."""

    def new(self, wish: Wish) -> Wish:
        self.wishes.append(wish)
        return wish

    def acknowledged(self) -> list[Wish]:
        return [wish for wish in self.wishes if wish.acknowledged]

    def open(self) -> list[Wish]:
        """Those without any answer yet."""
        return [wish for wish in self.wishes if wish.status is None]


@dataclass(frozen=True, slots=True)
class Held:
    """What the log and the tables say of a ledger."""

    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    refused_but_done: tuple[str, ...]


def held(connection: Connection, city_id: str, ledger: Ledger) -> Held:
    """Whether all that was acknowledged is kept once, and nothing that was refused."""
    kept = _kept(connection, city_id)
    lines = _lines(connection, city_id)
    times, tickets = _marks(connection, city_id)
    lost: list[str] = []
    doubled: list[str] = []
    refused: list[str] = []
    of_line: dict[int, str] = {}
    for wish in ledger.wishes:
        answers = kept.get(wish.key, [])
        if len(answers) > 1:
            doubled.append(f"{wish.path}: {len(answers)} answers are kept of {wish.key}")
        if wish.mark is not None and times[wish.mark] > 1:
            doubled.append(f"{wish.path}: {wish.mark} is there {times[wish.mark]} times")
        if not wish.acknowledged:
            if wish.status is not None and (answers or (wish.mark and times[wish.mark])):
                refused.append(f"{wish.path}: refused with {wish.status}, and done ({wish.key})")
            continue
        if answers != [(wish.status, wish.answer)]:
            lost.append(f"{wish.path}: the answer to {wish.key} is not the one that is kept")
        if wish.mark is not None and not times[wish.mark]:
            lost.append(f"{wish.path}: {wish.mark} is nowhere")
        if wish.path == "/reports" and wish.answer["ticket"] not in tickets:
            lost.append(f"ticket {wish.answer['ticket']} was given out and is not there")
        for event in wish.answer.get("events", ()):
            if lines.get(event["o"]) != (event["t"], event["k"], event["v"]):
                lost.append(f"{wish.path}: line {event['o']} is not {event['t']}")
            if of_line.setdefault(event["o"], wish.key) != wish.key:
                doubled.append(f"{wish.path}: line {event['o']} was answered to two wishes")
    return Held(tuple(lost), tuple(doubled), tuple(refused))


def _kept(connection: Connection, city_id: str) -> Mapping[str, list[tuple[int, Any]]]:
    row = tables.idempotency.c
    found = select(row.key, row.status, row.answer).where(row.city_id == city_id)
    kept: dict[str, list[tuple[int, Any]]] = defaultdict(list)
    for key, status, answer in connection.execute(found):
        kept[key].append((status, answer))
    return kept


def _lines(connection: Connection, city_id: str) -> Mapping[int, tuple[str, str, int]]:
    line = tables.log.c
    found = select(line.offset, line.type, line.kind, line.subject, line.version)
    rows = connection.execute(found.where(line.city_id == city_id))
    return {row[0]: (row.type, f"{row.kind}/{row.subject}", row.version) for row in rows}


def _marks(connection: Connection, city_id: str) -> tuple[Counter[str], set[str]]:
    """How often each mark is there: in a report's words, in a crew's note; and all tickets."""
    personal, line, report = tables.personal.c, tables.log.c, tables.report.c
    times: Counter[str] = Counter()
    words = select(personal.description).where(personal.city_id == city_id)
    for text in connection.scalars(words):
        times[text.rpartition(" ")[2]] += 1
    notes = select(line.fact).where(line.city_id == city_id, line.type == "AssignmentNoted")
    for fact in connection.scalars(notes):
        times[fact["note"].rpartition(" ")[2]] += 1
    tickets = connection.scalars(select(report.ticket).where(report.city_id == city_id))
    return times, set(tickets)
