"""Where the city can be reached in time now, and what one crew more or fewer changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np

from dispatch.core.coverage import Cover, Placed, Terrain
from dispatch.core.world import World
from dispatch.dispatcher.board import cover_rule, placed
from geo.zones import Zone


def cover_view(
    world: World,
    now: datetime,
    terrain: Terrain,
    zones: Sequence[Zone],
    *,
    skill: str | None = None,
    minus: Sequence[UUID] = (),
    plus: Sequence[tuple[float, float]] = (),
) -> dict[str, Any]:
    """The cover by free crews, for one skill or for whatever comes.

    `minus` leaves crews out, `plus` adds crews (with the skill) at lon, lat. `reached` is the
    share of incidents that the best free crew reaches in time, `expected` counts in that crews
    become busy; changes are of `expected`.
    """
    wanted = frozenset([skill]) if skill else frozenset()
    crews = [crew for crew in placed(world, now, terrain) if crew.crew_id not in minus]
    crews += [
        Placed(UUID(int=i + 1), wanted, terrain.zone_of(lon, lat))
        for i, (lon, lat) in enumerate(plus)
    ]
    able = [crew for crew in crews if wanted <= crew.skills]
    rule = cover_rule(world)
    cover = Cover(terrain.only(wanted), able, rule=rule, hour=now.hour)
    p = cover.by_zone(wanted)
    usual = terrain.seconds * terrain.slow[now.hour % 24]
    soonest = usual[[crew.zone for crew in able]].min(axis=0) if able else None
    turnout_s = world.policy.matching.turnout_s
    gains = cover.gains(wanted)
    best = int(np.argmax(gains)) if len(gains) else None
    losses = cover.losses()
    return {
        "zones": [
            {
                "id": zone.id,
                "lon": zone.post.lon,
                "lat": zone.post.lat,
                "ring": [(corner.lon, corner.lat) for corner in zone.ring],
                "weight": round(float(terrain.demand[z]), 6),
                "p_on_time": round(float(p[z]), 4),
                "eta_s": _seconds(soonest[z] + turnout_s) if soonest is not None else None,
            }
            for z, zone in enumerate(zones)
        ],
        "reached": round(float(terrain.demand @ p), 4),
        "expected": round(cover.expected(), 4),
        "crews": len(able),
        "delta_minus": {
            str(crew.crew_id): -round(float(loss), 4)
            for crew, loss in zip(cover.placed, losses, strict=True)
        },
        "delta_plus": None
        if best is None
        else {
            "lon": float(terrain.lon[best]),
            "lat": float(terrain.lat[best]),
            "change": round(float(gains[best]), 4),
        },
    }


def _seconds(value: float) -> float | None:
    return round(float(value), 1) if value < 1e5 else None
