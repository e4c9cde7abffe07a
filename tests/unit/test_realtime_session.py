"""One socket from hello to goodbye: recover, then live, with nothing lost in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from realtime import wire
from realtime.frames import Packet
from realtime.hub import Hub
from realtime.positions import Frame
from realtime.session import DEAD_AFTER_S, MAX_CHANNELS, PING_EVERY_S, Refused, Session
from realtime.wire import Durable, Folded, Recovered, Since, Snapshot


def event_text(offset: int) -> str:
    event = Durable(offset, offset - 1, "X", "crew/7", offset, {"n": offset})
    return wire.durable("city/k", event)


@dataclass
class Log:
    """A source whose log can grow while a subscription is being answered."""

    hub: Hub
    head: int = 0
    forbidden: set[str] = field(default_factory=set)
    starts: list[Since | None] = field(default_factory=list)
    while_reading: Callable[[], Awaitable[None]] | None = None
    fails: bool = False
    page: int = 1_000_000

    async def allow(self, channel: str, token: str | None) -> str:
        if channel in self.forbidden:
            raise Refused("forbidden", "Not yours.")
        return f"k:{channel}"

    async def start(self, channel: str, since: Since | None) -> Recovered | Snapshot:
        self.starts.append(since)
        before = self.head
        if self.while_reading is not None:
            await self.while_reading()
        if self.fails:
            raise OSError("the database is away")
        if since is not None and since.epoch == "e":
            last = min(before, since.offset + self.page)
            events = [
                Durable(o, o - 1, "X", "crew/7", o, {"n": o})
                for o in range(since.offset + 1, last + 1)
            ]
            return Recovered("e", last, tuple(events), more=last < before)
        return Snapshot("e", before, {"crew/7": {"v": before, "n": before}} if before else {})

    def grow(self, count: int = 1) -> None:
        for _ in range(count):
            self.head += 1
            self.hub.send("k:city/k", "city/k", [event_text(self.head)])


class Client:
    """The other end of the socket."""

    def __init__(self, log: Log) -> None:
        self.received: list[dict[str, Any]] = []
        self.copy = Folded()
        self.taking = asyncio.Event()
        self.taking.set()
        self._news = asyncio.Event()
        self._to_server: asyncio.Queue[str | None] = asyncio.Queue()
        self.session = Session(log.hub, log, send=self._send, receive=self._to_server.get)
        self.running = asyncio.create_task(self.session.run())

    async def _send(self, text: str) -> None:
        await self.taking.wait()
        self.received.append(orjson.loads(text))
        self._news.set()

    def say(self, message: dict[str, Any] | str | None) -> None:
        text = orjson.dumps(message).decode() if isinstance(message, dict) else message
        self._to_server.put_nowait(text)

    async def heard(self, test: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while not (found := [m for m in self.received if test(m)]):
                self._news.clear()
                await self._news.wait()
        return found[-1]

    async def leave(self) -> str:
        self.say(None)
        return await self.running

    def fold(self) -> bool:
        """Take in all that was received, as a screen does."""
        whole = True
        for message in self.received:
            if "recovered" in message:
                self.copy.start(message)
            elif "o" in message:
                whole = whole and self.copy.take(message)
        return whole


def answered(message: dict[str, Any]) -> bool:
    return "recovered" in message


def offset(wanted: int) -> Callable[[dict[str, Any]], bool]:
    return lambda message: message.get("o") == wanted


def refused(message: dict[str, Any]) -> bool:
    return "error" in message


def play(scene: Callable[[Log], Awaitable[None]]) -> None:
    async def in_a_loop() -> None:
        async with asyncio.timeout(30):
            await scene(Log(Hub()))

    asyncio.run(in_a_loop())


def test_the_whole_state_first_and_then_what_happens() -> None:
    async def scene(log: Log) -> None:
        log.grow(3)
        client = Client(log)
        client.say({"sub": "city/k"})
        start = await client.heard(answered)
        assert (start["recovered"], start["offset"]) == (False, 3)
        log.grow()
        await client.heard(offset(4))
        assert client.fold()
        assert client.copy.state["crew/7"] == {"v": 4, "n": 4}
        assert await client.leave() == "left"

    play(scene)


def test_since_brings_only_what_was_missed() -> None:
    async def scene(log: Log) -> None:
        log.grow(5)
        client = Client(log)
        client.say({"sub": "city/k", "since": {"epoch": "e", "offset": 3}})
        start = await client.heard(answered)
        assert start["recovered"] is True
        assert [event["o"] for event in start["events"]] == [4, 5]
        await client.leave()
        assert log.starts == [Since("e", 3)]

    play(scene)


def test_what_happens_while_a_subscription_is_answered_is_not_lost() -> None:
    async def scene(log: Log) -> None:
        log.grow(2)

        async def meanwhile() -> None:
            log.grow(2)
            await asyncio.sleep(0)
            log.grow()

        log.while_reading = meanwhile
        client = Client(log)
        client.say({"sub": "city/k"})
        await client.heard(offset(5))
        log.while_reading = None
        log.grow()
        await client.heard(offset(6))
        kinds = ["answer" if "recovered" in m else m["o"] for m in client.received if "ch" in m]
        assert kinds == ["answer", 3, 4, 5, 6]
        assert client.fold()
        assert client.copy.offset == 6
        await client.leave()

    play(scene)


def test_subscribing_again_while_events_come_keeps_the_order() -> None:
    async def scene(log: Log) -> None:
        log.grow(2)
        client = Client(log)
        client.say({"sub": "city/k"})
        await client.heard(answered)
        log.grow()

        async def meanwhile() -> None:
            log.grow(2)

        log.while_reading = meanwhile
        client.say({"sub": "city/k", "since": {"epoch": "e", "offset": 2}})
        await client.heard(lambda m: m.get("recovered") is True)
        log.while_reading = None
        log.grow()
        await client.heard(offset(6))
        assert client.fold(), "no gap, however often it subscribed"
        assert client.copy.offset == 6
        assert log.hub.listeners("k:city/k") == 1, "and it hears everything once"
        await client.leave()

    play(scene)


def test_a_client_too_slow_is_told_to_resync_and_catches_up() -> None:
    async def scene(log: Log) -> None:
        client = Client(log)
        client.say({"sub": "city/k"})
        await client.heard(answered)
        client.taking.clear()
        log.grow(2000)
        client.taking.set()
        await client.heard(lambda m: bool(m.get("resync")))
        log.grow()
        client.say({"sub": "city/k", "since": {"epoch": "e", "offset": 0}})
        await client.heard(lambda m: m.get("offset") == 2001)
        log.grow()
        await client.heard(offset(2002))
        client.fold()
        assert client.copy.offset == 2002
        assert client.session.outbox.overflows == 1
        await client.leave()

    play(scene)


def test_a_refusal_names_the_channel_and_the_socket_stays() -> None:
    async def scene(log: Log) -> None:
        log.forbidden.add("crew/9")
        client = Client(log)
        client.say({"sub": "crew/9"})
        told = await client.heard(refused)
        assert told == {"ch": "crew/9", "error": {"code": "forbidden", "detail": "Not yours."}}
        client.say({"sub": "city/k"})
        await client.heard(answered)
        await client.leave()

    play(scene)


def test_what_is_forbidden_now_is_no_longer_heard() -> None:
    async def scene(log: Log) -> None:
        client = Client(log)
        client.say({"sub": "city/k"})
        await client.heard(answered)
        log.forbidden.add("city/k")
        client.say({"sub": "city/k"})
        await client.heard(refused)
        assert log.hub.listeners("k:city/k") == 0
        await client.leave()

    play(scene)


def test_a_message_that_is_none_gets_a_sentence_and_the_socket_stays() -> None:
    async def scene(log: Log) -> None:
        client = Client(log)
        client.say("hello?")
        told = await client.heard(refused)
        assert (told["ch"], told["error"]["code"]) == (None, "bad_message")
        client.say({"pong": 1})
        client.say({"sub": "city/k"})
        await client.heard(answered)
        await client.leave()

    play(scene)


def test_unsubscribing_ends_one_channel() -> None:
    async def scene(log: Log) -> None:
        client = Client(log)
        client.say({"sub": "city/k"})
        await client.heard(answered)
        client.say({"unsub": "city/k"})
        client.say({"unsub": "never/heard"})
        client.say({"sub": "crew/7"})
        await client.heard(lambda m: m.get("ch") == "crew/7")
        assert log.hub.listeners("k:city/k") == 0
        assert log.hub.listeners("k:crew/7") == 1
        await client.leave()
        assert log.hub.listeners("k:crew/7") == 0

    play(scene)


def test_one_socket_hears_a_bounded_number_of_channels() -> None:
    async def scene(log: Log) -> None:
        client = Client(log)
        for number in range(MAX_CHANNELS + 1):
            client.say({"sub": f"crew/{number}"})
        told = await client.heard(refused)
        assert (told["ch"], told["error"]["code"]) == (f"crew/{MAX_CHANNELS}", "too_many")
        client.say({"sub": "crew/0"})
        await client.heard(lambda m: client.received.count(m) == 2 and m["ch"] == "crew/0")
        await client.leave()

    play(scene)


def test_a_source_that_fails_ends_the_socket_and_leaves_nobody_listening() -> None:
    async def scene(log: Log) -> None:
        log.fails = True
        client = Client(log)
        client.say({"sub": "city/k"})
        with pytest.raises(OSError, match="away"):
            await client.running
        assert not log.hub.listening("k:city/k")

    play(scene)


def test_a_shutdown_ends_a_socket_even_while_its_first_channel_is_read() -> None:
    async def scene(log: Log) -> None:
        async def meanwhile() -> None:
            log.hub.close_all("shutdown")

        log.while_reading = meanwhile
        client = Client(log)
        client.say({"sub": "city/k"})
        assert await client.running == "shutdown"

    play(scene)


def test_a_client_that_goes_leaves_nothing_behind() -> None:
    async def scene(log: Log) -> None:
        client = Client(log)
        client.say({"sub": "city/k"})
        await client.heard(answered)
        client.taking.clear()
        log.grow(10)
        assert await client.leave() == "left"
        assert not log.hub.listening("k:city/k")

    play(scene)


def test_either_side_may_ask_whether_the_other_is_there() -> None:
    async def scene(log: Log) -> None:
        client = Client(log)
        client.say({"ping": 7})
        await client.heard(lambda m: m == {"pong": 7})
        log.hub.tend(asyncio.get_running_loop().time() + PING_EVERY_S)
        await client.heard(lambda m: "ping" in m)
        await client.leave()

    play(scene)


def test_who_stays_silent_is_hung_up_on_and_who_answers_is_not() -> None:
    async def scene(log: Log) -> None:
        dead, alive = Client(log), Client(log)
        for client in (dead, alive):
            client.say({"sub": "city/k"})
            await client.heard(answered)
        start = asyncio.get_running_loop().time()
        alive.session._heard_at = start + 40
        log.hub.tend(start + DEAD_AFTER_S + 1)
        assert await dead.running == "dead"
        assert not alive.running.done()
        assert log.hub.listeners("k:city/k") == 1
        assert log.hub.counts.dead == 1
        await alive.leave()

    play(scene)


def test_pages_come_one_after_the_other_and_live_events_after_the_last() -> None:
    async def scene(log: Log) -> None:
        log.grow(7)
        log.page = 3

        async def meanwhile() -> None:
            log.while_reading = None
            log.grow(2)

        log.while_reading = meanwhile
        client = Client(log)
        client.say({"sub": "city/k", "since": {"epoch": "e", "offset": 0}})
        await client.heard(offset(9))
        pages = [m for m in client.received if answered(m)]
        assert [page.get("more", False) for page in pages] == [True, True, False]
        assert client.fold()
        assert client.copy.offset == 9
        await client.leave()

    play(scene)


def test_a_map_says_what_it_looks_at() -> None:
    async def scene(log: Log) -> None:
        client = Client(log)
        client.say({"sub": "city/k", "bbox": [1, 1, 2, 2]})
        client.say({"sub": "crew/7", "pos": False})
        await client.heard(lambda m: m.get("ch") == "crew/7")
        rows = [["a", 1.5, 1.5, None, 1], ["b", 5.0, 5.0, None, 1]]

        def send() -> None:
            for name in ("city/k", "crew/7"):
                frame = Frame(rows, set(), whole=False, pack=lambda text: Packet((text,)))
                log.hub.send_positions(f"k:{name}", name, frame)

        send()
        found = await client.heard(lambda m: "pos" in m)
        assert (found["ch"], [row[0] for row in found["pos"]]) == ("city/k", ["a"])
        client.say({"view": "city/k", "bbox": [4, 4, 6, 6]})
        client.say({"ping": 1})
        await client.heard(lambda m: "pong" in m)
        send()
        await client.heard(lambda m: "pos" in m and m["pos"][0][0] == "b")
        assert all(m["ch"] == "city/k" for m in client.received if "pos" in m)
        await client.leave()

    play(scene)
