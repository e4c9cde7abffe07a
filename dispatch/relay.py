"""From the log to the channels: after every commit, each listener hears what it may hear."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from dispatch.core.crews import Fix
from dispatch.core.log import Entry, Line, line_of
from realtime import wire
from realtime.frames import Packet
from realtime.hub import Hub
from realtime.positions import Frame, Moment
from realtime.recent import Ring, Shared
from realtime.wire import Durable

logger = logging.getLogger("sigap.relay")

BATCH = 500
POLL_S = 1.0
RECOVER_LIMIT = 2_000
"""So many missed events are told one by one; beyond that the whole state is less to send."""
CALM_S = 0.5
"""So long at most a subscription waits for what is just being told."""
FED_AHEAD = 2_000
"""So many lines from other hosts wait for the one that is missing before the log is read."""


class Log(Protocol):
    """What a relay reads; every call is a short read of its own."""

    def head(self, city_id: str) -> tuple[str, int]:
        """The epoch and the newest offset."""

    def tail(self, city_id: str, offset: int, limit: int) -> tuple[str, int, Sequence[Line]]:
        """Epoch, newest offset, and the lines after the offset, all of one moment."""

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
        self._head: dict[str, int] = {}
        self._rings: dict[str, Ring] = {}
        self._snapshots: dict[str, Shared[wire.Ready]] = {}
        self._moments: dict[str, Moment] = {}
        self._last: dict[str, int] = {}
        self._epoch: dict[str, str] = {}
        self._wake = asyncio.Event()
        self._calm = asyncio.Event()
        self._calm.set()
        self._crew_of: dict[str, str] = {}

    def wake(self) -> None:
        """The log grew. Call it from the loop's own thread."""
        self._wake.set()
        self._calm.clear()

    def follow(self, city_id: str) -> None:
        """Begin at the log's present end."""
        self._begin(city_id, *self._log.head(city_id))

    def _begin(self, city_id: str, epoch: str, offset: int) -> None:
        self._epoch[city_id], self._last[city_id] = epoch, offset
        self._head[city_id] = offset
        self._looked_at[city_id] = time.monotonic()
        self._rings[city_id] = Ring(offset)
        self._snapshots[city_id] = Shared()
        self._fed.pop(city_id, None)

    def lag(self, city_id: str) -> int:
        """How many lines of the log are known to be there and not told yet."""
        return max(0, self._head[city_id] - self._last[city_id])

    def looked_s_ago(self, city_id: str, now: float) -> float:
        """How long ago the log was looked at last, by the loop's clock; seconds."""
        return now - self._looked_at[city_id]

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
            if not self._wake.is_set():
                self._calm.set()

    async def _tell(self, city_id: str) -> None:
        while lines := await self._next(city_id):
            self._tell_city(city_id, lines)
            # here, without a pause in between: who subscribes now begins after these lines
            self._last[city_id] = lines[-1].offset
            self._head[city_id] = max(self._head[city_id], lines[-1].offset)
            await self._tell_narrow(city_id, lines)
            if self._last[city_id] == self._head[city_id] and not self._fed.get(city_id):
                return  # what grew meanwhile has woken us

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
        rested = now - self._looked_at[city_id] < POLL_S
        if self._flows() and not fed and rested:
            return []
        self._looked_at[city_id] = now
        epoch, head, found = await asyncio.to_thread(self._log.tail, city_id, last, BATCH)
        if epoch != self._epoch[city_id] or head < last:
            self._turn_over(city_id, epoch, head)
            return []
        self._head[city_id] = head
        return found

    def _turn_over(self, city_id: str, epoch: str, head: int) -> None:
        """The log was restored: what anybody knows of it may never have happened."""
        logger.warning("the log of %s is another one now, epoch %s", city_id, epoch)
        self._begin(city_id, epoch, head)
        self._hub.resync(hub_name(city_id, ""))

    def _tell_city(self, city_id: str, lines: Sequence[Line]) -> None:
        name = f"city/{city_id}"
        channel = hub_name(city_id, name)
        ring = self._rings[city_id]
        messages = [line_message(line) for line in lines]
        ring.add(messages, asyncio.get_running_loop().time())
        if self._hub.listening(channel):
            self._hub.send(channel, name, [wire.durable(name, message) for message in messages])

    async def _tell_narrow(self, city_id: str, lines: Sequence[Line]) -> None:
        heard: dict[str, list[Line]] = {}
        for line in lines:
            for name in line.channels:
                if self._hub.listening(hub_name(city_id, name)):
                    heard.setdefault(name, []).append(line)
        untold = dict.fromkeys(heard)
        try:
            for name, own in heard.items():
                first = await asyncio.to_thread(self._log.previous, city_id, name, own[0].offset)
                document = await asyncio.to_thread(self._document, city_id, name)
                messages = narrow_messages(name, own, first=first, document=document)
                texts = [wire.durable(name, message) for message in messages]
                self._hub.send(hub_name(city_id, name), name, texts)
                del untold[name]
        finally:
            # the log could not be asked and goes on without them: they ask for themselves
            for name in untold:
                self._hub.lose(hub_name(city_id, name), name)

    def _document(self, city_id: str, name: str) -> Mapping[str, Any]:
        document = self._log.document(city_id, name) or {}
        crew = document.get("crew") if name.startswith("report/") else None
        if crew:
            self._crew_of[hub_name(city_id, name)] = str(crew["id"])
        else:
            self._crew_of.pop(hub_name(city_id, name), None)
        return document

    # --- a subscription's beginning -----------------------------------------------

    async def start(self, city_id: str, name: str, since: wire.Since | None) -> wire.Start:
        """All a client needs to be up to date; the same at start and after a lost network.

        Missed events come from memory while it has them, in pages from the log up to
        `RECOVER_LIMIT`; who missed more gets the whole state, which is less.
        """
        if not name.startswith("city/"):
            return await asyncio.to_thread(self._start_narrow, city_id, name, since)
        # who wrote something and asks now must find it: what grew a moment ago is told first
        with suppress(TimeoutError):
            async with asyncio.timeout(CALM_S):
                await self._calm.wait()
        if since is not None and since.epoch == self._epoch[city_id]:
            last, bodies = self._last[city_id], self._rings[city_id].after(since.offset)
            if bodies is not None:
                text = wire.recovered_text(name, since.epoch, last, bodies)
                return wire.Ready(since.epoch, last, Packet((text,)))
            # the client may be ahead: another process told it what this one has not read yet
            if since.offset >= 0 and last - since.offset <= RECOVER_LIMIT:
                page = await asyncio.to_thread(self.page, city_id, since)
                if page is not None:
                    return page
        return await self._snapshot(city_id, name)

    def page(
        self, city_id: str, since: wire.Since, *, limit: int = RECOVER_LIMIT
    ) -> wire.Recovered | None:
        """One page of what was missed (a thread); None when the log does not go on from there.

        Nor when more than `limit` was missed.
        """
        epoch, head, lines = self._log.tail(city_id, since.offset, BATCH)
        if epoch != since.epoch or not since.offset <= head <= since.offset + limit:
            return None
        events = tuple(line_message(line) for line in lines)
        last = events[-1].o if events else since.offset
        return wire.Recovered(epoch, last, events, more=last < head)

    def whole(self, city_id: str, name: str) -> wire.Ready:
        """The whole state of the dispatchers' channel as text (a thread)."""
        epoch, offset, state = self._log.snapshot(city_id)
        text = wire.answer(name, wire.Snapshot(epoch, offset, state))
        return wire.Ready(epoch, offset, Packet((text,)))

    async def _snapshot(self, city_id: str, name: str) -> wire.Ready:
        """The state, read and written down once for all who ask within a moment.

        What was told since it was read follows it, so that nobody begins with a gap.
        """

        def usable(known: wire.Ready) -> bool:
            return known.epoch == self._epoch[city_id] and known.offset >= self._last[city_id]

        ready = await self._snapshots[city_id].get(lambda: self.whole(city_id, name), usable)
        then = self._rings[city_id].after(ready.offset) or []
        texts = tuple(wire.with_channel(name, body) for body in then)
        return replace(ready, then=texts)

    def _start_narrow(
        self, city_id: str, name: str, since: wire.Since | None
    ) -> wire.Recovered | wire.Snapshot:
        epoch, offset = self._log.head(city_id)
        known = since is not None and since.epoch == epoch and 0 <= since.offset <= offset
        if since is not None and known and offset - since.offset <= RECOVER_LIMIT:
            missed = self._log.channel_after(city_id, name, since.offset, BATCH + 1)
            if len(missed) <= BATCH:
                events = self._narrow_missed(city_id, name, missed)
                last = max([offset, *(event.o for event in events)])
                return wire.Recovered(epoch, last, tuple(events))
        document = self._document(city_id, name)
        return wire.Snapshot(epoch, offset, {document_key(name): {**document, "v": offset}})

    def _narrow_missed(
        self, city_id: str, name: str, missed: Sequence[tuple[Entry, int]]
    ) -> list[Durable]:
        if not missed:
            return []
        document = self._document(city_id, name)
        lines = [line_of(entry) for entry, _ in missed]
        return narrow_messages(name, lines, first=missed[0][1], document=document)

    # --- telemetry -----------------------------------------------------------

    async def tell_positions(self, city_id: str, now: datetime) -> None:
        """One conflated frame: dispatchers get all crews, a citizen the crew on its way."""
        fixes = await asyncio.to_thread(lambda: list(self._log.fixes(city_id)))
        moment = self._moments.setdefault(city_id, Moment())
        rows = {str(fix.crew_id): position_row(fix, now) for fix in fixes}
        moved = moment.moved({str(fix.crew_id): fix.fix_time for fix in fixes})
        frame = Frame(list(rows.values()), moved, whole=moment.whole(), pack=_packet)
        name = f"city/{city_id}"
        self._hub.send_positions(hub_name(city_id, name), name, frame)
        for key, crew_id in list(self._crew_of.items()):
            if not self._hub.listening(key):
                del self._crew_of[key]
            elif key.startswith(f"{city_id}:") and crew_id in rows:
                own = key.partition(":")[2]
                one = Frame([rows[crew_id]], moved & {crew_id}, whole=frame.whole, pack=_packet)
                self._hub.send_positions(key, own, one)


def _packet(text: str) -> Packet:
    return Packet((text,))


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
