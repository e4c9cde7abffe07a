"""Which crew has what an incident needs, compared for all pairs at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Kitted(Protocol):
    """Something with skills and equipment: what is needed, or what is there."""

    @property
    def skills(self) -> frozenset[str]: ...
    @property
    def equipment(self) -> frozenset[str]: ...


def skilled(needs: Sequence[Kitted], crews: Sequence[Kitted]) -> NDArray[np.bool_]:
    """Whether the crew has every skill and all equipment needed, shape (needs, crews)."""
    wanted = [n.skills | {f"+{e}" for e in n.equipment} for n in needs]
    had = [c.skills | {f"+{e}" for e in c.equipment} for c in crews]
    names = sorted(frozenset().union(*wanted, *had))
    lacking = _bits(wanted, names) @ (1.0 - _bits(had, names)).T
    complete: NDArray[np.bool_] = lacking < 0.5
    return complete


def spare(needs: Sequence[Kitted], crews: Sequence[Kitted]) -> NDArray[np.float64]:
    """How many skills the crew has beyond the need, shape (needs, crews)."""
    wanted, had = [n.skills for n in needs], [c.skills for c in crews]
    names = sorted(frozenset().union(*had))
    crew = _bits(had, names)
    beyond: NDArray[np.float64] = crew.sum(axis=1)[None, :] - _bits(wanted, names) @ crew.T
    return beyond


def _bits(sets: Sequence[frozenset[str]], names: Sequence[str]) -> NDArray[np.float64]:
    """1 where the set holds the name, shape (sets, names)."""
    column = {name: i for i, name in enumerate(names)}
    bits = np.zeros((len(sets), len(names)))
    for i, held in enumerate(sets):
        for name in held:
            if name in column:
                bits[i, column[name]] = 1.0
    return bits
