"""Is the crew there? Not because of one stray fix, and not only when it crossed a line."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.core.arrival import Approach, flag_of, judge, metres_between, proves, standing
from dispatch.core.crews import Fix
from dispatch.core.policy import Arrival
from geo.point import Point, distance_m

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HERE = (111.52, -7.63)
RULE = Arrival(radius_m=60.0, dwell_s=20.0, moving_ms=2.5)
DEGREE_M = 111_195.08


def fix(
    at: float, north_m: float, *, accuracy_m: float | None = None, speed: float | None = 0.0
) -> Fix:
    """A position so many seconds after noon and metres north of the incident."""
    moment = NOON + timedelta(seconds=at)
    lat = HERE[1] + north_m / DEGREE_M
    return Fix(UUID(int=1), HERE[0], lat, moment, moment, accuracy_m=accuracy_m, speed_ms=speed)


def walk(*fixes: Fix, rule: Arrival = RULE) -> list[str | None]:
    """What each fix shows."""
    approach = Approach()
    signs: list[str | None] = []
    for one in fixes:
        approach, sign = judge(approach, one, lon=HERE[0], lat=HERE[1], rule=rule)
        signs.append(sign.what if sign else None)
    return signs


def test_a_stay_inside_is_an_arrival_and_a_moment_is_not() -> None:
    assert walk(fix(0, 10), fix(19, 10)) == [None, None]
    assert walk(fix(0, 10), fix(20, 10)) == [None, "arrived"]


def test_one_stray_fix_inside_begins_nothing() -> None:
    signs = walk(fix(0, 500), fix(10, 0), fix(20, 500), fix(30, 10), fix(45, 10), fix(50, 10))
    assert signs == [None, None, None, None, None, "arrived"]


def test_who_passes_by_has_not_arrived() -> None:
    """Jumped over: one fix before, one behind, however much time lies between."""
    assert "arrived" not in walk(fix(0, 400, speed=12.0), fix(60, -400, speed=12.0))


def test_a_missed_crossing_counts_all_the_same() -> None:
    """No fix near the line: far away, then there."""
    assert walk(fix(0, 3000, speed=15.0), fix(300, 5), fix(325, 5))[-1] == "arrived"


def test_who_was_there_before_the_job_arrives_too() -> None:
    assert walk(fix(0, 0), fix(30, 0)) == [None, "arrived"]


def test_drift_out_of_the_line_does_not_end_a_stay() -> None:
    assert walk(fix(0, 55), fix(10, 80), fix(21, 85)) == [None, None, "arrived"]


def test_beyond_half_as_much_again_the_stay_is_over() -> None:
    assert walk(fix(0, 55), fix(10, 95), fix(21, 55), fix(30, 55), fix(41, 55)) == [
        None,
        None,
        None,
        None,
        "arrived",
    ]


def test_between_the_two_lines_no_stay_begins() -> None:
    assert walk(fix(0, 80), fix(30, 80), fix(60, 80)) == [None, None, None]


@pytest.mark.parametrize(
    ("metres", "accuracy_m", "arrives"),
    [
        (75.0, None, False),
        (75.0, 10.0, False),
        (75.0, 40.0, True),
        (155.0, 200.0, True),
        (300.0, 5000.0, False),
    ],
)
def test_a_vague_fix_reaches_farther_but_not_for_ever(
    metres: float, accuracy_m: float | None, arrives: bool
) -> None:
    signs = walk(fix(0, metres, accuracy_m=accuracy_m), fix(30, metres, accuracy_m=accuracy_m))
    assert (signs[-1] == "arrived") == arrives


def test_a_late_fix_changes_nothing() -> None:
    approach = Approach()
    for one in (fix(0, 10), fix(15, 10)):
        approach, _ = judge(approach, one, lon=HERE[0], lat=HERE[1], rule=RULE)
    for late in (fix(5, 5000, speed=20.0), fix(15, 5000, speed=20.0), fix(-60, 10)):
        after, sign = judge(approach, late, lon=HERE[0], lat=HERE[1], rule=RULE)
        assert (after, sign) == (approach, None)
    _, sign = judge(approach, fix(20, 10), lon=HERE[0], lat=HERE[1], rule=RULE)
    assert sign is not None
    assert (sign.what, sign.at) == ("arrived", NOON)


def test_under_way_is_told_by_the_phone_or_else_by_the_distance() -> None:
    assert walk(fix(0, 1000, speed=3.0)) == ["moving"]
    assert walk(fix(0, 1000, speed=2.0)) == [None]
    assert walk(fix(0, 1000, speed=None), fix(10, 900, speed=None)) == [None, "moving"]
    assert walk(fix(0, 1000, speed=None), fix(60, 900, speed=None)) == [None, None]


def test_a_negative_speed_is_a_phone_that_does_not_know() -> None:
    assert walk(fix(0, 1000, speed=-1.0), fix(10, 900, speed=-1.0)) == [None, "moving"]


def test_trembling_within_the_accuracy_is_no_movement() -> None:
    signs = walk(
        fix(0, 1000, speed=None, accuracy_m=60.0), fix(10, 950, speed=None, accuracy_m=60.0)
    )
    assert signs == [None, None]


@given(st.floats(-179, 179), st.floats(-65, 65), st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))
def test_metres_are_right_within_a_thousandth_at_city_scale(
    lon: float, lat: float, dx: float, dy: float
) -> None:
    true = distance_m(Point(lon, lat), Point(lon + dx, lat + dy))
    assert metres_between(lon, lat, lon + dx, lat + dy) == pytest.approx(true, rel=2e-3, abs=0.5)


def road(metres: float, north_m: float, **more: float) -> str | None:
    """What a stay shows so far from the place, straight and by road."""
    approach, sign = Approach(), None
    for one in (fix(0, north_m, **more), fix(30, north_m, **more)):
        approach, sign = judge(approach, one, lon=HERE[0], lat=HERE[1], rule=RULE, road_m=metres)
    return sign.what if sign else None


def test_across_the_river_is_not_there_and_beside_a_park_is() -> None:
    assert road(900, 50) is None, "a river lies between"
    assert road(900, 15) == "arrived", "almost on the spot, whatever the map says"
    assert road(100, 50) == "arrived"
    assert road(20, 200) == "arrived", "the place lies off the road, and the crew where it ends"
    assert road(20, 300) is None
    assert road(math.inf, 50) is None


def test_jumped_over_with_time_for_a_stop_is_an_arrival_at_its_nearest_point() -> None:
    approach = Approach(last=fix(0, 400, speed=None))
    _, sign = judge(approach, fix(300, -200, speed=None), lon=HERE[0], lat=HERE[1], rule=RULE)
    assert sign is not None
    assert (sign.what, round(sign.distance_m)) == ("passed", 0)
    assert sign.at == NOON + timedelta(seconds=200)


@pytest.mark.parametrize(
    ("seconds", "end_m", "speed"),
    [
        (60, -400.0, 12.0),
        (130, -400.0, None),
        (140, -400.0, 7.0),
        (1000, -400.0, None),
        (300, 90.0, None),
    ],
)
def test_who_had_no_time_to_stop_did_not(seconds: float, end_m: float, speed: float | None) -> None:
    """Straight through, by its own speed or a usual one; a gap too long; or never near."""
    assert "passed" not in walk(fix(0, 400, speed=speed), fix(seconds, end_m, speed=speed))


def test_a_little_more_time_and_it_may_have_stopped() -> None:
    assert walk(fix(0, 400, speed=None), fix(151, -400, speed=None))[-1] == "passed"


def test_a_made_up_position_shows_nothing() -> None:
    made_up = [replace(fix(at, 5), mock=True) for at in (0, 30, 60)]
    assert walk(*made_up) == [None, None, None]
    assert walk(replace(fix(0, 900, speed=9.0), mock=True)) == [None]


def test_who_stands_there_when_asked_is_there() -> None:
    stood = fix(100, 20)
    approach = standing(stood, NOON, lon=HERE[0], lat=HERE[1], rule=RULE)
    _, sign = judge(approach, stood, lon=HERE[0], lat=HERE[1], rule=RULE)
    assert sign is not None
    assert (sign.what, sign.at) == ("arrived", NOON)
    away = standing(fix(100, 70), NOON, lon=HERE[0], lat=HERE[1], rule=RULE)
    assert away == Approach()


@pytest.mark.parametrize(
    ("metres", "mock", "flag"),
    [
        (10.0, False, None),
        (250.0, False, None),
        (251.0, False, "far"),
        (None, False, "unseen"),
        (10.0, True, "mock"),
        (None, True, "mock"),
    ],
)
def test_what_speaks_against_a_button(metres: float | None, mock: bool, flag: str | None) -> None:
    assert flag_of(metres, mock=mock, rule=RULE) == flag


def test_a_photo_proves_with_its_place_and_its_time() -> None:
    def proven(metres: float, minutes: float | None) -> bool:
        taken_at = None if minutes is None else NOON + timedelta(minutes=minutes)
        return proves(distance_m=metres, taken_at=taken_at, arrived_at=NOON, rule=RULE)

    assert proven(20, 5)
    assert proven(20, -5)
    assert not proven(20, None)
    assert not proven(20, 45), "another day's picture of the same place"
    assert not proven(400, 5)
    assert not proves(distance_m=5, taken_at=NOON, arrived_at=None, rule=RULE)
