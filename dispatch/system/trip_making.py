"""Makes a trip of an arrival: where the crew was when it left, and which roads lead from there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row

from dispatch.core.crews import Fix
from dispatch.storage import fixes
from dispatch.storage.trips import Trip
from dispatch.system.cities import City
from dispatch.system.driving import roads_of
from geo.point import Point
from geo.roadmix import mixes
from geo.trips import GROUPS, SHORTEST_S

BEFORE, AFTER = timedelta(seconds=120), timedelta(seconds=30)
EXACT_M = 100.0


def trip_of(connection: Connection, city: City, row: Row[Any]) -> Trip | None:
    """The trip of an arrival (`dispatch.storage.trips.untold`).

    None when nobody knows where it began, or no road leads from there, or it is too short to
    tell anything.
    """
    history = fixes.between(
        connection,
        city.id,
        row.crew_id,
        since=row.enroute_at - BEFORE,
        until=row.enroute_at + AFTER,
    )
    start = min(
        (fix for fix in history if _exact(fix)),
        key=lambda fix: abs((fix.fix_time - row.enroute_at).total_seconds()),
        default=None,
    )
    if start is None:
        return None
    vehicle = city.policy.vehicle_of(row.vehicle)
    roads = roads_of(city, vehicle)
    a, b = Point(start.lon, start.lat), Point(row.lon, row.lat)
    way = roads.route(a, b)
    if way is None or way.duration_s < SHORTEST_S:
        return None
    share = mixes(roads, [(a, b)])[0]
    return Trip(
        assignment_id=row.id,
        vehicle=vehicle.kind if vehicle else "",
        dispatched_at=row.dispatched_at,
        enroute_at=row.enroute_at,
        arrived_at=row.arrived_at,
        length_m=round(way.length_m, 1),
        drive_s={
            group: float(part) * way.duration_s
            for group, part in zip(GROUPS, share, strict=True)
            if part > 0
        },
        graph=city.roads.version,
    )


def _exact(fix: Fix) -> bool:
    return not fix.mock and (fix.accuracy_m is None or fix.accuracy_m <= EXACT_M)
