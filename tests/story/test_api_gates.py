"""What is said of a crew's shift, people and tools through the doors, and what it changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.story.small_city import Desk, Stand, add_crew, stand


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("gates")) as running:
        yield running


@pytest.fixture
def crew_id(city: Stand) -> UUID:
    """A crew of this test's own, on duty and seen."""
    return add_crew(city.system, "kota", "Regu uji")


def seen(city: Stand, crew_id: UUID) -> dict[str, Any]:
    """The crew as its phone gets it."""
    with city.system.looking("kota") as world:
        crew = world.crew(crew_id)
    return {name: getattr(crew, name) for name in crew.__slots__}


def incident(city: Stand, desk: Desk) -> UUID:
    _, incident_id, assignment_id = city.offered(desk)
    withdrawn = desk.post(f"/assignments/{assignment_id}/withdraw", {"reason": "uji"})
    assert withdrawn.status_code == 200
    return incident_id


def in_hours(number: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=number)).isoformat()


def test_a_crew_signs_on_for_a_shift(city: Stand, crew_id: UUID) -> None:
    phone = city.crew(crew_id)
    off = phone.post(f"/crews/{crew_id}/status", {"status": "not_available"})
    assert off.status_code == 200
    ends_at = in_hours(8)
    wish = {"status": "available", "shift_ends_at": ends_at, "members_present": 2}
    on = phone.post(f"/crews/{crew_id}/status", wish)
    assert [event["t"] for event in on.json()["events"]] == ["CrewStatusSet"]
    crew = seen(city, crew_id)
    assert crew["members_present"] == 2
    assert crew["shift_ends_at"].isoformat()[:16] == ends_at[:16]


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"shift_ends_at": in_hours(-1)}, "shift_ends_at"),
        ({"shift_ends_at": in_hours(25)}, "shift_ends_at"),
        ({"shift_ends_at": "2026-11-22T10:00:00"}, "shift_ends_at"),
        ({"members_present": 51}, "members_present"),
        ({"members_present": -1}, "members_present"),
    ],
)
def test_an_impossible_shift_is_refused_in_words(
    city: Stand, crew_id: UUID, wish: dict[str, Any], field: str
) -> None:
    phone = city.crew(crew_id)
    answer = phone.post(f"/crews/{crew_id}/status", {"status": "available", **wish})
    assert answer.status_code == 422
    assert field in answer.text


def test_a_supervisor_sets_hours_people_and_tools(city: Stand, crew_id: UUID) -> None:
    boss = city.staff("supervisor")
    hours = {"shift_ends_at": in_hours(3), "rest_until": None}
    assert boss.post(f"/crews/{crew_id}/shift", hours).status_code == 200
    people = {"members_present": 1, "least_members": 2}
    assert boss.post(f"/crews/{crew_id}/staff", people).status_code == 200
    tools = {"equipment": ["winch", " boat ", "winch"]}
    assert boss.post(f"/crews/{crew_id}/equipment", tools).status_code == 200
    crew = seen(city, crew_id)
    assert crew["equipment"] == ("boat", "winch")
    assert (crew["members_present"], crew["least_members"]) == (1, 2)
    assert crew["shift_ends_at"] is not None


def test_a_crew_may_not_lower_what_it_needs(city: Stand, crew_id: UUID) -> None:
    boss, phone = city.staff("supervisor"), city.crew(crew_id)
    boss.post(f"/crews/{crew_id}/staff", {"members_present": 3, "least_members": 3})
    phone.post(f"/crews/{crew_id}/staff", {"members_present": 2, "least_members": 1})
    crew = seen(city, crew_id)
    assert (crew["members_present"], crew["least_members"]) == (2, 3)


@pytest.mark.parametrize("door", ["staff", "out-of-service", "back-in-service"])
def test_a_crew_speaks_for_itself_only(city: Stand, crew_id: UUID, door: str) -> None:
    wishes: dict[str, dict[str, Any]] = {
        "staff": {"members_present": 1, "least_members": None},
        "out-of-service": {"reason": "iseng"},
        "back-in-service": {},
    }
    wish = wishes[door]
    assert city.crew(crew_id).post(f"/crews/{city.crew_id}/{door}", wish).status_code == 403


