"""Where free crews should wait, and what is lost when one leaves.

The expected share of incidents reached in time, by the maximum expected covering location model
(Daskin 1983) with a graded cover (Erkut, Ingolfsson and Erdoğan 2008): with q the share of time a
crew is bound, and T_1 ≤ T_2 ≤ … the road times of the crews that have the skills to zone z,

    E = Σ_k p_k Σ_z d_z Σ_n (1 − q) q^(n−1) · P(arrive in time from T_n)

p_k is the share of incidents that need skills k, d_z the zone's share of incidents. P is the same
lognormal as in `matching`; with `threshold` it is 1 up to so many seconds and 0 beyond (DMEXCLP,
Jagtenberg, Bhulai and van der Mei 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from geo.spread import Spread

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
HOURS = 24
PLACES_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Kind:
    """What a share of the incidents needs; `weight` is how much one late arrival counts."""

    skills: frozenset[str]
    share: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Terrain:
    """What is known of the city's roads and demand, by zone.

    `lon`, `lat`: the posts, one per zone, shape (zones,), degrees; `demand`: each zone's share of
    incidents, sums to 1, shape (zones,); `seconds`: usual road time from post to zone, shape
    (zones, zones); `per_hour`: incidents per hour, by hour of the day UTC, shape (24,); `slow`:
    how much slower than usual the roads are, by hour of the day UTC, shape (24,).
    """

    lon: Floats
    lat: Floats
    demand: Floats
    seconds: Floats
    kinds: tuple[Kind, ...]
    per_hour: Floats
    turnout_s: float | None = None
    sigma: float | None = None
    rolling: Spread | None = None
    """As the city has learned them; the policy's when None."""
    slow: Floats = field(default_factory=lambda: np.ones(HOURS))

    def only(self, skills: frozenset[str]) -> Terrain:
        """The same ground as if every incident needed just these skills."""
        return replace(self, kinds=(Kind(skills, 1.0),))

    def zone_of(self, lon: float, lat: float) -> int:
        """The zone whose post is nearest."""
        return self.zones_of([(lon, lat)])[0]

    def zones_of(self, places: Sequence[tuple[float, float]]) -> list[int]:
        """For each place (lon, lat) the zone whose post is nearest."""
        found: list[int] = []
        for start in range(0, len(places), PLACES_AT_ONCE):
            lon, lat = np.array(places[start : start + PLACES_AT_ONCE]).T[:, :, np.newaxis]
            east = (self.lon - lon) * np.cos(np.radians(lat))
            found += np.argmin(east**2 + (self.lat - lat) ** 2, axis=1).tolist()
        return found


@dataclass(frozen=True, slots=True)
class Placed:
    """A free crew and the zone it is in, or on its way to."""

    crew_id: UUID
    skills: frozenset[str]
    zone: int


@dataclass(frozen=True, slots=True)
class Rule:
    """The numbers of a cover: seconds to the target left for driving, spread, q, threshold."""

    drive_s: float
    sigma: float
    busy_share: float
    threshold: float = 0.0


