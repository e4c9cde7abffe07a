"""Many at once, and one that dies: no gap, no double, no step lost that was acknowledged."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError

from dispatch.core import events as ev
from dispatch.core.errors import Conflict
from dispatch.core.events import SYSTEM, Event
from dispatch.core.world import Timer, fold
from dispatch.storage import journal, migrations, tables, timers
from dispatch.storage.cities import found_city
from dispatch.storage.store import StoredWorld
from geo import sql
from geo.sql import open_engine, reading, try_hold, writing
from tests.contract.test_world_contract import crew_of, incident_of, later, report_at
from tests.contract.worlds import NOON, POLICY, Stored

WRITERS, STEPS = 4, 10


def test_many_writers_leave_no_gap_and_readers_see_none(stored: Stored) -> None:
    done = threading.Event()
    acknowledged: list[int] = []

    def write(_: int) -> None:
        for _ in range(STEPS):
            with stored.step() as world:
                report_at(world, 111.5, -7.6)
                report_at(world, 111.5, -7.6)
            assert isinstance(world, StoredWorld)
            acknowledged.extend(entry.offset for entry in world.entries)

    def read(_: int) -> list[int]:
        """Follow the log as a relay does: only ever what comes after the last offset seen."""
        seen: list[int] = []
        while True:
            last_round = done.is_set()
            with reading(stored.engine) as connection:
                last = seen[-1] if seen else 0
                found = journal.after(connection, stored.city_id, last, 7)
            seen.extend(entry.offset for entry in found)
            if last_round and not found:
                return seen
            done.wait(0.002)

    with ThreadPoolExecutor(WRITERS + 2) as pool:
        readers = [pool.submit(read, number) for number in range(2)]
        writers = [pool.submit(write, number) for number in range(WRITERS)]
        try:
            for writer in writers:
                writer.result()
        finally:
            done.set()
        everything = list(range(1, 2 * WRITERS * STEPS + 1))
        assert [reader.result() for reader in readers] == [everything, everything]
    assert sorted(acknowledged) == everything
    tickets = {thing.ticket for thing in stored.things().values()}  # type: ignore[union-attr]
    assert len(tickets) == len(everything)


def test_one_crew_wanted_by_many_goes_to_one(stored: Stored) -> None:
    with stored.step() as world:
        crew = crew_of(world)
        wanted = [incident_of(world).id for _ in range(6)]

    def offer(incident_id: UUID) -> str:
        try:
            with stored.step() as world:
                fact = ev.AssignmentOffered(
                    incident_id, crew.id, later(60), None, None, None, None, "dispatcher"
                )
                subject = world.new_id()
                world.record(Event("assignment", subject, 1, NOON, NOON, SYSTEM, fact))
        except Conflict:
            return "taken"
        return "sent"

    with ThreadPoolExecutor(6) as pool:
        ends = sorted(pool.map(offer, wanted))
    assert ends == ["sent", *["taken"] * 5]
    assert fold([entry.event for entry in stored.log()]) == stored.things()


def test_a_step_waits_for_the_one_before_and_sees_what_it_did(stored: Stored) -> None:
    with stored.step() as world:
        report = report_at(world, 111.5, -7.6)
    entered, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with stored.step() as world:
            entered.set()
            assert go_on.wait(30)
            fact = ev.ReportTriaged(0.5, (), ())
            world.record(Event("report", report.id, 2, NOON, NOON, SYSTEM, fact))

    def fast() -> int:
        assert entered.wait(30)
        threading.Timer(0.1, go_on.set).start()
        with stored.step() as world:
            return world.report(report.id).version

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(slow), pool.submit(fast)
        assert second.result() == 2
        first.result()


@pytest.mark.needs("postgis")
def test_a_step_that_stands_still_is_undone_and_keeps_nobody_waiting(
    fresh_postgis_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process froze, or its host lost power and nobody said so to the database."""
    monkeypatch.setattr(sql, "ABANDONED_S", 1)
    engine = open_engine(fresh_postgis_database())
    migrations.upgrade(engine)
    city = Stored(engine)
    entered, woken = threading.Event(), threading.Event()

    def frozen() -> None:
        with city.step() as world:
            report_at(world, 111.5, -7.6)
            entered.set()
            assert woken.wait(60)

    with ThreadPoolExecutor(1) as pool:
        asleep = pool.submit(frozen)
        assert entered.wait(30)
        with city.step() as world:
            other = report_at(world, 111.6, -7.6)
        woken.set()
        with pytest.raises(DBAPIError) as said:
            asleep.result()
    assert said.value.connection_invalidated, "it knows that it has lost its session"
    assert [entry.event.subject for entry in city.log()] == [other.id]
    engine.dispose()