def test_out_of_service_is_not_sent_until_it_is_back(city: Stand, crew_id: UUID) -> None:
    desk, phone = city.staff("dispatcher"), city.crew(crew_id)
    key = str(uuid4())
    path, why = f"/crews/{crew_id}/out-of-service", {"reason": "Ban pecah"}
    told = phone.post(path, why, key=key)
    again = phone.post(path, why, key=key)
    assert told.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    incident_id = incident(city, desk)
    refused = desk.post(f"/incidents/{incident_id}/send", {"crew_id": str(crew_id)})
    assert refused.status_code == 422
    assert "tidak beroperasi (Ban pecah)" in refused.text
    assert desk.post(f"/crews/{crew_id}/back-in-service").status_code == 200
    sent = desk.post(f"/incidents/{incident_id}/send", {"crew_id": str(crew_id)})
    assert (sent.status_code, sent.json()["warning"]) == (200, None)
    desk.post(f"/incidents/{incident_id}/cancel", {"reason": "uji"})


def test_sending_against_a_gate_is_done_with_a_warning(city: Stand, crew_id: UUID) -> None:
    desk, boss = city.staff("dispatcher"), city.staff("supervisor")
    boss.post(f"/crews/{crew_id}/staff", {"members_present": 1, "least_members": 2})
    incident_id = incident(city, desk)
    sent = desk.post(f"/incidents/{incident_id}/send", {"crew_id": str(crew_id)})
    assert (sent.status_code, sent.json()["warning"]) == (200, "short_staffed")
    desk.post(f"/incidents/{incident_id}/cancel", {"reason": "uji"})


def test_sending_who_cannot_do_it_is_done_with_a_warning(city: Stand, crew_id: UUID) -> None:
    desk = city.staff("dispatcher")
    _, _, report_id = city.report(service_code="flood")
    verified = desk.post(f"/reports/{report_id}/verify").json()
    [opened] = [e["k"] for e in verified["events"] if e["t"] == "IncidentOpened"]
    incident_id = opened.partition("/")[2]
    sent = desk.post(f"/incidents/{incident_id}/send", {"crew_id": str(crew_id)})
    assert (sent.status_code, sent.json()["warning"]) == (200, "skill")
    desk.post(f"/incidents/{incident_id}/cancel", {"reason": "uji"})


def test_an_alarm_is_raised_by_whoever_dispatches(city: Stand) -> None:
    desk = city.staff("dispatcher")
    _, incident_id, _ = city.offered(desk)
    path = f"/incidents/{incident_id}/alarm"
    wish = {"alarm_level": 2, "reason": "Menutup dua jalan"}
    assert city.staff("supervisor").post(path, wish).status_code == 403
    raised = desk.post(path, wish)
    assert [event["t"] for event in raised.json()["events"]] == ["IncidentAlarmRaised"]
    file = desk.get(f"/incidents/{incident_id}").json()["incident"]
    assert (file["alarm_level"], file["required_crews"]) == (2, 3)
    assert file["required_slots"][0] == {"skills": ["chainsaw"], "equipment": []}
    for level, said in ((2, "hanya bisa naik"), (9, "tingkat siaga sampai 3")):
        refused = desk.post(path, {"alarm_level": level, "reason": "lagi"})
        assert refused.status_code == 422
        assert said in refused.text
    assert desk.post(path, {"alarm_level": 3, "reason": " "}).status_code == 422
    desk.post(f"/incidents/{incident_id}/cancel", {"reason": "uji"})


def test_screens_are_told_the_city_s_rules(city: Stand) -> None:
    told = city.visitor().get("/api/kota").json()
    assert told["gates"]["shift_h"] == 8
    assert told["diversion"]["lock_s"] == 180
    [tree] = [s for s in told["services"] if s["service_code"] == "fallen_tree"]
    assert [len(level["slots"]) for level in tree["alarm_levels"]] == [1, 3, 4]
    [other] = [s for s in told["services"] if s["service_code"] == "waste"]
    assert len(other["alarm_levels"]) == 1
