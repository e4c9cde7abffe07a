"""A made-up town with the real dispatcher, and what must hold of each of its turns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import event

from dispatch import actions, dispatcher
from dispatch.core import events as ev
from dispatch.core import gates, run_cards
from dispatch.core.assignments import DIVERTED, Assignment
from dispatch.core.crews import Crew, Fix
from dispatch.core.events import Actor, Event
from dispatch.core.incidents import Incident
from dispatch.core.policy import CardSlot, Policy, RunCard
from dispatch.core.proposals import Proposal
from dispatch.core.rounds import is_routine
from dispatch.core.run_cards import slots_of
from dispatch.dispatcher.board import paused_for
from dispatch.simulator.memory import MemoryWorld
from tests.contract.worlds import NOON, POLICY, counted_ids

DESK, CITIZEN = Actor("dispatcher", "d1"), Actor("citizen")
SPEED_MS = 8.0
METRES = 111_195.0
CARDS = {
    ("flood", 1): RunCard("flood", (CardSlot(("pump",)), CardSlot(("pump",), ("boat",))), 1),
    ("fallen_tree", 1): RunCard("fallen_tree", (CardSlot(("chainsaw",)),), 1),
}
SERVICES = ("waste", "waste", "pothole", "fallen_tree", "flood")
SKILLS = ("roadworks", "chainsaw", "pump")


def tuned(**sections: dict[str, Any]) -> Policy:
    changed: dict[str, Any] = {
        name: replace(getattr(POLICY, name), **values) for name, values in sections.items()
    }
    return replace(POLICY, run_cards=CARDS, **changed)


POLICIES = {
    "own": tuned(),
    "asks two": tuned(offers={"parallel_below": 0.9, "parallel_gain": 0.0}),
    "restless": tuned(diversion={"switch": 0.0, "lock_s": 60.0}),
    "urgent stays": tuned(diversion={"priorities": (2, 3), "lock_s": 60.0}),
    "closest": tuned(matching={"rule": "closest_first"}, diversion={"enabled": False}),
    "pairs": tuned(matching={"rule": "nearest_pair"}),
    "least": tuned(matching={"rule": "least_travel"}),
}


GREEDY = ("closest_first", "closest_by_priority", "nearest_pair")


@dataclass
class Town:
    """Crews that drive straight at one speed; the same dispatcher as everywhere."""

    policy: Policy
    now: datetime = NOON
    places: dict[UUID, tuple[float, float]] = field(default_factory=dict)
    silent: set[UUID] = field(default_factory=set)
    since: int = 0
    """Where in the log the present turn began."""

    def __post_init__(self) -> None:
        self.world = MemoryWorld("turns", self.policy, ids=counted_ids())

    def crew(self, skills: tuple[str, ...], equipment: tuple[str, ...], x: int, y: int) -> UUID:
        place = (x / METRES, y / METRES)
        fact = ev.CrewRegistered("Regu", "R", "pupr", skills, "car", 3, *place, equipment)
        crew = actions.register_crew(self.world, self.now, DESK, fact)
        actions.set_crew_status(self.world, self.now, DESK, crew.id, status="available")
        self.places[crew.id] = place
        return crew.id

    def report(self, service_code: str, priority: int, x: int, y: int) -> None:
        wish = actions.NewReport(
            "web", service_code, "Laporan", lon=x / METRES, lat=y / METRES, phone="0812"
        )
        report = actions.receive_report(self.world, self.now, CITIZEN, wish)
        self.world.cancel_timer(actions.TRIAGE, report.id)
        actions.verify_report(self.world, self.now, DESK, report.id, priority=priority)

    # --- people --------------------------------------------------------------

    def answer(self, crew_id: UUID, *, yes: bool) -> None:
        job = self.world.active_assignment(crew_id)
        actor = Actor("crew", str(crew_id))
        if job is None:
            return
        if job.status == "offered" and not yes:
            actions.decline(self.world, self.now, actor, job.id, reason="vehicle")
        elif job.status == "offered":
            actions.acknowledge(self.world, self.now, actor, job.id)
        elif job.status == "acknowledged":
            actions.en_route(self.world, self.now, actor, job.id)

    def wait(self, seconds: int) -> None:
        """Crews on their way drive on; who is there begins; who worked 20 minutes is done."""
        self.now += timedelta(seconds=seconds)
        for crew_id in sorted(self.places):
            job = self.world.active_assignment(crew_id)
            actor = Actor("crew", str(crew_id))
            if job is None:
                continue
            if job.status == "en_route":
                self._drive(crew_id, job, seconds)
            elif job.status == "on_scene" and self.now - _known(job.arrived_at) > timedelta(
                seconds=1200
            ):
                actions.clear(self.world, self.now, actor, job.id, disposition_code="05")
        for timer in self.world.due(self.now):
            self.world.cancel_timer(timer.kind, timer.subject)
            dispatcher.run_timer(self.world, self.now, timer)

    def _drive(self, crew_id: UUID, job: Assignment, seconds: int) -> None:
        incident = self.world.incident(job.incident_id)
        x, y = self.places[crew_id]
        metres = math.hypot(incident.lon - x, incident.lat - y) * METRES
        if metres <= seconds * SPEED_MS:
            self.places[crew_id] = (incident.lon, incident.lat)
            actor = Actor("crew", str(crew_id))
            actions.on_scene(self.world, self.now, actor, job.id)
            return
        share = seconds * SPEED_MS / metres
        self.places[crew_id] = (x + (incident.lon - x) * share, y + (incident.lat - y) * share)

    # --- the dispatcher ------------------------------------------------------

    def road(self) -> dict[tuple[UUID, UUID], float]:
        asked = dispatcher.question(self.world, self.now)
        return {
            (crew, incident): math.hypot(lon - x, lat - y) * METRES / SPEED_MS
            for crew, x, y in asked.crews
            for incident, lon, lat in asked.incidents
        }

    def turn(self) -> list[Proposal]:
        """One decision, from positions of this moment; the turn's events are kept apart."""
        for crew_id, (lon, lat) in self.places.items():
            if crew_id not in self.silent:
                fix = Fix(crew_id, lon, lat, fix_time=self.now, server_time=self.now)
                self.world.put_fix(fix)
        self.since = len(self.world.log)
        before = {crew.id: crew for crew in self.world.crews()}
        road = self.road()
        held = {
            crew.id: self.world.assignment(crew.assignment_id)
            for crew in before.values()
            if crew.assignment_id is not None
        }
        with self.world.step():
            proposals = dispatcher.act(self.world, self.now, road, graph="straight")
        Check(self, before, held, road).all()
        return proposals

    def events(self, *types: str) -> Iterator[Event]:
        for entry in self.world.log[self.since :]:
            if entry.event.type in types:
                yield entry.event


