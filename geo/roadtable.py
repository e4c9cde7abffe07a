"""Travel times between a fixed set of places, from anywhere on the roads, all computed at once.

For those who ask millions of times about the same places, as the simulator does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.point import Point
from geo.roadarrays import Ints
from geo.roadgraph import RoadGraph

_AT_ONCE = 16
Seconds = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Drive:
    """A drive to a site: the edges driven to their end, and when each end is reached, seconds."""

    duration_s: float
    length_m: float
    edges: Ints
    reached_s: NDArray[np.float64]


class RoadTable:
    """Seconds from every edge's end, and from every site, to every site.

    `from_edge` has shape (edges, sites), `seconds` (sites, sites); inf = cannot be reached.
    `starts` are, for each site, the ways to begin a drive: (edge, seconds to its end).
    """

    def __init__(
        self,
        graph: RoadGraph,
        sites: Sequence[Point],
        *,
        tick: Callable[[int, int], None] | None = None,
    ) -> None:
        """`tick` is told how many of how many sites are done."""
        self.graph, self.sites = graph, tuple(sites)
        self._length_m = graph.arrays.length_m
        self._head = graph.arrays.head
        edges = list(range(graph.arrays.edge_count))
        self.from_edge: Seconds = np.full((len(edges), len(sites)), np.inf, dtype=np.float32)
        with graph.searching() as search:
            found = [graph.ways(search.state, site) for site in sites]
            self.starts = [[(edge, ms / 1_000) for edge, ms in starts] for starts, _ in found]
            self._ends = [list(ends) for _, ends in found]
            known = [i for i, ends in enumerate(self._ends) if ends]
            for first in range(0, len(known), _AT_ONCE):
                some = known[first : first + _AT_ONCE]
                rows = search.to_each(edges, [self._ends[i] for i in some])
                self.from_edge[:, some] = np.where(np.isnan(rows), np.inf, rows / 1_000).T
                if tick:
                    tick(first + len(some), len(known))
        self.seconds: Seconds = graph.travel_times(sites, sites).astype(np.float32)
        np.fill_diagonal(self.seconds, 0.0)

    def from_site(self, site: int) -> Seconds:
        """Seconds from a site to each site, shape (sites,)."""
        row: Seconds = self.seconds[site]
        return row

    def from_road(self, edge: int, rest_s: float) -> Seconds:
        """Seconds to each site from `rest_s` seconds before the end of an edge."""
        row: Seconds = self.from_edge[edge] + np.float32(rest_s)
        return row

    def drive(self, starts: Sequence[tuple[int, float]], site: int) -> Drive | None:
        """The fastest drive to a site from (edge, seconds to its end), None without a way."""
        ways = [(edge, round(rest_s * 1_000)) for edge, rest_s in starts]
        if not ways or not self._ends[site]:
            return None
        with self.graph.searching() as search:
            found = search.path(ways, self._ends[site])
        if found is None:
            return None
        ms, path = found
        edges = np.array(path, dtype=np.int64)
        reached_s = ms / 1_000 - self.from_edge[edges, site].astype(np.float64)
        metres = float(self._length_m[edges].sum())
        return Drive(ms / 1_000, metres, edges, np.maximum(reached_s, 0.0))

    def point(self, edge: int) -> Point:
        """Where an edge ends."""
        arrays = self.graph.arrays
        node = int(self._head[edge])
        return Point(float(arrays.lon[node]), float(arrays.lat[node]))
