import math

import numpy as np
import pytest

from geo.network import RoadNetwork, StraightLineNetwork
from geo.point import distance_m
from geo.roadgraph import RoadGraph
from tests.maps import helsinki_roads, metres

HERE, THERE = metres(0, 0), metres(3_000, 4_000)


@pytest.fixture
def plain() -> RoadNetwork:
    return StraightLineNetwork(speed_kmh=36, detour=1.5)


def test_straight_lines_take_distance_by_detour_by_speed(plain: RoadNetwork) -> None:
    times = plain.travel_times([HERE, THERE], [THERE])
    assert times.shape == (2, 1)
    assert times[0, 0] == pytest.approx(5_000 * 1.5 / 10, rel=1e-3)
    assert times[1, 0] == 0


def test_straight_route_lasts_as_long_as_its_travel_time(plain: RoadNetwork) -> None:
    route = plain.route(HERE, THERE)
    assert route is not None
    assert route.duration_s == plain.travel_times([HERE], [THERE])[0, 0]
    assert route.points == (HERE, THERE)
    assert route.length_m == pytest.approx(1.5 * distance_m(HERE, THERE))


def test_a_plain_has_no_segments_to_close(plain: RoadNetwork) -> None:
    assert plain.update({(1, 2): None}) == {(1, 2)}
    assert plain.nearest_segments(HERE, within_m=100) == []


@pytest.mark.parametrize("network", [StraightLineNetwork(), RoadGraph(helsinki_roads())])
@pytest.mark.parametrize("factor", [0.0, -1.0, math.nan, math.inf])
def test_every_network_refuses_speeds_that_are_none(network: RoadNetwork, factor: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        network.update({(1, 2): factor})


@pytest.mark.parametrize("network", [StraightLineNetwork(), RoadGraph(helsinki_roads())])
def test_every_network_answers_about_nobody(network: RoadNetwork) -> None:
    assert network.travel_times([], [HERE]).shape == (0, 1)
    assert network.travel_times([HERE], []).shape == (1, 0)
    assert network.travel_times([], []).dtype == np.float64
