"""Signing in, staying signed in, and being signed out everywhere at once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from starlette.testclient import WebSocketTestSession

from dispatch.storage.tables import pairing_code, session, staff
from geo.sql import reading, writing
from tests.story.small_city import PASSWORD, Stand, stand
from web import accounts, stream
from web.stream import CLOSE_CODES


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("session")) as running:
        yield running


WISH = {"username": "dispatcher", "password": PASSWORD, "city": "kota"}


def test_who_is_signed_in(city: Stand) -> None:
    desk = city.visitor()
    assert desk.get("/api/session").status_code == 401
    answer = desk.post("/api/session", {**WISH, "username": " Dispatcher "})
    assert answer.status_code == 200
    user = answer.json()["user"]
    assert (user["role"], user["city"]) == ("dispatcher", "kota")
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    assert desk.get("/api/session").json()["user"] == user
    assert desk.client.delete("/api/session").status_code == 204
    assert desk.get("/api/session").status_code == 401


def test_over_https_the_cookie_never_travels_without_it(city: Stand) -> None:
    from fastapi.testclient import TestClient

    client = TestClient(city.app, base_url="https://sigap.test")
    client.portal = city.main.portal
    answer = client.post("/api/session", json=WISH)
    assert "secure" in answer.headers["Set-Cookie"].lower()
    assert answer.headers["Strict-Transport-Security"]


@pytest.mark.parametrize(
    "wrong", [{"password": "bukan ini"}, {"username": "nobody"}, {"city": "entah"}]
)
def test_a_wrong_name_password_or_city_sound_alike(city: Stand, wrong: dict[str, str]) -> None:
    answer = city.visitor().post("/api/session", {**WISH, **wrong})
    assert answer.status_code == 401
    assert answer.json()["code"] == "bad_credentials"
    assert "Set-Cookie" not in answer.headers


def test_tokens_codes_and_passwords_are_kept_as_fingerprints(city: Stand) -> None:
    desk = city.staff("dispatcher")
    token = desk.client.headers["Cookie"].rpartition(".")[2]
    code = accounts.new_code(city.system, "kota", city.crew_id).code
    with reading(city.system.engine) as connection:
        rows = str([connection.execute(t.select()).all() for t in (session, pairing_code, staff)])
    for secret in (token, code, code.replace("-", ""), PASSWORD):
        assert secret not in rows
    assert "$argon2id$" in rows


def test_a_session_ends_with_its_time(city: Stand) -> None:
    desk = city.visitor()
    answer = desk.post("/api/session", WISH)
    assert answer.status_code == 200
    token = desk.client.cookies["sigap_session"].partition(".")[2]
    with writing(city.system.engine) as connection:
        mine = session.c.token_hash == accounts.fingerprint(token)
        connection.execute(session.update().where(mine).values(expires_at=datetime.now(UTC)))
    assert desk.get("/api/session").status_code == 401


def test_a_session_of_one_city_is_nobody_in_another(city: Stand) -> None:
    desk = city.staff("administrator", "tetangga")
    value = desk.client.headers["Cookie"]
    desk.client.headers["Cookie"] = value.replace("tetangga.", "kota.")
    assert desk.get("/api/session").status_code == 401


def test_one_code_pairs_one_device_once(city: Stand) -> None:
    desk = city.staff("dispatcher")
    made = desk.post(f"/crews/{city.crew_id}/code").json()
    assert made["link"] == f"http://testserver/kota/crew?code={made['code']}"
    assert made["qr_svg"].startswith("<svg")
    first, second = city.visitor(), city.visitor()
    wish = {"city": "kota", "code": made["code"].lower().replace("-", " ")}
    answer = first.post("/api/crew-session", wish)
    assert answer.json()["user"]["crew_id"] == str(city.crew_id)
    again = second.post("/api/crew-session", wish)
    assert (again.status_code, again.json()["code"]) == (401, "bad_code")


def test_an_old_code_pairs_nothing(city: Stand) -> None:
    code = accounts.new_code(city.system, "kota", city.crew_id, valid_s=-1).code
    answer = city.visitor().post("/api/crew-session", {"city": "kota", "code": code})
    assert answer.status_code == 401


def closed(socket: WebSocketTestSession) -> int:
    """The code with which the server closes the socket."""
    while (message := socket.receive())["type"] != "websocket.close":
        pass
    return int(message["code"])


def test_a_new_device_ends_the_older_one_and_its_sockets(city: Stand) -> None:
    old = city.crew()
    with old.client.websocket_connect("/ws/kota") as socket:
        socket.send_json({"sub": f"crew/{city.crew_id}"})
        while "recovered" not in socket.receive_json():
            pass
        city.crew()
        assert closed(socket) == CLOSE_CODES["signed_out"]
    assert old.get("/api/session?as=crew").status_code == 401


def test_signing_out_closes_the_sockets_of_the_session(city: Stand) -> None:
    desk = city.visitor()
    desk.post("/api/session", WISH)
    with desk.client.websocket_connect("/ws/kota") as socket:
        socket.send_json({"sub": "city/kota"})
        while "recovered" not in socket.receive_json():
            pass
        assert desk.client.delete("/api/session").status_code == 204
        assert closed(socket) == CLOSE_CODES["signed_out"]


def test_a_session_ended_elsewhere_closes_its_sockets_here(
    city: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "RECHECK_S", 0.02)
    desk = city.visitor()
    desk.post("/api/session", WISH)
    token = desk.client.cookies["sigap_session"].partition(".")[2]
    with desk.client.websocket_connect("/ws/kota") as socket:
        socket.send_json({"sub": "city/kota"})
        while "recovered" not in socket.receive_json():
            pass
        with writing(city.system.engine) as connection:
            mine = session.c.token_hash == accounts.fingerprint(token)
            connection.execute(session.delete().where(mine))
        assert closed(socket) == CLOSE_CODES["signed_out"]


def test_one_session_opens_so_many_sockets(city: Stand) -> None:
    desk = city.visitor()
    desk.post("/api/session", WISH)
    with ExitStack() as open_ones:
        for _ in range(stream.MAX_SOCKETS_PER_SESSION):
            socket = open_ones.enter_context(desk.client.websocket_connect("/ws/kota"))
            socket.send_json({"sub": "city/kota"})
            assert socket.receive_json()["ch"] == "city/kota"
        one_more = open_ones.enter_context(desk.client.websocket_connect("/ws/kota"))
        assert one_more.receive()["type"] == "websocket.close"


def test_a_message_too_large_ends_the_socket(city: Stand) -> None:
    with city.visitor().client.websocket_connect("/ws/kota") as socket:
        socket.send_text("x" * (stream.MAX_MESSAGE + 1))
        assert closed(socket) == CLOSE_CODES["too_big"]


def test_a_desk_and_a_crew_phone_share_one_browser(city: Stand) -> None:
    desk = city.visitor()
    desk.post("/api/session", WISH)
    code = accounts.new_code(city.system, "kota", city.crew_id).code
    desk.post("/api/crew-session", {"city": "kota", "code": code})
    assert desk.get("/api/session").json()["user"]["role"] == "dispatcher"
    assert desk.get("/api/session?as=crew").json()["user"]["role"] == "crew"
    assert desk.client.delete("/api/session?as=crew").status_code == 204
    assert desk.get("/api/session?as=crew").status_code == 401
    assert desk.get("/api/session").status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://testserver", 200),
        ("https://lapor.kota.example", 200),
        ("https://kota.example", 403),
        ("https://testserver.evil.example", 403),
        ("null", 403),
    ],
)
def test_only_our_own_pages_may_sign_in(city: Stand, origin: str, status: int) -> None:
    settings = city.app.state.settings
    behind = settings.model_copy(update={"public_url": "https://lapor.kota.example"})
    city.app.state.settings = behind
    try:
        answer = city.visitor().post("/api/session", WISH, headers={"Origin": origin})
    finally:
        city.app.state.settings = settings
    assert answer.status_code == status


def test_guessing_is_slowed_down(tmp_path_factory: pytest.TempPathFactory) -> None:
    with stand(tmp_path_factory.mktemp("guess"), rate_factor=1.0) as running:
        desk = running.visitor()
        codes = [
            desk.post("/api/session", {**WISH, "password": "x"}).status_code for _ in range(10)
        ]
        assert codes[:8] == [401] * 8
        refused = desk.post("/api/session", WISH)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
        assert refused.json()["code"] == "too_many"


def test_nothing_secret_reaches_the_log(city: Stand, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        ticket, token, _ = city.report(reporter={"phone": "0811-2233-4455", "name": "Bu Sri"})
        city.visitor().get(f"/track/{ticket}?k={token}")
        desk = city.staff("dispatcher")
        city.visitor().post("/api/session", {**WISH, "password": "salah sekali"})
        made = desk.post(f"/crews/{city.crew_id}/code").json()
    written = "\n".join(
        f"{record.getMessage()} {getattr(record, 'fields', '')}"
        for record in caplog.records
        if not record.name.startswith("http")  # the client's own
    )
    secret = (token, PASSWORD, "salah sekali", made["code"], "0811", "Bu Sri", ticket, "testclient")
    assert [each for each in secret if each in written] == []
    assert "/api/{city}/track/{ticket}" in written
