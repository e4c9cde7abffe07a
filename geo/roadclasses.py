"""Which roads and turns a vehicle cannot use: narrow lanes for a fire engine, gangs for a car."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geo.osm_access import CAR, MOTORBIKE, TRUCK
from geo.osm_rules import LIMITS, ROAD_CLASSES
from geo.roadarrays import Ints, RoadArrays

USABLE_SHARE = 0.1
"""A part of the network with less of the road length than this is a loose end, not a part."""

_NO_TRUCKS, _NO_CARS, _NO_MOTORBIKES = (
    1 << LIMITS.index(name) for name in ("no_trucks", "no_cars", "no_motorbikes")
)


@dataclass(frozen=True, slots=True, eq=False)
class Access:
    """What a vehicle cannot use: shapes (edges,) and (turns,)."""

    edges: NDArray[np.bool_]
    turns: NDArray[np.bool_]

    def same(self, other: "Access") -> bool:
        """Does it bar the same?"""
        return np.array_equal(self.edges, other.edges) and np.array_equal(self.turns, other.turns)


def access_of(arrays: RoadArrays, avoids: AbstractSet[str] = frozenset()) -> Access:
    """What a vehicle which avoids these classes and limits cannot use; without any it is a car.

    Who avoids `no_motorbikes` is a motorbike, who avoids `no_trucks` a truck, and what is closed to
    cars only is open to them. Beside the roads of those classes also what can only be reached over
    them: a vehicle is not sent to wait on an island. Unknown classes bar nothing.
    """
    car = Access((arrays.edge_limit & _NO_CARS) != 0, (arrays.turn_barred & CAR) != 0)
    vehicle = MOTORBIKE if "no_motorbikes" in avoids else TRUCK if "no_trucks" in avoids else CAR
    avoided = [n for n, name in enumerate(ROAD_CLASSES) if name in avoids and n]
    limits = sum(1 << n for n, name in enumerate(LIMITS) if name in avoids)
    limits |= _NO_CARS if vehicle == CAR else 0
    barred: NDArray[np.bool_] = np.isin(arrays.edge_class, avoided)
    barred |= (arrays.edge_limit & limits) != 0
    own = Access(barred, (arrays.turn_barred & vehicle) != 0)
    if own.same(car):
        return car
    # Whoever drove in where only a lane goes on turns round and drives out again.
    usable = _in_large_parts(arrays, own, also=_turning_round(arrays))
    return replace(own, edges=~usable)


def usable_edges(arrays: RoadArrays) -> tuple[RoadArrays, NDArray[np.bool_]]:
    """Which edges belong to a part of the network worth standing on; shape (edges,).

    A part is strongly connected: whoever drives in can drive out again. Each with at least
    USABLE_SHARE of the road length stays; small ones are mostly roads cut off by the edge of the
    extract, and a place beside them is better served from the next road that leads somewhere.
    What is such a part for motorbikes alone is barred to cars in the arrays returned, and the
    other way round.
    """
    limit = arrays.edge_limit.copy()
    kept = np.zeros(arrays.edge_count, dtype=np.bool_)
    if not arrays.edge_count:
        return arrays, kept
    for vehicle, bit in ((CAR, _NO_CARS), (MOTORBIKE, _NO_MOTORBIKES)):
        barred = Access((limit & bit) != 0, (arrays.turn_barred & vehicle) != 0)
        usable = _in_large_parts(arrays, barred)
        limit[~usable] |= bit
        kept |= usable
    trucks = Access((limit & _NO_TRUCKS) != 0, (arrays.turn_barred & TRUCK) != 0)
    kept |= _in_large_parts(arrays, trucks)
    return replace(arrays, edge_limit=limit), kept


def _in_large_parts(
    arrays: RoadArrays, barred: Access, *, also: tuple[Ints, Ints] | None = None
) -> NDArray[np.bool_]:
    """Which edges lie in a large strong part, by the turns that are open and `also` these links."""
    n = arrays.edge_count
    allowed = ~barred.edges
    tail, head = arrays.turn_from[~barred.turns], arrays.turn_to[~barred.turns]
    if also is not None:
        tail, head = np.concatenate([tail, also[0]]), np.concatenate([head, also[1]])
    taken = allowed[tail] & allowed[head]
    tail, head = tail[taken], head[taken]
    turns = csr_array((np.ones(len(tail)), (tail, head)), shape=(n, n))
    _, part = connected_components(turns, directed=True, connection="strong")
    metres = np.bincount(part, weights=np.where(allowed, arrays.road_m, 0.0))
    edges = np.bincount(part)
    large = (metres >= USABLE_SHARE * metres.sum()) & (edges > 1)
    # An edge and its copies are one road: one of them in the part is enough.
    usable = np.zeros(n, dtype=np.bool_)
    np.logical_or.at(usable, arrays.edge_same, large[part] & allowed)
    found: NDArray[np.bool_] = usable[arrays.edge_same]
    return found


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
