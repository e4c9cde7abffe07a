"""Where things are, asked of PostGIS or of one SQLite file; no other file names a database.

A place is kept in a column of type `Place` and found by the questions `within_metres`, `nearest`,
`metres_to`, `covers_point` and `in_bbox`, each compiled once for each database: on PostGIS to its
own functions over GiST indexes, on SQLite to an R*Tree and shapely. Distances are metres on the
mean sphere on both, so that both give the same answer.

The file is long because it is the only one that may know the difference.
"""

from __future__ import annotations

import math
import sqlite3
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import orjson
import shapely
from geoalchemy2 import Geometry
from geoalchemy2.elements import WKBElement
from psycopg.conninfo import make_conninfo
from sqlalchemy import (
    JSON,
    URL,
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Float,
    Index,
    Integer,
    LargeBinary,
    Table,
    Uuid,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from geo.holds import ALIVE, HELD, Hold, session_hold
from geo.point import METRES_PER_DEGREE, Point, distance_m

SRID = 4326
BUSY_S = 30.0
RETRY_S = 0.01
_BEGIN = "geo_begin"

# --- types --------------------------------------------------------------------


class Place(TypeDecorator[Any]):
    """A WGS 84 geometry: give a `Point` or a shapely geometry, get a shapely geometry.

    `kind` is POINT, POLYGON, …; kept as PostGIS geometry, or as WKB.
    """

    impl = LargeBinary
    cache_ok = True
    # GeoAlchemy2 asks tables for it when they are created; `create_place_index` is ours to call.
    spatial_index = False
    use_typmod = True
    management = False

    def __init__(self, kind: str = "POINT") -> None:
        super().__init__()
        self.kind = kind

    def load_dialect_impl(self, dialect: Dialect | None) -> TypeEngine[Any]:
        # GeoAlchemy2 asks without a dialect, to know whether it has to do with the column at all.
        if dialect is not None and dialect.name == "postgresql":
            return Geometry(self.kind, srid=SRID, spatial_index=False)
        return LargeBinary()

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        geometry = shapely.Point(value.lon, value.lat) if isinstance(value, Point) else value
        if dialect.name == "postgresql":
            return f"SRID={SRID};{shapely.to_wkt(geometry, rounding_precision=-1)}"
        return shapely.to_wkb(geometry)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        return shapely.from_wkb(bytes(value.data) if isinstance(value, WKBElement) else value)

    def __repr__(self) -> str:
        return f"Place({self.kind!r})"


class Moment(TypeDecorator[datetime]):
    """A moment in UTC; refuses times without a zone and gives aware ones back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def document() -> TypeEngine[Any]:
    """A JSON column; JSONB where there is such a thing. Python's None is SQL's NULL."""
    return JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def big_number() -> TypeEngine[int]:
    """A whole number beyond 2^31."""
    return BigInteger().with_variant(Integer(), "sqlite")


# --- questions ----------------------------------------------------------------


class _Question(FunctionElement[Any]):
    # Boolean would render "= 1" on SQLite and hide the R*Tree behind it.
    type: TypeEngine[Any] = Integer()
    inherit_cache = True

    def arguments(self, compiler: SQLCompiler, **kw: Any) -> list[str]:
        return [compiler.process(clause, **kw) for clause in self.clauses]


class within_metres(_Question):  # noqa: N801 - reads as the SQL function it is
    """Whether a point column lies within so many metres: (column, lon, lat, metres)."""

    inherit_cache = True


class covers_point(_Question):  # noqa: N801
    """Whether a polygon column covers the point, edges included: (column, lon, lat)."""

    inherit_cache = True


class in_bbox(_Question):  # noqa: N801
    """Whether a column's box touches this one: (column, west, south, east, north)."""

    inherit_cache = True


class metres_to(_Question):  # noqa: N801
    """How far a point column is from a place, metres: (column, lon, lat)."""

    type: TypeEngine[Any] = Float()
    inherit_cache = True


class nearest(_Question):  # noqa: N801
    """Something to order by, nearest first: (column, lon, lat).

    PostGIS walks its index in this order; bound the search with `within_metres` for SQLite.
    """

    type: TypeEngine[Any] = Float()
    inherit_cache = True


class aside(FunctionElement[Any]):  # noqa: N801
    """A column beside a question about its place: SQLite is not to search by it first.

    Without statistics SQLite takes any other index for better than the R*Tree.
    """

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any]) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(aside, "postgresql")
def _pg_aside(element: aside, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(next(iter(element.clauses)), **kw)


@compiles(aside, "sqlite")
def _lite_aside(element: aside, compiler: SQLCompiler, **kw: Any) -> str:
    return f"+{compiler.process(next(iter(element.clauses)), **kw)}"


# `geography(column)` and not a cast: only this spelling meets the index on it.
_PG_POINT = "ST_SetSRID(ST_MakePoint({0}, {1}), 4326)"


@compiles(within_metres, "postgresql")
def _pg_within(element: within_metres, compiler: SQLCompiler, **kw: Any) -> str:
    column, lon, lat, metres = element.arguments(compiler, **kw)
    there = _PG_POINT.format(lon, lat)
    return f"ST_DWithin(geography({column}), geography({there}), {metres}, false)"


@compiles(covers_point, "postgresql")
def _pg_covers(element: covers_point, compiler: SQLCompiler, **kw: Any) -> str:
    column, lon, lat = element.arguments(compiler, **kw)
    return f"ST_Covers({column}, {_PG_POINT.format(lon, lat)})"


@compiles(in_bbox, "postgresql")
def _pg_in_bbox(element: in_bbox, compiler: SQLCompiler, **kw: Any) -> str:
    column, *box = element.arguments(compiler, **kw)
    return f"({column} && ST_MakeEnvelope({', '.join(box)}, 4326))"


@compiles(metres_to, "postgresql")
def _pg_metres(element: metres_to, compiler: SQLCompiler, **kw: Any) -> str:
    column, lon, lat = element.arguments(compiler, **kw)
    there = _PG_POINT.format(lon, lat)
    return f"ST_Distance(geography({column}), geography({there}), false)"


@compiles(nearest, "postgresql")
def _pg_nearest(element: nearest, compiler: SQLCompiler, **kw: Any) -> str:
    column, lon, lat = element.arguments(compiler, **kw)
    return f"(geography({column}) <-> geography({_PG_POINT.format(lon, lat)}))"


def _in_rtree(element: _Question, compiler: SQLCompiler, box: str) -> str:
    column: Any = next(iter(element.clauses))
    stored = next(iter(column.base_columns))
    alias = compiler.process(column).rpartition(".")[0]
    row = f"{alias}.rowid" if alias else "rowid"
    tree = _rtree(stored.table.name, stored.name)
    return f"{row} IN (SELECT id FROM {tree} WHERE {box})"  # noqa: S608 - names from our tables


@compiles(in_bbox, "sqlite")
def _lite_in_bbox(element: in_bbox, compiler: SQLCompiler, **kw: Any) -> str:
    _, west, south, east, north = element.arguments(compiler, **kw)
    box = f"x0 <= {east} AND x1 >= {west} AND y0 <= {north} AND y1 >= {south}"
    return _in_rtree(element, compiler, box)


@compiles(covers_point, "sqlite")
def _lite_covers(element: covers_point, compiler: SQLCompiler, **kw: Any) -> str:
    column, lon, lat = element.arguments(compiler, **kw)
    box = f"x0 <= {lon} AND x1 >= {lon} AND y0 <= {lat} AND y1 >= {lat}"
    return f"({_in_rtree(element, compiler, box)} AND geo_covers({column}, {lon}, {lat}))"


@compiles(within_metres, "sqlite")
def _lite_within(element: within_metres, compiler: SQLCompiler, **kw: Any) -> str:
    column, lon, lat, metres = element.arguments(compiler, **kw)
    high, wide = f"geo_degrees({metres}, 0.0)", f"geo_degrees({metres}, {lat})"
    box = (
        f"x0 <= {lon} + {wide} AND x1 >= {lon} - {wide} "
        f"AND y0 <= {lat} + {high} AND y1 >= {lat} - {high}"
    )
    near = _in_rtree(element, compiler, box)
    return f"({near} AND geo_metres({column}, {lon}, {lat}) <= {metres})"


@compiles(metres_to, "sqlite")
@compiles(nearest, "sqlite")
def _lite_metres(element: _Question, compiler: SQLCompiler, **kw: Any) -> str:
    return f"geo_metres({', '.join(element.arguments(compiler, **kw))})"


# --- what SQLite lacks ----------------------------------------------------------

_POINT_XY = struct.Struct("<dd")
_WKB_POINT = b"\x01\x01\x00\x00\x00"


def _metres(wkb: bytes | None, lon: float, lat: float) -> float | None:
    if wkb is None:
        return None
    if wkb[:5] == _WKB_POINT:
        there = Point(*_POINT_XY.unpack_from(wkb, 5))
    else:
        nearest_on = shapely.shortest_line(shapely.Point(lon, lat), shapely.from_wkb(wkb))
        there = Point(*nearest_on.coords[-1])
    return distance_m(Point(lon, lat), there)


def _degrees(metres: float, lat: float) -> float:
    """Degrees of longitude at this latitude that surely hold so many metres."""
    return 1.001 * metres / (METRES_PER_DEGREE * max(math.cos(math.radians(lat)), 1e-6)) + 1e-6


@lru_cache(maxsize=1024)
def _prepared(wkb: bytes) -> shapely.Geometry:
    geometry = shapely.from_wkb(wkb)
    shapely.prepare(geometry)
    return geometry


def _covers(wkb: bytes | None, lon: float, lat: float) -> bool:
    return wkb is not None and bool(shapely.intersects_xy(_prepared(wkb), lon, lat))


def _bound(side: int) -> Callable[[bytes], float]:
    def bound(wkb: bytes) -> float:
        if wkb[:5] == _WKB_POINT:
            xy: tuple[float, float] = _POINT_XY.unpack_from(wkb, 5)
            return xy[side % 2]
        return float(shapely.from_wkb(wkb).bounds[side])

    return bound


_FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "geo_metres": (3, _metres),
    "geo_degrees": (2, _degrees),
    "geo_covers": (3, _covers),
    "geo_x0": (1, _bound(0)),
    "geo_y0": (1, _bound(1)),
    "geo_x1": (1, _bound(2)),
    "geo_y1": (1, _bound(3)),
}


