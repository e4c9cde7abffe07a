"""What a running city knows of its own roads and demand, for cover and move-ups."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, select

from dispatch.core import run_cards
from dispatch.core.coverage import HOURS, Kind, Terrain, learned
from dispatch.core.policy import Policy
from dispatch.storage import tables
from dispatch.system.cities import City
from dispatch.system.etas import Etas
from geo.osrm import OsrmNetwork
from geo.roadgraph import RoadGraph
from geo.sql import reading
from geo.zones import Zone, reachable_zones, zones_of

LEARN_FROM = timedelta(days=60)
LEARN_EVERY = timedelta(hours=1)
ROADS_EVERY = timedelta(minutes=1)
PRIOR_INCIDENTS = 30.0
PRIOR_PER_HOUR = 1.0

Floats = NDArray[np.float64]
MappedRoads = RoadGraph | OsrmNetwork
"""Roads that come from a map of the city, and not from a straight line."""


class Ground:
    """The zones of one city with what is learned about them. Thread safe."""

    def __init__(self, city: City, engine: Engine, *, etas: Etas | None = None) -> None:
        """`etas` says how long drives really take."""
        self._city, self._engine, self._etas = city, engine, etas
        self._lock = threading.Lock()
        self._zones: list[Zone] | None = None
        self._seconds: Floats = np.zeros((0, 0))
        self._roads_version = ""
        self._roads_at: datetime | None = None
        self._learned_at: datetime | None = None
        self._terrain: Terrain | None = None

    @property
    def zones(self) -> Sequence[Zone]:
        """The zones of the terrain, in its order."""
        return self._zones or []

    def terrain(self, now: datetime) -> Terrain | None:
        """What is known now; None for a city without a map of roads."""
        roads = self._city.roads
        if not isinstance(roads, MappedRoads):
            return None
        with self._lock:
            if self._roads_stale(roads, now):
                self._measure(roads)
                self._roads_version, self._roads_at = roads.version, now
                self._terrain = None
            if self._learned_at is None or now - self._learned_at > LEARN_EVERY:
                self._terrain = None
            if self._terrain is None:
                self._terrain = self._learn(now)
                self._learned_at = now
            return self._terrain

    def _roads_stale(self, roads: MappedRoads, now: datetime) -> bool:
        if self._roads_at is None:
            return True
        return roads.version != self._roads_version and now - self._roads_at > ROADS_EVERY

    def _measure(self, roads: MappedRoads) -> None:
        """Zones stay the same for a map; a closure only changes the seconds between them."""
        if self._zones is None:
            found = zones_of(roads.arrays, self._city.box, covers=self._city.areas.covers)
            self._zones, self._seconds = reachable_zones(found, roads)
            return
        posts = [zone.post for zone in self._zones]
        self._seconds = roads.travel_times(posts, posts)
        np.fill_diagonal(self._seconds, 0.0)

    def _learn(self, now: datetime) -> Terrain:
        """Demand from the incidents of the last weeks, with a prior by length of road."""
        zones = self._zones or []
        road_m = np.array([zone.road_m for zone in zones])
        prior = road_m / max(float(road_m.sum()), 1.0)
        seconds = np.where(np.isfinite(self._seconds), self._seconds, 1e6)
        lon = np.array([zone.post.lon for zone in zones])
        lat = np.array([zone.post.lat for zone in zones])
        bare = Terrain(lon, lat, prior, seconds, (), np.zeros(HOURS))
        counts, by_service, per_hour = self._count(bare, now)
        return Terrain(
            lon=lon,
            lat=lat,
            demand=learned(prior, counts, strength=PRIOR_INCIDENTS),
            seconds=seconds,
            kinds=kinds_of(self._city.policy, by_service),
            per_hour=per_hour,
            **self._known(now),
        )

    def _known(self, now: datetime) -> dict[str, Any]:
        """What is learned of drives and turnouts, for the terrain."""
        if self._etas is None:
            return {}
        outlook = self._etas.outlook({}, now)
        return {
            "slow": self._etas.slow(now),
            "turnout_s": outlook.turnout_s,
            "sigma": outlook.offered.sigma,
            "rolling": outlook.rolling,
        }

    def _count(self, bare: Terrain, now: datetime) -> tuple[Floats, Mapping[str, int], Floats]:
        column = tables.incident.c
        wanted = select(column.lon, column.lat, column.service_code, column.received_at).where(
            column.city_id == self._city.id, column.received_at >= now - LEARN_FROM
        )
        with reading(self._engine) as connection:
            rows = connection.execute(wanted).all()
        counts, hours = np.zeros(len(bare.lon)), np.zeros(HOURS)
        by_service: dict[str, int] = {}
        for lon, lat, service_code, received_at in rows:
            by_service[service_code] = by_service.get(service_code, 0) + 1
            hours[received_at.hour] += 1
            if len(counts):
                counts[bare.zone_of(lon, lat)] += 1
        first = min((row[3] for row in rows), default=now)
        days = max((now - first).total_seconds() / 86_400.0, 1.0 / HOURS)
        # a Gamma prior worth one day at the prior rate
        return counts, by_service, (hours + PRIOR_PER_HOUR) / (days + 1.0)


def kinds_of(policy: Policy, by_service: Mapping[str, int]) -> tuple[Kind, ...]:
    """What shares of the incidents need which skills, from counts by service and a flat prior."""
    weights: dict[frozenset[str], float] = {}
    counts: dict[frozenset[str], float] = {}
    for code, service in policy.services.items():
        if code in policy.rounds.services:
            continue
        skills = frozenset(run_cards.slots(policy, code)[0].skills)
        seen = by_service.get(code, 0) + 1.0
        counts[skills] = counts.get(skills, 0.0) + seen
        weights[skills] = weights.get(skills, 0.0) + seen * policy.weight(service.priority)
    total = sum(counts.values()) or 1.0
    mean = sum(weights.values()) / total or 1.0
    return tuple(
        Kind(skills, counts[skills] / total, weights[skills] / counts[skills] / mean)
        for skills in sorted(counts, key=sorted)
    )
