"""How far a crew comes in so many minutes, as areas for the map."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from dispatch.core.errors import Invalid
from geo.point import Point
from web import shapes, why
from web.api.deeds import json
from web.auth import TheCity, TheSystem, Watcher
from web.errors import Problem

router = APIRouter(prefix="/api/{city}", tags=["coverage"])

USUAL = (5.0, 10.0, 20.0)
LONGEST_MIN = 60.0


@router.get("/reach", responses=shapes.answers(why.Reach))
def reach(
    city: TheCity,
    who: Watcher,
    system: TheSystem,
    crew: Annotated[UUID | None, Query(description="from where it is, by its vehicle")] = None,
    lon: Annotated[float | None, Query(ge=-180, le=180, allow_inf_nan=False)] = None,
    lat: Annotated[float | None, Query(ge=-90, le=90, allow_inf_nan=False)] = None,
    minutes: Annotated[list[float] | None, Query(max_length=6)] = None,
) -> Response:
    """The areas reached by road in 5, 10 and 20 minutes from a crew or a place, as it is now."""
    limits = minutes or list(USUAL)
    if any(not 0 < limit <= LONGEST_MIN for limit in limits):
        raise Invalid("A drive takes between 0 and 60 minutes here.", field="minutes")
    if (lon is None) != (lat is None):
        raise Invalid("A post needs both longitude and latitude.", field="lon")
    found = system.reach(city.id, _start(city, system, crew, lon, lat), limits, crew_id=crew)
    return json({"crew_id": None if crew is None else str(crew), **found})


def _start(
    city: TheCity, system: TheSystem, crew: UUID | None, lon: float | None, lat: float | None
) -> Point:
    if lon is not None and lat is not None:
        return Point(lon, lat)
    if crew is None:
        raise Invalid("Name a crew or a place to start from.", field="crew")
    with system.looking(city.id) as world:
        world.crew(crew)
    fix = system.newest_fix(city.id, crew)
    if fix is None:
        raise Problem(409, "no_position")
    return Point(fix.lon, fix.lat)
