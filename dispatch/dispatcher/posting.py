"""Where free crews should wait: a crew that became free, and those of more use elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np

from dispatch import actions
from dispatch.actions import Post
from dispatch.core.coverage import Cover, Placed, Terrain
from dispatch.core.crews import Crew
from dispatch.core.events import SYSTEM
from dispatch.core.road_times import outlook_by
from dispatch.core.world import World
from dispatch.dispatcher.board import cover_rule, placed

HOUR_S = 3600.0
LOOKED_AT = 3
"""Of the crews that may move, those whose place is worth least are looked at."""
PLACED_AT_ONCE = 8
SUGGESTED = 3
"""So many suggestions stand at a time; more would not be read."""
SUGGESTED_FOR = timedelta(minutes=10)

Label = Callable[[float, float], str | None]


def move_up(
    world: World, now: datetime, terrain: Terrain | None, *, label: Label | None = None
) -> list[Crew]:
    """Suggest or order posts, as the policy says; returns the crews it changed.

    Moved automatically, a crew that became free goes where it adds most, `travel_price` per
    minute of driving taken off (MEXCLP). Of the crews that stand somewhere, one is moved, or
    suggested to, when that adds at least `least_gain` and it has not moved, or been asked to,
    within 1 / `moves_per_crew_h` hours.
    """
    rule = world.policy.coverage
    if rule.move_up == "off" or terrain is None or not len(terrain.demand):
        return []
    automatic = rule.move_up == "automatic"
    crews = {crew.crew_id: crew for crew in placed(world, now, terrain)}
    changed = []
    for crew_id in _unplaced(world, now, crews) if automatic else ():
        zone = _place(world, now, world.crew(crew_id), crews, terrain, label)
        if zone is not None:
            changed.append(crew_id)
            crews[crew_id] = Placed(crew_id, crews[crew_id].skills, zone)
    if not automatic:
        _forget_old(world, now, crews)
        standing = [crew_id for crew_id in crews if _suggested(world.crew(crew_id))]
        if len(standing) >= SUGGESTED:
            return []
        # the next suggestion must be good together with those that stand
        crews |= {c: _as_suggested(world.crew(c), crews[c], terrain) for c in standing}
    if rule.moves_per_crew_h > 0:
        moved = _improve(world, now, crews, terrain, label)
        changed += [moved] if moved else []
    return [world.crew(crew_id) for crew_id in changed]


def _unplaced(world: World, now: datetime, crews: Mapping[UUID, Placed]) -> list[UUID]:
    """The crews that nobody gave a post yet, not many at once."""
    found = [
        crew_id
        for crew_id in sorted(crews)
        if world.crew(crew_id).move_up is None and world.crew(crew_id).moved_at is None
    ]
    return found[:PLACED_AT_ONCE]


def _suggested(crew: Crew) -> bool:
    return crew.move_up is not None and crew.move_up["status"] == "suggested"


def _as_suggested(crew: Crew, placed_: Placed, terrain: Terrain) -> Placed:
    assert crew.move_up is not None
    zone = terrain.zone_of(crew.move_up["lon"], crew.move_up["lat"])
    return replace(placed_, zone=zone)


def _forget_old(world: World, now: datetime, crews: Mapping[UUID, Placed]) -> None:
    for crew_id in sorted(crews):
        crew = world.crew(crew_id)
        if _suggested(crew) and crew.move_up is not None:
            made = datetime.fromisoformat(crew.move_up["at"])
            if now - made > SUGGESTED_FOR:
                because = {"rule": "coverage.move_up", "at": crew.move_up["at"]}
                actions.end_move_up(world, now, SYSTEM, crew_id, reason="outdated", because=because)


def _place(
    world: World,
    now: datetime,
    crew: Crew,
    crews: dict[UUID, Placed],
    terrain: Terrain,
    label: Label | None,
) -> int | None:
    """Send a crew without a post to the best one; its zone."""
    others = [other for other in crews.values() if other.crew_id != crew.id]
    here = crews[crew.id].zone
    gains = _cover(world, now, others, terrain).gains(crews[crew.id].skills)
    net = gains - world.policy.coverage.travel_price * _minutes(terrain, here, now)
    best = int(np.argmax(net))
    gain = float(gains[best] - gains[here])
    _tell(world, now, crew, terrain, best, here, gain, label)
    return best


def _improve(
    world: World,
    now: datetime,
    crews: dict[UUID, Placed],
    terrain: Terrain,
    label: Label | None,
) -> UUID | None:
    """Move the one standing crew whose move adds most, if it adds enough."""
    rule = world.policy.coverage
    able = [
        c for c in crews.values() if _may_move(world.crew(c.crew_id), now, rule.moves_per_crew_h)
    ]
    if not able or len(crews) < 2:
        return None
    cover = _cover(world, now, list(crews.values()), terrain)
    loss = dict(zip((c.crew_id for c in cover.placed), cover.losses(), strict=True))
    able.sort(key=lambda c: (loss[c.crew_id], c.crew_id))
    best: tuple[float, UUID, int] | None = None
    for crew in able[:LOOKED_AT]:
        gains = cover.gains(crew.skills, without=crew.crew_id)
        net = gains - gains[crew.zone] - rule.travel_price * _minutes(terrain, crew.zone, now)
        at = int(np.argmax(net))
        if net[at] > rule.least_gain and (best is None or net[at] > best[0]):
            best = (float(net[at]), crew.crew_id, at)
    if best is None:
        return None
    gain, crew_id, zone = best
    _tell(world, now, world.crew(crew_id), terrain, zone, crews[crew_id].zone, gain, label)
    return crew_id


def _may_move(crew: Crew, now: datetime, moves_per_h: float) -> bool:
    if crew.move_up is not None and crew.move_up["status"] != "reached":
        return False
    return crew.moved_at is None or (now - crew.moved_at).total_seconds() >= HOUR_S / moves_per_h


def _tell(
    world: World,
    now: datetime,
    crew: Crew,
    terrain: Terrain,
    zone: int,
    here: int,
    gain: float,
    label: Label | None,
) -> None:
    lon, lat = float(terrain.lon[zone]), float(terrain.lat[zone])
    ete_s = float(_minutes(terrain, here, now)[zone] * 60.0)
    sure = terrain.rolling or outlook_by(world.policy).rolling
    p90_ete_s = round(sure.quantile_s(ete_s, 0.9), 1)
    name = label(lon, lat) if label else None
    post = Post(lon, lat, round(gain, 5), round(ete_s, 1), name, p90_ete_s)
    because = {
        "rule": "coverage.move_up",
        "gain": post.gain,
        "ete_s": post.ete_s,
        "p90_ete_s": p90_ete_s,
    }
    if world.policy.coverage.move_up == "automatic":
        actions.order_move_up(world, now, SYSTEM, crew.id, post=post, because=because)
    else:
        actions.suggest_move_up(world, now, SYSTEM, crew.id, post=post, because=because)


def _cover(world: World, now: datetime, crews: Sequence[Placed], terrain: Terrain) -> Cover:
    return Cover(terrain, crews, rule=cover_rule(world, terrain), hour=now.hour)


def _minutes(terrain: Terrain, zone: int, now: datetime) -> np.ndarray:
    """Road minutes from a zone's post to every other, shape (zones,)."""
    minutes: np.ndarray = terrain.seconds[zone] * terrain.slow[now.hour % 24] / 60.0
    return np.where(np.isfinite(minutes), minutes, 1e6)
