"""Who asks why gets the decision as it was taken, and the minutes of a missed promise."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, get_args
from uuid import UUID

import pytest

from dispatch import actions
from dispatch.core import after_action
from dispatch.core.events import SYSTEM, Actor
from dispatch.core.world import World
from dispatch.storage import documents
from tests.story.small_city import MIDDLE, Stand, named, stand
from web.why import Cause

CREW, DESK = Actor("crew", "c"), Actor("dispatcher", "d")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("why")) as running:
        yield running


def late_incident(city: Stand, crew_id: UUID) -> UUID:
    """An incident of two hours ago that a crew reached after forty minutes."""
    made: list[UUID] = []
    start = city.system.clock() - timedelta(hours=2)

    def at(minutes: float) -> Any:
        return start + timedelta(minutes=minutes)

    def live(world: World, _: object) -> None:
        place: dict[str, Any] = {
            "lon": MIDDLE[0],
            "lat": MIDDLE[1],
            "ward": "Barat",
            "district": "Kartoharjo",
        }
        wish = actions.NewReport("web", "fallen_tree", "Pohon", **place)
        report = actions.receive_report(world, at(0), Actor("citizen"), wish)
        incident = actions.verify_report(world, at(30), DESK, report.id)
        job = actions.send_crew(world, at(31), SYSTEM, incident.id, crew_id=crew_id)
        actions.acknowledge(world, at(32), CREW, job.id)
        actions.en_route(world, at(32), CREW, job.id)
        actions.on_scene(world, at(40), CREW, job.id)
        actions.clear(world, at(50), CREW, job.id, disposition_code="05")
        made.append(incident.id)

    city.system.do("kota", SYSTEM, live)
    wait_for_the_record(city, made[0])
    return made[0]


def wait_for_the_record(city: Stand, incident_id: UUID) -> None:
    """The dispatcher loop makes it by itself, soon."""
    for _ in range(200):
        with city.system.looking("kota") as world:
            if world.incident(incident_id).after_action is not None:
                return
        time.sleep(0.1)
    raise AssertionError("the miss has no record after 20 seconds")


def test_a_missed_promise_is_listed_with_its_minutes(city: Stand) -> None:
    incident_id = late_incident(city, city.crew_id)
    desk = city.staff("supervisor")
    found = desk.get("/after-actions").json()
    [line] = found["after_actions"]
    assert line["incident_id"] == str(incident_id)
    assert line["after_action"]["cause"] == "verification"
    assert line["after_action"]["late_s"] == 1200
    assert found["causes"] == [{"cause": "verification", "n": 1, "beyond_s": 1800}]
    assert found["crews"][str(city.crew_id)]["call_sign"] == "Regu 1"
    assert desk.get("/after-actions?cause=slip").json()["after_actions"] == []
    assert desk.get("/after-actions?cause=slip").json()["causes"] == found["causes"]
    assert len(desk.get("/after-actions?district=Kartoharjo").json()["after_actions"]) == 1
    assert desk.get("/after-actions?district=Taman").json()["after_actions"] == []
    assert desk.get("/after-actions?service_code=flood").json()["after_actions"] == []
    assert desk.get("/after-actions?cause=weather").status_code == 422
    file = city.staff("dispatcher").get(f"/incidents/{incident_id}").json()
    assert file["incident"]["after_action"] == line["after_action"]


def test_crews_and_agencies_are_not_told_who_would_have_been_faster(city: Stand) -> None:
    late_incident(city, city.other_crew_id)
    with city.system.looking("kota") as world:
        now = city.system.clock()
        view = documents.agency_view(world.connection, world, "bpbd", now)
    seen = [referral["incident"]["after_action"] for referral in view["referrals"]]
    assert seen
    assert set(seen) == {None}


def test_a_decision_by_hand_keeps_what_the_engine_proposed(city: Stand) -> None:
    desk = city.staff("dispatcher")
    _, incident_id, assignment_id = city.offered(desk)
    answer = desk.get(f"/incidents/{incident_id}/why").json()
    [decision] = [each for each in answer["decisions"] if each["t"] == "AssignmentOffered"]
    assert decision["assignment_id"] == str(assignment_id)
    assert decision["rule"] == "dispatcher"
    assert decision["graph"] == city.system.city("kota").roads.version
    weighed = {each["crew_id"]: each for each in decision["candidates"]}
    assert weighed[str(city.crew_id)]["ete_s"] > 0
    assert set(weighed) <= set(answer["crews"])
    desk.post(f"/incidents/{incident_id}/cancel", {"reason": "uji"})


def test_programs_read_the_same_causes_as_the_rules_write() -> None:
    assert get_args(Cause) == after_action.KINDS


def test_a_crew_on_its_way_is_turned_round_by_hand_once(city: Stand) -> None:
    desk, phone = city.staff("dispatcher"), city.crew()
    _, first, assignment_id = city.offered(desk)
    assert phone.post(f"/assignments/{assignment_id}/acknowledge").status_code == 200
    _, _, report_id = city.report(lon=MIDDLE[0] + 0.01)
    second = named(desk.post(f"/reports/{report_id}/verify"), "incident")
    body = {"crew_id": str(city.crew_id)}
    assert desk.post(f"/incidents/{second}/send", body).status_code == 409
    turned = desk.post(f"/incidents/{second}/send", {**body, "divert": True})
    assert turned.status_code == 200, turned.text
    with city.system.looking("kota") as world:
        left, taken = world.assignment(assignment_id), world.active_assignment(city.crew_id)
        assert (left.status, left.decline_reason) == ("withdrawn", "diverted")
        assert taken is not None
        assert (taken.incident_id, taken.diverted_from) == (second, first)
    again = desk.post(f"/incidents/{first}/send", {**body, "divert": True})
    assert again.status_code == 409
    assert "sudah pernah dialihkan" in again.json()["detail"]
    for incident_id in (first, second):
        desk.post(f"/incidents/{incident_id}/cancel", {"reason": "uji"})


def test_a_free_crew_is_sent_to_a_post_and_answers(city: Stand) -> None:
    desk, phone = city.staff("dispatcher"), city.crew(city.other_crew_id)
    at = f"/crews/{city.other_crew_id}"
    place = {"lon": MIDDLE[0], "lat": MIDDLE[1], "label": "Alun-alun"}

    def post_of_crew() -> Any:
        with city.system.looking("kota") as world:
            return world.crew(city.other_crew_id).move_up

    half = desk.post(f"{at}/move-up", {"verdict": "order", "lon": 111.5})
    assert half.status_code == 422
    assert desk.post(f"{at}/move-up", {"verdict": "order", **place}).status_code == 200
    assert (post_of_crew()["status"], post_of_crew()["label"]) == ("ordered", "Alun-alun")
    assert city.crew().post(f"{at}/post", {"answer": "there"}).status_code == 403
    assert phone.post(f"{at}/post", {"answer": "there"}).status_code == 200
    assert post_of_crew()["status"] == "reached"
    assert phone.post(f"{at}/post", {"answer": "cannot"}).status_code == 200
    assert post_of_crew() is None
    assert desk.post(f"{at}/move-up", {"verdict": "dismiss"}).status_code == 200
