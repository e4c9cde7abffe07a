"""What an agency's officer answers to a referral: ours, not ours, or done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response

from dispatch import actions
from dispatch.core.errors import NotFound
from dispatch.core.referrals import Referral
from dispatch.core.world import World
from dispatch.system import Step, System
from web import shapes, wishes
from web.accounts import Principal
from web.api.deeds import carry_out
from web.auth import Officer, TheStep, TheSystem

router = APIRouter(prefix="/api/{city}/referrals/{referral_id}", tags=["referrals"])

HAPPENED = shapes.answers(shapes.Happened)


def _by_agency(
    system: System,
    who: Principal,
    step: Step,
    referral_id: UUID,
    deed: Callable[[World, datetime], Referral],
) -> Response:
    def action(world: World, now: datetime) -> Referral:
        referral = world.referral(referral_id)
        if who.role == "officer" and referral.agency_id != who.agency_id:
            raise NotFound("There is no such referral.", kind="referral")
        return deed(world, now)

    return carry_out(system, who, step, action)


@router.post("/accept", responses=HAPPENED)
def accept_referral(
    referral_id: UUID, _: wishes.MaybeBecause, who: Officer, step: TheStep, system: TheSystem
) -> Response:
    """The agency takes it."""

    def deed(world: World, now: datetime) -> Referral:
        return actions.accept_referral(world, now, who.actor, referral_id)

    return _by_agency(system, who, step, referral_id, deed)


@router.post("/refuse", responses=HAPPENED)
def refuse_referral(
    referral_id: UUID, wish: wishes.Because, who: Officer, step: TheStep, system: TheSystem
) -> Response:
    """It is not theirs, and why."""

    def deed(world: World, now: datetime) -> Referral:
        return actions.refuse_referral(world, now, who.actor, referral_id, reason=wish.reason)

    return _by_agency(system, who, step, referral_id, deed)


@router.post("/finish", responses=HAPPENED)
def finish_referral(
    referral_id: UUID, wish: wishes.MaybeBecause, who: Officer, step: TheStep, system: TheSystem
) -> Response:
    """The agency's part is done."""

    def deed(world: World, now: datetime) -> Referral:
        return actions.finish_referral(world, now, who.actor, referral_id, reason=wish.reason)

    return _by_agency(system, who, step, referral_id, deed)