def _rtree(table: str, column: str) -> str:
    return f"{table}_{column}_rtree"


def create_place_index(connection: Connection, table: str, column: str) -> None:
    """Index a `Place` column; call it right after creating the table."""
    if connection.dialect.name == "postgresql":
        for name, what in (("gist", column), ("geography", f"geography({column})")):
            connection.execute(
                text(f"CREATE INDEX {table}_{column}_{name} ON {table} USING gist ({what})")
            )
        return
    tree = _rtree(table, column)
    box = ", ".join(f"geo_{side}(new.{column})" for side in ("x0", "x1", "y0", "y1"))
    put = f"INSERT INTO {tree} SELECT new.rowid, {box} WHERE new.{column} IS NOT NULL"
    drop = f"DELETE FROM {tree} WHERE id = old.rowid"  # noqa: S608 - names from our tables
    for statement in (
        f"CREATE VIRTUAL TABLE {tree} USING rtree(id, x0, x1, y0, y1)",
        f"CREATE TRIGGER {tree}_i AFTER INSERT ON {table} BEGIN {put}; END",
        f"CREATE TRIGGER {tree}_u AFTER UPDATE OF {column} ON {table} BEGIN {drop}; {put}; END",
        f"CREATE TRIGGER {tree}_d AFTER DELETE ON {table} BEGIN {drop}; END",
    ):
        connection.exec_driver_sql(statement)


