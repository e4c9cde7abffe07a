"""The dispatcher of a city goes on: through late news, odd timers and a database that is away."""

from __future__ import annotations

import asyncio
import threading
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

import dispatch
from dispatch import actions, dispatcher
from dispatch.core import events as ev
from dispatch.core.crews import Crew, Fix
from dispatch.core.errors import WrongStatus
from dispatch.core.events import Actor
from dispatch.core.policy import parse_policy
from dispatch.core.world import Timer, World
from dispatch.dispatcher import Blockage, Question, Rest
from dispatch.simulator.memory import MemoryWorld
from dispatch.system import loop as loop_room
from dispatch.system import system as system_room
from dispatch.system.driving import road_seconds
from dispatch.system.etas import Etas
from dispatch.system.loop import DispatcherLoop
from tests.story.small_city import MIDDLE, small_city
from tests.unit.plain_etas import plain_etas

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DISPATCHER = Actor("dispatcher", "d")


class Steps:
    """What a loop needs of a system, over a city in memory; it counts what was asked of it."""

    def __init__(self) -> None:
        path = Path(dispatch.__file__).with_name("policy.toml")
        self.world = MemoryWorld("kota", parse_policy(tomllib.loads(path.read_text("utf-8"))))
        self.clock = NOON
        self.leads = True
        self.done: list[Timer] = []
        self.plans = 0
        self.asked: list[Callable[[], None]] = []
        self.broken: Exception | None = None
        self.turns = threading.Semaphore(0)
        self.followed = -1
        self._claimed: set[tuple[str, UUID, datetime]] = set()
        self.known = plain_etas(small_city, self.clock)

    def now(self) -> datetime:
        return self.clock

    def lead(self, city_id: str) -> bool:
        self.turns.release()
        if self.broken is not None:
            raise self.broken
        return self.leads

    def offset(self, city_id: str) -> int:
        return len(self.world.log)

    def follow_roads(self, city_id: str, offset: int) -> None:
        self.followed = offset

    def blockages(self, city_id: str) -> tuple[Blockage, ...]:
        return dispatcher.blockages(self.world, self.clock)

    def running_rounds(self, city_id: str) -> tuple[Rest, ...]:
        return dispatcher.running_rounds(self.world, self.clock)

    def etas(self, city_id: str) -> Etas:
        return self.known

    def terrain(self, city_id: str) -> None:
        return None

    def claim_due(self, city_id: str, limit: int) -> list[Timer]:
        ready = [
            timer
            for timer in self.world.due(self.clock)
            if (timer.kind, timer.subject, timer.run_at) not in self._claimed
        ]
        self._claimed |= {(timer.kind, timer.subject, timer.run_at) for timer in ready}
        return ready[:limit]

    def run_timer(self, city_id: str, timer: Timer) -> None:
        def act(world: World, now: datetime) -> None:
            world.cancel_timer(timer.kind, timer.subject)
            dispatcher.run_timer(world, now, timer)

        self.step(city_id, act)
        self.done.append(timer)

    def timer_done(self, city_id: str, timer: Timer) -> None:
        self.world.cancel_timer(timer.kind, timer.subject)
        self.done.append(timer)

    def ask(self, city_id: str, read: Callable[[World, datetime], Question]) -> Question:
        self.plans += 1
        question = read(self.world, self.clock)
        for meanwhile in self.asked:
            meanwhile()
        self.asked.clear()
        return question

    def step(self, city_id: str, act: Callable[[World, datetime], object]) -> None:
        with self.world.step():
            act(self.world, self.clock)

    # --- what the story does ---------------------------------------------------

    def report(self, *, east: float = 0.0) -> UUID:
        wish = actions.NewReport(
            channel="web",
            service_code="fallen_tree",
            description="Pohon tumbang menutup jalan",
            lon=MIDDLE[0] + east,
            lat=MIDDLE[1],
            radius_m=10.0,
        )
        return actions.receive_report(self.world, self.clock, Actor("citizen"), wish).id

    def incident(self, *, east: float = 0.0) -> UUID:
        report_id = self.report(east=east)
        return actions.verify_report(self.world, self.clock, DISPATCHER, report_id).id

    def crew(self, *, east: float) -> Crew:
        lon = MIDDLE[0] + east
        fact = ev.CrewRegistered("R", "R", "bpbd", ("chainsaw",), "truck", 3, lon, MIDDLE[1])
        crew = actions.register_crew(self.world, self.clock, DISPATCHER, fact)
        actions.set_crew_status(self.world, self.clock, DISPATCHER, crew.id, status="available")
        self.world.put_fix(Fix(crew.id, lon, MIDDLE[1], self.clock, self.clock))
        return crew


def loop_of(steps: Steps) -> DispatcherLoop:
    return DispatcherLoop(small_city(), steps)


def test_one_turn_triages_and_the_next_sends_a_crew() -> None:
    steps = Steps()
    crew, report_id = steps.crew(east=0.01), steps.report()
    turning = loop_of(steps)
    turning.turn()
    assert steps.world.report(report_id).status == "under_verification"
    actions.verify_report(steps.world, NOON, DISPATCHER, report_id)
    turning.turn()
    sent = steps.world.active_assignment(crew.id)
    assert sent is not None
    assert sent.ete_s is not None
    assert sent.ete_s > steps.world.policy.matching.turnout_s


