"""Where the city can be reached now, asked through the door: who is free, what one more changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from dispatch import actions
from dispatch.core.events import Actor
from dispatch.core.world import World
from dispatch.storage import tables
from dispatch.system.ground import PRIOR_INCIDENTS, Ground, kinds_of
from geo.osm_import import import_extract
from geo.point import METRES_PER_DEGREE, Point
from geo.roadgraph import RoadGraph
from geo.sql import reading
from tests.maps import SmallMap
from tests.story.small_city import EAST, MIDDLE, NORTH, SOUTH, WEST, Stand, stand

SIDE, SPACING_M = 5, 1_300.0
DESK = Actor("dispatcher", "d")


def beside(east_m: float, north_m: float) -> tuple[float, float]:
    """A place so many metres from the city's middle."""
    return MIDDLE[0] + east_m / METRES_PER_DEGREE, MIDDLE[1] + north_m / METRES_PER_DEGREE


def streets() -> SmallMap:
    """Five streets each way over the small city, 1.3 km apart, its middle in the middle."""
    map_, half = SmallMap(), SPACING_M * (SIDE - 1) / 2
    for row in range(SIDE):
        for column in range(SIDE):
            lon, lat = beside(column * SPACING_M - half, row * SPACING_M - half)
            number = 100 * row + column + 1
            map_.node(number, (lon - 10) * METRES_PER_DEGREE, lat * METRES_PER_DEGREE)
    for i in range(SIDE):
        map_.way(1_000 + i, [100 * i + c + 1 for c in range(SIDE)], name=f"Jalan {i + 1}")
        map_.way(2_000 + i, [100 * r + i + 1 for r in range(SIDE)], name=f"Gang {i + 1}")
    return map_


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("coverage")
    roads = RoadGraph(import_extract(streets().write(folder / "town.osm")), version="town")
    with stand(folder / "stand") as running:
        served = replace(running.system.city("kota"), roads=roads)
        running.system._cities["kota"] = served
        running.system._grounds["kota"] = Ground(served, running.system.engine)
        yield running


def cover(city: Stand, query: str = "") -> Any:
    answer = city.staff("dispatcher").get(f"/coverage{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_each_zone_says_how_probably_and_how_soon_it_is_reached(city: Stand) -> None:
    found = cover(city)
    assert found["crews"] == 2
    zones = found["zones"]
    assert 4 <= len(zones) <= 160
    assert [zone["id"] for zone in zones] == sorted(zone["id"] for zone in zones)
    assert sum(zone["weight"] for zone in zones) == pytest.approx(1.0, abs=1e-3)
    for zone in zones:
        assert WEST <= zone["lon"] <= EAST
        assert SOUTH <= zone["lat"] <= NORTH
        assert zone["ring"][0] == zone["ring"][-1]
        assert 0.0 <= zone["p_on_time"] <= 1.0
    # whoever is reached sooner is reached more probably
    by_time = sorted(zones, key=lambda zone: zone["eta_s"])
    chances = [zone["p_on_time"] for zone in by_time]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > chances[-1]
    share = sum(zone["weight"] * zone["p_on_time"] for zone in zones)
    assert found["reached"] == pytest.approx(share, abs=1e-3)
    assert 0 < found["expected"] < found["reached"]


def test_the_time_shown_is_that_of_the_roads(city: Stand) -> None:
    roads = city.system.city("kota").roads
    turnout_s = city.system.city("kota").policy.matching.turnout_s
    posts = [Point(zone["lon"], zone["lat"]) for zone in cover(city)["zones"]]
    table = roads.travel_times(posts, posts)
    np.fill_diagonal(table, 0.0)
    [other] = [c for c in (city.crew_id, city.other_crew_id) if c != city.crew_id]
    alone = cover(city, f"?minus={other}")
    shown = [zone["eta_s"] for zone in alone["zones"]]
    # one crew: everything is measured from the zone it stands in
    start = int(np.argmin(shown))
    assert shown == pytest.approx((table[start] + turnout_s).tolist(), abs=0.2)


def test_one_fewer_is_what_was_told_of_it(city: Stand) -> None:
    before = cover(city)
    assert set(before["delta_minus"]) == {str(city.crew_id), str(city.other_crew_id)}
    for crew_id, change in before["delta_minus"].items():
        after = cover(city, f"?minus={crew_id}")
        assert after["crews"] == 1
        assert after["expected"] - before["expected"] == pytest.approx(change, abs=2e-4)
        assert change < 0
    nobody = cover(city, f"?minus={city.crew_id}&minus={city.other_crew_id}")
    assert (nobody["crews"], nobody["reached"], nobody["expected"]) == (0, 0.0, 0.0)
    assert {zone["eta_s"] for zone in nobody["zones"]} == {None}
    assert nobody["delta_minus"] == {}


def test_one_more_is_what_was_told_of_the_best_post(city: Stand) -> None:
    before = cover(city)
    best = before["delta_plus"]
    after = cover(city, f"?plus={best['lon']},{best['lat']}")
    assert after["crews"] == 3
    assert after["expected"] - before["expected"] == pytest.approx(best["change"], abs=2e-4)
    for zone in before["zones"]:
        elsewhere = cover(city, f"?plus={zone['lon']},{zone['lat']}")
        assert elsewhere["expected"] <= after["expected"] + 2e-4


def test_by_skill(city: Stand) -> None:
    saws = cover(city, "?skill=chainsaw")
    assert saws["crews"] == 2
    assert saws["zones"] == cover(city)["zones"]
    pumps = cover(city, "?skill=pump")
    assert (pumps["crews"], pumps["reached"]) == (0, 0.0)
    assert pumps["delta_plus"]["change"] > 0
    bought = cover(city, f"?skill=pump&plus={MIDDLE[0]},{MIDDLE[1]}")
    assert (bought["crews"], bought["reached"] > 0.3) == (1, True)


def test_who_is_sent_covers_nothing_meanwhile(city: Stand) -> None:
    desk = city.staff("dispatcher")
    before = cover(city)
    _, incident_id, _ = city.offered(desk)
    during = cover(city)
    assert during["crews"] == 1
    assert during["expected"] < before["expected"]
    assert str(city.crew_id) not in during["delta_minus"]
    desk.post(f"/incidents/{incident_id}/cancel", {"reason": "uji"})
    assert cover(city)["crews"] == 2


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("?plus=111.5", "bujur"),
        ("?plus=111.5,abc", "bujur"),
        ("?plus=500,-7.6", "bujur"),
        ("?minus=regu-satu", ""),
    ],
)
def test_what_is_no_place_or_no_crew_is_refused(city: Stand, query: str, says: str) -> None:
    answer = city.staff("dispatcher").get(f"/coverage{query}")
    assert answer.status_code == 422, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert says in answer.json()["detail"].casefold()


