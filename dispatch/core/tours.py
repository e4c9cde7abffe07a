"""In which order a crew reaches the rest of its stops with the least driving."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

UNREACHABLE_S = 1e7
MOST_SWEEPS = 50
LONGEST_PIECE = 3


def driven_s(seconds: Floats, order: Sequence[int]) -> float:
    """Seconds from the start through the stops in this order; the way back is not counted.

    `seconds` has shape (n + 1, n): row 0 leaves the start, row i + 1 leaves stop i.
    """
    return float(sum(legs(seconds, order)))


def legs(seconds: Floats, order: Sequence[int]) -> list[float]:
    """The seconds of each leg of a tour, the first from the start."""
    rows = [0, *(stop + 1 for stop in order)]
    return [float(seconds[row, stop]) for row, stop in zip(rows, order, strict=False)]


def shortest(seconds: Floats) -> list[int]:
    """A short tour from the start through all n stops; never longer than 0, 1, … n − 1.

    The given order and a cheapest-insertion tour are both improved by moving pieces of up to
    three stops (Or 1976) until no move helps; the shorter one is returned, the given order on a
    tie. Shape of `seconds` as in `driven_s`; infinite entries mean that no road leads there.
    """
    finite = np.where(np.isfinite(seconds), seconds, UNREACHABLE_S)
    given = list(range(finite.shape[1]))
    if len(given) < 2:
        return given
    first, second = _improved(finite, given), _improved(finite, _inserted(finite))
    return first if driven_s(finite, first) <= driven_s(finite, second) + 1e-6 else second


def _inserted(seconds: Floats) -> list[int]:
    """Each stop in turn goes where it adds least, the cheapest stop first."""
    n = seconds.shape[1]
    tour: list[int] = []
    left = set(range(n))
    while left:
        _, stop, at = min(
            (_added(seconds, tour, stop, at), stop, at)
            for stop in sorted(left)
            for at in _places(tour)
        )
        tour.insert(at, stop)
        left.discard(stop)
    return tour


def _places(tour: Sequence[int]) -> range:
    return range(len(tour) + 1)


def _added(seconds: Floats, tour: Sequence[int], stop: int, at: int) -> float:
    row = tour[at - 1] + 1 if at else 0
    added = float(seconds[row, stop])
    if at < len(tour):
        added += float(seconds[stop + 1, tour[at]] - seconds[row, tour[at]])
    return added


def _improved(seconds: Floats, order: Sequence[int]) -> list[int]:
    """The tour after moving pieces of it to better places until no move helps."""
    tour = list(order)
    for _ in range(MOST_SWEEPS):
        better = _moved(seconds, tour)
        if better is None:
            return tour
        tour = better
    return tour


def _moved(seconds: Floats, tour: Sequence[int]) -> list[int] | None:
    """The tour after the move that saves most, None when none saves anything."""
    best, found = 1e-6, None
    whole = driven_s(seconds, tour)
    for length in range(1, min(LONGEST_PIECE, len(tour) - 1) + 1):
        for at in range(len(tour) - length + 1):
            piece, rest = tour[at : at + length], [*tour[:at], *tour[at + length :]]
            inside = float(sum(seconds[a + 1, b] for a, b in pairwise(piece)))
            kept = driven_s(seconds, rest) + inside
            joined = _joining(seconds, rest, piece)
            place = int(np.argmin(joined))
            saved = whole - kept - float(joined[place])
            if saved > best:
                best, found = saved, [*rest[:place], *piece, *rest[place:]]
    return found


def _joining(seconds: Floats, rest: Sequence[int], piece: Sequence[int]) -> Floats:
    """What inserting the piece before each place of the rest adds, shape (len(rest) + 1,)."""
    rows = np.array([0, *(stop + 1 for stop in rest)])
    arrive: Floats = seconds[rows, piece[0]].copy()
    if rest:
        following = np.array(rest)
        arrive[:-1] += seconds[piece[-1] + 1, following] - seconds[rows[:-1], following]
    return arrive