def test_what_came_in_while_planning_is_planned_in_the_next_turn() -> None:
    steps = Steps()
    one, two = steps.crew(east=0.01), steps.crew(east=0.02)
    first = steps.incident()
    late: list[UUID] = []
    steps.asked.append(lambda: late.append(steps.incident(east=0.015)))
    turning = loop_of(steps)
    turning.turn()
    turning.turn()
    sent = {
        assignment.incident_id
        for crew in (one, two)
        if (assignment := steps.world.active_assignment(crew.id)) is not None
    }
    assert sent == {first, *late}


def test_a_quiet_city_is_planned_again_only_now_and_then() -> None:
    steps = Steps()
    steps.incident()
    turning = loop_of(steps)
    turning.turn()
    turning.turn()  # the recommendation that nobody can go was news of its own
    planned = steps.plans
    turning.turn()
    assert steps.plans == planned
    steps.clock += timedelta(seconds=loop_room.REPLAN_S)
    turning.turn()
    assert steps.plans == planned + 1


def test_who_does_not_lead_does_nothing() -> None:
    steps = Steps()
    steps.leads = False
    report_id = steps.report()
    loop_of(steps).turn()
    assert steps.world.report(report_id).status == "received"
    assert steps.plans == 0


def test_a_timer_runs_once() -> None:
    steps = Steps()
    report_id = steps.report()
    turning = loop_of(steps)
    turning.turn()
    turning.turn()
    assert [timer.subject for timer in steps.done] == [report_id]
    facts = [entry.event.type for entry in steps.world.log]
    assert facts.count("ReportTriaged") == 1


def test_an_offer_expires_and_goes_to_the_next_crew() -> None:
    steps = Steps()
    near, far = steps.crew(east=0.005), steps.crew(east=0.02)
    incident_id = steps.incident()
    turning = loop_of(steps)
    turning.turn()
    assert steps.world.active_assignment(near.id) is not None
    steps.clock += timedelta(seconds=61)
    turning.turn()
    following = steps.world.active_assignment(far.id)
    assert steps.world.active_assignment(near.id) is None
    assert following is not None
    assert following.incident_id == incident_id


def test_a_timer_nobody_understands_keeps_nobody_waiting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    steps = Steps()
    steps.world.set_timer(Timer("a_later_version", UUID(int=1), NOON - timedelta(seconds=5)))
    report_id, crew = steps.report(), steps.crew(east=0.01)
    incident_id = steps.incident(east=0.001)
    loop_of(steps).turn()
    assert steps.world.report(report_id).status == "under_verification"
    sent = steps.world.active_assignment(crew.id)
    assert sent is not None
    assert sent.incident_id == incident_id
    assert "is not understood" in caplog.text
    assert "a_later_version" in [timer.kind for timer in steps.world.due(NOON)]


def test_a_timer_that_is_refused_is_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    steps = Steps()
    steps.world.set_timer(Timer(actions.OFFER_EXPIRES, UUID(int=1), NOON))
    loop_of(steps).turn()
    assert steps.world.due(NOON) == []
    assert "There is no assignment" in caplog.text


def test_a_plan_that_comes_too_late_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps()
    crew = steps.crew(east=0.01)
    incident_id = steps.incident()
    real = dispatcher.act

    def beaten(*args: object, **more: object) -> object:
        raise WrongStatus("Somebody was faster.")

    turning = loop_of(steps)
    monkeypatch.setattr(dispatcher, "act", beaten)
    turning.turn()
    assert steps.world.incident(incident_id).status == "pending"
    monkeypatch.setattr(dispatcher, "act", real)
    steps.incident(east=0.002)
    turning.turn()
    assert steps.world.active_assignment(crew.id) is not None


def test_the_thread_outlives_whatever_goes_wrong(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loop_room, "RETRY_S", 0.01)
    monkeypatch.setattr(loop_room, "TICK_S", 0.01)
    steps = Steps()
    steps.broken = KeyError("an error of the program")
    turning = loop_of(steps)
    turning.start()
    try:
        for _ in range(3):
            assert steps.turns.acquire(timeout=20)
        report_id = steps.report()
        steps.broken = None
        turning.wake()
        before = len(steps.world.log)
        for _ in range(200):
            if len(steps.world.log) > before:
                break
            assert steps.turns.acquire(timeout=20)
        assert steps.world.report(report_id).status == "under_verification"
        assert "will try again" in caplog.text
    finally:
        turning.stop()


def test_a_loop_that_never_began_can_be_stopped() -> None:
    loop_of(Steps()).stop()


def test_roads_are_not_asked_when_there_is_nothing_to_ask() -> None:
    assert road_seconds(small_city(), Question((), ())) == {}
    crew = (UUID(int=1), *MIDDLE)
    assert road_seconds(small_city(), Question((crew,), ())) == {}


def test_sockets_are_told_again_after_any_trouble(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(system_room, "RETRY_S", 0.0)
    troubles = [OSError("away"), RuntimeError("a bug")]

    async def tell() -> None:
        if troubles:
            raise troubles.pop()
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(system_room._keep_on(tell))
    assert troubles == []
    assert caplog.text.count("told again") == 2
