"""A city learns how long its crews really drive, and says so wherever it decides."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import update

from dispatch import actions
from dispatch.core.crews import Fix
from dispatch.core.events import Actor
from dispatch.storage import journal, tables
from dispatch.system.eta_keeping import EtaKeeper
from geo.point import Point
from geo.sql import reading, writing
from geo.trips import BANDS, band_of
from tests.maps import metres
from tests.unit.test_system_closures import EAST, WEST, Desk


def times(town: Desk) -> float:
    """So many times what the roads say do these robots take now."""
    box = town.system.city("kota").box
    band = BANDS[band_of(town.now, (box.west + box.east) / 2)]
    return {"morning": 2.6, "afternoon": 2.6, "night": 1.2}.get(band, 1.6)


class Town(Desk):
    """A served town whose robots drive slower than its map says."""

    def __init__(self, folder: Path) -> None:
        self.chance = random.Random(7)
        super().__init__(folder)

    def drive(
        self, crew: UUID, service: str, to: Point, *, start: Point, evidence: str = "geofence"
    ) -> UUID:
        """The crew is sent there, leaves after 90 s, drives, arrives and clears."""
        here = Fix(crew, start.lon, start.lat, self.now, self.now)
        assert self.system.take_fixes("kota", crew, [here]) == []
        self.system.flush_positions()
        incident = self.incident(service, to)
        job = self.send(incident, crew)
        who = Actor("crew", str(crew))
        self.do(actions.acknowledge, job, actor=who)
        self.now += timedelta(seconds=90)
        self.do(actions.en_route, job, actor=who)
        with self.system.looking("kota") as world:
            city = self.system.city("kota")
            vehicle = city.policy.vehicle_of(world.crew(crew).vehicle)
        assert vehicle is None or vehicle.kind == "truck"
        way = city.roads.route(start, to)
        assert way is not None
        took_s = way.duration_s * times(self) * self.chance.lognormvariate(0.0, 0.2)
        self.now += timedelta(seconds=took_s)
        self.do(actions.on_scene, job, actor=who, source="geofence", evidence=evidence)
        self.do(actions.clear, job, actor=who, disposition_code="05", note="beres")
        return job


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    running = Town(tmp_path)
    yield running
    running.system.stop()


def drives(town: Town, count: int) -> UUID:
    crew = town.crew(f"Barat {town.now:%d %H:%M}", WEST)
    for i in range(count):
        there = metres(200 + 37.0 * (i % 20), 0)
        town.drive(crew, "pothole", there, start=EAST if i % 2 else WEST)
        town.now += timedelta(minutes=20)
    return crew


def test_after_enough_drives_the_eta_changes_and_the_decision_names_what_it_comes_from(
    town: Town,
) -> None:
    keeper = EtaKeeper(town.system, leads=lambda _: True)
    base = town.system.city("kota").roads.route(WEST, EAST)
    for _ in range(10):
        drives(town, 9)
        keeper.turn()
    after = town.system.route("kota", WEST, EAST)
    assert base is not None
    assert after is not None
    assert after.duration_s == pytest.approx(base.duration_s * times(town), rel=0.25)
    live = town.system.etas("kota").live(town.now)
    assert live.calibration.number >= 1
    assert live.calibration.stage == 1
    assert live.calibration.turnouts["truck"] > 70  # not the policy's 60
    town.crew("Segar", WEST)
    waiting = town.incident("pothole", EAST)
    town.turn()
    with town.system.looking("kota") as world:
        proposal = world.incident(waiting).recommendation
    assert proposal is not None
    with reading(town.system.engine) as connection:
        [made] = [
            entry.event
            for entry in journal.of_things(connection, "kota", [waiting])
            if entry.event.type == "RecommendationMade"
        ]
    assert made.because is not None
    assert made.because["calibration"] == live.version
    assert str(live.version).startswith(f"eta-{live.calibration.number}")
    # a range: the promise is reckoned with the learned spread, not with the policy's
    assert proposal["p90_ete_s"] > proposal["ete_s"] > after.duration_s
    # it survives a restart
    town.restart()
    again = town.system.etas("kota").live(town.now)
    assert again.calibration.number == live.calibration.number
    assert again.version == live.version


def test_button_presses_and_far_away_starts_teach_nothing(town: Town) -> None:
    crew = town.crew("Barat", WEST)
    etas = town.system.etas("kota")
    town.drive(crew, "pothole", EAST, start=WEST, evidence="button")
    assert etas.gather(town.now) == 0
    town.now += timedelta(hours=1)
    seen = town.drive(crew, "pothole", EAST, start=WEST)
    assert etas.gather(town.now) == 1
    assert etas.gather(town.now) == 0
    with writing(town.system.engine) as connection:
        # as if the phone had been off when it left
        connection.execute(tables.fix.delete())
        connection.execute(tables.trip.delete().where(tables.trip.c.assignment_id == seen))
    assert etas.gather(town.now) == 0


def test_a_worse_fit_is_kept_aside(town: Town) -> None:
    etas = town.system.etas("kota")
    for _ in range(10):
        drives(town, 9)
        etas.gather(town.now)
    first = etas.learn(town.now)
    assert first is not None
    assert first.better
    assert etas.learn(town.now) is None  # no reason to
    _spoil_all_but_the_newest(town, keep=15)
    worse = etas.learn(town.now, anyway=True)
    assert worse is not None
    assert not worse.better
    assert etas.refresh(town.now).calibration.number == first.learned.number


def _spoil_all_but_the_newest(town: Town, *, keep: int) -> None:
    """As if a clock had gone wrong: all but the newest drives took three times as long."""
    trip = tables.trip.c
    with writing(town.system.engine) as connection:
        rows = connection.execute(tables.trip.select().order_by(trip.arrived_at)).all()
        for row in rows[:-keep]:
            took: timedelta = row.arrived_at - row.enroute_at
            start: datetime = row.arrived_at - took * 2
            connection.execute(
                update(tables.trip)
                .where(trip.assignment_id == row.assignment_id)
                .values(enroute_at=start)
            )


def test_the_live_numbers_change_under_readers_without_making_them_wait(town: Town) -> None:
    etas = town.system.etas("kota")
    early = etas.live(town.now)
    assert early.version == "eta-0"
    crew = drives(town, 3)
    assert crew is not None
    etas.gather(town.now)
    assert etas.live(town.now) is early
    etas.refresh(town.now)
    assert etas.live(town.now).version == "eta-0+3"