def test_a_city_without_roads_says_so(city: Stand) -> None:
    answer = city.staff("administrator", "tetangga").get("/coverage")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    assert "peta jalan" in answer.json()["detail"]


def test_strangers_and_crews_do_not_see_it(city: Stand) -> None:
    assert city.visitor().get("/coverage").status_code == 401
    assert city.crew().get("/coverage").status_code == 403


# --- what is learned ---------------------------------------------------------


def test_demand_moves_to_where_incidents_were(city: Stand) -> None:
    """Sixty reports in one corner of the city; the hour passes, the ground is learned anew."""
    system = city.system
    ground = Ground(system.city("kota"), system.engine)
    now = system.clock()
    before = ground.terrain(now)
    assert before is not None
    lon, lat = beside(-2_600, -2_600)
    corner = before.zone_of(lon, lat)

    def happen(world: World, at: Any) -> None:
        for i in range(60):
            wish = actions.NewReport("web", "fallen_tree", f"Pohon {i}", lon=lon, lat=lat)
            report = actions.receive_report(world, at, Actor("citizen"), wish)
            world.cancel_timer(actions.TRIAGE, report.id)
            incident = actions.verify_report(world, at, DESK, report.id)
            actions.cancel_incident(world, at, DESK, incident.id, reason="uji")

    system.do("kota", DESK, happen)
    assert ground.terrain(now + timedelta(minutes=30)) is before
    after = ground.terrain(now + timedelta(minutes=61))
    assert after is not None
    counted = count_of(city)
    learned = (before.demand[corner] * PRIOR_INCIDENTS + 60) / (PRIOR_INCIDENTS + counted)
    assert after.demand[corner] > before.demand[corner]
    assert after.demand[corner] == pytest.approx(learned, abs=0.08)
    assert after.demand.sum() == pytest.approx(1.0)
    hour = now.hour
    assert after.per_hour[hour] == max(after.per_hour)
    saw = frozenset({"chainsaw"})
    share = {kind.skills: kind.share for kind in after.kinds}
    assert share[saw] > {kind.skills: kind.share for kind in before.kinds}[saw]


def count_of(city: Stand) -> int:
    wanted = select(func.count()).where(tables.incident.c.city_id == "kota")
    with reading(city.system.engine) as connection:
        return int(connection.execute(wanted).scalar_one())


def test_a_closed_street_makes_the_city_wider(city: Stand) -> None:
    system = city.system
    roads = system.city("kota").roads
    ground = Ground(system.city("kota"), system.engine)
    now = system.clock()
    before = ground.terrain(now)
    assert before is not None
    # the middle street is shut at its middle, both ways
    shut = {(203, 204): None, (204, 203): None, (203, 202): None, (202, 203): None}
    assert roads.update(shut) == frozenset()
    try:
        # not measured again at every closure, but within a minute or so
        assert ground.terrain(now + timedelta(seconds=30)) is before
        after = ground.terrain(now + timedelta(seconds=90))
        assert after is not None
        assert after.seconds.shape == before.seconds.shape
        # a post beside the shut street starts from the other one, a turn nearer to some
        assert (after.seconds >= before.seconds - 30.0).all()
        assert (after.seconds > before.seconds + 120.0).any()
        assert after.seconds.sum() > before.seconds.sum()
    finally:
        roads.update(dict.fromkeys(shut, 1.0))
    again = ground.terrain(now + timedelta(seconds=200))
    assert again is not None
    assert again.seconds == pytest.approx(before.seconds)


def test_kinds_weigh_what_the_city_receives(city: Stand) -> None:
    policy = city.system.city("kota").policy
    flat = kinds_of(policy, {})
    assert sum(kind.share for kind in flat) == pytest.approx(1.0)
    assert sum(kind.share * kind.weight for kind in flat) == pytest.approx(1.0)
    assert [sorted(kind.skills) for kind in flat] == sorted(sorted(kind.skills) for kind in flat)
    trees = kinds_of(policy, {"fallen_tree": 1000})
    [saw] = [kind for kind in trees if kind.skills == frozenset({"chainsaw"})]
    assert saw.share > 0.9
    # what waits for a round needs no cover
    lamps = kinds_of(policy, {"street_light": 1000})
    assert lamps == flat


def test_a_city_has_a_ground_only_with_roads(city: Stand) -> None:
    assert city.system.terrain("tetangga") is None
    assert city.system.terrain("kota") is not None