def drop_place_index(connection: Connection, table: str, column: str) -> None:
    """Forget the index of a `Place` column; call it before dropping the table."""
    if connection.dialect.name == "postgresql":
        for name in ("gist", "geography"):
            connection.execute(text(f"DROP INDEX {table}_{column}_{name}"))
        return
    for letter in "iud":
        connection.exec_driver_sql(f"DROP TRIGGER {_rtree(table, column)}_{letter}")
    connection.exec_driver_sql(f"DROP TABLE {_rtree(table, column)}")


def is_place_index(name: str | None) -> bool:
    """Whether a table or index belongs to a `Place` column's index."""
    known = name or ""
    ours = "_rtree" in known or known.endswith(("_gist", "_geography"))
    return ours or known == "spatial_ref_sys"


# --- connections ----------------------------------------------------------------

_write_locks: WeakKeyDictionary[Engine, threading.Lock] = WeakKeyDictionary()

ABANDONED_S = 10
"""PostgreSQL undoes a transaction in which nobody has said anything for so long, and one that waits
for another so long: whoever froze, or lost its power without a word, keeps no city's row from the
others, and nor does the queue behind it."""


def open_engine(url: str, *, pool_size: int = 20) -> Engine:
    """Open `sqlite:///…` or `postgresql://…`; SQLite's directory is made if missing.

    Every commit is on the disk before it returns.
    """
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    options: dict[str, Any] = {"pool_size": pool_size, "max_overflow": pool_size}
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise ValueError("SQLite needs a file: sqlite:///path/to/sigap.sqlite3")
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        options["connect_args"] = {"timeout": BUSY_S}
    else:
        options["pool_pre_ping"] = True
        options["connect_args"] = {**ALIVE, "options": _server_options(parsed)}
    engine = create_engine(
        parsed,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        # an error in the log must not tell what citizens wrote
        hide_parameters=True,
        **options,
    )
    if engine.dialect.name == "sqlite":
        _write_locks[engine] = threading.Lock()
        event.listen(engine, "connect", _equip)
        event.listen(engine, "begin", _begin)
    return engine


