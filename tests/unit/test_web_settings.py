"""Settings come from the environment, and a wrong one is named at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from pydantic import ValidationError
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from web.settings import Settings, default_data_dir


@pytest.fixture(autouse=True)
def no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_defaults_need_nothing() -> None:
    settings = Settings()
    assert settings.database == f"sqlite:///{default_data_dir() / 'sigap.sqlite3'}"
    assert settings.cities == ()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGAP_CITIES", "madiun, jakarta")
    monkeypatch.setenv("SIGAP_TRUSTED_PROXIES", "10.0.0.0/8,172.16.0.1")
    settings = Settings()
    assert settings.cities == ("madiun", "jakarta")
    assert settings.trusted_proxies == ("10.0.0.0/8", "172.16.0.1")


def test_what_is_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SIGAP_POLICY", "SIGAP_CITIES", "SIGAP_DATABASE_URL"):
        monkeypatch.setenv(name, "")
    settings = Settings()
    assert (settings.policy, settings.cities) == (None, ())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIGAP_PORT", "99999"),
        ("SIGAP_TRUSTED_PROXIES", "my-proxy"),
        ("SIGAP_RATE_FACTOR", "-1"),
        ("SIGAP_ROADS", "osrm"),
        ("SIGAP_ROADS", "osrm:localhost:5000"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=name.removeprefix("SIGAP_").lower()):
        Settings()


def test_an_osrm_server_is_named_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().osrm_url is None
    monkeypatch.setenv("SIGAP_ROADS", "osrm:http://osrm-{city}:5000")
    assert Settings().osrm_url == "http://osrm-{city}:5000"


@pytest.mark.parametrize(
    ("peer", "seen"), [("127.0.0.1", "203.0.113.9"), ("198.51.100.7", "198.51.100.7")]
)
def test_only_named_proxies_are_believed(peer: str, seen: str) -> None:
    app = FastAPI()

    @app.get("/")
    def whoever(request: Request) -> str:
        return request.client.host if request.client else ""

    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(Settings().trusted_proxies))
    client = TestClient(app, client=(peer, 50000))
    assert client.get("/", headers={"X-Forwarded-For": "203.0.113.9"}).json() == seen
