"""Learning anew without getting worse: a fit must beat the one it replaces on trips held back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.foretelling import Foretold, replay
from geo.speeds import Calibration, fit
from geo.trips import Trips

Floats = NDArray[np.float64]

HELD_SHARE = 5
LEAST_HELD, MOST_HELD = 12, 300
REPLAYED = 1_000
"""Before the trips held back, so many let the older calibration find today's tempo."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A fit and how it did on the trips held back, beside the one it would replace.

    Scores are pinball losses as a share of the mean drive; smaller is better.
    """

    learned: Calibration
    better: bool
    score: float
    score_before: float
    held: int


def refit(
    trips: Trips, *, incumbent: Calibration, cold: Calibration, number: int
) -> Verdict | None:
    """Learn from all but the newest fifth, judge on that. None with too few trips to learn from.

    The trips held back are followed by whoever uses the fit (`replay`), so nothing is lost.
    """
    trips = trips.believable().in_order()
    held = min(max(len(trips) // HELD_SHARE, LEAST_HELD), MOST_HELD)
    if len(trips) <= held:
        return None
    taught, asked = trips.only(slice(0, -held)), trips.only(slice(len(trips) - held, None))
    learned = fit(taught, before=cold, number=number, of=len(trips))
    if learned is cold:
        return None
    score = _score(learned, trips, asked)
    before = _score(incumbent, trips, asked)
    return Verdict(learned, score < before, score, before, held)


def _score(calibration: Calibration, trips: Trips, asked: Trips) -> float:
    """The loss on the last trips, each foretold by what was known when it left."""
    since = trips.only(trips.ended_at > calibration.until)
    since = since.only(slice(max(len(since) - len(asked) - REPLAYED, 0), None))
    if len(since) < len(asked):
        # it has seen some of them: let it show them as they come all the same
        since = asked
    _, told = replay(calibration, since, float(since.ended_at[-1]))
    return loss(told, since.actual_s, last=len(asked))


def loss(told: Foretold, actual_s: Floats, *, last: int) -> float:
    """Pinball loss of median and p90 over the last trips, as a share of their mean drive.

    max(t·(y − q), (t − 1)·(y − q)) for level t (Koenker & Bassett 1978).
    """
    actual = actual_s[-last:]
    lost = pinball(actual, told.drive_s[-last:], 0.5) + pinball(
        actual, told.drive_p90_s[-last:], 0.9
    )
    return lost / float(actual.mean())


def pinball(actual_s: Floats, told_s: Floats, level: float) -> float:
    """Mean pinball loss of a quantile, seconds."""
    off = actual_s - told_s
    return float(np.mean(np.maximum(level * off, (level - 1.0) * off)))
