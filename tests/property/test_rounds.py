"""Whatever comes between: no stop of a round is driven twice, and none is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dispatch import actions, dispatcher
from dispatch.core import events as ev
from dispatch.core import tours
from dispatch.core.crews import Crew, Fix
from dispatch.core.events import Actor, Stop
from dispatch.core.incidents import Incident
from dispatch.core.rounds import Round
from dispatch.dispatcher import Rest
from dispatch.simulator.memory import MemoryWorld
from geo.network import StraightLineNetwork
from geo.point import Point
from tests.contract.worlds import NOON, POLICY, counted_ids

DESK, CREW, CITIZEN = Actor("dispatcher", "d1"), Actor("crew", "c1"), Actor("citizen")
ROADS = StraightLineNetwork()
LAMPS = replace(POLICY, rounds=replace(POLICY.rounds, services=("street_light",)))
MIDDLE = (111.5, -7.6)


class Town:
    """A crew with a round of lamps, and a clock that only this test moves."""

    def __init__(self, lamps: int) -> None:
        self.world = MemoryWorld("rounds", LAMPS, ids=counted_ids())
        self.now = NOON
        self.crew_id = self._crew().id
        self.lamps = [self.incident("street_light", east=i) for i in range(lamps)]
        self.round_id = self._propose().id
        actions.start_round(self.world, self.now, DESK, self.round_id)

    @property
    def round(self) -> Round:
        return self.world.round(self.round_id)

    @property
    def crew(self) -> Crew:
        return self.world.crew(self.crew_id)

    def _crew(self) -> Crew:
        skills = ("electrical", "pump")
        fact = ev.CrewRegistered("Regu", "R1", "dishub", skills, "truck", 3, *MIDDLE)
        crew = actions.register_crew(self.world, self.now, DESK, fact)
        crew = actions.set_crew_status(self.world, self.now, DESK, crew.id, status="available")
        self.seen(crew.id, *MIDDLE)
        return crew

    def _propose(self) -> Round:
        stops = [Stop(lamp.id, self.now + timedelta(minutes=9)) for lamp in self.lamps]
        return actions.propose_round(
            self.world,
            self.now,
            DESK,
            self.crew_id,
            stops=stops,
            planned_s=3600.0,
            planned_m=9000.0,
            graph="g1",
        )

    def seen(self, crew_id: UUID, lon: float, lat: float) -> None:
        self.world.put_fix(Fix(crew_id, lon, lat, fix_time=self.now, server_time=self.now))

    def incident(self, service_code: str, *, east: int) -> Incident:
        lon, lat = MIDDLE[0] + 0.003 * (east * 7 % 11), MIDDLE[1] + 0.002 * (east * 5 % 9)
        wish = actions.NewReport("web", service_code, "Tolong ditangani", lon=lon, lat=lat)
        report = actions.receive_report(self.world, self.now, CITIZEN, wish)
        return actions.verify_report(self.world, self.now, DESK, report.id)

    def tend(self) -> None:
        """A minute passes; the round goes on as the loop would let it."""
        self.now += timedelta(minutes=1)
        fix = self.world.fixes()[self.crew_id]
        self.seen(self.crew_id, fix.lon, fix.lat)
        for rest in dispatcher.running_rounds(self.world, self.now):
            seconds = matrix(rest)
            with self.world.step():
                dispatcher.tend_round(self.world, self.now, rest, seconds, graph="g1")

    def finish_job(self) -> None:
        """The crew does what it has, if anything."""
        job = self.world.active_assignment(self.crew_id)
        if job is None:
            return
        incident = self.world.incident(job.incident_id)
        if job.status == "offered":
            actions.acknowledge(self.world, self.now, CREW, job.id)
        self.seen(self.crew_id, incident.lon, incident.lat)
        actions.on_scene(self.world, self.now, CREW, job.id)
        actions.clear(self.world, self.now, CREW, job.id, disposition_code="05")


def matrix(rest: Rest) -> NDArray[np.float64]:
    assert rest.here is not None
    stops = [Point(lon, lat) for _, lon, lat in rest.stops]
    return ROADS.travel_times([Point(*rest.here), *stops], stops)


def done(town: Town) -> list[UUID]:
    """The incidents at which the crew cleared work, in order."""
    facts = [entry.event for entry in town.world.log]
    cleared = [e.subject for e in facts if e.type == "AssignmentCleared"]
    return [town.world.assignment(subject).incident_id for subject in cleared]


def test_a_round_is_driven_stop_by_stop_to_its_end() -> None:
    town = Town(5)
    for _ in range(12):
        town.tend()
        town.finish_job()
    assert town.round.status == "done"
    assert sorted(done(town)) == sorted(lamp.id for lamp in town.lamps)
    assert all(stop.state == "done" for stop in town.round.stops)
    assert [incident.status for incident in town.world.active_incidents()] == []


def test_urgent_work_interrupts_and_the_round_heals() -> None:
    town = Town(4)
    town.tend()
    town.finish_job()
    flood = town.incident("flood", east=9)
    actions.send_crew(town.world, town.now, DESK, flood.id, crew_id=town.crew_id)
    town.tend()
    assert (town.round.status, town.round.pause_reason) == ("paused", "interrupted")
    assert town.round.paused_for == flood.id
    town.finish_job()
    town.tend()
    assert town.round.status == "active"
    here = town.world.fixes()[town.crew_id]
    nearest = min(
        town.round.waiting,
        key=lambda i: ROADS.travel_times(
            [Point(here.lon, here.lat)],
            [Point(town.world.incident(i).lon, town.world.incident(i).lat)],
        )[0, 0],
    )
    job = town.world.active_assignment(town.crew_id)
    assert job is not None
    assert job.incident_id in town.round.waiting
    assert nearest in town.round.waiting
    for _ in range(8):
        town.finish_job()
        town.tend()
    assert town.round.status == "done"
    assert sorted(done(town)) == sorted([*(lamp.id for lamp in town.lamps), flood.id])


def test_a_stop_that_others_closed_or_took_falls_away() -> None:
    town = Town(4)
    closed, raised = town.lamps[1], town.lamps[2]
    actions.close_incident(town.world, town.now, DESK, closed.id, disposition_code="22")
    actions.reprioritise(
        town.world, town.now, DESK, raised.id, priority=1, reason="di depan rumah sakit"
    )
    town.tend()
    dropped = {stop.incident_id: stop.reason for stop in town.round.stops if stop.reason}
    assert dropped == {closed.id: "closed", raised.id: "urgent"}
    for _ in range(6):
        town.finish_job()
        town.tend()
    assert town.round.status == "done"
    assert closed.id not in done(town)


def test_a_declined_stop_is_not_offered_to_the_same_round_again() -> None:
    town = Town(3)
    town.tend()
    job = town.world.active_assignment(town.crew_id)
    assert job is not None
    planned = town.round.stop(job.incident_id)
    assert planned is not None
    actions.decline(town.world, town.now, CREW, job.id, reason="vehicle")
    town.tend()
    assert town.round.stop(job.incident_id) == replace(planned, state="dropped", reason="declined")
    for _ in range(6):
        town.finish_job()
        town.tend()
    assert town.round.status == "done"
    assert job.incident_id not in done(town)


def test_a_crew_that_does_not_answer_is_left_alone_for_a_while() -> None:
    town = Town(3)
    town.tend()
    job = town.world.active_assignment(town.crew_id)
    assert job is not None
    town.now += timedelta(seconds=LAMPS.offers.expires_s)
    actions.expire_offer(town.world, town.now, job.id)
    town.tend()
    assert (town.round.status, town.round.pause_reason) == ("paused", "unanswered")
    town.tend()
    assert town.world.active_assignment(town.crew_id) is None
    town.now += timedelta(seconds=LAMPS.offers.decline_pause_s)
    town.tend()
    assert town.round.status == "active"
    assert town.world.active_assignment(town.crew_id) is not None


def test_a_crew_that_signs_off_pauses_its_round() -> None:
    town = Town(3)
    town.tend()
    town.finish_job()
    actions.set_crew_status(town.world, town.now, CREW, town.crew_id, status="not_available")
    town.tend()
    assert (town.round.status, town.round.pause_reason) == ("paused", "off_duty")
    actions.set_crew_status(town.world, town.now, CREW, town.crew_id, status="available")
    town.tend()
    assert town.round.status == "active"
    assert town.world.active_assignment(town.crew_id) is not None


def test_a_stop_that_no_road_reaches_is_left_out() -> None:
    town = Town(3)
    town.now += timedelta(minutes=1)
    town.seen(town.crew_id, *MIDDLE)
    [rest] = dispatcher.running_rounds(town.world, town.now)
    seconds = matrix(rest)
    seconds[:, 1] = np.inf
    dispatcher.tend_round(town.world, town.now, rest, seconds, graph="g2")
    lost = town.round.stop(rest.stops[1][0])
    assert lost is not None
    assert (lost.state, lost.reason) == ("dropped", "unreachable")
    assert len(town.round.waiting) == 2


HAPPENINGS = ("tend", "tend", "finish", "finish", "flood", "close", "take", "off", "on", "expire")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    happenings=st.lists(st.tuples(st.sampled_from(HAPPENINGS), st.integers(0, 5)), max_size=40),
    lamps=st.integers(1, 6),
)
def test_no_stop_twice_and_none_lost(happenings: list[tuple[str, int]], lamps: int) -> None:
    town = Town(lamps)
    planned = {lamp.id for lamp in town.lamps}
    for what, which in happenings:
        happen(town, what, which)
        assert {stop.incident_id for stop in town.round.stops} == planned
        assert len(town.round.stops) == lamps
    settle(town)
    assert town.round.status == "done"
    finished = done(town)
    assert len(finished) == len(set(finished))
    for stop in town.round.stops:
        open_still = town.world.incident(stop.incident_id).status in ("pending", "dispatched")
        # what nobody did was dropped for a reason, never forgotten
        assert (stop.state == "done") == (stop.incident_id in finished and stop.reason is None)
        assert not open_still or stop.reason in ("declined", "unreachable", "taken")


def happen(town: Town, what: str, which: int) -> None:
    world = town.world
    match what:
        case "tend":
            town.tend()
        case "finish":
            town.finish_job()
        case "flood":
            flood = town.incident("flood", east=which)
            if town.crew.assignment_id is None and town.crew.status == "available":
                actions.send_crew(world, town.now, DESK, flood.id, crew_id=town.crew_id)
            else:
                actions.cancel_incident(world, town.now, DESK, flood.id, reason="salah")
        case "close" | "take":
            lamp = world.incident(town.lamps[which % len(town.lamps)].id)
            if lamp.status in ("pending", "dispatched"):
                actions.close_incident(world, town.now, DESK, lamp.id, disposition_code="22")
        case "off":
            job = world.active_assignment(town.crew_id)
            if job is None or job.status == "offered":
                actions.set_crew_status(world, town.now, CREW, town.crew_id, status="not_available")
        case "on":
            actions.set_crew_status(world, town.now, CREW, town.crew_id, status="available")
        case "expire":
            job = world.active_assignment(town.crew_id)
            if job is not None and job.status == "offered":
                town.now = max(town.now, job.expires_at)
                actions.expire_offer(world, town.now, job.id)


def settle(town: Town) -> None:
    """In the end the crew is on duty and nothing comes between."""
    actions.set_crew_status(town.world, town.now, CREW, town.crew_id, status="available")
    for _ in range(40):
        town.finish_job()
        town.now += timedelta(minutes=8)
        town.tend()


# --- tours -----------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(data=st.data(), n=st.integers(0, 9))
def test_a_shorter_order_holds_every_stop_once_and_is_never_longer(
    data: st.DataObject, n: int
) -> None:
    cells = data.draw(st.lists(st.floats(0, 1e5), min_size=(n + 1) * n, max_size=(n + 1) * n))
    seconds = np.array(cells, dtype=np.float64).reshape(n + 1, n)
    order = tours.shortest(seconds)
    assert sorted(order) == list(range(n))
    given_s = tours.driven_s(seconds, range(n))
    assert tours.driven_s(seconds, order) <= given_s + 1e-6
    assert tours.shortest(seconds) == order


@pytest.mark.parametrize("n", [2, 5, 12, 25])
def test_stops_along_one_street_are_driven_along_it(n: int) -> None:
    places = [float((i * 7) % n) for i in range(n)] if n % 7 else [float(i) for i in range(n)]
    rows = [-1.0, *places]
    seconds = np.array([[abs(a - b) * 60 for b in places] for a in rows])
    order = tours.shortest(seconds)
    assert [places[i] for i in order] == sorted(places)
    assert tours.driven_s(seconds, order) == pytest.approx(60 * (max(places) + 1))
