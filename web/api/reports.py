"""What a dispatcher decides about a report: real, known, later, not ours, or nothing at all."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from dispatch import actions
from dispatch.core.reports import Report
from dispatch.core.world import World
from dispatch.system import City, Place, System
from web import shapes, wishes
from web.api import place_names
from web.api.deeds import carry_out, json, moment
from web.auth import Dispatcher, TheCity, TheStep, TheSystem, Watcher

router = APIRouter(prefix="/api/{city}/reports/{report_id}", tags=["reports"])

DECIDED = shapes.answers(shapes.Decided)


def _decided(world: World, report: Report) -> dict[str, Any]:
    return {"undo_until": moment(report.undo_until)}


@router.post("/verify", responses=DECIDED)
def verify_report(
    city: TheCity,
    report_id: UUID,
    wish: wishes.Verify,
    who: Dispatcher,
    step: TheStep,
    system: TheSystem,
) -> Response:
    """It is real and ours: opens an incident and refers it to the agency responsible."""
    place = _pin(system, city, wish.lon, wish.lat)

    def action(world: World, now: datetime) -> Report:
        if place is not None:
            report = _locate(world, now, who, report_id, place)
            place_names.learn(world, now, who, city, report)
        actions.verify_report(
            world,
            now,
            who.actor,
            report_id,
            service_code=wish.service_code,
            priority=wish.priority,
            reason=wish.reason,
        )
        return world.report(report_id)

    response = carry_out(system, who, step, action, render=_decided)
    if place is not None:
        place_names.look_again(city)
    return response


@router.post("/join", responses=DECIDED)
def join_report(
    report_id: UUID, wish: wishes.Join, who: Dispatcher, step: TheStep, system: TheSystem
) -> Response:
    """It speaks of an incident already known; the reporter keeps an own ticket."""

    def action(world: World, now: datetime) -> Report:
        actions.join_report(
            world, now, who.actor, report_id, incident_id=wish.incident_id, reason=wish.reason
        )
        return world.report(report_id)

    return carry_out(system, who, step, action, render=_decided)


@router.post("/postpone", responses=DECIDED)
def postpone_report(
    report_id: UUID, wish: wishes.Because, who: Dispatcher, step: TheStep, system: TheSystem
) -> Response:
    """It must wait; the reporter reads the reason."""
    return _put_aside(report_id, wish, who, step, system, verdict="postponed")


@router.post("/refuse", responses=DECIDED)
def refuse_report(
    report_id: UUID, wish: wishes.Because, who: Dispatcher, step: TheStep, system: TheSystem
) -> Response:
    """It is not our authority; the reason says whose it is."""
    return _put_aside(report_id, wish, who, step, system, verdict="not_our_authority")


@router.post("/archive", responses=DECIDED)
def archive_report(
    report_id: UUID, wish: wishes.Because, who: Dispatcher, step: TheStep, system: TheSystem
) -> Response:
    """Nothing will be done: a prank, a test, or not a report."""
    return _put_aside(report_id, wish, who, step, system, verdict="archived")


def _put_aside(
    report_id: UUID,
    wish: wishes.Because,
    who: Dispatcher,
    step: TheStep,
    system: System,
    *,
    verdict: str,
) -> Response:
    def action(world: World, now: datetime) -> Report:
        return actions.put_aside_report(
            world, now, who.actor, report_id, verdict=verdict, reason=wish.reason
        )

    return carry_out(system, who, step, action, render=_decided)


@router.post("/undo", responses=DECIDED)
def undo_decision(
    report_id: UUID, _: wishes.Nothing, who: Dispatcher, step: TheStep, system: TheSystem
) -> Response:
    """Take the last decision back, and all that followed from it, while the time allows."""

    def action(world: World, now: datetime) -> Report:
        return actions.undo_decision(world, now, who.actor, report_id)

    return carry_out(system, who, step, action, render=_decided)


@router.post("/locate", responses=DECIDED)
def locate_report(
    city: TheCity,
    report_id: UUID,
    wish: wishes.Locate,
    who: Dispatcher,
    step: TheStep,
    system: TheSystem,
) -> Response:
    """Put it on the map by hand; what the citizen typed stays as it was."""
    place = _pin(system, city, wish.lon, wish.lat)
    assert place is not None

    def action(world: World, now: datetime) -> Report:
        report = _locate(world, now, who, report_id, place)
        return place_names.learn(world, now, who, city, report) if wish.remember else report

    response = carry_out(system, who, step, action, render=_decided)
    place_names.look_again(city)
    return response


def _pin(system: System, city: City, lon: float | None, lat: float | None) -> Place | None:
    if lon is None and lat is None:
        return None
    return system.place_of(city.id, lon=lon, lat=lat, accuracy_m=None, typed=None)


def _locate(world: World, now: datetime, who: Dispatcher, report_id: UUID, place: Place) -> Report:
    assert place.lon is not None
    assert place.lat is not None
    return actions.locate_report(
        world,
        now,
        who.actor,
        report_id,
        lon=place.lon,
        lat=place.lat,
        radius_m=place.radius_m,
        place_label=place.label,
        ward=place.ward,
        district=place.district,
    )


@router.get("/similar", responses=shapes.answers(shapes.Similar))
def similar_reports(city: TheCity, report_id: UUID, who: Watcher, system: TheSystem) -> Response:
    """Reports and incidents that may speak of the same thing, most alike first."""
    return json(system.similar(city.id, report_id))
