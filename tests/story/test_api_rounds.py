"""Six dark lamps, two crews: planned, started, interrupted by a flood, healed, all closed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest

from dispatch import actions
from dispatch.core import events as ev
from dispatch.core.assignments import Assignment
from dispatch.core.crews import Fix
from tests.story import small_city
from tests.story.small_city import MIDDLE, Desk, Stand, manual_policy, named, stand


def night_policy() -> Any:
    """Crews are sent by themselves; routes are searched for no longer than a test may take."""
    policy = manual_policy()
    return replace(
        policy,
        offers=replace(policy.offers, automatic_priorities=(1, 2, 3)),
        rounds=replace(policy.rounds, search_s=3.0),
        coverage=replace(policy.coverage, move_up="off"),
    )


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with (
        patch.object(small_city, "manual_policy", night_policy),
        stand(tmp_path_factory.mktemp("rounds")) as running,
    ):
        yield running


def electricians(city: Stand, name: str, *skills: str, east: float = 0.0) -> UUID:
    admin, made = ev.Actor("administrator", "test"), []
    lon, lat = MIDDLE[0] + east, MIDDLE[1]
    fact = ev.CrewRegistered(name, name, "dishub", ("electrical", *skills), "truk", 3, lon, lat)

    def act(world: Any, now: Any) -> None:
        crew = actions.register_crew(world, now, admin, fact)
        made.append(actions.set_crew_status(world, now, admin, crew.id, status="available").id)

    city.system.do("kota", admin, act)
    seen(city, made[0], lon, lat)
    return made[0]


def seen(city: Stand, crew_id: UUID, lon: float, lat: float) -> None:
    now = city.system.clock()
    known = city.system._positions["kota"]
    known._newest.pop(crew_id, None)
    # a crew of this town leaps: what its phone sent before says nothing about how fast it drove
    for track in [key for key in known._tracks if key[0] == crew_id]:
        del known._tracks[track]
    assert city.system.take_fixes("kota", crew_id, [Fix(crew_id, lon, lat, now, now)]) == []
    city.system.flush_positions()


def incident(city: Stand, desk: Desk, service_code: str, *, east: float, north: float) -> UUID:
    place = {"lon": MIDDLE[0] + east, "lat": MIDDLE[1] + north}
    _, _, report_id = city.report(service_code=service_code, description="Tolong", **place)
    verified = desk.post(f"/reports/{report_id}/verify")
    assert verified.status_code == 200, verified.text
    return named(verified, "incident")


def until(found: Callable[[], Any], *, what: str, within_s: float = 30.0) -> Any:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        value = found()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen")


def job_of(city: Stand, crew_id: UUID) -> Assignment | None:
    with city.system.looking("kota") as world:
        return world.active_assignment(crew_id)


def job_at(city: Stand, crew_id: UUID, *incident_ids: UUID) -> Assignment | None:
    job = job_of(city, crew_id)
    return job if job is not None and job.incident_id in incident_ids else None


def finish(city: Stand, phone: Desk, job: Assignment) -> None:
    """The crew goes there and does it."""
    with city.system.looking("kota") as world:
        there = world.incident(job.incident_id)
    work = f"/assignments/{job.id}"
    if job.status == "offered":
        assert phone.post(f"{work}/acknowledge").status_code == 200
    seen(city, job.crew_id, there.lon, there.lat)
    # its position may have told the arrival already
    assert phone.post(f"{work}/on-scene").status_code == 200
    assert phone.post(f"{work}/clear", {"disposition_code": "05"}).status_code == 200


def test_a_night_of_lamps_and_one_flood(city: Stand) -> None:
    desk = city.staff("dispatcher")
    first = electricians(city, "Lampu 1", "pump", east=-0.01)
    second = electricians(city, "Lampu 2", east=0.02)
    phones = {first: city.crew(first), second: city.crew(second)}
    lamps = [
        incident(city, desk, "street_light", east=0.004 * i - 0.01, north=0.003 * (i % 3))
        for i in range(6)
    ]
    begun = desk.post("/rounds/plan", {"crew_ids": [str(first), str(second)]})
    assert begun.status_code == 202, begun.text
    assert (begun.json()["stops"], begun.json()["crews"]) == (6, 2)
    path = f"/rounds/plan/{begun.json()['plan_id']}"
    shares = []

    def ended() -> Any:
        plan = desk.get(path).json()
        shares.append(plan["share"])
        return plan if plan["ended"] else None

    plan = until(ended, what="the plan", within_s=60)
    assert (plan["phase"], plan["share"], plan["left_out"]) == ("done", 1.0, 0)
    assert shares == sorted(shares)
    assert [job_of(city, crew_id) for crew_id in phones] == [None, None]

    proposed = {UUID(r["crew_id"]): r for r in desk.get("/rounds").json()["rounds"]}
    assert set(proposed) == set(phones)
    assert sum(len(r["stops"]) for r in proposed.values()) == 6
    for found in proposed.values():
        assert desk.post(f"/rounds/{found['id']}/start").status_code == 200
    for crew_id in phones:
        until(partial(job_at, city, crew_id, *lamps), what="the first stop")

    file = desk.get(f"/rounds/{proposed[first]['id']}").json()
    assert file["round"]["status"] == "active"
    assert len(file["points"]) >= 2
    assert {i["id"] for i in file["incidents"]} == {
        s["incident_id"] for s in proposed[first]["stops"]
    }

    interrupted = job_of(city, first)
    assert interrupted is not None
    work = f"/assignments/{interrupted.id}"
    assert phones[first].post(f"{work}/acknowledge").status_code == 200
    flood = incident(city, desk, "flood", east=0.012, north=-0.008)
    until(lambda: job_at(city, first, flood), what="the diversion")
    assert round_of(city, proposed[first]["id"])["status"] in ("active", "paused")
    until(
        lambda: round_of(city, proposed[first]["id"])["pause_reason"] == "interrupted",
        what="the pause",
    )
    finish(city, phones[first], until(lambda: job_at(city, first, flood), what="the flood"))
    until(lambda: job_at(city, first, *lamps), what="going on")
    assert round_of(city, proposed[first]["id"])["status"] == "active"

    for crew_id, phone in phones.items():
        until(partial(driven, city, crew_id, phone, proposed[crew_id]["id"]), what="the end")
    with city.system.looking("kota") as world:
        assert {world.incident(i).status for i in (*lamps, flood)} == {"closed"}
        for lamp in lamps:
            cleared = [a for a in world.assignments_of(lamp) if a.status == "cleared"]
            assert len(cleared) == 1


def driven(city: Stand, crew_id: UUID, phone: Desk, round_id: str) -> bool:
    job = job_of(city, crew_id)
    if job is not None:
        finish(city, phone, job)
    return bool(round_of(city, round_id)["status"] == "done")


def round_of(city: Stand, round_id: str) -> dict[str, Any]:
    found: dict[str, Any] = city.staff("dispatcher").get(f"/rounds/{round_id}").json()["round"]
    return found


def test_a_repeated_plan_is_one_plan(city: Stand) -> None:
    desk = city.staff("dispatcher")
    crew_id = electricians(city, "Lampu 3", east=0.005)
    lamp = incident(city, desk, "street_light", east=0.006, north=0.006)
    key = str(uuid4())
    body = {"crew_ids": [str(crew_id)], "services": ["street_light"]}
    first = desk.post("/rounds/plan", body, key=key)
    again = desk.post("/rounds/plan", body, key=key)
    assert first.json() == again.json()
    path = f"/rounds/plan/{first.json()['plan_id']}"
    plan = until(lambda: (p := desk.get(path).json())["ended"] and p, what="the plan", within_s=60)
    [round_id] = plan["round_ids"]
    refused = desk.post(f"/rounds/{round_id}/cancel", {"reason": "hujan"})
    assert refused.status_code == 200
    assert desk.post(f"/rounds/{round_id}/start").json()["code"] == "wrong_status"
    with city.system.looking("kota") as world:
        assert world.incident(lamp).status == "pending"
        assert world.incident(lamp).recommendation is None


def test_a_cancelled_plan_leaves_nothing(city: Stand) -> None:
    desk = city.staff("supervisor")
    before = desk.get("/rounds").json()
    begun = desk.post("/rounds/plan")
    assert begun.status_code == 202, begun.text
    path = f"/rounds/plan/{begun.json()['plan_id']}"
    busy = desk.post("/rounds/plan", headers={"Accept-Language": "id"})
    assert (busy.status_code, busy.json()["code"]) == (409, "conflict")
    assert busy.json()["detail"].startswith("Sebuah rencana")
    ended = desk.post(f"{path}/cancel").json()
    assert (ended["phase"], ended["detail"]) == ("cancelled", None)
    assert desk.get("/rounds").json() == before
    assert desk.get(f"/rounds/plan/{uuid4()}").status_code == 404


def test_the_crews_phone_knows_its_stops(city: Stand) -> None:
    desk = city.staff("dispatcher")
    crew_id = electricians(city, "Lampu 4", east=-0.02)
    lamp = incident(city, desk, "street_light", east=-0.02, north=0.004)
    begun = desk.post("/rounds/plan", {"crew_ids": [str(crew_id)]})
    path = f"/rounds/plan/{begun.json()['plan_id']}"
    plan = until(lambda: (p := desk.get(path).json())["ended"] and p, what="the plan", within_s=60)
    phone = city.crew(crew_id)
    name = f"crew/{crew_id}"
    with phone.client.websocket_connect("/ws/kota") as socket:
        socket.send_json({"sub": name})
        first = heard(socket, lambda m: "state" in m)
        assert first["state"][f"crew_view/{crew_id}"]["round"] is None
        assert desk.post(f"/rounds/{plan['round_ids'][0]}/start").status_code == 200
        told = heard(socket, lambda m: bool(m.get("d", {}).get("round")))
        stops = told["d"]["round"]["stops"]
        assert str(lamp) in {stop["incident_id"] for stop in stops}
        assert {"ticket", "place_label", "lon", "lat", "eta", "eta_latest"} <= set(stops[0])
    desk.post(f"/rounds/{plan['round_ids'][0]}/cancel")


def heard(socket: Any, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = socket.receive_json()
        if wanted(message):
            return message
