"""From words to places and from places to words, before anybody commits to one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from dispatch.core.errors import Invalid
from dispatch.system import asset_of
from geo.assets_file import MOST_CODE
from geo.gazetteer_phrase import translated
from geo.geocoding import Language
from geo.known_places import KnownPlace
from geo.point import Box, Point, distance_m
from web import shapes
from web.api.deeds import json
from web.auth import TheCity
from web.errors import language
from web.limits import door

router = APIRouter(prefix="/api/{city}", tags=["places"], dependencies=[Depends(door("geocode"))])

assets_router = APIRouter(
    prefix="/api/{city}", tags=["places"], dependencies=[Depends(door("assets"))]
)

WIDEST_M = 1_500.0
MOST_ASSETS = 150
"""A map looks at one neighbourhood: the whole list is the department's to give away."""

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


@assets_router.get("/assets", responses=shapes.answers(shapes.Assets))
def assets(
    request: Request,
    city: TheCity,
    west: MustLon,
    south: MustLat,
    east: MustLon,
    north: MustLat,
    service: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    """Numbered lamp poles, trees and the like in a small box, nearest to its middle first.

    With a service only the kinds that it is about; `more` says that the box holds others.
    """
    if west > east or south > north:
        raise Invalid("A box needs west ≤ east and south ≤ north.", field="west")
    box = Box(west, south, east, north)
    if distance_m(Point(west, south), Point(east, north)) > WIDEST_M:
        raise Invalid(f"Ask for at most {WIDEST_M / 1000:g} km at once; zoom in.", field="east")
    kinds = city.policy.service(service).assets if service else ()
    found: list[KnownPlace] = []
    if city.known is not None and (kinds or not service):
        found = city.known.assets_in(box, kinds=kinds, limit=MOST_ASSETS + 1)
    shown = [_asset(each, language(request)) for each in found[:MOST_ASSETS]]
    return json({"assets": shown, "more": len(found) > MOST_ASSETS})


@assets_router.get("/assets/{code}", responses=shapes.answers(shapes.AssetView))
def asset(
    request: Request,
    city: TheCity,
    code: Annotated[str, Path(max_length=MOST_CODE)],
    service: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    """The one thing with this painted number; 422 says why it is not known or not alone."""
    return json(_asset(asset_of(city, code, service=service or None), language(request)))


def _asset(each: KnownPlace, language: Language) -> dict[str, Any]:
    return {
        "code": each.text,
        "sort": each.kind or "",
        "label": translated(each.label, language),
        "lon": each.point.lon,
        "lat": each.point.lat,
    }


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
