"""The streets of a simulated city: how long drives take, and where a crew is on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from geo.roadtable import RoadTable

Seconds = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the streets: a site (`site` ≥ 0), or `rest_s` seconds before the end of an edge.

    Without edges, `edge` is the site the crew drives to.
    """

    site: int = -1
    edge: int = -1
    rest_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Trip:
    """A drive to a site: usual seconds, metres, and the edges with the second each is left."""

    site: int
    duration_s: float
    length_m: float
    edges: NDArray[np.int64] | None = None
    reached_s: NDArray[np.float64] | None = None

    def at(self, elapsed_s: float) -> Spot:
        """Where a crew is after so many usual seconds of this drive."""
        if elapsed_s >= self.duration_s:
            return Spot(site=self.site)
        if self.edges is None or self.reached_s is None:
            return Spot(edge=self.site, rest_s=self.duration_s - elapsed_s)
        i = int(np.searchsorted(self.reached_s, elapsed_s))
        if i >= len(self.edges):
            return Spot(site=self.site)
        return Spot(edge=int(self.edges[i]), rest_s=float(self.reached_s[i]) - elapsed_s)


class Streets(Protocol):
    """What the simulator asks of the roads; sites are numbered from 0."""

    @property
    def count(self) -> int: ...
    @property
    def version(self) -> str: ...
    def seconds(self, spot: Spot) -> Seconds:
        """Usual seconds from a spot to each site, shape (sites,)."""

    def trip(self, spot: Spot, site: int) -> Trip | None:
        """The fastest drive, None without a way."""

    def lonlat(self, spot: Spot) -> tuple[float, float]:
        """Degrees."""


class RoadStreets:
    """The roads of a city bundle."""

    def __init__(self, table: RoadTable) -> None:
        self._table = table
        self._memory: dict[tuple[int, int], Trip | None] = {}

    @property
    def count(self) -> int:
        return len(self._table.sites)

    @property
    def version(self) -> str:
        return self._table.graph.version

    def seconds(self, spot: Spot) -> Seconds:
        if spot.site >= 0:
            return self._table.from_site(spot.site)
        return self._table.from_road(spot.edge, spot.rest_s)

    def trip(self, spot: Spot, site: int) -> Trip | None:
        if spot.site == site:
            return Trip(site, 0.0, 0.0)
        if spot.site >= 0:
            known = (spot.site, site)
            if known not in self._memory:
                self._memory[known] = self._drive(self._table.starts[spot.site], site)
            return self._memory[known]
        return self._drive([(spot.edge, spot.rest_s)], site)

    def _drive(self, starts: Sequence[tuple[int, float]], site: int) -> Trip | None:
        drive = self._table.drive(starts, site)
        if drive is None:
            return None
        return Trip(site, drive.duration_s, drive.length_m, drive.edges, drive.reached_s)

    def lonlat(self, spot: Spot) -> tuple[float, float]:
        table = self._table
        point = table.sites[spot.site] if spot.site >= 0 else table.point(spot.edge)
        return point.lon, point.lat


class PlainStreets:
    """A table of seconds between sites and nothing else, for textbook cities.

    `table` has shape (sites, sites). A crew under way counts as being before its destination.
    """

    version = "table"

    def __init__(self, table: NDArray[np.float64], *, speed_ms: float = 7.0) -> None:
        self._table = table.astype(np.float32)
        self._speed_ms = speed_ms

    @property
    def count(self) -> int:
        return len(self._table)

    def seconds(self, spot: Spot) -> Seconds:
        if spot.site >= 0:
            row: Seconds = self._table[spot.site]
            return row
        onward: Seconds = self._table[spot.edge] + np.float32(spot.rest_s)
        return onward

    def trip(self, spot: Spot, site: int) -> Trip | None:
        seconds = float(self.seconds(spot)[site])
        return Trip(site, seconds, seconds * self._speed_ms) if np.isfinite(seconds) else None

    def lonlat(self, spot: Spot) -> tuple[float, float]:
        site = spot.site if spot.site >= 0 else spot.edge
        return 100.0 + site * 0.001, 0.0
