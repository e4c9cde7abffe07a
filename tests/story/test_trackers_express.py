"""The short way of a tracker's position: the same answers as the usual way, to the byte."""

from __future__ import annotations

import logging
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import orjson
import pytest
from sqlalchemy.exc import OperationalError

from dispatch.system.devices import Made
from tests.story.served import Served
from tests.story.served import served as serve
from tests.story.small_city import MIDDLE
from web.trackers.express import Express

LON, LAT = MIDDLE
USUAL = ("Transfer-Encoding: chunked",)
"""A body in pieces is for the usual way."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("express")) as running:
        yield running


@dataclass
class Ways:
    """Whether each request that was offered to the short way was taken there."""

    taken: list[bool] = field(default_factory=list)
    _more: threading.Condition = field(default_factory=threading.Condition)

    def note(self, taken: bool) -> bool:
        with self._more:
            self.taken.append(taken)
            self._more.notify()
        return taken

    def so_far(self, count: int) -> list[bool]:
        """What was noted; an answer may be here before its way is noted."""
        with self._more:
            assert self._more.wait_for(lambda: len(self.taken) >= count, timeout=60)
            return list(self.taken)


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    noted, real = Ways(), Express.take

    def take(self: Express, *given: Any) -> bool:
        return noted.note(real(self, *given))

    monkeypatch.setattr(Express, "take", take)
    return noted


@pytest.fixture(scope="module")
def device(server: Served) -> Made:
    with server.system.looking("kota") as world:
        crew_id: UUID = world.crews()[0].id
    return server.system.devices("kota").register(label="Pelacak", by="meja", crew_id=crew_id)


_newest = datetime.now(UTC)


def at() -> datetime:
    """Each moment later than the last, as everything here is one tracker."""
    global _newest
    _newest = max(_newest + timedelta(milliseconds=500), datetime.now(UTC))
    return _newest


def said(device_id: str, *, moment: datetime | None = None, lat: float = LAT) -> dict[str, Any]:
    coords = {"latitude": lat, "longitude": LON, "accuracy": 5, "speed": 3, "heading": 90}
    stamp = (moment or at()).isoformat()
    return {"device_id": device_id, "location": {"timestamp": stamp, "coords": coords}}


def post(path: str, body: bytes, *lines: str) -> bytes:
    length = "" if "Transfer-Encoding: chunked" in lines else f"Content-Length: {len(body)}\r\n"
    head = "".join(f"{line}\r\n" for line in lines)
    if not length:
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    return (
        f"POST {path} HTTP/1.1\r\nHost: kota.example\r\nX-Request-ID: satu-dua-tiga\r\n"
        f"Content-Type: application/json\r\n{length}{head}\r\n"
    ).encode() + body


def get(path: str, *lines: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in lines)
    return (
        f"GET {path} HTTP/1.1\r\nHost: kota.example\r\nX-Request-ID: satu-dua-tiga\r\n{head}\r\n"
    ).encode()


class Line:
    """A connection to the server."""

    def __init__(self, server: Served) -> None:
        where = urlsplit(server.base)
        assert where.hostname is not None
        self.socket = socket.create_connection((where.hostname, where.port or 80), timeout=30)
        self._got = b""

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, *requests: bytes) -> bytes:
        """Send them at once; the first answer whole, its date taken out."""
        self.socket.sendall(b"".join(requests))
        return self.answer()

    def answer(self) -> bytes:
        while b"\r\n\r\n" not in self._got:
            self._more()
        head, _, _ = self._got.partition(b"\r\n\r\n")
        found = re.search(rb"content-length: (\d+)", head)
        assert found is not None, head
        whole = len(head) + 4 + int(found[1])
        while len(self._got) < whole:
            self._more()
        answer, self._got = self._got[:whole], self._got[whole:]
        return re.sub(rb"date: [^\r]*\r\n", b"", answer)

    def hung_up(self) -> bool:
        return self._got == b"" and self.socket.recv(1) == b""

    def _more(self) -> None:
        data = self.socket.recv(65_536)
        assert data, self._got
        self._got += data


def knocks(device: Made) -> dict[str, tuple[str, bytes]]:
    """What trackers say and how it is answered, by name: (path, body)."""
    own, secret = device.device.id, device.secret
    path = f"/osmand/kota/{secret}"
    plain = {"id": own, "secret": secret, "lat": LAT, "lon": LON}
    far = said(own, lat=LAT + 5)
    return {
        "json": (path, orjson.dumps(said(own))),
        "batch with a refused one": (path, orjson.dumps([said(own), far, said(own)])),
        "form": (path, urlencode({**plain, "timestamp": at().timestamp()}).encode()),
        "no place": (path, orjson.dumps({"device_id": own, "location": {"coords": {}}})),
        "nothing": (path, orjson.dumps({"device_id": own})),
        "wrong secret": ("/osmand/kota/wrong", orjson.dumps(said(own))),
        "secret in escapes": (f"/osmand/kota/%{ord(secret[0]):02x}{secret[1:]}", b"{}"),
        "unknown device": (path, orjson.dumps(said("nobody-knows"))),
        "unknown city": (f"/osmand/none/{secret}", orjson.dumps(said(own))),
        "no JSON": (path, b"{"),
        "no moment": (path, b'{"device_id":"x","location":{"timestamp":"10:99","coords":{}}}'),
        "too many": (path, orjson.dumps([{"device_id": own, "location": {}}] * 501)),
        "longer address": (f"{path}/more", orjson.dumps(said(own))),
    }


TAKEN = ("json", "batch with a refused one", "form", "no place")


def test_both_ways_answer_the_same_to_the_byte(server: Served, device: Made, ways: Ways) -> None:
    server.system.devices("kota").refresh()
    once, again = knocks(device), knocks(device)
    for name, (path, body) in once.items():
        ways.taken.clear()
        with Line(server) as line:
            short = line.ask(post(path, body))
        assert ways.so_far(1) == [name in TAKEN], name
        with Line(server) as line:
            usual = line.ask(post(path, again[name][1], *USUAL))
        assert len(ways.taken) == 1, name
        assert short == usual, name
        assert b"x-request-id: satu-dua-tiga" in short
        assert b"content-security-policy: default-src 'self'" in short


def test_what_a_query_says_is_taken_too(server: Served, device: Made, ways: Ways) -> None:
    server.system.devices("kota").refresh()
    wish = {"id": device.device.id, "lat": LAT, "lon": LON, "speed": "10", "secret": device.secret}
    query = urlencode({**wish, "timestamp": at().timestamp()})
    with Line(server) as line:
        answer = line.ask(get(f"/osmand/kota?{query}"))
        assert answer.endswith(b'{"accepted":1,"refused":[]}')
        secure = line.ask(get(f"/osmand/kota?{query}", "X-Forwarded-Proto: https"))
        assert b"strict-transport-security: max-age=31536000" in secure
        assert b"strict-transport-security" not in answer
    assert ways.so_far(2) == [True, True]
    fix = server.system.newest_fix("kota", device.device.crew_id or UUID(int=0))
    assert fix is not None
    assert fix.speed_ms == pytest.approx(5.144, abs=1e-3)


def test_a_registry_that_may_be_old_is_read_first(
    server: Served, device: Made, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may have retired the device: the usual way reads before it lets in."""
    devices = server.system.devices("kota")
    monkeypatch.setattr(devices, "_read_at", None)
    with Line(server) as line:
        path, body = knocks(device)["json"]
        assert line.ask(post(path, body)).startswith(b"HTTP/1.1 200 ")
        assert ways.so_far(1) == [False]
        line.ask(post(path, body))
        assert ways.so_far(2) == [False, True]


