from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geo.bundle_errors import BadExtract, ExtractMissing, NoRoads
from geo.osm_import import import_extract
from geo.osm_rules import DRIVEN_SHARE
from geo.point import Point
from geo.roadarrays import RoadArrays
from geo.roadgraph import RoadGraph
from tests.maps import SmallMap, grid, helsinki_extract, helsinki_roads, metres


def graph(town: SmallMap, folder: Path) -> RoadGraph:
    return RoadGraph(import_extract(town.write(folder / "town.osm")))


def minutes(network: RoadGraph, a: Point, b: Point) -> float:
    return float(network.travel_times([a], [b])[0, 0]) / 60


def test_edges_run_between_junctions_and_keep_their_shape(tmp_path: Path) -> None:
    town = grid(2)
    # A bend in the middle of Jalan 1 is no junction.
    town.node(77, 100, 20)
    town.ways[1_000] = ([1, 77, 2], {"highway": "residential", "name": "Jalan 1"})
    arrays = import_extract(town.write(tmp_path / "town.osm"))
    assert arrays.edge_count == 8
    assert len(arrays.piece_u) == 10
    assert arrays.length_m.max() == pytest.approx(2 * np.hypot(100, 20), rel=1e-3)
    assert set(arrays.names()) == {"", "Jalan 1", "Jalan 2", "Gang 1", "Gang 2"}


def test_one_way_streets_are_driven_one_way(tmp_path: Path) -> None:
    free = graph(grid(2), tmp_path)
    town = grid(2)
    town.ways[1_000] = ([1, 2], {"highway": "residential", "oneway": "yes"})
    oneway = graph(town, tmp_path)
    west, east = metres(20, 0), metres(180, 0)
    assert oneway.travel_times([west], [east]) == free.travel_times([west], [east])
    back = oneway.route(east, west)
    assert back is not None
    # The other three sides of the square, and what is left of the first on both ends.
    assert back.length_m == pytest.approx(3 * 200 + 40, rel=0.01)


def test_private_roads_and_footpaths_are_no_short_cuts(tmp_path: Path) -> None:
    town = grid(3)
    town.node(900, 100, 100)
    town.way(3_000, [1, 900, 102], highway="footway")
    town.way(3_001, [1, 102], access="private")
    arrays = import_extract(town.write(tmp_path / "town.osm"))
    assert 900 not in arrays.node_osm_id
    assert arrays.length_m.max() == pytest.approx(200, rel=1e-3)


def test_a_bollard_cannot_be_driven_through(tmp_path: Path) -> None:
    town = grid(2)
    town.node(50, 100, 0, barrier="bollard")
    town.ways[1_000] = ([1, 50, 2], {"highway": "residential", "name": "Jalan 1"})
    route = graph(town, tmp_path).route(metres(50, 0), metres(150, 0))
    assert route is not None
    assert route.length_m == pytest.approx(50 + 3 * 200 + 50, rel=0.01)


def test_a_forbidden_turn_is_driven_around(tmp_path: Path) -> None:
    straight = graph(grid(3), tmp_path).route(metres(50, 0), metres(200, 50))
    town = grid(3)
    town.turn(1, "no_left_turn", way=1_000, via=2, to=2_001)
    banned = graph(town, tmp_path).route(metres(50, 0), metres(200, 50))
    assert straight is not None
    # Jalan 1 runs through the crossing, so the rule has two readings and is not applied.
    assert banned == straight
    town.ways[1_000] = ([1, 2], {"highway": "residential", "name": "Jalan 1"})
    town.way(1_500, [2, 3], name="Jalan 1")
    town.ways[2_001] = ([2, 102], {"highway": "residential", "name": "Gang 2"})
    town.way(2_500, [102, 202], name="Gang 2")
    detour = graph(town, tmp_path).route(metres(50, 0), metres(200, 50))
    assert detour is not None
    assert detour.length_m > straight.length_m + 100


def test_only_straight_on_forbids_the_other_turns(tmp_path: Path) -> None:
    town = grid(3)
    town.ways[1_000] = ([1, 2], {"highway": "residential"})
    town.way(1_500, [2, 3])
    town.turn(1, "only_straight_on", way=1_000, via=2, to=1_500)
    route = graph(town, tmp_path).route(metres(50, 0), metres(200, 50))
    assert route is not None
    assert route.length_m > 300
    straight = graph(town, tmp_path).route(metres(50, 0), metres(350, 0))
    assert straight is not None
    assert straight.length_m == pytest.approx(300, rel=0.01)


def test_signals_cost_time(tmp_path: Path) -> None:
    dark = graph(grid(3), tmp_path)
    town = grid(3)
    town.node_tags[2] = {"highway": "traffic_signals"}
    lit = graph(town, tmp_path)
    a, b = metres(50, 0), metres(350, 0)
    assert lit.travel_times([a], [b])[0, 0] == dark.travel_times([a], [b])[0, 0] + 3
    before = metres(190, 0)
    assert lit.travel_times([a], [before]) == dark.travel_times([a], [before])


