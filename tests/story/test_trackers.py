"""Any phone or tracker may speak for a crew: through the real doors, with all that bites."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest

from dispatch.core.crews import Fix
from tests.story.small_city import MIDDLE, Stand, stand

LON, LAT = MIDDLE


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("trackers"), rate_factor=0.0) as running:
        yield running


class Tracker:
    """A registered device, at the doors without any session."""

    def __init__(self, city: Stand, *, crew_id: UUID | None, label: str = "Pelacak") -> None:
        self.city, self.desk = city, city.staff("dispatcher")
        body = {"label": label, "crew_id": str(crew_id) if crew_id else None}
        answer = self.desk.post("/devices", body)
        assert answer.status_code == 200, answer.text
        self.made: dict[str, Any] = answer.json()
        self.id, self.secret = self.made["device"]["id"], self.made["secret"]
        self.client = city.visitor().client

    def get(self, **given: object) -> httpx.Response:
        wish = {"id": self.id, "secret": self.secret, "lat": LAT, "lon": LON, **given}
        answer: httpx.Response = self.client.get("/osmand/kota", params=wish)
        return answer

    def post(self, body: object, *, secret: str | None = None) -> httpx.Response:
        path = f"/osmand/kota/{secret or self.secret}"
        answer: httpx.Response = self.client.post(path, json=body)
        return answer

    def news(self) -> dict[str, Any]:
        answer = self.desk.get(f"/devices/{self.id}")
        assert answer.status_code == 200, answer.text
        news: dict[str, Any] = answer.json()["device"]["news"]
        return news

    def forget_crew(self) -> None:
        self.desk.post(f"/devices/{self.id}/crew", {"crew_id": None})


@pytest.fixture
def tracker(city: Stand) -> Iterator[Tracker]:
    made = Tracker(city, crew_id=city.crew_id)
    yield made
    made.forget_crew()


def newest(city: Stand, crew_id: UUID | None = None) -> Fix:
    fix = city.system.newest_fix("kota", crew_id or city.crew_id)
    assert fix is not None
    return fix


def soon(seconds: float = 1.0) -> datetime:
    """A moment that is surely newer than what the city knows, and not ahead of every clock."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)


_clock = datetime.min.replace(tzinfo=UTC)


def tick() -> datetime:
    """Each moment later than the last, all within what a clock may run ahead."""
    global _clock
    _clock = max(_clock, soon()) + timedelta(seconds=1)
    return _clock


def test_a_query_in_knots_seconds_and_per_cent(city: Stand, tracker: Tracker) -> None:
    at = tick()
    answer = tracker.get(
        timestamp=at.timestamp(), speed=10, bearing=90, accuracy=8, batt=55, mock="true", lon=LON
    )
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "refused": []})
    fix = newest(city)
    assert fix.speed_ms == pytest.approx(5.144, abs=1e-3)
    assert (fix.heading, fix.accuracy_m, fix.battery, fix.mock) == (90.0, 8.0, 0.55, True)
    assert fix.fix_time == at
    assert fix.device == tracker.id
    assert tracker.news()["fix"]["mock"] is True, "kept and shown"


def test_a_form_of_traccar_client_with_milliseconds(city: Stand, tracker: Tracker) -> None:
    at = tick()
    form = {
        "id": tracker.id,
        "lat": LAT,
        "lon": LON,
        "timestamp": int(at.timestamp() * 1000),
        "speed": -1,
    }
    answer = tracker.client.post(f"/osmand/kota/{tracker.secret}", data=form)
    assert answer.json() == {"accepted": 1, "refused": []}
    assert (newest(city).fix_time, newest(city).speed_ms) == (at, None)


def location(at: datetime, *, lat: float = LAT, lon: float = LON, **coords: Any) -> dict[str, Any]:
    return {
        "timestamp": at.isoformat().replace("+00:00", "Z"),
        "coords": {"latitude": lat, "longitude": lon, "accuracy": 5, **coords},
        "battery": {"level": 0.75, "is_charging": False},
        "is_moving": True,
        "extras": {},
        "_": "&id=1&lat=2&lon=3&",
    }


def test_the_json_of_traccar_client_9_in_metres_per_second(city: Stand, tracker: Tracker) -> None:
    at = tick()
    body = {
        "location": location(at, speed=5.5, heading=270) | {"mock": True},
        "device_id": tracker.id,
    }
    assert tracker.post(body).json() == {"accepted": 1, "refused": []}
    fix = newest(city)
    assert (fix.speed_ms, fix.heading, fix.battery) == (5.5, 270.0, 0.75)
    assert (fix.fix_time, fix.mock) == (at, True)
    body["location"] = location(tick(), speed=-1, heading=-1)
    tracker.post(body)
    assert newest(city).speed_ms is None


