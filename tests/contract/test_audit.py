"""The audit finds whatever somebody, or a bug, did to a city behind its log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update

from dispatch import actions
from dispatch.blobs import Blobs, Size
from dispatch.core.assignments import Assignment
from dispatch.core.incidents import Incident
from dispatch.storage import answers, tables
from dispatch.storage.answers import Request
from dispatch.system.audit import Audit, audit_city
from geo.point import Point
from geo.sql import writing
from tests.contract.watched import (
    CITIZEN,
    CREW,
    DISPATCHER,
    Watched,
    new_crew,
    new_incident,
    new_report,
)
from tests.contract.worlds import NOON, Stored

t = tables


class City:
    """A city in which something happened, and a hand that reaches behind its log."""

    def __init__(self, stored: Stored) -> None:
        self.stored, self.city_id = stored, stored.city_id
        watched = Watched(stored)
        self.crew = new_crew(watched, 0)
        self.incident: Incident = new_incident(watched, 10)
        self.other: Incident = new_incident(watched, 20)
        self.waiting = new_report(watched, 25)
        sent = {"crew_id": self.crew.id}
        self.job: Assignment = watched.do(
            actions.send_crew, 30, DISPATCHER, self.incident.id, **sent
        )
        watched.do(actions.acknowledge, 40, CREW, self.job.id)
        wish = actions.NewReport("web", "pothole", "Jalan berlubang", *(111.52, -7.63))
        watched.do(actions.receive_report, 50, CITIZEN, wish)
        self.last = self.stored.log()[-1]

    def audit(self, blobs: Blobs | None = None) -> Audit:
        return audit_city(self.stored.engine, blobs, self.city_id, NOON)

    def checks(self, blobs: Blobs | None = None) -> set[str]:
        return set(self.audit(blobs).counts)

    def behind(self, act: Callable[[Connection], object]) -> None:
        with writing(self.stored.engine) as connection:
            act(connection)

    def of(self, table: Any, **where: Any) -> Any:
        """The rows of this city with these values."""
        found = table.c.city_id == self.city_id
        for name, value in where.items():
            found &= table.c[name] == value
        return found


@pytest.fixture
def city(stored: Stored) -> City:
    made = City(stored)
    assert made.audit().findings == ()
    return made


def test_a_clean_city_is_counted(city: City) -> None:
    found = city.audit()
    assert found.clean
    assert found.offset == len(city.stored.log())
    assert found.things == {"assignment": 1, "crew": 1, "incident": 2, "referral": 2, "report": 4}


def test_a_hole_in_the_log(city: City) -> None:
    def skip(connection: Connection) -> None:
        gone = {"offset": city.last.offset}
        connection.execute(delete(t.log_channel).where(city.of(t.log_channel, **gone)))
        connection.execute(update(t.log).where(city.of(t.log, **gone)).values(offset=10_000))

    city.behind(skip)
    assert {"offsets"} <= city.checks() <= {"offsets", "channels"}


def test_a_log_that_ends_before_its_counter(city: City) -> None:
    city.behind(
        lambda c: c.execute(
            update(t.city).where(t.city.c.city_id == city.city_id).values(offset=10_000)
        )
    )
    assert city.checks() == {"offsets"}


def test_a_version_that_is_missing(city: City) -> None:
    line = {"kind": "assignment", "version": 2}
    city.behind(lambda c: c.execute(update(t.log).where(city.of(t.log, **line)).values(version=7)))
    # its row is not what the log makes of it either
    assert city.checks() == {"versions", "rows", "timers"}


def test_a_step_that_the_lifecycle_forbids(city: City) -> None:
    line = {"kind": "assignment", "version": 2}
    fact = {"type": "AssignmentCleared", "fact": {"disposition_code": "05", "note": None}}
    city.behind(lambda c: c.execute(update(t.log).where(city.of(t.log, **line)).values(fact)))
    assert city.checks() == {"lifecycle", "rows", "timers"}


def test_a_line_that_cannot_be_read(city: City) -> None:
    line = {"offset": city.last.offset}
    city.behind(lambda c: c.execute(update(t.log).where(city.of(t.log, **line)).values(fact={})))
    assert city.checks() == {"lifecycle", "rows", "timers"}


def test_a_crew_that_was_sent_to_two_places(city: City) -> None:
    """The index that forbids it is taken away for a moment, as if it had never been."""

    def book(connection: Connection) -> None:
        job = connection.execute(select(t.assignment).where(city.of(t.assignment))).mappings().one()
        line = connection.execute(select(t.log).where(city.of(t.log, subject=job["id"], version=1)))
        told = dict(line.mappings().one())
        second, offset = uuid4(), city.last.offset + 1
        told.update(
            id=uuid4(),
            offset=offset,
            subject=second,
            changes={**told["changes"], "id": str(second), "status": "offered"},
        )
        connection.execute(insert(t.log).values(told))
        connection.execute(
            update(t.city).where(t.city.c.city_id == city.city_id).values(offset=offset)
        )

    city.behind(book)
    found = city.audit()
    assert "double_booked" in found.counts
    [booked] = [each for each in found.findings if each.check == "double_booked"]
    assert str(city.crew.id) in booked.what
    assert booked.offset == city.last.offset + 1


def test_screens_that_were_told_something_else(city: City) -> None:
    line = {"kind": "assignment", "version": 2}
    city.behind(
        lambda c: c.execute(
            update(t.log).where(city.of(t.log, **line)).values(changes={"status": "en_route"})
        )
    )
    assert city.checks() == {"changes"}


def test_a_crew_that_was_not_told(city: City) -> None:
    channel = f"crew/{city.crew.id}"
    offset = max(entry.offset for entry, _ in city.stored.heard(channel))
    unheard = {"channel": channel, "offset": offset}
    city.behind(lambda c: c.execute(delete(t.log_channel).where(city.of(t.log_channel, **unheard))))
    [finding] = city.audit().findings
    assert (finding.check, finding.offset) == ("channels", offset)
    assert channel in finding.what


def test_a_row_that_was_changed_by_hand(city: City) -> None:
    this = {"id": city.incident.id}
    city.behind(
        lambda c: c.execute(
            update(t.incident).where(city.of(t.incident, **this)).values(priority=1)
        )
    )
    [finding] = city.audit().findings
    assert finding.check == "rows"
    assert finding.what.endswith("priority")


def test_rows_that_are_gone_or_nobody_made(city: City) -> None:
    def swap(connection: Connection) -> None:
        [first] = [
            r for r in _all(connection, city, t.referral) if r["incident_id"] == city.other.id
        ]
        connection.execute(delete(t.referral).where(city.of(t.referral, id=first["id"])))
        connection.execute(insert(t.referral).values({**first, "id": uuid4()}))

    city.behind(swap)
    assert city.audit().counts == {"rows": 2}


def _all(connection: Connection, city: City, table: Any) -> list[dict[str, Any]]:
    rows = connection.execute(select(table).where(city.of(table))).mappings()
    return [dict(row) for row in rows]


def test_a_place_that_the_spatial_index_has_elsewhere(city: City) -> None:
    def move(connection: Connection) -> None:
        here = city.of(t.incident, id=city.incident.id)
        connection.execute(update(t.incident).where(here).values(geom=Point(111.6, -7.6)))

    city.behind(move)
    [finding] = city.audit().findings
    assert (finding.check, finding.what.endswith("the spatial index")) == ("rows", True)


def test_an_incident_that_does_not_know_its_report(city: City) -> None:
    """The line that says so is made to speak of another report, as are the rows that follow."""

    def forget(connection: Connection) -> None:
        joined = city.of(t.log, subject=city.incident.id, type="IncidentReportJoined")
        told = {"report_id": str(city.waiting.id)}
        line = dict(connection.execute(select(t.log).where(joined)).mappings().one())
        fact = {**line["fact"], **told}
        changes = {**line["changes"], "report_ids": [str(city.waiting.id)]}
        connection.execute(update(t.log).where(joined).values(fact=fact, changes=changes))

    city.behind(forget)
    assert "together" in city.checks()


def test_a_key_that_was_answered_with_another_keys_work(city: City) -> None:
    line = city.stored.log()[-1]
    event = {
        "o": line.offset,
        "t": line.event.type,
        "k": line.event.key,
        "v": line.event.version,
    }

    def answer(connection: Connection) -> None:
        for key in ("first", "second"):
            wish = Request(key, "POST /api/x", "hash")
            body = {"events": [event]}
            answers.keep(connection, city.city_id, "citizen", wish, status=200, body=body, now=NOON)

    city.behind(answer)
    [finding] = city.audit().findings
    assert (finding.check, finding.offset) == ("keys", line.offset)


def test_an_answer_that_the_log_knows_nothing_of(city: City) -> None:
    """What a server does that says yes before it has committed."""

    def answer(connection: Connection) -> None:
        event = {"o": 99_999, "t": "ReportVerified", "k": f"report/{uuid4()}", "v": 2}
        bodies: tuple[dict[str, Any], ...] = (
            {"events": [event]},
            {"ticket": "TST-9", "token": "t"},
        )
        for key, body in enumerate(bodies):
            wish = Request(str(key), "POST /api/x", "hash")
            answers.keep(connection, city.city_id, "citizen", wish, status=200, body=body, now=NOON)

    city.behind(answer)
    assert city.audit().counts == {"keys": 2}


def test_work_that_nobody_will_be_reminded_of(city: City) -> None:
    city.behind(lambda c: c.execute(delete(t.due).where(city.of(t.due, kind=actions.TRIAGE))))
    [finding] = city.audit().findings
    assert finding.check == "timers"
    assert "received" in finding.what


def test_a_timer_about_nothing(city: City) -> None:
    timer = {"kind": actions.TRIAGE, "subject": uuid4(), "run_at": NOON, "attempts": 0}
    city.behind(lambda c: c.execute(insert(t.due).values(city_id=city.city_id, **timer)))
    assert city.checks() == {"timers"}


def test_words_that_were_lost(city: City) -> None:
    this = {"report_id": city.waiting.id}
    city.behind(lambda c: c.execute(delete(t.personal).where(city.of(t.personal, **this))))
    assert city.checks() == {"personal"}


def test_a_ticket_counter_that_went_back(city: City) -> None:
    city.behind(
        lambda c: c.execute(
            update(t.city).where(t.city.c.city_id == city.city_id).values(tickets=1)
        )
    )
    assert city.checks() == {"counters"}


def test_photos_that_are_gone_or_changed(city: City, tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    city_folder = city.city_id
    kept = [blobs.put(city_folder, full=name, thumb=b"-") for name in (b"a", b"b", b"c")]

    def keep(connection: Connection) -> None:
        for digest in kept:
            row = {"sha256": digest, "media_type": "image/jpeg", "width": 1, "height": 1}
            connection.execute(
                insert(t.photo).values(city_id=city.city_id, id=uuid4(), created_at=NOON, **row)
            )

    city.behind(keep)
    assert city.audit(blobs).clean
    blobs.path(city_folder, kept[0]).write_bytes(b"other")
    blobs.delete(city_folder, kept[1])
    assert city.audit(blobs).counts == {"photos": 2}
    assert city.audit().clean, "without the files nobody looks at them"


def test_a_photo_that_is_forgotten_while_the_audit_reads(city: City, tmp_path: Path) -> None:
    """One that nobody claimed goes after a day, whoever is looking."""

    class Forgetting(Blobs):
        def read(self, city_id: str, digest: str, size: Size = "full") -> bytes:
            city.behind(lambda c: c.execute(delete(t.photo).where(city.of(t.photo))))
            self.delete(city_id, digest)
            return super().read(city_id, digest, size)

    blobs = Forgetting(tmp_path)
    digest = blobs.put(city.city_id, full=b"a", thumb=b"-")
    row = {"id": uuid4(), "created_at": NOON, "media_type": "image/jpeg", "width": 1, "height": 1}
    city.behind(
        lambda c: c.execute(insert(t.photo).values(city_id=city.city_id, sha256=digest, **row))
    )
    assert city.audit(blobs).clean


def test_many_findings_are_counted_and_some_are_told(city: City) -> None:
    timers = [
        {"city_id": city.city_id, "kind": "triage", "subject": UUID(int=n), "run_at": NOON}
        for n in range(1001, 1151)
    ]
    city.behind(lambda c: c.execute(insert(t.due).values(attempts=0), timers))
    found = city.audit()
    assert found.counts == {"timers": 150}
    assert len(found.findings) == 100


def test_the_audit_writes_nothing(city: City) -> None:
    with city.stored.engine.connect() as connection:
        before = connection.execute(text("SELECT count(*) FROM log")).scalar()
    city.audit()
    with city.stored.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM log")).scalar() == before
