"""What operators are told is what is: metrics, readiness, and logs that can be followed."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.exc import OperationalError

from dispatch.core.crews import Fix
from dispatch.system import telemetry
from tests.story.served import Served, served
from tests.story.several import until
from tests.story.test_asyncapi import report
from tests.story.test_live_client import client_of, eventually, work
from web import logs, tracking
from web.app import create_app
from web.settings import Settings


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served")) as running:
        yield running


def measured(base: str) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels."""
    answer = httpx.get(f"{base}/metrics")
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, *(sample.labels[key] for key in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_the_figures_are_those_of_what_happened(city: Served) -> None:
    async def scene() -> None:
        before = measured(city.base)
        async with client_of(city) as client, client_of(city) as other:
            channel = await client.follow("city/kota")
            second = await other.follow("city/kota")
            await channel.until(lambda: channel.started)
            await second.until(lambda: second.started)
            for number in range(5):
                await asyncio.to_thread(work, city, number)
            await asyncio.to_thread(report, city)
            head = city.system.offset("kota")
            for each in (channel, second):
                await each.until(lambda each=each: each.folded.offset >= head)  # type: ignore[misc]
            with city.system.looking("kota") as world:
                crew_id = next(iter(world.crews())).id
            now = city.system.clock()
            zero = Fix(crew_id, 0.0, 0.0, now, now)
            ahead = Fix(crew_id, 111.53, -7.63, now + timedelta(days=400), now)
            city.system.take_fixes("kota", crew_id, [zero, ahead])

            def changed(*key: str) -> float:
                return measured(city.base).get(key, 0.0) - before.get(key, 0.0)

            await eventually(lambda: measured(city.base)["sigap_sockets_open",] == 2)
            await eventually(lambda: changed("sigap_deliveries_total") >= 2 * 6)
            assert changed("sigap_fixes_total", "kota", "zero") == 1
            assert changed("sigap_fixes_total", "kota", "future") == 1
            now_ = measured(city.base)
            assert now_["sigap_tail_lag_events", "kota"] == 0
            assert now_["sigap_tail_age_seconds", "kota"] < 10
            assert now_["sigap_dispatches", "kota"] == 1
            assert now_["sigap_bus_reachable",] == 1
            slow = changed("sigap_slow_clients_total")
            city.loop.call_soon_threadsafe(stall, city)
            await eventually(lambda: changed("sigap_slow_clients_total") == slow + 1)
        await eventually(lambda: measured(city.base)["sigap_sockets_open",] == 0)

    asyncio.run(scene())


def test_what_a_tracker_sends_is_counted_by_what_became_of_it(city: Served) -> None:
    made = city.system.devices("kota").register(label="Pelacak", by="administrator:test")
    door = f"{city.base}/osmand/kota/{made.secret}"
    given: dict[str, str | float] = {"id": made.device.id, "lat": -7.63, "lon": 111.53}
    before = measured(city.base)
    empty: dict[str, str | float] = {"id": made.device.id, "batt": 50}
    for sent in (given, empty):
        assert httpx.get(door, params=sent).json()["accepted"] == 0
    after = measured(city.base)
    for reason in ("no_crew", "no_place"):
        key = ("sigap_fixes_total", "kota", reason)
        assert after[key] - before.get(key, 0.0) == 1
    assert not any(name.endswith("_created") for name, *_ in after)


def test_no_socket_is_counted_when_nobody_serves_any_more(tmp_path: Path) -> None:
    async def watched(own: Served) -> None:
        async with client_of(own) as client:
            channel = await client.follow("city/kota")
            await channel.until(lambda: channel.started)
            await eventually(lambda: measured(own.base)["sigap_sockets_open",] == 1)

    with served(tmp_path) as own:
        asyncio.run(watched(own))
    [family] = telemetry.SOCKETS.collect()
    assert [sample.value for sample in family.samples] == [0]


def stall(city: Served) -> None:
    """One client takes nothing while far more than its box holds is told."""
    pipe = next(iter(city.system.hub.clients)).outbox._pipe  # type: ignore[attr-defined]
    pipe.pause_writing()
    frame = '{"ch":"city/kota","pos":[]}'
    city.system.hub.send("kota:city/kota", "city/kota", [frame] * 600)
    pipe.resume_writing()


def test_metrics_are_for_this_machine_or_a_token(city: Served, tmp_path: Path) -> None:
    behind = httpx.get(f"{city.base}/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
    assert (behind.status_code, behind.json()["code"]) == (403, "forbidden")
    secret = "a-token-of-some-length"
    app = create_app(Settings(data_dir=tmp_path, metrics_token=secret), system=city.system)
    with patch.object(app.router, "lifespan_context"):
        transport = httpx.ASGITransport(app, client=("203.0.113.9", 4))

        async def ask(given: str) -> int:
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as far:
                headers = {"Authorization": given} if given else {}
                return (await far.get("/metrics", headers=headers)).status_code

        told = [asyncio.run(ask(given)) for given in ("", "Bearer wrong", f"Bearer {secret}")]
    assert told == [403, 403, 200]


def ready(city: Served) -> tuple[int, dict[str, Any]]:
    answer = httpx.get(f"{city.base}/readyz")
    return answer.status_code, answer.json()


class Stopped(dict[str, float]):
    """When each city was last looked after: whoever still does so is not heard."""

    def __setitem__(self, city_id: str, at: float) -> None: ...


def test_ready_says_what_is_missing(city: Served) -> None:
    assert ready(city)[0] == 200
    assert ready(city)[1]["status"] == "ok"
    away = OperationalError("SELECT 1", {}, OSError("away"))
    with patch.object(city.system.engine, "connect", side_effect=away):
        status, body = ready(city)
        assert (status, body["database"]) == (503, "no answer")
        assert httpx.get(f"{city.base}/healthz").status_code == 200
    with patch.object(city.system.bus, "reachable", return_value=False):
        status, body = ready(city)
        assert (status, body["status"], body["bus"]) == (200, "degraded", "no answer")
    relay = city.system.relay
    with patch.object(relay, "_looked_at", Stopped(kota=-1e9, tetangga=1e12)):
        status, body = ready(city)
        assert (status, body["tail kota"]) == (503, "the log was not looked at for 15 s")
        assert "tail tetangga" not in body
    with patch.object(city.system, "_led_at", Stopped(kota=-1e9, tetangga=1e12)):
        assert ready(city)[1]["dispatcher kota"] == "nobody dispatches since 30 s"


def test_ready_notices_a_dispatcher_that_ended(tmp_path: Path) -> None:
    with served(tmp_path) as own:
        assert ready(own)[0] == 200
        own.system._loops["kota"].stop()
        status, body = ready(own)
        assert (status, body["dispatcher kota"]) == (503, "its loop ended")


def test_every_line_of_a_request_has_its_number(city: Served) -> None:
    said = io.StringIO()
    logs.configure(level=logging.INFO, stream=said)
    inside = logging.getLogger("sigap.test")

    def reading(*_: Any) -> None:
        inside.info("in the thread of the request")
        raise RuntimeError("broken on purpose")

    try:
        with patch.object(tracking, "find", reading):
            answer = httpx.get(
                f"{city.base}/api/kota/track/KTA-2222-2",
                params={"k": "a-private-key"},
                headers={"X-Request-Id": "given-by-the-proxy"},
            )
        assert answer.status_code == 500
        assert answer.headers["X-Request-Id"] == "given-by-the-proxy"
        other = httpx.get(f"{city.base}/healthz", headers={"X-Request-Id": "bad id!"})
        made = other.headers["X-Request-Id"]
        assert made not in ("", "bad id!")
        # the line of an access is written after its answer is sent
        until(lambda: made in said.getvalue(), what="the last line of the log")
    finally:
        logs.configure(level=logging.WARNING)
    lines = [orjson.loads(line) for line in said.getvalue().splitlines()]
    of_it = [line for line in lines if line.get("request_id") == "given-by-the-proxy"]
    told = {line["log"] for line in of_it}
    assert {"sigap.test", "sigap.failures", "sigap.access"} <= told
    assert any(line.get("request_id") == made for line in lines)
    assert "a-private-key" not in said.getvalue()
