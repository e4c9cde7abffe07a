"""Hosts that hear of each other through NATS: with it, without it, and when it is back."""

from __future__ import annotations

import queue
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from realtime.nats_bus import NatsBus, Published
from tests import services
from tests.story.several import CITY, several, until
from tests.story.test_workers import screen

pytestmark = [pytest.mark.needs("postgis"), pytest.mark.needs("nats"), pytest.mark.slow]


def test_every_screen_hears_with_nats_without_it_and_when_it_is_back(
    tmp_path: Path, postgis_database: str
) -> None:
    port = services.free_port()
    url = f"nats://127.0.0.1:{port}"
    with ExitStack() as ends, ExitStack() as server:
        server.enter_context(services.nats("--jetstream", port=port))
        city = ends.enter_context(several(tmp_path, postgis_database, environment=bus(url)))
        desk, screens = city.staff(), []
        for worker in city.workers():
            with city.only(worker):
                screens.append(ends.enter_context(screen(city, desk)))

        def all_hear() -> None:
            ticket = city.report()
            for shown in screens:
                shown.until(lambda shown=shown: shown.knows(ticket))  # type: ignore[misc]

        all_hear()
        with closing(NatsBus(url)) as feed:
            feed.watch(lambda _: None)
            until(feed.reachable, what="NATS is reached")
            head = city.system.offset(CITY)
            until(lambda: (feed.last(CITY) or ("", 0))[1] >= head, what="the log is published")
        server.close()
        all_hear()
        told = httpx.get(f"{city.base}/readyz")
        assert (told.status_code, told.json()["status"]) == (200, "degraded")
        server.enter_context(services.nats("--jetstream", port=port))
        with closing(NatsBus(url)) as feed:
            feed.watch(lambda _: None)
            until(feed.reachable, what="NATS is reached")
            published: queue.Queue[Published] = queue.Queue()
            feed.follow(CITY, published.put)
            until(lambda: city.report() and not published.empty(), what="it is published again")
            all_hear()
        assert screens[0].copy.state == screens[1].copy.state


def bus(url: str) -> dict[str, str]:
    return {"SIGAP_BUS": url}
