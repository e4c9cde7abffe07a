"""From the log to the channels: after every commit, each listener hears what it may hear."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from dispatch.core.crews import Fix
from dispatch.core.log import Entry
from realtime import wire
from realtime.hub import Hub
from realtime.wire import Durable

BATCH = 500
POLL_S = 1.0
FED_AHEAD = 2_000
"""So many lines from other hosts wait for the one that is missing before the log is read."""


@dataclass(frozen=True, slots=True)
class Line:
    """What channels are told of one line of the log.

    `changes` None: only the log itself may tell them (what a citizen wrote stays in its table).
    """

    offset: int
    type: str
    key: str
    version: int
    changes: Mapping[str, Any] | None
    channels: tuple[str, ...] = ()


def line_of(entry: Entry) -> Line:
    """An entry, as channels are told of it."""
    event = entry.event
    return Line(entry.offset, event.type, event.key, event.version, entry.changes, entry.channels)


class Log(Protocol):
    """What a relay reads; every call is a short read of its own."""

    def head(self, city_id: str) -> tuple[str, int]:
        """The epoch and the newest offset."""

    def after(self, city_id: str, offset: int, limit: int) -> Sequence[Entry]:
        """The entries after the offset, in order, with the changes that screens get."""

    def channel_after(
        self, city_id: str, channel: str, offset: int, limit: int
    ) -> Sequence[tuple[Entry, int]]:
        """The entries of a narrow channel after the offset, each with the offset before it."""

    def previous(self, city_id: str, channel: str, offset: int) -> int:
        """The newest offset of the narrow channel before this one, 0 when there is none."""

    def snapshot(self, city_id: str) -> tuple[str, int, Mapping[str, Mapping[str, Any]]]:
        """The dispatchers' state; its offset is read before it."""

    def document(self, city_id: str, channel: str) -> Mapping[str, Any] | None:
        """The one document of a narrow channel."""

    def fixes(self, city_id: str) -> Iterable[Fix]:
        """The newest fix of each crew."""


def hub_name(city_id: str, channel: str) -> str:
    """The hub's name of a channel: two cities never share one."""
    return f"{city_id}:{channel}"


def document_key(channel: str) -> str:
    """The wire key of a narrow channel's document: crew/7 → crew_view/7."""
    kind, _, name = channel.partition("/")
    return f"{kind}_view/{name}"


