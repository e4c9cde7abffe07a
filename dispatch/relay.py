"""From the log to the channels: after every commit, each listener hears what it may hear."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from dispatch.core.crews import Fix
from dispatch.core.log import Entry
from realtime import wire
from realtime.hub import Hub
from realtime.wire import Durable

BATCH = 500
POLL_S = 1.0


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

    def __init__(self, hub: Hub, log: Log) -> None:
        self._hub, self._log = hub, log
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
        while True:
            entries = await asyncio.to_thread(self._log.after, city_id, self._last[city_id], BATCH)
            if not entries:
                return
            self._tell_city(city_id, entries)
            await self._tell_narrow(city_id, entries)
            self._last[city_id] = entries[-1].offset

    def _tell_city(self, city_id: str, entries: Sequence[Entry]) -> None:
        name = f"city/{city_id}"
        channel = hub_name(city_id, name)
        if self._hub.listening(channel):
            texts = [wire.durable(name, city_message(entry)) for entry in entries]
            self._hub.send(channel, name, texts)

    async def _tell_narrow(self, city_id: str, entries: Sequence[Entry]) -> None:
        heard: dict[str, list[Entry]] = {}
        for entry in entries:
            for name in entry.channels:
                if self._hub.listening(hub_name(city_id, name)):
                    heard.setdefault(name, []).append(entry)
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
        entries = [entry for entry, _ in missed]
        return narrow_messages(name, entries, first=missed[0][1], document=document)

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
    event = entry.event
    return Durable(
        o=entry.offset,
        p=entry.offset - 1,
        t=event.type,
        k=event.key,
        v=event.version,
        d=entry.changes,
    )


def narrow_messages(
    name: str, entries: Sequence[Entry], *, first: int, document: Mapping[str, Any]
) -> list[Durable]:
    """The messages of a narrow channel: the last one carries the document as it is now."""
    messages, previous = [], first
    for index, entry in enumerate(entries):
        last = index == len(entries) - 1
        messages.append(
            Durable(
                o=entry.offset,
                p=previous,
                t=entry.event.type,
                k=document_key(name),
                v=entry.offset,
                d=document if last else {},
            )
        )
        previous = entry.offset
    return messages


def position_row(fix: Fix, now: datetime) -> list[Any]:
    """[crew id, lon, lat, heading or None, age in whole seconds]."""
    age_s = max(0, int((now - fix.fix_time).total_seconds()))
    return [str(fix.crew_id), round(fix.lon, 6), round(fix.lat, 6), fix.heading, age_s]
