import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import routingkit_cch

from geo.network import SegmentKey
from geo.osm_import import import_extract
from geo.point import Point, distance_m
from geo.roadengine import RoadEngineError, no_panic
from geo.roadgraph import RoadGraph
from geo.roadroute import turn_of
from tests.maps import grid, helsinki_roads, metres


@pytest.fixture
def town(tmp_path: Path) -> RoadGraph:
    """Five by five crossings, 200 m apart; Jalan n runs east, Gang n runs north."""
    return RoadGraph(import_extract(grid(5).write(tmp_path / "town.osm")), version="town")


def both(u: int, v: int, factor: float | None) -> dict[SegmentKey, float | None]:
    return {(u, v): factor, (v, u): factor}


def places(network: RoadGraph, count: int, *, seed: int) -> list[Point]:
    rng = np.random.default_rng(seed)
    arrays = network.arrays
    nodes = rng.choice(arrays.node_count, count)
    return [
        Point(float(arrays.lon[n]) + east, float(arrays.lat[n]) + north)
        for n, east, north in zip(
            nodes, rng.normal(0, 3e-4, count), rng.normal(0, 2e-4, count), strict=True
        )
    ]


def test_a_place_is_moved_onto_the_nearest_road(town: RoadGraph) -> None:
    spot = town.snap(metres(250, 30))
    assert spot is not None
    assert spot.distance_m == pytest.approx(30, abs=0.1)
    assert distance_m(spot.point, metres(250, 0)) < 0.1
    assert {spot.u, spot.v} == {2, 3}
    assert spot.fraction == pytest.approx(0.25 if spot.u == 2 else 0.75, abs=0.001)


def test_far_from_every_road_there_is_no_position(town: RoadGraph) -> None:
    assert town.snap(metres(-251, 0)) is None
    assert town.snap(metres(-251, 0), max_m=300) is not None
    assert np.isinf(town.travel_times([metres(-1_100, 0)], [metres(0, 0)])).all()
    assert town.route(metres(-1_100, 0), metres(0, 0)) is None


def test_closed_segments_are_driven_around_and_reopen(town: RoadGraph) -> None:
    a, b = metres(150, 0), metres(450, 0)
    usual = town.route(a, b)
    assert usual is not None
    assert usual.length_m == pytest.approx(300, rel=0.01)
    assert town.update(both(2, 3, None)) == frozenset()
    detour = town.route(a, b)
    assert detour is not None
    assert detour.length_m == pytest.approx(700, rel=0.01)
    assert detour.duration_s == town.travel_times([a], [b])[0, 0]
    town.update(both(2, 3, 1.0))
    assert town.route(a, b) == usual


def test_a_closure_holds_for_the_direction_it_names(town: RoadGraph) -> None:
    a, b = metres(150, 0), metres(450, 0)
    there, back = town.travel_times([a], [b]), town.travel_times([b], [a])
    town.update({(2, 3): None})
    assert town.travel_times([a], [b]) > there
    assert town.travel_times([b], [a]) == back


def test_a_tree_across_the_road_is_reached_from_both_sides(tmp_path: Path) -> None:
    map_ = grid(3)
    for n, east in ((51, 250), (52, 300), (53, 350)):
        map_.node(n, east, 0)
    map_.ways[1_000] = ([1, 2, 51, 52, 53, 3], {"highway": "residential", "name": "Jalan 1"})
    network = RoadGraph(import_extract(map_.write(tmp_path / "town.osm")))
    network.update(both(51, 52, None))
    for start, metres_driven in ((metres(205, 0), 45), (metres(395, 0), 95)):
        to_the_tree = network.route(start, metres(268, 0) if start.lon < 10.003 else metres(302, 0))
        assert to_the_tree is not None
        assert to_the_tree.length_m == pytest.approx(metres_driven, abs=4)
    around = network.route(metres(240, 0), metres(320, 0))
    assert around is not None
    assert around.length_m > 600


