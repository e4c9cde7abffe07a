"""An incident that needs several crews: who is missing, when each came, when the clock stops."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from dispatch import actions
from dispatch.core import events as ev
from dispatch.core import run_cards
from dispatch.core.crews import Crew
from dispatch.core.errors import Invalid, WrongStatus
from dispatch.core.events import Actor
from dispatch.core.incidents import Incident
from dispatch.core.policy import CardSlot, Policy, RunCard, Slot
from dispatch.simulator.memory import MemoryWorld
from tests.contract.worlds import POLICY as SHIPPED
from tests.contract.worlds import counted_ids

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DESK, CREW = Actor("dispatcher", "d1"), Actor("crew", "c1")
PUMP, GUARD = Slot(("pump",)), Slot(("enforcement",), ("barriers",))
POLICY: Policy = replace(
    SHIPPED,
    run_cards={
        ("flood", 1): RunCard("flood", (CardSlot(("pump",), crews=2),)),
        ("flood", 2): RunCard("flood", (CardSlot(GUARD.skills, GUARD.equipment),), 2),
        ("flood", 3): RunCard("flood", (CardSlot(PUMP.skills),), 3),
    },
)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld("kota", POLICY, ids=counted_ids())


def incident(world: MemoryWorld, service_code: str = "flood") -> Incident:
    wish = actions.NewReport("web", service_code, "Banjir", lon=111.5, lat=-7.6)
    report = actions.receive_report(world, NOON, Actor("citizen"), wish)
    return actions.verify_report(world, later(30), DESK, report.id)


def crew(world: MemoryWorld, name: str, *skills: str, equipment: tuple[str, ...] = ()) -> Crew:
    fact = ev.CrewRegistered(name, name, "bpbd", skills, "truck", 3, 111.5, -7.6, equipment)
    there = actions.register_crew(world, NOON, DESK, fact)
    return actions.set_crew_status(world, NOON, DESK, there.id, status="available")


def send(world: MemoryWorld, to: UUID, *crews: Crew) -> list[UUID]:
    sent = [actions.send_crew(world, later(60), DESK, to, crew_id=c.id) for c in crews]
    for assignment in sent:
        actions.acknowledge(world, later(90), CREW, assignment.id)
    return [assignment.id for assignment in sent]


def test_an_incident_asks_for_what_its_card_says(world: MemoryWorld) -> None:
    flood = incident(world)
    assert (flood.alarm_level, flood.required_crews, flood.wants_crews) == (1, 2, 2)
    assert (flood.required_slots, flood.required_skills) == ((PUMP, PUMP), ("pump",))
    waste = incident(world, "waste")
    assert (waste.required_slots, waste.required_skills, waste.required_crews) == (
        (Slot(),),
        (),
        1,
    )


def test_an_alarm_adds_to_what_was_there(world: MemoryWorld) -> None:
    flood = incident(world)
    send(world, flood.id, crew(world, "A", "pump"), crew(world, "B", "pump"))
    assert world.incident(flood.id).wants_crews == 0
    raised = actions.raise_alarm(
        world, later(200), DESK, flood.id, alarm_level=2, reason="air naik"
    )
    assert (raised.alarm_level, raised.required_crews, raised.wants_crews) == (2, 3, 1)
    assert raised.required_skills == ("pump", "enforcement")
    there = [world.crew(world.assignment(i).crew_id) for i in raised.assignment_ids]
    assert run_cards.missing(run_cards.slots_of(raised), there) == (GUARD,)
    higher = actions.raise_alarm(world, later(300), DESK, flood.id, alarm_level=3, reason="lagi")
    assert run_cards.missing(higher.required_slots, there) == (GUARD, PUMP)
    assert world.log[-1].event.actor == DESK


def test_levels_can_be_skipped_upwards(world: MemoryWorld) -> None:
    flood = incident(world)
    raised = actions.raise_alarm(world, later(60), DESK, flood.id, alarm_level=3, reason="bah")
    assert raised.required_slots == (PUMP, PUMP, GUARD, PUMP)


@pytest.mark.parametrize(("level", "said"), [(1, "can only rise"), (0, "can only"), (4, "up to 3")])
def test_an_alarm_rises_to_what_there_is(world: MemoryWorld, level: int, said: str) -> None:
    flood = incident(world)
    with pytest.raises(Invalid, match=said):
        actions.raise_alarm(world, later(60), DESK, flood.id, alarm_level=level, reason="x")
    assert world.incident(flood.id) == flood


def test_an_alarm_needs_a_reason_and_an_open_incident(world: MemoryWorld) -> None:
    flood = incident(world)
    with pytest.raises(Invalid, match="Say why more crews"):
        actions.raise_alarm(world, later(60), DESK, flood.id, alarm_level=2, reason="  ")
    actions.close_incident(world, later(90), DESK, flood.id, disposition_code="22")
    with pytest.raises(WrongStatus):
        actions.raise_alarm(world, later(99), DESK, flood.id, alarm_level=2, reason="x")


def test_the_clock_stops_at_the_first_and_each_crew_has_its_times(world: MemoryWorld) -> None:
    flood = incident(world)
    first, second = send(world, flood.id, crew(world, "A", "pump"), crew(world, "B", "pump"))
    actions.on_scene(world, later(900), CREW, second)
    assert world.incident(flood.id).first_arrived_at == later(900)
    actions.on_scene(world, later(1500), CREW, first)
    assert world.incident(flood.id).first_arrived_at == later(900)
    assert world.assignment(first).arrived_at == later(1500)
    assert world.assignment(second).arrived_at == later(900)


def test_a_phone_that_tells_late_does_not_move_the_clock(world: MemoryWorld) -> None:
    """The first to arrive stops it, also when its phone had no network and tells it afterwards."""
    flood = incident(world)
    first, second = send(world, flood.id, crew(world, "A", "pump"), crew(world, "B", "pump"))
    actions.on_scene(world, later(1500), CREW, first)
    actions.on_scene(world, later(1600), CREW, second, device_time=later(700))
    assert world.assignment(second).arrived_at == later(700)
    assert world.incident(flood.id).first_arrived_at == later(700)


def test_it_is_cleared_when_the_last_one_leaves(world: MemoryWorld) -> None:
    flood = incident(world)
    first, second = send(world, flood.id, crew(world, "A", "pump"), crew(world, "B", "pump"))
    for assignment_id in (first, second):
        actions.on_scene(world, later(900), CREW, assignment_id)
    actions.clear(world, later(1000), CREW, first, disposition_code="05")
    assert world.incident(flood.id).status == "on_scene"
    actions.clear(world, later(1200), CREW, second, disposition_code="05")
    assert world.incident(flood.id).status == "closed"
