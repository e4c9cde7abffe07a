"""What follows from what: triage, matching, expiring offers, telling of slipped arrivals."""

from __future__ import annotations

from datetime import datetime

from dispatch import actions
from dispatch.core.gates import unfit
from dispatch.core.world import Timer, World
from dispatch.dispatcher.after_action import record_after_action
from dispatch.dispatcher.board import (
    Question,
    candidates,
    cover_of,
    kinds_of,
    needs,
    plan_for,
    question,
    vehicles_of,
)
from dispatch.dispatcher.closures import Blockage, Found, blockages, close_roads, stretches_of
from dispatch.dispatcher.movement import (
    TO_CONFIRM,
    Watch,
    follow_fix,
    notice,
    revise_etas,
    watch_of,
)
from dispatch.dispatcher.planning import (
    RoadSeconds,
    act,
    estimate,
    estimate_of,
    plan,
)
from dispatch.dispatcher.posting import move_up
from dispatch.dispatcher.rounds import Rest, running_rounds, tend_round
from dispatch.dispatcher.triage import near_incidents, similar_reports, triage_report

__all__ = [
    "TO_CONFIRM",
    "Blockage",
    "Found",
    "Question",
    "Rest",
    "RoadSeconds",
    "Watch",
    "act",
    "blockages",
    "candidates",
    "close_roads",
    "cover_of",
    "estimate",
    "estimate_of",
    "follow_fix",
    "kinds_of",
    "move_up",
    "near_incidents",
    "needs",
    "notice",
    "plan",
    "plan_for",
    "question",
    "record_after_action",
    "revise_etas",
    "run_timer",
    "running_rounds",
    "similar_reports",
    "stretches_of",
    "tend_round",
    "triage_report",
    "unfit",
    "vehicles_of",
    "watch_of",
]


def run_timer(world: World, now: datetime, timer: Timer) -> None:
    """Do what a timer asked for. An unknown kind is an error of the program."""
    if timer.kind == actions.TRIAGE:
        triage_report(world, now, timer.subject)
    elif timer.kind == actions.OFFER_EXPIRES:
        actions.expire_offer(world, now, timer.subject)
    elif timer.kind == actions.SHIFT_ENDS:
        actions.end_shift(world, now, timer.subject)
    elif timer.kind == actions.AFTER_ACTION:
        record_after_action(world, now, timer.subject)
    else:
        raise ValueError(f"nobody knows a timer {timer.kind!r}")
