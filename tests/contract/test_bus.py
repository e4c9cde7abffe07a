"""Every bus wakes whoever watches, carries telemetry to the others, and comes back by itself."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from uuid import uuid4

import psycopg
import pytest

from geo.sql import conninfo_of, open_engine
from realtime.bus import ANY_CITY, TOLD_BYTES, Bus, LocalBus
from realtime.nats_bus import FeedLost, NatsBus, Published
from realtime.pg_bus import PgBus
from tests import services

KINDS = [
    "local",
    pytest.param("notify", marks=pytest.mark.needs("postgis")),
    pytest.param("nats", marks=pytest.mark.needs("nats")),
]
WITHIN_S = 30.0


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def conninfo(url: str) -> str:
    engine = open_engine(url)
    found = conninfo_of(engine)
    engine.dispose()
    assert found is not None
    return found


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Callable[[], Bus]:
    """Makes one more process's bus of the same installation."""
    if request.param == "local":
        only = LocalBus()
        return lambda: only
    if request.param == "notify":
        info = conninfo(request.getfixturevalue("postgis_database"))
        channel = f"c{uuid4().hex}"
        return lambda: PgBus(info, channel=channel)
    url = f"{request.getfixturevalue('nats_url')}/{uuid4().hex}"
    return lambda: NatsBus(url)


@contextmanager
def watching(bus: Bus) -> Iterator[queue.Queue[str]]:
    """What the bus announces, from when it reaches the others."""
    heard: queue.Queue[str] = queue.Queue()
    stop = bus.watch(heard.put)
    until(bus.reachable, "the bus reaches the others")
    yield heard
    stop()


def heard_of(heard: queue.Queue[str], city_id: str) -> None:
    end = time.monotonic() + WITHIN_S
    while heard.get(timeout=max(0.1, end - time.monotonic())) != city_id:
        pass


def test_what_one_announces_all_hear_itself_too(make: Callable[[], Bus]) -> None:
    with (
        closing(make()) as one,
        closing(make()) as two,
        watching(one) as by_one,
        watching(two) as by_two,
    ):
        one.announce("madiun")
        heard_of(by_one, "madiun")
        heard_of(by_two, "madiun")
        two.announce("blitar")
        heard_of(by_one, "blitar")
        heard_of(by_two, "blitar")


def test_an_announcement_by_many_threads_reaches_everybody(make: Callable[[], Bus]) -> None:
    with closing(make()) as one, closing(make()) as two, watching(two) as heard:
        cities = [f"c{number}" for number in range(40)]
        threads = [threading.Thread(target=one.announce, args=(each,)) for each in cities]
        for thread in threads:
            thread.start()
        missing = set(cities)
        while missing:
            missing.discard(heard.get(timeout=WITHIN_S))
        for thread in threads:
            thread.join()


def test_telemetry_is_for_the_others(make: Callable[[], Bus]) -> None:
    with closing(make()) as one, closing(make()) as two, watching(one), watching(two):
        own: queue.Queue[str] = queue.Queue()
        others: queue.Queue[str] = queue.Queue()
        one.hear("positions", own.put)
        two.hear("positions", others.put)
        two.hear("sessions", lambda _: others.put("wrong topic"))
        one.tell("positions", "madiun é 1")
        if one is two:
            assert own.empty()
            return
        assert others.get(timeout=WITHIN_S) == "madiun é 1"
        two.tell("positions", "x" * TOLD_BYTES)
        assert own.get(timeout=WITHIN_S) == "x" * TOLD_BYTES
        assert others.empty()


def test_too_much_telemetry_is_refused_not_cut(make: Callable[[], Bus]) -> None:
    with closing(make()) as bus, pytest.raises(ValueError, match="telemetry"):
        bus.tell("positions", "é" * TOLD_BYTES)


def test_whoever_stopped_watching_hears_no_more(make: Callable[[], Bus]) -> None:
    with closing(make()) as bus, watching(bus) as kept:
        heard: queue.Queue[str] = queue.Queue()
        stop = bus.watch(heard.put)
        bus.announce("madiun")
        heard_of(heard, "madiun")
        stop()
        stop()
        bus.announce("blitar")
        heard_of(kept, "blitar")
        assert heard.empty()