def test_a_crew_standing_before_the_tree_turns_back(tmp_path: Path) -> None:
    map_ = grid(3)
    map_.node(51, 300, 0)
    map_.ways[1_000] = ([1, 2, 51, 3], {"highway": "residential", "name": "Jalan 1"})
    network = RoadGraph(import_extract(map_.write(tmp_path / "town.osm")))
    network.update(both(51, 3, None))
    route = network.route(metres(290, 0), metres(390, 10))
    assert route is not None
    # Back to the crossing, round the block, and down to where Gang 3 meets Jalan 1.
    assert route.length_m == pytest.approx(90 + 200 + 200 + 190, rel=0.05)


def test_slow_segments_take_longer_and_may_be_avoided(town: RoadGraph) -> None:
    a, b = metres(220, 0), metres(380, 0)
    usual = float(town.travel_times([a], [b])[0, 0])
    town.update({(2, 3): 0.5})
    assert town.travel_times([a], [b])[0, 0] == pytest.approx(2 * usual, rel=0.01)
    far = metres(150, 0), metres(450, 0)
    town.update({(2, 3): 0.01})
    assert 100 < town.travel_times([far[0]], [far[1]])[0, 0] < 200


def test_unknown_segments_are_told_and_the_known_ones_set(town: RoadGraph) -> None:
    before = town.travel_times([metres(150, 0)], [metres(450, 0)])
    unknown = town.update({(2, 3): None, (2, 99): None, (1, 3): 0.5})
    assert unknown == {(2, 99), (1, 3)}
    assert town.travel_times([metres(150, 0)], [metres(450, 0)]) > before


def test_the_version_changes_with_the_roads_only(town: RoadGraph) -> None:
    first = town.version
    town.update({(2, 3): 1.0})
    assert town.version == first == "town"
    town.update({(2, 3): None})
    second = town.version
    town.update({(2, 3): 1.0})
    assert len({first, second, town.version}) == 3


def test_segments_around_a_place_say_whether_they_are_open(town: RoadGraph) -> None:
    town.update({(2, 3): None, (3, 2): 0.5})
    near = town.nearest_segments(metres(300, 10), within_m=50)
    assert {(s.u, s.v): s.factor for s in near} == {(2, 3): None, (3, 2): 0.5}
    assert all(s.name == "Jalan 1" for s in near)
    assert all(s.length_m == pytest.approx(200, rel=1e-3) for s in near)
    farther = town.nearest_segments(metres(300, 10), within_m=250)
    assert len(farther) > len(near)
    assert [s.distance_m for s in farther] == sorted(s.distance_m for s in farther)


def test_steps_name_the_streets_and_the_turns(town: RoadGraph) -> None:
    route = town.route(metres(50, 0), metres(400, 750))
    assert route is not None
    assert [(s.turn, s.name) for s in route.steps] in (
        [("depart", "Jalan 1"), ("left", "Gang 3")],
        [("depart", "Jalan 1"), ("left", "Gang 2"), ("right", "Jalan 2"), ("left", "Gang 3")],
    )
    assert route.steps[0].point == route.points[0]
    assert sum(s.length_m for s in route.steps) == pytest.approx(route.length_m)
    assert sum(s.duration_s for s in route.steps) == pytest.approx(route.duration_s)
    walked = sum(distance_m(a, b) for a, b in pairwise(route.points))
    assert walked == pytest.approx(route.length_m)


def test_few_turns_beat_many(town: RoadGraph) -> None:
    route = town.route(metres(0, 10), metres(790, 800))
    assert route is not None
    assert len(route.steps) == 2


@pytest.mark.parametrize(
    ("degrees", "word"),
    [
        (0, "straight"),
        (-15, "straight"),
        (45, "slight_right"),
        (-90, "left"),
        (90, "right"),
        (150, "sharp_right"),
        (-160, "sharp_left"),
        (180, "uturn"),
        (-179, "uturn"),
    ],
)
def test_turns_have_words(degrees: float, word: str) -> None:
    assert turn_of(degrees) == word


