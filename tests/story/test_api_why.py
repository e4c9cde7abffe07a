"""Who asks why gets the decision as it was taken, and the minutes of a missed promise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, get_args
from uuid import UUID

import pytest

from dispatch import actions, dispatcher
from dispatch.core import after_action
from dispatch.core.events import SYSTEM, Actor
from dispatch.core.world import World
from dispatch.storage import documents
from tests.story.small_city import MIDDLE, Stand, stand
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
    city.system.do("kota", SYSTEM, lambda w, now: dispatcher.record_after_action(w, now, made[0]))
    return made[0]


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
