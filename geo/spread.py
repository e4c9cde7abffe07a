"""How sure a time of arrival is: how often crews come later than so many times the foretold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]

LEVELS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
"""The shares of trips that a learned spread knows the quantiles of."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The distribution of log(actual / foretold) around a foretold median.

    Its scale for a foretold time T is σ(T) = `sigma`·√(1 + `short_s`/T): short trips are less
    certain, relative to their length. `scores` are the quantiles of log(actual/T)/σ(T) at LEVELS,
    not falling; without them the error is lognormal, as before anything was learned.
    """

    sigma: float
    short_s: float = 0.0
    scores: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.sigma > 0 or self.short_s < 0:
            raise ValueError("A spread needs a positive sigma and no negative short_s.")
        if self.scores and len(self.scores) != len(LEVELS):
            raise ValueError(f"A spread has {len(LEVELS)} scores or none, not {len(self.scores)}.")

    def sigma_of(self, ete_s: Floats | float) -> Floats:
        """σ(T) for foretold seconds; the shape of `ete_s`."""
        seconds = np.maximum(np.asarray(ete_s, dtype=np.float64), 1.0)
        if not self.short_s:
            return np.full_like(seconds, self.sigma)
        scale: Floats = self.sigma * np.sqrt(1.0 + self.short_s / seconds)
        return scale

    def p_within(self, left_s: Floats | float, ete_s: Floats | float) -> Floats:
        """Probability of arriving within `left_s` for a median of `ete_s`; shapes broadcast.

        F(ln(left/ete)/σ(ete)), with F the distribution of the scores; 0 where no time is left.
        """
        left = np.asarray(left_s, dtype=np.float64)
        ete = np.maximum(np.asarray(ete_s, dtype=np.float64), 1.0)
        z = np.log(np.maximum(left, 1e-9) / ete) / self.sigma_of(ete)
        return np.where(left <= 0.0, 0.0, self._share(z))

    def quantile_s(self, ete_s: float, level: float) -> float:
        """The seconds within which the share `level` of such trips arrives."""
        score = float(np.interp(level, LEVELS, self.scores)) if self.scores else _normal(level)
        sigma = self.sigma * math.sqrt(1.0 + self.short_s / max(ete_s, 1.0))
        return ete_s * math.exp(sigma * score)

    def _share(self, z: Floats) -> Floats:
        if not self.scores:
            found: Floats = ndtr(z)
            return found
        # Beyond the outermost quantiles the tails fall off like a normal's.
        low, high = self.scores[0], self.scores[-1]
        share = np.interp(z, _rising(self.scores), LEVELS)
        share = np.where(z < low, LEVELS[0] * 2.0 * ndtr(z - low), share)
        return np.where(z > high, 1.0 - (1.0 - LEVELS[-1]) * 2.0 * ndtr(high - z), share)


@lru_cache(maxsize=32)
def _normal(level: float) -> float:
    """The quantile of a standard normal."""
    return float(ndtri(level))


def _rising(scores: Sequence[float]) -> Floats:
    """The scores, ties moved apart by nothing that matters: `interp` wants them to rise."""
    return np.asarray(scores, dtype=np.float64) + 1e-9 * np.arange(len(scores))


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known of times of arrival at a moment: numbers for the rules.

    `offered` spreads turnout and drive together, from when a crew is asked; `rolling` the drive
    alone. `turnout_s` is the median from asked to rolling, `turnouts` the same by crew where it
    is known better. `version` names the calibration they come from.
    """

    offered: Spread
    rolling: Spread
    turnout_s: float
    turnouts: Mapping[Any, float]
    version: str = "policy"

    @classmethod
    def fixed(cls, *, sigma: float, turnout_s: float) -> Self:
        """The same for all: a lognormal error and one turnout."""
        spread = Spread(sigma)
        return cls(spread, spread, turnout_s, {})

    def turnout_of(self, crew_id: object) -> float:
        """The median seconds this crew needs until it rolls."""
        return self.turnouts.get(crew_id, self.turnout_s)
