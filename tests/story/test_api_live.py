"""What screens hear: whoever lost the thread shows, in the end, what a fresh screen shows."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from realtime.hub import OUTBOX_LIMIT
from realtime.session import Session
from realtime.wire import Folded
from tests.story.small_city import MIDDLE, Desk, Stand, stand
from web.auth import Viewers
from web.stream import Gate


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("live")) as running:
        yield running


class Screen:
    """A browser's copy of one channel, and the socket it listens on."""

    def __init__(self, socket: Any, channel: str, token: str | None = None) -> None:
        self.socket, self.channel, self.token = socket, channel, token
        self.copy = Folded()

    def follow(self) -> bool:
        """Subscribe from where this copy stands; True when the missed events came."""
        question: dict[str, Any] = {"sub": self.channel}
        if self.token:
            question["token"] = self.token
        if self.copy.offset >= 0:
            question["since"] = {"epoch": self.copy.epoch, "offset": self.copy.offset}
        self.socket.send_json(question)
        while "recovered" not in (answer := self.next()):
            pass
        self.copy.start(answer)
        return bool(answer["recovered"])

    def next(self) -> dict[str, Any]:
        """The next message of the channel that is not telemetry."""
        while True:
            message: dict[str, Any] = self.socket.receive_json()
            if message.get("ch") == self.channel and "pos" not in message:
                return message

    def until(self, type_: str) -> dict[str, Any]:
        """Fold live events up to one of this type."""
        while True:
            message = self.next()
            assert self.copy.take(message), message
            if message["t"] == type_:
                return message


@contextmanager
def screen(desk: Desk, channel: str, token: str | None = None) -> Iterator[Screen]:
    with desk.client.websocket_connect("/ws/kota") as socket:
        yield Screen(socket, channel, token)


def fresh(city: Stand, desk: Desk, channel: str, token: str | None = None) -> Folded:
    with screen(desk, channel, token) as new:
        assert not new.follow()
        return new.copy


def settled(copy: Folded) -> dict[str, dict[str, Any]]:
    return {key: fields for key, fields in copy.state.items() if not key.startswith("crew/")}


def test_a_screen_that_lost_the_network_shows_what_a_fresh_one_shows(city: Stand) -> None:
    desk, phone = city.staff("dispatcher"), city.crew()
    with screen(desk, "city/kota") as first:
        assert not first.follow()
        _, _, assignment_id = city.offered(desk)
        first.until("AssignmentOffered")
        stale = first.copy
    # Nobody listens while the crew goes, works and clears; and a report is set aside.
    work = f"/assignments/{assignment_id}"
    for verb, body in (
        ("acknowledge", {}),
        ("en-route", {}),
        ("on-scene", {"lon": MIDDLE[0], "lat": MIDDLE[1]}),
        ("clear", {"disposition_code": "05"}),
    ):
        assert phone.post(f"{work}/{verb}", body).status_code == 200
    _, _, aside = city.report()
    assert desk.post(f"/reports/{aside}/archive", {"reason": "uji"}).status_code == 200
    with screen(desk, "city/kota") as again:
        again.copy = stale
        assert again.follow(), "the missed events, not the whole state"
        assert again.copy.state[f"report/{aside}"]["status"] == "archived"
        new = fresh(city, desk, "city/kota")
        assert again.copy.offset <= new.offset
        while again.copy.offset < new.offset:
            assert again.copy.take(again.next())
    assert settled(again.copy) == settled(new)
    assert again.copy.state.keys() == new.state.keys()


def test_another_epoch_or_an_offset_from_the_future_starts_anew(city: Stand) -> None:
    desk = city.staff("dispatcher")
    with screen(desk, "city/kota") as one:
        one.follow()
        one.copy.epoch = "before the restore"
        assert not one.follow()
        one.copy.offset += 1000
        assert not one.follow()


def test_a_citizen_follows_their_own_report(city: Stand) -> None:
    desk, phone = city.staff("dispatcher"), city.crew()
    ticket, token, report_id = city.report()
    channel, key = f"report/{ticket}", f"report_view/{ticket}"
    with screen(city.visitor(), channel, token) as page:
        page.follow()
        assert page.copy.state[key]["description"] == "Pohon tumbang menutup jalan raya"
        incident_id = _verified(desk, report_id)
        sent = desk.post(f"/incidents/{incident_id}/send", {"crew_id": str(city.crew_id)})
        assignment = next(
            e["k"].partition("/")[2] for e in sent.json()["events"] if "assignment/" in e["k"]
        )
        phone.post(f"/assignments/{assignment}/acknowledge")
        while page.copy.state[key]["status"] != "acknowledged":
            assert page.copy.take(page.next())
        assert page.copy.state[key]["crew"]["name"] == "Regu 1"
        phone.post(f"/assignments/{assignment}/on-scene")
        phone.post(f"/assignments/{assignment}/clear", {"disposition_code": "05"})
        while page.copy.state[key]["status"] != "closed":
            assert page.copy.take(page.next())
        assert page.copy.state[key]["can_answer"]
        assert page.copy.state == fresh(city, city.visitor(), channel, token).state


