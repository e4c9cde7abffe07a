"""What docker-compose.yml starts also starts from Debian's packages, with the same settings."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
import sqlalchemy

from geo.bundle import Extract, build_bundle
from tests import services
from tests.compose import FILE, load
from tests.maps import helsinki_extract

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


@contextmanager
def sigap(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Sigap as the image starts it, on a free port; yields the process and its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from web.cli import main; main()", "up"],
        env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", "COLUMNS": "200", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=FILE.parent,
    )
    assert process.stdout
    said = ""
    try:
        while not (found := re.search(r"http://[\d.]+:\d+", said)):
            line = process.stdout.readline()
            assert line, said
            said += line
        yield process, found.group()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.needs("postgis")
@pytest.mark.needs("nats")
def test_sigap_with_the_environment_of_compose_is_healthy_and_stops_when_told(
    compose: dict[str, Any], tmp_path: Path, nats_url: str
) -> None:
    bundles = tmp_path / "cities"
    build_bundle("helsinki", source=Extract(helsinki_extract()), root=bundles, name="Helsinki")
    service = compose["sigap"]
    program, flag, code = service["healthcheck"]["test"][1:]
    assert (program, flag) == ("python", "-c")
    with services.postgis(password=PASSWORD) as server:
        server.create("sigap")
        environment = {name: str(value) for name, value in service["environment"].items()}
        url = environment["SIGAP_DATABASE_URL"]
        environment["SIGAP_DATABASE_URL"] = url.replace("db:5432", f"{server.host}:{server.port}")
        assert environment["SIGAP_BUS"] == "nats://nats:4222"
        environment |= {"SIGAP_BUS": nats_url, "SIGAP_DATA_DIR": str(tmp_path), "SIGAP_PORT": "0"}
        with sigap(environment) as (process, address):
            check = [sys.executable, "-c", code.replace("http://127.0.0.1:8000", address)]
            assert subprocess.run(check, check=False).returncode == 0
            # As an engine stops a container; it kills one that takes longer than ten seconds.
            process.terminate()
            assert process.wait(30) in (0, -signal.SIGTERM)
        assert subprocess.run(check, check=False, capture_output=True).returncode != 0
