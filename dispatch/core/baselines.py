"""The rules that the product's own matching is measured against; a city may choose them too.

closest_first         first come, first served: the closest crew (A0)
closest_by_priority   the most urgent first, then the longest waiting (A1)
nearest_pair          the nearest pair of incident and crew, again and again (A2)
least_travel          all at once: the least total road time (B)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]
UNSERVED_S = 1e6
"""Dearer than any road, so that as many as possible are served."""


def choose(
    rule: str,
    ete: Floats,
    feasible: Truths,
    *,
    waited: Sequence[Any],
    priority: Sequence[int],
) -> dict[int, int]:
    """The crew (column) of each incident (row) that gets one.

    `ete` seconds and `feasible`, shape (incidents, crews); `waited` orders the longest waiting
    first. Raises ValueError for an unknown rule.
    """
    rows = sorted(range(len(waited)), key=lambda i: waited[i])
    match rule:
        case "closest_first":
            return _closest(rows, ete, feasible)
        case "closest_by_priority":
            return _closest(sorted(rows, key=lambda i: priority[i]), ete, feasible)
        case "nearest_pair":
            return _nearest_pairs(rows, ete, feasible)
        case "least_travel":
            return _least_travel(ete, feasible)
    raise ValueError(f"nobody knows a rule {rule!r}")


def _closest(rows: Sequence[int], ete: Floats, feasible: Truths) -> dict[int, int]:
    free = np.ones(ete.shape[1], dtype=bool)
    chosen: dict[int, int] = {}
    for i in rows:
        able = np.flatnonzero(feasible[i] & free)
        if len(able):
            chosen[i] = int(able[np.argmin(ete[i, able])])
            free[chosen[i]] = False
    return chosen


def _nearest_pairs(rows: Sequence[int], ete: Floats, feasible: Truths) -> dict[int, int]:
    place = {i: at for at, i in enumerate(rows)}
    pairs = sorted(
        (float(ete[i, j]), place[int(i)], int(j), int(i)) for i, j in np.argwhere(feasible)
    )
    chosen: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, j, i in pairs:
        if i not in chosen and j not in taken:
            chosen[i] = j
            taken.add(j)
    return chosen


def _least_travel(ete: Floats, feasible: Truths) -> dict[int, int]:
    n, m = ete.shape
    table = np.full((n, m + n), UNSERVED_S * 10)
    table[:, :m] = np.where(feasible, np.where(feasible, ete, 0.0), UNSERVED_S * 10)
    table[np.arange(n), m + np.arange(n)] = UNSERVED_S
    return {
        int(row): int(column)
        for row, column in zip(*linear_sum_assignment(table), strict=True)
        if column < m and feasible[row, column]
    }
