"""How long crews really take: learned from their own trips, told with how sure it is.

A drive that the roads say takes d_g seconds on roads of group g, begun in hour band b, is foretold
as Σ_g d_g·f[g, b] + c seconds. In three stages, by how many trips there are:

    0   f is the cold start: how much slower cities are than the map, by road and hour
    1   from HOUR_TRIPS: times a factor for each band, a median shrunk towards the whole city's
    2   from CLASS_TRIPS: a robust ridge regression moves every f[g, b] and finds c

(`geo.factors`). Half of the trips teach the factors; the other half, which the factors have not
seen, teaches how far arrivals spread around them (`geo.conformal`). What changes by the hour is
followed by `geo.foretelling`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from geo import factors
from geo.tempo import LOOKED_AT, tempos
from geo.trips import BANDS, GROUPS, Ints, Trips

Floats = NDArray[np.float64]

HOUR_TRIPS, CLASS_TRIPS = 60, 600
LEAST_TRIPS = 40
"""No spread is told from fewer."""
KEPT_SCORES = 400
PRIOR_SCORES = 39
SHORT_S = (0.0, 15.0, 30.0, 60.0, 120.0, 240.0, 480.0)
LEAST_SIGMA = 0.02
LAPLACE_TO_NORMAL = float(np.sqrt(np.pi / 2))
"""A normal's standard deviation over its mean absolute one."""
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Scale:
    """How far arrivals spread, and the newest scores that say so; see `geo.spread.Spread`."""

    sigma: float
    short_s: float
    scores: tuple[float, ...]
    """log(actual / foretold)/σ(foretold) of trips the factors have not seen, oldest first."""

    def of(self, foretold_s: Floats) -> Floats:
        """σ(foretold)."""
        scale: Floats = self.sigma * np.sqrt(1.0 + self.short_s / np.maximum(foretold_s, 1.0))
        return scale


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What was learned at one time; plain numbers, see `document`."""

    factor: Floats
    """f, shape (groups, bands)."""
    extra_s: float
    rolling: Scale
    """Of the drive alone."""
    offered: Scale
    """Of turnout and drive."""
    turnout_s: float
    turnouts: Mapping[str, float] = field(default_factory=dict)
    """By kind of vehicle."""
    number: int = 0
    stage: int = 0
    trips: int = 0
    until: float = 0.0
    """When the last trip that taught it ended, POSIX seconds."""
    recent: tuple[tuple[float, float], ...] = ()
    """When the last trips ended, and the log of what they took over what was foretold."""

    def drive_of(self, drive_s: Floats, band: Ints | int) -> Floats:
        """Median seconds of drives, shape (n,), for `drive_s` of shape (n, groups)."""
        factors = self.factor[:, band].T
        found: Floats = np.maximum((drive_s * factors).sum(axis=-1) + self.extra_s, 1.0)
        return found

    def turnouts_of(self, vehicles: Sequence[str]) -> Floats:
        """Median seconds from asked to rolling."""
        return np.array([self.turnouts.get(each, self.turnout_s) for each in vehicles])


def cold(*, turnout_s: float, sigma: float) -> Calibration:
    """What holds before there are trips: a lognormal error of the policy's size."""
    # so many that the quantiles they give at LEVELS are a normal's own
    normal = tuple(ndtri(np.arange(1, PRIOR_SCORES + 1) / (PRIOR_SCORES + 1)).tolist())
    scale = Scale(sigma, 0.0, normal)
    return Calibration(factors.COLD, 0.0, scale, scale, turnout_s)


def fit(trips: Trips, *, before: Calibration, number: int, of: int | None = None) -> Calibration:
    """Learn anew from all trips; `before` is the cold start.

    The stage follows from how many believable ones there are, or from `of` when some are held
    back. With fewer than HOUR_TRIPS it stays the cold start.
    """
    trips = trips.believable().in_order()
    of = len(trips) if of is None else of
    if of < HOUR_TRIPS or len(trips) < LEAST_TRIPS:
        return before
    teaches = np.arange(len(trips)) % 2 == 0
    taught = trips.only(teaches)
    learned = _centred(replace(_staged(taught, before, of=of), number=number), taught)
    off = off_by(learned, trips)
    sigma = max(factors.NORMAL_MAD * float(np.median(np.abs(off[teaches]))), LEAST_SIGMA)
    tempo = tempos(trips.ended_at, off, trips.left_at, sigma=sigma)
    drive_s = learned.drive_of(trips.drive_s, trips.band) * np.exp(tempo)
    rolling = _scale(drive_s, trips.actual_s, teaches)
    whole_s = learned.turnouts_of(trips.vehicle) + drive_s
    known = np.isfinite(trips.turnout_s)
    offered = rolling
    if known.sum() >= LEAST_TRIPS:
        took_s = (trips.turnout_s + trips.actual_s)[known]
        offered = _scale(whole_s[known], took_s, teaches[known])
    newest = zip(trips.ended_at[-LOOKED_AT:].tolist(), off[-LOOKED_AT:].tolist(), strict=True)
    return replace(
        learned,
        rolling=rolling,
        offered=offered,
        trips=len(trips),
        until=float(trips.ended_at[-1]),
        recent=tuple(newest),
    )


