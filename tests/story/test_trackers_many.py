"""Thousands of trackers at the door: what one knock costs, and what never changes for it."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from tests.story.small_city import MIDDLE, Stand, stand
from web.serving import MAX_HEAD_BYTES, Server
from web.trackers.intake import Intake

LON, LAT = MIDDLE


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("many")) as running:
        yield running


@pytest.fixture(scope="module")
def wish(city: Stand) -> dict[str, Any]:
    body = {"label": "Pelacak", "crew_id": str(city.crew_id)}
    made = city.staff("dispatcher").post("/devices", body).json()
    return {"id": made["device"]["id"], "secret": made["secret"], "lat": LAT, "lon": LON}


def test_the_registry_is_read_once_for_all_who_knock_meanwhile(city: Stand) -> None:
    """Each knock once read all devices by itself when that was due: 2,000 × 2,000 rows."""
    devices = city.system.devices("kota")
    read, real = 0, devices.refresh
    everybody_waits = threading.Event()

    def slow() -> None:
        nonlocal read
        read += 1
        assert everybody_waits.wait(20)
        real()

    async def knock() -> None:
        intake = Intake()
        knocks = [asyncio.create_task(intake.registry(city.system, "kota")) for _ in range(30)]
        await asyncio.sleep(0)
        knocks[0].cancel()  # who hangs up does not end it for the others
        await asyncio.sleep(0)
        everybody_waits.set()
        found = await asyncio.gather(*knocks[1:])
        assert all(each is devices for each in found)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(devices, "_read_at", None)
        patched.setattr(devices, "refresh", slow)
        asyncio.run(knock())
        assert read == 1
        assert not devices.outdated()


def test_a_fix_that_was_taken_is_logged_at_debug_and_a_refused_knock_always(
    city: Stand, wish: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    client = city.visitor().client

    def lines() -> list[tuple[str, str, int]]:
        found = [getattr(record, "fields", {}) for record in caplog.records]
        caplog.clear()
        return [(f["method"], f["route"], f["status"]) for f in found if "route" in f]

    with caplog.at_level(logging.INFO, "sigap.access"):
        assert client.get("/osmand/kota", params=wish).status_code == 200
        assert lines() == []
        assert client.get("/osmand/kota", params=wish | {"secret": "no"}).status_code == 401
        assert client.put(f"/osmand/kota/{wish['secret']}").status_code == 405
    assert lines() == [
        ("GET", "/osmand/{city}", 401),
        ("PUT", "/osmand/{city}/{secret}", 405),
    ], "by its pattern: the real path holds the secret"
    with caplog.at_level(logging.DEBUG, "sigap.access"):
        client.get("/osmand/kota", params=wish)
    assert lines() == [("GET", "/osmand/{city}", 200)]


def test_the_door_refuses_as_every_other(city: Stand, wish: dict[str, Any]) -> None:
    client = city.visitor().client
    answers = [
        (client.get("/osmand/none", params=wish), 404, "not_found"),
        (client.delete("/osmand/kota"), 405, "method_not_allowed"),
        (client.get("/osmand/kota", params=wish | {"secret": "no"}), 401, "bad_device"),
        (client.post("/osmand/kota", content=b"{"), 400, "unreadable_fix"),
        (client.post("/osmand/kota", content=b"x" * 300_000), 413, "too_large"),
        (client.post("/osmand/kota", content=iter([b"x" * 200_000] * 2)), 413, "too_large"),
    ]
    for answer, status, code in answers:
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"
    for answer in (client.get("/osmand/kota", params=wish), *(each for each, _, _ in answers)):
        assert answer.headers["x-request-id"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in answer.headers["content-security-policy"]
    asked = client.head("/osmand/kota", params=wish)
    assert (asked.status_code, asked.content) == (200, b"")


@contextmanager
def running(app: Any) -> Iterator[socket.socket]:
    """Serve an application in a thread; its listener."""
    listener = socket.create_server(("127.0.0.1", 0))
    started = threading.Event()
    server = Server(app, started=started.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        assert started.wait(20)
        yield listener
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


def test_a_head_without_end_is_not_kept() -> None:
    """The parser in C has no limit of its own."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
        length = dict(scope["headers"]).get(b"x-long", b"")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(len(length)).encode()})

    with running(app) as listener:
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        fits = httpx.get(base, headers={"X-Long": "x" * (MAX_HEAD_BYTES - 4096)})
        assert fits.text == str(MAX_HEAD_BYTES - 4096)
        with socket.create_connection(listener.getsockname(), timeout=20) as endless:
            endless.sendall(b"GET / HTTP/1.1\r\nX-Long: ")
            told = b""
            try:
                for _ in range(1000):
                    endless.sendall(b"x" * 16_384)
                while more := endless.recv(65_536):
                    told += more
            except ConnectionError:
                pass  # it hung up while we still talked
            else:
                assert told.startswith(b"HTTP/1.1 400 ")
        body = b"x" * (4 * MAX_HEAD_BYTES)
        assert httpx.post(base, content=body).status_code == 200, "a body is no head"


def test_what_is_built_at_the_start_is_never_looked_through_again() -> None:
    """A worker opens its city when the server starts, not before."""
    built: list[dict[str, object]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "lifespan"
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                built.append({"a city": built})
            await send({"type": f"{message['type']}.complete"})

    before = gc.get_threshold()
    try:
        with running(app):
            [city] = built
            assert not any(each is city for each in gc.get_objects())
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