def test_a_batch_that_waited_on_the_phone_is_taken_late_and_moves_nothing_back(
    city: Stand, tracker: Tracker
) -> None:
    """Complaint 3: fix time and server time stay apart, and the live marker where it is."""
    tracker.get(timestamp=tick().timestamp())
    live = newest(city)
    begun = live.fix_time - timedelta(hours=3)
    waited = [location(begun + timedelta(seconds=10 * i)) for i in range(40)]
    answer = tracker.post({"location": waited, "device_id": tracker.id})
    assert answer.json() == {"accepted": 40, "refused": []}
    assert newest(city) == live
    assert tracker.news()["late"] == 40
    city.system.flush_positions()
    with city.system.reading("kota") as connection:
        from dispatch.storage import fixes

        kept = fixes.between(
            connection, "kota", city.crew_id, since=begun, until=begun + timedelta(hours=1)
        )
    assert len(kept) == 40
    assert all(fix.server_time - fix.fix_time > timedelta(hours=2) for fix in kept)
    again = tracker.post({"location": waited, "device_id": tracker.id})
    assert again.json() == {"accepted": 40, "refused": []}
    assert tracker.news()["repeated"] == 40


def test_iso_times_and_a_plus_that_was_not_escaped(city: Stand, tracker: Tracker) -> None:
    at = tick()
    for text in (
        at.isoformat(),
        (at + timedelta(milliseconds=10)).isoformat().replace("+00:00", "Z"),
        (at + timedelta(milliseconds=20)).isoformat().replace("+", " "),
        (at + timedelta(milliseconds=30)).strftime("%Y-%m-%d %H:%M:%S.%f"),
    ):
        assert tracker.get(timestamp=text).json()["accepted"] == 1, text
    assert newest(city).fix_time == at + timedelta(milliseconds=30)


def test_owntracks_with_the_password_of_its_app(city: Stand, tracker: Tracker) -> None:
    at = tick()
    body = {
        "_type": "location",
        "lat": LAT,
        "lon": LON,
        "tst": int(at.timestamp()),
        "acc": 12,
        "batt": 40,
        "vel": 36,
        "cog": 10,
        "tid": "xx",
        "created_at": int(at.timestamp()),
    }
    who = (tracker.id, tracker.secret)
    answer = tracker.client.post("/owntracks/kota", json=body, auth=who)
    assert (answer.status_code, answer.json()) == (200, [])
    fix = newest(city)
    assert (fix.fix_time, fix.speed_ms, fix.battery) == (at, 10.0, 0.4)
    assert fix.device_time == at
    for ignored in ({"_type": "transition"}, {"_type": "lwt", "tst": 1}, {}):
        answer = tracker.client.post("/owntracks/kota", json=ignored, auth=who)
        assert (answer.status_code, answer.json()) == (200, [])
    empty = tracker.client.post("/owntracks/kota", content=b"", auth=who)
    assert (empty.status_code, empty.json()) == (200, [])
    wrong = tracker.client.post("/owntracks/kota", json=body, auth=(tracker.id, "wrong"))
    assert wrong.status_code == 401
    assert wrong.headers["WWW-Authenticate"].startswith("Basic")


def forwarded(tracker: Tracker, at: datetime, **position: Any) -> dict[str, Any]:
    iso = at.isoformat().replace("+00:00", "Z")
    return {
        "position": {
            "id": 1,
            "deviceId": 7,
            "protocol": "teltonika",
            "serverTime": iso,
            "deviceTime": iso,
            "fixTime": iso,
            "valid": True,
            "latitude": LAT,
            "longitude": LON,
            "speed": 20.0,
            "course": 45.0,
            "accuracy": 0.0,
            "attributes": {"batteryLevel": 80},
            **position,
        },
        "device": {
            "id": 7,
            "name": "Truk",
            "uniqueId": tracker.id,
            "attributes": {"sigapSecret": tracker.secret},
        },
    }