def _verified(desk: Desk, report_id: UUID) -> str:
    told = desk.post(f"/reports/{report_id}/verify").json()["events"]
    return str(next(e["k"].partition("/")[2] for e in told if e["k"].startswith("incident/")))


def sent_photo(city: Stand) -> str:
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "green").save(picture, "JPEG")
    files = {"file": ("pohon.jpg", picture.getvalue(), "image/jpeg")}
    answer = city.visitor().client.post("/api/kota/photos", files=files)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["photo_id"])


def test_a_secret_report_reaches_those_who_verify_and_its_reporter_only(city: Stand) -> None:
    desk, phone, officer = city.staff("dispatcher"), city.crew(), city.staff("officer")
    word, place = "berkas-rahasia-4711", "rumah bernomor 99"
    photo_id = sent_photo(city)
    with (
        screen(desk, "city/kota") as console,
        screen(phone, f"crew/{city.crew_id}") as crew,
        screen(officer, "agency/bpbd") as agency,
    ):
        for each in (console, crew, agency):
            each.follow()
        _, incident_id, assignment_id = city.offered(
            desk, secret=True, description=word, place_typed=place, photo_ids=[photo_id]
        )
        other_ticket, other_token, other = city.report()
        desk.post(f"/reports/{other}/join", {"incident_id": str(incident_id)})
        phone.post(f"/assignments/{assignment_id}/acknowledge")
        console.until("AssignmentAcknowledged")
        crew.until("AssignmentAcknowledged")
        agency.until("AssignmentAcknowledged")
        assert word in str(console.copy.state)
        for each in (crew, agency):
            assert str(assignment_id) in str(each.copy.state) or str(incident_id) in str(
                each.copy.state
            )
            assert word not in str(each.copy.state)
            assert place not in str(each.copy.state)
            assert photo_id not in str(each.copy.state)
    for who, status in ((desk, 200), (phone, 404), (officer, 404), (city.visitor(), 404)):
        assert who.get(f"/photos/{photo_id}").status_code == status
    joined = fresh(city, city.visitor(), f"report/{other_ticket}", other_token)
    assert word not in str(joined.state)
    assert place not in str(joined.state)
    for path in ("/public/reports", "/open311/v2/requests.json"):
        at = path if path.startswith("/open311") else f"/api/kota{path}"
        assert word not in city.visitor().client.get(at).text
    desk.post(f"/incidents/{incident_id}/cancel", {"reason": "uji"})


def test_a_slow_screen_is_told_to_subscribe_again(city: Stand) -> None:
    """The client takes nothing; its box overflows; it is told to resync, and recovers."""
    hub_channel = "kota:city/kota"
    told: list[str] = []

    async def scenario() -> None:
        reached, gate_opens, leave = asyncio.Event(), asyncio.Event(), asyncio.Event()
        asked = iter(['{"sub":"city/kota"}'])

        async def send(text: str) -> None:
            reached.set()
            await gate_opens.wait()
            told.append(text)
            if '"resync":true' in text:
                leave.set()

        async def receive() -> str | None:
            if (text := next(asked, None)) is not None:
                return text
            await leave.wait()
            return None

        dispatcher = _principal(city)
        gate = Gate(city.system, "kota", Viewers(dispatcher, None), "id")
        session = Session(city.system.hub, gate, send=send, receive=receive)
        running = asyncio.create_task(session.run())
        await asyncio.wait_for(reached.wait(), 10)
        for number in range(OUTBOX_LIMIT + 50):
            city.system.hub.send(hub_channel, "city/kota", [f'{{"o":{number}}}'])
        gate_opens.set()
        await asyncio.wait_for(running, 10)

    portal = city.main.portal
    assert portal is not None
    portal.call(scenario)
    assert told[-1] == '{"ch":"city/kota","resync":true}'
    assert len(told) < 10


def _principal(city: Stand) -> Any:
    from web.accounts import find_session

    desk = city.staff("dispatcher")
    value = desk.client.headers["Cookie"].partition("=")[2]
    return find_session(city.system, "kota", value.partition(".")[2])


def test_nonsense_is_answered_not_obeyed(city: Stand) -> None:
    with city.visitor().client.websocket_connect("/ws/kota") as socket:
        for nonsense in ("{", "[]", '{"sub":7}', '{"sub":"x","since":3}'):
            socket.send_text(nonsense)
            assert socket.receive_json()["error"]["code"] == "bad_message"


def test_positions_come_as_telemetry(city: Stand) -> None:
    desk, phone = city.staff("dispatcher"), city.crew()
    soon = city.system.clock() + timedelta(seconds=30)
    fix = {"lon": 111.521, "lat": -7.631, "fix_time": soon.isoformat()}
    with desk.client.websocket_connect("/ws/kota") as socket:
        socket.send_json({"sub": "city/kota"})
        answer = phone.post(f"/crews/{city.crew_id}/fixes", {"fixes": [fix]})
        assert answer.json()["accepted"] == 1
        while True:
            message = socket.receive_json()
            rows = {row[0]: row for row in message.get("pos", [])}
            mine = rows.get(str(city.crew_id))
            if mine and mine[1:3] == pytest.approx([111.521, -7.631], abs=1e-4):
                break
        assert mine[4] >= 0
