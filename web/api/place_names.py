"""Names that pins teach: what a citizen typed becomes a name of the place a dispatcher set."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from fastapi import APIRouter, Response

from dispatch import actions
from dispatch.core.errors import Invalid
from dispatch.core.reports import Report
from dispatch.core.world import World
from dispatch.storage import known
from dispatch.storage.store import StoredWorld
from dispatch.system import City
from geo.coordinates import read_coordinates
from geo.geocoding import ACCEPT
from geo.known_places import KnownPlace, may_be_named
from geo.point import Box, Point, distance_m
from web import shapes, wishes
from web.accounts import Principal
from web.api.deeds import carry_out
from web.auth import Dispatcher, TheCity, TheStep, TheSystem

router = APIRouter(prefix="/api/{city}/reports/{report_id}", tags=["reports"])

NAMED = shapes.answers(shapes.Named)
_EARTH = Box(-180.0, -90.0, 180.0, 90.0)
SAME_M = 150.0
"""A text that is found this near to the pin needs no name of its own."""


@router.post("/remember-place", responses=NAMED)
def remember_place(
    city: TheCity,
    report_id: UUID,
    wish: wishes.Nothing,
    who: Dispatcher,
    step: TheStep,
    system: TheSystem,
) -> Response:
    """What this citizen typed is from now on a name of the place where the pin is."""

    def action(world: World, now: datetime) -> Report:
        report = world.report(report_id)
        typed = typed_of(world, report)
        if typed is None:
            raise Invalid(
                "Nothing was typed here that could be a name: it must name a place, "
                "hold no phone number, and not be secret.",
                field="place_typed",
            )
        return _remember(world, now, who, report, typed)

    response = carry_out(system, who, step, action, render=_named)
    look_again(city)
    return response


@router.post("/forget-place", responses=NAMED)
def forget_place(
    city: TheCity,
    report_id: UUID,
    wish: wishes.MaybeBecause,
    who: Dispatcher,
    step: TheStep,
    system: TheSystem,
) -> Response:
    """Take back the name that was remembered from this report."""

    def action(world: World, now: datetime) -> Report:
        return _forget(world, now, who, world.report(report_id), reason=wish.reason)

    response = carry_out(system, who, step, action, render=_named)
    look_again(city)
    return response


def learn(world: World, now: datetime, who: Principal, city: City, report: Report) -> Report:
    """After a pin was set by hand: remember what was typed, unless it is found there anyway."""
    if report.alias_id is not None:
        report = _forget(world, now, who, report, reason="moved")
    typed = typed_of(world, report)
    if typed is None or city.known is None or report.lon is None or report.lat is None:
        return report
    found = city.geocoder.search(typed, limit=1)
    pin = Point(report.lon, report.lat)
    if found and found[0].confidence >= ACCEPT and distance_m(found[0].point, pin) < SAME_M:
        return report
    return _remember(world, now, who, report, typed)


def look_again(city: City) -> None:
    """Let the next search of this process see what was just written."""
    if city.known is not None:
        city.known.forget_time()


def typed_of(world: World, report: Report) -> str | None:
    """What the citizen typed about the place, where it can be a name for others to use."""
    personal = world.personal(report.id)
    typed = (personal.place_typed or "").strip() if personal and not report.secret else ""
    if not typed or not may_be_named(typed):
        return None
    return None if read_coordinates(typed, box=_EARTH) else typed


def _remember(world: World, now: datetime, who: Principal, report: Report, typed: str) -> Report:
    report = actions.remember_place(world, now, who.actor, report.id)
    assert report.lon is not None
    assert report.lat is not None
    assert report.alias_id is not None
    stored = cast(StoredWorld, world)
    place = KnownPlace(
        "alias",
        typed,
        report.place_label or typed,
        Point(report.lon, report.lat),
        report.radius_m or known.ASSET_RADIUS_M,
        report.ward,
        report.district,
    )
    # The report's own row must stand first: the name points at it.
    known.remember(
        stored.connection,
        who.city_id,
        place,
        alias_id=report.alias_id,
        report_id=report.id,
        now=now,
        by=str(who.actor),
    )
    return report


def _forget(
    world: World, now: datetime, who: Principal, report: Report, *, reason: str | None
) -> Report:
    alias_id = report.alias_id
    report = actions.forget_place(world, now, who.actor, report.id, reason=reason)
    if alias_id is not None:
        stored = cast(StoredWorld, world)
        known.forget(stored.connection, who.city_id, alias_id, now=now, by=str(who.actor))
    return report


def _named(world: World, report: Report) -> dict[str, Any]:
    return {"alias_id": str(report.alias_id) if report.alias_id else None}