class Relay:
    """Reads each city's log once and tells its channels. Lives in one event loop."""

    def __init__(self, hub: Hub, log: Log, *, flows: Callable[[], bool] = lambda: False) -> None:
        """`flows`: whether lines can be expected from another host, so that the log may rest."""
        self._hub, self._log, self._flows = hub, log, flows
        self._fed: dict[str, dict[int, Line]] = {}
        self._looked_at: dict[str, float] = {}
        self._last: dict[str, int] = {}
        self._epoch: dict[str, str] = {}
        self._wake = asyncio.Event()
        self._crew_of: dict[str, str] = {}

    def wake(self) -> None:
        """The log grew. Call it from the loop's own thread."""
        self._wake.set()

    def follow(self, city_id: str) -> None:
        """Begin at the log's present end."""
        self._epoch[city_id], self._last[city_id] = self._log.head(city_id)

    def feed(self, city_id: str, epoch: str, line: Line) -> None:
        """Take a line that another host published. Call it from the loop's own thread."""
        last = self._last.get(city_id)
        if last is None or line.offset <= last or epoch != self._epoch[city_id]:
            return
        fed = self._fed.setdefault(city_id, {})
        if len(fed) >= FED_AHEAD:
            fed.clear()
        fed[line.offset] = line
        self._wake.set()

    async def run(self) -> None:
        """Tell what grew, for ever; a slow poll stands behind lost wake-ups."""
        while True:
            try:
                async with asyncio.timeout(POLL_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            for city_id in list(self._last):
                await self._tell(city_id)

    async def _tell(self, city_id: str) -> None:
        while lines := await self._next(city_id):
            self._tell_city(city_id, lines)
            await self._tell_narrow(city_id, lines)
            self._last[city_id] = lines[-1].offset

    async def _next(self, city_id: str) -> Sequence[Line]:
        """The lines that follow: from other hosts while they flow without a gap, else the log's."""
        last, fed = self._last[city_id], self._fed.get(city_id, {})
        for known in [offset for offset in fed if offset <= last]:
            del fed[known]
        lines: list[Line] = []
        while (line := fed.get(last + len(lines) + 1)) is not None and line.changes is not None:
            lines.append(line)
            if len(lines) == BATCH:
                break
        if lines:
            return lines
        now = asyncio.get_running_loop().time()
        rested = now - self._looked_at.get(city_id, -math.inf) < POLL_S
        if self._flows() and not fed and rested:
            return []
        self._looked_at[city_id] = now
        entries = await asyncio.to_thread(self._log.after, city_id, last, BATCH)
        return [line_of(entry) for entry in entries]

    def _tell_city(self, city_id: str, lines: Sequence[Line]) -> None:
        name = f"city/{city_id}"
        channel = hub_name(city_id, name)
        if self._hub.listening(channel):
            texts = [wire.durable(name, line_message(line)) for line in lines]
            self._hub.send(channel, name, texts)

    async def _tell_narrow(self, city_id: str, lines: Sequence[Line]) -> None:
        heard: dict[str, list[Line]] = {}
        for line in lines:
            for name in line.channels:
                if self._hub.listening(hub_name(city_id, name)):
                    heard.setdefault(name, []).append(line)
        for name, own in heard.items():
            first = await asyncio.to_thread(self._log.previous, city_id, name, own[0].offset)
            document = await asyncio.to_thread(self._document, city_id, name)
            messages = narrow_messages(name, own, first=first, document=document)
            self._hub.send(hub_name(city_id, name), name, [wire.durable(name, m) for m in messages])

    def _document(self, city_id: str, name: str) -> Mapping[str, Any]:
        document = self._log.document(city_id, name) or {}
        crew = document.get("crew") if name.startswith("report/") else None
        if crew:
            self._crew_of[hub_name(city_id, name)] = str(crew["id"])
        else:
            self._crew_of.pop(hub_name(city_id, name), None)
        return document

    # --- a subscription's beginning (threads) --------------------------------

    def start(
        self, city_id: str, name: str, since: wire.Since | None
    ) -> wire.Recovered | wire.Snapshot:
        """All a client needs to be up to date; the same at start and after a lost network."""
        epoch, offset = self._log.head(city_id)
        known = since is not None and since.epoch == epoch and 0 <= since.offset <= offset
        narrow = not name.startswith("city/")
        if since is not None and known and offset - since.offset <= BATCH:
            events = self._missed(city_id, name, since.offset)
            last = max([offset, *(event.o for event in events)])
            return wire.Recovered(epoch, last, tuple(events))
        if narrow:
            document = self._document(city_id, name)
            return wire.Snapshot(epoch, offset, {document_key(name): {**document, "v": offset}})
        epoch, offset, state = self._log.snapshot(city_id)
        return wire.Snapshot(epoch, offset, state)

    def _missed(self, city_id: str, name: str, offset: int) -> list[Durable]:
        if name.startswith("city/"):
            return [city_message(e) for e in self._log.after(city_id, offset, 2 * BATCH)]
        missed = self._log.channel_after(city_id, name, offset, 2 * BATCH)
        if not missed:
            return []
        document = self._document(city_id, name)
        lines = [line_of(entry) for entry, _ in missed]
        return narrow_messages(name, lines, first=missed[0][1], document=document)

    # --- telemetry -----------------------------------------------------------

    async def tell_positions(self, city_id: str, now: datetime) -> None:
        """One conflated frame: dispatchers get all crews, a citizen the crew on its way."""
        fixes = await asyncio.to_thread(lambda: list(self._log.fixes(city_id)))
        frame = [position_row(fix, now) for fix in fixes]
        name = f"city/{city_id}"
        channel = hub_name(city_id, name)
        if frame and self._hub.listening(channel):
            self._hub.send_latest(channel, name, wire.positions(name, frame))
        rows = {row[0]: row for row in frame}
        for key, crew_id in list(self._crew_of.items()):
            if not self._hub.listening(key):
                del self._crew_of[key]
            elif key.startswith(f"{city_id}:") and crew_id in rows:
                own = key.partition(":")[2]
                self._hub.send_latest(key, own, wire.positions(own, [rows[crew_id]]))


def city_message(entry: Entry) -> Durable:
    """The dispatchers' message of an entry; on their channel every offset is told."""
    return line_message(line_of(entry))


def line_message(line: Line) -> Durable:
    """The dispatchers' message of a line that may be told."""
    return Durable(
        o=line.offset,
        p=line.offset - 1,
        t=line.type,
        k=line.key,
        v=line.version,
        d=line.changes or {},
    )


def narrow_messages(
    name: str, lines: Sequence[Line], *, first: int, document: Mapping[str, Any]
) -> list[Durable]:
    """The messages of a narrow channel: the last one carries the document as it is now."""
    messages, previous = [], first
    for index, line in enumerate(lines):
        last = index == len(lines) - 1
        messages.append(
            Durable(
                o=line.offset,
                p=previous,
                t=line.type,
                k=document_key(name),
                v=line.offset,
                d=document if last else {},
            )
        )
        previous = line.offset
    return messages


def position_row(fix: Fix, now: datetime) -> list[Any]:
    """[crew id, lon, lat, heading or None, age in whole seconds, battery or None, mock].

    Battery is 0 to 1; mock is 1 for a position that an app made up, else 0.
    """
    age_s = max(0, int((now - fix.fix_time).total_seconds()))
    lon, lat = fix.here
    heading = None if fix.heading is None else round(fix.heading)
    place = (round(lon, 6), round(lat, 6))
    return [str(fix.crew_id), *place, heading, age_s, fix.battery, int(fix.mock)]
