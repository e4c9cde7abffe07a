"""Places in a database: the right answers, the same on both, and always through the index."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely
from sqlalchemy import (
    Column,
    Engine,
    Integer,
    MetaData,
    Select,
    Table,
    insert,
    select,
    text,
    update,
)

from geo.point import Point, distance_m
from geo.sql import (
    Place,
    covers_point,
    create_place_index,
    drop_place_index,
    in_bbox,
    metres_to,
    nearest,
    open_engine,
    reading,
    try_hold,
    within_metres,
    writing,
)

MANY = 20_000
HERE = Point(111.52, -7.63)

metadata = MetaData()
spot = Table("spot", metadata, Column("id", Integer, primary_key=True), Column("geom", Place()))
area = Table(
    "area", metadata, Column("id", Integer, primary_key=True), Column("geom", Place("POLYGON"))
)


def _points() -> list[Point]:
    chance = random.Random(7)
    return [
        Point(HERE.lon + chance.uniform(-0.2, 0.2), HERE.lat + chance.uniform(-0.2, 0.2))
        for _ in range(MANY)
    ]


def _squares() -> list[shapely.Polygon]:
    """Ten by ten squares of 0.01° side by side around HERE."""
    west, south = HERE.lon - 0.05, HERE.lat - 0.05
    return [
        shapely.box(west + i / 100, south + j / 100, west + (i + 1) / 100, south + (j + 1) / 100)
        for i in range(10)
        for j in range(10)
    ]


@pytest.fixture(scope="module")
def points() -> list[Point]:
    return _points()


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgis", marks=pytest.mark.needs("postgis"))]
)
def places(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, points: list[Point]
) -> Iterator[Engine]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('places') / 'places.sqlite3'}"
    else:
        url = request.getfixturevalue("fresh_postgis_database")()
    engine = open_engine(url)
    with writing(engine) as connection:
        metadata.create_all(connection)
        for table in (spot, area):
            create_place_index(connection, table.name, "geom")
        rows = [{"id": number, "geom": point} for number, point in enumerate(points)]
        connection.execute(insert(spot), rows)
        squares = [{"id": number, "geom": square} for number, square in enumerate(_squares())]
        connection.execute(insert(area), squares)
    if request.param == "postgis":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    yield engine
    engine.dispose()


def _plan(engine: Engine, question: Select[Any]) -> str:
    prefix = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    written = question.compile(engine, compile_kwargs={"literal_binds": True})
    with reading(engine) as connection:
        rows = connection.execute(text(f"{prefix} {written}"))
        return "".join(f"{row[-1]}\n" for row in rows)


def _ids(engine: Engine, question: Select[Any]) -> set[int]:
    with reading(engine) as connection:
        return set(connection.scalars(question))


def test_within_metres_finds_what_is_within_on_the_sphere(
    places: Engine, points: list[Point]
) -> None:
    for metres in (0.0, 150.0, 2500.0):
        asked = select(spot.c.id).where(within_metres(spot.c.geom, HERE.lon, HERE.lat, metres))
        expected = {n for n, point in enumerate(points) if distance_m(HERE, point) <= metres}
        assert _ids(places, asked) == expected


def test_in_bbox_takes_its_edges_in(places: Engine, points: list[Point]) -> None:
    box = (points[0].lon, points[0].lat, points[0].lon + 0.01, points[0].lat + 0.01)
    found = _ids(places, select(spot.c.id).where(in_bbox(spot.c.geom, *box)))
    inside = {
        n for n, p in enumerate(points) if box[0] <= p.lon <= box[2] and box[1] <= p.lat <= box[3]
    }
    # boxes in the indexes are rounded outwards, by about a metre
    assert inside <= found
    assert len(found - inside) <= 1


def test_covers_point_takes_edges_in_and_leaves_neighbours_out(places: Engine) -> None:
    squares = _squares()
    for point in (HERE, Point(HERE.lon + 0.0031, HERE.lat - 0.0077), Point(0.0, 0.0)):
        asked = select(area.c.id).where(covers_point(area.c.geom, point.lon, point.lat))
        expected = {
            n
            for n, square in enumerate(squares)
            if square.intersects(shapely.Point(point.lon, point.lat))
        }
        assert _ids(places, asked) == expected


def test_nearest_comes_first_with_its_metres(places: Engine, points: list[Point]) -> None:
    metres = metres_to(spot.c.geom, HERE.lon, HERE.lat)
    asked = (
        select(spot.c.id, metres)
        .where(within_metres(spot.c.geom, HERE.lon, HERE.lat, 3000.0))
        .order_by(nearest(spot.c.geom, HERE.lon, HERE.lat))
        .limit(5)
    )
    with reading(places) as connection:
        found = [(row[0], row[1]) for row in connection.execute(asked)]
    expected = sorted((distance_m(HERE, point), n) for n, point in enumerate(points))[:5]
    assert [n for n, _ in found] == [n for _, n in expected]
    assert [m for _, m in found] == pytest.approx([m for m, _ in expected], rel=1e-6)


@pytest.mark.parametrize(
    ("table", "question"),
    [
        (spot, within_metres(spot.c.geom, HERE.lon, HERE.lat, 100.0)),
        (spot, in_bbox(spot.c.geom, 111.5, -7.64, 111.51, -7.63)),
        (area, covers_point(area.c.geom, HERE.lon, HERE.lat)),
    ],
    ids=["within_metres", "in_bbox", "covers_point"],
)
def test_questions_go_through_the_index(places: Engine, table: Table, question: Any) -> None:
    plan = _plan(places, select(table.c.id).where(question))
    if places.dialect.name == "sqlite":
        assert "VIRTUAL TABLE INDEX" in plan
        assert f"SCAN {table.name}\n" not in plan
    elif table is area:
        # a hundred rows are read faster than any index: make the planner choose
        with reading(places) as connection:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            written = select(table.c.id).where(question)
            forced = written.compile(places, compile_kwargs={"literal_binds": True})
            plan = "\n".join(row[0] for row in connection.execute(text(f"EXPLAIN {forced}")))
        assert "area_geom_gist" in plan
    else:
        assert "spot_geom_g" in plan
        assert "Seq Scan" not in plan


def test_the_nearest_are_found_through_the_index(places: Engine) -> None:
    asked = select(spot.c.id).order_by(nearest(spot.c.geom, HERE.lon, HERE.lat)).limit(5)
    if places.dialect.name == "sqlite":
        # an R*Tree has no nearest-first walk: the search is bounded instead
        asked = asked.where(within_metres(spot.c.geom, HERE.lon, HERE.lat, 3000.0))
        assert "VIRTUAL TABLE INDEX" in _plan(places, asked)
    else:
        plan = _plan(places, asked)
        assert "Index Scan using spot_geom_geography" in plan
        assert "Sort" not in plan


def test_questions_work_on_an_alias_and_in_an_update(places: Engine, points: list[Point]) -> None:
    other = spot.alias("other")
    asked = select(other.c.id).where(within_metres(other.c.geom, HERE.lon, HERE.lat, 500.0))
    expected = {n for n, point in enumerate(points) if distance_m(HERE, point) <= 500.0}
    assert _ids(places, asked) == expected
    with writing(places) as connection:
        near = within_metres(spot.c.geom, HERE.lon, HERE.lat, 500.0)
        done = connection.execute(update(spot).where(near).values(id=spot.c.id))
        assert done.rowcount == len(expected)


def test_statements_are_cached_whatever_their_numbers(places: Engine) -> None:
    def asked(metres: float) -> Any:
        return select(spot.c.id).where(within_metres(spot.c.geom, HERE.lon, HERE.lat, metres))

    assert asked(100.0)._generate_cache_key() == asked(200.0)._generate_cache_key()
    assert asked(100.0)._generate_cache_key() is not None


def test_the_index_follows_moves_and_deletions(places: Engine) -> None:
    away = Point(120.0, 5.0)
    asked = select(spot.c.id).where(within_metres(spot.c.geom, away.lon, away.lat, 10.0))
    new = {"id": MANY + 1, "geom": None}
    with writing(places) as connection:
        connection.execute(insert(spot).values(new))
        assert set(connection.scalars(asked)) == set()
        mine = update(spot).where(spot.c.id == MANY + 1)
        connection.execute(mine.values(geom=away))
        assert set(connection.scalars(asked)) == {MANY + 1}
        connection.execute(mine.values(geom=HERE))
        assert set(connection.scalars(asked)) == set()
        connection.execute(mine.values(geom=away))
        connection.execute(spot.delete().where(spot.c.id == MANY + 1))
        assert set(connection.scalars(asked)) == set()


def test_places_come_back_as_they_were(places: Engine, points: list[Point]) -> None:
    with reading(places) as connection:
        point = connection.scalar(select(spot.c.geom).where(spot.c.id == 3))
        square = connection.scalar(select(area.c.geom).where(area.c.id == 3))
    assert point is not None
    assert (point.x, point.y) == (points[3].lon, points[3].lat)
    assert shapely.equals(square, _squares()[3])


def test_an_index_can_be_dropped_and_made_again(places: Engine) -> None:
    with writing(places) as connection:
        drop_place_index(connection, "area", "geom")
        connection.execute(area.delete())
        create_place_index(connection, "area", "geom")
        squares = [{"id": number, "geom": square} for number, square in enumerate(_squares())]
        connection.execute(insert(area), squares)
        asked = select(area.c.id).where(
            covers_point(area.c.geom, HERE.lon + 0.001, HERE.lat + 0.001)
        )
        assert len(list(connection.scalars(asked))) == 1


def test_vacuum_leaves_the_index_right(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'vacuum.sqlite3'}")
    named = Table(
        "named",
        MetaData(),
        Column("city_id", Integer, primary_key=True),
        Column("id", Integer, primary_key=True),
        Column("geom", Place()),
    )
    with writing(engine) as connection:
        named.create(connection)
        create_place_index(connection, "named", "geom")
        rows = [{"city_id": 1, "id": n, "geom": Point(n / 100, 0.0)} for n in range(100)]
        connection.execute(insert(named), rows)
        connection.execute(named.delete().where(named.c.id % 2 == 0))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.connection.execute("VACUUM")
    asked = select(named.c.id).where(within_metres(named.c.geom, 0.51, 0.0, 10.0))
    assert _ids(engine, asked) == {51}
    engine.dispose()


def test_a_name_is_held_once_until_it_is_let_go(places: Engine) -> None:
    first = try_hold(places, "dispatcher/mdn")
    assert first is not None
    assert first.holds()
    assert try_hold(places, "dispatcher/mdn") is None
    other = try_hold(places, "dispatcher/jkt")
    assert other is not None
    first.let_go()
    again = try_hold(places, "dispatcher/mdn")
    assert again is not None
    again.let_go()
    other.let_go()
