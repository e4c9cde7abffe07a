"""Were the times of arrival true? Reckoned from the log: what a crew's offer said, what it took."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np

from dispatch.core import events as ev

VOUCHED = ("geofence", "photo")
"""Evidence of an arrival that nobody can press from afar."""


@dataclass(frozen=True, slots=True)
class Told:
    """One arrival: what was said when the crew was asked, seconds, and what it took from then."""

    assignment_id: UUID
    asked_at: datetime
    ete_s: float
    p90_ete_s: float
    took_s: float
    vouched: bool


@dataclass(frozen=True, slots=True)
class Truth:
    """How true they were. `bias_s` above 0: crews came later than told; shares 0 to 1.

    Pinball loss of a quantile q at level t: the mean of max(t·(y − q), (t − 1)·(y − q)).
    """

    n: int
    mae_s: float
    bias_s: float
    pinball_p50_s: float
    pinball_p90_s: float
    within_p50: float
    within_p90: float
    mean_took_s: float


class Tally:
    """Offers and arrivals, taken from a log event by event."""

    def __init__(self) -> None:
        self._offers: dict[UUID, tuple[datetime, float, float]] = {}
        self._arrived: dict[UUID, tuple[float, bool]] = {}

    def take(self, event: ev.Event) -> None:
        """Go on with the next event of the log."""
        fact, subject = event.fact, event.subject
        if isinstance(fact, ev.AssignmentOffered):
            if fact.ete_s is not None and fact.p90_ete_s is not None:
                self._offers[subject] = (event.at, fact.ete_s, fact.p90_ete_s)
        elif isinstance(fact, ev.AssignmentOnScene) and subject in self._offers:
            took_s = (event.at - self._offers[subject][0]).total_seconds()
            self._arrived[subject] = (took_s, fact.evidence in VOUCHED)
        elif isinstance(fact, ev.AssignmentEvidenceGraded) and subject in self._arrived:
            self._arrived[subject] = (self._arrived[subject][0], fact.evidence in VOUCHED)

    def told(self) -> list[Told]:
        """The arrivals that were foretold when the crew was asked, by when it was asked."""
        found = [
            Told(subject, *self._offers[subject], took_s, vouched)
            for subject, (took_s, vouched) in self._arrived.items()
            if took_s > 0
        ]
        return sorted(found, key=lambda told: (told.asked_at, told.assignment_id))


def told_in(events: Iterable[ev.Event]) -> list[Told]:
    """The arrivals in a log that were foretold when the crew was asked, by when it was asked."""
    tally = Tally()
    for event in events:
        tally.take(event)
    return tally.told()


def truth_of(told: Sequence[Told]) -> Truth | None:
    """The figures over these arrivals; None of none."""
    if not told:
        return None
    took = np.array([each.took_s for each in told])
    half = np.array([each.ete_s for each in told])
    most = np.array([each.p90_ete_s for each in told])
    return Truth(
        n=len(told),
        mae_s=_rounded(np.abs(took - half).mean()),
        bias_s=_rounded((took - half).mean()),
        pinball_p50_s=_rounded(np.maximum(0.5 * (took - half), -0.5 * (took - half)).mean()),
        pinball_p90_s=_rounded(np.maximum(0.9 * (took - most), -0.1 * (took - most)).mean()),
        within_p50=round(float((took <= half).mean()), 4),
        within_p90=round(float((took <= most).mean()), 4),
        mean_took_s=_rounded(took.mean()),
    )


def _rounded(seconds: float) -> float:
    return round(float(seconds), 1)
