"""What the movement of crews means: under way, there, or later than thought."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dispatch import actions
from dispatch.actions.recording import record
from dispatch.core import arrival
from dispatch.core import events as ev
from dispatch.core.arrival import Approach, Sign
from dispatch.core.assignments import Assignment
from dispatch.core.crews import Fix
from dispatch.core.events import SYSTEM
from dispatch.core.log import plain
from dispatch.core.policy import Arrival
from dispatch.core.road_times import outlook_of
from dispatch.core.world import World
from dispatch.dispatcher.planning import RoadSeconds
from geo.spread import Outlook

ROADS_CHANGED_SLIP_S = 30.0
"""When a road was closed or opened, so small a difference is told, and told at once."""


def revise_etas(
    world: World, now: datetime, road_s: RoadSeconds, *, roads_changed: bool = False
) -> list[Assignment]:
    """Tell of arrivals that slipped by more than the policy's `eta_slip_s`.

    When the roads changed, offers are told too, and everybody of ROADS_CHANGED_SLIP_S.
    """
    slip_s = ROADS_CHANGED_SLIP_S if roads_changed else world.policy.matching.eta_slip_s
    coming = ("acknowledged", "en_route", *(("offered",) * roads_changed))
    revised = []
    outlook = outlook_of(road_s, world.policy)
    for crew in world.crews():
        if crew.assignment_id is None:
            continue
        assignment = world.assignment(crew.assignment_id)
        seconds = road_s.get((crew.id, assignment.incident_id))
        if assignment.status not in coming or seconds is None:
            continue
        ete_s = seconds
        if assignment.status != "en_route":
            ete_s += outlook.turnout_of(crew.id)
        if not _slipped(assignment, now, ete_s, slip_s=slip_s):
            continue
        rule = "roads_changed" if roads_changed else "matching.eta_slip_s"
        revised.append(_revise(world, now, assignment, ete_s, rule=rule, outlook=outlook))
    return revised


def _slipped(assignment: Assignment, now: datetime, ete_s: float, *, slip_s: float) -> bool:
    if assignment.eta is None or math.isinf(ete_s):
        # known again, or not any more
        return (assignment.eta is None) != math.isinf(ete_s)
    return abs((now - assignment.eta).total_seconds() + ete_s) > slip_s


def _revise(
    world: World,
    now: datetime,
    assignment: Assignment,
    ete_s: float,
    *,
    rule: str,
    outlook: Outlook,
) -> Assignment:
    if math.isinf(ete_s):
        # No road leads there now: an old time of arrival would be a lie.
        gone = ev.AssignmentEtaRevised(eta=None, ete_s=None, p90_ete_s=None, p_on_time=0.0)
        cut_off = {"rule": rule, "why": "unreachable"}
        return record(world, now, SYSTEM, assignment, gone, because=cut_off)
    incident = world.incident(assignment.incident_id)
    spread = outlook.rolling if assignment.status == "en_route" else outlook.offered
    left = (incident.due_at - now).total_seconds()
    fact = ev.AssignmentEtaRevised(
        eta=now + timedelta(seconds=ete_s),
        ete_s=round(ete_s, 1),
        p90_ete_s=round(spread.quantile_s(ete_s, 0.9), 1),
        p_on_time=round(float(spread.p_within(left, ete_s)), 4),
    )
    because = {
        "rule": rule,
        "ete_s": fact.ete_s,
        "p90_ete_s": fact.p90_ete_s,
        "calibration": outlook.version,
    }
    return record(world, now, SYSTEM, assignment, fact, because=because)


@dataclass(frozen=True, slots=True)
class Watch:
    """What a crew's positions are watched for: that it comes to its incident, or to its post."""

    crew_id: UUID
    lon: float
    lat: float
    assignment_id: UUID | None = None
    status: str = "posted"
    evidence: str | None = None
    arrived_at: datetime | None = None


