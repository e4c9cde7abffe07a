"""A closure keeps a road shut until it is lifted, by a person or with its incident."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from dispatch import actions, dispatcher
from dispatch.core import events as ev
from dispatch.core.audience import channels_of, crew_channel
from dispatch.core.closures import closed_segments, to_change
from dispatch.core.errors import Invalid, WrongStatus
from dispatch.core.events import Actor, Stretch
from dispatch.core.incidents import Incident
from dispatch.simulator.memory import MemoryWorld
from geo.network import Segment
from geo.point import Point
from tests.contract.worlds import NOON, POLICY, counted_ids

DESK = Actor("dispatcher", "d1")
HERE = Point(111.52, -7.63)
LATER = NOON + timedelta(minutes=5)


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld("kota", POLICY, ids=counted_ids())


def stretch(u: int, v: int) -> Stretch:
    return Stretch(u, v, 111.52, -7.63, 111.53, -7.63, "Jalan Pahlawan")


def segment(u: int, v: int, *, metres: float = 3.0) -> Segment:
    return Segment(u, v, "Jalan Pahlawan", HERE, Point(111.521, -7.63), 110.0, metres, 1.0)


def blocked(
    world: MemoryWorld, *, service: str = "fallen_tree", radius_m: float | None = 10.0
) -> Incident:
    wish = actions.NewReport(
        "web", service, "Menutup jalan", lon=HERE.lon, lat=HERE.lat, radius_m=radius_m
    )
    report = actions.receive_report(world, NOON, Actor("citizen"), wish)
    return actions.verify_report(world, NOON, DESK, report.id)


def closed_for(world: MemoryWorld, incident: Incident) -> UUID:
    [closure] = dispatcher.close_roads(world, NOON, {incident.id: (segment(1, 2), segment(2, 1))})
    return closure.id


def test_what_two_closures_hold_stays_closed_when_one_is_lifted(world: MemoryWorld) -> None:
    first = actions.close_road(world, NOON, DESK, [stretch(1, 2), stretch(2, 3)], reason="pawai")
    actions.close_road(world, NOON, DESK, [stretch(3, 2)], reason="galian")
    before = closed_segments(world.active_closures())
    assert before == {(1, 2), (2, 1), (2, 3), (3, 2)}
    actions.lift_closure(world, LATER, DESK, first.id, reason="selesai")
    after = closed_segments(world.active_closures())
    assert to_change(before, after) == {(1, 2): 1.0, (2, 1): 1.0}
    assert to_change(after, before) == {(1, 2): None, (2, 1): None}


def test_a_piece_counts_once_whichever_way_it_was_drawn(world: MemoryWorld) -> None:
    road = [stretch(2, 1), stretch(1, 2), stretch(5, 4)]
    closure = actions.close_road(world, NOON, DESK, road, reason="pawai")
    assert [(each.u, each.v) for each in closure.stretches] == [(2, 1), (5, 4)]


@pytest.mark.parametrize("road", [[], [stretch(n, n + 1) for n in range(2001)]])
def test_nothing_and_half_the_city_are_no_closure(world: MemoryWorld, road: list[Stretch]) -> None:
    with pytest.raises(Invalid) as refused, world.step():
        actions.close_road(world, NOON, DESK, road, reason="pawai")
    assert refused.value.fields["field"] == "points"
    assert world.log == []


def test_a_closure_needs_a_reason(world: MemoryWorld) -> None:
    with pytest.raises(Invalid):
        actions.close_road(world, NOON, DESK, [stretch(1, 2)], reason="  ")
    made = actions.close_road(world, NOON, DESK, [stretch(1, 2)], reason=" pawai ")
    assert (made.reason, made.made_by, made.made_at) == ("pawai", "dispatcher:d1", NOON)
    with pytest.raises(Invalid):
        actions.lift_closure(world, LATER, DESK, made.id, reason="")


@pytest.mark.parametrize("service", ["fallen_tree", "flood", "bridge"])
def test_a_verified_blockage_asks_for_its_roads_and_says_why(
    world: MemoryWorld, service: str
) -> None:
    incident = blocked(world, service=service)
    [asked] = dispatcher.blockages(world, NOON)
    metres = POLICY.service(service).closes_road_m
    assert (asked.incident_id, asked.within_m) == (incident.id, metres)
    closure = world.closure(closed_for(world, incident))
    assert (closure.service_code, closure.incident_id) == (service, incident.id)
    because = world.log[-1].event.because
    assert because is not None
    assert because["rule"] == "closes_road_m"
    assert (because["closes_road_m"], because["radius_m"], because["nearest_m"]) == (
        metres,
        10.0,
        3.0,
    )
    assert dispatcher.blockages(world, NOON) == ()


def test_other_work_closes_no_road(world: MemoryWorld) -> None:
    blocked(world, service="pothole")
    assert dispatcher.blockages(world, NOON) == ()


@pytest.mark.parametrize("radius_m", [None, POLICY.closures.precise_m + 1])
def test_a_place_not_surely_known_closes_nothing(
    world: MemoryWorld, radius_m: float | None
) -> None:
    incident = blocked(world, radius_m=radius_m)
    assert dispatcher.blockages(world, NOON) == ()
    assert dispatcher.close_roads(world, NOON, {incident.id: (segment(1, 2),)}) == []


def test_no_road_near_closes_nothing(world: MemoryWorld) -> None:
    incident = blocked(world)
    assert dispatcher.close_roads(world, NOON, {incident.id: ()}) == []
    assert world.closures_of(incident.id) == []


def cancel(world: MemoryWorld, incident: Incident) -> None:
    actions.cancel_incident(world, LATER, DESK, incident.id, reason="salah")


def close(world: MemoryWorld, incident: Incident) -> None:
    actions.close_incident(world, LATER, DESK, incident.id, disposition_code="05")


def undo(world: MemoryWorld, incident: Incident) -> None:
    actions.undo_decision(world, NOON, DESK, incident.report_ids[0])


def clear(world: MemoryWorld, incident: Incident) -> None:
    fact = ev.CrewRegistered("Regu", "R1", "bpbd", ("chainsaw",), "truk", 3, 111.5, -7.6)
    crew = actions.register_crew(world, NOON, DESK, fact)
    actions.set_crew_status(world, NOON, DESK, crew.id, status="available")
    job = actions.send_crew(world, NOON, DESK, incident.id, crew_id=crew.id)
    mine = Actor("crew", str(crew.id))
    for deed in (actions.acknowledge, actions.en_route, actions.on_scene):
        deed(world, LATER, mine, job.id)
    actions.clear(world, LATER, mine, job.id, disposition_code="05")


@pytest.mark.parametrize("end", [cancel, close, undo, clear])
def test_the_road_opens_with_the_end_of_its_incident(world: MemoryWorld, end: object) -> None:
    incident = blocked(world)
    closure_id = closed_for(world, world.incident(incident.id))
    other = actions.close_road(world, NOON, DESK, [stretch(1, 2)], reason="pawai")
    end(world, world.incident(incident.id))  # type: ignore[operator]
    lifted = world.closure(closure_id)
    assert (lifted.status, lifted.lifted_by) == ("lifted", "system")
    [told] = [entry.event for entry in world.log if entry.event.type == "ClosureLifted"]
    assert told.because is not None
    assert told.because["incident"] == str(incident.id)
    assert [each.id for each in world.active_closures()] == [other.id]


def test_what_a_dispatcher_lifted_stays_lifted_until_the_incident_opens_again(
    world: MemoryWorld,
) -> None:
    incident = blocked(world)
    actions.lift_closure(world, LATER, DESK, closed_for(world, incident), reason="bisa lewat")
    assert dispatcher.blockages(world, LATER) == ()
    close(world, incident)
    reopened_at = LATER + timedelta(minutes=1)
    actions.reopen_incident(world, reopened_at, DESK, incident.id, reason="masih ada dahan")
    assert [each.incident_id for each in dispatcher.blockages(world, reopened_at)] == [incident.id]


def test_a_drawn_closure_belongs_to_a_going_incident_or_to_none(world: MemoryWorld) -> None:
    incident = blocked(world, radius_m=None)
    drawn = actions.close_road(
        world, NOON, DESK, [stretch(1, 2)], reason="pohon", incident_id=incident.id
    )
    close(world, incident)
    assert world.closure(drawn.id).status == "lifted"
    with pytest.raises(WrongStatus):
        actions.close_road(
            world, NOON, DESK, [stretch(1, 2)], reason="pohon", incident_id=incident.id
        )


def test_every_crew_hears_of_a_closure_and_no_citizen(world: MemoryWorld) -> None:
    incident = blocked(world)
    fact = ev.CrewRegistered("Regu", "R1", "bpbd", (), "truk", 3, 111.5, -7.6)
    crews = [
        actions.register_crew(world, NOON, DESK, replace(fact, call_sign=sign)) for sign in "AB"
    ]
    closed_for(world, incident)
    wanted = tuple(sorted(crew_channel(crew.id) for crew in crews))
    assert world.log[-1].channels == wanted
    closure = world.closures_of(incident.id)[0]
    assert channels_of(world, before=None, after=closure) == wanted
