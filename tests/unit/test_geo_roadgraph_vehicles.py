"""A fire engine is not sent through a lane; a motorbike is. What is closed is closed for both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geo.network import StraightLineNetwork
from geo.osm_import import import_extract
from geo.osm_rules import ROAD_CLASSES, road_class
from geo.roadarrays import RoadArrays
from geo.roadgraph import RoadGraph
from tests.maps import SmallMap, metres

TRUCK = frozenset({"living_street", "alley", "track"})
WEST, EAST, INSIDE = metres(10, 0), metres(390, 0), metres(200, 100)


def kampung() -> SmallMap:
    """Jalan Raya goes round by 200 m north; Gang 1, a lane, runs straight from west to east.

    Gang 2 leads from the lane's middle to the north; a residential stub hangs on Gang 2.
    """
    map_ = SmallMap()
    for node, east, north in (
        (1, 0, 0),
        (2, 200, 0),
        (3, 400, 0),
        (4, 0, 200),
        (5, 400, 200),
        (6, 200, 100),
        (7, 260, 100),
    ):
        map_.node(node, east, north)
    map_.way(1, [1, 4, 5, 3], highway="residential", name="Jalan Raya")
    map_.way(2, [1, 2, 3], highway="service", service="alley", name="Gang 1")
    map_.way(3, [2, 6], highway="service", service="alley", name="Gang 2")
    map_.way(4, [6, 7], highway="residential", name="Buntu")
    return map_


@pytest.fixture
def town(tmp_path: Path) -> RoadGraph:
    return RoadGraph(import_extract(kampung().write(tmp_path / "town.osm")), version="town")


def driven_m(network: RoadGraph) -> float:
    route = network.route(WEST, EAST)
    assert route is not None
    return route.length_m


def test_a_truck_goes_round_where_a_motorbike_goes_through(town: RoadGraph) -> None:
    truck = town.for_vehicle(TRUCK)
    assert driven_m(town) == pytest.approx(380, rel=0.02)
    assert driven_m(truck) == pytest.approx(800, rel=0.06)
    assert town.for_vehicle(frozenset()) is town
    assert town.for_vehicle({"motorway"}) is town


def test_views_are_made_once_whatever_the_order_of_words(town: RoadGraph) -> None:
    assert town.for_vehicle(TRUCK) is town.for_vehicle({"track", "alley", "living_street"})
    assert town.for_vehicle(TRUCK).for_vehicle(TRUCK) is town.for_vehicle(TRUCK)


def test_a_truck_stops_at_the_nearest_road_it_may_use(town: RoadGraph) -> None:
    truck = town.for_vehicle(TRUCK)
    spot = truck.snap(metres(200, 10))
    assert spot is not None
    assert spot.distance_m == pytest.approx(190, abs=2)
    assert truck.snap(metres(200, 10), max_m=100) is None
    assert town.snap(metres(200, 10), max_m=100) is not None


def test_a_road_that_only_lanes_lead_to_is_no_road_for_a_truck(town: RoadGraph) -> None:
    """The stub beyond Gang 2 is residential, but no truck ever gets there."""
    truck = town.for_vehicle(TRUCK)
    assert town.snap(metres(230, 100), max_m=20) is not None
    assert truck.snap(metres(230, 100), max_m=90) is None


def test_what_is_closed_is_closed_for_everybody_and_opens_again(town: RoadGraph) -> None:
    truck = town.for_vehicle(TRUCK)
    before = truck.travel_times([WEST], [EAST])[0, 0]
    lane = {(1, 2): None, (2, 1): None}
    town.update(lane)
    assert driven_m(town) == pytest.approx(800, rel=0.06)
    assert truck.travel_times([WEST], [EAST])[0, 0] == before
    town.update({(4, 5): None, (5, 4): None})
    assert np.isinf(truck.travel_times([WEST], [EAST])[0, 0])
    assert town.version == truck.version == "town+2"
    truck.update(dict.fromkeys([*lane, (4, 5), (5, 4)], 1.0))
    assert driven_m(town) == pytest.approx(380, rel=0.02)
    assert driven_m(truck) == pytest.approx(800, rel=0.06)
    assert truck.travel_times([WEST], [EAST])[0, 0] == before


def test_a_view_made_while_a_road_is_closed_knows_it(town: RoadGraph) -> None:
    town.update({(4, 5): None, (5, 4): None})
    assert np.isinf(town.for_vehicle(TRUCK).travel_times([WEST], [EAST])[0, 0])


def test_classes_are_kept_and_an_older_file_has_none(town: RoadGraph, tmp_path: Path) -> None:
    file = tmp_path / "roads.npz"
    town.arrays.save(file)
    kept = RoadArrays.load(file)
    assert np.array_equal(kept.edge_class, town.arrays.edge_class)
    names = {ROAD_CLASSES[n] for n in kept.edge_class}
    assert names == {"residential", "alley"}
    with np.load(file) as stored:
        older = {name: stored[name] for name in stored.files if name != "edge_class"}
    np.savez(file, **older)
    network = RoadGraph(RoadArrays.load(file))
    assert network.for_vehicle(TRUCK) is network
    assert network.travel_times([WEST], [EAST])[0, 0] == town.travel_times([WEST], [EAST])[0, 0]


def test_links_count_with_their_roads_and_odd_tags_as_unknown() -> None:
    assert ROAD_CLASSES[road_class({"highway": "primary_link"})] == "primary"
    assert ROAD_CLASSES[road_class({"highway": "service"})] == "service"
    assert ROAD_CLASSES[road_class({"highway": "service", "service": "alley"})] == "alley"
    assert ROAD_CLASSES[road_class({"highway": "corridor"})] == "unknown"


def test_without_roads_every_vehicle_goes_everywhere() -> None:
    plain = StraightLineNetwork()
    assert plain.for_vehicle(TRUCK) is plain
