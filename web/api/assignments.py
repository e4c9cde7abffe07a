"""What a crew says about its work, step by step, and how it gets there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlalchemy import select, update

from dispatch import actions
from dispatch.core.arrival import metres_between, proves
from dispatch.core.assignments import Assignment
from dispatch.core.errors import NotFound
from dispatch.core.world import World
from dispatch.storage.store import StoredWorld
from dispatch.storage.tables import photo
from dispatch.system import System
from geo.point import Point
from web import photo_rows, shapes, wishes
from web.accounts import Principal
from web.api.deeds import carry_out, json
from web.auth import CrewMember, CrewOrWatcher, Dispatcher, TheCity, TheStep, TheSystem
from web.errors import Problem

router = APIRouter(prefix="/api/{city}/assignments/{assignment_id}", tags=["assignments"])

HAPPENED = shapes.answers(shapes.Happened)


def own(world: World, who: Principal, assignment_id: UUID) -> Assignment:
    """The crew's own assignment. Raises NotFound for another crew's, as if it were not there."""
    assignment = world.assignment(assignment_id)
    if who.role == "crew" and assignment.crew_id != who.crew_id:
        raise NotFound("There is no such assignment.", kind="assignment")
    return assignment


def _by_crew(
    system: System,
    who: Principal,
    step: TheStep,
    assignment_id: UUID,
    deed: Callable[[World, datetime], Assignment],
) -> Response:
    def action(world: World, now: datetime) -> Assignment:
        own(world, who, assignment_id)
        return deed(world, now)

    return carry_out(system, who, step, action)


@router.post("/withdraw", responses=HAPPENED)
def withdraw(
    assignment_id: UUID, wish: wishes.Because, who: Dispatcher, step: TheStep, system: TheSystem
) -> Response:
    """Take it back from the crew."""

    def action(world: World, now: datetime) -> Assignment:
        return actions.withdraw(world, now, who.actor, assignment_id, reason=wish.reason)

    return carry_out(system, who, step, action)


@router.post("/acknowledge", responses=HAPPENED)
def acknowledge(
    assignment_id: UUID, wish: wishes.Deed, who: CrewMember, step: TheStep, system: TheSystem
) -> Response:
    """The crew takes it."""

    def deed(world: World, now: datetime) -> Assignment:
        return actions.acknowledge(
            world, now, who.actor, assignment_id, device_time=wish.device_time
        )

    return _by_crew(system, who, step, assignment_id, deed)


@router.post("/decline", responses=HAPPENED)
def decline(
    assignment_id: UUID, wish: wishes.Decline, who: CrewMember, step: TheStep, system: TheSystem
) -> Response:
    """The crew cannot take it; the reason is one of the city's codes."""

    def deed(world: World, now: datetime) -> Assignment:
        return actions.decline(
            world,
            now,
            who.actor,
            assignment_id,
            reason=wish.reason,
            text=wish.text,
            device_time=wish.device_time,
        )

    return _by_crew(system, who, step, assignment_id, deed)


@router.post("/en-route", responses=HAPPENED)
def en_route(
    assignment_id: UUID, wish: wishes.Deed, who: CrewMember, step: TheStep, system: TheSystem
) -> Response:
    """The crew is on its way."""

    def deed(world: World, now: datetime) -> Assignment:
        return actions.en_route(world, now, who.actor, assignment_id, device_time=wish.device_time)

    return _by_crew(system, who, step, assignment_id, deed)


@router.post("/on-scene", responses=HAPPENED)
def on_scene(
    assignment_id: UUID, wish: wishes.OnScene, who: CrewMember, step: TheStep, system: TheSystem
) -> Response:
    """The crew is there; how far from the incident it pressed the button stays with it."""

    def deed(world: World, now: datetime) -> Assignment:
        return actions.on_scene(
            world,
            now,
            who.actor,
            assignment_id,
            distance_m=_distance(world, now, assignment_id, wish),
            mock=_made_up(world, assignment_id),
            device_time=wish.device_time,
        )

    return _by_crew(system, who, step, assignment_id, deed)


def _made_up(world: World, assignment_id: UUID) -> bool:
    """Whether the crew's newest position was made up by an app."""
    fix = world.fixes().get(world.assignment(assignment_id).crew_id)
    return fix is not None and fix.mock


def _distance(
    world: World, now: datetime, assignment_id: UUID, wish: wishes.OnScene
) -> float | None:
    """Metres from the incident, by the phone's position or else by a fresh fix."""
    assignment = world.assignment(assignment_id)
    incident = world.incident(assignment.incident_id)
    lon, lat = wish.lon, wish.lat
    if lon is None or lat is None:
        fix = world.fixes().get(assignment.crew_id)
        stale = timedelta(seconds=world.policy.matching.stale_fix_s)
        if fix is None or now - fix.fix_time > stale:
            return None
        lon, lat = fix.lon, fix.lat
    return round(metres_between(lon, lat, incident.lon, incident.lat), 1)


