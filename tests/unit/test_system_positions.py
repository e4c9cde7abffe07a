"""Positions nobody should believe are refused; late ones are kept and move nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.core.crews import Fix
from dispatch.system.positions import Positions
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
    device: str = "browser",
) -> Fix:
    moment = NOON + timedelta(seconds=at)
    return Fix(
        CREW, lon, lat, fix_time=moment, server_time=NOON, accuracy_m=accuracy_m, device=device
    )


def north(
    metres: float, at: float, *, accuracy_m: float | None = None, device: str = "browser"
) -> Fix:
    return fix(at, lat=MIDDLE[1] + metres / DEGREE_M, accuracy_m=accuracy_m, device=device)


def raw(fixes: Sequence[Fix]) -> list[Fix]:
    """The fixes as they were sent, without what the steps found out."""
    return [
        replace(one, heading=None, shown_lon=None, shown_lat=None, road_u=None, road_v=None)
        for one in fixes
    ]


def marker(positions: Positions) -> Fix:
    found = positions.of(CREW)
    assert found is not None
    return raw([found])[0]


def said(*fixes: Fix, after: Fix | None = None) -> list[str | None]:
    positions = Positions({CREW: after} if after else {})
    return list(positions.take(CITY, fixes).said)


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (fix(), None),
        (fix(lon=math.nan), "not_a_position"),
        (fix(lat=math.inf), "not_a_position"),
        (fix(lat=91.0), "not_a_position"),
        (fix(lon=0.0, lat=0.0), "zero"),
        (fix(lon=111.0, lat=-7.0), "whole_degree"),
        (fix(lon=112.0, lat=-7.0), "whole_degree"),
        (fix(lon=MIDDLE[1], lat=MIDDLE[0]), "swapped"),
        (fix(lon=MIDDLE[1], lat=MIDDLE[0] - 90), "out_of_region"),
        (fix(lon=112.5, lat=-7.63), "out_of_region"),
        (fix(lon=111.70), None),
        (fix(59), None),
        (fix(61), "future"),
        (fix(20 * 365 * 86400), "future"),
        (fix(-2 * 86400 + 1), None),
        (fix(-2 * 86400 - 1), "too_old"),
    ],
)
def test_each_position_that_cannot_be_has_its_reason(one: Fix, reason: str | None) -> None:
    assert said(one) == [reason]


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (north(690, 10), None),
        (north(710, 10), "jump"),
        (north(790, 10, accuracy_m=100.0), None),
        (north(5000, -10), "late"),
        (north(5000, 0), "repeated"),
    ],
)
def test_nobody_drives_faster_than_a_car_can(one: Fix, reason: str | None) -> None:
    assert said(one, after=fix(0)) == [reason]


def test_after_some_that_agree_it_was_the_old_place_that_was_wrong() -> None:
    positions = Positions({CREW: fix(0)})
    far = [north(9000 + 5 * i, 1 + i) for i in range(4)]
    assert positions.take(CITY, far).said == ["jump", "jump", None, None]
    assert marker(positions) == far[3]


def test_jumps_that_do_not_agree_with_each_other_are_never_believed() -> None:
    positions = Positions({CREW: fix(0)})
    wild = [north(9000 * (-1) ** i, 1 + i) for i in range(8)]
    assert set(positions.take(CITY, wild).said) == {"jump"}
    assert marker(positions) == fix(0)


def test_the_newest_moves_the_marker_whatever_the_order_of_the_batch() -> None:
    positions = Positions({})
    taken = positions.take(CITY, [north(20, 2), north(0, 0), north(10, 1)])
    assert [one.fix_time for one in taken.moved] == [NOON + timedelta(seconds=s) for s in (0, 1, 2)]
    assert taken.refused == []
    assert marker(positions) == north(20, 2)


def test_a_late_fix_is_kept_and_never_moves_the_marker_back() -> None:
    positions = Positions({CREW: north(100, 10)})
    taken = positions.take(CITY, [north(0, 0), north(100, 10)])
    assert (taken.moved, taken.refused, taken.said) == ([], [], ["late", "repeated"])
    assert marker(positions) == north(100, 10)
    assert positions.unwritten() == ([north(0, 0)], [])


def test_the_same_batch_again_changes_nothing() -> None:
    positions = Positions({})
    batch = [north(5 * i, i) for i in range(60)]
    positions.take(CITY, batch)
    before = positions.unwritten()
    assert [len(each) for each in before] == [60, 1]
    assert set(positions.take(CITY, batch).said) == {"repeated"}
    assert positions.unwritten() == ([], [])


def test_two_devices_of_a_crew_are_told_apart_and_move_one_marker() -> None:
    positions = Positions({})
    both = [north(0, 0), north(8, 0, device="tracker"), north(4, 5, device="tracker")]
    assert positions.take(CITY, both).said == [None, "late", None]
    assert marker(positions) == both[2]
    history, markers = positions.unwritten()
    assert [one.device for one in history] == ["browser", "tracker", "tracker"]
    assert [one.device for one in markers] == ["tracker"]


def test_the_refused_are_named_by_their_place_in_the_batch_and_not_kept() -> None:
    positions = Positions({})
    batch = [fix(3, lon=0.0, lat=0.0), north(0, 0), fix(500), north(9000, 1)]
    taken = positions.take(CITY, batch)
    assert taken.refused == [(0, "zero"), (2, "future"), (3, "jump")]
    assert raw(taken.moved) == [north(0, 0)]
    assert raw(positions.unwritten()[0]) == [north(0, 0)]


def test_one_crew_does_not_move_another() -> None:
    other = replace(north(5000, 1), crew_id=UUID(int=2))
    positions = Positions({CREW: fix(0)})
    assert raw(positions.take(CITY, [other]).moved) == [other]
    assert raw(list(positions.newest().values())) == [fix(0), other]


def test_a_crew_that_stands_is_known_to_stand() -> None:
    positions = Positions({})
    positions.take(CITY, [north(0, 0), north(400, 60), north(405, 90), north(398, 120)])
    assert positions.still_since(CREW) == NOON + timedelta(seconds=60)


def test_what_could_not_be_written_comes_first_the_next_time() -> None:
    positions = Positions({})
    positions.take(CITY, [north(0, 0)])
    waiting = positions.unwritten()
    positions.take(CITY, [north(1, 1)])
    positions.put_back(*waiting)
    history, markers = positions.unwritten()
    assert raw(history) == [north(0, 0), north(1, 1)]
    assert raw(markers) == [north(1, 1)], "a newer marker is not replaced by the older one"
    assert positions.unwritten() == ([], [])


@given(
    st.lists(
        st.tuples(
            st.integers(-50, 50), st.integers(0, 500), st.sampled_from(["browser", "a", "b"])
        ),
        max_size=20,
    )
)
def test_the_marker_only_ever_goes_forward(steps: list[tuple[int, int, str]]) -> None:
    positions = Positions({})
    newest = None
    for at, metres, device in steps:
        positions.take(CITY, [north(metres, at, device=device)])
        now = positions.of(CREW)
        if newest is not None:
            assert now is not None
            assert now.fix_time >= newest.fix_time
        newest = now


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=20), st.randoms())
def test_repeating_and_shuffling_keeps_each_fix_once(times: list[int], chance: object) -> None:
    positions = Positions({})
    batch = [north(0, at) for at in times]
    again = [*batch, *batch]
    chance.shuffle(again)  # type: ignore[attr-defined]
    for one in again:
        positions.take(CITY, [one])
    history, _ = positions.unwritten()
    assert sorted(one.fix_time for one in history) == sorted({one.fix_time for one in batch})
    assert marker(positions).fix_time == max(one.fix_time for one in batch)


def test_how_long_the_oldest_position_waited_to_be_told() -> None:
    """By when it came in, of the first that screens do not know yet; late ones move nothing."""
    positions = Positions({})
    assert positions.telling() is None

    def take(*fixes: Fix, after_s: float) -> None:
        came = [replace(one, server_time=NOON + timedelta(seconds=after_s)) for one in fixes]
        positions.take(CITY, came)

    take(fix(0), after_s=1)
    take(fix(2), after_s=3)
    take(fix(1), after_s=0.5)
    assert positions.telling() == NOON + timedelta(seconds=1)
    assert positions.telling() is None
    take(fix(1.5), after_s=4)
    assert positions.telling() is None
    # what another process took in waits here, too
    positions.learn({CREW: replace(fix(5), server_time=NOON + timedelta(seconds=6))})
    assert positions.telling() == NOON + timedelta(seconds=6)
