"""Which pieces of road a line drawn on the map means."""

from __future__ import annotations

import pytest

from geo.network import StraightLineNetwork
from geo.osm_import import import_extract
from geo.point import Point
from geo.roadgraph import RoadGraph
from tests.maps import grid, metres


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> RoadGraph:
    """Three by three crossings, 200 m apart."""
    return RoadGraph(import_extract(grid(3).write(tmp_path_factory.mktemp("along") / "town.osm")))


def pieces(town: RoadGraph, *line: Point, within_m: float = 12.0) -> list[tuple[int, int]]:
    """The stretches as (lower, higher) OSM ids, in their order, each with both directions."""
    found = town.segments_along(line, within_m=within_m)
    both = {(each.u, each.v) for each in found}
    assert both == {(v, u) for u, v in both}
    return list(dict.fromkeys((min(each.u, each.v), max(each.u, each.v)) for each in found))


def test_a_line_along_a_street_means_its_pieces_and_no_crossing_ones(town: RoadGraph) -> None:
    assert pieces(town, metres(10, 3), metres(390, -4)) == [(1, 2), (2, 3)]


def test_the_order_is_that_of_the_line(town: RoadGraph) -> None:
    assert pieces(town, metres(390, 2), metres(10, 2)) == [(2, 3), (1, 2)]


def test_a_short_line_means_the_piece_it_lies_on(town: RoadGraph) -> None:
    assert pieces(town, metres(80, 4), metres(120, 4)) == [(1, 2)]


def test_a_line_may_turn_a_corner(town: RoadGraph) -> None:
    assert pieces(town, metres(20, 0), metres(200, 0), metres(200, 180)) == [(1, 2), (2, 102)]


def test_a_line_far_from_the_street_means_nothing(town: RoadGraph) -> None:
    assert pieces(town, metres(10, 30), metres(390, 30)) == []
    assert pieces(town, metres(10, 30), metres(390, 30), within_m=35) == [(1, 2), (2, 3)]


def test_a_line_across_a_street_means_nothing(town: RoadGraph) -> None:
    assert pieces(town, metres(100, -40), metres(100, 40)) == []


def test_a_point_means_the_street_it_is_near(town: RoadGraph) -> None:
    assert pieces(town, metres(100, 20)) == [(1, 2)]
    assert pieces(town, metres(100, 70)) == []


def test_a_point_at_a_crossing_means_what_meets_there(town: RoadGraph) -> None:
    assert set(pieces(town, metres(200, 3))) == {(1, 2), (2, 3), (2, 102)}


def test_what_is_closed_already_can_be_meant_again(town: RoadGraph) -> None:
    town.update({(1, 2): None, (2, 1): None})
    assert pieces(town, metres(100, 2)) == [(1, 2)]
    assert pieces(town, metres(10, 2), metres(190, 2)) == [(1, 2)]
    town.update({(1, 2): 1.0, (2, 1): 1.0})


def test_no_line_and_a_line_of_no_length_mean_nothing(town: RoadGraph) -> None:
    assert pieces(town) == []
    assert pieces(town, metres(5, 0), metres(5, 0)) == []
    assert StraightLineNetwork().segments_along([metres(0, 0)], within_m=12.0) == []
