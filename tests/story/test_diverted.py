"""A crew is turned round for something more urgent: the citizen it leaves is told so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np

from dispatch import actions, dispatcher
from dispatch.core.assignments import DIVERTED
from dispatch.core.crews import Fix
from dispatch.core.events import Actor, CrewRegistered
from dispatch.core.road_times import RoadTimes
from dispatch.core.world import World
from dispatch.simulator.memory import MemoryWorld
from dispatch.storage.documents import report_view
from dispatch.system.cities import read_policy
from web.pages.texts import texts
from web.pages.track import headline

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DESK, CITIZEN = Actor("dispatcher", "d"), Actor("citizen")


def reported(world: World, now: datetime, service_code: str, priority: int) -> tuple[UUID, UUID]:
    wish = actions.NewReport("web", service_code, "Mohon dibantu segera", lon=111.5, lat=-7.6)
    report = actions.receive_report(world, now, CITIZEN, wish)
    dispatcher.triage_report(world, now, report.id)
    incident = actions.verify_report(world, now, DESK, report.id, priority=priority)
    return report.id, incident.id


def test_the_citizen_left_behind_is_told_and_keeps_the_clock() -> None:
    world = MemoryWorld("madiun", read_policy(None))
    fact = CrewRegistered("Regu 1", "R1", "bpbd", ("enforcement",), "car", 2, 111.5, -7.6)
    crew = actions.register_crew(world, NOW, DESK, fact)
    who = Actor("crew", str(crew.id))
    actions.set_crew_status(world, NOW, who, crew.id, status="available")
    world.put_fix(Fix(crew.id, 111.5, -7.6, fix_time=NOW, server_time=NOW))
    report_id, waste = reported(world, NOW, "waste", 3)
    roads = RoadTimes([crew.id], [waste], np.array([[900.0]]))
    dispatcher.act(world, NOW, roads, graph="g")
    first = world.active_assignment(crew.id)
    assert first is not None
    actions.acknowledge(world, NOW, who, first.id)
    later = NOW + timedelta(seconds=90)
    actions.en_route(world, later, who, first.id)

    _, urgent = reported(world, later, "public_order", 1)
    roads = RoadTimes([crew.id], [waste, urgent], np.array([[800.0, 300.0]]))
    dispatcher.act(world, later, roads, graph="g")

    second = world.active_assignment(crew.id)
    assert second is not None
    assert (second.incident_id, second.diverted_from) == (urgent, waste)
    assert world.assignment(first.id).decline_reason == DIVERTED
    assert world.incident(waste).due_at == NOW + timedelta(minutes=20)
    view = report_view(world, world.report(report_id), later)
    assert [step["code"] for step in view["steps"]][-1] == "diverted"
    assert view["eta"] is None
    assert "lebih mendesak" in headline(view, texts("id"))
    assert "more urgent" in headline(view, texts("en"))
