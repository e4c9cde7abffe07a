"""What is foretold at a moment: what was learned, and what the last arrivals say about today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.conformal import Levels, quantile, table
from geo.factors import TURNOUT_PRIOR
from geo.speeds import Calibration, Scale, off_by
from geo.spread import LEVELS, Outlook, Spread
from geo.tempo import LOOKED_AT, tempo
from geo.trips import Trips

Floats = NDArray[np.float64]

WINDOW = 200
"""The newest scores that quantiles are taken of."""
HALF = LEVELS.index(0.5)


@dataclass(frozen=True, slots=True)
class Live:
    """A calibration at a moment. `seen` arrivals came in since it was learned."""

    calibration: Calibration
    tempo: float
    rolling_scores: tuple[float, ...]
    offered_scores: tuple[float, ...]
    """Scores at LEVELS, as the adaptive levels have them now."""
    turnout: float
    """By how much, as a logarithm, crews roll later now than was learned."""
    seen: int

    @property
    def version(self) -> str:
        """Names what the numbers came from, as in `eta-3+17`."""
        return f"eta-{self.calibration.number}" + (f"+{self.seen}" if self.seen else "")

    def median_s(self, base_s: Floats, rate: Floats | float) -> Floats:
        """Median seconds of drives that begin now, of any shape; infinite stays so.

        `base_s` is what the roads say, `rate` how many times longer such drives take: the shares
        of the groups of road times `factors`.
        """
        known = self.calibration
        foretold = np.maximum(base_s * rate + known.extra_s, 1.0) * np.exp(self.tempo)
        scale = known.rolling.of(foretold)
        middle: Floats = foretold * np.exp(scale * self.rolling_scores[HALF])
        return middle

    def factors(self, band: int) -> Floats:
        """How many times longer than the roads say, by group of road, shape (groups,)."""
        factors: Floats = self.calibration.factor[:, band]
        return factors

    def outlook(self, vehicles: Mapping[Any, str]) -> Outlook:
        """The numbers for the rules; `vehicles` says what kind each crew drives."""
        known = self.calibration
        return Outlook(
            offered=_spread(known.offered, self.offered_scores, around=0.0),
            # the median of `median_s` is in its seconds already
            rolling=_spread(known.rolling, self.rolling_scores, around=self.rolling_scores[HALF]),
            turnout_s=known.turnout_s * float(np.exp(self.turnout)),
            turnouts={
                crew_id: known.turnouts[kind] * float(np.exp(self.turnout))
                for crew_id, kind in vehicles.items()
                if kind in known.turnouts
            },
            version=self.version,
        )


def _spread(scale: Scale, scores: tuple[float, ...], *, around: float) -> Spread:
    return Spread(scale.sigma, scale.short_s, tuple(score - around for score in scores))


@dataclass(frozen=True, slots=True)
class Foretold:
    """What was told of each trip when it left: of the drive, and of turnout and drive; (n,)."""

    drive_s: Floats
    drive_p90_s: Floats
    whole_s: Floats
    whole_p90_s: Floats


class _Course:
    """One kind of score through time: a window of the newest, and the levels they moved."""

    def __init__(self, scale: Scale) -> None:
        self.scale = scale
        self._scores = list(scale.scores)
        self._levels = [Levels()]
        self._begun = len(self._scores)

    def at(self, k: int) -> tuple[Levels, Floats]:
        """Levels and window when k arrivals had come in."""
        end = self._begun + k
        return self._levels[k], np.array(self._scores[max(end - WINDOW, 0) : end])

    def ends(self, k: int) -> tuple[float, float]:
        """The scores that half, and nine in ten, stay below."""
        levels, scores = self.at(k)
        return quantile(scores, levels.half), quantile(scores, levels.most)

    def add(self, score: float, *, half: float, most: float) -> None:
        self._scores.append(score)
        now = self._levels[-1]
        self._levels.append(now.after(within_half=score <= half, within_most=score <= most))

    def same(self) -> None:
        """An arrival that says nothing about this kind of score."""
        # arrivals are counted, not scores: the window of a later count begins one score earlier
        self._levels.append(self._levels[-1])
        self._begun -= 1

    def table(self) -> tuple[float, ...]:
        """Scores at LEVELS now."""
        levels, scores = self.at(len(self._levels) - 1)
        return table(scores, levels=levels.mapped())


def replay(calibration: Calibration, trips: Trips, at: float) -> tuple[Live, Foretold]:
    """Follow the trips that came in since it was learned, each foretold by what was known then.

    Returns what holds at `at` (POSIX seconds), and what each trip, by when it ended, was told.
    """
    trips = trips.in_order()
    n = len(trips)
    known = calibration.recent
    ended = np.array([when for when, _ in known] + trips.ended_at.tolist())
    off = np.array([each for _, each in known] + off_by(calibration, trips).tolist())
    base = calibration.drive_of(trips.drive_s, trips.band)
    turnouts = calibration.turnouts_of(trips.vehicle)
    rolled = np.log(np.maximum(trips.turnout_s, 1.0) / np.maximum(turnouts, 1.0))
    rolling, offered = _Course(calibration.rolling), _Course(calibration.offered)
    before = np.searchsorted(trips.ended_at, trips.left_at, side="right").tolist()
    told = np.zeros((4, n))
    sigma = calibration.rolling.sigma
    for i, k in enumerate(before):
        k = min(k, i)
        upto = len(known) + k
        drive_s = base[i] * np.exp(tempo(ended[:upto], off[:upto], trips.left_at[i], sigma=sigma))
        told[:2, i] = _step(rolling, k, drive_s, trips.actual_s[i])
        median_s = told[0, i]
        whole_s = turnouts[i] * np.exp(_slower(rolled[:k])) + median_s
        took_s = trips.turnout_s[i] + trips.actual_s[i]
        told[2:, i] = _step(offered, k, whole_s, took_s, moved=False)
    live = Live(
        calibration,
        tempo(ended, off, at, sigma=sigma),
        rolling.table(),
        offered.table(),
        _slower(rolled),
        n,
    )
    return live, Foretold(*told)


def _slower(rolled: Floats) -> float:
    """The median of the newest log(turnout / learned), shrunk towards what was learned."""
    newest = rolled[-LOOKED_AT:]
    newest = newest[np.isfinite(newest)]
    n = len(newest)
    return float(np.median(newest)) * n / (n + TURNOUT_PRIOR) if n else 0.0


def _step(
    course: _Course, k: int, foretold_s: float, took_s: float, *, moved: bool = True
) -> tuple[float, float]:
    """What was told, median and p90; then what the arrival taught."""
    half, most = course.ends(k)
    scale = float(course.scale.of(np.asarray(foretold_s)))
    told = foretold_s * np.exp(scale * half) if moved else foretold_s
    latest = foretold_s * np.exp(scale * most)
    if np.isfinite(took_s):
        course.add(float(np.log(took_s / foretold_s)) / scale, half=half, most=most)
    else:
        course.same()
    return float(told), float(max(latest, told))
