"""Who may be sent at all: on duty, in service, seen lately, rested, staffed, and free in time.

The gates look at one crew at one moment and know nothing of roads or of other crews. What an
incident needs of a crew (skills, equipment) is told by run cards; who is best is the matching's.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from dispatch.core.crews import Crew, Fix
from dispatch.core.policy import Gates, Policy

REASONS = (
    "off_duty",
    "out_of_service",
    "busy",
    "rest",
    "shift",
    "short_staffed",
    "no_position",
    "stale",
    "conditional",
)
"""Every answer of `unfit`, in the order in which they are asked.

`conditional` is the last: such a crew may go to the urgent work it is there for.
"""


def unfit(
    crew: Crew,
    fix: Fix | None,
    *,
    now: datetime,
    policy: Policy,
    priority: int | None = None,
    work_s: float | None = None,
    on_the_way: bool = False,
) -> str | None:
    """Why a crew may not be sent by itself now: one of `REASONS`, or None when it may.

    `priority` is the incident's: a conditionally available crew is asked for those in
    `diversion.conditional_for` only, and for none when it is not given. `work_s` is how long the
    work would bind the crew, in seconds from now to cleared; without it the policy's means.
    `on_the_way` asks about a crew that may be turned round: its work does not make it busy.
    """
    return (
        _absent(crew)
        or ("busy" if crew.assignment_id is not None and not on_the_way else None)
        or _spent(crew, now=now, policy=policy, work_s=work_s)
        or _unseen(fix, now=now, policy=policy)
        or _reserved(crew, policy=policy, priority=priority)
    )


def _absent(crew: Crew) -> str | None:
    if crew.status == "not_available":
        return "off_duty"
    return "out_of_service" if crew.out_of_service_reason is not None else None


def _reserved(crew: Crew, *, policy: Policy, priority: int | None) -> str | None:
    asked_for = policy.diversion.conditional_for
    if crew.status == "conditionally_available" and priority not in asked_for:
        return "conditional"
    return None


def _spent(crew: Crew, *, now: datetime, policy: Policy, work_s: float | None) -> str | None:
    if must_rest(crew, now, policy.gates):
        return "rest"
    if ends_too_late(crew, now, policy, work_s=work_s):
        return "shift"
    return "short_staffed" if present(crew) < least(crew, policy.gates) else None


def _unseen(fix: Fix | None, *, now: datetime, policy: Policy) -> str | None:
    if fix is None:
        return "no_position"
    age_s = (now - fix.fix_time).total_seconds()
    return "stale" if age_s > policy.matching.stale_fix_s else None


def must_rest(crew: Crew, now: datetime, gates: Gates) -> bool:
    """Whether the crew still rests, or was on duty longer than `longest_duty_h`."""
    if crew.rest_until is not None and crew.rest_until > now:
        return True
    longest = timedelta(hours=gates.longest_duty_h)
    return crew.on_duty_since is not None and now - crew.on_duty_since > longest


def ends_too_late(
    crew: Crew, now: datetime, policy: Policy, *, work_s: float | None = None
) -> bool:
    """Whether `work_s` seconds of work would likely end after the shift and its overtime."""
    if crew.shift_ends_at is None:
        return False
    if work_s is None:
        m = policy.matching
        work_s = m.turnout_s + m.mean_travel_s + m.mean_service_s
    return now + timedelta(seconds=work_s) > last_end(crew.shift_ends_at, policy.gates)


def last_end(shift_ends_at: datetime, gates: Gates) -> datetime:
    """The latest moment at which work of this shift may end."""
    return shift_ends_at + timedelta(seconds=gates.overtime_s)


def present(crew: Crew) -> int:
    """How many people are with the crew now."""
    return crew.members if crew.members_present is None else crew.members_present


def least(crew: Crew, gates: Gates) -> int:
    """How many people this crew needs to be sent: its own number or the city's, the larger."""
    return max(gates.least_members, crew.least_members or 0)
