"""Every refusal has one shape and says what to do, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.exc import InternalError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tests.story.small_city import Stand, stand
from web import errors
from web.front import Front, content_security_policy
from web.limits import FORM, LARGE, SMALL, Buckets, body_limit


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("refusals")) as running:
        yield running


def test_the_shape(city: Stand) -> None:
    for answer, status, code in (
        (city.visitor().get("/api/kota/nothing/here"), 404, "not_found"),
        (city.visitor().get("/api/entah"), 404, "not_found"),
        (city.visitor().client.put("/api/cities"), 405, "method_not_allowed"),
        (city.visitor().get("/evaluation"), 401, "not_signed_in"),
        (city.staff("officer").get("/evaluation"), 403, "forbidden"),
        (city.staff("supervisor").get("/evaluation?by=colour"), 422, "invalid"),
        (city.staff("supervisor").get("/evaluation?from=2026-01-01T00:00:00"), 422, "invalid"),
        (city.staff("dispatcher").get(f"/incidents/{uuid4()}"), 404, "not_found"),
    ):
        assert answer.headers["content-type"] == "application/problem+json"
        body = answer.json()
        assert {"type", "title", "status", "detail", "code"} <= body.keys()
        assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
        assert body["detail"].endswith((".", "…"))


def test_the_language_is_the_cookies_then_the_browsers_then_indonesian(city: Stand) -> None:
    client = city.visitor().client
    path = "/api/kota/evaluation"
    assert "Masuk" in client.get(path).json()["detail"]
    english = {"Accept-Language": "de, en-GB;q=0.8, id;q=0.5"}
    assert "Sign in" in client.get(path, headers=english).json()["detail"]
    client.cookies.set("sigap_lang", "id")
    assert "Masuk" in client.get(path, headers=english).json()["detail"]


@pytest.mark.parametrize(
    ("header", "best"),
    [("", "id"), ("en", "en"), ("id, en", "id"), ("en;q=0.2, id;q=0.9", "id"), ("en;q=x", "id")],
)
def test_the_preferred_language(header: str, best: str) -> None:
    assert errors.preferred(header) == best


def test_whoever_opens_an_address_reads_a_page(city: Stand) -> None:
    client = city.visitor().client
    for path in ("/nowhere/console", "/kota/no/such/page", "/kota/r/KTA-0000-0?k=x"):
        answer = client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")
    for path in ("/api/nowhere", "/nowhere/console"):
        answer = client.get(path, headers={"Accept": "*/*"})
        assert answer.headers["content-type"] == "application/problem+json"


def test_each_wrong_field_is_named_and_nothing_is_echoed(city: Stand) -> None:
    desk = city.staff("dispatcher")
    body = {"priority": 7, "lon": "here", "colour": "kata-yang-tidak-boleh-kembali"}
    answer = desk.post(f"/reports/{uuid4()}/verify", body)
    assert answer.status_code == 422
    found = {each["field"]: each["message"] for each in answer.json()["errors"]}
    assert found.keys() == {"priority", "lon", "colour"}
    assert found["priority"] == "paling besar 3"
    assert "kembali" not in answer.text


def test_broken_json_is_refused(city: Stand) -> None:
    client = city.staff("dispatcher").client
    headers = {"Idempotency-Key": str(uuid4()), "Content-Type": "application/json"}
    path = f"/api/kota/reports/{uuid4()}/archive"
    for content in (b"{", b"\xff\xfe", b'{"reason": NaN}', b"[" * 5000):
        answer = client.post(path, content=content, headers=headers)
        assert answer.status_code in (400, 422), content[:10]
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_larger_than_its_door_is_refused(city: Stand) -> None:
    client = city.visitor().client
    announced = client.post("/api/kota/reports", content=b"x" * (SMALL + 1))
    assert (announced.status_code, announced.json()["code"]) == (413, "too_large")

    def drops() -> Iterator[bytes]:
        for _ in range(SMALL // 1024 + 2):
            yield b"x" * 1024

    grown = client.post("/api/kota/reports", content=drops())
    assert (grown.status_code, grown.json()["code"]) == (413, "too_large")


def test_only_photos_are_large() -> None:
    form = "multipart/form-data; boundary=x"
    assert body_limit("/api/kota/photos", form) == LARGE
    assert body_limit("/kota/", form) == FORM
    assert body_limit("/open311/v2/requests.json", form) == LARGE
    assert body_limit("/api/kota/photos", "application/json") == SMALL
    assert body_limit("/api/kota/reports", form) == SMALL
    assert body_limit("/api/session", form) == SMALL


def test_a_crash_says_where_it_was_noted_and_nothing_else() -> None:
    app = FastAPI()

    @app.get("/crash")
    def crash() -> None:
        raise RuntimeError("the password is hunter2")

    errors.install(app)
    app.add_middleware(Front)
    answer = TestClient(app).get("/crash", headers={"Accept-Language": "en"})
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert answer.headers["X-Request-Id"] in answer.json()["detail"]
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("SELECT ...", None, Exception("server closed the connection")),
        # it ended the session of a transaction that stood still
        InternalError("SELECT ...", None, Exception("idle"), connection_invalidated=True),
        PoolTimeout("QueuePool limit of size 20 overflow 20 reached"),
    ],
)
def test_a_database_that_is_away_is_a_matter_of_moments(error: Exception) -> None:
    app = FastAPI()

    @app.get("/away")
    def away() -> None:
        raise error

    errors.install(app)
    answer = TestClient(app).get("/away")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "2"
    assert "SELECT" not in answer.text


def test_a_database_that_refuses_what_we_said_is_our_mistake() -> None:
    app = FastAPI()

    @app.get("/wrong")
    def wrong() -> None:
        raise ProgrammingError("SELECT ...", None, Exception("no such column"))

    errors.install(app)
    app.add_middleware(Front)
    answer = TestClient(app).get("/wrong")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")


def test_every_answer_carries_safe_headers(city: Stand) -> None:
    client = city.visitor().client
    for path in ("/api/cities", "/api/none/none", "/healthz", "/static/none.js", "/kota/"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "ws://testserver" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Permissions-Policy"].startswith("geolocation=(self), camera=(self)")
        assert headers["Referrer-Policy"] in ("same-origin", "strict-origin", "no-referrer")
    assert client.get("/api/cities").headers["Cache-Control"] == "no-store"


def test_a_forged_host_cannot_widen_the_policy() -> None:
    assert "evil" not in content_security_policy("x; script-src evil")
    assert "ws://[::1]:8000" in content_security_policy("[::1]:8000")


def test_what_can_be_got_can_be_asked_about(city: Stand) -> None:
    client = city.visitor().client
    for path in ("/kota/", "/api/cities", "/tiles/kota/v1.pmtiles", "/healthz"):
        got, asked = client.get(path), client.head(path)
        assert asked.status_code == got.status_code == 200
        assert asked.content == b""
        assert asked.headers["content-length"] == got.headers["content-length"]


def test_ready_and_alive(city: Stand) -> None:
    client = city.visitor().client
    assert client.get("/healthz").json() == {"status": "ok"}
    told = client.get("/readyz").json()
    assert told["status"] == "ok"
    assert told["cities"] == ["kota", "tetangga"]


def test_buckets_empty_and_fill_again() -> None:
    now = [0.0]
    buckets = Buckets(clock=lambda: now[0])
    waits = [buckets.take("answer", "a") for _ in range(13)]
    assert waits[:12] == [0.0] * 12
    assert waits[12] == pytest.approx(5.0)
    assert buckets.take("answer", "b") == 0.0
    now[0] += 5.0
    assert buckets.take("answer", "a") == 0.0
    assert buckets.take("answer", "a") > 0


def test_a_public_door_closes_for_a_while(tmp_path_factory: pytest.TempPathFactory) -> None:
    with stand(tmp_path_factory.mktemp("often"), rate_factor=0.05) as running:
        visitor = running.visitor()
        codes = [visitor.get("/reverse?lon=111.53&lat=-7.63").status_code for _ in range(6)]
        assert codes == [200] * 4 + [429] * 2
        desk = running.staff("dispatcher")
        again = [desk.get("/reverse?lon=111.53&lat=-7.63").status_code for _ in range(6)]
        assert again == [200] * 6
