import pytest

from geo.osm_rules import (
    DRIVEN_SHARE,
    USUAL_KMH,
    directions,
    is_drivable,
    limit_kmh,
    signals,
    speeds_kmh,
    street_name,
)
from geo.osm_turns import UTURN_S, drives_on_the_left, turn_s

BOTH, ALONG, AGAINST = (True, True), (True, False), (False, True)


@pytest.mark.parametrize(
    ("tags", "drivable"),
    [
        ({"highway": "residential"}, True),
        ({"highway": "footway"}, False),
        ({"highway": "construction"}, False),
        ({"building": "yes"}, False),
        ({"highway": "service"}, True),
        ({"highway": "service", "service": "parking_aisle"}, False),
        ({"highway": "service", "area": "yes"}, False),
        ({"highway": "residential", "access": "private"}, False),
        ({"highway": "residential", "access": "destination"}, True),
        ({"highway": "residential", "motor_vehicle": "no"}, False),
        ({"highway": "residential", "access": "no", "motor_vehicle": "yes"}, True),
        ({"highway": "residential", "motor_vehicle": "yes", "motorcar": "no"}, False),
        ({"highway": "primary", "oneway": "reversible"}, False),
    ],
)
def test_vehicles_drive_only_where_they_may(tags: dict[str, str], drivable: bool) -> None:
    assert is_drivable(tags) is drivable


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, BOTH),
        ({"oneway": "yes"}, ALONG),
        ({"oneway": "1"}, ALONG),
        ({"oneway": "-1"}, AGAINST),
        ({"oneway": "no"}, BOTH),
        ({"junction": "roundabout"}, ALONG),
        ({"junction": "roundabout", "oneway": "-1"}, AGAINST),
        ({"highway": "motorway"}, ALONG),
        ({"highway": "motorway", "oneway": "no"}, BOTH),
        ({"oneway": "yes", "oneway:motor_vehicle": "no"}, BOTH),
        ({"oneway": "alternating"}, BOTH),
    ],
)
def test_one_ways_are_obeyed(tags: dict[str, str], expected: tuple[bool, bool]) -> None:
    assert directions({"highway": "residential"} | tags) == expected


@pytest.mark.parametrize(
    ("text", "kmh"),
    [
        ("50", 50),
        ("50 km/h", 50),
        ("30 mph", 48.28),
        ("25mph", 40.23),
        ("10 knots", 18.52),
        ("ID:urban", 50),
        ("walk", 6),
        ("none", None),
        ("signals", None),
        ("0", None),
        ("50;30", None),
        (None, None),
    ],
)
def test_limits_are_read_in_every_unit(text: str | None, kmh: float | None) -> None:
    assert limit_kmh(text) == (kmh if kmh is None else pytest.approx(kmh, abs=0.01))


def test_a_tagged_limit_beats_the_class_and_is_not_driven_to_the_full() -> None:
    assert speeds_kmh({"highway": "primary", "maxspeed": "30"}) == (
        30 * DRIVEN_SHARE,
        30 * DRIVEN_SHARE,
    )
    assert speeds_kmh({"highway": "primary"})[0] == USUAL_KMH["primary"]


def test_each_direction_may_have_its_limit() -> None:
    tags = {"highway": "primary", "maxspeed": "50", "maxspeed:backward": "30"}
    assert speeds_kmh(tags) == (50 * DRIVEN_SHARE, 30 * DRIVEN_SHARE)


def test_yards_are_not_driven_at_the_limit_of_the_street() -> None:
    alley = {"highway": "service", "maxspeed": "50"}
    assert speeds_kmh(alley)[0] == USUAL_KMH["service"]


def test_no_limit_makes_a_road_impassable() -> None:
    assert speeds_kmh({"highway": "living_street", "maxspeed": "1"})[0] >= 5


def test_signals_may_face_one_direction() -> None:
    light = {"highway": "traffic_signals"}
    assert signals(light) == (True, True)
    assert signals(light | {"traffic_signals:direction": "forward"}) == (True, False)
    assert signals(light | {"direction": "backward"}) == (False, True)
    assert signals({"highway": "crossing"}) == (False, False)


def test_a_street_without_a_name_goes_by_its_number() -> None:
    assert street_name({"name": "Jalan Pahlawan", "ref": "17"}) == "Jalan Pahlawan"
    assert street_name({"ref": "17"}) == "17"
    assert street_name({}) == ""


def test_turning_across_the_oncoming_traffic_costs_more() -> None:
    indonesia = {angle: turn_s(angle, is_uturn=False, left_hand=True) for angle in (-90, 0, 90)}
    assert indonesia[0] < 0.1
    assert indonesia[-90] < indonesia[90] < 7.5
    finland = {angle: turn_s(angle, is_uturn=False, left_hand=False) for angle in (-90, 90)}
    assert finland[-90] == pytest.approx(indonesia[90])


def test_turning_round_costs_most() -> None:
    assert turn_s(180, is_uturn=True, left_hand=True) > UTURN_S


def test_indonesia_drives_on_the_left_and_finland_does_not() -> None:
    assert drives_on_the_left((111.5, -7.6))
    assert drives_on_the_left((106.8, -6.2))
    assert not drives_on_the_left((24.9, 60.2))
    assert not drives_on_the_left((-51.2, -30.0))
    assert not drives_on_the_left((-76.6, 39.3))
