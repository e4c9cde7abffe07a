"""Fills the table of travel times from many places to many others with few searches."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.roadarrays import Ints
from geo.roadengine import Search
from geo.roadstate import Ends, RoadState, Stand


@dataclass(frozen=True, slots=True)
class _Flat:
    """Several ways per owner as one array, ready for a minimum per owner."""

    owners: list[int]
    edges: Ints
    ms: Ints
    first: Ints
    pinned: Ints

    @classmethod
    def of(cls, ways: Sequence[Ends]) -> "_Flat":
        owners = [i for i, options in enumerate(ways) if options]
        pairs = np.array([pair for i in owners for pair in ways[i]], dtype=np.int64).reshape(-1, 2)
        counts = [len(ways[i]) for i in owners]
        first = np.concatenate([[0], np.cumsum(counts)])[: len(owners)].astype(np.int64)
        pinned, edges = np.unique(pairs[:, 0], return_inverse=True)
        return cls(owners, edges, pairs[:, 1], first, pinned)

    def best(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The minimum over each owner's ways; rows are (anything, pinned edges)."""
        reached = np.where(np.isnan(rows), np.inf, rows)[:, self.edges] + self.ms
        return np.minimum.reduceat(reached, self.first, axis=1)


def searched(search: Search, starts: Sequence[Ends], ends: Sequence[Ends]) -> NDArray[np.float64]:
    """Milliseconds over at least one turn, shape (len(starts), len(ends))."""
    ms = np.full((len(starts), len(ends)), np.inf)
    able = [i for i, options in enumerate(starts) if options]
    wanted = [j for j, options in enumerate(ends) if options]
    if not able or not wanted:
        return ms
    # One sweep per item of the shorter side, with all of the longer side pinned.
    if len(able) >= len(wanted):
        flat = _Flat.of(starts)
        best = flat.best(search.to_each(flat.pinned.tolist(), [ends[j] for j in wanted])).T
    else:
        flat = _Flat.of(ends)
        best = flat.best(search.from_each([starts[i] for i in able], flat.pinned.tolist()))
    ms[np.ix_(able, wanted)] = best
    return ms


def take_direct(
    ms: NDArray[np.float64],
    state: RoadState,
    *,
    origins: Sequence[Sequence[Stand]],
    goals: Sequence[Sequence[Stand]],
) -> None:
    """Where both ends lie on one edge, straight on may be the faster drive."""
    on_edge: dict[int, list[tuple[int, Stand]]] = {}
    for i, stands in enumerate(origins):
        for stand in stands:
            on_edge.setdefault(stand.edge, []).append((i, stand))
    for j, stands in enumerate(goals):
        for goal in stands:
            for i, origin in on_edge.get(goal.edge, ()):
                straight = state.direct(origin, goal)
                if straight is not None:
                    ms[i, j] = min(ms[i, j], straight)