def watch_of(world: World, crew_id: UUID) -> Watch | None:
    """What this crew is watched for now, None when nothing."""
    assignment = world.active_assignment(crew_id)
    if assignment is None:
        post = world.crew(crew_id).move_up
        if post is None or post["status"] != "ordered":
            return None
        return Watch(crew_id, post["lon"], post["lat"])
    if assignment.status not in ("acknowledged", "en_route", "on_scene"):
        return None
    if assignment.status == "on_scene" and assignment.evidence not in TO_CONFIRM:
        return None
    incident = world.incident(assignment.incident_id)
    return Watch(
        crew_id,
        incident.lon,
        incident.lat,
        assignment.id,
        assignment.status,
        assignment.evidence,
        assignment.arrived_at,
    )


TO_CONFIRM = ("button", "crossing")
"""Evidence that positions may still better."""


def notice(
    watch: Watch, approach: Approach, fix: Fix, *, rule: Arrival, road_m: float | None = None
) -> tuple[Approach, Sign | None]:
    """The state to keep for the crew's next fix, and what this one shows that matters."""
    if watch.assignment_id is None:
        metres = arrival.metres_between(fix.lon, fix.lat, watch.lon, watch.lat)
        there = metres <= rule.far_m and not fix.mock
        return Approach(last=fix), Sign("arrived", fix.fix_time, metres) if there else None
    following, sign = arrival.judge(
        approach, fix, lon=watch.lon, lat=watch.lat, rule=rule, road_m=road_m
    )
    return following, sign if sign is not None and _matters(watch, sign, rule) else None


def _matters(watch: Watch, sign: Sign, rule: Arrival) -> bool:
    if watch.status == "on_scene":
        # A stay that began long after the button proves that the crew was not there yet.
        latest = (watch.arrived_at or sign.at) + timedelta(seconds=rule.confirm_s)
        return sign.what == "arrived" and sign.at <= latest
    return sign.what != "moving" or watch.status == "acknowledged"


def follow_fix(
    world: World, now: datetime, approach: Approach, fix: Fix, *, road_m: float | None = None
) -> tuple[Approach, Assignment | None]:
    """Record what a crew's new position shows: under way, there, or that it was there indeed.

    Returns the state to keep for the crew's next fix, and the assignment if it changed.
    """
    watch = watch_of(world, fix.crew_id)
    if watch is None:
        return Approach(last=fix), None
    following, sign = notice(watch, approach, fix, rule=world.policy.arrival, road_m=road_m)
    if sign is None:
        return following, None
    if watch.assignment_id is None:
        actions.reach_post(world, now, SYSTEM, fix.crew_id, source="geofence")
        return following, None
    because = _because(sign, fix, road_m)
    if sign.what == "moving":
        changed = actions.en_route(
            world,
            now,
            SYSTEM,
            watch.assignment_id,
            source="movement",
            because=because,
            device_time=fix.device_time,
            happened_at=sign.at,
        )
        return following, changed
    grade = "geofence" if sign.what == "arrived" else "crossing"
    if watch.status == "on_scene":
        changed = actions.grade_evidence(
            world, now, SYSTEM, watch.assignment_id, evidence=grade, because=because
        )
        return following, changed
    changed = actions.on_scene(
        world,
        now,
        SYSTEM,
        watch.assignment_id,
        source="geofence",
        evidence=grade,
        distance_m=round(sign.distance_m, 1),
        because=because,
        device_time=fix.device_time,
        happened_at=sign.at,
    )
    return following, changed


def _because(sign: Sign, fix: Fix, road_m: float | None) -> Mapping[str, Any]:
    """The rule and its numbers, with every clock that had a say."""
    return {
        "rule": f"arrival.{sign.what}",
        "distance_m": round(sign.distance_m, 1),
        "road_m": None if road_m is None else round(road_m, 1),
        "accuracy_m": fix.accuracy_m,
        "speed_ms": fix.speed_ms,
        "device": fix.device,
        "since": plain(sign.at),
        "fix_time": plain(fix.fix_time),
        "device_time": plain(fix.device_time),
        "server_time": plain(fix.server_time),
    }
