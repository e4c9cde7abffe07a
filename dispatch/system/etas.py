"""A city's times of arrival: what the roads say, as its crews' own trips have taught to read it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from dispatch.core.policy import Vehicle
from dispatch.core.road_times import RoadTimes
from dispatch.dispatcher import Question
from dispatch.storage import trips as stored
from dispatch.storage.trips import Learned, Trip
from dispatch.system.cities import City
from dispatch.system.driving import road_seconds, roads_of, seconds_between
from dispatch.system.trip_making import trip_of
from geo import speeds
from geo.foretelling import Live, replay
from geo.network import RoadNetwork, Route
from geo.point import Point
from geo.refit import Verdict, refit
from geo.roadmix import UsualMix, mixes
from geo.spread import Outlook
from geo.sql import reading, writing
from geo.trips import band_of

logger = logging.getLogger("sigap.etas")

Floats = NDArray[np.float64]

NEAREST = 6
"""So many crews per incident are asked by the roads they would drive; others by the usual mix."""
MOST_NEW = 120
KEPT_MIXES = 20_000
LOOK_BACK = timedelta(days=2)
FOLLOWED = 1_000
REFIT_EVERY = timedelta(days=1)
REFIT_TRIPS, REFIT_SHARE = 20, 0.1


class Etas:
    """Reads without waiting: what is in use is one reference, replaced whole. Thread safe."""

    def __init__(self, city: Callable[[], City], engine: Engine) -> None:
        """`city` gives the city as it is served now."""
        self._served, self._engine = city, engine
        self._calibration = self._cold
        self._live: Live | None = None
        self._usual: tuple[RoadNetwork, UsualMix] | None = None
        self._mixes: dict[tuple[str, Point, Point], Floats] = {}
        self._mixes_of = ""
        self._hopeless: set[UUID] = set()
        self._lock = threading.Lock()

    # --- what is foretold ------------------------------------------------------

    def live(self, now: datetime) -> Live:
        """What holds now; read from the database at the first question."""
        return self._live or self.refresh(now)

    def outlook(self, kinds: Mapping[UUID, str], now: datetime) -> Outlook:
        """How sure times of arrival are; `kinds` says what each crew drives."""
        return self.live(now).outlook(kinds)

    def road_times(self, asked: Question, now: datetime) -> RoadTimes:
        """Seconds each crew is expected to drive to each incident, and how surely."""
        raw = road_seconds(self._city, asked)
        outlook = self.outlook(asked.kinds, now)
        if not raw:
            return RoadTimes([], [], np.zeros((0, 0)), outlook=outlook)
        crew_ids = [crew_id for crew_id, _, _ in asked.crews]
        incident_ids = [incident_id for incident_id, _, _ in asked.incidents]
        base_s = raw.table(crew_ids, incident_ids).T
        rate = self._rates(base_s, asked, now)
        seconds = self.live(now).median_s(base_s, rate)
        return RoadTimes(crew_ids, incident_ids, seconds, barred=raw.barred, outlook=outlook)

    def between(
        self, vehicle: Vehicle | None, here: Sequence[Point], there: Sequence[Point], now: datetime
    ) -> Floats:
        """Seconds a vehicle is expected to drive, shape (here, there); infinite without a road.

        From a place to itself it takes no time.
        """
        base_s = seconds_between(self._city, vehicle, here, there)
        seconds = self.live(now).median_s(base_s, self._usual_rate(base_s, now))
        return np.where(base_s <= 0.0, 0.0, seconds)

    def route(self, found: Route, now: datetime) -> Route:
        """The route with the time it is expected to take."""
        base_s = np.array([found.duration_s])
        times = float(self.between_s(base_s, now)[0]) / max(found.duration_s, 1e-9)
        return slower(found, times)

    def between_s(self, base_s: Floats, now: datetime) -> Floats:
        """What is expected of drives that the roads say take so long, by the usual mix."""
        return self.live(now).median_s(base_s, self._usual_rate(base_s, now))

    def slow(self, now: datetime) -> Floats:
        """How much slower than the roads say a usual drive is, by hour of the day UTC, (24,)."""
        base_s = np.array([600.0])
        start = now.replace(minute=0, second=0, microsecond=0)
        live = self.live(now)
        found = np.ones(24)
        for ahead in range(24):
            at = start + timedelta(hours=ahead)
            factors = live.factors(self._band(at))
            rate = self._usual_mix().at(base_s) @ factors
            found[at.hour] = float(live.median_s(base_s, rate)[0] / base_s[0])
        return found

    def _rates(self, base_s: Floats, asked: Question, now: datetime) -> Floats:
        """How many times longer each drive takes; by its own roads where that matters."""
        rate = self._usual_rate(base_s, now)
        wanted = self._looked_at(base_s, asked)
        if not wanted:
            return rate
        factors = self.live(now).factors(self._band(now))
        for (j, i), share in self._known_mixes(wanted, asked).items():
            rate[j, i] = float(share @ factors)
        return rate

    def _looked_at(self, base_s: Floats, asked: Question) -> list[tuple[int, int]]:
        """(crew, incident) positions: whom people are told of, then the nearest of each."""
        row = {crew_id: j for j, (crew_id, _, _) in enumerate(asked.crews)}
        column = {incident_id: i for i, (incident_id, _, _) in enumerate(asked.incidents)}
        sent = [
            (row[crew_id], column[incident_id])
            for crew_id, incident_id in sorted(asked.sent)
            if crew_id in row and incident_id in column
        ]
        near = np.argsort(base_s, axis=0, kind="stable")[:NEAREST]
        found = [*sent, *((int(j), i) for ranks in near for i, j in enumerate(ranks))]
        return [pair for pair in dict.fromkeys(found) if np.isfinite(base_s[pair])]

    def _known_mixes(
        self, wanted: Sequence[tuple[int, int]], asked: Question
    ) -> dict[tuple[int, int], Floats]:
        """The mixes of these drives: remembered, or asked now, MOST_NEW at a time."""
        version = self._city.roads.version
        with self._lock:
            if self._mixes_of != version or len(self._mixes) > KEPT_MIXES:
                self._mixes, self._mixes_of = {}, version
            mine = self._mixes
        keys = {}
        for j, i in wanted:
            crew_id, *here = asked.crews[j]
            _, *there = asked.incidents[i]
            vehicle = asked.vehicles.get(crew_id)
            keys[j, i] = (vehicle.kind if vehicle else "", Point(*here), Point(*there))
        fresh: dict[str, list[tuple[str, Point, Point]]] = {}
        unknown = [key for key in keys.values() if key not in mine]
        for key in unknown[:MOST_NEW]:
            fresh.setdefault(key[0], []).append(key)
        kinds = {vehicle.kind: vehicle for vehicle in asked.vehicles.values()}
        for kind, some in fresh.items():
            roads = roads_of(self._city, kinds.get(kind))
            shares = mixes(roads, [(a, b) for _, a, b in some])
            mine.update(zip(some, shares, strict=True))
        return {pair: mine[key] for pair, key in keys.items() if key in mine}

    def _usual_rate(self, base_s: Floats, now: datetime) -> Floats:
        factors = self.live(now).factors(self._band(now))
        rates = self._usual_mix().shares @ factors
        found: Floats = rates[UsualMix.step(np.nan_to_num(base_s, posinf=1e9))]
        return found

    def _usual_mix(self) -> UsualMix:
        roads = self._city.roads
        if self._usual is None or self._usual[0] is not roads:
            # twice at once does no harm: the same roads give the same mix
            self._usual = roads, UsualMix.of(roads)
        return self._usual[1]

    @property
    def _city(self) -> City:
        return self._served()

    @property
    def _cold(self) -> speeds.Calibration:
        m = self._city.policy.matching
        return speeds.cold(turnout_s=m.turnout_s, sigma=m.sigma)

    @property
    def _lon(self) -> float:
        return (self._city.box.west + self._city.box.east) / 2

    def _band(self, now: datetime) -> int:
        return band_of(now, self._lon)

    # --- what is learned -------------------------------------------------------

    def refresh(self, now: datetime) -> Live:
        """Take what is in use from the database, with the trips since it was learned."""
        with reading(self._engine) as connection:
            number = stored.number_in_use(connection, self._city.id)
            if number != self._calibration.number:
                self._calibration = self._read(stored.in_use(connection, self._city.id))
            used = self._calibration if number else self._cold
            since = datetime.fromtimestamp(used.until, tz=now.tzinfo) if used.until else None
            trips = stored.read(
                connection, self._city.id, lon=self._lon, since=since, newest=FOLLOWED
            )
        live, _ = replay(used, trips.believable(), now.timestamp())
        self.use(live)
        return live

    def use(self, live: Live) -> None:
        """Foretell by this from now on; whoever asks meanwhile is not kept waiting."""
        self._live = live

    def _read(self, learned: Learned | None) -> speeds.Calibration:
        if learned is None:
            return self._cold
        try:
            return speeds.read(learned.document)
        except ValueError:
            logger.exception("calibration %s of %s cannot be read", learned.number, self._city.id)
            return self._cold

    def gather(self, now: datetime) -> int:
        """Make trips of the arrivals that are none yet; returns how many."""
        with reading(self._engine) as connection:
            rows = stored.untold(connection, self._city.id, since=now - LOOK_BACK)
            rows = [row for row in rows if row.id not in self._hopeless]
            found: list[Trip] = []
            for row in rows:
                trip = trip_of(connection, self._city, row)
                if trip is not None:
                    found.append(trip)
                elif now - row.arrived_at > timedelta(hours=1):
                    # positions that a phone kept back would be here by now
                    self._hopeless.add(row.id)
        if found:
            with writing(self._engine) as connection:
                stored.write(connection, self._city.id, found)
        return len(found)

    def learn(self, now: datetime, *, anyway: bool = False) -> Verdict | None:
        """Learn anew when a day or enough trips have passed; None when there was no reason.

        A fit that is not better on the trips held back is kept with its score, and not used.
        """
        with reading(self._engine) as connection:
            last = stored.last_tried(connection, self._city.id)
            known = stored.count(connection, self._city.id)
            if not (anyway or _due(last, known, now)):
                return None
            trips = stored.read(connection, self._city.id, lon=self._lon)
            incumbent = self._read(stored.in_use(connection, self._city.id))
        number = (last.number if last else 0) + 1
        cold = self._cold
        verdict = refit(trips, incumbent=incumbent, cold=cold, number=number)
        if verdict is None:
            return None
        learned = Learned(
            number,
            now,
            known,
            verdict.better,
            verdict.score,
            verdict.score_before,
            speeds.document(verdict.learned),
        )
        try:
            with writing(self._engine) as connection:
                stored.keep(connection, self._city.id, learned)
        except IntegrityError:
            # another process learned at the same time; its fit is as good
            logger.info("calibration %s of %s was made elsewhere", number, self._city.id)
            return None
        logger.info(
            "calibration %s of %s from %s trips: %s (%.4f, before %.4f)",
            number,
            self._city.id,
            known,
            "used" if verdict.better else "not better",
            verdict.score,
            verdict.score_before,
        )
        return verdict


def slower(route: Route, times: float) -> Route:
    """The route with every duration so many times as long."""
    steps = tuple(replace(step, duration_s=step.duration_s * times) for step in route.steps)
    return replace(route, duration_s=route.duration_s * times, steps=steps)


def _due(last: Learned | None, known: int, now: datetime) -> bool:
    """Whether enough came in since the last fit."""
    if known < speeds.HOUR_TRIPS:
        return False
    if last is None:
        return True
    fresh = known - last.trips
    enough = fresh >= max(REFIT_TRIPS, REFIT_SHARE * last.trips)
    return enough or (fresh > 0 and now - last.made_at >= REFIT_EVERY)
