"""Counts a finished run: what the log says of every incident and every crew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from dispatch.core.assignments import DIVERTED, Assignment
from dispatch.core.events import Event
from dispatch.simulator.demand import STORM_AT_S, STORM_COUNTED_UNTIL_S
from dispatch.simulator.memory import MemoryWorld
from dispatch.simulator.outcome import Outcome, Served, Worked
from dispatch.simulator.robots import Robot
from dispatch.simulator.scene import Frictions, Scene


@dataclass(slots=True)
class Clocked:
    """Where the processor's time went, seconds, and what each decision took, milliseconds."""

    decision_ms: list[float] = field(default_factory=list)
    rules_s: float = 0.0
    routing_s: float = 0.0


class Ended(Protocol):
    """What is counted of a run: the state it has come to."""

    @property
    def scene(self) -> Scene: ...
    @property
    def world(self) -> MemoryWorld: ...
    @property
    def frictions(self) -> Frictions: ...
    @property
    def robots(self) -> Sequence[Robot]: ...
    @property
    def incident_of(self) -> Mapping[int, UUID]: ...
    @property
    def clocked(self) -> Clocked: ...
    @property
    def now_s(self) -> float: ...
    @property
    def waiting_area(self) -> float: ...
    @property
    def system_area(self) -> float: ...


def tally(day: Ended, *, name: str, seed: int, cpu_s: float) -> Outcome:
    """The outcome of a run that has ended."""
    scene = day.scene
    served = tuple(_served(day, number) for number in sorted(day.incident_of))
    events = [entry.event for entry in day.world.log]
    ended_s = max(day.now_s, 1e-9)
    clocked = day.clocked
    spent = {"rules": clocked.rules_s, "routing": clocked.routing_s}
    spent["rest"] = max(cpu_s - sum(spent.values()), 0.0)
    return Outcome(
        policy=name,
        city=scene.city,
        seed=seed,
        load=scene.load,
        scenario="storm" if scene.storm else "plain",
        frictions=day.frictions.on,
        days=scene.days,
        warm_up_s=scene.warm_up_s,
        ended_s=day.now_s,
        served=served,
        crews=tuple(
            Worked(
                crew=robot.number,
                skills=tuple(sorted(robot.setup.skills)),
                bound_s=robot.bound_s,
                driving_s=robot.driving_s,
                duty_s=day.now_s - robot.off_s,
                km=robot.metres / 1_000,
                jobs=robot.jobs,
                move_ups=robot.move_ups,
            )
            for robot in day.robots
        ),
        diversions=sum(_is_diversion(event) for event in events),
        declines=sum(event.type == "AssignmentDeclined" for event in events),
        expiries=sum(event.type == "AssignmentExpired" for event in events),
        move_ups=sum(robot.move_ups for robot in day.robots),
        waiting_mean=day.waiting_area / ended_s,
        in_system_mean=day.system_area / ended_s,
        decision_ms=tuple(clocked.decision_ms),
        cpu_s=spent,
    )


def _is_diversion(event: Event) -> bool:
    return event.type == "AssignmentWithdrawn" and getattr(event.fact, "reason", None) == DIVERTED


def _served(day: Ended, number: int) -> Served:
    job, scene = day.scene.jobs[number], day.scene
    incident = day.world.incident(day.incident_of[number])
    assignments = day.world.assignments_of(incident.id)
    arrived = [a for a in assignments if a.arrived_at is not None]
    first = min(arrived, key=lambda a: (a.arrived_at, a.id))
    lon, lat = incident.lon, incident.lat
    in_storm = STORM_AT_S <= job.at_s <= STORM_COUNTED_UNTIL_S
    assert first.arrived_at is not None
    robot = next(r.number for r in day.robots if r.crew_id == first.crew_id)
    return Served(
        received_s=job.at_s,
        response_s=(first.arrived_at - incident.received_at).total_seconds(),
        processing_s=(first.dispatched_at - incident.received_at).total_seconds(),
        turnout_s=_turnout_s(first),
        travel_s=(first.arrived_at - (first.enroute_at or first.dispatched_at)).total_seconds(),
        on_scene_s=job.on_scene_s,
        service_code=job.service_code,
        priority=job.priority,
        district=scene.districts[job.site] if scene.districts else "",
        lon=lon,
        lat=lat,
        crew=robot,
        offers=len(assignments),
        diverted=sum(a.status == "withdrawn" and a.decline_reason == DIVERTED for a in assignments),
        genuine=job.genuine,
        storm=scene.storm and in_storm,
        counted=job.genuine and job.at_s > scene.warm_up_s,
    )


def _turnout_s(assignment: Assignment) -> float:
    rolled = assignment.enroute_at or assignment.dispatched_at
    return (rolled - assignment.dispatched_at).total_seconds()
