"""From words to places and from places to words, before anybody commits to one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from dispatch.core.errors import Invalid
from dispatch.storage import known
from geo.point import Box, Point, distance_m
from web import shapes
from web.api.deeds import json
from web.auth import TheCity, TheSystem
from web.errors import language
from web.limits import door

router = APIRouter(prefix="/api/{city}", tags=["places"], dependencies=[Depends(door("geocode"))])

WIDEST_M = 3_000.0
MOST_ASSETS = 500

NearLon = Annotated[float | None, Query(ge=-180, le=180, allow_inf_nan=False)]
NearLat = Annotated[float | None, Query(ge=-90, le=90, allow_inf_nan=False)]
MustLon = Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)]
MustLat = Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)]


@router.get("/geocode", responses=shapes.answers(shapes.FoundPlaces))
def geocode(
    request: Request,
    city: TheCity,
    q: Annotated[str, Query(min_length=1, max_length=200)],
    lon: NearLon = None,
    lat: NearLat = None,
) -> Response:
    """Proposals for an address, a landmark, coordinates or a map link; nearer ones first."""
    near = Point(lon, lat) if lon is not None and lat is not None else None
    found = city.geocoder.search(q, near=near, limit=5, language=language(request))
    candidates: list[dict[str, Any]] = [
        {
            "lon": each.point.lon,
            "lat": each.point.lat,
            "label": each.label,
            "kind": each.kind,
            "radius_m": each.radius_m,
            "confidence": each.confidence,
            "reason": each.reason,
            "ward": each.ward,
            "district": each.district,
        }
        for each in found
    ]
    return json({"candidates": candidates})


@router.get("/assets", responses=shapes.answers(shapes.Assets))
def assets(
    city: TheCity, system: TheSystem, west: MustLon, south: MustLat, east: MustLon, north: MustLat
) -> Response:
    """Numbered lamp poles, trees and the like within a small box, to pick on the map."""
    if west > east or south > north:
        raise Invalid("A box needs west ≤ east and south ≤ north.", field="west")
    box = Box(west, south, east, north)
    if distance_m(Point(west, south), Point(east, north)) > WIDEST_M:
        raise Invalid(f"Ask for at most {WIDEST_M / 1000:g} km at once; zoom in.", field="east")
    with system.reading(city.id) as connection:
        found = known.assets_in(connection, city.id, box, limit=MOST_ASSETS)
    return json(
        {
            "assets": [
                {
                    "code": each.code,
                    "sort": each.sort,
                    "label": each.label,
                    "lon": each.point.lon,
                    "lat": each.point.lat,
                }
                for each in found
            ]
        }
    )


@router.get("/reverse", responses=shapes.answers(shapes.Phrase))
def reverse(request: Request, city: TheCity, lon: MustLon, lat: MustLat) -> Response:
    """The place in words, its ward, and whether the city is served there."""
    point = Point(lon, lat)
    phrase = city.geocoder.reverse(point, language=language(request))
    area = city.areas.attribute(point)
    return json(
        {
            "label": phrase.text if phrase else None,
            "ward": area.ward if area else None,
            "district": area.district if area else None,
            "covered": city.areas.covers(point),
        }
    )
