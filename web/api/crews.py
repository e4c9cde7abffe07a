"""What is said of a crew beside its work: its shift, people and tools, positions, pairing."""

from __future__ import annotations

import math
from datetime import datetime
from urllib.parse import quote
from uuid import UUID

import segno
from fastapi import APIRouter, Request, Response

from dispatch import actions
from dispatch.core.crews import Crew, Fix, Shift
from dispatch.core.world import World
from web import accounts, shapes, wishes
from web.accounts import Principal
from web.api.deeds import carry_out, json, moment
from web.auth import (
    CrewMember,
    CrewOrDispatcher,
    CrewOrWatcher,
    Dispatcher,
    TheCity,
    TheSettings,
    TheStep,
    TheSystem,
    TheViewers,
    Watcher,
)
from web.errors import Problem

router = APIRouter(prefix="/api/{city}/crews/{crew_id}", tags=["crews"])

HAPPENED = shapes.answers(shapes.Happened)


def may_speak_for(who: Principal, crew_id: UUID) -> None:
    if who.role == "crew" and who.crew_id != crew_id:
        raise Problem(403, "forbidden")


@router.post("/status", responses=HAPPENED)
def set_status(
    crew_id: UUID,
    wish: wishes.CrewStatus,
    who: CrewOrDispatcher,
    viewers: TheViewers,
    step: TheStep,
    system: TheSystem,
) -> Response:
    """Sign the crew on or off; a dispatcher may do it for any crew."""
    own = viewers.crew
    if own is not None and own.city_id == who.city_id and own.crew_id == crew_id:
        who = own
    may_speak_for(who, crew_id)

    def action(world: World, now: datetime) -> Crew:
        return actions.set_crew_status(
            world,
            now,
            who.actor,
            crew_id,
            status=wish.status,
            reason=wish.reason,
            shift=Shift(wish.shift_ends_at, wish.members_present, wish.relieved),
        )

    return carry_out(system, who, step, action)


@router.post("/shift", responses=HAPPENED)
def set_shift(
    crew_id: UUID, wish: wishes.CrewShift, who: Watcher, step: TheStep, system: TheSystem
) -> Response:
    """Until when the crew works, or rests."""

    def action(world: World, now: datetime) -> Crew:
        return actions.set_shift(
            world,
            now,
            who.actor,
            crew_id,
            shift_ends_at=wish.shift_ends_at,
            rest_until=wish.rest_until,
        )

    return carry_out(system, who, step, action)


@router.post("/staff", responses=HAPPENED)
def staff_crew(
    crew_id: UUID, wish: wishes.CrewStaff, who: CrewOrWatcher, step: TheStep, system: TheSystem
) -> Response:
    """How many people are with the crew now, and how many it needs to be sent."""
    may_speak_for(who, crew_id)

    def action(world: World, now: datetime) -> Crew:
        least = world.crew(crew_id).least_members if who.role == "crew" else wish.least_members
        return actions.staff_crew(
            world,
            now,
            who.actor,
            crew_id,
            members_present=wish.members_present,
            least_members=least,
        )

    return carry_out(system, who, step, action)


@router.post("/equipment", responses=HAPPENED)
def equip_crew(
    crew_id: UUID, wish: wishes.CrewEquipment, who: Watcher, step: TheStep, system: TheSystem
) -> Response:
    """What the crew has on its vehicle."""

    def action(world: World, now: datetime) -> Crew:
        return actions.equip_crew(world, now, who.actor, crew_id, equipment=wish.equipment)

    return carry_out(system, who, step, action)


@router.post("/out-of-service", responses=HAPPENED)
def take_out_of_service(
    crew_id: UUID, wish: wishes.Because, who: CrewOrWatcher, step: TheStep, system: TheSystem
) -> Response:
    """The crew is sent nowhere until it is back: a broken vehicle, a lost tool."""
    may_speak_for(who, crew_id)

    def action(world: World, now: datetime) -> Crew:
        return actions.take_out_of_service(world, now, who.actor, crew_id, reason=wish.reason)

    return carry_out(system, who, step, action)


@router.post("/back-in-service", responses=HAPPENED)
def put_back_in_service(
    crew_id: UUID, _: wishes.Nothing, who: CrewOrWatcher, step: TheStep, system: TheSystem
) -> Response:
    """What kept the crew from work is over."""
    may_speak_for(who, crew_id)

    def action(world: World, now: datetime) -> Crew:
        return actions.put_back_in_service(world, now, who.actor, crew_id)

    return carry_out(system, who, step, action)


@router.post("/fixes", responses=shapes.answers(shapes.FixesTaken))
def take_fixes(
    city: TheCity, crew_id: UUID, wish: wishes.Fixes, who: CrewMember, system: TheSystem
) -> Response:
    """Positions of the crew's device, buffered ones too; each is judged on its own.

    A repeated batch changes nothing: a fix is known by its crew and its time.
    """
    may_speak_for(who, crew_id)
    now = system.clock()
    fixes = [_fix(each, crew_id, now, wish.device_time) for each in wish.fixes]
    refused = system.take_fixes(city.id, crew_id, fixes)
    return json(
        {
            "accepted": len(fixes) - len(refused),
            "refused": [{"index": index, "reason": reason} for index, reason in refused],
        }
    )


@router.post("/position-trouble", responses=HAPPENED)
def tell_position_trouble(
    crew_id: UUID, wish: wishes.PositionTrouble, who: CrewMember, step: TheStep, system: TheSystem
) -> Response:
    """The crew's phone cannot say where it is, and why; or it can again."""
    may_speak_for(who, crew_id)

    def action(world: World, now: datetime) -> Crew:
        return actions.tell_position_trouble(world, now, who.actor, crew_id, trouble=wish.trouble)

    return carry_out(system, who, step, action)


def _fix(wish: wishes.FixWish, crew_id: UUID, now: datetime, device_time: datetime | None) -> Fix:
    return Fix(
        crew_id=crew_id,
        lon=wish.lon,
        lat=wish.lat,
        fix_time=wish.fix_time,
        server_time=now,
        accuracy_m=_between(wish.accuracy_m, 0.0, 100_000.0),
        heading=_between(wish.heading, 0.0, 360.0),
        speed_ms=_between(wish.speed_ms, 0.0, 150.0),
        battery=_between(wish.battery, 0.0, 1.0),
        mock=bool(wish.mock),
        device_time=device_time,
    )


def _between(value: float | None, low: float, high: float) -> float | None:
    """The value, or None for what phones send when they do not know (-1, NaN)."""
    if value is None or not math.isfinite(value) or not low <= value <= high:
        return None
    return value


@router.post("/code", responses=shapes.answers(shapes.PairingCode))
def pairing_code(
    request: Request,
    city: TheCity,
    crew_id: UUID,
    _: wishes.Nothing,
    who: Dispatcher,
    step: TheStep,
    system: TheSystem,
    settings: TheSettings,
) -> Response:
    """A one-time code and its QR for the crew's device. Never stored: a repeat makes a new one."""
    made = accounts.new_code(system, city.id, crew_id)
    origin = settings.public_url or str(request.base_url).rstrip("/")
    link = f"{origin}/{quote(city.id)}/crew?code={made.code}"
    qr = segno.make(link, error="m", micro=False)
    return json(
        {
            "code": made.code,
            "link": link,
            "qr_svg": qr.svg_inline(scale=6, border=4, dark="#000", light="#fff"),
            "expires_at": moment(made.expires_at),
        }
    )
