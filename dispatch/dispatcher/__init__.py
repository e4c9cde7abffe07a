"""What follows from what: triage, matching, expiring offers, telling of slipped arrivals."""

from __future__ import annotations

from datetime import datetime

from dispatch import actions
from dispatch.core.world import Timer, World
from dispatch.dispatcher.movement import follow_fix, notice, revise_etas
from dispatch.dispatcher.planning import (
    Question,
    RoadSeconds,
    act,
    candidates,
    estimate,
    estimate_of,
    needs,
    plan,
    plan_for,
    question,
    unfit,
)
from dispatch.dispatcher.triage import near_incidents, similar_reports, triage_report

__all__ = [
    "Question",
    "RoadSeconds",
    "act",
    "candidates",
    "estimate",
    "estimate_of",
    "follow_fix",
    "near_incidents",
    "needs",
    "notice",
    "plan",
    "plan_for",
    "question",
    "revise_etas",
    "run_timer",
    "similar_reports",
    "triage_report",
    "unfit",
]


def run_timer(world: World, now: datetime, timer: Timer) -> None:
    """Do what a timer asked for. An unknown kind is an error of the program."""
    if timer.kind == actions.TRIAGE:
        triage_report(world, now, timer.subject)
    elif timer.kind == actions.OFFER_EXPIRES:
        actions.expire_offer(world, now, timer.subject)
    else:
        raise ValueError(f"nobody knows a timer {timer.kind!r}")
