"""Every contract is kept by three Worlds."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from dispatch.storage import migrations
from geo.sql import open_engine
from tests.contract.worlds import InMemory, Place, Stored

DATABASES = ["sqlite", pytest.param("postgis", marks=pytest.mark.needs("postgis"))]


@pytest.fixture(scope="session")
def sqlite_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = _ready(f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'sigap.sqlite3'}")
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def postgis_engine(fresh_postgis_database: Callable[[], str]) -> Iterator[Engine]:
    engine = _ready(fresh_postgis_database())
    yield engine
    engine.dispose()


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest) -> Engine:
    """A migrated database that many tests share; each works on a city of its own."""
    found: Engine = request.getfixturevalue(f"{request.param}_engine")
    return found


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with nothing in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    fresh: Callable[[], str] = request.getfixturevalue("fresh_postgis_database")
    return fresh()


@pytest.fixture(params=["memory", *DATABASES])
def place(request: pytest.FixtureRequest) -> Place:
    """A city with nothing in it, in each World."""
    if request.param == "memory":
        return InMemory()
    return Stored(request.getfixturevalue(f"{request.param}_engine"))


@pytest.fixture
def stored(engine: Engine) -> Stored:
    """A stored city with nothing in it."""
    return Stored(engine)


def _ready(url: str) -> Engine:
    engine = open_engine(url)
    migrations.upgrade(engine)
    return engine