def off_by(calibration: Calibration, trips: Trips) -> Floats:
    """log(actual / by the factors) of each trip, shape (n,)."""
    off: Floats = np.log(trips.actual_s / calibration.drive_of(trips.drive_s, trips.band))
    return off


def _staged(taught: Trips, before: Calibration, *, of: int) -> Calibration:
    """The factors and turnouts of the stage that so many trips allow."""
    factor, extra_s, stage = factors.by_band(taught, before.factor), 0.0, 1
    if of >= CLASS_TRIPS:
        factor, extra_s = factors.by_class(taught, factor)
        stage = 2
    turnouts, turnout_s = factors.turnouts(taught, before.turnout_s)
    return replace(
        before, factor=factor, extra_s=extra_s, stage=stage, turnouts=turnouts, turnout_s=turnout_s
    )


def _centred(rough: Calibration, taught: Trips) -> Calibration:
    """Moved so that half of the drives and of the offers come in time: the median of a sum, and
    of what least squares fits, is another than the sum of medians.
    """
    more = float(np.exp(np.median(off_by(rough, taught))))
    drive = replace(rough, factor=rough.factor * more, extra_s=rough.extra_s * more)
    known = np.isfinite(taught.turnout_s)
    if not known.any():
        return drive
    foretold = drive.turnouts_of(taught.vehicle) + drive.drive_of(taught.drive_s, taught.band)
    late_s = float(np.median((taught.turnout_s + taught.actual_s - foretold)[known]))
    late_s *= float(known.sum() / (known.sum() + factors.TURNOUT_PRIOR))
    return replace(
        drive,
        turnout_s=max(drive.turnout_s + late_s, 0.0),
        turnouts={kind: max(s + late_s, 0.0) for kind, s in drive.turnouts.items()},
    )


def _scale(foretold_s: Floats, took_s: Floats, taught: NDArray[np.bool_]) -> Scale:
    """σ from the trips that taught, by maximum likelihood of a Laplace error; scores of the others.

    Scores divided by a spread that depends on the trip: normalised conformal prediction
    (Papadopoulos, Gammerman & Vovk 2008).
    """
    off = np.log(took_s / foretold_s)
    best: tuple[float, float, float] | None = None
    for short_s in SHORT_S:
        widening = np.sqrt(1.0 + short_s / foretold_s)
        mean = float(np.mean(np.abs(off[taught]) / widening[taught]))
        misfit = float(np.log(max(mean, 1e-9)) + np.mean(np.log(widening[taught])))
        if best is None or misfit < best[0] - 1e-9:
            best = misfit, short_s, mean
    assert best is not None
    scale = Scale(max(LAPLACE_TO_NORMAL * best[2], LEAST_SIGMA), best[1], ())
    scores = (off / scale.of(foretold_s))[~taught]
    return replace(scale, scores=tuple(scores[-KEPT_SCORES:].tolist()))


def document(calibration: Calibration) -> dict[str, Any]:
    """Everything in it, for JSON."""
    return {
        "format": FORMAT,
        "groups": list(GROUPS),
        "bands": list(BANDS),
        "factor": calibration.factor.round(5).tolist(),
        "extra_s": calibration.extra_s,
        "rolling": _scale_document(calibration.rolling),
        "offered": _scale_document(calibration.offered),
        "turnout_s": calibration.turnout_s,
        "turnouts": dict(calibration.turnouts),
        "number": calibration.number,
        "stage": calibration.stage,
        "trips": calibration.trips,
        "until": calibration.until,
        "recent": [list(pair) for pair in calibration.recent],
    }


def _scale_document(scale: Scale) -> dict[str, Any]:
    scores = [round(score, 5) for score in scale.scores]
    return {"sigma": scale.sigma, "short_s": scale.short_s, "scores": scores}


def read(stored: Mapping[str, Any]) -> Calibration:
    """What `document` wrote. Raises ValueError when it is not that, or of another time."""
    try:
        if (stored["format"], stored["groups"], stored["bands"]) != (
            FORMAT,
            list(GROUPS),
            list(BANDS),
        ):
            raise ValueError("This calibration was written by another version.")
        factor = np.array(stored["factor"], dtype=np.float64)
        if factor.shape != (len(GROUPS), len(BANDS)) or not (factor > 0).all():
            raise ValueError("A calibration needs a positive factor for every road and hour.")
        return Calibration(
            factor=factor,
            extra_s=float(stored["extra_s"]),
            rolling=_read_scale(stored["rolling"]),
            offered=_read_scale(stored["offered"]),
            turnout_s=float(stored["turnout_s"]),
            turnouts={str(kind): float(s) for kind, s in stored["turnouts"].items()},
            number=int(stored["number"]),
            stage=int(stored["stage"]),
            trips=int(stored["trips"]),
            until=float(stored["until"]),
            recent=tuple((float(at), float(off)) for at, off in stored["recent"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"This is not a calibration: {error!r}.") from error


def _read_scale(stored: Mapping[str, Any]) -> Scale:
    scores = tuple(float(score) for score in stored["scores"])
    return Scale(float(stored["sigma"]), float(stored["short_s"]), scores)
