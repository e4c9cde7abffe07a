"""When the stops of a round are reached: as ranges, from the same spread as every arrival."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

import msgspec
import pytest

from dispatch.core import rounds
from dispatch.core.events import Stop
from dispatch.core.log import plain
from dispatch.core.rounds import Round
from geo.spread import LEVELS, Spread
from tests.contract.worlds import NOON

IDS = [UUID(int=n) for n in range(1, 4)]
WORK_S = 900.0
SCORES = tuple(3.0 * (level - 0.5) for level in LEVELS)
LEARNED = Spread(0.4, short_s=120.0, scores=SCORES)


def round_of(*stops: Stop) -> Round:
    return Round(UUID(int=9), 1, NOON, "active", UUID(int=8), stops, NOON, 0.0, 0.0, "g")


def seconds(at: datetime | None) -> float:
    assert at is not None
    return (at - NOON).total_seconds()


@pytest.mark.parametrize("sure", [Spread(0.3), LEARNED])
def test_only_driving_is_unsure_and_work_shifts_both_ends(sure: Spread) -> None:
    legs = (300.0, 120.0, 600.0)
    found = rounds.reordered(
        round_of(*map(Stop, IDS)), IDS, legs, work_s=WORK_S, now=NOON, sure=sure
    )
    for n, stop in enumerate(found):
        driven_s, worked_s = sum(legs[: n + 1]), n * WORK_S
        assert seconds(stop.eta) == pytest.approx(driven_s + worked_s)
        latest_s = sure.quantile_s(driven_s, 0.9) + worked_s
        assert seconds(stop.eta_latest) == pytest.approx(latest_s, abs=1e-5)
    wide = [seconds(stop.eta_latest) - seconds(stop.eta) for stop in found]
    assert all(later > sooner > 0 for sooner, later in pairwise(wide))


def test_what_is_behind_keeps_its_times_and_a_late_start_moves_both_ends() -> None:
    done = Stop(IDS[0], NOON, "done", eta_latest=NOON + timedelta(minutes=4))
    first, *_ = rounds.reordered(
        round_of(done, Stop(IDS[1])), IDS[1:2], [60.0], work_s=0.0, now=NOON, sure=LEARNED
    )
    assert first == done
    late = timedelta(minutes=7)
    [begun, unknown] = rounds.begun(round_of(done, Stop(IDS[1], NOON)), NOON + late)
    assert (begun.eta, begun.eta_latest) == (NOON + late, NOON + timedelta(minutes=11))
    assert (unknown.eta, unknown.eta_latest) == (NOON + late, None)


def test_a_stop_written_before_ranges_is_still_read() -> None:
    old = {"incident_id": str(IDS[0]), "eta": plain(NOON), "state": "waiting", "reason": None}
    assert msgspec.convert(old, Stop) == Stop(IDS[0], NOON)
