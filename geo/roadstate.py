"""The roads as they are now: which pieces are closed, how long each takes, what leads where."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.osm_access import CAR
from geo.roadarrays import Ints, RoadArrays
from geo.roadspots import Spot

CLOSED_MS = 2**31 - 1
"""The weight of a turn that cannot be taken (RoutingKit's `inf_weight`)."""

Ends = Sequence[tuple[int, int]]
"""(edge, milliseconds) of each way to begin, or to finish, a drive; an edge comes once."""

# Slower than this is not a speed, and sums of weights must stay below CLOSED_MS.
_LONGEST_PIECE_MS = 24 * 3_600_000


class RoadLayout:
    """What never changes: the pieces of each edge and the turns onto it; who may take which."""

    def __init__(self, arrays: RoadArrays) -> None:
        self.arrays = arrays
        self.piece_edge = arrays.piece_edge
        self._turns_onto = np.argsort(arrays.turn_to, kind="stable")
        counts = np.bincount(arrays.turn_to, minlength=arrays.edge_count)
        self._onto_start = np.concatenate([[0], np.cumsum(counts)])
        self._copies: dict[int, list[int]] = {}
        for copy_ in np.flatnonzero(arrays.is_copy).tolist():
            self._copies.setdefault(int(arrays.edge_same[copy_]), []).append(copy_)
        self._shut = (arrays.turn_barred & CAR) != 0

    def without(self, shut: NDArray[np.bool_]) -> "RoadLayout":
        """The same for a vehicle that may not take these turns, shape (turns,)."""
        other = copy(self)
        other._shut = shut
        return other

    def is_shut(self, turns: Ints | slice) -> NDArray[np.bool_]:
        """Which of the turns this vehicle may not take."""
        shut: NDArray[np.bool_] = self._shut[turns]
        return shut

    def turns_onto(self, edge: int) -> Ints:
        """The positions of the turns that lead onto the edge, open to this vehicle or not."""
        start, end = self._onto_start[edge], self._onto_start[edge + 1]
        onto: Ints = self._turns_onto[start:end]
        return onto

    def ways_onto(self, edge: int) -> Ints:
        """The positions of the turns by which this vehicle comes onto the road of the edge."""
        onto = self.turns_onto(edge)
        if edge in self._copies:
            onto = np.concatenate([onto, *(self.turns_onto(each) for each in self._copies[edge])])
        ways: Ints = onto[~self._shut[onto]]
        return ways

    def copied_pieces(self) -> tuple[Ints, Ints]:
        """The pieces of copies, and for each the piece that it is the same road as."""
        arrays = self.arrays
        copies = np.flatnonzero(arrays.is_copy[self.piece_edge])
        edge = self.piece_edge[copies]
        return copies, copies - arrays.edge_start[edge] + arrays.edge_start[arrays.edge_same[edge]]


@dataclass(frozen=True, slots=True)
class Stand:
    """A position in driving direction: `offset_ms` into an open piece of an edge."""

    edge: int
    piece: int
    offset_ms: int


class RoadState:
    """A moment of the roads; never changed, only followed by another."""

    def __init__(self, layout: RoadLayout, factor: NDArray[np.float64]) -> None:
        """`factor` multiplies the usual speed of each piece; nan = closed."""
        arrays = layout.arrays
        self.layout = layout
        self.factor = factor
        self.closed = np.isnan(factor)
        self._wait_ms = arrays.piece_wait_ms
        usual = (arrays.piece_ms - self._wait_ms) / np.where(self.closed, 1.0, factor)
        ms = np.clip(np.rint(usual), 1, _LONGEST_PIECE_MS).astype(np.int64) + self._wait_ms
        self.piece_ms = np.where(self.closed, 0, ms)
        self._ms_before = np.concatenate([[0], np.cumsum(self.piece_ms)])
        self._closed_before = np.concatenate([[0], np.cumsum(self.closed)])

    @classmethod
    def usual(cls, layout: RoadLayout) -> "RoadState":
        """Every road open at its usual speed."""
        return cls(layout, np.ones(len(layout.arrays.piece_ms)))

    def turn_weights(self, turns: Ints | None = None) -> Ints:
        """Milliseconds of each turn and the whole edge after it; CLOSED_MS when closed."""
        arrays = self.layout.arrays
        chosen = slice(None) if turns is None else turns
        onto = arrays.turn_to[chosen]
        first, last = arrays.edge_start[onto], arrays.edge_start[onto + 1]
        drive = self._ms_before[last] - self._ms_before[first]
        shut = self._closed_before[last] > self._closed_before[first]
        shut |= self.layout.is_shut(chosen)
        weights: Ints = np.where(shut, CLOSED_MS, arrays.turn_ms[chosen] + drive)
        return weights

    def stands(self, spot: Spot) -> list[Stand]:
        """The spot in each direction that is open."""
        both = ((spot.forth, spot.fraction), (spot.back, 1.0 - spot.fraction))
        return [
            Stand(
                int(self.layout.piece_edge[piece]),
                piece,
                round(int(self.piece_ms[piece] - self._wait_ms[piece]) * fraction),
            )
            for piece, fraction in both
            if piece >= 0 and not self.closed[piece]
        ]

    def starts(self, stands: Sequence[Stand]) -> Ends:
        """The edges whose end a drive from here reaches first."""
        ways = [(stand.edge, self.departure(stand)) for stand in stands]
        return _cheapest([(edge, ms) for edge, ms in ways if ms is not None])

    def ends(self, stands: Sequence[Stand]) -> Ends:
        """The edges from whose end a turn leads here."""
        return _cheapest([way for stand in stands for way in self.arrivals(stand)])

    def departure(self, stand: Stand) -> int | None:
        """Milliseconds from here to the end of the edge, None when a closure lies between."""
        end = int(self.layout.arrays.edge_start[stand.edge + 1])
        if self._is_shut(stand.piece, end):
            return None
        return self._between(stand.piece, end) - stand.offset_ms

    def arrivals(self, stand: Stand) -> list[tuple[int, int]]:
        """(edge before, milliseconds from its end to here) for every turn that leads here."""
        start = int(self.layout.arrays.edge_start[stand.edge])
        if self._is_shut(start, stand.piece + 1):
            return []
        along = self._between(start, stand.piece) + stand.offset_ms
        arrays = self.layout.arrays
        turns = self.layout.ways_onto(stand.edge)
        return [
            (int(before), int(ms) + along)
            for before, ms in zip(arrays.turn_from[turns], arrays.turn_ms[turns], strict=True)
        ]

    def direct(self, a: Stand, b: Stand) -> int | None:
        """Milliseconds straight on from a to b along one edge, None when that is no way."""
        if a.edge != b.edge or (b.piece, b.offset_ms) < (a.piece, a.offset_ms):
            return None
        if self._is_shut(a.piece, b.piece + 1):
            return None
        return self._between(a.piece, b.piece) + b.offset_ms - a.offset_ms

    def _between(self, first: int, end: int) -> int:
        return int(self._ms_before[end] - self._ms_before[first])

    def _is_shut(self, first: int, end: int) -> bool:
        return bool(self._closed_before[end] > self._closed_before[first])


def _cheapest(ways: Ends) -> Ends:
    best: dict[int, int] = {}
    for edge, ms in ways:
        best[edge] = min(ms, best.get(edge, ms))
    return list(best.items())
