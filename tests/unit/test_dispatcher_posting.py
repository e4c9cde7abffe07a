"""Free crews wait where they are of most use, and are not sent about for nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from dispatch import actions, dispatcher
from dispatch.core import events as ev
from dispatch.core.coverage import Kind, Terrain
from dispatch.core.crews import Crew, Fix
from dispatch.core.events import Actor
from dispatch.core.policy import Policy
from dispatch.simulator.memory import MemoryWorld
from geo.spread import Spread
from tests.contract.worlds import NOON, POLICY, counted_ids

DESK = Actor("dispatcher", "d1")
WEST, MIDDLE, EAST = (111.50, -7.6), (111.55, -7.6), (111.60, -7.6)
PLACES = (WEST, MIDDLE, EAST)


def terrain(demand: tuple[float, float, float] = (0.5, 0.1, 0.4)) -> Terrain:
    """Three posts in a row, twenty-five minutes from each to the next."""
    return Terrain(
        lon=np.array([lon for lon, _ in PLACES]),
        lat=np.array([lat for _, lat in PLACES]),
        demand=np.array(demand),
        seconds=1500.0 * np.abs(np.subtract.outer(np.arange(3), np.arange(3))),
        kinds=(Kind(frozenset(), 1.0),),
        per_hour=np.full(24, 4.0),
    )


def tuned(**coverage: Any) -> Policy:
    return replace(POLICY, coverage=replace(POLICY.coverage, **coverage))


class City:
    """Crews where they are put, and a clock."""

    def __init__(self, policy: Policy, *at: tuple[float, float]) -> None:
        self.world = MemoryWorld("posts", policy, ids=counted_ids())
        self.now = NOON
        self.at: dict[UUID, tuple[float, float]] = {}
        for place in at:
            fact = ev.CrewRegistered("Regu", "R", "pupr", (), "car", 3, *place)
            crew = actions.register_crew(self.world, NOON, DESK, fact)
            actions.set_crew_status(self.world, NOON, DESK, crew.id, status="available")
            self.at[crew.id] = place
        self.crews = list(self.at)

    def look(self, seconds: float = 0.0, ground: Terrain | None = None) -> list[Crew]:
        """Some time later, the dispatcher looks where free crews stand."""
        self.now += timedelta(seconds=seconds)
        for crew_id, (lon, lat) in self.at.items():
            self.world.put_fix(Fix(crew_id, lon, lat, fix_time=self.now, server_time=self.now))
        return dispatcher.move_up(self.world, self.now, ground or terrain())

    def post(self, number: int) -> Any:
        return self.world.crew(self.crews[number]).move_up

    def place_of(self, number: int) -> tuple[float, float] | None:
        post = self.post(number)
        return (post["lon"], post["lat"]) if post else None


def moved(crews: list[Crew]) -> list[UUID]:
    return [crew.id for crew in crews]


def test_one_of_two_in_the_same_place_is_suggested_to_go_elsewhere() -> None:
    city = City(tuned(move_up="suggest"), WEST, WEST)
    [crew] = city.look()
    number = city.crews.index(crew.id)
    assert (city.post(number)["status"], city.place_of(number)) == ("suggested", EAST)
    assert city.post(number)["gain"] > POLICY.coverage.least_gain
    assert city.post(number)["ete_s"] == 3000.0
    entry = city.world.log[-1].event
    assert entry.type == "MoveUpSuggested"
    assert (entry.because or {})["rule"] == "coverage.move_up"


@pytest.mark.parametrize("rolling", [None, Spread(0.5, short_s=60.0)])
def test_the_drive_to_a_post_is_told_as_a_range_and_ordered_with_it(rolling: Spread | None) -> None:
    city = City(tuned(move_up="suggest"), WEST, WEST)
    [crew] = city.look(ground=replace(terrain(), rolling=rolling))
    number = city.crews.index(crew.id)
    sure = rolling or Spread(POLICY.matching.sigma)
    assert city.post(number)["p90_ete_s"] == round(sure.quantile_s(3000.0, 0.9), 1) > 3000.0
    assert (city.world.log[-1].event.because or {})["p90_ete_s"] == city.post(number)["p90_ete_s"]
    told = city.post(number)["p90_ete_s"]
    actions.order_move_up(city.world, city.now, DESK, crew.id)
    assert (city.post(number)["status"], city.post(number)["p90_ete_s"]) == ("ordered", told)


def test_a_post_suggested_before_ranges_can_still_be_ordered() -> None:
    city = City(tuned(move_up="suggest"), WEST, WEST)
    [crew] = city.look()
    assert crew.move_up is not None
    old = {name: value for name, value in crew.move_up.items() if name != "p90_ete_s"}
    city.world._entities["crew", crew.id] = replace(crew, move_up=old)
    after = actions.order_move_up(city.world, city.now, DESK, crew.id)
    assert after.move_up is not None
    assert (after.move_up["ete_s"], after.move_up["p90_ete_s"]) == (3000.0, None)


def test_the_gain_is_what_the_cover_will_gain() -> None:
    city = City(tuned(move_up="suggest"), WEST, WEST)
    [crew] = city.look()
    before = dispatcher.cover_of(city.world, city.now, terrain())
    city.at[crew.id] = EAST
    number = city.crews.index(crew.id)
    gain = city.post(number)["gain"]
    city.look()
    after = dispatcher.cover_of(city.world, city.now, terrain())
    net = after.expected() - before.expected()
    # the drive of fifty minutes is taken off
    assert gain == pytest.approx(net - 50 * POLICY.coverage.travel_price, abs=1e-5)


def test_crews_that_stand_well_are_left_alone() -> None:
    city = City(tuned(move_up="suggest"), WEST, EAST)
    assert city.look() == []
    alone = City(tuned(move_up="suggest"), WEST)
    assert alone.look() == []


@pytest.mark.parametrize("coverage", [{"move_up": "off"}, {"least_gain": 1.0}])
def test_a_city_that_wants_no_moves_gets_none(coverage: dict[str, Any]) -> None:
    assert City(tuned(**coverage), WEST, WEST).look() == []
    assert City(tuned(moves_per_crew_h=0.0), WEST, WEST).look() == []
    city = City(tuned(), WEST, WEST)
    assert dispatcher.move_up(city.world, city.now, None) == []


def test_a_long_drive_must_be_worth_it() -> None:
    assert City(tuned(move_up="suggest", travel_price=0.02), WEST, WEST).look() == []


def test_a_suggestion_goes_out_of_date() -> None:
    city = City(tuned(move_up="suggest"), WEST, WEST)
    [crew] = city.look()
    assert city.look(300) == []
    length = len(city.world.log)
    city.look(301)
    ended = city.world.log[length].event
    assert (ended.type, ended.subject) == ("MoveUpEnded", crew.id)
    assert isinstance(ended.fact, ev.MoveUpEnded)
    assert ended.fact.reason == "outdated"
    assert (ended.because or {})["rule"] == "coverage.move_up"


def test_a_dismissed_suggestion_does_not_come_back_at_once() -> None:
    city = City(tuned(move_up="suggest", moves_per_crew_h=1.0), WEST, WEST)
    [crew] = city.look()
    actions.end_move_up(city.world, city.now, DESK, crew.id, reason="tidak perlu")
    again = moved(city.look(30))
    assert crew.id not in again
    # the other one may be asked; when that is dismissed too, there is peace for an hour
    for other in again:
        actions.end_move_up(city.world, city.now, DESK, other, reason="tidak perlu")
    for _ in range(11):
        assert city.look(290) == []
    assert moved(city.look(700)) != []


def test_two_suggestions_never_fill_the_same_gap() -> None:
    """Three in the west: the second suggestion reckons with the first."""
    city = City(tuned(move_up="suggest"), WEST, WEST, WEST)
    for _ in range(4):
        city.look(5)
    places = [place for number in range(3) if (place := city.place_of(number))]
    assert len(places) == len(set(places))
    assert EAST in places


def test_not_more_suggestions_than_can_be_read() -> None:
    city = City(tuned(move_up="suggest", least_gain=0.0, travel_price=0.0), *[WEST] * 9)
    for _ in range(8):
        city.look(5, terrain((0.3, 0.35, 0.35)))
    standing = sum((crew.move_up or {}).get("status") == "suggested" for crew in city.world.crews())
    assert standing == 3


def test_automatic_places_who_became_free_where_it_adds_most() -> None:
    city = City(tuned(move_up="automatic", moves_per_crew_h=0.0), WEST, WEST)
    changed = city.look()
    assert len(changed) == 2
    places = sorted(place for number in (0, 1) if (place := city.place_of(number)))
    assert places == [WEST, EAST]
    assert {city.post(0)["status"], city.post(1)["status"]} == {"ordered"}
    # nothing more to say until somebody becomes free again
    assert city.look(60) == []
    one = city.crews[0]
    wish = actions.NewReport("web", "waste", "Sampah", lon=WEST[0], lat=WEST[1])
    report = actions.receive_report(city.world, city.now, Actor("citizen"), wish)
    incident = actions.verify_report(city.world, city.now, DESK, report.id)
    job = actions.send_crew(city.world, city.now, DESK, incident.id, crew_id=one)
    assert city.post(0) is None
    assert city.look(60) == []
    actions.withdraw(city.world, city.now, DESK, job.id, reason="salah")
    assert moved(city.look(10)) == [one]
    assert (city.post(0) or {})["status"] == "ordered"


def test_a_crew_moves_once_an_hour() -> None:
    """Demand swings from side to side every five minutes; a crew follows it once an hour."""
    policy = tuned(move_up="automatic", moves_per_crew_h=1.0, travel_price=0.0, least_gain=0.0)
    city = City(policy, WEST, WEST)
    orders: dict[UUID, list[datetime]] = {crew: [] for crew in city.crews}
    for turn in range(40):
        ground = terrain((0.9, 0.05, 0.05) if turn % 2 else (0.05, 0.05, 0.9))
        for crew in city.look(300, ground):
            orders[crew.id].append(city.now)
            assert crew.move_up is not None
            city.at[crew.id] = (crew.move_up["lon"], crew.move_up["lat"])
            actions.reach_post(city.world, city.now, DESK, crew.id)
    gaps = [later - sooner for times in orders.values() for sooner, later in pairwise(times)]
    assert gaps
    assert min(gaps) >= timedelta(hours=1)


def test_who_is_busy_unseen_or_away_is_not_moved() -> None:
    city = City(tuned(move_up="automatic"), WEST, WEST, WEST)
    actions.set_crew_status(city.world, NOON, DESK, city.crews[0], status="not_available")
    actions.take_out_of_service(city.world, NOON, DESK, city.crews[1], reason="mogok")
    assert moved(city.look()) == [city.crews[2]]
    assert (city.post(0), city.post(1)) == (None, None)


def test_a_crew_that_goes_off_duty_has_no_post_any_more() -> None:
    """Back on duty it stands where it stands, and may be placed anew."""
    city = City(tuned(move_up="automatic", moves_per_crew_h=0.0), WEST, WEST)
    city.look()
    actions.set_crew_status(city.world, city.now, DESK, city.crews[0], status="not_available")
    assert city.post(0) is None
    city.look(600)
    actions.set_crew_status(city.world, city.now, DESK, city.crews[0], status="available")
    assert moved(city.look(10)) == [city.crews[0]]


def test_an_ordered_crew_counts_where_it_was_sent() -> None:
    city = City(tuned(move_up="suggest"), WEST, WEST)
    post = actions.Post(*EAST)
    actions.order_move_up(city.world, city.now, DESK, city.crews[0], post=post)
    assert city.look() == []
    cover = dispatcher.cover_of(city.world, city.now, terrain())
    assert sorted(crew.zone for crew in cover.placed) == [0, 2]