def _server_options(url: URL) -> str:
    """What the server does for each session of ours, after what the URL asks for itself."""
    given = url.query.get("options", "")
    own = (
        f"-c idle_in_transaction_session_timeout={ABANDONED_S}s -c lock_timeout={ABANDONED_S}s "
        # a session whose host is gone ends within seconds, not after two hours
        "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2"
    )
    return " ".join([*([given] if isinstance(given, str) else given), own]).strip()


def _equip(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    """Durable, concurrent readers, enforced keys; transactions are begun by `_begin` alone."""
    lite: Any = connection
    lite.isolation_level = None
    for name, (count, function) in _FUNCTIONS.items():
        lite.create_function(name, count, function, deterministic=True)
    _keep_a_log(lite)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        lite.execute(f"PRAGMA {pragma}").close()


def _keep_a_log(lite: sqlite3.Connection) -> None:
    """Switch a new file to its write-ahead log: SQLite refuses one of two who do so at once."""
    until = time.monotonic() + BUSY_S
    while True:
        try:
            lite.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(RETRY_S)
        else:
            return


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail instead of waiting its turn.
    mode = connection.get_execution_options().get(_BEGIN, "")
    connection.exec_driver_sql(f"BEGIN {mode}")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that may write; committed at the end, rolled back on an error.

    On SQLite writers take turns from the start. Do not nest it in one thread.
    """
    with _turn(engine), engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection = connection.execution_options(**{_BEGIN: "IMMEDIATE"})
        with connection.begin():
            yield connection


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Threads of one process queue here: SQLite's own waiting is by sleeping, and unfair."""
    lock = _write_locks.get(engine)
    if lock is None:
        yield
        return
    if not lock.acquire(timeout=BUSY_S):
        raise TimeoutError(f"The database was busy for {BUSY_S:g} s.")
    try:
        yield
    finally:
        lock.release()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that sees one moment, whatever is written meanwhile."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin():
            yield connection


def prepare(connection: Connection) -> None:
    """Switch on what a fresh database lacks. Needs the right to create extensions once."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS postgis"))


def take_turn(connection: Connection, name: str) -> None:
    """Wait until no other transaction that called this with the name is under way.

    On SQLite a writing transaction has its turn already.
    """
    if connection.dialect.name == "postgresql":
        # the other may be at work for long: it brings the tables up to date
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name}
        )


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    key: Sequence[str],
    newer: str | None = None,
) -> None:
    """Insert the rows; where one with the same key is there, take its other columns.

    With `newer` only where that column of the row is greater than what is there.
    """
    if not rows:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement: Any = insert(table)
    others = {name: statement.excluded[name] for name in rows[0] if name not in key}
    where = None if newer is None else statement.excluded[newer] > table.c[newer]
    connection.execute(
        statement.on_conflict_do_update(index_elements=list(key), set_=others, where=where),
        list(rows),
    )


def put_many(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    key: Sequence[str],
    newer: str | None = None,
) -> None:
    """Insert many rows in one statement, as fast as the driver can.

    Where one with the same key is there it stays; with `newer` it takes the other columns where
    that column of the row is greater, and no key may be among the rows twice.
    """
    if not rows:
        return
    others = [name for name in columns if name not in key]
    then = "NOTHING"
    if newer is not None:
        taken = ", ".join(f'"{name}" = excluded."{name}"' for name in others)
        then = f'UPDATE SET {taken} WHERE excluded."{newer}" > "{table.name}"."{newer}"'
    names = ", ".join(f'"{name}"' for name in columns)
    into = f'INSERT INTO "{table.name}" ({names})'
    conflict = f"ON CONFLICT ({', '.join(key)}) DO {then}"
    dialect = connection.dialect
    by_column = [
        _as_bound(values, table.c[name].type, dialect)
        for name, values in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    if dialect.name == "postgresql":
        types = [f"%s::{table.c[name].type.compile(dialect=dialect)}[]" for name in columns]
        statement = f"{into} SELECT * FROM unnest({', '.join(types)}) {conflict}"  # noqa: S608 - names from our tables
        connection.exec_driver_sql(statement, tuple(list(values) for values in by_column))
        return
    marks = ", ".join("?" * len(columns))
    bound = list(zip(*by_column, strict=True))
    connection.exec_driver_sql(f"{into} VALUES ({marks}) {conflict}", bound)


def _as_bound(values: Sequence[Any], type_: TypeEngine[Any], dialect: Dialect) -> Sequence[Any]:
    """A column's values as the driver takes them."""
    if dialect.name == "postgresql":
        # psycopg knows identifiers, moments and numbers by itself
        return values
    process = type_.dialect_impl(dialect).bind_processor(dialect)
    if process is None:
        return values
    if isinstance(type_, Moment | Uuid):
        # few crews and many equal moments: each is written once
        known = {value: process(value) for value in set(values)}
        return [known[value] for value in values]
    return [process(value) for value in values]


def unique_where(name: str, *columns: ColumnElement[Any], where: ColumnElement[bool]) -> Index:
    """A unique index over the rows for which `where` holds."""
    return Index(name, *columns, unique=True, postgresql_where=where, sqlite_where=where)


def breaks(error: IntegrityError, index: Index) -> bool:
    """Whether this unique index refused the row."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        return bool(diagnosis.constraint_name == index.name)
    assert index.table is not None
    columns = ", ".join(f"{index.table.name}.{column.name}" for column in index.columns)
    return str(error.orig) == f"UNIQUE constraint failed: {columns}"


def is_shared(url: str) -> bool:
    """Whether many processes may serve from this database together."""
    return make_url(url).get_backend_name() == "postgresql"


def conninfo_of(engine: Engine) -> str | None:
    """How libpq reaches a database that many processes write together; None for a single file."""
    if engine.dialect.name != "postgresql":
        return None
    _, words = engine.dialect.create_connect_args(engine.url)
    said: dict[str, Any] = {k: word for k, word in words.items() if isinstance(word, (str, int))}
    return make_conninfo(**{**ALIVE, **said})


def try_hold(engine: Engine, name: str) -> Hold | None:
    """Hold the name, or None while another process or thread holds it.

    An advisory lock of a PostgreSQL session of its own, or a locked file beside the SQLite file.
    """
    conninfo = conninfo_of(engine)
    if conninfo is None:
        return _hold_file(Path(f"{engine.url.database}.{name.replace('/', '-')}.lock"))
    if is_held(engine, name):
        return None  # a question of the pool is cheaper than a connection for it
    return session_hold(conninfo, name)


def is_held(engine: Engine, name: str) -> bool:
    """Whether any process holds the name now."""
    if engine.dialect.name == "sqlite":
        hold = _hold_file(Path(f"{engine.url.database}.{name.replace('/', '-')}.lock"))
        if hold is not None:
            hold.let_go()
        return hold is None
    with engine.connect() as connection:
        return bool(connection.scalar(text(HELD), {"name": name}))


def _hold_file(path: Path) -> Hold | None:
    # SQLite's exclusive transaction is a file lock that works on every system it runs on.
    file = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        file.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        file.close()
        return None
    return Hold(let_go=file.close, holds=lambda: True)
