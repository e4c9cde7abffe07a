"""What docker-compose.yml starts also starts from Debian's packages, with the same settings."""

import subprocess
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
import sqlalchemy

from tests import services
from tests.compose import FILE, load

PASSWORD = "7f3a9c0e5b21"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    services_: dict[str, Any] = load(FILE.read_text("utf-8"), {"SIGAP_DB_PASSWORD": PASSWORD})[
        "services"
    ]
    return services_


@pytest.mark.needs("postgis")
def test_the_database_url_of_compose_reaches_a_healthy_postgis(compose: dict[str, Any]) -> None:
    url = compose["sigap"]["environment"]["SIGAP_DATABASE_URL"]
    check = compose["db"]["healthcheck"]["test"]
    assert compose["db"]["environment"]["POSTGRES_PASSWORD"] == PASSWORD
    with services.postgis(password=PASSWORD) as server:
        server.create(compose["db"]["environment"]["POSTGRES_DB"])
        here = url.replace("@db:5432", f"@{server.host}:{server.port}")
        engine = sqlalchemy.create_engine(here)
        with engine.connect() as connection:
            assert connection.scalar(sqlalchemy.text("SELECT postgis_lib_version()"))
        engine.dispose()
        bin_dir = services.find_postgis()
        assert bin_dir is not None
        program, *arguments = check[1:]
        healthy = [str(bin_dir / program), *arguments, f"--port={server.port}"]
        assert subprocess.run(healthy, check=False, capture_output=True).returncode == 0
    assert subprocess.run(healthy, check=False, capture_output=True).returncode != 0


@pytest.mark.needs("nats")
def test_the_command_of_compose_starts_a_healthy_nats(compose: dict[str, Any]) -> None:
    command = compose["nats"]["command"]
    check = urlsplit(compose["nats"]["healthcheck"]["test"][-1])
    assert check.port == int(command[command.index("--http_port") + 1])
    # The ports and the directory that follow on the line win over those of the container.
    with services.nats(*command) as server, urlopen(f"{server.monitor_url}{check.path}") as answer:
        assert answer.status == 200
        with urlopen(f"{server.monitor_url}/jsz") as jetstream:
            assert b'"disabled": true' not in jetstream.read()
