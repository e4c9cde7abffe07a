"""On which classes of road a drive spends its time: what times of arrival are learned by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo.network import RoadNetwork
from geo.point import Point
from geo.roadgraph import RoadGraph
from geo.roadstate import Ends
from geo.trips import GROUP_OF_CLASS, GROUPS

Floats = NDArray[np.float64]

LOCAL = GROUPS.index("local")
STEPS_S = (180.0, 420.0, 900.0)
"""Between these durations drives are taken to be alike."""
SAMPLED = 24
FIRST_SHARE = 0.5
"""A drive begins somewhere on its first road."""


def mixes(roads: RoadNetwork, pairs: Sequence[tuple[Point, Point]]) -> Floats:
    """The share of the driving time by GROUPS of each fastest drive, shape (pairs, groups).

    Rows add up to 1. Roads whose classes are not known count as `unknown`, like every road of an
    engine that does not name them.
    """
    found = np.zeros((len(pairs), len(GROUPS)))
    if not isinstance(roads, RoadGraph):
        found[:, GROUPS.index("unknown")] = 1.0
        return found
    group = GROUP_OF_CLASS[roads.arrays.edge_class]
    weight = roads.arrays.weight_ms
    ways: dict[Point, tuple[Ends, Ends]] = {}
    with roads.searching() as search:
        for row, (a, b) in enumerate(pairs):
            for place in (a, b):
                if place not in ways:
                    ways[place] = roads.ways(search.state, place)
            starts, ends = ways[a][0], ways[b][1]
            way = search.path(starts, ends) if starts and ends else None
            if way is None:
                found[row, LOCAL] = 1.0
                continue
            edges = np.array(way[1], dtype=np.int64)
            ms = weight[edges].astype(np.float64)
            ms[0] *= FIRST_SHARE
            found[row] = np.bincount(group[edges], weights=ms, minlength=len(GROUPS)) / ms.sum()
    return found


class UsualMix:
    """What a drive of some length is usually made of in this city, from a sample of drives."""

    def __init__(self, shares: Floats) -> None:
        """`shares` has shape (steps + 1, groups)."""
        self.shares = shares

    @classmethod
    def of(cls, roads: RoadNetwork, *, seed: int = 0) -> UsualMix:
        """Sample the roads; the same roads give the same mix."""
        shares = np.zeros((len(STEPS_S) + 1, len(GROUPS)))
        if not isinstance(roads, RoadGraph) or roads.arrays.node_count < 2:
            shares[:, GROUPS.index("unknown")] = 1.0
            return cls(shares)
        chance = np.random.default_rng(seed)
        nodes = chance.integers(0, roads.arrays.node_count, SAMPLED)
        places = [Point(float(roads.arrays.lon[n]), float(roads.arrays.lat[n])) for n in nodes]
        seconds = roads.travel_times(places, places)
        known = [
            (i, j)
            for i in range(SAMPLED)
            for j in range(SAMPLED)
            if i != j and np.isfinite(seconds[i, j])
        ]
        found = mixes(roads, [(places[i], places[j]) for i, j in known])
        took = np.array([seconds[i, j] for i, j in known])
        step = np.searchsorted(STEPS_S, took, side="right")
        everywhere = found.sum(axis=0) if len(found) else np.eye(len(GROUPS))[LOCAL]
        for k in range(len(shares)):
            # every step begins with what is usual anywhere
            total = found[step == k].sum(axis=0) + everywhere / max(everywhere.sum(), 1.0)
            shares[k] = total / total.sum()
        return cls(shares)

    def at(self, seconds: Floats) -> Floats:
        """The shares for drives of so many seconds, shape (*seconds.shape, groups)."""
        shares: Floats = self.shares[self.step(seconds)]
        return shares

    @staticmethod
    def step(seconds: Floats) -> NDArray[np.int64]:
        """Which row of `shares` drives of so many seconds have."""
        return np.searchsorted(STEPS_S, seconds, side="right").astype(np.int64)