def test_answers_come_in_the_order_of_the_questions(
    server: Served, device: Made, ways: Ways
) -> None:
    server.system.devices("kota").refresh()
    path = f"/osmand/kota/{device.secret}"
    first, third = (orjson.dumps(said(device.device.id)) for _ in range(2))
    with Line(server) as line:
        answers = [
            line.ask(post(path, first), get("/api/cities"), post(path, third)),
            line.answer(),
            line.answer(),
        ]
        assert [b'"accepted":1' in answer for answer in answers] == [True, False, True]
        assert b'"kota"' in answers[1]
        assert ways.so_far(1) == [True], "while one waits the next ones go the usual way behind it"
        # and afterwards the connection is as good as new
        assert b'"accepted":1' in line.ask(post(path, orjson.dumps(said(device.device.id))))
        assert ways.so_far(2) == [True, True]


def test_a_request_in_pieces_and_the_wish_to_hang_up(
    server: Served, device: Made, ways: Ways
) -> None:
    server.system.devices("kota").refresh()
    whole = post(
        f"/osmand/kota/{device.secret}", orjson.dumps(said(device.device.id)), "Connection: close"
    )
    with Line(server) as line:
        for start in range(0, len(whole) - 40, 40):
            line.socket.sendall(whole[start : start + 40])
        answer = line.ask(whole[start + 40 :])
        assert b'"accepted":1' in answer
        assert b"\r\nconnection: close\r\n" in answer
        assert line.hung_up()
    assert ways.so_far(1) == [True]


def test_a_database_that_is_away_is_told_by_the_usual_way(
    server: Served, device: Made, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.system.devices("kota").refresh()
    real, body = server.system.take_many, orjson.dumps(said(device.device.id))

    def away(*given: Any) -> Any:
        real(*given)
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    path = f"/osmand/kota/{device.secret}"
    with Line(server) as line:
        monkeypatch.setattr(server.system, "take_many", away)
        answer = line.ask(post(path, body))
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert orjson.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "unavailable"
        monkeypatch.undo()
        # the tracker sends it again on the same connection: it was taken, and is known
        assert b'"accepted":1' in line.ask(post(path, body))
        news = server.system.devices("kota").one(device.device.id)[1]
        assert news is not None
        assert news["repeated"] >= 1


def test_who_knocks_too_often_is_refused_by_the_usual_way(
    tmp_path: Path, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    from web import limits

    monkeypatch.setitem(limits.DOORS, "fixes", limits.Rate(per_minute=1, burst=2))
    with serve(tmp_path, rate_factor=1.0) as server:
        made = server.system.devices("kota").register(label="Pelacak", by="meja")
        path = f"/osmand/kota/{made.secret}"
        with Line(server) as line:
            answers = [line.ask(post(path, orjson.dumps(said(made.device.id)))) for _ in range(3)]
    assert [answer.split(b" ", 2)[1] for answer in answers] == [b"200", b"200", b"429"]
    assert ways.so_far(3) == [True, True, False]


def test_its_line_in_the_log_is_at_debug_and_holds_no_secret(
    server: Served, device: Made, ways: Ways, caplog: pytest.LogCaptureFixture
) -> None:
    server.system.devices("kota").refresh()
    with caplog.at_level(logging.DEBUG, "sigap.access"), Line(server) as line:
        line.ask(post(*knocks(device)["json"]))
    assert ways.so_far(1) == [True]
    [record] = [each for each in caplog.records if each.name == "sigap.access"]
    fields = getattr(record, "fields")  # noqa: B009
    assert fields["route"] == "/osmand/{city}/{secret}"
    assert (fields["method"], fields["status"]) == ("POST", 200)
    assert (record.levelno, fields["request_id"]) == (logging.DEBUG, "satu-dua-tiga")
