"""Several processes serve one city: everybody hears everything, one dispatches, any may die."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from dispatch import actions
from dispatch.core import events as ev
from dispatch.core.assignments import ACTIVE, Assignment
from dispatch.core.world import World, fold
from dispatch.storage import fixes, journal
from realtime.wire import Folded
from tests.story.several import CITY, MIDDLE, Several, several, until
from tests.story.test_telemetry import measured

pytestmark = [pytest.mark.needs("postgis"), pytest.mark.slow]

DEGREE_M = 111_195.0


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, postgis_database: str) -> Iterator[Several]:
    with several(tmp_path_factory.mktemp("several"), postgis_database) as running:
        yield running


class Screen:
    """A dispatcher's socket and what it knows."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket, self.copy = socket, Folded()
        self.positions: dict[str, list[Any]] = {}

    def until(self, true: Callable[[], bool], *, within_s: float = 60.0) -> None:
        end = time.monotonic() + within_s
        while not true():
            assert time.monotonic() < end, "the screen was not told"
            message = orjson.loads(self.socket.recv(timeout=within_s))
            if "recovered" in message:
                self.copy.start(message)
            elif "o" in message:
                assert self.copy.take(message), "no gap"
            elif "pos" in message:
                self.positions |= {row[0]: row for row in message["pos"]}
            elif "ping" in message:
                self.socket.send('{"pong":1}')

    def knows(self, ticket: str) -> bool:
        return any(row.get("ticket") == ticket for row in self.copy.state.values())


@contextmanager
def screen(city: Several, cookie: str) -> Iterator[Screen]:
    url = f"{city.base.replace('http', 'ws', 1)}/ws/{CITY}"
    headers = {"Cookie": cookie}
    with connect(url, additional_headers=headers, origin=Origin(city.base)) as socket:
        socket.send(orjson.dumps({"sub": f"city/{CITY}"}).decode())
        shown = Screen(socket)
        shown.until(lambda: bool(shown.copy.epoch))
        yield shown


def test_what_one_worker_takes_in_every_screen_hears(city: Several) -> None:
    desk, phone = city.staff(), city.phone()
    first, second = city.workers()
    with city.only(first):
        one = screen(city, desk)
        on_first = one.__enter__()
    with city.only(second):
        two = screen(city, desk)
        on_second = two.__enter__()
    try:
        with city.only(first):
            ticket = city.report()
            lon = round(MIDDLE[0] + 0.001, 6)
            now = city.system.clock().isoformat()
            body = {"fixes": [{"lon": lon, "lat": MIDDLE[1], "fix_time": now}]}
            taken = city.post(f"/crews/{city.crew_id}/fixes", body, cookie=phone)
            assert taken.json()["accepted"] == 1, taken.text
            on_first.until(lambda: on_first.knows(ticket))
        on_second.until(lambda: on_second.knows(ticket))
        crew = str(city.crew_id)
        for shown in (on_first, on_second):
            # where it is shown: on its road, so not to the metre
            shown.until(lambda s=shown: abs(s.positions.get(crew, [0, 0])[1] - lon) < 4e-4)  # type: ignore[misc]
        assert on_first.copy.state == on_second.copy.state
        # whoever is asked tells the figures of both
        for worker in (first, second):
            with city.only(worker):
                until(
                    lambda: measured(city.base)["sigap_sockets_open",] == 2,
                    what="both sockets are counted",
                )
                assert measured(city.base)["sigap_dispatches", CITY] == 1
    finally:
        one.__exit__(None, None, None)
        two.__exit__(None, None, None)


@pytest.mark.parametrize("learned", [True, False], ids=["one knows of the other", "at once"])
def test_a_crew_whose_positions_two_workers_take_arrives_once(city: Several, learned: bool) -> None:
    """Each second position goes to the other worker; what it shows is detected once."""
    crew_id, job_id = sent_to_a_pothole(city, f"Regu Jalan {learned}")
    phone = city.phone(crew_id)
    workers = city.workers()
    began = city.system.clock() - timedelta(seconds=50)
    # 400 m away and driving, then 15 m away and standing still
    way = [(400.0, 9.0), (300.0, 9.0), *[(15.0, 0.0)] * 6]
    sent = []
    for i, (metres, speed_ms) in enumerate(way):
        moment = began + timedelta(seconds=5 * i)
        fix = {
            "lon": MIDDLE[0] + metres / DEGREE_M,
            "lat": MIDDLE[1],
            "fix_time": moment.isoformat(),
            "accuracy_m": 5,
            "speed_ms": speed_ms,
        }
        with city.only(workers[i % 2]):
            taken = city.post(f"/crews/{crew_id}/fixes", {"fixes": [fix]}, cookie=phone)
            assert taken.json()["accepted"] == 1, taken.text
        sent.append(moment)
        if learned:
            # written by whoever took it, before that one holds still
            until(lambda: kept_fixes(city, crew_id) == sent, what="it is written")
            with city.only(workers[1 - i % 2]):
                until(
                    lambda m=moment: newest_at(city, crew_id) == m,  # type: ignore[misc]
                    what="the other knows",
                )
    until(lambda: job(city, job_id).status == "on_scene", what="the arrival is detected")
    until(lambda: kept_fixes(city, crew_id) == sent, what="every position is kept, each once")
    found = job(city, job_id)
    assert (found.evidence, found.arrival_flag) == ("geofence", None)
    assert (found.sources["enroute_at"], found.sources["arrived_at"]) == ("movement", "geofence")
    assert found.arrived_at in (sent[2:3] if learned else sent[2:4])
    with city.system.reading(CITY) as connection:
        told = Counter(entry.event.type for entry in journal.of_things(connection, CITY, [job_id]))
    assert told == {
        **dict.fromkeys(("AssignmentOffered", "AssignmentAcknowledged"), 1),
        **dict.fromkeys(("AssignmentEnRoute", "AssignmentOnScene"), 1),
        **{name: n for name, n in told.items() if name == "AssignmentEtaRevised"},
    }


