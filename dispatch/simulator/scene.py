"""The stage of a simulated run: streets, crews, demand, and what goes wrong in real life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from dispatch.core.coverage import Cover, Kind, Placed, Rule, Terrain
from dispatch.simulator.demand import BY_HOUR, SLOW, TYPES, Job, Type
from dispatch.simulator.streets import Spot, Streets

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Frictions:
    """What goes wrong: shares, and seconds.

    Crews decline the share `declines`, answer after `accept_s`, roll `turnout_s` later (`rolling_s`
    when they are on the move already); positions are up to `gps_age_s` old. Each crew is off for
    `rest_s` once in `shift_s`. `travel_noise` off takes the noise out of road times.
    """

    declines: float = 0.1
    accept_s: float = 30.0
    turnout_s: float = 60.0
    rolling_s: float = 18.0
    gps_age_s: float = 60.0
    shift_s: float = 8 * 3600.0
    rest_s: float = 1200.0
    travel_noise: bool = True
    congestion: bool = True

    @property
    def on(self) -> bool:
        """Whether anything of the three that measured.md calls frictions is there."""
        return self.declines > 0 or self.accept_s > 0 or self.gps_age_s > 0


FRICTIONS = Frictions()
SMOOTH = Frictions(declines=0.0, accept_s=0.0, gps_age_s=0.0, rest_s=0.0)
"""Everybody takes every job at once and is where they seem to be."""

BARE = Frictions(
    declines=0.0,
    accept_s=0.0,
    turnout_s=0.0,
    rolling_s=0.0,
    gps_age_s=0.0,
    rest_s=0.0,
    travel_noise=False,
    congestion=False,
)
"""Nothing but queue and service, for the textbook cases."""


@dataclass(frozen=True, slots=True)
class CrewSetup:
    """A crew and the site it starts at and, without orders, returns to."""

    skills: frozenset[str]
    home: int


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Everything of a run but the policy. Sites are those of `streets`.

    `posts` are the sites where crews may wait, in the order of the terrain's zones; `districts`
    name the district of each site.
    """

    city: str
    streets: Streets
    jobs: Sequence[Job]
    crews: Sequence[CrewSetup]
    terrain: Terrain
    posts: Sequence[int]
    days: float
    load: float
    districts: Sequence[str] = ()
    storm: bool = False
    warm_up_s: float = 4 * 3600.0
    slow: Floats = field(default_factory=lambda: SLOW)


def mixed_skills(crews: int, *, seed: int = 5) -> list[frozenset[str]]:
    """30 % with chainsaws, 20 % electrical, 10 % both, the rest for general work."""
    saws, lamps, both = max(2, round(crews * 0.3)), max(2, round(crews * 0.2)), max(1, crews // 10)
    skills = [frozenset({"chainsaw"})] * saws + [frozenset({"electrical"})] * lamps
    skills += [frozenset({"chainsaw", "electrical"})] * both
    skills = (skills + [frozenset[str]()] * crews)[:crews]
    np.random.default_rng(seed).shuffle(skills)
    return skills


def terrain_of(
    streets: Streets,
    posts: Sequence[int],
    weights: Floats,
    *,
    types: Sequence[Type] = TYPES,
    rate: float,
    slow: Floats = SLOW,
) -> Terrain:
    """What a dispatcher knows of such a city: where incidents come from, and how far posts are.

    `weights` (incident sites,) give each site's share; a site belongs to the post that reaches it
    first. `rate` is incidents per hour, the mean over the day.
    """
    reach = np.array([streets.seconds(Spot(site=post)) for post in posts], dtype=np.float64)
    nearest = reach[:, : len(weights)].argmin(axis=0)
    share = weights / weights.sum()
    demand: Floats = np.bincount(nearest, weights=share, minlength=len(posts)).astype(np.float64)
    places = [streets.lonlat(Spot(site=post)) for post in posts]
    return Terrain(
        lon=np.array([lon for lon, _ in places]),
        lat=np.array([lat for _, lat in places]),
        demand=demand,
        seconds=reach[:, list(posts)],
        kinds=tuple(Kind(t.skills, t.share, 1.8) for t in types),
        per_hour=rate * BY_HOUR,
        slow=slow,
    )


def homes(terrain: Terrain, crews: int, *, busy_share: float) -> list[int]:
    """Posts for so many crews, one after the other where it adds most (greedy MEXCLP)."""
    flat = Terrain(
        lon=terrain.lon,
        lat=terrain.lat,
        demand=terrain.demand,
        seconds=terrain.seconds,
        kinds=(Kind(frozenset(), 1.0),),
        per_hour=terrain.per_hour,
    )
    rule = Rule(drive_s=0.0, sigma=1.0, busy_share=busy_share, threshold=960.0 / 1.2)
    chosen: list[Placed] = []
    for i in range(crews):
        gains = Cover(flat, chosen, rule=rule, hour=0).gains(frozenset())
        chosen.append(Placed(UUID(int=i + 1), frozenset(), int(np.argmax(gains))))
    return [crew.zone for crew in chosen]
