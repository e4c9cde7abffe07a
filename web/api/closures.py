"""Roads that cannot be driven: who closes and opens them, and who must know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from dispatch import actions
from dispatch.core.closures import Closure
from dispatch.core.errors import Invalid
from dispatch.core.events import Stretch
from dispatch.core.log import plain, wire_view
from dispatch.core.world import World
from dispatch.system.cities import City
from geo.point import BadPoint, Point, distance_m
from web import shapes, wishes
from web.api.deeds import carry_out, json
from web.auth import Driver, TheCity, TheStep, TheSystem, Watcher

router = APIRouter(prefix="/api/{city}/closures", tags=["closures"])

FARTHEST_M = 5_000.0
"""A drawn line stays within the city's map and so much around it."""

HAPPENED = shapes.answers(shapes.Happened)
_PAIR = r"-?\d{1,3}(\.\d{1,12})?,-?\d{1,2}(\.\d{1,12})?"


@router.get("", responses=shapes.answers(shapes.Closures))
def closures(city: TheCity, who: Driver, system: TheSystem) -> Response:
    """The closures in force."""
    with system.looking(city.id) as world:
        return json({"closures": [wire_view(each) for each in world.active_closures()]})


@router.get("/preview", responses=shapes.answers(shapes.ClosurePreview))
def preview(
    city: TheCity,
    who: Watcher,
    system: TheSystem,
    line: Annotated[
        str,
        Query(pattern=rf"^{_PAIR}(;{_PAIR})*$", max_length=8000, description="lon,lat;lon,lat;…"),
    ],
    width_m: wishes.ClosureWidth = wishes.CLOSURE_WIDTH_M,
) -> Response:
    """Which pieces of road a drawn line would close; nothing is closed."""
    points = [pair.split(",") for pair in line.split(";")]
    found = system.stretches_along(
        city.id,
        _on_map(city, [(float(lon), float(lat)) for lon, lat in points]),
        within_m=width_m,
    )
    return json(
        {
            "stretches": plain(found),
            "names": sorted({each.name for each in found} - {""}),
            "length_m": round(sum(_length_m(each) for each in found), 1),
        }
    )


def _on_map(city: City, places: Sequence[Sequence[float]]) -> list[Point]:
    """The places, all on the city's map. Raises Invalid otherwise."""
    try:
        points = [Point(lon, lat) for lon, lat in places]
    except BadPoint as error:
        raise Invalid("This is no place on earth. Check longitude and latitude.") from error
    if not all(city.box.padded(FARTHEST_M).contains(point) for point in points):
        raise Invalid("This line leaves the city's map. Draw it within the city.")
    return points


def _length_m(stretch: Stretch) -> float:
    return distance_m(Point(stretch.u_lon, stretch.u_lat), Point(stretch.v_lon, stretch.v_lat))


@router.post("", responses=HAPPENED)
def close_road(
    city: TheCity, wish: wishes.CloseRoad, who: Watcher, step: TheStep, system: TheSystem
) -> Response:
    """Close the roads along a drawn line, or around a point, until somebody lifts it."""
    # Roads are asked before the step; a repeated request needs no answer from them.
    stretches = system.stretches_along(city.id, _on_map(city, wish.points), within_m=wish.width_m)

    def action(world: World, now: datetime) -> Closure:
        return actions.close_road(
            world,
            now,
            who.actor,
            stretches,
            reason=wish.reason,
            service_code=wish.service_code,
            incident_id=wish.incident_id,
            note=wish.note,
        )

    return carry_out(system, who, step, action, render=_shown)


def _shown(_: World, closure: Closure) -> dict[str, Any]:
    return {"closure": wire_view(closure)}


@router.post("/{closure_id}/lift", responses=HAPPENED)
def lift_closure(
    closure_id: UUID, wish: wishes.Because, who: Watcher, step: TheStep, system: TheSystem
) -> Response:
    """The road is open again."""

    def action(world: World, now: datetime) -> Closure:
        return actions.lift_closure(world, now, who.actor, closure_id, reason=wish.reason)

    return carry_out(system, who, step, action, render=_shown)
