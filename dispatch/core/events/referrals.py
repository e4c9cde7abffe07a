"""What can happen to a referral."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from dispatch.core.events.envelope import Fact


@dataclass(frozen=True, slots=True)
class ReferralMade(Fact):
    """The incident was handed to the agency responsible."""

    incident_id: UUID
    agency_id: str


@dataclass(frozen=True, slots=True)
class ReferralAccepted(Fact):
    """The agency takes it."""


@dataclass(frozen=True, slots=True)
class ReferralRefused(Fact):
    """The agency says it is not theirs."""

    reason: str


@dataclass(frozen=True, slots=True)
class ReferralFinished(Fact):
    """The agency's part is done."""

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ReferralWithdrawn(Fact):
    """The referral was taken back."""

    reason: str