@pytest.mark.needs("postgis")
def test_what_the_url_asks_of_the_server_is_kept(
    fresh_postgis_database: Callable[[], str],
) -> None:
    engine = open_engine(fresh_postgis_database() + "&options=-c%20work_mem%3D8MB")
    with reading(engine) as connection:
        assert connection.scalar(text("SHOW work_mem")) == "8MB"
        assert connection.scalar(text("SHOW lock_timeout")) == f"{sql.ABANDONED_S}s"
    engine.dispose()


def test_the_version_fence_stands_without_the_lock(stored: Stored) -> None:
    """Two Worlds that both believe to be alone: the second to write is refused."""
    with stored.step() as world:
        report = report_at(world, 111.5, -7.6)
    happened = Event("report", report.id, 2, NOON, NOON, SYSTEM, ev.ReportTriaged(0.5, (), ()))
    with writing(stored.engine) as connection:
        late = StoredWorld(connection, stored.city_id, POLICY, ids=stored.new_id)
        assert late.report(report.id).version == 1
        connection.execute(
            tables.report.update().where(tables.report.c.id == report.id).values(version=2)
        )
        with pytest.raises(Conflict):
            late.record(happened)


def test_several_processes_may_start_at_once(empty_url: str) -> None:
    def start(_: int) -> str:
        engine = open_engine(empty_url)
        migrations.upgrade(engine)
        with writing(engine) as connection:
            city = found_city(connection, "mdn", name="Madiun", ticket_prefix="MDN", now=NOON)
        engine.dispose()
        return city.epoch

    with ThreadPoolExecutor(3) as pool:
        epochs = set(pool.map(start, range(3)))
    assert len(epochs) == 1


def test_a_new_file_may_be_opened_by_many_at_once(tmp_path: Path) -> None:
    def look(url: str) -> None:
        engine = open_engine(url)
        with reading(engine) as connection:
            connection.execute(text("SELECT 1"))
        engine.dispose()

    with ThreadPoolExecutor(12) as pool:
        for number in range(400):
            url = f"sqlite:///{tmp_path}/{number}.sqlite3"
            list(pool.map(look, [url] * 12))


def test_timers_are_claimed_once_by_many(stored: Stored) -> None:
    with stored.step() as world:
        for number in range(20):
            world.set_timer(Timer("triage", UUID(int=number), NOON))

    def claim(_: int) -> list[UUID]:
        with writing(stored.engine) as connection:
            now = NOON + timedelta(seconds=1)
            claimed = timers.claim_due(connection, stored.city_id, now=now, limit=6)
        return [timer.subject for timer in claimed]

    with ThreadPoolExecutor(4) as pool:
        claimed = [subject for part in pool.map(claim, range(6)) for subject in part]
    assert sorted(claimed) == [UUID(int=number) for number in range(20)]


WRITER = """
import sys
from dispatch.storage.store import step
from geo import sql
from geo.sql import open_engine
from tests.contract.test_world_contract import report_at
from tests.contract.worlds import POLICY

url, city_id = sys.argv[1:]
engine = open_engine(url)
while True:
    with step(engine, city_id, POLICY) as world:
        report_at(world, 111.5, -7.6)
        report_at(world, 111.5, -7.6)
    print(world.entries[-1].offset, flush=True)
"""


def test_a_killed_writer_loses_no_acknowledged_step_and_leaves_no_half(stored: Stored) -> None:
    url = stored.engine.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, url, stored.city_id], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(8)]
        writer.kill()
        told += [int(line) for line in writer.stdout.read().split()]
    entries = stored.log()
    assert told == list(range(2, 2 * len(told) + 1, 2))
    # what was committed but not yet told may be there, in whole steps
    assert len(entries) >= told[-1]
    assert len(entries) % 2 == 0
    assert [entry.offset for entry in entries] == list(range(1, len(entries) + 1))
    assert fold([entry.event for entry in entries]) == stored.things()
    with reading(stored.engine) as connection:
        kept = tables.personal.c
        found = select(func.count()).where(kept.city_id == stored.city_id)
        assert connection.scalar(found) == len(entries)
    with stored.step() as world:
        report_at(world, 111.5, -7.6)
    assert stored.log()[-1].offset == len(entries) + 1


def test_a_hold_ends_with_its_process(engine: Engine) -> None:
    code = (
        "import sys; from geo.sql import open_engine, try_hold\n"
        "engine = open_engine(sys.argv[1])\n"
        "print(try_hold(engine, 'dispatcher/x') is not None, flush=True); sys.stdin.read()"
    )
    url = engine.url.render_as_string(hide_password=False)
    mine = open_engine(url)
    with subprocess.Popen(
        [sys.executable, "-c", code, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert try_hold(mine, "dispatcher/x") is None
        other.kill()
    hold = None
    for _ in range(500):
        hold = try_hold(mine, "dispatcher/x")
        if hold is not None:
            break
        threading.Event().wait(0.02)
    assert hold is not None
    hold.let_go()
    mine.dispose()
