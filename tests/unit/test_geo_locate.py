"""Each step from a raw fix to a trusted one, by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from geo.locate import (
    LATE,
    REPEATED,
    STEPS,
    Seen,
    Settings,
    Track,
    deduplicate,
    derive_motion,
    locate,
    match,
    order,
    reject,
    smooth,
)
from geo.network import Nearby
from geo.point import METRES_PER_DEGREE, Box
from geo.roadgraph import RoadGraph
from tests.maps import helsinki_roads

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SETTINGS = Settings(region=Box(9.5, -0.5, 10.5, 0.5))


@dataclass(frozen=True)
class Raw:
    """A fix so many metres east and north of 0.001° N 10.001° E, seconds after noon."""

    lon: float
    lat: float
    fix_time: datetime
    server_time: datetime = NOON
    accuracy_m: float | None = 5.0
    heading: float | None = None
    speed_ms: float | None = None


def raw(at: float, east: float = 0.0, north: float = 0.0, **more: float | None) -> Raw:
    lon = 10.001 + east / METRES_PER_DEGREE
    lat = 0.001 + north / METRES_PER_DEGREE
    return Raw(lon, lat, NOON + timedelta(seconds=at), **more)  # type: ignore[arg-type]


def run(*fixes: Raw, roads: list[Nearby] | None = None) -> Track:
    track, last = Track(), None
    for fix in fixes:
        track, said = locate(track, last, Seen(fix, roads or ()), SETTINGS)
        if not said:
            last = fix
    return track


def test_the_steps_are_a_list_in_the_order_of_the_work() -> None:
    names = [step.__name__ for step in STEPS]
    assert names == [
        "deduplicate",
        "order",
        "reject",
        "smooth",
        "match",
        "derive_motion",
        "remember",
    ]


def test_the_same_time_again_is_the_same_fix() -> None:
    track, verdict = deduplicate(Track(), None, Seen(raw(0)), SETTINGS)
    assert verdict is None
    for at, said in ((5, None), (3, None), (3, REPEATED), (5, REPEATED), (4, None)):
        track, verdict = deduplicate(track, None, Seen(raw(at)), SETTINGS)
        assert verdict is said, at
    many = track
    for at in range(10, 1000):
        many, _ = deduplicate(many, None, Seen(raw(at)), SETTINGS)
    assert len(many.times) == 256, "it does not remember for ever"


def test_what_is_older_than_the_map_is_late() -> None:
    assert order(Track(), None, Seen(raw(0)), SETTINGS)[1] is None
    assert order(Track(), raw(5), Seen(raw(4)), SETTINGS)[1] is LATE
    assert order(Track(), raw(5), Seen(raw(5)), SETTINGS)[1] is LATE
    assert order(Track(), raw(5), Seen(raw(6)), SETTINGS)[1] is None


def test_a_late_fix_changes_nothing_that_is_known() -> None:
    track = run(raw(0), raw(10, 50))
    for step in (smooth, match, derive_motion):
        assert step(track, raw(10, 50), Seen(raw(5, 400)), SETTINGS) == (track, None)


def test_a_jump_is_doubted_until_others_agree() -> None:
    track = run(raw(0))
    said = []
    for at in (1, 2, 3):
        track, verdict = reject(track, raw(0), Seen(raw(at, 9000)), SETTINGS)
        said.append(verdict.reason if verdict else None)
    assert said == ["jump", "jump", None]
    assert track.last is None, "everything before was wrong"


def test_a_device_that_stands_hardly_trembles_and_one_that_drives_is_followed() -> None:
    standing = run(*(raw(at, 8.0 * (-1) ** at, speed_ms=0.0) for at in range(20)))
    assert standing.spot is not None
    assert abs(standing.spot.lon - 10.001) * METRES_PER_DEGREE < 4
    driving = run(*(raw(at, 12.0 * at, speed_ms=12.0) for at in range(20)))
    assert driving.spot is not None
    assert (10.001 - driving.spot.lon) * METRES_PER_DEGREE == pytest.approx(-228, abs=4)


def street(
    bearing: float, metres: float, *, u: int = 1, v: int = 2, one_way: bool = False
) -> Nearby:
    return Nearby(u, v, 10.0, 0.0, metres, bearing, True, not one_way)


def test_the_road_that_leads_where_it_heads_wins_over_a_nearer_one() -> None:
    crossing, along = street(0.0, 3.0), street(92.0, 9.0, u=3, v=4)
    drive = [raw(0), raw(1, 10, heading=90.0, speed_ms=10.0)]
    road = run(*drive, roads=[crossing, along]).road
    assert road is not None
    assert (road.u, road.v) == (3, 4)
    standing = run(raw(0), raw(1, speed_ms=0.0), roads=[crossing, along]).road
    assert standing is not None
    assert (standing.u, standing.v) == (1, 2)


def test_nobody_is_put_on_the_other_side_of_a_divided_road() -> None:
    ours = street(90.0, 9.0, u=5, v=6, one_way=True)
    theirs = street(270.0, 4.0, u=7, v=8, one_way=True)
    road = run(raw(0), raw(1, 15, heading=90.0, speed_ms=15.0), roads=[ours, theirs]).road
    assert road is not None
    assert (road.u, road.v) == (5, 6)


def test_the_direction_is_the_one_it_drives() -> None:
    both = street(90.0, 2.0)
    west = run(raw(0), raw(1, -10, heading=270.0, speed_ms=10.0), roads=[both]).road
    assert west is not None
    assert (west.u, west.v) == (2, 1)


def test_it_stays_on_its_road_where_two_are_as_near() -> None:
    mine, other = street(90.0, 8.0), street(90.0, 7.5, u=9, v=10)
    track = run(raw(0), roads=[mine])
    track, _ = locate(track, raw(0), Seen(raw(1, 10, speed_ms=10.0), [mine, other]), SETTINGS)
    assert track.road is not None
    assert track.road.u == 1


def test_far_from_every_road_it_is_where_it_says() -> None:
    track = run(raw(0), roads=[street(0.0, 60.0)])
    assert track.road is None
    assert track.shown == pytest.approx((10.001, 0.001))


def test_motion_is_derived_where_the_device_says_nothing() -> None:
    moving = run(raw(0), raw(10, 0, 100)).motion
    assert moving is not None
    assert moving.speed_ms == pytest.approx(9.5, abs=0.1)
    assert moving.heading == pytest.approx(0.0, abs=1e-6)
    assert moving.still_since == NOON + timedelta(seconds=10)
    still = run(raw(0), raw(10, 3), raw(20, 0, 4), raw(30, 2)).motion
    assert still is not None
    assert (still.speed_ms, still.still_since) == (0.0, NOON)


def test_roads_around_many_places_are_those_around_each() -> None:
    roads = RoadGraph(helsinki_roads())
    lon, lat = helsinki_roads().lon, helsinki_roads().lat
    places = [(float(lon[i]) + 1e-4, float(lat[i])) for i in range(0, len(lon), 97)]
    together = roads.roads_near(places, within_m=40.0)
    alone = [roads.roads_near([place], within_m=40.0)[0] for place in places]
    assert together == alone
    assert any(len(found) > 2 for found in together)
    for (x, y), found in zip(places, together, strict=True):
        for near in found:
            assert near.metres <= 40.0
            dx = (near.lon - x) * math.cos(math.radians(y)) * METRES_PER_DEGREE
            dy = (near.lat - y) * METRES_PER_DEGREE
            assert math.hypot(dx, dy) == pytest.approx(near.metres, abs=0.2)


def test_a_drive_along_a_real_street_stays_on_it() -> None:
    arrays = helsinki_roads()
    roads = RoadGraph(arrays)
    edge = int(arrays.length_m.argmax())
    first, last = int(arrays.edge_start[edge]), int(arrays.edge_start[edge + 1])
    nodes = [*arrays.piece_u[first:last].tolist(), int(arrays.piece_v[last - 1])]
    settings = replace(SETTINGS, region=Box(24.0, 59.0, 26.0, 61.0))
    track, matched = Track(), []
    for at, node in enumerate(nodes):
        lon, lat = float(arrays.lon[node]) + 3e-5, float(arrays.lat[node]) + 2e-5
        fix = Raw(lon, lat, NOON + timedelta(seconds=20 * at), NOON + timedelta(hours=1))
        near = roads.roads_near([(lon, lat)], within_m=35.0)[0]
        track, said = locate(track, None, Seen(fix, near), settings)
        assert said == ()
        matched.append(track.road)
    ids = {int(arrays.node_osm_id[node]) for node in nodes}
    assert sum(road is not None and {road.u, road.v} <= ids for road in matched) >= 0.8 * len(nodes)
