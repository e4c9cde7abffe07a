"""The tables: reached from nothing, left without a trace, and every key begins with the city."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import (
    Engine,
    ForeignKeyConstraint,
    Table,
    UniqueConstraint,
    insert,
    inspect,
    select,
)
from sqlalchemy.exc import IntegrityError

from dispatch.core.crews import Fix
from dispatch.core.world import ENTITY, Personal
from dispatch.storage import migrations, tables
from dispatch.storage.cities import begin_epoch, cities, find_city, found_city
from geo.sql import is_place_index, open_engine, reading, writing
from tests.contract.worlds import NOON, Stored


@pytest.fixture
def empty_engine(empty_url: str) -> Iterator[Engine]:
    engine = open_engine(empty_url)
    yield engine
    engine.dispose()


def test_migrations_make_exactly_the_tables_of_the_code(empty_engine: Engine) -> None:
    migrations.upgrade(empty_engine)
    with reading(empty_engine) as connection:
        options = {
            "compare_type": True,
            "include_name": lambda name, _kind, _parents: not is_place_index(name),
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, tables.metadata) == []
        assert migrations.current(connection) == migrations.newest()


def test_migrations_run_twice_and_back_with_a_city_in_it(empty_engine: Engine) -> None:
    migrations.upgrade(empty_engine)
    migrations.upgrade(empty_engine)
    with writing(empty_engine) as connection:
        found_city(connection, "mdn", name="Madiun", ticket_prefix="MDN", now=NOON)
    migrations.downgrade(empty_engine)
    left = {name for name in inspect(empty_engine).get_table_names() if not is_place_index(name)}
    assert left == {"alembic_version"}
    migrations.upgrade(empty_engine)
    with reading(empty_engine) as connection:
        assert cities(connection) == []


def test_place_indexes_are_there_after_the_migration(empty_engine: Engine) -> None:
    migrations.upgrade(empty_engine)
    found = inspect(empty_engine)
    for table, column in tables.PLACES:
        indexes = {index["name"] for index in found.get_indexes(table)}
        gist = {f"{table}_{column}_gist", f"{table}_{column}_geography"}
        assert gist <= indexes or f"{table}_{column}_rtree" in found.get_table_names()


@pytest.mark.parametrize("table", tables.metadata.sorted_tables, ids=lambda table: table.name)
def test_every_key_begins_with_the_city(table: Table) -> None:
    keys = [list(table.primary_key.columns)]
    keys += [list(index.columns) for index in table.indexes]
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint | ForeignKeyConstraint):
            keys.append(list(constraint.columns))
    assert [columns[0].name for columns in keys] == ["city_id"] * len(keys)
    for constraint in table.foreign_key_constraints:
        assert constraint.elements[0].column.name == "city_id"


def test_columns_carry_the_names_of_the_things() -> None:
    pairs: list[tuple[Table, Any]] = []
    pairs += [(tables.ENTITIES[kind], type_) for kind, type_ in ENTITY.items()]
    pairs += [(tables.personal, Personal), (tables.fix, Fix), (tables.crew_fix, Fix)]
    for table, type_ in pairs:
        columns = {column.name for column in table.c} - {"city_id", "geom"}
        assert columns == {field.name for field in fields(type_)}


def test_the_database_itself_refuses_double_booking(stored: Stored) -> None:
    row = {
        "city_id": stored.city_id,
        "version": 1,
        "changed_at": NOON,
        "dispatched_at": NOON,
        "expires_at": NOON,
        "sources": {},
        "photo_ids": [],
    }
    crew_id, incident_id = stored.new_id(), stored.new_id()
    booked = {**row, "crew_id": crew_id, "incident_id": incident_id}
    rows = [
        {**booked, "id": stored.new_id(), "status": status}
        for status in ("declined", "offered", "on_scene")
    ]
    with pytest.raises(IntegrityError, match=r"assignment\.crew_id|one_active_per_crew"):
        write(stored, tables.assignment, rows)
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"):
        write(stored, tables.assignment, rows[:2])


def write(stored: Stored, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    with writing(stored.engine) as connection:
        for row in rows:
            connection.execute(insert(table).values(row))


def test_one_key_guards_each_version_of_a_thing(stored: Stored) -> None:
    line = {
        "city_id": stored.city_id,
        "kind": "crew",
        "subject": stored.new_id(),
        "version": 1,
        "type": "CrewRegistered",
        "at": NOON,
        "recorded_at": NOON,
        "actor_role": "system",
        "actor_id": "",
        "fact": {},
        "changes": {},
    }
    lines = [{**line, "id": stored.new_id(), "offset": offset} for offset in (1, 2)]
    write(stored, tables.log, lines[:1])
    with pytest.raises(IntegrityError):
        write(stored, tables.log, lines[1:])


def test_what_refers_must_exist_when_the_step_ends(stored: Stored) -> None:
    lost = {"city_id": stored.city_id, "report_id": stored.new_id(), "description": "x"}
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"):
        write(stored, tables.personal, [lost])


def test_a_moment_without_a_zone_is_refused(stored: Stored) -> None:
    with pytest.raises(Exception, match="no time zone"), writing(stored.engine) as connection:
        found_city(
            connection, "naive", name="N", ticket_prefix="NNN", now=NOON.replace(tzinfo=None)
        )


def test_moments_come_back_in_utc(stored: Stored) -> None:
    with reading(stored.engine) as connection:
        city = tables.city.c
        found = select(city.created_at).where(city.city_id == stored.city_id)
        created = connection.scalar(found)
    assert created == NOON
    assert created is not None
    assert created.utcoffset() == NOON.utcoffset()


def test_a_city_keeps_its_log_when_it_is_renamed(stored: Stored) -> None:
    with writing(stored.engine) as connection:
        before = find_city(connection, stored.city_id)
        after = found_city(connection, stored.city_id, name="New", ticket_prefix="NEW", now=NOON)
    assert (after.name, after.ticket_prefix, after.epoch) == ("New", "NEW", before.epoch)


def test_a_new_epoch_is_another_one(stored: Stored) -> None:
    with writing(stored.engine) as connection:
        before = find_city(connection, stored.city_id).epoch
        assert begin_epoch(connection, stored.city_id) != before
        assert find_city(connection, stored.city_id).epoch != before
