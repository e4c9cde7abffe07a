"""Which cities this server serves, and what a screen must know about one."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from dispatch.core import run_cards
from dispatch.core.policy import Policy
from dispatch.system import City, numbered_kinds
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
        "positions": {
            "live_s": policy.positions.live_s,
            "stale_s": policy.matching.stale_fix_s,
            "lost_s": policy.positions.lost_s,
            "low_battery": policy.positions.low_battery,
        },
        "gates": {
            "shift_h": policy.gates.shift_h,
            "overtime_s": policy.gates.overtime_s,
            "longest_duty_h": policy.gates.longest_duty_h,
            "rest_h": policy.gates.rest_h,
            "least_members": policy.gates.least_members,
        },
        "diversion": {
            "enabled": policy.diversion.enabled,
            "lock_s": policy.diversion.lock_s,
            "priorities": list(policy.diversion.priorities),
        },
        "services": [
            {
                "service_code": service.service_code,
                "name": service.name,
                "name_en": service.name_en,
                "icon": service.icon,
                "priority": service.priority,
                "agency_id": service.agency_id,
                "group": service.group,
                "alarm_levels": _alarm_levels(policy, service.service_code),
                "closes_road_m": service.closes_road_m,
                "assets": numbered_kinds(city, service.service_code),
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
        "routine_services": list(policy.rounds.services),
        "decline_reasons": [
            {"code": choice.code, "name": choice.name, "name_en": choice.name_en}
            for choice in policy.declines.values()
        ],
        "vehicles": [
            {
                "kind": vehicle.kind,
                "name": vehicle.name,
                "name_en": vehicle.name_en,
                "keywords": list(vehicle.keywords),
                "avoids": list(vehicle.avoids),
            }
            for vehicle in policy.vehicles.values()
        ],
        "attribution": city.attribution,
    }


def _alarm_levels(policy: Policy, service_code: str) -> list[dict[str, Any]]:
    """For each level what it asks for in all, with the levels below it."""
    highest = run_cards.highest_level(policy, service_code)
    return [
        {
            "alarm_level": level,
            "slots": [
                {"skills": list(slot.skills), "equipment": list(slot.equipment)}
                for slot in run_cards.slots(policy, service_code, level)
            ],
        }
        for level in range(1, highest + 1)
    ]
