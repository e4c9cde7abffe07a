"""A verified fallen tree, flood or broken bridge closes its road until it is cleared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dispatch import actions
from dispatch.core.closures import MOST_STRETCHES, Closure, checked
from dispatch.core.events import SYSTEM, Stretch
from dispatch.core.incidents import Incident
from dispatch.core.world import World
from geo.network import Segment


@dataclass(frozen=True, slots=True)
class Blockage:
    """What the roads are asked before a closure: the segments within metres of an incident."""

    incident_id: UUID
    lon: float
    lat: float
    within_m: float


Found = Mapping[UUID, tuple[Segment, ...]]
"""The road segments around each blockage, nearest first, by incident."""


def blockages(world: World, now: datetime) -> tuple[Blockage, ...]:
    """The incidents that close their road and have not done so yet.

    What a dispatcher lifted stays lifted, until the incident is opened again. An incident whose
    place is not surely known closes nothing: the wrong road shut is worse than none.
    """
    return tuple(
        Blockage(incident.id, incident.lon, incident.lat, metres)
        for incident in world.active_incidents()
        if (metres := world.policy.service(incident.service_code).closes_road_m) > 0
        and not _dealt_with(world, incident)
        and _radius_m(world, incident) <= world.policy.closures.precise_m
    )


def close_roads(world: World, now: datetime, found: Found) -> list[Closure]:
    """Close what was found around the incidents that still want it."""
    made = []
    for blockage in blockages(world, now):
        segments = found.get(blockage.incident_id, ())
        if segments:
            made.append(_close(world, now, blockage, segments))
    return made


def stretches_of(segments: Iterable[Segment]) -> tuple[Stretch, ...]:
    """Road segments as the log keeps them."""
    return tuple(
        Stretch(
            u=each.u,
            v=each.v,
            u_lon=round(each.start.lon, 7),
            u_lat=round(each.start.lat, 7),
            v_lon=round(each.end.lon, 7),
            v_lat=round(each.end.lat, 7),
            name=each.name,
        )
        for each in segments
    )


def _close(
    world: World, now: datetime, blockage: Blockage, segments: tuple[Segment, ...]
) -> Closure:
    incident = world.incident(blockage.incident_id)
    service = world.policy.service(incident.service_code)
    # each piece is there twice, once for each direction
    stretches = checked(stretches_of(segments[: 2 * MOST_STRETCHES]))[:MOST_STRETCHES]
    because = {
        "rule": "closes_road_m",
        "incident": str(incident.id),
        "service_code": service.service_code,
        "closes_road_m": service.closes_road_m,
        "nearest_m": round(segments[0].distance_m, 1),
        "radius_m": _radius_m(world, incident),
        "precise_m": world.policy.closures.precise_m,
        "stretches": len(stretches),
    }
    return actions.close_road(
        world,
        now,
        SYSTEM,
        stretches,
        reason=service.name,
        service_code=service.service_code,
        incident_id=incident.id,
        because=because,
    )


def _dealt_with(world: World, incident: Incident) -> bool:
    since = incident.reopened_at or incident.received_at
    return any(
        closure.active or closure.made_at >= since for closure in world.closures_of(incident.id)
    )


def _radius_m(world: World, incident: Incident) -> float:
    """How far off the place may be, by the report it was opened for; metres."""
    first = incident.report_ids[:1]
    known = [report.radius_m for report in world.reports_of(incident.id) if report.id in first]
    return known[0] if known and known[0] is not None else float("inf")
