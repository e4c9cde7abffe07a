"""Positions nobody should believe are refused; late ones are kept and move nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.core.crews import Fix
from dispatch.system.positions import Positions, refusal
from tests.story.small_city import MIDDLE, small_city

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CITY = small_city()
CREW = UUID(int=1)
DEGREE_M = 111_195.08


def fix(
    at: float = 0.0,
    *,
    lon: float = MIDDLE[0],
    lat: float = MIDDLE[1],
    accuracy_m: float | None = None,
) -> Fix:
    moment = NOON + timedelta(seconds=at)
    return Fix(CREW, lon, lat, fix_time=moment, server_time=NOON, accuracy_m=accuracy_m)


def north(metres: float, at: float, *, accuracy_m: float | None = None) -> Fix:
    return fix(at, lat=MIDDLE[1] + metres / DEGREE_M, accuracy_m=accuracy_m)


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (fix(), None),
        (fix(lon=math.nan), "not_a_position"),
        (fix(lat=math.inf), "not_a_position"),
        (fix(lat=91.0), "not_a_position"),
        (fix(lon=0.0, lat=0.0), "zero"),
        (fix(lon=111.0, lat=-7.0), "whole_degree"),
        (fix(lon=MIDDLE[1], lat=MIDDLE[0] - 90), "out_of_region"),
        (fix(lon=112.5, lat=-7.63), "out_of_region"),
        (fix(lon=111.70), None),
        (fix(59), None),
        (fix(61), "future"),
        (fix(-2 * 86400 + 1), None),
        (fix(-2 * 86400 - 1), "too_old"),
    ],
)
def test_each_position_that_cannot_be_has_its_reason(one: Fix, reason: str | None) -> None:
    assert refusal(CITY, one, None, now=NOON) == reason


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (north(690, 10), None),
        (north(710, 10), "jump"),
        (north(790, 10, accuracy_m=100.0), None),
        (north(5000, -10), None),
        (north(5000, 0), None),
    ],
)
def test_nobody_drives_faster_than_a_car_can(one: Fix, reason: str | None) -> None:
    assert refusal(CITY, one, fix(0), now=NOON + timedelta(seconds=30)) == reason


def test_the_newest_moves_the_marker_whatever_the_order_of_the_batch() -> None:
    positions = Positions({})
    moved, refused = positions.take(CITY, [north(20, 2), north(0, 0), north(10, 1)], now=NOON)
    assert [one.fix_time for one in moved] == [NOON + timedelta(seconds=s) for s in (0, 1, 2)]
    assert refused == []
    assert positions.of(CREW) == north(20, 2)


def test_a_late_fix_is_kept_and_never_moves_the_marker_back() -> None:
    positions = Positions({CREW: north(100, 10)})
    moved, refused = positions.take(CITY, [north(0, 0), north(100, 10)], now=NOON)
    assert (moved, refused) == ([], [])
    assert positions.of(CREW) == north(100, 10)
    assert positions.unwritten() == [north(0, 0), north(100, 10)]


def test_the_refused_are_named_by_their_place_in_the_batch_and_not_kept() -> None:
    positions = Positions({})
    batch = [fix(3, lon=0.0, lat=0.0), north(0, 0), fix(500), north(9000, 1)]
    moved, refused = positions.take(CITY, batch, now=NOON)
    assert refused == [(0, "zero"), (2, "future"), (3, "jump")]
    assert moved == [north(0, 0)]
    assert positions.unwritten() == [north(0, 0)]


def test_one_crew_does_not_move_another() -> None:
    other = replace(north(5000, 1), crew_id=UUID(int=2))
    positions = Positions({CREW: fix(0)})
    assert positions.take(CITY, [other], now=NOON) == ([other], [])
    assert positions.newest() == {CREW: fix(0), UUID(int=2): other}


def test_what_could_not_be_written_comes_first_the_next_time() -> None:
    positions = Positions({})
    positions.take(CITY, [north(0, 0)], now=NOON)
    waiting = positions.unwritten()
    positions.take(CITY, [north(1, 1)], now=NOON)
    positions.put_back(waiting)
    assert positions.unwritten() == [north(0, 0), north(1, 1)]
    assert positions.unwritten() == []


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(0, 500)), max_size=20))
def test_the_marker_only_ever_goes_forward(steps: list[tuple[int, int]]) -> None:
    positions = Positions({})
    newest = None
    for at, metres in steps:
        positions.take(CITY, [north(metres, at)], now=NOON)
        now = positions.of(CREW)
        if newest is not None:
            assert now is not None
            assert now.fix_time >= newest.fix_time
        newest = now
