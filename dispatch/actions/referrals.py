"""What an agency does with what it was handed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from dispatch.actions.recording import record
from dispatch.core import events as ev
from dispatch.core.events import Actor
from dispatch.core.referrals import Referral
from dispatch.core.reports import required_reason
from dispatch.core.world import World


def accept_referral(world: World, now: datetime, actor: Actor, referral_id: UUID) -> Referral:
    """The agency takes it."""
    return record(world, now, actor, world.referral(referral_id), ev.ReferralAccepted())


def refuse_referral(
    world: World, now: datetime, actor: Actor, referral_id: UUID, *, reason: str
) -> Referral:
    """The agency says it is not theirs, and why."""
    fact = ev.ReferralRefused(required_reason(reason))
    return record(world, now, actor, world.referral(referral_id), fact)


def finish_referral(
    world: World, now: datetime, actor: Actor, referral_id: UUID, *, reason: str | None = None
) -> Referral:
    """The agency's part is done."""
    fact = ev.ReferralFinished(reason)
    return record(world, now, actor, world.referral(referral_id), fact)
