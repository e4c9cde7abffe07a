"""Quantiles that keep their word: split conformal prediction, and its level when times change."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from geo.spread import LEVELS

Floats = NDArray[np.float64]

GAMMA = 0.02
"""How far one arrival moves the level; Gibbs & Candès use 0.005 to 0.05."""
LEAST, MOST = 0.002, 0.998


def quantile(scores: Floats, level: float) -> float:
    """The score that the next one does not exceed with probability of at least `level`.

    The ⌈(n+1)·level⌉-th smallest of n exchangeable scores (Vovk, Gammerman & Shafer 2005; Lei et
    al. 2018, “Distribution-free predictive inference for regression”); below the median the
    ⌊(n+1)·level⌋-th, so that the error is on the cautious side of both ends. Where n is too small
    to tell, the outermost score or a normal's quantile, whichever lies farther out.
    """
    n = len(scores)
    ordered = np.sort(np.asarray(scores, dtype=np.float64))
    normal = float(ndtri(level))
    if level >= 0.5:
        rank = math.ceil(round((n + 1) * level, 9))
        if rank <= n:
            return float(ordered[rank - 1])
        return max(normal, float(ordered[-1])) if n else normal
    rank = math.floor(round((n + 1) * level, 9))
    if rank >= 1:
        return float(ordered[rank - 1])
    return min(normal, float(ordered[0])) if n else normal


def table(scores: Floats, *, levels: tuple[float, ...] = LEVELS) -> tuple[float, ...]:
    """The quantiles at `levels` (rising), never falling."""
    found = np.array([quantile(scores, level) for level in levels])
    return tuple(float(score) for score in np.maximum.accumulate(found))


@dataclass(frozen=True, slots=True)
class Levels:
    """Which quantiles to take now so that half, and nine in ten, arrive within what is foretold.

    Adaptive conformal inference (Gibbs & Candès 2021, “Adaptive conformal inference under
    distribution shift”, eq. 2): after each arrival level ← level + γ·(wanted − arrived within).
    """

    half: float = 0.5
    most: float = 0.9

    def after(self, *, within_half: bool, within_most: bool, gamma: float = GAMMA) -> Levels:
        """The levels after an arrival."""
        half = self.half + gamma * (0.5 - within_half)
        most = self.most + gamma * (0.9 - within_most)
        half = min(max(half, LEAST), MOST)
        return Levels(half, min(max(most, half, LEAST), MOST))

    def mapped(self) -> tuple[float, ...]:
        """LEVELS moved so that 0.5 and 0.9 become these, and the ends stay."""
        moved = np.interp(LEVELS, (0.0, 0.5, 0.9, 1.0), (0.0, self.half, self.most, 1.0))
        return tuple(float(level) for level in moved)
