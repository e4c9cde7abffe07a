"""What a step may rely on about rounds, whichever World it runs in."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from dispatch import actions
from dispatch.core import events as ev
from dispatch.core.audience import crew_channel
from dispatch.core.crews import Crew
from dispatch.core.errors import Conflict, Invalid, NotFound, WrongStatus
from dispatch.core.events import SYSTEM, Actor, Event, Fact, Stop
from dispatch.core.incidents import Incident
from dispatch.core.rounds import Round
from dispatch.core.world import World, fold
from tests.contract.worlds import NOON, Place

CITIZEN, DESK = Actor("citizen"), Actor("dispatcher", "d1")


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def crew_of(world: World, name: str) -> Crew:
    fact = ev.CrewRegistered(name, name, "dishub", ("electrical",), "van", 2, 111.5, -7.6)
    crew = actions.register_crew(world, NOON, DESK, fact)
    return actions.set_crew_status(world, NOON, DESK, crew.id, status="available")


def lamp(world: World, lon: float = 111.5) -> Incident:
    wish = actions.NewReport("web", "street_light", "Lampu mati", lon=lon, lat=-7.6)
    report = actions.receive_report(world, NOON, CITIZEN, wish)
    return actions.verify_report(world, NOON, DESK, report.id)


def proposed(world: World, crew: Crew, *stops: Stop) -> Round:
    return actions.propose_round(
        world, NOON, DESK, crew.id, stops=stops, planned_s=900.5, planned_m=1200.25, graph="g1"
    )


def told(world: World, round_: Round, fact: Fact, at: datetime) -> None:
    known = world.round(round_.id)
    event = Event("round", known.id, known.version + 1, at, at, SYSTEM, fact, {"rule": "test"})
    world.record(event)


def test_a_round_is_kept_as_it_was_made(place: Place) -> None:
    with place.step() as world:
        crew = crew_of(world, "L1")
        first, second = lamp(world), lamp(world, 111.51)
        stops = (Stop(second.id, later(60)), Stop(first.id, later(1000)))
        made = proposed(world, crew, *stops)
        assert [found.id for found in world.open_rounds()] == [made.id]
    with place.step() as world:
        assert world.round(made.id) == made
        assert made.stops == stops
        assert made.waiting == (second.id, first.id)
        started = actions.start_round(world, later(30), DESK, made.id)
        assert [stop.eta for stop in started.stops] == [later(90), later(1030)]
        told(world, made, ev.RoundPaused("interrupted", first.id), later(40))
    with place.step() as world:
        paused = world.round(made.id)
        assert (paused.status, paused.paused_for, paused.paused_at) == (
            "paused",
            first.id,
            later(40),
        )
        dropped = (Stop(second.id, later(90)), Stop(first.id, None, "dropped", "closed"))
        told(world, made, ev.RoundResumed(dropped, "g2"), later(50))
        told(world, made, ev.RoundStopDone(second.id), later(60))
        told(world, made, ev.RoundDone(), later(60))
    with place.step() as world:
        done = world.round(made.id)
        assert (done.status, done.ended_at, done.pause_reason) == ("done", later(60), None)
        assert [stop.state for stop in done.stops] == ["done", "dropped"]
        assert list(world.open_rounds()) == []
    assert fold([entry.event for entry in place.log()]) == place.things()


def test_open_rounds_come_in_order_and_a_refused_step_takes_its_own_back(place: Place) -> None:
    with place.step() as world:
        crews = [crew_of(world, name) for name in ("L1", "L2", "L3")]
        made = [proposed(world, crew, Stop(lamp(world).id)) for crew in crews]
    with place.step() as world:
        actions.cancel_round(world, later(1), DESK, made[1].id, reason="hujan")
    with pytest.raises(NotFound), place.step() as world:
        cancelled_and_then_refused(world, made[0])
    with place.step() as world:
        assert [found.id for found in world.open_rounds()] == sorted([made[0].id, made[2].id])
        assert world.round(made[1].id).reason == "hujan"


def cancelled_and_then_refused(world: World, made: Round) -> None:
    actions.cancel_round(world, later(2), DESK, made.id)
    world.round(UUID(int=999))


def test_only_its_crew_and_the_dispatchers_hear_of_a_round(place: Place) -> None:
    with place.step() as world:
        one, other = crew_of(world, "L1"), crew_of(world, "L2")
        made = proposed(world, one, Stop(lamp(world).id))
    heard = [entry.event.subject for entry, _ in place.heard(crew_channel(one.id))]
    assert made.id in heard
    assert made.id not in [e.event.subject for e, _ in place.heard(crew_channel(other.id))]
    _, state = place.snapshot(NOON)
    assert state[f"round/{made.id}"]["stops"][0]["state"] == "waiting"
    assert state[f"round/{made.id}"]["planned_m"] == 1200.25


def test_what_cannot_be_a_round_is_refused(place: Place) -> None:
    with place.step() as world:
        one, other = crew_of(world, "L1"), crew_of(world, "L2")
        first, raised = lamp(world), lamp(world, 111.51)
        actions.reprioritise(world, NOON, DESK, raised.id, priority=1, reason="rumah sakit")
        made = proposed(world, one, Stop(first.id))
    refusals = (
        (Conflict, one, (Stop(lamp_id(place)),)),
        (Conflict, other, (Stop(first.id),)),
        (Conflict, other, (Stop(raised.id),)),
        (Invalid, other, ()),
        (Invalid, other, tuple(Stop(first.id) for _ in range(26))),
    )
    for error, crew, stops in refusals:
        with pytest.raises(error), place.step() as world:
            proposed(world, crew, *stops)
    with place.step() as world:
        actions.set_crew_status(world, later(1), DESK, one.id, status="not_available")
    with pytest.raises(Invalid), place.step() as world:
        actions.start_round(world, later(2), DESK, made.id)
    with place.step() as world:
        actions.cancel_round(world, later(3), DESK, made.id)
    with pytest.raises(WrongStatus), place.step() as world:
        actions.start_round(world, later(4), DESK, made.id)


def lamp_id(place: Place) -> UUID:
    with place.step() as world:
        return lamp(world, 111.52).id
