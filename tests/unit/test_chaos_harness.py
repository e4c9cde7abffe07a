"""The harness that breaks things can itself fail: it sees what is lost, doubled or out of order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from dispatch.storage import answers, tables
from dispatch.storage.answers import Request
from geo.sql import reading, writing
from tests.chaos.ledger import Held, Ledger, Wish, held
from tests.chaos.proxy import Wire
from tests.chaos.watch import Watcher
from tests.story.small_city import Stand, stand

# --- screens ----------------------------------------------------------------------


def event(o: int, *, p: int | None = None, v: int = 1) -> dict[str, Any]:
    return {"o": o, "p": o - 1 if p is None else p, "t": "X", "k": "report/1", "v": v, "d": {}}


def screen(channel: str = "city/kota") -> Watcher:
    made = Watcher(["http://nowhere"], channel)
    made.take({"recovered": False, "epoch": "e", "offset": 10, "state": {}})
    return made


def test_a_screen_that_hears_all_in_order_is_content() -> None:
    seen = screen()
    assert all(seen.take(event(o)) for o in (11, 12, 12, 13))
    seen.take({"recovered": True, "epoch": "e", "offset": 15, "events": [event(14), event(15)]})
    assert (seen.wrong, seen.folded.offset, seen.events) == ([], 15, 3)


def test_a_line_that_is_skipped_is_noticed() -> None:
    """The next one admits it: the screen asks again. It pretends to follow: that is a fault."""
    assert not screen().take(event(12))
    seen = screen()
    seen.take(event(12, p=10))
    assert seen.wrong == ["city/kota: 12 follows 10"]


def test_a_recovery_with_a_hole_is_noticed() -> None:
    for events in ([event(11), event(13)], [event(12), event(11)], [event(11)]):
        seen = screen()
        seen.take({"recovered": True, "epoch": "e", "offset": 13, "events": events})
        assert seen.wrong, events


def test_a_channel_that_goes_back_is_noticed() -> None:
    seen = screen("crew/1")
    seen.take({"recovered": False, "epoch": "e", "offset": 7, "state": {}})
    assert seen.wrong == ["crew/1: went back from 10 to 7"]


# --- the ledger -------------------------------------------------------------------


@pytest.fixture
def city(tmp_path: Path) -> Any:
    with stand(tmp_path) as made:
        yield made


def sent(city: Stand, ledger: Ledger, mark: str) -> Wish:
    """A report that was acknowledged."""
    body = {"service_code": "pothole", "description": f"Jalan berlubang dalam {mark}"}
    answer = city.visitor().post(
        "/reports", body | {"lon": 111.53, "lat": -7.63}, key=f"key-of-{mark}"
    )
    wish = ledger.new(Wish(f"key-of-{mark}", "/reports", body, mark))
    wish.status, wish.answer = answer.status_code, answer.json()
    assert wish.acknowledged, wish.answer
    return wish


def judged(city: Stand, ledger: Ledger) -> Held:
    with reading(city.system.engine) as connection:
        return held(connection, "kota", ledger)


def test_the_ledger_finds_what_is_lost_doubled_or_done_though_refused(city: Stand) -> None:
    ledger = Ledger()
    sent(city, ledger, "aaa")
    twice = sent(city, ledger, "bbb")
    assert judged(city, ledger) == Held((), (), ())
    lost = ledger.new(Wish("k-ccc", "/reports", {}, "ccc", status=201))
    lost.answer = {"ticket": "KTA-NONE", "token": "t"}
    found = judged(city, ledger)
    assert len(found.lost) == 3, "no such answer, no such words, no such ticket"
    another = tables.personal.c.report_id == city.report()[2]
    with writing(city.system.engine) as connection:
        again = tables.personal.update().where(another).values(description="sekali lagi bbb")
        connection.execute(again)
    assert judged(city, ledger).doubled == ("/reports: bbb is there 2 times",)
    twice.status, twice.answer = 409, {"code": "conflict"}
    assert judged(city, ledger).refused_but_done


def test_the_ledger_finds_a_line_that_two_wishes_were_told_of(city: Stand) -> None:
    ledger = Ledger()
    events = [{"o": 1, "t": "CrewRegistered", "k": f"crew/{city.crew_id}", "v": 1}]
    with writing(city.system.engine) as connection:
        for key in ("one", "two"):
            wish = ledger.new(Wish(key, "/x", {}, status=200, answer={"events": events}))
            kept = Request(key, "POST /x", "hash")
            now = city.system.clock()
            answers.keep(connection, "kota", "citizen", kept, status=200, body=wish.answer, now=now)
    assert judged(city, ledger) == Held((), ("/x: line 1 was answered to two wishes",), ())


# --- wires ------------------------------------------------------------------------


def wired(act: Callable[[Wire, Any], Coroutine[Any, Any, None]]) -> None:
    """A server that repeats what it hears in capitals, behind a wire."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data.upper())
        writer.write(b"bye")
        writer.close()

    async def play() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        wire = Wire(server.sockets[0].getsockname())
        await wire.start()

        async def call() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            return await asyncio.open_connection("127.0.0.1", wire.port)

        try:
            async with asyncio.timeout(30):
                await act(wire, call)
        finally:
            await wire.stop()
            server.close()

    asyncio.run(play())


def test_a_whole_wire_passes_and_a_cut_one_resets() -> None:
    async def act(wire: Wire, call: Any) -> None:
        reader, writer = await call()
        writer.write(b"a")
        assert await reader.read(100) == b"A"
        wire.cut()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        wire.heal()
        reader, writer = await call()
        writer.write(b"b")
        assert await reader.read(100) == b"B"
        writer.close()

    wired(act)


def test_what_a_wire_holds_goes_on_when_it_is_healed() -> None:
    async def act(wire: Wire, call: Any) -> None:
        reader, writer = await call()
        wire.hold()
        writer.write(b"a")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(100), 0.2)
        wire.heal()
        assert await reader.read(100) == b"A"
        writer.close()

    wired(act)


def test_a_half_closed_wire_still_brings_the_answer() -> None:
    async def act(wire: Wire, call: Any) -> None:
        reader, writer = await call()
        writer.write(b"a")
        assert await reader.read(100) == b"A"
        wire.half_close()
        assert await reader.read() == b"bye"
        writer.close()

    wired(act)


def test_an_orphan_is_gone_for_the_client_and_not_for_the_server() -> None:
    async def act(wire: Wire, call: Any) -> None:
        reader, writer = await call()
        writer.write(b"a")
        assert await reader.read(100) == b"A"
        [orphan] = wire._pairs
        wire.orphan()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        assert not orphan.server.transport.is_closing()
        writer.close()

    wired(act)