def test_roundabouts_are_driven_one_way(tmp_path: Path) -> None:
    town = SmallMap()
    ring = ((1, 0, 30), (2, 30, 0), (3, 0, -30), (4, -30, 0))
    arms = ((11, 0, 300), (12, 300, 0), (13, 0, -300), (14, -300, 0))
    for osm_id, east, north in (*ring, *arms):
        town.node(osm_id, east, north)
    town.way(1, [1, 2, 3, 4, 1], junction="roundabout")
    for n in range(1, 5):
        town.way(10 + n, [n, 10 + n], name=f"Jalan {n}")
    network = graph(town, tmp_path)
    right = network.route(metres(0, 200), metres(200, 0))
    left = network.route(metres(0, 200), metres(-200, 0))
    assert right is not None
    assert left is not None
    assert left.length_m > right.length_m
    assert [step.turn for step in left.steps][1] == "roundabout"
    assert left.steps[-1].name == "Jalan 4"


def test_a_dead_end_is_left_by_turning_round(tmp_path: Path) -> None:
    town = grid(2)
    town.node(60, -100, 0)
    town.way(3_000, [60, 1], name="Buntu")
    network = graph(town, tmp_path)
    assert network.snap(metres(-90, 0)) is not None
    assert minutes(network, metres(-90, 0), metres(100, 0)) < 2


def test_loose_ends_of_a_clipped_map_are_not_stood_on(tmp_path: Path) -> None:
    town = grid(3)
    town.node(60, -100, 0)
    town.way(3_000, [1, 60], oneway="yes", name="Keluar")
    network = graph(town, tmp_path)
    spot = network.snap(metres(-80, 0))
    assert spot is not None
    assert spot.distance_m == pytest.approx(80, rel=0.01)


def test_two_halves_of_a_city_are_both_kept_and_do_not_reach_each_other(tmp_path: Path) -> None:
    town = grid(3)
    for osm_id, (east, north) in list(town.nodes.items()):
        town.node(10_000 + osm_id, east + 5_000, north)
    for osm_id, (refs, tags) in list(town.ways.items()):
        town.ways[10_000 + osm_id] = ([10_000 + ref for ref in refs], tags)
    network = graph(town, tmp_path)
    here, there = metres(50, 0), metres(5_050, 0)
    times = network.travel_times([here, there], [here, there])
    assert np.isinf(times).tolist() == [[False, True], [True, False]]
    assert network.route(here, there) is None


def test_ways_whose_nodes_were_clipped_are_cut_not_bent(tmp_path: Path) -> None:
    town = grid(3)
    del town.nodes[2]
    arrays = import_extract(town.write(tmp_path / "town.osm"))
    assert 2 not in arrays.node_osm_id
    assert arrays.length_m.max() == pytest.approx(200, rel=1e-3)


def test_arrays_are_stored_and_opened_as_they_were(tmp_path: Path) -> None:
    arrays = import_extract(grid(3).write(tmp_path / "town.osm"))
    arrays.save(tmp_path / "roads.npz")
    opened = RoadArrays.load(tmp_path / "roads.npz")
    assert opened.names() == arrays.names()
    assert opened.turn_weight_ms.tolist() == arrays.turn_weight_ms.tolist()


def test_stored_arrays_never_run_code(tmp_path: Path) -> None:
    path = tmp_path / "roads.npz"
    with path.open("wb") as out:
        np.savez(out, lon=np.array([{"not": "numbers"}], dtype=object))
    with pytest.raises((ValueError, KeyError)):
        RoadArrays.load(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.osm.pbf", b""),
        ("noise.osm.pbf", bytes(range(256)) * 40),
        ("letter.osm", b"Dear Sir or Madam"),
        ("letter.docx", b"Dear Sir or Madam"),
        ("cut.osm.pbf", None),
    ],
)
def test_files_that_are_no_whole_extract_are_refused(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    path = tmp_path / name
    path.write_bytes(helsinki_extract().read_bytes()[:400_000] if content is None else content)
    with pytest.raises(BadExtract, match=name):
        import_extract(path)


def test_a_missing_extract_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExtractMissing, match=r"nowhere\.osm\.pbf"):
        import_extract(tmp_path / "nowhere.osm.pbf")


def test_maps_without_roads_are_refused(tmp_path: Path) -> None:
    town = SmallMap()
    with pytest.raises(NoRoads):
        import_extract(town.write(tmp_path / "empty.osm"))
    town.node(1, 0, 0)
    town.node(2, 100, 0)
    town.way(1, [1, 2], highway="footway")
    with pytest.raises(NoRoads):
        import_extract(town.write(tmp_path / "paths.osm"))
    town.way(1, [1, 2], highway="residential", oneway="yes")
    with pytest.raises(NoRoads, match="loose ends"):
        import_extract(town.write(tmp_path / "loose.osm"))


def test_usual_times_are_about_half_as_long_again_as_free_flow() -> None:
    arrays = helsinki_roads()
    at_the_limit = np.rint(arrays.piece_ms * DRIVEN_SHARE).astype(np.int64)
    free_flow = replace(arrays, piece_ms=at_the_limit, turn_ms=np.zeros_like(arrays.turn_ms))
    rng = np.random.default_rng(5)
    places = [
        Point(float(arrays.lon[i]), float(arrays.lat[i])) for i in rng.choice(arrays.node_count, 60)
    ]
    usual = RoadGraph(arrays).travel_times(places[:30], places[30:])
    free = RoadGraph(free_flow).travel_times(places[:30], places[30:])
    ratio = float(np.median(usual[free > 60] / free[free > 60]))
    assert 1.35 < ratio < 1.65
