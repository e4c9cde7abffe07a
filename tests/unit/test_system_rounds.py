"""Rounds are planned aside: told as they come, cancelled without harm, clear when they fail."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from dispatch import actions
from dispatch.core import events as ev
from dispatch.core.crews import Crew, Fix
from dispatch.core.errors import Conflict, Invalid, NotFound
from dispatch.core.events import Actor
from dispatch.core.world import World
from dispatch.simulator.memory import MemoryWorld
from dispatch.system import City
from dispatch.system import rounds as room
from dispatch.system.etas import Etas
from dispatch.system.round_tours import Ask, Draft, propose, task_of
from dispatch.system.rounds import WORKER, Plan, RoundPlans
from realtime.bus import LocalBus
from tests.story.small_city import MIDDLE, small_city
from tests.unit.plain_etas import plain_etas

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DESK = Actor("dispatcher", "d1")


class Desk:
    """What planning needs of a system, over a city in memory with 2 crews and some lamps."""

    def __init__(self, *, lamps: int = 6, search_s: float = 5.0) -> None:
        policy = small_city().policy
        policy = replace(policy, rounds=replace(policy.rounds, search_s=search_s))
        self.place = replace(small_city(), policy=policy)
        self.world = MemoryWorld("kota", policy)
        self.crews = [self.crew(f"Regu {i}", east=i) for i in range(2)]
        self.lamps = [self.lamp(i) for i in range(lamps)]
        self.recorded = 0

    def crew(self, name: str, *, east: int, skills: tuple[str, ...] = ("electrical",)) -> Crew:
        lon, lat = MIDDLE[0] + 0.02 * east, MIDDLE[1]
        fact = ev.CrewRegistered(name, name, "dishub", skills, "truk", 3, lon, lat)
        crew = actions.register_crew(self.world, NOON, DESK, fact)
        self.world.put_fix(Fix(crew.id, lon, lat, fix_time=NOON, server_time=NOON))
        return actions.set_crew_status(self.world, NOON, DESK, crew.id, status="available")

    def lamp(self, number: int, *, service_code: str = "street_light") -> UUID:
        lon, lat = MIDDLE[0] + 0.004 * (number % 6), MIDDLE[1] + 0.002 * (number % 3)
        at = NOON - timedelta(hours=number)
        wish = actions.NewReport("web", service_code, "Lampu mati", lon=lon, lat=lat)
        report = actions.receive_report(self.world, at, Actor("citizen"), wish)
        return actions.verify_report(self.world, at, DESK, report.id).id

    def city(self, city_id: str) -> City:
        assert city_id == "kota"
        return self.place

    def now(self) -> datetime:
        return NOON

    def etas(self, city_id: str) -> Etas:
        return plain_etas(lambda: self.place, NOON)

    def ask(self, city_id: str, read: Callable[[World, datetime], Any]) -> Any:
        return read(self.world, NOON)

    def do(self, city_id: str, actor: Actor, action: Callable[[World, datetime], object]) -> object:
        with self.world.step():
            action(self.world, NOON)
        self.recorded += 1
        return None


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def plans(desk: Desk) -> Iterator[RoundPlans]:
    found = RoundPlans(desk, LocalBus())
    yield found
    found.stop()


def ended(plans: RoundPlans, plan_id: UUID, *, within_s: float = 60.0) -> Plan:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        plan = plans.find("kota", plan_id)
        if plan.ended:
            return plan
        time.sleep(0.02)
    raise AssertionError(f"the plan never ended: {plans.find('kota', plan_id)}")


def test_a_plan_shares_the_lamps_out_among_the_crews(desk: Desk, plans: RoundPlans) -> None:
    plan_id = uuid4()
    plans.begin("kota", plan_id, DESK, Ask())
    plan = ended(plans, plan_id)
    assert (plan.phase, plan.share, plan.problem, plan.left_out) == ("done", 1.0, None, 0)
    made = [desk.world.round(round_id) for round_id in plan.round_ids]
    assert {r.status for r in made} == {"proposed"}
    assert {r.crew_id for r in made} == {crew.id for crew in desk.crews}
    stops = [stop for r in made for stop in r.stops]
    assert sorted(stop.incident_id for stop in stops) == sorted(desk.lamps)
    for r in made:
        arrivals = [stop.eta for stop in r.stops if stop.eta]
        assert arrivals == sorted(arrivals)
        assert arrivals[0] >= NOON
        # a crew that stands at its first lamp is there already: nothing unsure about that
        latest = [stop.eta_latest for stop in r.stops if stop.eta_latest]
        assert all(half <= most for half, most in zip(arrivals, latest, strict=True))
        assert arrivals[-1] < latest[-1]
        assert r.planned_s >= len(r.stops) * 900.0
        assert r.planned_m > 0
        assert r.graph == "straight-line"
    told = [e.event for e in desk.world.log if e.event.type == "RoundProposed"]
    assert all(event.because and event.because["rule"] == "rounds.plan" for event in told)


def test_a_new_plan_replaces_what_was_not_started(desk: Desk, plans: RoundPlans) -> None:
    first, second = uuid4(), uuid4()
    plans.begin("kota", first, DESK, Ask())
    older = ended(plans, first).round_ids
    started = desk.world.round(older[0])
    actions.start_round(desk.world, NOON, DESK, started.id)
    plans.begin("kota", second, DESK, Ask())
    newer = ended(plans, second)
    assert newer.phase == "done"
    assert desk.world.round(older[1]).status == "cancelled"
    assert desk.world.round(started.id).status == "active"
    planned = [s.incident_id for r in newer.round_ids for s in desk.world.round(r).stops]
    assert not set(planned) & set(started.waiting)


def test_only_crews_with_the_skill_get_stops() -> None:
    desk = Desk(lamps=3)
    desk.crew("Pompa", east=0, skills=("pump",))
    plans = RoundPlans(desk, LocalBus())
    plan_id = uuid4()
    plans.begin("kota", plan_id, DESK, Ask())
    plan = ended(plans, plan_id)
    drivers = {desk.world.round(round_id).crew_id for round_id in plan.round_ids}
    assert drivers <= {crew.id for crew in desk.crews}


def test_a_shift_that_ends_soon_gets_what_fits(desk: Desk, plans: RoundPlans) -> None:
    short = desk.crews[0]
    ends_at = NOON + timedelta(minutes=10)
    actions.set_shift(desk.world, NOON, DESK, short.id, shift_ends_at=ends_at, rest_until=None)
    plan_id = uuid4()
    plans.begin("kota", plan_id, DESK, Ask())
    made = [desk.world.round(r) for r in ended(plans, plan_id).round_ids]
    last_end = ends_at + timedelta(seconds=desk.place.policy.gates.overtime_s)
    for found in made:
        if found.crew_id == short.id:
            assert found.made_at + timedelta(seconds=found.planned_s) <= last_end


def test_cancelled_it_leaves_nothing(desk: Desk, plans: RoundPlans) -> None:
    plan_id, length = uuid4(), len(desk.world.log)
    plans.begin("kota", plan_id, DESK, Ask())
    assert plans.busy("kota")
    with pytest.raises(Conflict):
        plans.begin("kota", uuid4(), DESK, Ask())
    plan = plans.cancel("kota", plan_id)
    assert (plan.phase, plan.problem) == ("cancelled", None)
    assert not plans.busy("kota")
    assert (len(desk.world.log), desk.recorded) == (length, 0)
    assert plans.cancel("kota", plan_id) == plan


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        ("import sys; sys.stdin.readline(); sys.exit(3)", "worker_gone"),
        ("import sys; sys.stdin.readline(); print('{\"do', end='')", "worker_gone"),
        ("import sys, time; sys.stdin.readline(); time.sleep(60)", "too_long"),
    ],
)
def test_a_search_that_ends_badly_says_so_and_changes_nothing(
    program: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "worker.py"
    broken.write_text(program, encoding="utf-8")
    monkeypatch.setattr(room, "WORKER", broken)
    monkeypatch.setattr(room, "GRACE_S", 0.2)
    desk = Desk(search_s=0.8)
    plans, length, plan_id = RoundPlans(desk, LocalBus()), len(desk.world.log), uuid4()
    plans.begin("kota", plan_id, DESK, Ask())
    plan = ended(plans, plan_id)
    assert (plan.phase, plan.problem) == ("failed", problem)
    assert len(desk.world.log) == length


def test_a_killed_worker_is_told(desk: Desk, plans: RoundPlans) -> None:
    plan_id = uuid4()
    plans.begin("kota", plan_id, DESK, Ask())
    run = plans._runs[plan_id]
    deadline = time.monotonic() + 30
    while run.worker is None and time.monotonic() < deadline:
        time.sleep(0.001)
    assert run.worker is not None
    run.worker.kill()
    assert ended(plans, plan_id).problem == "worker_gone"
    assert desk.recorded == 0


def test_plans_of_others_are_not_known(desk: Desk, plans: RoundPlans) -> None:
    with pytest.raises(NotFound):
        plans.find("kota", uuid4())
    plan_id = uuid4()
    plans.begin("kota", plan_id, DESK, Ask())
    with pytest.raises(NotFound):
        plans.find("tetangga", plan_id)


def test_what_cannot_be_planned_is_refused_with_what_to_do() -> None:
    desk = Desk(lamps=0)
    with pytest.raises(Conflict, match="No routine work"):
        task_of(desk.world, NOON, Ask())
    desk.lamp(1)
    with pytest.raises(Invalid, match="flood"):
        task_of(desk.world, NOON, Ask(services=("flood",)))
    with pytest.raises(NotFound):
        task_of(desk.world, NOON, Ask(crew_ids=(uuid4(),)))
    for crew in desk.crews:
        actions.set_crew_status(desk.world, NOON, DESK, crew.id, status="not_available")
    with pytest.raises(Conflict, match="No crew on duty"):
        task_of(desk.world, NOON, Ask())
    with pytest.raises(Invalid, match="off duty"):
        task_of(desk.world, NOON, Ask(crew_ids=(desk.crews[0].id,)))


def test_work_that_others_took_meanwhile_is_left_out(desk: Desk) -> None:
    crew, lost = desk.crews[0], desk.lamps[0]
    actions.close_incident(desk.world, NOON, DESK, lost, disposition_code="22")
    draft = Draft(crew.id, (lost, desk.lamps[1]), (60.0, 60.0), 500.0, 900.0)
    [made] = propose(desk.world, NOON, DESK, [draft], graph="g", because={"rule": "rounds.plan"})
    assert [stop.incident_id for stop in made.stops] == [desk.lamps[1]]
    gone = Draft(desk.crews[1].id, (lost,), (60.0,), 500.0, 900.0)
    with pytest.raises(Conflict):
        propose(desk.world, NOON, DESK, [gone], graph="g", because={"rule": "rounds.plan"})


def test_raised_work_is_no_routine(desk: Desk) -> None:
    actions.reprioritise(
        desk.world, NOON, DESK, desk.lamps[0], priority=1, reason="di depan sekolah"
    )
    task = task_of(desk.world, NOON, Ask())
    assert desk.lamps[0] not in {incident.id for incident in task.incidents}


# --- the worker itself -----------------------------------------------------------


def solved(problem: dict[str, Any]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-P", str(WORKER)],
        input=json.dumps(problem) + "\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def line_of(places: list[float], crews: list[dict[str, Any]], jobs: list[dict[str, Any]]) -> Any:
    """Places along one street, a minute for each step."""
    table = [[abs(a - b) * 60 for b in places] for a in places]
    return {"seconds": {"": table}, "crews": crews, "jobs": jobs, "search_s": 3}


def job(at: int, **changes: Any) -> dict[str, Any]:
    return {"at": at, "work_s": 600, "skills": [], "priority": 0, **changes}


def crew(at: int, **changes: Any) -> dict[str, Any]:
    return {"at": at, "profile": "", "skills": [], "until_s": 21600, "most": 25, **changes}


def test_the_worker_drives_along_the_street() -> None:
    places = [0.0, 3.0, 1.0, 4.0, 2.0]
    lines = solved(line_of(places, [crew(0)], [job(i) for i in range(1, 5)]))
    assert lines[-1]["tours"] == [{"crew": 0, "jobs": [1, 3, 0, 2]}]
    assert lines[-1]["left_out"] == []
    shares = [line["done"] / line["of"] for line in lines[:-1]]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1.0


def test_the_worker_leaves_out_what_fits_nobody() -> None:
    jobs = [job(2, skills=[1]), job(3, work_s=30000), job(4), job(5, priority=100), job(6)]
    places = [0.0, 10.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    crews = [crew(0, most=2), crew(1, until_s=60)]
    [*_, answer] = solved(line_of(places, crews, jobs))
    served = [number for tour in answer["tours"] for number in tour["jobs"]]
    assert {0, 1} <= set(answer["left_out"])
    assert len(served) == 2
    # who waits longest is left out last
    assert 3 in served
    assert sorted([*served, *answer["left_out"]]) == list(range(5))


def test_a_place_without_a_road_is_left_out() -> None:
    problem = line_of([0.0, 1.0, 2.0], [crew(0)], [job(1), job(2)])
    for row in problem["seconds"][""]:
        row[2] = 1e9
    [*_, answer] = solved(problem)
    assert answer["left_out"] == [1]


def test_a_vehicle_that_cannot_use_a_road_is_not_sent_along_it() -> None:
    crews = [crew(0, profile="truck"), crew(1)]
    problem = line_of([0.0, 0.0, 5.0, 9.0], crews, [job(2), job(3)])
    narrow = [list(row) for row in problem["seconds"][""]]
    for row in narrow:
        row[3] = 1e9
    problem["seconds"]["truck"] = narrow
    [*_, answer] = solved(problem)
    tours = {tour["crew"]: tour["jobs"] for tour in answer["tours"]}
    assert answer["left_out"] == []
    assert 1 in tours[1]
    assert 1 not in tours.get(0, [])
