"""docker-compose.yml is well formed, checks the health of every service and holds no password."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.compose import FILE, ComposeError, load
from web.settings import Settings

ENVIRONMENT = {"SIGAP_DB_PASSWORD": "b6f1c2"}
TEXT = FILE.read_text("utf-8")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return load(TEXT, ENVIRONMENT)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("restart: unless-stopped", "restart: unless-it-rains"),
        ("image: nats:", "picture: nats:"),
        ("condition: service_healthy", "condition: healthy"),
        ("interval: 5s", "interval: five"),
        ("      nats:\n        condition", "      broker:\n        condition"),
        ("volumes:\n  db:\n", "volumes:\n  base:\n"),
    ],
)
def test_the_check_sees_a_broken_file(good: str, bad: str) -> None:
    assert good in TEXT
    with pytest.raises(ComposeError):
        load(TEXT.replace(good, bad), ENVIRONMENT)


def test_the_password_must_be_given(document: dict[str, Any]) -> None:
    with pytest.raises(ComposeError, match=r"set SIGAP_DB_PASSWORD in \.env"):
        load(TEXT, {})
    plain = yaml.safe_load(TEXT)
    assert plain["services"]["db"]["environment"]["POSTGRES_PASSWORD"].startswith("${")
    assert re.search(r"sigap:\$\{SIGAP_DB_PASSWORD", TEXT)


def test_every_service_restarts_checks_its_health_and_keeps_its_data(
    document: dict[str, Any],
) -> None:
    assert set(document["services"]) == {"db", "nats", "sigap"}
    for service in document["services"].values():
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"
        assert service["healthcheck"]["start_period"]
        assert service["volumes"]


def test_nothing_but_sigap_is_reached_from_outside(document: dict[str, Any]) -> None:
    ports = {name: service.get("ports") for name, service in document["services"].items()}
    assert ports == {"db": None, "nats": None, "sigap": ["127.0.0.1:8000:8000"]}


def test_sigap_knows_every_variable_it_is_given(document: dict[str, Any]) -> None:
    given = {name.lower() for name in document["services"]["sigap"]["environment"]}
    image = Path(FILE.with_name("Dockerfile")).read_text("utf-8")
    given |= {
        name.lower() for name in re.findall(r"^(?:ENV| +) ?(SIGAP_\w+)=", image, re.MULTILINE)
    }
    assert {"sigap_database_url", "sigap_data_dir", "sigap_host"} <= given
    assert given <= {f"sigap_{field}" for field in Settings.model_fields}


def test_the_image_runs_without_root() -> None:
    lines = FILE.with_name("Dockerfile").read_text("utf-8").splitlines()
    user = lines.index("USER sigap")
    command = next(number for number, line in enumerate(lines) if line.startswith("CMD"))
    assert user < command
    assert not any(line.startswith("RUN") and "pip" in line for line in lines[user:])
