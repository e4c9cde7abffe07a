"""Whatever is closed and lifted, in whatever order: the roads are shut where a closure says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatch import actions
from dispatch.core.closures import SegmentKey
from dispatch.core.events import Actor
from dispatch.dispatcher import stretches_of
from dispatch.simulator.memory import MemoryWorld
from dispatch.system.closing import RoadKeeper
from geo.network import Segment
from geo.osm_import import import_extract
from geo.roadgraph import RoadGraph
from tests.contract.worlds import NOON, POLICY, counted_ids
from tests.maps import grid, metres

DESK = Actor("dispatcher", "d1")
LANES = frozenset({"living_street"})


@pytest.fixture(scope="module")
def roads(tmp_path_factory: pytest.TempPathFactory) -> RoadGraph:
    """Three by three crossings, one street of them a lane."""
    map_ = grid(3)
    way, (nodes, tags) = next(iter(map_.ways.items()))
    map_.ways[way] = (nodes, {**tags, "highway": "living_street"})
    return RoadGraph(import_extract(map_.write(tmp_path_factory.mktemp("closing") / "town.osm")))


def everywhere(network: RoadGraph) -> list[Segment]:
    return network.nearest_segments(metres(200, 200), within_m=2_000)


def shut(network: RoadGraph) -> set[SegmentKey]:
    return {(each.u, each.v) for each in everywhere(network) if each.factor is None}


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_roads_are_shut_exactly_where_a_closure_is_in_force(
    roads: RoadGraph, data: st.DataObject
) -> None:
    try:
        _live(roads, data)
    finally:
        # an example may be broken off; the next one begins with open roads
        roads.update(dict.fromkeys(shut(roads), 1.0))


def _live(roads: RoadGraph, data: st.DataObject) -> None:
    pieces = everywhere(roads)
    always = shut(roads.for_vehicle(LANES)) - shut(roads)
    world = MemoryWorld("kota", POLICY, ids=counted_ids())
    keeper = RoadKeeper(roads)
    now = NOON
    for _ in range(data.draw(st.integers(1, 8))):
        now += timedelta(seconds=1)
        active = world.active_closures()
        if data.draw(st.booleans()) and active:
            lifted = data.draw(st.sampled_from(active))
            actions.lift_closure(world, now, DESK, lifted.id, reason="bersih")
        else:
            chosen = data.draw(st.lists(st.sampled_from(pieces), min_size=1, max_size=4))
            actions.close_road(world, now, DESK, stretches_of(chosen), reason="pohon")
        if data.draw(st.booleans()):
            continue  # nobody looked in between
        keeper.follow(len(world.log), world.active_closures)
        wanted = {key for each in world.active_closures() for key in each.segments}
        assert shut(roads) == wanted
        assert shut(roads.for_vehicle(LANES)) == wanted | always
        assert not keeper.follow(len(world.log), world.active_closures)
    for closure in world.active_closures():
        actions.lift_closure(world, now, DESK, closure.id, reason="bersih")
    keeper.follow(len(world.log) + 1, world.active_closures)
    assert shut(roads) == set()
    assert roads.route(metres(0, 200), metres(400, 200)) is not None