def _known(moment: datetime | None) -> datetime:
    assert moment is not None
    return moment


@dataclass
class Check:
    """What must hold of one turn; `before` and `held` are the crews and their work before it."""

    town: Town
    before: dict[UUID, Crew]
    held: dict[UUID, Assignment]
    road: dict[tuple[UUID, UUID], float]

    def all(self) -> None:
        for offered in self.town.events("AssignmentOffered"):
            self._offered(offered)
        for withdrawn in self.town.events("AssignmentWithdrawn"):
            self._turned(withdrawn)
        self._nobody_twice()
        self._nobody_idle()

    def _offered(self, offered: Event) -> None:
        world, fact = self.town.world, offered.fact
        assert isinstance(fact, ev.AssignmentOffered)
        crew, incident = self.before[fact.crew_id], world.incident(fact.incident_id)
        assert crew.status != "not_available"
        fix = world.fixes()[crew.id]
        on_the_way = crew.assignment_id is not None
        assert fact.diverted_from == (self.held[crew.id].incident_id if on_the_way else None)
        why_not = gates.unfit(
            crew,
            fix,
            now=self.town.now,
            policy=self.town.policy,
            priority=incident.priority,
            on_the_way=on_the_way,
        )
        assert why_not is None
        kits = [(frozenset(s.skills), frozenset(s.equipment)) for s in slots_of(incident)]
        able = [s <= set(crew.skills) and e <= set(crew.equipment) for s, e in kits]
        assert any(able)
        assert not any(
            said_no.crew_id == crew.id
            and said_no.status in ("declined", "expired")
            and (self.town.now - _known(said_no.ended_at)).total_seconds()
            < self.town.policy.offers.decline_pause_s
            for said_no in world.assignments_of(incident.id)
        )
        because = offered.because or {}
        assert because["graph"] == "straight"
        assert str(crew.id) in {c["crew_id"] for c in because["candidates"]}

    def _turned(self, withdrawn: Event) -> None:
        fact = withdrawn.fact
        assert isinstance(fact, ev.AssignmentWithdrawn)
        if fact.reason != DIVERTED:
            return
        policy, held = self.town.policy, self.town.world.assignment(withdrawn.subject)
        was = self.held[held.crew_id]
        assert policy.diversion.enabled
        assert was.id == held.id
        assert was.status in ("acknowledged", "en_route")
        incident = self.town.world.incident(held.incident_id)
        assert incident.priority in policy.diversion.priorities
        still_s = self.road[held.crew_id, held.incident_id] + policy.matching.turnout_s
        assert still_s > policy.diversion.lock_s
        event("turned round")

    def _nobody_twice(self) -> None:
        bound = [
            crew.assignment_id for crew in self.town.world.crews() if crew.assignment_id is not None
        ]
        active = [a.id for i in self._incidents() for a in self._of(i) if a.active]
        assert sorted(bound) == sorted(active)
        crews = [self.town.world.assignment(a).crew_id for a in active]
        assert len(crews) == len(set(crews))
        for incident in self._incidents():
            two = self.town.policy.offers.parallel_below > 0
            assert len(incident.assignment_ids) <= incident.required_crews + two

    def _nobody_idle(self) -> None:
        """Whoever waits, waits because nobody who could go is free."""
        world, policy, now = self.town.world, self.town.policy, self.town.now
        fixes = world.fixes()
        for incident in world.active_incidents():
            if is_routine(policy, incident) or incident.wants_crews <= 0:
                continue
            # a baseline that looks at one crew after the other may waste one on the wrong slot
            if incident.required_crews > 1 and policy.matching.rule in GREEDY:
                continue
            at_work = [world.crew(world.assignment(a).crew_id) for a in incident.assignment_ids]
            open_slots = run_cards.missing(slots_of(incident), at_work)
            asked = paused_for(world, now, incident)
            for crew in world.crews():
                free = crew.id not in asked and crew.assignment_id is None
                fit = gates.unfit(
                    crew,
                    fixes.get(crew.id),
                    now=now,
                    policy=policy,
                    priority=incident.priority,
                )
                if not free or fit is not None or crew.id not in fixes:
                    continue
                # one taken off something in this very turn is looked at in the next
                if self.before[crew.id].assignment_id is not None:
                    continue
                for slot in open_slots:
                    assert not (
                        set(slot.skills) <= set(crew.skills)
                        and set(slot.equipment) <= set(crew.equipment)
                    ), "waits beside an idle crew"

    def _incidents(self) -> list[Incident]:
        return [
            entity for entity in self.town.world.entities().values() if isinstance(entity, Incident)
        ]

    def _of(self, incident: Incident) -> list[Assignment]:
        return list(self.town.world.assignments_of(incident.id))
