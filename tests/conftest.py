"""What every test may ask for: a PostGIS, a NATS server, a browser."""

import os
import signal
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import hypothesis
import pytest

from tests import needs, services

pytest_plugins = ["pytester"]


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(needs, "needs")
    # A busy machine is slow now and then; that is no failure. In CI the examples stay the same
    # from run to run; whoever looks for new ones runs the tests at home.
    parent = hypothesis.settings.get_profile("ci" if os.environ.get("CI") else "default")
    hypothesis.settings.register_profile("sigap", parent, deadline=None, print_blob=True)
    hypothesis.settings.load_profile("sigap")
    # A suite that a shell started in the background hears no interrupt, and neither would what
    # its tests start and interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgis() -> Iterator[services.Postgis]:
    """One private PostgreSQL with PostGIS for the whole run, on a unix socket."""
    needs.want("postgis")
    with services.postgis() as server:
        yield server


@pytest.fixture(scope="session")
def postgis_url(postgis: services.Postgis) -> str:
    """The URL of a database with PostGIS that all tests of the run share."""
    return postgis.create("shared")


@pytest.fixture(scope="session")
def fresh_postgis_database(postgis: services.Postgis) -> Callable[[], str]:
    """Call it for the URL of a database with PostGIS that nobody has used."""
    numbers = count(1)
    return lambda: postgis.create(f"fresh_{next(numbers)}")


@pytest.fixture(scope="module")
def postgis_database(fresh_postgis_database: Callable[[], str]) -> str:
    """The URL of this test module's own database."""
    return fresh_postgis_database()


@pytest.fixture(scope="session")
def nats_server() -> Iterator[services.Nats]:
    """One private NATS server with JetStream for the whole run."""
    needs.want("nats")
    with services.nats() as server:
        yield server


@pytest.fixture(scope="session")
def nats_url(nats_server: services.Nats) -> str:
    """Where NATS clients connect."""
    return nats_server.url


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The browser that Playwright drives."""
    needs.want("chromium")
    path = services.find_chromium()
    assert path is not None
    return path
