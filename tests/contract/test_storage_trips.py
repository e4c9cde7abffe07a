"""Trips and what was learned from them, on both databases."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from dispatch import actions
from dispatch.core.events import Actor
from dispatch.storage import trips
from dispatch.storage.retention import Kept, forget
from dispatch.storage.trips import Learned, Trip
from geo import speeds
from geo.sql import reading, writing
from geo.trips import GROUPS
from tests.contract.test_world_contract import DISPATCHER, crew_of, incident_of, later
from tests.contract.worlds import NOON, Stored

LON = 111.5


def arrived(
    stored: Stored, *, evidence: str, source: str = "button", after_s: float = 600.0
) -> UUID:
    """A crew asked at noon, rolling a minute later, there `after_s` after that."""
    with stored.step() as world:
        crew, incident = crew_of(world), incident_of(world)
        job = actions.send_crew(world, NOON, DISPATCHER, incident.id, crew_id=crew.id).id
        who = Actor("crew", str(crew.id))
        actions.acknowledge(world, later(30), who, job)
        actions.en_route(world, later(60), who, job, source=source)
        actions.on_scene(world, later(60 + after_s), who, job, source="geofence", evidence=evidence)
    return job


def untold(stored: Stored) -> list[UUID]:
    with reading(stored.engine) as connection:
        return [row.id for row in trips.untold(connection, stored.city_id, since=NOON)]


def trip(job: UUID, *, after_s: float = 600.0, vehicle: str = "truck") -> Trip:
    times = (NOON, later(60), later(60 + after_s))
    return Trip(job, vehicle, *times, 4_200.0, {"primary": 300.0, "local": 120.5}, "v1+2")


def keep(stored: Stored, *found: Trip) -> None:
    with writing(stored.engine) as connection:
        trips.write(connection, stored.city_id, found)


def test_only_arrivals_that_somebody_can_vouch_for_become_trips(stored: Stored) -> None:
    seen = arrived(stored, evidence="geofence")
    pressed = arrived(stored, evidence="button")
    arrived(stored, evidence="geofence", source="dispatcher")
    assert untold(stored) == [seen]
    with stored.step() as world:
        actions.grade_evidence(world, later(900), DISPATCHER, pressed, evidence="photo")
    assert set(untold(stored)) == {seen, pressed}
    keep(stored, trip(seen))
    assert untold(stored) == [pressed]
    assert untold(Stored(stored.engine)) == []


def test_trips_come_back_in_the_order_in_which_they_ended(stored: Stored) -> None:
    slow, fast = (arrived(stored, evidence="geofence", after_s=s) for s in (900.0, 400.0))
    keep(stored, trip(slow, after_s=900.0), trip(fast, after_s=400.0))
    keep(stored, trip(fast, after_s=400.0))  # twice is once
    with reading(stored.engine) as connection:
        found = trips.read(connection, stored.city_id, lon=LON)
        late = trips.read(connection, stored.city_id, lon=LON, since=later(500))
        newest = trips.read(connection, stored.city_id, lon=LON, newest=1)
        none = trips.read(connection, "elsewhere", lon=LON)
        counts = [
            trips.count(connection, stored.city_id),
            trips.count(connection, stored.city_id, since=later(500)),
        ]
    assert found.actual_s.tolist() == [400.0, 900.0]
    assert found.turnout_s.tolist() == [60.0, 60.0]
    assert found.drive_s[0].tolist() == [
        {"primary": 300.0, "local": 120.5}.get(group, 0.0) for group in GROUPS
    ]
    assert found.band.tolist() == [4, 4]  # noon UTC is 19:00 there
    assert late.actual_s.tolist() == newest.actual_s.tolist() == [900.0]
    assert len(none) == 0
    assert counts == [2, 1]


def learned(number: int, *, used: bool) -> Learned:
    document = speeds.document(speeds.cold(turnout_s=60.0, sigma=0.3))
    return Learned(number, later(number), 80, used, 0.1, 0.2, document)


def test_the_newest_fit_in_use_is_found_and_refused_ones_do_not_pile_up(stored: Stored) -> None:
    with reading(stored.engine) as connection:
        assert trips.in_use(connection, stored.city_id) is None
        assert trips.number_in_use(connection, stored.city_id) == 0
    for number in range(1, 40):
        with writing(stored.engine) as connection:
            trips.keep(connection, stored.city_id, learned(number, used=number in (2, 5)))
    with reading(stored.engine) as connection:
        used = trips.in_use(connection, stored.city_id)
        last = trips.last_tried(connection, stored.city_id)
        assert trips.number_in_use(connection, stored.city_id) == 5
    assert used == learned(5, used=True)
    assert last == learned(39, used=False)
    assert speeds.read(used.document).stage == 0
    with pytest.raises(IntegrityError), writing(stored.engine) as connection:
        trips.keep(connection, stored.city_id, learned(5, used=True))


def test_old_trips_are_forgotten(stored: Stored) -> None:
    keep(stored, trip(arrived(stored, evidence="geofence")))
    with writing(stored.engine) as connection:
        kept = Kept(trips=timedelta(days=1))
        early = forget(connection, stored.city_id, later(3_600), kept=kept)
        gone = forget(connection, stored.city_id, later(90_000), kept=kept)
    assert (early["trip"], gone["trip"]) == (0, 1)
