"""A slow listener loses the thread, is told so, and nobody else suffers for it."""

from __future__ import annotations

import asyncio

import orjson

from realtime import wire
from realtime.hub import Hub, Outbox


def texts(outbox: Outbox) -> list[str]:
    return asyncio.run(outbox.take())


def resyncs(found: list[str]) -> list[str]:
    return [message["ch"] for text in found if (message := orjson.loads(text)).get("resync")]


def test_messages_come_out_in_the_order_they_went_in_and_telemetry_last() -> None:
    outbox = Outbox()
    outbox.put_latest("a", "old frame")
    outbox.put("a", "1")
    outbox.put("b", "2")
    outbox.put_latest("a", "new frame")
    assert texts(outbox) == ["1", "2", "new frame"]


def test_a_box_holds_as_many_as_its_limit() -> None:
    outbox = Outbox(limit=3)
    for number in range(3):
        outbox.put("a", str(number))
    assert texts(outbox) == ["0", "1", "2"]
    assert outbox.overflows == 0


def test_an_overflow_tells_every_channel_that_lost_something() -> None:
    outbox = Outbox(limit=3)
    outbox.put("quiet", "the answer to a subscription")
    for number in range(3):
        outbox.put("busy", str(number))
    found = texts(outbox)
    assert resyncs(found) == ["quiet", "busy"]
    assert len(found) == 2
    assert outbox.overflows == 1


def test_a_channel_without_a_thread_stays_silent_until_it_is_found_again() -> None:
    outbox = Outbox(limit=1)
    outbox.put("a", "1")
    outbox.put("a", "2")
    assert resyncs(texts(outbox)) == ["a"]
    outbox.put("a", "3")
    outbox.put("b", "other")
    assert texts(outbox) == ["other"]
    outbox.resumed("a")
    outbox.put("a", "4")
    assert texts(outbox) == ["4"]


def test_the_box_never_grows_beyond_its_limit_and_its_channels() -> None:
    outbox = Outbox(limit=5)
    for number in range(1000):
        outbox.put(f"ch/{number % 4}", str(number))
    assert len(texts(outbox)) <= 5 + 4


def test_taking_waits_until_there_is_something() -> None:
    async def scene() -> list[str]:
        outbox = Outbox()
        taking = asyncio.create_task(outbox.take())
        await asyncio.sleep(0)
        assert not taking.done()
        outbox.put("a", "1")
        return await taking

    assert asyncio.run(scene()) == ["1"]


def test_closing_wakes_whoever_waits() -> None:
    async def scene() -> tuple[list[str], str | None]:
        outbox = Outbox()
        taking = asyncio.create_task(outbox.take())
        await asyncio.sleep(0)
        outbox.close("shutdown")
        return await taking, outbox.closed

    assert asyncio.run(scene()) == ([], "shutdown")


def test_each_listener_hears_its_channels_and_no_other() -> None:
    hub, one, two = Hub(), Outbox(), Outbox()
    hub.join("k:city/k", one)
    hub.join("k:city/k", two)
    hub.join("k:crew/7", two)
    hub.send("k:city/k", "city/k", ["x"])
    hub.send("k:crew/7", "crew/7", ["y"])
    hub.send("k:crew/8", "crew/8", ["z"])
    hub.send_latest("k:crew/7", "crew/7", "where")
    assert texts(one) == ["x"]
    assert texts(two) == ["x", "y", "where"]
    assert (hub.listeners("k:city/k"), hub.listening("k:crew/8")) == (2, False)


def test_a_channel_nobody_hears_is_forgotten() -> None:
    hub, outbox = Hub(), Outbox()
    hub.join("a", outbox)
    hub.leave("a", outbox)
    hub.leave("a", outbox)
    assert not hub.listening("a")
    assert hub.listeners("a") == 0


def test_one_slow_listener_does_not_slow_the_others() -> None:
    hub, slow, quick = Hub(), Outbox(limit=2), Outbox(limit=100)
    hub.join("a", slow)
    hub.join("a", quick)
    hub.send("a", "a", [str(number) for number in range(50)])
    assert len(texts(quick)) == 50
    assert resyncs(texts(slow)) == ["a"]


def test_a_shutdown_closes_every_listener() -> None:
    hub, outbox = Hub(), Outbox()
    hub.join("a", outbox)
    hub.close_all("shutdown")
    assert outbox.closed == "shutdown"


def test_the_text_of_a_resync_names_its_channel() -> None:
    assert orjson.loads(wire.resync("city/k")) == {"ch": "city/k", "resync": True}