class Cover:
    """The cover that placed crews give at one hour; knows what one more or one fewer changes."""

    def __init__(
        self, terrain: Terrain, placed: Sequence[Placed], *, rule: Rule, hour: int
    ) -> None:
        self.terrain, self.rule = terrain, rule
        self.placed = sorted(placed, key=lambda crew: crew.crew_id)
        self._chance = chances(terrain, rule=rule, hour=hour)
        """P(in time) from post to zone, shape (zones, zones)."""
        self._sides = [_Side.of(kind, self.placed, self._chance, rule) for kind in terrain.kinds]

    def expected(self) -> float:
        """E: the share of incidents reached in time, weighted by kind."""
        demand = self.terrain.demand
        return float(sum(side.share * (demand @ side.covered()) for side in self._sides))

    def by_zone(self, skills: frozenset[str] | None = None) -> Floats:
        """P(reached in time) of each zone by its best free crew, shape (zones,)."""
        able = [crew.zone for crew in self.placed if skills is None or skills <= crew.skills]
        if not able:
            return np.zeros(len(self.terrain.demand))
        best: Floats = self._chance[able].max(axis=0)
        return best

    def losses(self) -> Floats:
        """What E loses when each placed crew leaves, in the order of `placed`, shape (crews,)."""
        lost = np.zeros(len(self.placed))
        for side in self._sides:
            if len(side.members):
                lost[side.members] += side.share * (side.losses() @ self.terrain.demand)
        return lost

    def gains(self, skills: frozenset[str], *, without: UUID | None = None) -> Floats:
        """What E gains by one more crew with these skills at each post, shape (posts,).

        `without` leaves a placed crew out first: the gain of moving that very crew.
        """
        gained = np.zeros(len(self._chance))
        for side in self._sides:
            if side.skills <= skills:
                left = side if without is None else side.lacking(without, self.placed)
                gained += side.share * (left.gains(self._chance) @ self.terrain.demand)
        return gained


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """One kind of need: its crews' chances in each zone, best first."""

    skills: frozenset[str]
    share: float
    members: Indices
    """Positions in `placed`, shape (crews,)."""
    chance: Floats
    """Shape (crews, zones)."""
    q: float

    @classmethod
    def of(cls, kind: Kind, placed: Sequence[Placed], chance: Floats, rule: Rule) -> _Side:
        able = [i for i, crew in enumerate(placed) if kind.skills <= crew.skills]
        zones = [placed[i].zone for i in able]
        members = np.array(able, dtype=np.int64)
        share = kind.share * kind.weight
        return cls(kind.skills, share, members, chance[zones], rule.busy_share)

    def lacking(self, crew_id: UUID, placed: Sequence[Placed]) -> _Side:
        kept = np.array([placed[i].crew_id != crew_id for i in self.members], dtype=bool)
        return _Side(self.skills, self.share, self.members[kept], self.chance[kept], self.q)

    def covered(self) -> Floats:
        """Σ_n (1 − q) q^(n−1) P_n of each zone, shape (zones,)."""
        ranked = -np.sort(-self.chance, axis=0)
        weight = (1 - self.q) * self.q ** np.arange(len(ranked))
        total: Floats = weight @ ranked
        return total

    def losses(self) -> Floats:
        """What each zone loses without each crew, shape (crews, zones).

        Without the crew of rank r the ones behind it move up:
        (1 − q) [q^r P_r − Σ_{n>r} (q^(n−1) − q^n) P_n].
        """
        order = np.argsort(-self.chance, axis=0, kind="stable")
        ranked = np.take_along_axis(self.chance, order, axis=0)
        power = self.q ** np.arange(len(ranked))
        tail = np.cumsum((power[:, None] * ranked)[::-1], axis=0)[::-1]
        behind = np.vstack([tail[1:], np.zeros(tail.shape[1])]) * (1 / self.q - 1)
        by_rank = (1 - self.q) * (power[:, None] * ranked - behind)
        lost = np.empty_like(by_rank)
        np.put_along_axis(lost, order, by_rank, axis=0)
        return lost

    def gains(self, chance: Floats) -> Floats:
        """What each zone gains by a crew at each post, shape (posts, zones)."""
        ranked = -np.sort(-self.chance, axis=0)
        count = len(ranked)
        power = self.q ** np.arange(count + 1)
        tail = np.zeros((count + 1, chance.shape[1]))
        tail[:-1] = np.cumsum((power[:-1, None] * ranked)[::-1], axis=0)[::-1]
        rank = _ranks(ranked, chance)
        behind = np.take_along_axis(tail, rank, axis=0) * (1 - self.q)
        gained: Floats = (1 - self.q) * (power[rank] * chance - behind)
        return gained


def _ranks(ranked: Floats, chance: Floats) -> Indices:
    """How many crews are better than a crew at the post, for each zone, shape (posts, zones).

    `ranked` has shape (crews, zones), best first; `chance` (posts, zones).
    """
    if ranked.shape[0] * chance.size < 200_000:
        better: Indices = (ranked[None, :, :] > chance[:, None, :]).sum(axis=1)
        return better
    rank = np.empty(chance.shape, dtype=np.int64)
    for zone in range(chance.shape[1]):
        rank[:, zone] = np.searchsorted(-ranked[:, zone], -chance[:, zone], side="left")
    return rank


def chances(terrain: Terrain, *, rule: Rule, hour: int) -> Floats:
    """P(arrive in time) from each post to each zone at an hour of the day, shape (zones, zones).

    Read only: the answer is remembered, and is the same array the next time.
    """
    return _chances(terrain, rule.drive_s, rule.sigma, rule.threshold, hour % HOURS)


@lru_cache(maxsize=2 * HOURS)
def _chances(
    terrain: Terrain, drive_s: float, sigma: float, threshold_s: float, hour: int
) -> Floats:
    seconds = np.maximum(terrain.seconds * terrain.slow[hour], 1.0)
    share: Floats = np.zeros_like(seconds)
    if threshold_s > 0:
        share = (seconds <= threshold_s).astype(np.float64)
    elif drive_s > 0:
        share = ndtr(np.log(drive_s / seconds) / sigma)
    share.setflags(write=False)
    return share


def uniform(count: int) -> Floats:
    """Demand that nobody has seen yet: the same in each zone."""
    return np.full(count, 1.0 / max(count, 1))


def learned(prior: Floats, counts: Floats, *, strength: float = 50.0) -> Floats:
    """Each zone's share of incidents, from counts and a prior worth `strength` incidents.

    The posterior mean of a Dirichlet prior; sums to 1 when the prior does. Shape (zones,).
    """
    return (prior * strength + counts) / (strength + float(counts.sum()))
