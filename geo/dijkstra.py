"""The same travel times by textbook search: slower, and the judge of the fast engine."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.point import Point
from geo.roadarrays import RoadArrays
from geo.roadclasses import access_of
from geo.roadgraph import REACH_M
from geo.roadmatrix import take_direct
from geo.roadspots import RoadSpots
from geo.roadstate import CLOSED_MS, Ends, RoadLayout, RoadState


class DijkstraNetwork:
    """Travel times over the same arrays by scipy's Dijkstra, one sweep per target.

    For tests and benchmarks, and for machines the routing library has no wheel for.
    """

    def __init__(
        self,
        arrays: RoadArrays,
        *,
        factor: NDArray[np.float64] | None = None,
        avoids: AbstractSet[str] = frozenset(),
    ) -> None:
        """`factor` multiplies the usual speed of each piece, nan = closed; shape (pieces,).

        `avoids` is what the vehicle cannot use, as in RoadNetwork.for_vehicle.
        """
        self.arrays = arrays
        access, layout = access_of(arrays, avoids), RoadLayout(arrays)
        barred = access.edges[layout.piece_edge]
        self._spots = RoadSpots(arrays, without=barred)
        speeds = np.ones(len(arrays.piece_ms)) if factor is None else factor
        self._state = RoadState(layout.without(access.turns), np.where(barred, np.nan, speeds))
        self._tail, self._head, self._ms = self._open_turns()

    def travel_times(
        self, sources: Sequence[Point], targets: Sequence[Point]
    ) -> NDArray[np.float64]:
        """Seconds by road, shape (len(sources), len(targets)); inf = cannot be reached."""
        state = self._state
        spots = self._spots.nearest([*sources, *targets], max_m=REACH_M, closed=state.closed)
        stands = [state.stands(spot) if spot else [] for spot in spots]
        origins, goals = stands[: len(sources)], stands[len(sources) :]
        starts = [state.starts(origin) for origin in origins]
        ms = self._swept(starts, [state.ends(goal) for goal in goals])
        take_direct(ms, state, origins=origins, goals=goals)
        return ms / 1_000

    def _swept(self, starts: Sequence[Ends], ends: Sequence[Ends]) -> NDArray[np.float64]:
        """Milliseconds over at least one turn, shape (len(starts), len(ends))."""
        ms = np.full((len(starts), len(ends)), np.inf)
        against = self._reversed_with_targets(ends)
        for j in range(len(ends)):
            to_target = dijkstra(against, indices=[self.arrays.edge_count + j])[0]
            for i, ways in enumerate(starts):
                ms[i, j] = min((to_target[edge] + rest for edge, rest in ways), default=np.inf)
        return ms

    def _reversed_with_targets(self, ends: Sequence[Ends]) -> csr_array:
        """The graph driven backwards, with one more node for each target."""
        count = self.arrays.edge_count
        last = np.array(
            [(edge, count + j, ms) for j, ways in enumerate(ends) for edge, ms in ways],
            dtype=np.int64,
        ).reshape(-1, 3)
        tail = np.concatenate([self._tail, last[:, 0]])
        head = np.concatenate([self._head, last[:, 1]])
        ms = np.concatenate([self._ms, last[:, 2]]).astype(np.float64)
        size = count + len(ends)
        return csr_array((ms, (head, tail)), shape=(size, size))

    def _open_turns(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Each open pair of edges once with its least weight: scipy would add up doubles."""
        arrays = self.arrays
        weights = self._state.turn_weights()
        order = np.lexsort((weights, arrays.turn_to, arrays.turn_from))
        order = order[weights[order] != CLOSED_MS]
        pairs = np.stack([arrays.turn_from[order], arrays.turn_to[order]])
        fresh = np.ones(len(order), dtype=np.bool_)
        fresh[1:] = (pairs[:, 1:] != pairs[:, :-1]).any(axis=0)
        chosen = order[fresh]
        return arrays.turn_from[chosen], arrays.turn_to[chosen], weights[chosen]
