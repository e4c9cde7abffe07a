"""What is read back: the city at an offset, lists, the log, kept answers, timers, positions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, delete, event, insert, select, text

from dispatch import actions
from dispatch.core import events as ev
from dispatch.core.crews import Fix
from dispatch.core.errors import NotFound
from dispatch.core.events import Actor
from dispatch.core.log import line_of
from dispatch.core.reports import Report
from dispatch.storage import codec, fixes, journal, tables, views
from dispatch.storage.store import StoredWorld
from dispatch.storage.views import Wanted
from geo.point import Box
from geo.sql import reading, writing
from realtime.wire import Folded
from tests.contract.test_world_contract import (
    CITIZEN,
    DISPATCHER,
    crew_of,
    incident_of,
    later,
    report_at,
)
from tests.contract.worlds import NOON, POLICY, Stored

LONG_AGO = timedelta(hours=30)


def snapshot(stored: Stored, seconds: float) -> tuple[int, dict[str, dict[str, Any]]]:
    return stored.snapshot(later(seconds))


def test_a_snapshot_shows_what_reporters_wrote(stored: Stored) -> None:
    with stored.step() as world:
        wish = actions.NewReport(
            "web", "waste", "Sampah di depan pasar", place_typed="pasar besar", lon=111.5, lat=-7.6
        )
        report = actions.receive_report(world, NOON, CITIZEN, wish)
    offset, state = snapshot(stored, 1)
    seen = state[f"report/{report.id}"]
    assert offset == 1
    assert (seen["v"], seen["description"], seen["place_typed"]) == (
        1,
        "Sampah di depan pasar",
        "pasar besar",
    )
    assert seen["received_at"] == "2026-03-02T12:00:00Z"
    (entry,) = stored.log()
    assert {"v": 1, **entry.changes} == seen


def test_after_retention_nobody_sees_the_words(stored: Stored) -> None:
    with stored.step() as world:
        report = report_at(world, 111.5, -7.6)
    with writing(stored.engine) as connection:
        kept = tables.personal.c
        connection.execute(delete(tables.personal).where(kept.city_id == stored.city_id))
    _, state = snapshot(stored, 1)
    assert state[f"report/{report.id}"]["description"] is None
    assert stored.log()[0].changes["description"] is None
    assert len(stored.log()) == 1


def test_a_snapshot_forgets_what_ended_long_ago_and_learns_of_its_return(stored: Stored) -> None:
    with stored.step() as world:
        incident = incident_of(world)
        (report,) = world.reports_of(incident.id)
        actions.close_incident(
            world, later(60), DISPATCHER, incident.id, disposition_code="05", note=None
        )
    client = Folded()
    offset, state = stored.snapshot(NOON + LONG_AGO)
    assert state == {}
    client.start({"recovered": False, "epoch": "e", "offset": offset, "state": state})
    with stored.step() as world:
        now = NOON + LONG_AGO
        actions.reopen_incident(world, now, DISPATCHER, incident.id, reason="masih rusak")
    for entry in stored.log(after=offset):
        told = {"o": entry.offset, "p": entry.offset - 1, "k": entry.event.key}
        assert client.take({**told, "v": entry.event.version, "d": entry.changes})
    _, fresh = stored.snapshot(NOON + LONG_AGO)
    assert client.state == fresh
    assert set(fresh) >= {f"incident/{incident.id}", f"report/{report.id}"}
    assert fresh[f"report/{report.id}"]["description"] == "Jalan berlubang dalam"


def test_crews_are_always_in_view(stored: Stored) -> None:
    with stored.step() as world:
        crew = crew_of(world)
    _, state = stored.snapshot(NOON + 10 * LONG_AGO)
    assert list(state) == [f"crew/{crew.id}"]


def test_cities_see_nothing_of_each_other(stored: Stored) -> None:
    other = Stored(stored.engine)
    with stored.step() as world:
        report = report_at(world, 111.5, -7.6)
    with other.step() as world:
        with pytest.raises(NotFound):
            world.report(report.id)
        assert list(world.reports_near(111.5, -7.6, within_m=10, since=NOON)) == []
        mine = report_at(world, 111.5, -7.6)
    assert [entry.offset for entry in other.log()] == [1]
    assert list(other.snapshot(NOON)[1]) == [f"report/{mine.id}"]
    with reading(stored.engine) as connection:
        assert views.find_report(connection, stored.city_id, report.ticket) == report.id
        assert views.find_report(connection, other.city_id, report.ticket) == mine.id
        assert views.find_report(connection, other.city_id, "TST-1111-1") is None


def test_lists_are_filtered_and_turned_page_by_page(stored: Stored) -> None:
    with stored.step() as world:
        made = [report_at(world, 111.5 + n / 100, -7.6, now=later(n)) for n in range(5)]
    ids = [str(report.id) for report in reversed(made)]
    with reading(stored.engine) as connection:

        def listed(**wanted: Any) -> list[str]:
            found = views.list_reports(connection, stored.city_id, Wanted(**wanted))
            return [report["id"] for report in found]

        assert listed() == ids
        assert listed(limit=2) == ids[:2]
        assert listed(limit=2, after=(made[3].received_at, made[3].id)) == ids[2:4]
        assert listed(since=later(1), until=later(3)) == ids[2:4]
        assert listed(box=Box(111.515, -7.7, 111.525, -7.5)) == [str(made[2].id)]
        assert listed(statuses=["closed"]) == []
        assert listed(statuses=["received"], service_codes=["pothole"]) == ids
        assert listed(service_codes=["flood"]) == []
        first = views.list_reports(connection, stored.city_id, Wanted(limit=1))[0]
    assert first["description"] == "Jalan berlubang dalam"
    assert first["v"] == 1


def test_incidents_are_listed_too(stored: Stored) -> None:
    with stored.step() as world:
        incident = incident_of(world)
    with reading(stored.engine) as connection:
        found = views.list_incidents(connection, stored.city_id, Wanted(statuses=["pending"]))
    assert [one["id"] for one in found] == [str(incident.id)]


def test_the_log_of_an_incident_is_the_story_of_all_its_things(stored: Stored) -> None:
    with stored.step() as world:
        incident = incident_of(world)
        incident_of(world)
    with reading(stored.engine) as connection:
        entries = views.log_of_incident(connection, stored.city_id, incident.id)
    assert [entry.event.type for entry in entries] == [
        "ReportReceived",
        "ReportVerified",
        "IncidentOpened",
        "IncidentReportJoined",
        "ReportLinked",
        "ReferralMade",
    ]


def test_events_are_read_by_kind_type_time_and_offset(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "BATCH", 2)
    with stored.step() as world:
        incident_of(world)
        report_at(world, 111.6, -7.6, now=later(100))
    everything = [entry.event for entry in stored.log()]
    with reading(stored.engine) as connection:

        def read(**wanted: Any) -> list[ev.Event]:
            return list(journal.events(connection, stored.city_id, **wanted))

        assert read() == everything
        assert read(kinds=["report"]) == [e for e in everything if e.kind == "report"]
        assert read(types=["ReportReceived"]) == [everything[0], everything[-1]]
        assert read(since=later(50)) == everything[-1:]
        assert read(upto=3) == everything[:3]


def test_head_is_epoch_and_offset(stored: Stored) -> None:
    with reading(stored.engine) as connection:
        epoch, offset = journal.head(connection, stored.city_id)
        assert offset == 0
        assert epoch
        with pytest.raises(NotFound):
            journal.head(connection, "nowhere")
    with stored.step() as world:
        report_at(world, 111.5, -7.6)
    with reading(stored.engine) as connection:
        assert journal.head(connection, stored.city_id) == (epoch, 1)


def test_the_offset_before_on_a_narrow_channel(stored: Stored) -> None:
    with stored.step() as world:
        report = report_at(world, 111.5, -7.6)
        report_at(world, 111.7, -7.6)
        actions.verify_report(world, NOON, DISPATCHER, report.id)
    channel = f"report/{report.ticket}"
    with reading(stored.engine) as connection:

        def before(offset: int) -> int:
            return journal.previous(connection, stored.city_id, channel, offset)

        assert [before(1), before(2), before(3), before(4)] == [0, 1, 1, 3]
        assert journal.previous(connection, stored.city_id, "crew/none", 99) == 0


# --- positions --------------------------------------------------------------------


def test_positions_are_kept_once_and_the_marker_is_the_newest(stored: Stored) -> None:
    with stored.step() as world:
        crew, other = crew_of(world), crew_of(world)
    trail = [
        Fix(crew.id, 111.5 + n / 1000, -7.6, fix_time=later(n), server_time=later(n + 1))
        for n in range(5)
    ]
    with writing(stored.engine) as connection:
        fixes.write(connection, stored.city_id, trail, [trail[-1]])
        fixes.write(connection, stored.city_id, [trail[1], trail[1]])
        fixes.write(connection, stored.city_id, [])
    with reading(stored.engine) as connection:
        city = stored.city_id
        assert fixes.newest(connection, city) == {crew.id: trail[-1]}
        kept = fixes.between(connection, city, crew.id, since=later(1), until=later(4))
        assert kept == trail[1:4]
        assert fixes.between(connection, city, other.id, since=later(0), until=later(9)) == []


def test_what_only_looks_leaves_the_city_unlocked(stored: Stored) -> None:
    with stored.step() as world:
        report = report_at(world, 111.5, -7.6)
    with reading(stored.engine) as connection:
        looking = StoredWorld(connection, stored.city_id, POLICY, locked=False)
        with stored.step() as world:
            report_at(world, 111.5, -7.6)
        assert looking.report(report.id) == report
        assert journal.head(connection, stored.city_id)[1] == 1


def test_who_did_it_and_why_come_back(stored: Stored) -> None:
    because = {"rule": "triage", "numbers": [1, 2.5], "none": None, "words": "čšž"}
    with stored.step() as world:
        report = report_at(world, 111.5, -7.6)
        fact = ev.ReportTriaged(0.25, ({"code": "photo", "weight": 0.9},), ())
        happened = ev.Event(
            "report",
            report.id,
            2,
            later(1),
            later(2),
            Actor("crew", "7"),
            fact,
            because=because,
            device_time=later(3),
        )
        world.record(happened)
    assert stored.log()[-1].event == happened
    with reading(stored.engine) as connection:
        log = tables.log.c
        found = select(log.because).where(log.city_id == stored.city_id, log.offset == 1)
        assert connection.scalar(found) is None


def test_what_is_near_is_searched_by_place_first(stored: Stored) -> None:
    """All of it lies in the time asked for, a hundredth of it near."""
    first = Report(UUID(int=1), 1, NOON, "T-0", "web", "waste", "received", NOON)
    spread = [
        replace(first, id=UUID(int=n), ticket=f"T-{n}", lon=n / 1e4, lat=n / 1e4)
        for n in range(1, 3001)
    ]
    rows = [{"city_id": stored.city_id, **codec.entity_values(report)} for report in spread]
    with writing(stored.engine) as connection:
        connection.execute(insert(tables.report), rows)
        connection.execute(text("ANALYZE report"))
    asked: list[tuple[str, Any]] = []

    def note(_: Connection, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        asked.append((statement, parameters))

    with stored.step() as world:
        event.listen(stored.engine, "before_cursor_execute", note)
        try:
            found = world.reports_near(0.15, 0.15, within_m=150, since=NOON)
        finally:
            event.remove(stored.engine, "before_cursor_execute", note)
    # a step of 1e-4 degrees both ways is 15.7 m
    assert [report.ticket for report in found] == [f"T-{n}" for n in range(1491, 1510)]
    ((statement, parameters),) = asked
    lite = stored.engine.dialect.name == "sqlite"
    with reading(stored.engine) as connection:
        explain = "EXPLAIN QUERY PLAN " if lite else "EXPLAIN "
        rows_ = connection.exec_driver_sql(explain + statement, parameters)
        plan = "\n".join(str(row[-1]) for row in rows_)
    assert ("USING INTEGER PRIMARY KEY (rowid=?)" if lite else "report_geom_geography") in plan


def test_a_line_says_what_the_entry_says(stored: Stored) -> None:
    """The tail reads lines without their facts; both must tell the same."""
    with stored.step() as world:
        for number in range(3):
            report_at(world, 111.5 + number / 1000, -7.6)
        crew_of(world)
    with reading(stored.engine) as connection:
        entries = journal.after(connection, stored.city_id, 1, 100)
        lines = journal.told(connection, stored.city_id, 1, 100)
    assert lines == [line_of(entry) for entry in entries]
    assert any("description" in (line.changes or {}) for line in lines)