@router.post("/note", responses=HAPPENED)
def write_note(
    assignment_id: UUID, wish: wishes.Note, who: CrewMember, step: TheStep, system: TheSystem
) -> Response:
    """What the crew found or did."""

    def deed(world: World, now: datetime) -> Assignment:
        return actions.write_note(world, now, who.actor, assignment_id, text=wish.text)

    return _by_crew(system, who, step, assignment_id, deed)


@router.post("/photos", responses=HAPPENED)
def add_photo(
    assignment_id: UUID, wish: wishes.Photo, who: CrewMember, step: TheStep, system: TheSystem
) -> Response:
    """A picture before or after the work; taken there, it also proves the arrival."""

    def deed(world: World, now: datetime) -> Assignment:
        assignment = actions.add_photo(
            world, now, who.actor, assignment_id, photo_id=wish.photo_id, moment=wish.kind
        )
        if not _claimed(world, wish.photo_id, assignment):
            raise Problem(404, "no_photo")
        if assignment.status == "on_scene" and _proves(world, wish.photo_id, assignment):
            return actions.grade_evidence(world, now, who.actor, assignment_id, evidence="photo")
        return assignment

    return _by_crew(system, who, step, assignment_id, deed)


def _claimed(world: World, photo_id: UUID, assignment: Assignment) -> bool:
    """Make the crew's photo the assignment's; False when it is not here, or not this crew's."""
    connection = cast(StoredWorld, world).connection
    kept = photo_rows.find(connection, world.city_id, photo_id)
    if kept is None:
        return False
    owner = (kept.owner_kind, kept.owner_id)
    if owner == ("crew", assignment.crew_id):
        where = (photo.c.city_id == world.city_id) & (photo.c.id == photo_id)
        values = {"owner_kind": "assignment", "owner_id": assignment.id}
        connection.execute(update(photo).where(where).values(values))
        return True
    return owner == ("assignment", assignment.id)


def _proves(world: World, photo_id: UUID, assignment: Assignment) -> bool:
    """Whether the camera wrote into the photo that it was taken there, and then."""
    connection = cast(StoredWorld, world).connection
    where = (photo.c.city_id == world.city_id) & (photo.c.id == photo_id)
    found = select(photo.c.lon, photo.c.lat, photo.c.taken_at).where(where)
    lon, lat, taken_at = connection.execute(found).one()
    if lon is None or lat is None:
        return False
    incident = world.incident(assignment.incident_id)
    return proves(
        distance_m=metres_between(lon, lat, incident.lon, incident.lat),
        taken_at=taken_at,
        arrived_at=assignment.arrived_at,
        rule=world.policy.arrival,
    )


@router.post("/clear", responses=HAPPENED)
def clear(
    assignment_id: UUID, wish: wishes.Clear, who: CrewMember, step: TheStep, system: TheSystem
) -> Response:
    """The crew is done, and how it ended."""

    def deed(world: World, now: datetime) -> Assignment:
        return actions.clear(
            world,
            now,
            who.actor,
            assignment_id,
            disposition_code=wish.disposition_code,
            note=wish.note,
            device_time=wish.device_time,
        )

    return _by_crew(system, who, step, assignment_id, deed)


@router.get("/route", responses=shapes.answers(shapes.RouteView))
def route(
    city: TheCity,
    assignment_id: UUID,
    who: CrewOrWatcher,
    system: TheSystem,
    lon: Annotated[float | None, Query(ge=-180, le=180, allow_inf_nan=False)] = None,
    lat: Annotated[float | None, Query(ge=-90, le=90, allow_inf_nan=False)] = None,
) -> Response:
    """The drive to the incident, from the position given or else from the crew's newest fix."""
    with system.looking(city.id) as world:
        assignment = own(world, who, assignment_id)
        incident = world.incident(assignment.incident_id)
    fix = system.newest_fix(city.id, assignment.crew_id)
    start = Point(*fix.here) if fix else None
    end = Point(incident.lon, incident.lat)
    if lon is not None and lat is not None:
        start = Point(lon, lat)
    if start is None:
        raise Problem(409, "no_position")
    found = system.route(city.id, start, end, crew_id=assignment.crew_id)
    if found is None:
        raise Problem(409, "unreachable")
    rolling = system.etas(city.id).outlook({}, system.now()).rolling
    return json(
        {
            "points": [[round(p.lon, 6), round(p.lat, 6)] for p in found.points],
            "length_m": round(found.length_m, 1),
            "duration_s": round(found.duration_s, 1),
            "p90_duration_s": round(rolling.quantile_s(found.duration_s, 0.9), 1),
            "steps": [
                {
                    "name": each.name,
                    "length_m": round(each.length_m, 1),
                    "duration_s": round(each.duration_s, 1),
                    "turn": each.turn,
                    "lon": round(each.point.lon, 6),
                    "lat": round(each.point.lat, 6),
                }
                for each in found.steps
            ],
        }
    )
