"""A motorbike rides where no car fits; gates cost those who may pass; others stay out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from dispatch.system.cities import read_policy
from geo.dijkstra import DijkstraNetwork
from geo.osm_access import (
    CAR,
    EVERYBODY,
    GATE_S,
    MOTORBIKE,
    NOBODY,
    TOLL_S,
    TRUCK,
    barred_at_node,
    barred_from_way,
    delay_s,
)
from geo.osm_import import import_counted, import_extract
from geo.osm_turns import UTURN_S
from geo.point import Point
from geo.roadarrays import RoadArrays
from geo.roadgraph import RoadGraph
from tests.maps import SmallMap, grid, metres

RIDER = frozenset({"no_motorbikes"})
LORRY = frozenset({"no_trucks"})


@pytest.mark.parametrize(
    ("tags", "barred"),
    [
        ({"highway": "residential"}, NOBODY),
        ({"highway": "residential", "hgv": "no"}, TRUCK),
        ({"highway": "residential", "motorcycle": "no"}, MOTORBIKE),
        ({"highway": "residential", "motorcar": "no"}, CAR | TRUCK),
        ({"highway": "service", "motorcar": "no", "hgv": "yes"}, CAR),
        ({"highway": "residential", "motor_vehicle": "no"}, EVERYBODY),
        ({"highway": "residential", "motor_vehicle": "no", "motorcycle": "yes"}, CAR | TRUCK),
        ({"highway": "service", "service": "alley", "width": "1.2"}, CAR | TRUCK),
        ({"highway": "service", "service": "alley", "width": "2.2"}, NOBODY),
        ({"highway": "path"}, EVERYBODY),
        ({"highway": "path", "access": "yes"}, EVERYBODY),
        ({"highway": "path", "motorcycle": "yes"}, CAR | TRUCK),
        ({"highway": "footway", "motorcycle": "designated", "motor_vehicle": "no"}, CAR | TRUCK),
        ({"highway": "footway", "motorcycle": "private"}, EVERYBODY),
        ({"highway": "pedestrian", "motorcycle": "yes", "area": "yes"}, EVERYBODY),
        ({"highway": "steps", "motorcycle": "yes"}, EVERYBODY),
    ],
)
def test_who_may_use_a_way(tags: dict[str, str], barred: int) -> None:
    assert barred_from_way(tags) == barred


@pytest.mark.parametrize(
    ("tags", "barred", "seconds"),
    [
        ({}, NOBODY, 0),
        ({"barrier": "bollard"}, EVERYBODY, 0),
        ({"barrier": "bollard", "bollard": "rising"}, NOBODY, 0),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, NOBODY, 0),
        ({"barrier": "bollard", "motorcycle": "yes"}, CAR | TRUCK, 0),
        ({"barrier": "gate"}, NOBODY, GATE_S),
        ({"barrier": "lift_gate"}, NOBODY, GATE_S),
        ({"barrier": "gate", "access": "private"}, EVERYBODY, 0),
        ({"barrier": "gate", "access": "private", "motorcycle": "yes"}, CAR | TRUCK, 0),
        ({"barrier": "gate", "motor_vehicle": "yes"}, NOBODY, 0),
        ({"barrier": "gate", "locked": "yes"}, EVERYBODY, GATE_S),
        ({"barrier": "gate", "hgv": "no"}, TRUCK, GATE_S),
        ({"barrier": "gate", "access": "private", "hgv": "yes"}, CAR | MOTORBIKE, 0),
        ({"barrier": "toll_booth"}, NOBODY, TOLL_S),
        ({"barrier": "toll_booth", "motorcycle": "no"}, MOTORBIKE, TOLL_S),
    ],
)
def test_whom_a_barrier_stops_and_what_it_costs_the_others(
    tags: dict[str, str], barred: int, seconds: float
) -> None:
    assert barred_at_node(tags) == barred
    assert delay_s(tags) == seconds


def kampung() -> SmallMap:
    """Jalan Raya goes round by 400 m; Gang Buntu, 1.2 m wide, cuts it short and has a branch."""
    map_ = SmallMap()
    for node, east, north in (
        (1, 0, 0),
        (2, 200, 0),
        (3, 400, 0),
        (4, 0, 400),
        (5, 400, 400),
        (6, 200, 200),
    ):
        map_.node(node, east, north)
    map_.way(1, [1, 4, 5, 3], name="Jalan Raya")
    map_.way(2, [1, 2, 3], highway="path", motorcycle="yes", name="Gang Buntu")
    map_.way(3, [2, 6], highway="footway", motorcycle="designated", name="Gang Dalam")
    return map_


@pytest.fixture
def town(tmp_path: Path) -> RoadGraph:
    return RoadGraph(import_extract(kampung().write(tmp_path / "town.osm")), version="town")


WEST, EAST, INSIDE = metres(0, 40), metres(400, 40), metres(200, 150)


def test_a_motorbike_rides_through_the_gang_and_a_car_goes_round(town: RoadGraph) -> None:
    rider = town.for_vehicle(RIDER)
    car, bike = town.route(WEST, EAST), rider.route(WEST, EAST)
    assert car is not None
    assert bike is not None
    assert car.length_m == pytest.approx(2 * 360 + 400, rel=0.02)
    assert bike.length_m == pytest.approx(2 * 40 + 400, rel=0.02)
    assert "Gang Buntu" in [step.name for step in bike.steps]
    assert town.for_vehicle(LORRY) is town
    assert town.for_vehicle({"track"}) is town


def test_only_the_motorbike_reaches_the_depth_of_the_gang(town: RoadGraph) -> None:
    rider = town.for_vehicle(RIDER)
    near, deep = town.snap(INSIDE), rider.snap(INSIDE)
    assert deep is not None
    assert deep.distance_m == pytest.approx(0, abs=0.5)
    assert near is not None
    assert near.distance_m == pytest.approx(200, abs=1)
    assert town.snap(INSIDE, max_m=150) is None
    assert {(n.u, n.v) for n in town.roads_near([(INSIDE.lon, INSIDE.lat)], within_m=60)[0]} == (
        set()
    )
    assert rider.reachable(WEST, [120.0])[0].road_m > town.reachable(WEST, [120.0])[0].road_m


def test_a_gang_is_closed_for_motorbikes_and_opens_again(town: RoadGraph) -> None:
    rider = town.for_vehicle(RIDER)
    seen = town.nearest_segments(metres(100, 0), within_m=20)
    assert {(s.u, s.v): s.factor for s in seen} == {(1, 2): 1.0, (2, 1): 1.0}
    before = rider.travel_times([WEST], [EAST])
    car = town.travel_times([WEST], [EAST])
    assert town.update({(1, 2): None, (2, 1): None}) == frozenset()
    assert town.version == rider.version == "town+1"
    assert (town.nearest_segments(metres(100, 0), within_m=20))[0].factor is None
    assert rider.travel_times([WEST], [EAST])[0, 0] == car[0, 0]
    assert town.travel_times([WEST], [EAST]) == car
    fresh = RoadGraph(town.arrays)
    fresh.update({(1, 2): None, (2, 1): None})
    assert fresh.for_vehicle(RIDER).travel_times([WEST], [EAST])[0, 0] == car[0, 0]
    rider.update({(1, 2): 1.0, (2, 1): 1.0})
    assert rider.travel_times([WEST], [EAST]) == before
    fresh.update({(1, 2): 1.0, (2, 1): 1.0})
    assert fresh.for_vehicle(RIDER).travel_times([WEST], [EAST]) == before


def test_textbook_search_agrees_for_the_motorbike(town: RoadGraph) -> None:
    places = [metres(e, n) for e, n in ((0, 40), (400, 40), (200, 150), (90, 0), (0, 300))]
    for avoids in (frozenset[str](), RIDER, LORRY):
        judge = DijkstraNetwork(town.arrays, avoids=avoids)
        said = town.for_vehicle(avoids).travel_times(places, places)
        assert said.tolist() == judge.travel_times(places, places).tolist()


@pytest.mark.parametrize("seed", range(6))
def test_gangs_change_nothing_for_cars(tmp_path: Path, seed: int) -> None:
    """To the millisecond: the same map with and without gangs across its blocks."""
    chance = Random(seed)
    plain, laned = grid(4), grid(4)
    for n in range(8):
        row, column = chance.randrange(3), chance.randrange(3)
        a, b = 100 * row + column + 1, 100 * (row + 1) + column + 2
        # some end in the middle of a street, where there was no junction
        if n % 2:
            side = 100 * row + column + 2
            middle = 5_000 + n
            for map_ in (plain, laned):
                map_.node(middle, 200 * column + 200, 200 * row + 80)
                street, tags = map_.ways[2_000 + column + 1]
                at = list(street).index(side) + 1
                if not any(node >= 5_000 for node in street[at - 1 : at + 1]):
                    map_.ways[2_000 + column + 1] = ([*street[:at], middle, *street[at:]], tags)
                    b = middle
        laned.way(9_000 + n, [a, b], highway="path", motorcycle="yes")
    without = RoadGraph(import_extract(plain.write(tmp_path / "plain.osm")))
    with_gangs = RoadGraph(import_extract(laned.write(tmp_path / "laned.osm")))
    spots = [metres(chance.uniform(0, 600), chance.uniform(0, 600)) for _ in range(25)]
    said = with_gangs.travel_times(spots, spots)
    assert said.tolist() == without.travel_times(spots, spots).tolist()
    assert not with_gangs.arrays.for_cars.all()
    assert with_gangs.for_vehicle(RIDER).travel_times(spots, spots).tolist() != said.tolist()


def test_what_only_a_gang_leads_to_is_no_road_for_a_car(tmp_path: Path) -> None:
    map_ = kampung()
    map_.node(7, 300, 200)
    map_.way(4, [6, 7], name="Jalan Dalam")
    town = RoadGraph(import_extract(map_.write(tmp_path / "town.osm")))
    assert town.snap(metres(250, 200), max_m=100) is None
    deep = town.for_vehicle(RIDER).snap(metres(250, 200), max_m=100)
    assert deep is not None


def test_a_motorbike_is_kept_off_what_is_closed_to_it(tmp_path: Path) -> None:
    map_ = grid(3)
    map_.ways[1_000] = (map_.ways[1_000][0], {"highway": "trunk", "motorcycle": "no"})
    town = RoadGraph(import_extract(map_.write(tmp_path / "town.osm")))
    rider = town.for_vehicle(RIDER)
    spot = rider.snap(metres(100, 10))
    assert spot is not None
    assert spot.distance_m == pytest.approx(100, abs=1)


def test_a_truck_drives_a_tunnel_that_is_for_trucks_only(tmp_path: Path) -> None:
    map_ = kampung()
    tags = {"highway": "service", "motorcar": "no", "motorcycle": "no", "hgv": "yes"}
    map_.ways[2] = ([1, 2, 3], tags)
    del map_.ways[3]
    town = RoadGraph(import_extract(map_.write(tmp_path / "town.osm")))
    truck = town.for_vehicle(LORRY).route(WEST, EAST)
    assert truck is not None
    assert truck.length_m == pytest.approx(480, rel=0.02)
    for roads in (town, town.for_vehicle(RIDER)):
        car = roads.route(WEST, EAST)
        assert car is not None
        assert car.length_m == pytest.approx(1_120, rel=0.02)


def test_the_policy_tells_motorbikes_from_vans_and_trucks(town: RoadGraph) -> None:
    vehicles = read_policy(None).vehicles
    rider = town.for_vehicle(frozenset(vehicles["motorbike"].avoids))
    assert rider.snap(INSIDE, max_m=10) is not None
    for kind in ("van", "truck"):
        assert town.for_vehicle(frozenset(vehicles[kind].avoids)).snap(INSIDE, max_m=10) is None


# --- barriers ------------------------------------------------------------------


def street(folder: Path, **tags: str) -> RoadGraph:
    """A square whose south side has something standing in its middle."""
    town = grid(2)
    town.node(50, 100, 0, **tags)
    town.ways[1_000] = ([1, 50, 2], {"highway": "residential", "name": "Jalan 1"})
    return RoadGraph(import_extract(town.write(folder / "town.osm")))


def seconds(network: RoadGraph, a: Point, b: Point) -> float:
    return float(network.travel_times([a], [b])[0, 0])


HERE, BEYOND, BEFORE = metres(50, 0), metres(150, 0), metres(90, 0)


def test_a_gate_costs_whoever_drives_through_and_nobody_else(tmp_path: Path) -> None:
    free, gated = street(tmp_path), street(tmp_path, barrier="lift_gate")
    assert seconds(gated, HERE, BEYOND) == seconds(free, HERE, BEYOND) + GATE_S
    assert seconds(gated, HERE, BEFORE) == seconds(free, HERE, BEFORE)
    route = gated.route(HERE, BEYOND)
    assert route is not None
    assert route.duration_s == seconds(gated, HERE, BEYOND)


def test_where_a_gate_is_slower_than_going_round_one_goes_round(tmp_path: Path) -> None:
    town = grid(2, spacing_m=60)
    town.node(50, 30, 0, barrier="gate")
    town.ways[1_000] = ([1, 50, 2], {"highway": "residential"})
    network = RoadGraph(import_extract(town.write(tmp_path / "town.osm")))
    route = network.route(metres(20, 0), metres(40, 0))
    assert route is not None
    assert route.length_m == pytest.approx(20 + 3 * 60 + 20, rel=0.02)


def test_a_gate_at_a_junction_is_paid_with_the_turn_and_not_by_who_turns_back(
    tmp_path: Path,
) -> None:
    def crossing(**tags: str) -> RoadGraph:
        town = grid(3)
        town.node_tags[102] = tags
        return RoadGraph(import_extract(town.write(tmp_path / "town.osm")))

    free, gated = crossing(), crossing(barrier="gate")
    south, north = metres(200, 150), metres(200, 250)
    assert seconds(gated, south, north) == seconds(free, south, north) + GATE_S


def test_a_bollard_that_lets_motorbikes_through_lets_only_them_through(tmp_path: Path) -> None:
    town = street(tmp_path, barrier="bollard", motorcycle="yes")
    rider = town.for_vehicle(RIDER)
    assert seconds(rider, HERE, BEYOND) == pytest.approx(100 / (25 / 3.6), abs=0.1)
    assert seconds(town, HERE, BEYOND) > seconds(rider, HERE, BEYOND) + UTURN_S
    assert town.for_vehicle(LORRY) is town
    # the distance to the bollard and back is driven by turning round in front of it
    stop = town.route(metres(10, 0), BEFORE)
    assert stop is not None
    assert stop.length_m == pytest.approx(80, rel=0.01)


# --- what is counted, and older files --------------------------------------------


def test_conditional_rules_are_left_aside_and_counted(tmp_path: Path) -> None:
    town = grid(3)
    town.ways[1_000] = ([1, 2], {"highway": "residential"})
    town.way(1_500, [2, 3])
    for n, tags in enumerate(
        (
            {"restriction:conditional": "no_straight_on @ (07:00-09:00)"},
            {"restriction": "no_straight_on", "hour_on": "7", "hour_off": "9"},
        ),
        1,
    ):
        town.turn(n, "", way=1_000, via=2, to=1_500)
        town.relations[n] = (town.relations[n][0], {"type": "restriction", **tags})
    arrays, counted = import_counted(town.write(tmp_path / "town.osm"))
    assert (counted["turn_rules"], counted["turn_rules_at_times"]) == (0, 2)
    straight = RoadGraph(arrays).route(metres(50, 0), metres(350, 0))
    assert straight is not None
    assert straight.length_m == pytest.approx(300, rel=0.01)
    town.relations[2] = (town.relations[2][0], {"type": "restriction", "restriction": "no_exit"})
    town.relations[3] = (town.relations[2][0][:2], {"type": "restriction", "restriction": "no_x"})
    _, counted = import_counted(town.write(tmp_path / "town.osm"))
    assert (counted["turn_rules"], counted["turn_rules_unread"]) == (1, 1)


def test_a_city_imported_before_has_no_gangs_and_no_rules_over_ways(
    town: RoadGraph, tmp_path: Path
) -> None:
    file = tmp_path / "roads.npz"
    town.arrays.save(file)
    kept = RoadArrays.load(file)
    assert np.array_equal(kept.turn_barred, town.arrays.turn_barred)
    with np.load(file) as stored:
        older = {n: stored[n] for n in stored.files if n not in ("edge_same", "turn_barred")}
    np.savez(file, **older)
    opened = RoadArrays.load(file)
    assert not opened.is_copy.any()
    assert not opened.turn_barred.any()
    plain = replace(town.arrays, edge_limit=np.zeros_like(town.arrays.edge_limit))
    assert RoadGraph(plain).for_vehicle(RIDER).travel_times([WEST], [EAST])[0, 0] > 0