def test_a_traccar_server_forwards_in_knots(city: Stand, tracker: Tracker) -> None:
    at = tick()
    answer = tracker.client.post("/traccar/kota", json=forwarded(tracker, at))
    assert answer.json() == {"accepted": 1, "refused": []}
    fix = newest(city)
    assert fix.speed_ms == pytest.approx(10.289, abs=1e-3)
    assert (fix.battery, fix.accuracy_m, fix.fix_time, fix.device_time) == (0.8, None, at, at)
    blind = forwarded(tracker, tick(), valid=False)
    answer = tracker.client.post(f"/traccar/kota/{tracker.secret}", json=blind)
    assert answer.json()["refused"] == [{"index": 0, "reason": "no_satellites"}]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"id": ""}, "no_device_id"),
        ({"timestamp": "yesterday"}, "unreadable_time"),
        ({"timestamp": "1e300"}, "unreadable_time"),
        ({"timestamp": "nan"}, "unreadable_time"),
        ({"lat": "north"}, "unreadable_fix"),
    ],
)
def test_what_cannot_be_read_is_told_so(tracker: Tracker, given: Any, code: str) -> None:
    answer = tracker.get(**given)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_broken_json_and_too_much_of_it(tracker: Tracker) -> None:
    path = f"/osmand/kota/{tracker.secret}"
    for body in (b"{", b"[1, 2]", b'{"location": 7, "device_id": "x"}', b'{"location": {}}'):
        assert tracker.client.post(path, content=body).status_code == 400
    many = {"location": [location(soon())] * 501, "device_id": tracker.id}
    answer = tracker.post(many)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_fixes")


def test_who_is_not_let_in_is_not_told_why(city: Stand, tracker: Tracker) -> None:
    other = Tracker(city, crew_id=None)
    other.desk.post(f"/devices/{other.id}/retire")
    before = newest(city)
    answers = [
        tracker.get(secret="wrong"),
        tracker.get(secret=""),
        tracker.get(id="nobody", secret=tracker.secret),
        tracker.get(id=other.id, secret=other.secret),
        tracker.client.get("/osmand/tetangga", params={"id": tracker.id, "secret": tracker.secret}),
    ]
    assert {(a.status_code, a.json()["code"], a.json()["detail"]) for a in answers} == {
        (401, "bad_device", answers[0].json()["detail"])
    }
    assert newest(city) == before


def test_why_a_position_was_refused_stands_on_the_page(city: Stand, tracker: Tracker) -> None:
    """Complaint 9: zero, whole degrees, swapped — refused and told, never dispatched on."""
    tracker.get(timestamp=tick().timestamp())
    before = newest(city)
    wrong: list[tuple[dict[str, object], str]] = [
        ({"lat": 0, "lon": 0}, "zero"),
        ({"lat": -7, "lon": 111}, "whole_degree"),
        ({"lat": LON, "lon": LAT}, "swapped"),
        ({"lat": 52.5, "lon": 13.4}, "out_of_region"),
        ({"timestamp": soon(20 * 365 * 86400).timestamp()}, "future"),
        ({"timestamp": soon(-3 * 86400).timestamp()}, "too_old"),
        ({"lat": LAT + 0.05}, "jump"),
        ({"lat": ""}, "no_place"),
        ({"valid": "false"}, "no_satellites"),
    ]
    for given, reason in wrong:
        answer = tracker.get(**{"timestamp": tick().timestamp(), **given})
        assert answer.status_code == 200, "or the phone would send it for ever"
        assert answer.json() == {"accepted": 0, "refused": [{"index": 0, "reason": reason}]}
    assert newest(city) == before
    news = tracker.news()
    assert news["refused"] == {reason: 1 for _, reason in wrong}
    assert [each["reason"] for each in news["refusals"]] == [r for _, r in reversed(wrong)]
    assert news["refusals"][-1]["fix"]["lon"] == 0.0


def test_a_device_of_no_crew_is_seen_and_moves_nobody(city: Stand) -> None:
    lonely = Tracker(city, crew_id=None)
    assert lonely.get().json()["refused"] == [{"index": 0, "reason": "no_crew"}]
    device = lonely.desk.get(f"/devices/{lonely.id}").json()["device"]
    assert device["seen_at"] is not None
    assert (device["crew_id"], device["news"]["door"]) == (None, "osmand")
    lonely.desk.post(f"/devices/{lonely.id}/crew", {"crew_id": str(city.other_crew_id)})
    at = tick()
    assert lonely.get(timestamp=at.timestamp(), lon=LON + 0.01).json()["accepted"] == 1
    assert newest(city, city.other_crew_id).fix_time == at
    lonely.forget_crew()


def test_the_qr_code_sets_traccar_client_up_and_the_link_works(city: Stand) -> None:
    made = Tracker(city, crew_id=city.crew_id).made
    link = urlsplit(made["config_link"])
    given = {name: values[0] for name, values in parse_qs(link.query).items()}
    assert given["id"] == made["device"]["id"]
    assert {"interval", "fastest_interval", "stop_detection", "service"} <= set(given)
    assert made["qr_svg"].startswith("<svg")
    # what the app makes of it: origin and path are the server, the query its settings
    body = {"location": location(tick()), "device_id": given["id"]}
    answer = city.visitor().client.post(link.path, json=body)
    assert answer.json() == {"accepted": 1, "refused": []}
    city.staff("dispatcher").post(f"/devices/{given['id']}/crew", {"crew_id": None})


