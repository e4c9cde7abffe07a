"""The crews a process has at hand are those of the city at that moment, whoever changed them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from sqlalchemy import Connection, event

from dispatch import actions
from dispatch.core.crews import Crew
from dispatch.storage import cities, journal, roster, tables
from dispatch.storage.roster import Roster
from dispatch.storage.store import StoredWorld, step
from geo.sql import reading, writing
from tests.contract.test_world_contract import DISPATCHER, crew_of, incident_of, later
from tests.contract.worlds import NOON, POLICY, Stored


def seen(stored: Stored, kept: Roster) -> list[Crew]:
    """What the roster says now, held against what the rows say."""
    with reading(stored.engine) as connection:
        epoch, offset = journal.head(connection, stored.city_id)
        found = kept.at(connection, stored.city_id, epoch=epoch, offset=offset)
        assert found is not None
        rows = StoredWorld(connection, stored.city_id, POLICY, locked=False).crews()
    assert list(found.values()) == list(rows)
    assert list(found) == [crew.id for crew in rows]
    return list(found.values())


@contextmanager
def read_rows(stored: Stored, of: str) -> Iterator[list[int]]:
    """How many statements read from this table meanwhile."""
    read = [0]

    def look(_c: Connection, _cursor: object, statement: str, *_: object) -> None:
        read[0] += f"FROM {of}" in statement

    event.listen(stored.engine, "before_cursor_execute", look)
    try:
        yield read
    finally:
        event.remove(stored.engine, "before_cursor_execute", look)


def test_only_what_changed_is_read_again(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Roster()
    assert seen(stored, kept) == []
    with stored.step() as world:
        crews = [crew_of(world) for _ in range(5)]
    assert len(seen(stored, kept)) == 5
    # another process, with a memory of its own
    with step(stored.engine, stored.city_id, POLICY, ids=stored.new_id) as world:
        actions.set_crew_status(world, later(1), DISPATCHER, crews[2].id, status="not_available")
        incident_of(world)
    read: list[int] = []
    real = roster._read

    def noted(connection: Connection, city_id: str, only: list[UUID]) -> dict[UUID, Crew]:
        read.append(len(only))
        return real(connection, city_id, only)

    monkeypatch.setattr(roster, "_read", noted)
    found = seen(stored, kept)
    assert [crew.status == "not_available" for crew in found] == [False, False, True, False, False]
    seen(stored, kept)
    assert read == [1]


def test_when_many_changed_all_are_read(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster, "FEW", 2)
    kept = Roster()
    seen(stored, kept)
    with stored.step() as world:
        for _ in range(4):
            crew_of(world)
    assert len(seen(stored, kept)) == 4


def test_what_was_given_up_is_not_remembered(stored: Stored) -> None:
    with stored.step() as world:
        crew = crew_of(world)
        world.crews()

    def give_up() -> None:
        with stored.step() as world:
            actions.set_crew_status(world, NOON, DISPATCHER, crew.id, status="not_available")
            assert [each.status for each in world.crews()] == ["not_available"]
            crew_of(world)
            assert len(world.crews()) == 2
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        give_up()
    with stored.step() as world:
        assert [each.status for each in world.crews()] == ["available"]


def test_who_looks_at_an_older_moment_sees_that_moment(stored: Stored) -> None:
    with stored.step() as world:
        crew = crew_of(world)
    with reading(stored.engine) as connection:
        looking = StoredWorld(
            connection, stored.city_id, POLICY, locked=False, at_hand=stored.at_hand
        )
        with stored.step() as world:
            actions.set_crew_status(world, NOON, DISPATCHER, crew.id, status="not_available")
        with stored.step() as world:
            assert [each.status for each in world.crews()] == ["not_available"]
        assert [each.status for each in looking.crews()] == ["available"]
    assert [each.status for each in seen(stored, stored.at_hand.roster)] == ["not_available"]


def test_a_restored_log_is_read_from_the_beginning(stored: Stored) -> None:
    """The same offset of another epoch is another moment."""
    kept = Roster()
    with stored.step() as world:
        crew = crew_of(world)
    seen(stored, kept)
    with writing(stored.engine) as connection:
        cities.begin_epoch(connection, stored.city_id)
        connection.execute(
            tables.crew.update().where(tables.crew.c.city_id == stored.city_id).values(name="Lain")
        )
    [found] = seen(stored, kept)
    assert (found.id, found.name) == (crew.id, "Lain")


def test_a_plan_reads_what_crews_are_on_together(stored: Stored) -> None:
    """One question for each of a hundred crews cost more than the plan."""
    with stored.step() as world:
        for number in range(6):
            incident, crew = incident_of(world, 111.5 + number / 100), crew_of(world)
            actions.send_crew(world, NOON, DISPATCHER, incident.id, crew_id=crew.id)
    with stored.step() as world:
        crews = world.crews()
        with read_rows(stored, "assignment") as read:
            for crew in crews:
                assert crew.assignment_id is not None
                job = world.assignment(crew.assignment_id)
                assert world.incident(job.incident_id).status == "dispatched"
            assert read == [0]
            for incident in world.active_incidents():
                [one] = world.assignments_of(incident.id)
                assert one.incident_id == incident.id
            assert read == [1]


def test_active_incidents_follow_what_a_step_does(stored: Stored) -> None:
    with stored.step() as world:
        first = incident_of(world)
        assert [each.id for each in world.active_incidents()] == [first.id]
        second = incident_of(world, 111.6)
        assert {each.id for each in world.active_incidents()} == {first.id, second.id}
        actions.cancel_incident(world, later(1), DISPATCHER, first.id, reason="none")
        assert [each.id for each in world.active_incidents()] == [second.id]
    with stored.step() as world:
        assert [each.id for each in world.active_incidents()] == [second.id]
