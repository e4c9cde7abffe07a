"""A referral: an incident handed to the agency responsible for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from dispatch.core import events as ev
from dispatch.core.errors import WrongStatus
from dispatch.core.lifecycle import Lifecycle


@dataclass(frozen=True, slots=True)
class Referral:
    """One agency on one incident. Times are UTC."""

    id: UUID
    version: int
    changed_at: datetime
    incident_id: UUID
    agency_id: str
    status: str
    referred_at: datetime
    accepted_at: datetime | None = None
    finished_at: datetime | None = None
    reason: str | None = None

    kind = "referral"


LIFECYCLE = Lifecycle(
    kind="referral",
    first={"ReferralMade": "made"},
    table={
        ("made", "ReferralAccepted"): "accepted",
        ("made", "ReferralRefused"): "refused",
        ("accepted", "ReferralRefused"): "refused",
        ("made", "ReferralFinished"): "finished",
        ("accepted", "ReferralFinished"): "finished",
        ("made", "ReferralWithdrawn"): "withdrawn",
        ("accepted", "ReferralWithdrawn"): "withdrawn",
        ("refused", "ReferralWithdrawn"): "withdrawn",
        ("finished", "ReferralAccepted"): "accepted",
    },
    final=frozenset({"refused", "finished", "withdrawn"}),
)


def evolve(referral: Referral | None, event: ev.Event) -> Referral:
    """The referral after the event. Raises WrongStatus when the lifecycle forbids it."""
    status = LIFECYCLE.after(referral.status if referral else None, event.type)
    fact = event.fact
    if referral is None:
        assert isinstance(fact, ev.ReferralMade)
        return Referral(
            id=event.subject,
            version=event.version,
            changed_at=event.recorded_at,
            incident_id=fact.incident_id,
            agency_id=fact.agency_id,
            status=status,
            referred_at=event.at,
        )
    new = replace(referral, version=event.version, changed_at=event.recorded_at, status=status)
    match fact:
        case ev.ReferralAccepted():
            return replace(new, accepted_at=event.at, finished_at=None)
        case ev.ReferralRefused():
            return replace(new, reason=fact.reason, finished_at=event.at)
        case ev.ReferralFinished():
            return replace(new, reason=fact.reason, finished_at=event.at)
        case ev.ReferralWithdrawn():
            return replace(new, reason=fact.reason, finished_at=event.at)
    raise WrongStatus(f"{event.type} says nothing about a referral.", kind="referral")
