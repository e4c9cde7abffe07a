"""From the log to the channels: from memory where it can, from the log where it must."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest

from dispatch.core import events as ev
from dispatch.core.crews import Fix
from dispatch.core.events import SYSTEM, Event
from dispatch.core.log import Entry, Line, line_of
from dispatch.relay import BATCH, RECOVER_LIMIT, Relay
from realtime import wire
from realtime.hub import Hub, Outbox
from realtime.wire import Folded, Since

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CITY = "city/k"


def entry(offset: int) -> Entry:
    fact = ev.CrewStatusSet("available", None)
    happened = Event("crew", UUID(int=7), offset, NOON, NOON, SYSTEM, fact)
    return Entry(offset, UUID(int=offset), happened, {"n": offset})


@dataclass
class FakeLog:
    """A log in memory that counts how often it is read."""

    epoch: str = "e"
    first: int = 0
    last: int = 0
    tails: int = 0
    snapshots: int = 0
    others: list[Fix] = field(default_factory=list)

    def head(self, city_id: str) -> tuple[str, int]:
        return self.epoch, self.last

    def after(self, city_id: str, offset: int, limit: int) -> Sequence[Entry]:
        return [entry(o) for o in range(offset + 1, min(self.last, offset + limit) + 1)]

    def tail(self, city_id: str, offset: int, limit: int) -> tuple[str, int, Sequence[Line]]:
        self.tails += 1
        found = self.after(city_id, offset, limit)
        return self.epoch, self.last, [line_of(each) for each in found]

    def channel_after(
        self, city_id: str, channel: str, offset: int, limit: int
    ) -> Sequence[tuple[Entry, int]]:
        return [(found, found.offset - 1) for found in self.after(city_id, offset, limit)]

    def previous(self, city_id: str, channel: str, offset: int) -> int:
        return offset - 1

    def snapshot(self, city_id: str) -> tuple[str, int, Mapping[str, Mapping[str, Any]]]:
        self.snapshots += 1
        key = f"crew/{UUID(int=7)}"
        state = {key: {"v": self.last, "n": self.last}} if self.last else {}
        return self.epoch, self.last, state

    def document(self, city_id: str, channel: str) -> Mapping[str, Any] | None:
        return {"n": self.last}

    def fixes(self, city_id: str) -> Sequence[Fix]:
        return self.others


@contextmanager
def relayed(log: FakeLog, *, flows: bool = False) -> Iterator[tuple[Relay, Hub]]:
    hub = Hub()
    relay = Relay(hub, log, flows=lambda: flows)
    relay.follow("k")
    running = asyncio.get_running_loop().create_task(relay.run())
    try:
        yield relay, hub
    finally:
        running.cancel()


def play(scene: Callable[[], Awaitable[None]]) -> None:
    async def timed() -> None:
        async with asyncio.timeout(30):
            await scene()

    asyncio.run(timed())


async def grown(log: FakeLog, relay: Relay, count: int = 1) -> None:
    """The log grows and the relay tells it."""
    log.last += count
    relay.wake()
    for _ in range(10_000):
        if relay._last["k"] == log.last:
            return
        await asyncio.sleep(0.001)


def fold(copy: Folded, start: wire.Start, name: str = CITY) -> None:
    copy.start(orjson.loads(wire.answer(name, start)))
    for text in start.then if isinstance(start, wire.Ready) else ():
        assert copy.take(orjson.loads(text))


def test_who_comes_back_soon_is_answered_from_memory() -> None:
    async def scene() -> None:
        log = FakeLog(last=5)
        with relayed(log) as (relay, _):
            await grown(log, relay, 40)
            tails = log.tails
            start = await relay.start("k", CITY, Since("e", 12))
            assert log.tails == tails
            answer = orjson.loads(wire.answer(CITY, start))
            assert [event["o"] for event in answer["events"]] == list(range(13, 46))
            assert (answer["recovered"], answer["offset"]) == (True, 45)
            assert answer["events"][0] == {
                "o": 13,
                "p": 12,
                "t": "CrewStatusSet",
                "k": f"crew/{UUID(int=7)}",
                "v": 13,
                "d": {"n": 13},
            }

    play(scene)


def test_who_missed_more_gets_pages_and_who_missed_too_much_the_whole_state() -> None:
    async def scene() -> None:
        log = FakeLog(last=RECOVER_LIMIT)
        with relayed(log) as (relay, _):
            copy = Folded()
            page = await relay.start("k", CITY, Since("e", 0))
            pages = 1
            while isinstance(page, wire.Recovered) and page.more:
                assert len(page.events) == BATCH
                fold(copy, page)
                page = await relay.start("k", CITY, Since("e", page.offset))
                pages += 1
            fold(copy, page)
            assert (pages, copy.offset) == (RECOVER_LIMIT // BATCH, RECOVER_LIMIT)
            await grown(log, relay)
            start = await relay.start("k", CITY, Since("e", 0))
            fresh = Folded()
            fold(fresh, start)
            assert orjson.loads(wire.answer(CITY, start))["recovered"] is False
            fold(copy, await relay.start("k", CITY, Since("e", copy.offset)))
            assert copy.state == fresh.state

    play(scene)


def test_many_who_come_at_once_share_one_reading() -> None:
    async def scene() -> None:
        log = FakeLog(last=9)
        with relayed(log) as (relay, _):
            starts = await asyncio.gather(*(relay.start("k", CITY, None) for _ in range(200)))
            assert log.snapshots <= 2
            for start in starts[::50]:
                copy = Folded()
                fold(copy, start)
                assert copy.offset == 9
            await grown(log, relay, 3)
            copy = Folded()
            fold(copy, await relay.start("k", CITY, None))
            assert copy.offset == 12, "what is known to be old is not told"

    play(scene)


def test_who_heard_more_than_this_process_keeps_its_thread() -> None:
    async def scene() -> None:
        log = FakeLog(last=5)
        with relayed(log) as (relay, _):
            log.last = 8  # told by another process, not read here yet
            start = await relay.start("k", CITY, Since("e", 8))
            assert isinstance(start, wire.Recovered)
            assert (start.offset, start.events) == (8, ())

    play(scene)


def test_an_offset_from_before_a_restore_is_worth_nothing() -> None:
    async def scene() -> None:
        log = FakeLog(last=50)
        with relayed(log) as (relay, hub):
            listener = Outbox()
            hub.join("k:city/k", listener)
            log.epoch, log.last = "f", 20
            relay.wake()
            [told] = await listener.take()
            assert orjson.loads(told) == {"ch": CITY, "resync": True}
            for since in (Since("e", 50), Since("e", 10), Since("f", 30)):
                start = await relay.start("k", CITY, since)
                answer = orjson.loads(wire.answer(CITY, start))
                assert (answer["recovered"], answer["epoch"], answer["offset"]) == (False, "f", 20)

    play(scene)


def line(offset: int, *, withheld: bool = False) -> Line:
    changes = None if withheld else {"n": offset}
    return Line(offset, "CrewStatusSet", f"crew/{UUID(int=7)}", offset, changes)


def test_lines_from_another_host_are_told_without_the_log_and_a_gap_is_read_from_it() -> None:
    async def scene() -> None:
        log = FakeLog(last=10)
        with relayed(log, flows=True) as (relay, hub):
            listener = Outbox()
            hub.join("k:city/k", listener)
            heard: list[int] = []

            async def until(offset: int) -> None:
                while offset not in heard:
                    heard.extend(orjson.loads(text)["o"] for text in await listener.take())

            log.last = 13
            tails = log.tails
            for offset in (11, 12, 13):
                relay.feed("k", "e", line(offset))
            await until(13)
            assert log.tails <= tails + 1  # the slow poll may have come in between
            relay.feed("k", "e", line(12))  # a late repeat
            relay.feed("k", "other", line(14))  # of another log
            log.last = 16
            relay.feed("k", "e", line(16))  # two are missing
            await until(16)
            log.last = 17
            relay.feed("k", "e", line(17, withheld=True))
            await until(17)
            assert heard == list(range(11, 18))

    play(scene)


def test_a_phone_whose_news_could_not_be_read_asks_for_them_itself() -> None:
    """The log goes on without it: silence would leave it behind until something else happens."""

    @dataclass
    class Away(FakeLog):
        away: bool = True

        def tail(self, city_id: str, offset: int, limit: int) -> tuple[str, int, Sequence[Line]]:
            epoch, last, entries = super().tail(city_id, offset, limit)
            return epoch, last, [replace(each, channels=("crew/7",)) for each in entries]

        def document(self, city_id: str, channel: str) -> Mapping[str, Any] | None:
            if self.away:
                raise OSError("the database is away")
            return super().document(city_id, channel)

    async def scene() -> None:
        log, hub, phone = Away(last=1), Hub(), Outbox()
        relay = Relay(hub, log)
        relay.follow("k")
        hub.join("k:crew/7", phone)
        log.last = 2
        with pytest.raises(OSError, match="away"):
            await relay._tell("k")
        assert [orjson.loads(text) for text in await phone.take()] == [
            {"ch": "crew/7", "resync": True}
        ]

    play(scene)
