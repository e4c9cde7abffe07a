"""A report comes in, is verified, a crew goes and clears it: through the doors of the server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from tests.story.small_city import MIDDLE, Stand, named, stand
from web.api.evaluation import Books


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("path")) as running:
        yield running


def test_from_report_to_closed(city: Stand) -> None:
    desk, phone = city.staff("dispatcher"), city.crew()
    ticket, token, _ = city.report()
    _, incident_id, assignment_id = city.offered(desk)
    del ticket, token
    work = f"/assignments/{assignment_id}"
    assert phone.post(f"{work}/acknowledge").status_code == 200
    assert phone.post(f"{work}/en-route").status_code == 200
    there = phone.post(f"{work}/on-scene", {"lon": MIDDLE[0], "lat": MIDDLE[1] + 0.001})
    assert there.status_code == 200
    assert phone.post(f"{work}/note", {"text": "Batang besar"}).status_code == 200
    done = phone.post(f"{work}/clear", {"disposition_code": "05", "note": "Beres"})
    assert done.status_code == 200
    file = desk.get(f"/incidents/{incident_id}").json()
    assert file["incident"]["status"] == "closed"
    assert file["incident"]["disposition_code"] == "05"
    [assignment] = file["assignments"]
    assert assignment["arrival_distance_m"] == pytest.approx(111.2, abs=1)
    assert [r["status"] for r in file["referrals"]] == ["finished"]
    assert [line["o"] for line in file["log"]] == sorted(line["o"] for line in file["log"])
    figures = city.staff("supervisor").get("/evaluation?by=district").json()
    assert figures["overall"]["total_response"]["n"] >= 1
    assert figures["groups"][0]["key"] == "Kartoharjo"


def test_every_decision_about_a_report(city: Stand) -> None:
    desk = city.staff("dispatcher")
    for verb, status in (
        ("postpone", "postponed"),
        ("refuse", "not_our_authority"),
        ("archive", "archived"),
    ):
        _, _, report_id = city.report()
        assert desk.post(f"/reports/{report_id}/{verb}").status_code == 422
        told = desk.post(f"/reports/{report_id}/{verb}", {"reason": "alasan"}).json()
        assert told["undo_until"].endswith("Z")
        with city.system.looking("kota") as world:
            assert world.report(report_id).status == status
        undone = desk.post(f"/reports/{report_id}/undo").json()
        assert undone["undo_until"] is None
        with city.system.looking("kota") as world:
            assert world.report(report_id).status == "under_verification"


def test_a_second_report_joins_the_incident(city: Stand) -> None:
    desk = city.staff("dispatcher")
    _, incident_id, _ = city.offered(desk)
    _, _, second = city.report(description="Pohon roboh di jalan yang sama")
    near = desk.get(f"/reports/{second}/similar").json()
    assert str(incident_id) in {incident["id"] for incident in near["incidents"]}
    joined = desk.post(f"/reports/{second}/join", {"incident_id": str(incident_id)})
    assert joined.status_code == 200
    assert len(desk.get(f"/incidents/{incident_id}").json()["reports"]) == 2
    desk.post(f"/incidents/{incident_id}/cancel", {"reason": "uji"})


def test_a_report_without_a_place_needs_one_first(city: Stand) -> None:
    desk = city.staff("dispatcher")
    _, _, report_id = city.report(lon=None, lat=None, place_typed="entah di mana")
    refused = desk.post(f"/reports/{report_id}/verify")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "place"
    outside = desk.post(f"/reports/{report_id}/locate", {"lon": 10.0, "lat": 50.5})
    assert outside.status_code == 422
    zero = desk.post(f"/reports/{report_id}/locate", {"lon": 0, "lat": 0})
    assert "0, 0" in zero.json()["detail"]
    pin = {"lon": MIDDLE[0] - 0.01, "lat": MIDDLE[1]}
    verified = desk.post(f"/reports/{report_id}/verify", pin)
    assert verified.status_code == 200
    types = [event["t"] for event in verified.json()["events"]]
    assert types[0] == "ReportLocated"
    incident_id = named(verified, "incident")
    assert desk.get(f"/incidents/{incident_id}").json()["incident"]["ward"] == "Barat"
    desk.post(f"/incidents/{incident_id}/cancel", {"reason": "uji"})


def test_send_without_a_name_sends_the_recommended_crew(city: Stand) -> None:
    desk = city.staff("dispatcher")
    _, _, report_id = city.report()
    incident_id = named(desk.post(f"/reports/{report_id}/verify"), "incident")
    asked = desk.get(f"/incidents/{incident_id}/candidates").json()
    assert {c["crew_id"] for c in asked["candidates"]} >= {str(city.crew_id)}
    sent = desk.post(f"/incidents/{incident_id}/send")
    assert sent.status_code == 200, sent.text
    with city.system.looking("kota") as world:
        assignment = world.assignment(named(sent, "assignment"))
    # The dispatcher loop may have recommended meanwhile, weighing all that is open.
    log = desk.get(f"/incidents/{incident_id}").json()["log"]
    shown = {each["summary"]["crew_id"] for each in log if each["t"] == "RecommendationMade"}
    assert str(assignment.crew_id) in {*shown, asked["recommendation"]["crew_id"]}
    assert assignment.ete_s is not None
    taken = desk.post(f"/assignments/{assignment.id}/withdraw", {"reason": "uji"})
    assert taken.status_code == 200
    desk.post(f"/incidents/{incident_id}/cancel", {"reason": "uji"})


def test_a_crew_declines_with_a_known_reason_only(city: Stand) -> None:
    desk, phone = city.staff("dispatcher"), city.crew()
    _, incident_id, assignment_id = city.offered(desk)
    wrong = phone.post(f"/assignments/{assignment_id}/decline", {"reason": "malas"})
    assert wrong.status_code == 422
    assert "Sebutkan alasannya" in wrong.json()["detail"]
    right = phone.post(f"/assignments/{assignment_id}/decline", {"reason": "too_far"})
    assert right.status_code == 200
    late = phone.post(f"/assignments/{assignment_id}/acknowledge")
    assert late.status_code == 409
    assert late.json()["code"] == "wrong_status"
    desk.post(f"/incidents/{incident_id}/cancel", {"reason": "uji"})


def test_fixes_are_judged_one_by_one(city: Stand) -> None:
    phone = city.crew()
    now, later, latest = (
        (city.system.clock() + timedelta(seconds=s)).isoformat() for s in (0, 1, 2)
    )
    fixes = [
        {"lon": MIDDLE[0], "lat": MIDDLE[1], "fix_time": now, "heading": -1, "speed_ms": -1},
        {"lon": 0, "lat": 0, "fix_time": later},
        {"lon": 500, "lat": 0.1, "fix_time": latest},
    ]
    answer = phone.post(f"/crews/{city.crew_id}/fixes", {"fixes": fixes})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "accepted": 1,
        "refused": [{"index": 1, "reason": "zero"}, {"index": 2, "reason": "not_a_position"}],
    }


def test_route_from_the_phone_or_from_the_newest_fix(city: Stand) -> None:
    desk, phone = city.staff("dispatcher"), city.crew()
    _, incident_id, assignment_id = city.offered(desk)
    path = f"/assignments/{assignment_id}/route"
    from_phone = phone.get(f"{path}?lon=111.52&lat=-7.63").json()
    assert from_phone["points"][0] == [111.52, -7.63]
    assert from_phone["duration_s"] > 0
    assert phone.get(path).status_code == 200
    assert phone.get(f"{path}?lon=500&lat=0").status_code == 422
    desk.post(f"/incidents/{incident_id}/cancel", {"reason": "uji"})


def test_referrals_belong_to_their_agency(city: Stand) -> None:
    desk, officer = city.staff("dispatcher"), city.staff("officer")
    _, _, ours = city.report()
    referral = named(desk.post(f"/reports/{ours}/verify"), "referral")
    assert officer.post(f"/referrals/{referral}/accept").status_code == 200
    assert officer.post(f"/referrals/{referral}/finish").status_code == 200
    _, _, theirs = city.report(service_code="waste")
    other = named(desk.post(f"/reports/{theirs}/verify"), "referral")
    assert officer.post(f"/referrals/{other}/accept").status_code == 404


def test_a_repeated_key_gets_the_same_answer_and_another_wish_does_not(city: Stand) -> None:
    desk = city.staff("dispatcher")
    _, _, report_id = city.report()
    key = str(uuid4())
    path = f"/reports/{report_id}/postpone"
    first = desk.post(path, {"reason": "besok"}, key=key)
    again = desk.post(path, {"reason": "besok"}, key=key)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    other = desk.post(path, {"reason": "lusa"}, key=key)
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_mismatch"
    none = desk.client.post(f"/api/kota{path}", json={"reason": "x"})
    assert none.status_code == 400
    assert none.json()["code"] == "idempotency_key_missing"


def test_keys_belong_to_their_owner(city: Stand) -> None:
    key = str(uuid4())
    _, _, report_id = city.report()
    path = f"/reports/{report_id}/postpone"
    assert city.staff("dispatcher").post(path, {"reason": "besok"}, key=key).status_code == 200
    second = city.staff("administrator").post(path, {"reason": "besok"}, key=key)
    assert "Idempotency-Replayed" not in second.headers


def test_the_evaluation_can_be_run_again_to_the_same_hash(city: Stand) -> None:
    desk = city.staff("supervisor")
    first = desk.get("/evaluation").json()
    city.report()
    _, incident_id, _ = city.offered(city.staff("dispatcher"))
    query = {"from": first["from"], "to": first["to"], "offset": first["offset"]}
    later = desk.get("/evaluation").json()
    assert later["log_hash"] != first["log_hash"]
    again = desk.get("/evaluation", params=query).json()
    assert again == first
    city.app.state.books = Books()
    same = {name: later[name] for name in ("from", "to", "offset")}
    assert desk.get("/evaluation", params=same).json() == later, "read anew or read on: alike"
    city.staff("dispatcher").post(f"/incidents/{incident_id}/cancel", {"reason": "uji"})


def test_the_basemap_is_served_in_pieces(city: Stand, tmp_path: Path) -> None:
    del tmp_path
    client = city.visitor().client
    assert client.get("/api/kota").json()["basemap"] == "/tiles/kota/v1.pmtiles"
    whole = client.get("/tiles/kota/v1.pmtiles")
    assert whole.headers["accept-ranges"] == "bytes"
    assert "immutable" in whole.headers["cache-control"]
    part = client.get("/tiles/kota/v1.pmtiles", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
    assert part.headers["content-range"] == "bytes 10-19/1024"
    beyond = client.get("/tiles/kota/v1.pmtiles", headers={"Range": "bytes=2000-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == "bytes */1024"
    known = {"If-None-Match": whole.headers["etag"]}
    assert client.get("/tiles/kota/v1.pmtiles", headers=known).status_code == 304
    assert client.get("/tiles/kota/v0.pmtiles").status_code == 404
    assert client.get("/tiles/tetangga/v1.pmtiles").status_code == 404