def test_a_new_secret_ends_the_old_one_and_a_repeat_registers_once(city: Stand) -> None:
    made = Tracker(city, crew_id=None)
    fresh = made.desk.post(f"/devices/{made.id}/secret").json()
    assert fresh["secret"] != made.secret
    assert made.get().status_code == 401
    assert made.get(secret=fresh["secret"]).status_code == 200
    coded = base64.b64encode(f"{made.id}:{fresh['secret']}".encode()).decode()
    basic = made.client.get(
        "/osmand/kota",
        params={"lat": LAT, "lon": LON},
        headers={"Authorization": f"Basic {coded}"},
    )
    assert basic.status_code == 200
    before = len(made.desk.get("/devices").json()["devices"])
    both = [made.desk.post("/devices", {"label": "HP"}, key="same-key-1").json() for _ in "ab"]
    assert both[0]["device"]["id"] == both[1]["device"]["id"]
    assert len(made.desk.get("/devices").json()["devices"]) == before + 1
    assert "secret_hash" not in made.desk.get("/devices").text


def test_what_cannot_be_registered(city: Stand) -> None:
    desk = city.staff("administrator")
    assert desk.post("/devices", {"label": "HP", "id": "868-1"}).status_code == 200
    twice = desk.post("/devices", {"label": "HP", "id": "868-1"})
    assert (twice.status_code, twice.json()["code"]) == (409, "conflict")
    for body in ({"label": "HP", "id": "a b c"}, {"label": "  "}):
        assert desk.post("/devices", body).status_code == 422
    nobody = desk.post("/devices", {"label": "HP", "crew_id": str(UUID(int=5))})
    assert nobody.status_code == 404
    assert desk.get("/devices/none-such").status_code == 404
    desk.post("/devices/868-1/retire")
    assert desk.post("/devices/868-1/secret").status_code == 422


def test_too_many_wrong_secrets_and_too_many_positions_wait(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with stand(tmp_path_factory.mktemp("limits"), rate_factor=0.02) as city:
        tracker = Tracker(city, crew_id=city.crew_id)
        wrong = {tracker.get(secret="wrong").status_code for _ in range(5)}
        assert wrong == {401, 429}
        right = [tracker.get().status_code for _ in range(70)]
        assert set(right) == {200, 429}
        assert right.count(200) >= 60


def test_positions_of_everybody_with_their_age(city: Stand, tracker: Tracker) -> None:
    """Complaint 10: an old position says that it is old."""
    tracker.get(timestamp=tick().timestamp(), batt=9, mock=1, accuracy=30)
    answer = tracker.desk.get("/positions").json()
    mine = next(p for p in answer["positions"] if p["crew_id"] == str(city.crew_id))
    assert (mine["battery"], mine["mock"], mine["accuracy_m"]) == (0.09, True, 30.0)
    assert (mine["freshness"], mine["on_road"], mine["device"]) == ("live", False, tracker.id)
    later = city.system.clock
    try:
        city.system.clock = lambda: datetime.now(UTC) + timedelta(seconds=400)
        stale = tracker.desk.get("/positions").json()["positions"]
    finally:
        city.system.clock = later
    mine = next(p for p in stale if p["crew_id"] == str(city.crew_id))
    assert mine["freshness"] == "stale"
    assert mine["age_s"] > 320


def test_a_phone_that_may_not_say_where_it_is_tells_the_dispatcher(city: Stand) -> None:
    crew = city.crew()
    told = crew.post(f"/crews/{city.crew_id}/position-trouble", {"trouble": "denied"})
    assert [e["t"] for e in told.json()["events"]] == ["CrewPositionTrouble"]
    with city.system.looking("kota") as world:
        assert world.crew(city.crew_id).position_trouble == "denied"
    again = crew.post(f"/crews/{city.crew_id}/position-trouble", {"trouble": "denied"})
    assert again.json()["events"] == []
    assert (
        crew.post(f"/crews/{city.other_crew_id}/position-trouble", {"trouble": None}).status_code
        == 403
    )
    found = crew.post(f"/crews/{city.crew_id}/position-trouble", {"trouble": None})
    assert len(found.json()["events"]) == 1
    with city.system.looking("kota") as world:
        assert world.crew(city.crew_id).position_trouble is None
