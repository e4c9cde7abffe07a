"""Which cities this server serves, and what a screen must know about one."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from dispatch.system import City
from web import shapes
from web.auth import TheCity, TheSystem

router = APIRouter(tags=["cities"])


@router.get("/api/cities", responses=shapes.answers(list[shapes.CityName]))
def cities(system: TheSystem) -> list[dict[str, str]]:
    """Every city served here."""
    return [{"id": city.id, "name": city.name} for city in system.cities()]


@router.get("/api/{city}", responses=shapes.answers(shapes.CityView))
def city(request: Request, city: TheCity) -> dict[str, Any]:
    """Map, categories, agencies and codes of one city."""
    accounts = getattr(request.app.state, "demo_accounts", {}).get(city.id)
    return {**city_view(city), "demo": {"accounts": accounts} if accounts else None}


def city_view(city: City) -> dict[str, Any]:
    """What every screen of the city needs first. `bbox` is west, south, east, north in degrees."""
    policy = city.policy
    return {
        "id": city.id,
        "name": city.name,
        "languages": list(city.languages),
        "center": {"lon": city.box.center.lon, "lat": city.box.center.lat},
        "bbox": list(city.box.bounds),
        "basemap": f"/tiles/{city.id}/{city.version}.pmtiles" if city.basemap else None,
        "target_s": policy.promise.target_s,
        "undo_s": policy.offers.undo_s,
        "stale_fix_s": policy.matching.stale_fix_s,
        "services": [
            {
                "service_code": service.service_code,
                "name": service.name,
                "name_en": service.name_en,
                "icon": service.icon,
                "priority": service.priority,
                "agency_id": service.agency_id,
                "group": service.group,
            }
            for service in policy.services.values()
        ],
        "agencies": [
            {"id": agency.agency_id, "name": agency.name, "name_en": agency.name_en}
            for agency in policy.agencies.values()
        ],
        "disposition_codes": [
            {
                "code": choice.code,
                "name": choice.name,
                "name_en": choice.name_en,
                "outcome": choice.outcome,
            }
            for choice in policy.dispositions.values()
        ],
        "decline_reasons": [
            {"code": choice.code, "name": choice.name, "name_en": choice.name_en}
            for choice in policy.declines.values()
        ],
        "attribution": city.attribution,
    }
