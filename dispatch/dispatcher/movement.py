"""What the movement of crews means: under way, there, or later than thought."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from dispatch import actions
from dispatch.actions.recording import record
from dispatch.core import arrival
from dispatch.core import events as ev
from dispatch.core.arrival import Approach
from dispatch.core.assignments import Assignment
from dispatch.core.crews import Fix
from dispatch.core.events import SYSTEM
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
    because = {"rule": rule, "ete_s": round(ete_s, 1), "calibration": outlook.version}
    return record(world, now, SYSTEM, assignment, fact, because=because)


def notice(world: World, approach: Approach, fix: Fix) -> tuple[Approach, str | None]:
    """The state to keep for the crew's next fix, and what this one shows.

    moving, arrived, posted (it waits where it was asked to), or None.
    """
    assignment = world.active_assignment(fix.crew_id)
    if assignment is None:
        return Approach(last=fix), "posted" if _at_post(world, fix) else None
    if assignment.status not in ("acknowledged", "en_route"):
        return Approach(last=fix), None
    incident = world.incident(assignment.incident_id)
    following, sign, _ = arrival.judge(
        approach, fix, lon=incident.lon, lat=incident.lat, rule=world.policy.arrival
    )
    if sign == "moving" and assignment.status == "en_route":
        return following, None
    return following, sign


def _at_post(world: World, fix: Fix) -> bool:
    post = world.crew(fix.crew_id).move_up
    if post is None or post["status"] != "ordered":
        return False
    metres = arrival.metres_between(fix.lon, fix.lat, post["lon"], post["lat"])
    return metres <= world.policy.arrival.far_m


def follow_fix(
    world: World, now: datetime, approach: Approach, fix: Fix
) -> tuple[Approach, Assignment | None]:
    """Record what a crew's new position shows: under way, or there.

    Returns the state to keep for the crew's next fix, and the assignment if it changed.
    """
    following, sign = notice(world, approach, fix)
    assignment = world.active_assignment(fix.crew_id)
    if sign == "posted":
        actions.reach_post(world, now, SYSTEM, fix.crew_id, source="geofence")
    if sign is None or assignment is None:
        return following, None
    incident = world.incident(assignment.incident_id)
    metres = arrival.metres_between(fix.lon, fix.lat, incident.lon, incident.lat)
    because = {
        "rule": f"arrival.{sign}",
        "distance_m": round(metres, 1),
        "accuracy_m": fix.accuracy_m,
        "speed_ms": fix.speed_ms,
    }
    if sign == "moving":
        changed = actions.en_route(
            world,
            now,
            SYSTEM,
            assignment.id,
            source="movement",
            because=because,
            device_time=fix.fix_time,
        )
        return following, changed
    changed = actions.on_scene(
        world,
        now,
        SYSTEM,
        assignment.id,
        source="geofence",
        evidence="geofence",
        distance_m=round(metres, 1),
        because=because,
        device_time=fix.fix_time,
    )
    return following, changed
