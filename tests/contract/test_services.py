"""The test servers are real: durable, private, and gone when nobody holds them."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import nats
import psycopg
import pytest
import sqlalchemy

from tests import services


@pytest.mark.needs("postgis")
def test_postgis_answers_and_keeps_what_it_promised(postgis_database: str) -> None:
    engine = sqlalchemy.create_engine(postgis_database)
    with engine.connect() as connection:
        metres = connection.scalar(
            sqlalchemy.text(
                "SELECT ST_Distance('POINT(111.52 -7.63)'::geography, 'POINT(111.53 -7.63)')"
            )
        )
        settings = {
            name: connection.scalar(sqlalchemy.text(f"SHOW {name}"))
            for name in ("fsync", "synchronous_commit", "listen_addresses", "timezone")
        }
    engine.dispose()
    assert metres == pytest.approx(1103, abs=5)
    assert settings == {
        "fsync": "on",
        "synchronous_commit": "on",
        "listen_addresses": "",
        "timezone": "UTC",
    }


@pytest.mark.needs("postgis")
def test_databases_are_apart(fresh_postgis_database: Callable[[], str]) -> None:
    one, other = (sqlalchemy.create_engine(fresh_postgis_database()) for _ in range(2))
    with one.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE crews (id int)"))
    assert sqlalchemy.inspect(one).has_table("crews")
    assert not sqlalchemy.inspect(other).has_table("crews")
    one.dispose()
    other.dispose()


@pytest.mark.needs("postgis")
def test_a_password_is_asked_for_on_the_network() -> None:
    with services.postgis(password="kelurahan 20%/menit") as server:
        engine = sqlalchemy.create_engine(server.create("sigap"))
        with engine.connect() as connection:
            assert connection.scalar(sqlalchemy.text("SELECT 20")) == 20
        engine.dispose()
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host=server.host, port=server.port, user="sigap", dbname="sigap")
        directory = server.directory
    assert not directory.exists()


HOLDER = """
import sys, time
from tests import services
with services.postgis() as server:
    print(server.directory, flush=True)
    time.sleep(600)
"""


@pytest.mark.needs("postgis")
def test_nothing_is_left_when_the_tests_are_killed(pytestconfig: pytest.Config) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        stdout=subprocess.PIPE,
        text=True,
        cwd=pytestconfig.rootpath,
    )
    assert holder.stdout
    directory = Path(holder.stdout.readline().strip())
    postmaster = int((directory / "data/postmaster.pid").read_text().split()[0])
    holder.kill()
    holder.wait()
    holder.stdout.close()
    until = time.monotonic() + 30
    while directory.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not directory.exists()
    assert not Path(f"/proc/{postmaster}").exists()


@pytest.mark.needs("postgis")
def test_a_server_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "free_port", lambda: 99999)
    with pytest.raises(services.ServiceError, match="99999"), services.postgis(password="x"):
        pass


async def _publish_and_read(url: str) -> bytes:
    client = await nats.connect(url)
    stream = client.jetstream()
    await stream.add_stream(name="log", subjects=["log.*"])
    await stream.publish("log.madiun", b"1051")
    subscription = await stream.subscribe("log.madiun", ordered_consumer=True)
    message = await subscription.next_msg(timeout=10)
    await client.close()
    return message.data


@pytest.mark.needs("nats")
def test_nats_keeps_a_stream(nats_url: str) -> None:
    assert asyncio.run(_publish_and_read(nats_url)) == b"1051"


@pytest.mark.needs("nats")
def test_nats_tells_its_health(nats_server: services.Nats) -> None:
    with urlopen(f"{nats_server.monitor_url}/healthz") as answer:
        assert answer.status == 200