def test_route_and_table_agree_to_the_millisecond() -> None:
    network = RoadGraph(helsinki_roads())
    sources, targets = places(network, 12, seed=1), places(network, 12, seed=2)
    table = network.travel_times(sources, targets)
    for i, a in enumerate(sources):
        for j, b in enumerate(targets):
            route = network.route(a, b)
            assert (route.duration_s if route else np.inf) == table[i, j]


def test_the_table_is_the_same_whichever_side_is_longer() -> None:
    network = RoadGraph(helsinki_roads())
    few, many = places(network, 3, seed=1), places(network, 30, seed=2)
    wide, tall = network.travel_times(few, many), network.travel_times(many, few)
    assert wide.tolist() == [network.travel_times([a], many)[0].tolist() for a in few]
    assert tall.tolist() == [network.travel_times([a], few)[0].tolist() for a in many]


def test_readers_see_the_roads_before_or_after_a_change_and_nothing_between() -> None:
    network = RoadGraph(helsinki_roads())
    sources, targets = places(network, 8, seed=3), places(network, 8, seed=4)
    middle = network.snap(Point(24.9440, 60.1700))
    assert middle is not None
    around = network.nearest_segments(middle.point, within_m=150)
    closed: dict[SegmentKey, float | None] = {(s.u, s.v): None for s in around}
    opened: dict[SegmentKey, float | None] = dict.fromkeys(closed, 1.0)
    before = network.travel_times(sources, targets)
    network.update(closed)
    after = network.travel_times(sources, targets)
    assert (after != before).any()
    truths = {before.tobytes(), after.tobytes()}
    seen: set[bytes] = set()
    failures: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                seen.add(network.travel_times(sources, targets).tobytes())
                network.route(sources[0], targets[0])
        except BaseException as e:  # noqa: BLE001 - a panic is no Exception
            failures.append(e)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(25):
            network.update(opened)
            network.update(closed)
    finally:
        done.set()
        for reader in readers:
            reader.join(timeout=30)
    assert failures == []
    assert seen <= truths
    assert network.travel_times(sources, targets).tobytes() == after.tobytes()


def test_updaters_do_not_lose_each_others_changes(town: RoadGraph) -> None:
    rows = [[(100 * r + c + 1, 100 * r + c + 2) for c in range(4)] for r in range(4)]
    threads = [
        threading.Thread(target=lambda keys=keys: [town.update({k: None}) for k in keys])
        for keys in rows
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    near = town.nearest_segments(metres(400, 400), within_m=1_000)
    assert {(s.u, s.v) for s in near if s.factor is None} == {k for keys in rows for k in keys}


def test_a_query_that_outlived_its_search_does_not_stop_an_update(town: RoadGraph) -> None:
    kept = []
    a, b = metres(150, 0), metres(450, 0)
    usual = town.travel_times([a], [b])
    with town._engine.reading() as search:
        kept.append(routingkit_cch.CCHManyToOne(search._open_metric, [0]))
    town.update(both(2, 3, None))
    longer = town.travel_times([a], [b])
    town.update(both(2, 3, 1.0))
    assert town.travel_times([a], [b]) == usual < longer
    assert kept


def test_a_panic_becomes_an_error_one_can_catch() -> None:
    arrays = helsinki_roads()
    network = RoadGraph(arrays)
    with pytest.raises(RoadEngineError), network._engine.reading() as search:
        search.to_each([], [[(0, 0)]])
    with pytest.raises(KeyboardInterrupt), no_panic():
        raise KeyboardInterrupt


def test_a_search_ends_with_its_block(town: RoadGraph) -> None:
    with town._engine.reading() as search:
        pass
    with pytest.raises(RoadEngineError):
        search.path([(0, 0)], [(1, 0)])
