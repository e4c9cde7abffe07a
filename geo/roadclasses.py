"""Which roads a vehicle cannot use: narrow lanes for a fire engine, tracks for a van."""

from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geo.osm_rules import LIMITS, ROAD_CLASSES
from geo.roadarrays import Ints, RoadArrays

USABLE_SHARE = 0.1
"""A part of the network with less of the road length than this is a loose end, not a part."""


def barred_edges(arrays: RoadArrays, avoids: AbstractSet[str]) -> NDArray[np.bool_]:
    """The edges that a vehicle which avoids these classes and limits cannot use, shape (edges,).

    Beside the roads of those classes also what can only be reached over them: a vehicle is not
    sent to wait on an island. Unknown classes bar nothing.
    """
    avoided = [n for n, name in enumerate(ROAD_CLASSES) if name in avoids and n]
    limits = sum(1 << n for n, name in enumerate(LIMITS) if name in avoids)
    barred: NDArray[np.bool_] = np.isin(arrays.edge_class, avoided)
    barred |= (arrays.edge_limit & limits) != 0
    if not barred.any():
        return barred
    # Whoever drove in where only a lane goes on turns round and drives out again.
    return ~_in_large_parts(arrays, ~barred, also=_turning_round(arrays))


def usable_edges(arrays: RoadArrays) -> NDArray[np.bool_]:
    """Which edges belong to a part of the network worth standing on; shape (edges,).

    A part is strongly connected: whoever drives in can drive out again. Each with at least
    USABLE_SHARE of the road length stays; small ones are mostly roads cut off by the edge of the
    extract, and a place beside them is better served from the next road that leads somewhere.
    """
    if arrays.edge_count == 0:
        return np.zeros(0, dtype=np.bool_)
    return _in_large_parts(arrays, np.ones(arrays.edge_count, dtype=np.bool_))


def _in_large_parts(
    arrays: RoadArrays, allowed: NDArray[np.bool_], *, also: tuple[Ints, Ints] | None = None
) -> NDArray[np.bool_]:
    """Which allowed edges lie in a large strong part, by the turns and `also` these links."""
    n = arrays.edge_count
    tail, head = arrays.turn_from, arrays.turn_to
    if also is not None:
        tail, head = np.concatenate([tail, also[0]]), np.concatenate([head, also[1]])
    taken = allowed[tail] & allowed[head]
    tail, head = tail[taken], head[taken]
    turns = csr_array((np.ones(len(tail)), (tail, head)), shape=(n, n))
    _, part = connected_components(turns, directed=True, connection="strong")
    metres = np.bincount(part, weights=np.where(allowed, arrays.length_m, 0.0))
    edges = np.bincount(part)
    large = (metres >= USABLE_SHARE * metres.sum()) & (edges > 1)
    usable: NDArray[np.bool_] = large[part] & allowed
    return usable


def _turning_round(arrays: RoadArrays) -> tuple[Ints, Ints]:
    """From each edge to the edges that lead from its end to its beginning."""
    count = np.int64(arrays.node_count)
    forth = arrays.tail * count + arrays.head
    back = arrays.head * count + arrays.tail
    order = np.argsort(forth, kind="stable")
    first = np.searchsorted(forth[order], back, side="left")
    last = np.searchsorted(forth[order], back, side="right")
    found = np.flatnonzero(last > first)
    return found, order[first[found]]
