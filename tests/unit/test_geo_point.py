import math

import pytest

from geo.point import BadPoint, Box, Point, bearing_deg, distance_m, suspicion

MADIUN = Point(111.5231, -7.6298)


@pytest.mark.parametrize(
    ("lon", "lat"), [(181, 0), (-180.5, 0), (0, 91), (0, -90.1), (math.nan, 0), (0, math.inf)]
)
def test_numbers_off_the_earth_are_no_point(lon: float, lat: float) -> None:
    with pytest.raises(BadPoint):
        Point(lon, lat)


def test_distance_agrees_with_published_great_circle() -> None:
    # Jakarta (Monas) to Surabaya (Tugu Pahlawan), by an ellipsoidal calculator: 663.4 km.
    km = distance_m(Point(106.8272, -6.1754), Point(112.7378, -7.2458)) / 1_000
    assert km == pytest.approx(663.4, rel=0.005)


def test_distance_is_zero_to_oneself_and_the_same_both_ways() -> None:
    other = Point(111.6, -7.7)
    assert distance_m(MADIUN, MADIUN) == 0
    assert distance_m(MADIUN, other) == pytest.approx(distance_m(other, MADIUN))


@pytest.mark.parametrize(
    ("to", "degrees"),
    [(Point(10, 1), 0), (Point(11, 0), 90), (Point(10, -1), 180), (Point(9, 0), 270)],
)
def test_bearing_follows_the_compass(to: Point, degrees: float) -> None:
    assert bearing_deg(Point(10, 0), to) == pytest.approx(degrees)


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (Point(0, 0), "zero"),
        (Point(-77, 39), "whole_degree"),
        (Point(111.5, -7), None),
        (Point(-76.6692, 39.347), None),
        (Point(0, 51), "whole_degree"),
    ],
)
def test_coordinates_nobody_measured_are_suspected(place: Point, reason: str | None) -> None:
    assert suspicion(place) == reason


def test_box_holds_its_points_and_its_edges() -> None:
    box = Box.around([Point(1, 2), Point(3, -1)])
    assert box == Box(1, -1, 3, 2)
    assert box.center == Point(2, 0.5)
    asked = [box.contains(p) for p in (Point(1, 2), Point(2, 0), Point(3.001, 0))]
    assert asked == [True, True, False]


def test_padded_box_reaches_so_many_metres_farther() -> None:
    box = Box(24.9, 60.1, 25.0, 60.2).padded(1_000)
    assert distance_m(Point(24.9, 60.2), Point(box.west, 60.2)) == pytest.approx(1_000, rel=0.01)
    assert distance_m(Point(24.9, 60.1), Point(24.9, box.south)) == pytest.approx(1_000, rel=0.01)


def test_padding_stops_at_the_pole() -> None:
    assert Box(0, 89.9, 1, 90).padded(50_000).north == 90


def test_boxes_need_their_corners_in_order() -> None:
    with pytest.raises(BadPoint):
        Box(2, 0, 1, 1)
    with pytest.raises(BadPoint):
        Box.around([])
