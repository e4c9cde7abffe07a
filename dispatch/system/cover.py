"""Where the city can be reached in time now, and what one crew more or fewer changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np

from dispatch.core.coverage import Cover, Placed, Terrain
from dispatch.core.world import World
from dispatch.dispatcher.board import cover_rule, placed, turnout_of
from geo.spread import Spread
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
    offered: Spread | None = None,
) -> dict[str, Any]:
    """The cover by free crews, for one skill or for whatever comes.

    `minus` leaves crews out, `plus` adds crews (with the skill) at lon, lat. `reached` is the
    share of incidents that the best free crew reaches in time, `expected` counts in that crews
    become busy; changes are of `expected`. `offered` says how sure times of arrival are.
    """
    wanted = frozenset([skill]) if skill else frozenset()
    crews = [crew for crew in placed(world, now, terrain) if crew.crew_id not in minus]
    crews += [
        Placed(UUID(int=i + 1), wanted, terrain.zone_of(lon, lat))
        for i, (lon, lat) in enumerate(plus)
    ]
    able = [crew for crew in crews if wanted <= crew.skills]
    rule = cover_rule(world, terrain)
    cover = Cover(terrain.only(wanted), able, rule=rule, hour=now.hour)
    p = cover.by_zone(wanted)
    usual = terrain.seconds * terrain.slow[now.hour % 24]
    soonest = usual[[crew.zone for crew in able]].min(axis=0) if able else None
    turnout_s = turnout_of(world, terrain)
    sure = offered or Spread(rule.sigma)
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
                **_range(None if soonest is None else float(soonest[z]) + turnout_s, sure),
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


def _range(ete_s: float | None, sure: Spread) -> dict[str, float | None]:
    """Median and p90 of the fastest crew; None where none gets to."""
    if ete_s is None or ete_s >= 1e5:
        return {"eta_s": None, "p90_eta_s": None}
    return {"eta_s": round(ete_s, 1), "p90_eta_s": round(sure.quantile_s(ete_s, 0.9), 1)}