def test_one_listener_that_fails_keeps_nobody_from_hearing(make: Callable[[], Bus]) -> None:
    def fail(_: str) -> None:
        raise RuntimeError("mine")

    with closing(make()) as bus:
        bus.watch(fail)
        with watching(bus) as heard:
            bus.announce("madiun")
            heard_of(heard, "madiun")


@pytest.mark.needs("postgis")
def test_notify_comes_back_when_its_connections_are_ended(postgis_database: str) -> None:
    info = conninfo(postgis_database)
    with (
        closing(PgBus(info)) as one,
        closing(PgBus(info)) as two,
        watching(one),
        watching(two) as heard,
    ):
        one.announce("madiun")
        heard_of(heard, "madiun")
        with psycopg.connect(info, autocommit=True) as administrator:
            administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        # whoever was cut off is told that it may have missed something
        heard_of(heard, ANY_CITY)
        one.announce("blitar")
        heard_of(heard, "blitar")


@pytest.mark.needs("nats")
def test_nats_comes_back_when_the_server_does() -> None:
    port = services.free_port()
    with services.nats("--jetstream", port=port) as server:
        one, two = NatsBus(server.url), NatsBus(server.url)
        heard: queue.Queue[str] = queue.Queue()
        one.watch(lambda _: None)
        two.watch(heard.put)
        until(one.reachable, "NATS is reached")
        until(two.reachable, "NATS is reached")
    with closing(one), closing(two):
        until(lambda: not one.reachable(), "it is noticed that NATS is gone")
        one.announce("lost")
        with pytest.raises(FeedLost):
            one.last("madiun")
        with services.nats("--jetstream", port=port):
            heard_of(heard, ANY_CITY)
            until(one.reachable, "NATS is reached again")
            until(two.reachable, "NATS is reached again")
            one.announce("madiun")
            heard_of(heard, "madiun")


def lines(city_id: str, first: int, last: int, *, epoch: str = "e") -> list[Published]:
    return [Published(city_id, epoch, n, f"[{n}]".encode()) for n in range(first, last + 1)]


@pytest.mark.needs("nats")
def test_the_feed_carries_each_line_once_and_in_order(nats_url: str) -> None:
    url = f"{nats_url}/{uuid4().hex}"
    with closing(NatsBus(url)) as one, closing(NatsBus(url)) as two:
        taken: queue.Queue[Published] = queue.Queue()
        two.follow("madiun", taken.put)
        for bus in (one, two):
            bus.watch(lambda _: None)
            until(bus.reachable, "NATS is reached")
        assert one.last("madiun") is None
        one.publish(lines("madiun", 1, 300))
        one.publish(lines("madiun", 301, 302))
        seen = [taken.get(timeout=WITHIN_S) for _ in range(302)]
        assert seen == lines("madiun", 1, 302)
        assert two.last("madiun") == ("e", 302)


@pytest.mark.needs("nats")
def test_whoever_lost_the_election_doubles_nothing(nats_url: str) -> None:
    url = f"{nats_url}/{uuid4().hex}"
    with closing(NatsBus(url)) as old, closing(NatsBus(url)) as new:
        taken: queue.Queue[Published] = queue.Queue()
        new.follow("madiun", taken.put)
        for bus in (old, new):
            bus.watch(lambda _: None)
            until(bus.reachable, "NATS is reached")
        assert old.last("madiun") is None
        old.publish(lines("madiun", 1, 2))
        assert new.last("madiun") == ("e", 2)
        new.publish(lines("madiun", 3, 4))
        with pytest.raises(FeedLost):
            old.publish(lines("madiun", 3, 5))
        # line 5 follows line 4, whoever sends it: what is refused is a second 3 and 4
        assert old.last("madiun") == ("e", 5)
        seen = [taken.get(timeout=WITHIN_S).offset for _ in range(5)]
        assert seen == [1, 2, 3, 4, 5]
        assert taken.empty()


@pytest.mark.needs("nats")
def test_a_line_published_twice_is_kept_once(nats_url: str) -> None:
    url = f"{nats_url}/{uuid4().hex}"
    with closing(NatsBus(url)) as bus:
        bus.watch(lambda _: None)
        until(bus.reachable, "NATS is reached")
        assert bus.last("madiun") is None
        bus.publish(lines("madiun", 1, 3))
        with pytest.raises(FeedLost):
            bus.publish(lines("madiun", 3, 4))
        assert bus.last("madiun") == ("e", 3)
