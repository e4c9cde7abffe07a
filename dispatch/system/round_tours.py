"""What a plan of rounds asks and what becomes of the answer: crews, stops, tours, proposals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from dispatch import actions
from dispatch.core import gates, rounds
from dispatch.core.crews import Crew
from dispatch.core.errors import Conflict, Invalid
from dispatch.core.events import Actor, Stop
from dispatch.core.incidents import Incident
from dispatch.core.policy import Vehicle
from dispatch.core.road_times import outlook_by
from dispatch.core.rounds import Round
from dispatch.core.world import World
from dispatch.system.cities import City
from dispatch.system.driving import roads_of
from geo.point import Point
from geo.spread import Outlook, Spread

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ask:
    """Which rounds are wanted: none given means every routine service, every crew that can."""

    crew_ids: tuple[UUID, ...] = ()
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """The crews with where they are, and the incidents with what they need, both by id."""

    crews: tuple[tuple[Crew, Point], ...]
    incidents: tuple[Incident, ...]
    until_s: tuple[float, ...]
    vehicles: tuple[Vehicle | None, ...]

    @property
    def places(self) -> list[Point]:
        """Where the crews are, then where the incidents are."""
        there = [Point(incident.lon, incident.lat) for incident in self.incidents]
        return [*(place for _, place in self.crews), *there]

    @property
    def profiles(self) -> dict[str, Vehicle | None]:
        """The kinds of vehicles that differ in the roads they can use."""
        return {profile_of(vehicle): vehicle for vehicle in self.vehicles}


def task_of(world: World, now: datetime, ask: Ask) -> Task:
    """What there is to plan. Raises Invalid or Conflict with what to do when there is nothing.

    Crews without a position start at their station.
    """
    policy = world.policy
    unknown = [code for code in ask.services if code not in policy.rounds.services]
    if unknown:
        raise Invalid(f"“{unknown[0]}” is not driven in rounds.", field="services")
    services = ask.services or policy.rounds.services
    running = {r.crew_id: r for r in world.open_rounds() if r.running}
    taken = {incident_id for r in running.values() for incident_id in r.waiting}
    incidents = tuple(
        incident
        for incident in world.active_incidents()
        if incident.service_code in services
        and incident.id not in taken
        and rounds.may_join(policy, incident)
    )
    if not incidents:
        raise Conflict("No routine work waits for a round now.")
    for crew_id in ask.crew_ids:
        crew = world.crew(crew_id)
        if crew_id in running:
            raise Conflict(f"{crew.name} already drives a round.", crew=crew.name)
        if crew.status == "not_available":
            raise Invalid(f"{crew.name} is off duty and cannot be sent.", field="crew_ids")
    wanted = {skill for incident in incidents for skill in incident.required_skills}
    crews, until = [], []
    for crew in world.crews():
        chosen = crew.id in ask.crew_ids if ask.crew_ids else crew.status == "available"
        left_s = _left_s(world, now, crew)
        useful = not wanted or bool(wanted & set(crew.skills))
        if chosen and useful and crew.id not in running and left_s > policy.rounds.work_s:
            crews.append((crew, _where(world, crew)))
            until.append(left_s)
    if not crews:
        raise Conflict("No crew on duty can drive this round. Choose another.")
    vehicles = tuple(policy.vehicle_of(crew.vehicle) for crew, _ in crews)
    return Task(tuple(crews), incidents, tuple(until), vehicles)


def profile_of(vehicle: Vehicle | None) -> str:
    """A name for the roads that this vehicle can use; one that no table names uses all."""
    return vehicle.kind if vehicle else ""


def _where(world: World, crew: Crew) -> Point:
    fix = world.fixes().get(crew.id)
    return Point(*fix.here) if fix else Point(crew.station_lon, crew.station_lat)


def _left_s(world: World, now: datetime, crew: Crew) -> float:
    """Seconds the crew can still drive a round: the longest one, or to the end of its shift."""
    longest = world.policy.rounds.longest_h * 3600.0
    if crew.shift_ends_at is None:
        return longest
    last = gates.last_end(crew.shift_ends_at, world.policy.gates)
    return min(longest, (last - now).total_seconds())


def problem_of(task: Task, seconds: Mapping[str, Floats], *, city: City) -> dict[str, Any]:
    """The question to the worker: places by their row in `seconds`, skills by number.

    `seconds` has a table for each of the task's profiles, shape (n, n).
    """
    rule = city.policy.rounds
    names = sorted({skill for incident in task.incidents for skill in incident.required_skills})
    number = {name: index for index, name in enumerate(names)}
    oldest = min(incident.received_at for incident in task.incidents)
    newest = max(incident.received_at for incident in task.incidents)
    span_s = max(1.0, (newest - oldest).total_seconds())
    crews = [
        {
            "at": at,
            "profile": profile_of(task.vehicles[at]),
            "skills": [number[name] for name in crew.skills if name in number],
            "until_s": until_s,
            "most": rule.most_stops,
        }
        for at, ((crew, _), until_s) in enumerate(zip(task.crews, task.until_s, strict=True))
    ]
    jobs = [
        {
            "at": len(crews) + at,
            "work_s": rule.work_s,
            "skills": [number[name] for name in incident.required_skills],
            # who waits longest is left out last
            "priority": round(100 * (newest - incident.received_at).total_seconds() / span_s),
        }
        for at, incident in enumerate(task.incidents)
    ]
    # a place without any road has no numbers; JSON has no infinity
    tables = {
        profile: np.where(np.isfinite(table), table, 1e9).round(1).tolist()
        for profile, table in seconds.items()
    }
    return {"seconds": tables, "jobs": jobs, "crews": crews, "search_s": rule.search_s}


@dataclass(frozen=True, slots=True)
class Draft:
    """A tour not recorded yet: its stops in order, the seconds of each drive, metres of all."""

    crew_id: UUID
    incident_ids: tuple[UUID, ...]
    drive_s: tuple[float, ...]
    planned_m: float
    work_s: float


def draft_of(
    city: City, task: Task, tour: Mapping[str, Any], seconds: Mapping[str, Floats]
) -> Draft:
    """A tour in our own words, with the metres of its drives."""
    at = int(tour["crew"])
    (crew, place), vehicle = task.crews[at], task.vehicles[at]
    table, roads = seconds[profile_of(vehicle)], roads_of(city, vehicle)
    metres, drive_s = 0.0, []
    for job in tour["jobs"]:
        incident = task.incidents[job]
        following, there = len(task.crews) + int(job), Point(incident.lon, incident.lat)
        way = roads.route(place, there)
        metres += way.length_m if way else 0.0
        drive_s.append(float(table[at, following]))
        at, place = following, there
    return Draft(
        crew_id=crew.id,
        incident_ids=tuple(task.incidents[job].id for job in tour["jobs"]),
        drive_s=tuple(drive_s),
        planned_m=round(metres, 1),
        work_s=city.policy.rounds.work_s,
    )


def propose(
    world: World,
    now: datetime,
    actor: Actor,
    drafts: Sequence[Draft],
    *,
    graph: str,
    because: Mapping[str, Any],
    outlook: Outlook | None = None,
) -> list[Round]:
    """Record the tours; they replace what was proposed before. Stops lost meanwhile are left out.

    `outlook` says how sure the drives are, else the policy does.

    Raises Conflict when nothing is left of them.
    """
    for older in world.open_rounds():
        if older.status == "proposed":
            actions.cancel_round(world, now, actor, older.id, reason="planned anew")
    driving = {r.crew_id for r in world.open_rounds()}
    taken = {incident_id for r in world.open_rounds() for incident_id in r.waiting}
    sure = (outlook or outlook_by(world.policy)).rolling
    made = []
    for draft in drafts:
        stops = _stops(world, now, draft, taken, sure)
        if not stops or draft.crew_id in driving:
            continue
        round_ = actions.propose_round(
            world,
            now,
            actor,
            draft.crew_id,
            stops=stops,
            planned_s=round(sum(draft.drive_s) + len(stops) * draft.work_s, 1),
            planned_m=draft.planned_m,
            graph=graph,
            because=because,
        )
        made.append(round_)
    if not made:
        raise Conflict("Meanwhile the routine work was taken care of otherwise.")
    return made


def _stops(world: World, now: datetime, draft: Draft, taken: set[UUID], sure: Spread) -> list[Stop]:
    stops: list[Stop] = []
    driven_s = 0.0
    for incident_id, seconds in zip(draft.incident_ids, draft.drive_s, strict=True):
        driven_s += seconds
        incident = world.incident(incident_id)
        if incident_id not in taken and rounds.may_join(world.policy, incident):
            worked_s = len(stops) * draft.work_s
            stops.append(
                rounds.planned_stop(
                    incident_id, now, driven_s=driven_s, worked_s=worked_s, sure=sure
                )
            )
    return stops
