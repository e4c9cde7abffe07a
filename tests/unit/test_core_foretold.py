"""What the log says of the times of arrival that were told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from dispatch.core import events as ev
from dispatch.core.events import SYSTEM, Event, Fact
from dispatch.core.foretold import told_in, truth_of

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def event(subject: int, fact: Fact, after_s: float) -> Event:
    return Event("assignment", UUID(int=subject), 1, at(after_s), at(after_s), SYSTEM, fact)


def offer(subject: int, ete_s: float | None, p90_s: float | None, after_s: float = 0.0) -> Event:
    fact = ev.AssignmentOffered(
        UUID(int=99), UUID(int=7), at(60), at(ete_s or 0), ete_s, p90_s, 0.9, "dispatcher"
    )
    return event(subject, fact, after_s)


def there(subject: int, after_s: float, evidence: str = "geofence") -> Event:
    return event(subject, ev.AssignmentOnScene("geofence", evidence, 10.0), after_s)


def test_what_was_told_stands_beside_what_it_took() -> None:
    log = [
        offer(1, 600.0, 900.0),
        offer(2, 300.0, 400.0, after_s=100.0),
        offer(3, None, None),
        there(2, 600.0),
        there(1, 500.0),
        there(3, 400.0),
        offer(4, 100.0, 200.0),  # never arrived
    ]
    told = told_in(log)
    assert [(each.assignment_id.int, each.took_s) for each in told] == [(1, 500.0), (2, 500.0)]
    truth = truth_of(told)
    assert truth is not None
    assert (truth.n, truth.mae_s, truth.bias_s) == (2, 150.0, 50.0)
    assert (truth.within_p50, truth.within_p90) == (0.5, 0.5)
    assert truth.pinball_p50_s == 75.0
    # 0.1·400 early and 0.9·100 late
    assert truth.pinball_p90_s == pytest.approx((40.0 + 90.0) / 2)


def test_better_evidence_vouches_for_an_arrival() -> None:
    log = [offer(1, 600.0, 900.0), there(1, 500.0, "button")]
    assert not told_in(log)[0].vouched
    graded = event(1, ev.AssignmentEvidenceGraded("photo"), 700.0)
    assert told_in([*log, graded])[0].vouched


def test_nothing_was_told() -> None:
    assert told_in([]) == []
    assert truth_of([]) is None