def sent_to_a_pothole(city: Several, name: str) -> tuple[UUID, UUID]:
    """A minute ago a crew without a position accepted work in the middle; its id and the work's."""
    admin, desk = ev.Actor("administrator", "test"), ev.Actor("dispatcher", "test")
    fact = ev.CrewRegistered(name, name, "pupr", ("roadworks",), "truk", 3, *MIDDLE)
    wish = actions.NewReport(
        channel="web",
        service_code="pothole",
        description="Lubang besar di tengah jalan",
        lon=MIDDLE[0],
        lat=MIDDLE[1],
    )

    made: list[tuple[UUID, UUID]] = []

    def prepare(world: World, moment: datetime) -> None:
        now = moment - timedelta(minutes=1)
        crew = actions.register_crew(world, now, admin, fact)
        actions.set_crew_status(world, now, admin, crew.id, status="available")
        report = actions.receive_report(world, now, ev.Actor("citizen"), wish)
        incident = actions.verify_report(world, now, desk, report.id)
        # sent in the same step: the dispatcher has no say
        job = actions.send_crew(world, now, desk, incident.id, crew_id=crew.id)
        actions.acknowledge(world, now, ev.Actor("crew", str(crew.id)), job.id)
        made.append((crew.id, job.id))

    city.system.do(CITY, desk, prepare)
    return made[0]


def job(city: Several, job_id: UUID) -> Assignment:
    with city.system.looking(CITY) as world:
        return world.assignment(job_id)


def kept_fixes(city: Several, crew_id: UUID) -> list[datetime]:
    """The times of all positions in the crew's history."""
    now = city.system.clock()
    with city.system.reading(CITY) as connection:
        found = fixes.between(
            connection,
            CITY,
            crew_id,
            since=now - timedelta(hours=1),
            until=now + timedelta(hours=1),
        )
    return [fix.fix_time for fix in found]


def newest_at(city: Several, crew_id: UUID) -> datetime | None:
    """When the crew was where the worker that answers last knows it."""
    answer = httpx.get(
        f"{city.base}/api/{CITY}/positions", headers={"Cookie": city.staff()}, timeout=60
    )
    known = {row["crew_id"]: row["fix_time"] for row in answer.json()["positions"]}
    found = known.get(str(crew_id))
    return datetime.fromisoformat(found) if found else None


def test_whoever_dies_is_replaced_and_another_dispatches_on(city: Several) -> None:
    desk = city.staff()
    offered_before = offers(city)
    tickets = [city.report() for _ in range(3)]
    leader = until(city.leader, what="one dispatches")
    assert leader in city.workers()
    os.kill(leader, signal.SIGKILL)
    killed_at = time.monotonic()
    tickets += [post_until_taken(city) for _ in range(3)]
    successor = until(
        lambda: (found := city.leader()) != leader and found, what="another dispatches"
    )
    print(f"took over after {time.monotonic() - killed_at:.1f} s")
    assert successor in city.workers()
    until(lambda: len(city.workers()) == 2, what="the dead one is replaced")
    with screen(city, desk) as shown:
        assert all(shown.knows(ticket) for ticket in tickets)
        for row in list(shown.copy.state.values()):
            if row.get("ticket") in tickets and row.get("status") == "under_verification":
                city.post(f"/reports/{row['id']}/verify", cookie=desk)
    until(lambda: offers(city) > offered_before, what="work is offered")
    with city.system.reading(CITY) as connection:
        entries = journal.after(connection, CITY, 0, 100_000)
    assert [entry.offset for entry in entries] == list(range(1, len(entries) + 1))
    state = fold([entry.event for entry in entries])
    jobs = Counter(
        thing.crew_id
        for thing in state.values()
        if isinstance(thing, Assignment) and thing.status in ACTIVE
    )
    assert all(count == 1 for count in jobs.values()), "nobody is booked twice"
    once = Counter((entry.event.type, entry.event.subject) for entry in entries)
    for (kind, _), count in once.items():
        if kind in ("IncidentOpened", "AssignmentOffered", "ReportTriaged"):
            assert count == 1, f"{kind} was repeated"


def offers(city: Several) -> int:
    with city.system.reading(CITY) as connection:
        found = journal.events(connection, CITY, types=("AssignmentOffered",))
        return sum(1 for _ in found)


def post_until_taken(city: Several) -> str:
    """What a phone does: it repeats until it is answered."""

    def sent() -> str | None:
        try:
            return city.report()
        except OSError:
            return None
        except Exception as error:
            if "disconnected" in str(error).lower() or "reset" in str(error).lower():
                return None
            raise

    return str(until(sent, what="a report is taken"))


def test_a_frozen_dispatcher_loses_the_city(city: Several) -> None:
    leader = until(city.leader, what="one dispatches")
    os.kill(leader, signal.SIGSTOP)
    try:
        until(lambda: (found := city.leader()) != leader and found, what="another takes over")
    finally:
        os.kill(leader, signal.SIGCONT)
    until(lambda: city.leader() not in (None, leader), what="and keeps it")


def test_all_stop_when_told_and_nobody_stays_behind(city: Several) -> None:
    workers = city.workers()
    city.process.terminate()
    assert city.process.wait(60) == 0
    assert "Stopped" in city.printed()
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
