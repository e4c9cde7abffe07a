"""The Python client on real sockets: snapshot + events = fresh snapshot, whatever happens to it."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from dispatch import actions
from dispatch.core.events import Actor
from realtime.client import Channel, LiveClient
from tests.story.served import Served, served
from tests.story.test_asyncapi import report
from web.cli.city import restored
from web.sockets import PipedProtocol

ADMIN = Actor("administrator", "test")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served")) as running:
        yield running


def play(scene: Callable[[], Awaitable[None]]) -> None:
    async def timed() -> None:
        async with asyncio.timeout(90):
            await scene()

    asyncio.run(timed())


def client_of(city: Served) -> LiveClient:
    headers = city.cookie()
    return LiveClient(city.url(), headers=lambda: headers, origin=city.base, first_retry_s=0.05)


def work(city: Served, number: int) -> None:
    """Something happens."""
    with city.system.looking("kota") as world:
        crew_id = next(iter(world.crews())).id
    status = "conditionally_available" if number % 2 else "available"
    city.system.do(
        "kota",
        ADMIN,
        lambda w, now: actions.set_crew_status(w, now, ADMIN, crew_id, status=status),
    )


async def eventually(true: Callable[[], bool]) -> None:
    for _ in range(3_000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to be")


async def same_as_fresh(city: Served, channel: Channel) -> None:
    head = city.system.offset("kota")
    await channel.until(lambda: channel.folded.offset >= head)
    async with client_of(city) as other:
        fresh = await other.follow("city/kota")
        await fresh.until(lambda: fresh.folded.offset >= head)
        assert fresh.folded.offset == channel.folded.offset
        assert dict(channel.state) == dict(fresh.state)


def test_a_client_that_loses_its_network_again_and_again_ends_like_a_fresh_one(
    city: Served,
) -> None:
    chance = random.Random(5)

    async def scene() -> None:
        async with client_of(city) as client:
            channel = await client.follow("city/kota")
            await channel.until(lambda: channel.started)
            for number in range(40):
                await asyncio.to_thread(work, city, number)
                if number % 8 == 3:
                    await asyncio.to_thread(report, city, 111.53 + number / 10_000)
                if chance.random() < 0.3:
                    await client.drop()
                    await asyncio.sleep(chance.random() / 10)
            await same_as_fresh(city, channel)
            assert client.connections > 3
            assert channel.recoveries > 0
            assert channel.snapshots == 1, "what was missed, never the whole state again"

    play(scene)


def test_after_a_restore_every_screen_begins_anew(city: Served) -> None:
    """The administrator says so while it runs; the client had an offset the copy never knew."""

    async def scene() -> None:
        async with client_of(city) as client:
            channel = await client.follow("city/kota")
            await channel.until(lambda: channel.started)
            before = channel.folded.epoch
            url = city.system.engine.url.render_as_string(hide_password=False)
            with patch.dict(os.environ, {"SIGAP_DATABASE_URL": url}):
                await asyncio.to_thread(restored, "kota")
            await channel.until(lambda: channel.folded.epoch != before)
            assert channel.snapshots == 2
            await asyncio.to_thread(work, city, 1)
            await same_as_fresh(city, channel)

    play(scene)


def test_a_client_too_slow_is_told_to_resync_and_loses_nothing(city: Served) -> None:
    """Its socket takes nothing until far more waits than its box holds."""

    async def scene() -> None:
        told: list[Any] = []
        headers = city.cookie()
        client = LiveClient(
            city.url(), headers=lambda: headers, watch=told.append, first_retry_s=0.05
        )
        async with client:
            channel = await client.follow("city/kota")
            await channel.until(lambda: channel.started)
            pipes = [client_.outbox._pipe for client_ in city.system.hub.clients]  # type: ignore[attr-defined]
            assert all(isinstance(pipe, PipedProtocol) for pipe in pipes)

            def stall(flowing: bool) -> None:
                for pipe in pipes:
                    pipe.pause_writing() if not flowing else pipe.resume_writing()

            city.loop.call_soon_threadsafe(stall, False)
            for number in range(30):
                await asyncio.to_thread(work, city, number)
            text = '{"ch":"city/kota","pos":[]}'
            city.loop.call_soon_threadsafe(
                lambda: city.system.hub.send("kota:city/kota", "city/kota", [text] * 600)
            )
            await asyncio.to_thread(work, city, 1)
            city.loop.call_soon_threadsafe(stall, True)
            await channel.until(lambda: any("resync" in message for message in told))
            await asyncio.to_thread(work, city, 2)
            await same_as_fresh(city, channel)
            assert channel.snapshots == 1

    play(scene)


def test_a_socket_that_does_not_read_costs_the_server_a_bounded_amount(city: Served) -> None:
    async def scene() -> None:
        url = httpx.URL(city.base)
        reader, writer = await asyncio.open_connection(url.host, url.port)
        cookie = city.cookie()["Cookie"]
        writer.write(
            f"GET /ws/kota HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {'A' * 22}==\r\nSec-WebSocket-Version: 13\r\n"
            f"Cookie: {cookie}\r\n\r\n".encode()
        )
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"sub":"city/kota"}'
        writer.write(bytes((0x81, 0x80 | len(body))) + bytes(4) + body)
        await eventually(lambda: city.system.hub.listeners("kota:city/kota") != 0)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        big = '{"ch":"city/kota","filler":"' + "x" * 50_000 + '"}'

        def flood() -> None:
            for _ in range(400):
                city.system.hub.send("kota:city/kota", "city/kota", [big])

        before = city.system.hub.counts.overflows
        city.loop.call_soon_threadsafe(flood)
        await eventually(lambda: city.system.hub.counts.overflows != before)
        [slow] = [c for c in city.system.hub.clients if c.outbox.overflows]  # type: ignore[attr-defined]
        held = slow.outbox._pipe.transport.get_write_buffer_size()  # type: ignore[attr-defined]
        assert held < 2_000_000
        assert slow.outbox.waiting <= 2  # type: ignore[attr-defined]
        # and once it is known to be dead it is hung up on, whatever waits
        city.loop.call_soon_threadsafe(lambda: slow.tend(city.loop.time() + 1_000))
        await eventually(lambda: slow not in city.system.hub.clients)
        writer.transport.abort()

    play(scene)


def test_a_database_that_is_away_sends_a_socket_away_and_it_comes_back(
    city: Served, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Subscribing asks the database: one clear line, a code to come back after, no traceback."""
    away, real = True, city.system.relay.start

    async def start(*given: Any) -> Any:
        if away:
            raise OperationalError("SELECT 1", {}, Exception("no route to the database\nat all"))
        return await real(*given)

    monkeypatch.setattr(city.system.relay, "start", start)
    codes: list[int | None] = []

    async def scene() -> None:
        nonlocal away
        async with connect(
            city.url(), additional_headers=city.cookie(), origin=Origin(city.base)
        ) as one:
            await one.send('{"sub":"city/kota"}')
            await one.wait_closed()
            codes.append(one.close_code)
        async with client_of(city) as client:
            channel = await client.follow("city/kota")
            await eventually(lambda: client.connections > 1)
            assert not client.signed_out
            away = False
            await same_as_fresh(city, channel)

    with caplog.at_level(logging.INFO):
        play(scene)
    assert codes == [1013]
    told = [record for record in caplog.records if "database does not answer" in record.message]
    assert told
    assert all("no route to the database" in record.message for record in told)
    assert not any("\n" in record.message or record.exc_info for record in told)
    assert "Exception in ASGI application" not in caplog.text


def test_a_database_that_is_away_when_a_socket_comes_is_no_crash_either(
    city: Served, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr("web.stream.the_viewers", nobody)

    async def scene() -> None:
        with pytest.raises(InvalidStatus):
            await connect(city.url(), additional_headers=city.cookie(), origin=Origin(city.base))
        monkeypatch.undo()
        async with client_of(city) as client:
            await same_as_fresh(city, await client.follow("city/kota"))

    with caplog.at_level(logging.INFO):
        play(scene)
    assert "the database does not answer; a socket was told to come again: gone" in caplog.text
    assert "Exception in ASGI application" not in caplog.text
