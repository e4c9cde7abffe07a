"""Closing and opening roads through the doors: what is drawn, who may, what is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from geo.osm_import import import_extract
from geo.point import METRES_PER_DEGREE
from geo.roadgraph import RoadGraph
from tests.maps import SmallMap
from tests.story.small_city import MIDDLE, Stand, stand

EAST_M = METRES_PER_DEGREE


def beside(east_m: float, north_m: float = 0.0) -> list[float]:
    """A place so many metres from the city's middle."""
    return [MIDDLE[0] + east_m / EAST_M, MIDDLE[1] + north_m / EAST_M]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """The small city with one street in it: Jalan Pahlawan, 800 m, and a lane off it."""
    folder = tmp_path_factory.mktemp("closures")
    map_ = SmallMap()
    for node, (east, north) in enumerate([(0, 0), (400, 0), (800, 0), (400, 300)], start=1):
        lon, lat = beside(east, north)
        map_.node(node, (lon - 10) * EAST_M, lat * EAST_M)
    map_.way(1, [1, 2, 3], name="Jalan Pahlawan")
    map_.way(2, [2, 4], name="Gang Buntu")
    roads = RoadGraph(import_extract(map_.write(folder / "town.osm")))
    with stand(folder / "stand") as running:
        served = running.system._cities["kota"]
        running.system._cities["kota"] = replace(served, roads=roads)
        running.system._keepers["kota"]._roads = roads
        yield running


LINE = [beside(20, 3), beside(380, -3)]


def closures(city: Stand) -> list[dict[str, object]]:
    found: list[dict[str, object]] = city.staff("supervisor").get("/closures").json()["closures"]
    return found


def test_a_line_is_previewed_closed_told_and_lifted(city: Stand) -> None:
    desk = city.staff("dispatcher")
    asked = ";".join(f"{lon:.7f},{lat:.7f}" for lon, lat in LINE)
    seen = desk.get(f"/closures/preview?line={asked}").json()
    assert seen["names"] == ["Jalan Pahlawan"]
    assert seen["length_m"] == pytest.approx(400, rel=0.02)
    assert closures(city) == []
    made = desk.post("/closures", {"points": LINE, "reason": "Galian"})
    assert made.status_code == 200, made.text
    body = made.json()
    assert [event["t"] for event in body["events"]] == ["ClosureMade"]
    [shown] = closures(city)
    assert shown == body["closure"]
    assert shown["stretches"] == seen["stretches"]
    assert (shown["reason"], shown["status"], shown["incident_id"]) == ("Galian", "closed", None)
    assert str(shown["made_by"]).startswith("dispatcher:")
    lifted = desk.post(f"/closures/{shown['id']}/lift", {"reason": "Selesai"})
    assert lifted.json()["closure"]["lift_reason"] == "Selesai"
    assert closures(city) == []
    again = desk.post(f"/closures/{shown['id']}/lift", {"reason": "Selesai"})
    assert (again.status_code, again.json()["code"]) == (409, "wrong_status")


def test_a_repeated_wish_closes_once(city: Stand) -> None:
    desk = city.staff("supervisor")
    key, wish = str(uuid4()), {"points": LINE[:1], "reason": "Pawai"}
    first = desk.post("/closures", wish, key=key)
    second = desk.post("/closures", wish, key=key)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert first.json() == second.json()
    assert len(closures(city)) == 1
    desk.post(f"/closures/{first.json()['closure']['id']}/lift", {"reason": "Selesai"})


def test_where_no_road_is_a_sentence_says_so(city: Stand) -> None:
    desk = city.staff("dispatcher")
    answer = desk.post("/closures", {"points": [beside(0, 900)], "reason": "Pawai"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert "Tidak ada jalan di sini" in answer.text
    empty = desk.post("/closures", {"points": LINE, "reason": "   "})
    assert empty.status_code == 422
    assert desk.post("/closures", {"points": [], "reason": "x"}).status_code == 422
    assert desk.get("/closures/preview?line=here").status_code == 422
    gone = desk.post(f"/closures/{uuid4()}/lift", {"reason": "x"})
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    assert "Penutupan jalan ini tidak ada" in gone.text
    assert closures(city) == []


def test_crews_read_and_hear_of_closures_without_the_staff(city: Stand) -> None:
    desk, crew = city.staff("dispatcher"), city.crew()
    with crew.client.websocket_connect("/ws/kota") as socket:
        channel = f"crew/{city.crew_id}"
        socket.send_json({"sub": channel})
        start = heard(socket, channel)
        assert start["state"][f"crew_view/{city.crew_id}"]["closures"] == []  # type: ignore[index]
        closure_id = desk.post("/closures", {"points": LINE, "reason": "Banjir"}).json()["closure"][
            "id"
        ]
        told = heard(socket, channel)
        assert told["t"] == "ClosureMade"
        [seen] = told["d"]["closures"]  # type: ignore[index]
        assert (seen["id"], seen["reason"]) == (closure_id, "Banjir")
        assert "made_by" not in seen
    assert [each["id"] for each in crew.get("/closures").json()["closures"]] == [closure_id]
    desk.post(f"/closures/{closure_id}/lift", {"reason": "Surut"})


def heard(socket: object, name: str) -> dict[str, object]:
    """The next message of the channel."""
    while True:
        message: dict[str, object] = socket.receive_json()  # type: ignore[attr-defined]
        if message.get("ch") == name:
            return message


def test_a_closure_may_belong_to_an_incident_and_ends_with_it(city: Stand) -> None:
    desk = city.staff("dispatcher")
    _, incident_id, _ = city.offered(desk, service_code="waste")
    wish = {"points": LINE, "reason": "Lubang", "incident_id": str(incident_id)}
    assert desk.post("/closures", wish).status_code == 200
    file = desk.get(f"/incidents/{incident_id}").json()
    assert "ClosureMade" in [line["t"] for line in file["log"]]
    desk.post(f"/incidents/{incident_id}/cancel", {"reason": "Salah"})
    assert closures(city) == []
    late = desk.post("/closures", wish)
    assert (late.status_code, late.json()["code"]) == (409, "wrong_status")
