"""Where ports meet adapters: one step is one transaction, and this is the only commit.

Longer than other files on purpose: it is the whole face of the house, a door of few lines to each
room, and nothing in it decides.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from dispatch import dispatcher
from dispatch.actions import Estimate
from dispatch.blobs import Blobs
from dispatch.core.coverage import Terrain
from dispatch.core.crews import Fix
from dispatch.core.errors import NotFound
from dispatch.core.events import Actor, Stretch
from dispatch.core.log import Entry, wire_view
from dispatch.core.policy import Policy
from dispatch.core.world import Timer, World
from dispatch.dispatcher import Blockage, Question, Rest, Watch
from dispatch.relay import Relay, hub_name
from dispatch.storage import answers, fixes, journal, timers, views
from dispatch.storage.answers import Request as Step
from dispatch.storage.roster import AtHand
from dispatch.storage.store import StoredWorld
from dispatch.system import telemetry
from dispatch.system.cities import City
from dispatch.system.clock import Clock
from dispatch.system.closing import RoadKeeper
from dispatch.system.cover import cover_view
from dispatch.system.devices import Devices
from dispatch.system.driving import roads_of
from dispatch.system.eta_keeping import EtaKeeper
from dispatch.system.etas import Etas
from dispatch.system.following import Follower, watches
from dispatch.system.ground import Ground
from dispatch.system.housekeeping import Housekeeper
from dispatch.system.log import StoredLog
from dispatch.system.loop import DispatcherLoop
from dispatch.system.markers import Markers
from dispatch.system.memory import settle_again
from dispatch.system.places import Place, place_of
from dispatch.system.positions import Positions, Taken
from dispatch.system.publishing import Publisher, read_line
from dispatch.system.reach import reach_view
from dispatch.system.refreshing import CityWatch
from dispatch.system.rounds import RoundPlans
from geo.holds import Hold
from geo.network import RoadNetwork, Route
from geo.point import Point
from geo.sql import reading, try_hold, writing
from realtime.bus import ANY_CITY, Bus
from realtime.hub import Counts, Hub
from realtime.nats_bus import NatsBus, Published

logger = logging.getLogger("sigap.system")

T = TypeVar("T")
POSITIONS_S = 1.0
TEND_S = 1.0
UNLED_S, TAIL_S, TAIL_LINES = 30.0, 15.0, 5_000
"""Beyond these a process says that it is not ready."""
RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Done:
    """How a step ended: an HTTP status and a JSON body; `replayed` when it was done before."""

    status: int
    body: dict[str, Any]
    replayed: bool = False


class System:
    """Everything a web floor, a command or a test needs of a running Sigap."""

    def __init__(
        self, engine: Engine, cities: Sequence[City], *, bus: Bus, blobs: Blobs, clock: Clock
    ) -> None:
        self.engine, self.bus, self.blobs, self.clock = engine, bus, blobs, clock
        self.hub = Hub()
        self._told = Counts()
        self._led_at = {city.id: time.monotonic() for city in cities}
        self._cities = {city.id: city for city in cities}
        self._positions = {city.id: self._stored_positions(city.id) for city in cities}
        self._at_hand = {city.id: AtHand(self._positions[city.id].newest) for city in cities}
        self._etas = {city.id: self._etas_of(city.id) for city in cities}
        self._grounds = {city.id: self._ground_of(city) for city in cities}
        self._keepers = {city.id: RoadKeeper(city.roads) for city in cities}
        self._followers = {city.id: self._follower_of(city.id) for city in cities}
        self._devices = {city.id: Devices(engine, city.id, clock) for city in cities}
        self._watch: CityWatch | None = None
        self._swapping = threading.Lock()
        self._holds: dict[str, Hold] = {}
        log = StoredLog(engine, clock, policy=self._policy, newest=self.newest_fixes)
        self._feed = bus if isinstance(bus, NatsBus) else None
        self.relay = Relay(self.hub, log, flows=self._feed.flows if self._feed else _never)
        self._publisher = None
        if self._feed is not None:
            self._publisher = Publisher(
                self._feed, log, sorted(self._cities), lead=self._leads("publisher")
            )
        self._loops = {city.id: DispatcherLoop(city, self) for city in cities}
        self._markers = Markers(
            engine, self._positions, bus, then=self._after_flush, learned=self._learned
        )
        self.rounds = RoundPlans(self, bus)
        self._housekeeper = Housekeeper(engine, sorted(self._cities), clock, policy=self._policy)
        self._eta_keeper = EtaKeeper(self, leads=self._leads("etas"))

    # --- life ----------------------------------------------------------------

    def start(self) -> None:
        """Begin to dispatch: one loop per city, and the writer of positions."""
        for city_id, loop in self._loops.items():
            self.relay.follow(city_id)
            self.follow_roads(city_id, self.offset(city_id))
            loop.start()
        self.bus.watch(self._wake_loop)
        if self._publisher is not None:
            publisher = self._publisher
            self.bus.watch(lambda _: publisher.wake())
            publisher.start()
        self.rounds.start()
        self._markers.start()
        self._housekeeper.start()
        self._eta_keeper.start()
        if self._watch is not None:
            self._watch.start()

    def stop(self) -> None:
        """End the loops after the step at hand, write the last positions, close the database."""
        self.rounds.stop()
        self._housekeeper.stop()
        self._eta_keeper.stop()
        if self._watch is not None:
            self._watch.stop()
        for loop in self._loops.values():
            loop.stop()
        if self._publisher is not None:
            self._publisher.stop()
        self._markers.stop()
        for devices in self._devices.values():
            devices.flush(all_of_it=True)
        for hold in self._holds.values():
            hold.let_go()
        self.bus.close()
        self.engine.dispose()

    async def serve(self) -> None:
        """Tell the sockets of this process what happens, until cancelled."""
        events = asyncio.get_running_loop()
        stops = [self.bus.watch(lambda _: _call_soon(events, self.relay.wake))]
        if self._feed is not None:
            stops += [self._feed.follow(city_id, self._fed(events)) for city_id in self._cities]
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_keep_on(self.relay.run))
                tasks.create_task(_keep_on(self._tell_positions))
                tasks.create_task(_keep_on(self._tend))
        finally:
            for stop in stops:
                stop()
            # nobody measures any more: what the last look saw must not be told for ever
            telemetry.SOCKETS.set(0)
            telemetry.WAITING.set(0)

    def _fed(self, events: asyncio.AbstractEventLoop) -> Callable[[Published], None]:
        def take(sent: Published) -> None:
            line = read_line(sent)
            _call_soon(events, lambda: self.relay.feed(sent.city_id, sent.epoch, line))

        return take

    async def _tend(self) -> None:
        """Heartbeats: who is silent is asked, who stays silent is hung up on."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TEND_S)
            self.hub.tend(loop.time())
            self._measure(loop.time())

    def _measure(self, now: float) -> None:
        """What the operator's metrics say of this process's sockets and tails."""
        told, counts = self._told, replace(self.hub.counts)
        telemetry.SENT.inc(counts.sent - told.sent)
        telemetry.SLOW.inc(counts.overflows - told.overflows)
        telemetry.DEAD.inc(counts.dead - told.dead)
        self._told = counts
        telemetry.SOCKETS.set(len(self.hub.clients))
        telemetry.WAITING.set(self.hub.waiting())
        telemetry.BUS.set(self.bus.reachable())
        for city_id in self._cities:
            telemetry.TAIL_LAG.labels(city_id).set(self.relay.lag(city_id))
            telemetry.TAIL_AGE.labels(city_id).set(self.relay.looked_s_ago(city_id, now))

    async def _tell_positions(self) -> None:
        while True:
            await asyncio.sleep(POSITIONS_S)
            for city_id in self._cities:
                oldest = self._positions[city_id].telling()
                await self.relay.tell_positions(city_id, self.clock())
                if oldest is not None:
                    untold_s = (self.clock() - oldest).total_seconds()
                    telemetry.UNTOLD.labels(city_id).observe(max(0.0, untold_s))

    def _wake_loop(self, city_id: str) -> None:
        for follower in self._followers.values():
            # a city that another process spoke of may be any
            follower.wake()
        for loop in self._loops.values() if city_id == ANY_CITY else self._loops_of(city_id):
            loop.wake()

    def _loops_of(self, city_id: str) -> list[DispatcherLoop]:
        return [self._loops[city_id]] if city_id in self._loops else []

    # --- cities --------------------------------------------------------------

    def city(self, city_id: str) -> City:
        """The city. Raises NotFound."""
        try:
            return self._cities[city_id]
        except KeyError:
            raise NotFound(f"There is no city “{city_id}” here.", kind="city") from None

    def cities(self) -> list[City]:
        """Every city served, by id."""
        return [self._cities[city_id] for city_id in sorted(self._cities)]

    def watch_cities(self, root: Path, reopen: Callable[[str], City]) -> None:
        """From `start` on take newer versions below `root` into service; before `start` only."""
        served = {city.id: city.version for city in self.cities()}
        self._watch = CityWatch(root, served, reopen=reopen, swap=self.swap_city)

    def swap_city(self, city: City) -> None:
        """Serve a newer version of a city: roads, places, areas and basemap, all at once.

        Its roads are closed where the log says so before anybody is sent over them; questions
        that were asked of the old version are answered by it. Numbers of the policy stay.
        """
        newer = replace(city, policy=self._policy(city.id))
        keeper = RoadKeeper(newer.roads)
        with self._swapping:
            self._follow_with(keeper, city.id, self.offset(city.id))
            ground = self._ground_of(newer)
            self._keepers[city.id] = keeper
            self._cities[city.id] = newer
            self._grounds[city.id] = ground
            self._loops[city.id].use(newer)
            self._followers[city.id].use(newer)
        # closures that came in between are told to the new roads too
        self.follow_roads(city.id, self.offset(city.id))
        self._loops[city.id].wake()
        settle_again()

    def replace_policy(self, city_id: str, policy: Policy) -> None:
        """Serve the city by other numbers; before `start` only."""
        city = replace(self.city(city_id), policy=policy)
        self._cities[city_id] = city
        self._etas[city_id] = self._etas_of(city_id)
        self._grounds[city_id] = self._ground_of(city)
        self._followers[city_id] = self._follower_of(city_id)
        self._loops[city_id] = DispatcherLoop(city, self)

    def _etas_of(self, city_id: str) -> Etas:
        return Etas(lambda: self._cities[city_id], self.engine)

    def _ground_of(self, city: City) -> Ground:
        return Ground(city, self.engine, etas=self._etas[city.id])

    def _follower_of(self, city_id: str) -> Follower:
        return Follower(self._cities[city_id], self._positions[city_id], self)

    def _policy(self, city_id: str) -> Policy:
        return self.city(city_id).policy

    # --- steps ---------------------------------------------------------------

    def now(self) -> datetime:
        """What time it is here, UTC."""
        return self.clock()

    def do(
        self,
        city_id: str,
        actor: Actor,
        action: Callable[[World, datetime], T],
        *,
        step: Step | None = None,
        render: Callable[[StoredWorld, T], dict[str, Any]] | None = None,
        status: int = 200,
    ) -> Done:
        """One step: one transaction, the only commit; listeners are told after it.

        With a `step`, its key makes the step happen once: a repetition gets the first answer.
        Raises what the action raises; then nothing was written.
        """
        policy = self._policy(city_id)
        with writing(self.engine) as connection:
            world = StoredWorld(connection, city_id, policy, at_hand=self._at_hand[city_id])
            now = self.clock()
            if step is not None:
                before = answers.find(connection, city_id, str(actor), step)
                if before is not None:
                    return Done(before[0], before[1], replayed=True)
            result = action(world, now)
            body = render(world, result) if render else {}
            world.finish()
            if step is not None:
                answers.keep(
                    connection, city_id, str(actor), step, status=status, body=body, now=now
                )
            grown = bool(world.entries)
            closed = any(entry.event.kind == "closure" for entry in world.entries)
            reached = world.entries[-1].offset if grown else 0
        _count(city_id, world.entries)
        if closed:
            self._close_at_once(city_id, reached)
        if grown:
            self._followers[city_id].wake()
            self.bus.announce(city_id)
        return Done(status, body)

    def _close_at_once(self, city_id: str, reached: int) -> None:
        """Before anybody is told: who asks for a way then gets one around."""
        try:
            self.follow_roads(city_id, reached)
        except (SQLAlchemyError, OSError):
            # The step is done all the same; the loop follows as soon as the database is back.
            logger.exception("the roads of %s will follow", city_id)

    @contextmanager
    def reading(self, city_id: str) -> Iterator[Connection]:
        """A transaction that sees one moment of the city. Raises NotFound."""
        self.city(city_id)
        with reading(self.engine) as connection:
            yield connection

    @contextmanager
    def looking(self, city_id: str) -> Iterator[StoredWorld]:
        """The city's World, to look at; what is recorded in it is lost. Raises NotFound."""
        with self.reading(city_id) as connection:
            policy, at_hand = self._policy(city_id), self._at_hand[city_id]
            yield StoredWorld(connection, city_id, policy, locked=False, at_hand=at_hand)

    # --- what the dispatcher loop needs --------------------------------------

    def lead(self, city_id: str) -> bool:
        """Whether this process dispatches for the city; tries to if nobody else does."""
        leads = self._leads("dispatcher")(city_id)
        # whoever it is: somebody dispatches now
        self._led_at[city_id] = time.monotonic()
        telemetry.DISPATCHES.labels(city_id).set(leads)
        return leads

    def troubles(self) -> dict[str, str]:
        """What keeps this process from its work, by what it is; empty when nothing does.

        The database is asked elsewhere. A bus that is away slows things down and stops nothing:
        it is not named here.
        """
        found, now = {}, time.monotonic()
        for city_id, loop in self._loops.items():
            if not loop.alive:
                found[f"dispatcher {city_id}"] = "its loop ended"
            elif now - self._led_at[city_id] > UNLED_S:
                found[f"dispatcher {city_id}"] = f"nobody dispatches since {UNLED_S:g} s"
            if self.relay.looked_s_ago(city_id, now) > TAIL_S:
                found[f"tail {city_id}"] = f"the log was not looked at for {TAIL_S:g} s"
            elif self.relay.lag(city_id) > TAIL_LINES:
                found[f"tail {city_id}"] = f"{self.relay.lag(city_id)} events wait to be told"
        return found

    def _leads(self, role: str) -> Callable[[str], bool]:
        def leads(city_id: str) -> bool:
            name = f"{role}/{city_id}"
            hold = self._holds.get(name)
            if hold is not None and hold.holds():
                return True
            if hold is not None:
                logger.warning("another process may be the %s now", name)
                self._holds.pop(name)
                hold.let_go()
            found = try_hold(self.engine, name)
            if found is None:
                return False
            logger.info("this process is the %s now", name)
            self._holds[name] = found
            return True

        return leads

    def head(self, city_id: str) -> tuple[str, int]:
        """The epoch and the newest offset of the city's log."""
        with reading(self.engine) as connection:
            return journal.head(connection, city_id)

    def offset(self, city_id: str) -> int:
        """The newest offset of the city's log."""
        return self.head(city_id)[1]

    def follow_roads(self, city_id: str, offset: int) -> None:
        """Close and open the roads of this process as the log says at this offset."""
        self._follow_with(self._keepers[city_id], city_id, offset)

    def _follow_with(self, keeper: RoadKeeper, city_id: str, offset: int) -> None:
        if offset <= keeper.seen:
            return
        with self.looking(city_id) as world:
            tells = journal.tells_of(world.connection, city_id, "closure", after=keeper.seen)
            active = world.active_closures if tells else None
            if keeper.follow(offset, active):
                logger.info("the roads of %s changed: %s", city_id, keeper.version)

    def blockages(self, city_id: str) -> Sequence[Blockage]:
        """The incidents that close their road and have not yet."""
        with self.looking(city_id) as world:
            return dispatcher.blockages(world, self.clock())

    def running_rounds(self, city_id: str) -> Sequence[Rest]:
        """The rounds on their way, each with what is left of it."""
        with self.looking(city_id) as world:
            return dispatcher.running_rounds(world, self.clock())

    def claim_due(self, city_id: str, limit: int) -> list[Timer]:
        """Claim timers that are due; looks before it locks."""
        with reading(self.engine) as connection:
            first = timers.next_due(connection, city_id)
        late_s = 0.0 if first is None else (self.clock() - first).total_seconds()
        telemetry.TIMERS_LATE.labels(city_id).set(max(0.0, late_s))
        if first is None or late_s < 0:
            return []
        with writing(self.engine) as connection:
            return timers.claim_due(connection, city_id, now=self.clock(), limit=limit)

    def run_timer(self, city_id: str, timer: Timer) -> None:
        """Do what a timer asked for and forget it, in one step."""

        def act(world: World, now: datetime) -> None:
            timers.finish(cast(StoredWorld, world).connection, city_id, timer)
            dispatcher.run_timer(world, now, timer)

        self.step(city_id, act)

    def timer_done(self, city_id: str, timer: Timer) -> None:
        """Forget a timer that ran."""
        with writing(self.engine) as connection:
            timers.finish(connection, city_id, timer)

    def ask(self, city_id: str, read: Callable[[World, datetime], T]) -> T:
        """Let a rule look at the city and say what the roads should be asked."""
        with self.looking(city_id) as world:
            return read(world, self.clock())

    def step(self, city_id: str, act: Callable[[World, datetime], object]) -> None:
        """A step of the dispatcher's own."""
        self.do(city_id, Actor("system"), act)

    # --- places and roads ----------------------------------------------------

    def place_of(
        self,
        city_id: str,
        *,
        lon: float | None,
        lat: float | None,
        accuracy_m: float | None = None,
        typed: str | None = None,
    ) -> Place:
        """What a reporter gave, as a place; see `dispatch.system.places.place_of`."""
        return place_of(self.city(city_id), lon=lon, lat=lat, accuracy_m=accuracy_m, typed=typed)

    def route(
        self, city_id: str, a: Point, b: Point, *, crew_id: UUID | None = None
    ) -> Route | None:
        """The fastest way by road, for this crew's vehicle; None when there is none."""
        found = self._roads_for(city_id, crew_id).route(a, b)
        return None if found is None else self._etas[city_id].route(found, self.clock())

    def reach(
        self, city_id: str, start: Point, minutes: Sequence[float], *, crew_id: UUID | None = None
    ) -> dict[str, Any]:
        """Where this crew's vehicle is expected to come in so many minutes; raises NotFound."""
        roads, now = self._roads_for(city_id, crew_id), self.clock()
        slow = float(self._etas[city_id].slow(now)[now.hour])
        return reach_view(roads, start, minutes, slow=slow)

    def _roads_for(self, city_id: str, crew_id: UUID | None) -> RoadNetwork:
        """The roads that this crew's vehicle can use; all of them without a crew."""
        city, vehicle = self.city(city_id), None
        if crew_id is not None:
            with self.looking(city_id) as world:
                vehicle = city.policy.vehicle_of(world.crew(crew_id).vehicle)
        return roads_of(city, vehicle)

    def etas(self, city_id: str) -> Etas:
        """What the city's times of arrival are told by. Raises NotFound."""
        self.city(city_id)
        return self._etas[city_id]

    def stretches_along(
        self, city_id: str, line: Sequence[Point], *, within_m: float
    ) -> tuple[Stretch, ...]:
        """The pieces of road along a drawn line or at a single point, each once."""
        found = self.city(city_id).roads.segments_along(line, within_m=within_m)
        pieces = dispatcher.stretches_of(found)
        return tuple({frozenset((each.u, each.v)): each for each in pieces}.values())

    def proposal(self, city_id: str, incident_id: UUID) -> dict[str, Any]:
        """The recommendation for one incident with road times of this moment."""
        with self.looking(city_id) as world:
            now = self.clock()
            incident = world.incident(incident_id)
            asked = dispatcher.question(world, now)
            here = (incident.id, incident.lon, incident.lat)
            seconds = self.etas(city_id).road_times(replace(asked, incidents=(here,)), now)
            terrain = self.terrain(city_id)
            found = dispatcher.plan_for(world, now, incident, seconds, terrain=terrain)
        return {
            "recommendation": found.view(now),
            "candidates": [dict(candidate) for candidate in found.candidates],
        }

    def terrain(self, city_id: str) -> Terrain | None:
        """What is known of the city's roads and demand, None without a map of roads."""
        return self._grounds[city_id].terrain(self.clock())

    def coverage(
        self,
        city_id: str,
        *,
        skill: str | None = None,
        minus: Sequence[UUID] = (),
        plus: Sequence[tuple[float, float]] = (),
    ) -> dict[str, Any]:
        """Where free crews reach in time now; see `dispatch.system.cover.cover_view`."""
        terrain = self.terrain(city_id)
        if terrain is None:
            raise NotFound("This city has no map of roads to measure its coverage on.")
        zones = self._grounds[city_id].zones
        with self.looking(city_id) as world:
            return cover_view(
                world,
                self.clock(),
                terrain,
                zones,
                skill=skill,
                minus=minus,
                plus=plus,
                offered=self.etas(city_id).outlook({}, self.clock()).offered,
            )

    def estimate(self, city_id: str, incident_id: UUID, crew_id: UUID) -> Estimate | None:
        """How long this crew would need, None when its position or a way is unknown."""
        city = self.city(city_id)
        with self.looking(city_id) as world:
            incident, fix = world.incident(incident_id), self._positions[city_id].of(crew_id)
            if fix is None:
                return None
            crews, now = [world.crew(crew_id)], self.clock()
            asked = Question(
                ((crew_id, *fix.here),),
                ((incident.id, incident.lon, incident.lat),),
                dispatcher.vehicles_of(crews, policy=city.policy),
                kinds=dispatcher.kinds_of(crews, policy=city.policy),
            )
            times = self.etas(city_id).road_times(asked, now)
            seconds, outlook = times[crew_id, incident.id], times.outlook
            if outlook is None or not math.isfinite(seconds):
                return None
            return dispatcher.estimate_of(
                seconds, incident, crew_id=crew_id, outlook=outlook, now=now
            )

    def similar(self, city_id: str, report_id: UUID) -> dict[str, Any]:
        """Reports and active incidents that may speak of the same thing, most alike first."""
        with self.looking(city_id) as world:
            report = world.report(report_id)
            alike = dispatcher.similar_reports(world, report)
            found = [
                {
                    **wire_view(world.report(neighbour.id)),
                    "description": neighbour.description,
                    "distance_m": round(neighbour.distance_m, 1),
                    "score": score,
                }
                for neighbour, score in alike
            ]
            near = dispatcher.near_incidents(world, report)
            return {
                "reports": found,
                "incidents": [
                    {**wire_view(incident), "distance_m": round(metres, 1), "score": score}
                    for incident, metres, score in near
                ],
            }

    # --- positions -----------------------------------------------------------

    def take_fixes(
        self, city_id: str, crew_id: UUID, found: Sequence[Fix]
    ) -> list[tuple[int, str]]:
        """Take in one crew's positions; returns the refused ones as (index, reason)."""
        assert all(fix.crew_id == crew_id for fix in found)
        return self.take_many(city_id, found).refused

    def take_many(self, city_id: str, found: Sequence[Fix]) -> Taken:
        """Take in positions, of many crews at once if need be; what became of each.

        A fix that shows a crew under way or on scene moves its assignment.
        """
        taken = self._positions[city_id].take(self.city(city_id), found)
        for word, count in Counter(taken.said).items():
            telemetry.FIXES.labels(city_id, word or "taken").inc(count)
        self._followers[city_id].follow(taken.moved)
        return taken

    def watches(self, city_id: str) -> list[Watch]:
        """The crews that are to come somewhere."""
        with self.reading(city_id) as connection:
            return watches(connection, city_id)

    def devices(self, city_id: str) -> Devices:
        """The trackers of the city. Raises NotFound."""
        self.city(city_id)
        return self._devices[city_id]

    def newest_fix(self, city_id: str, crew_id: UUID) -> Fix | None:
        """The newest position of a crew."""
        return self._positions[city_id].of(crew_id)

    def newest_fixes(self, city_id: str) -> list[Fix]:
        """The newest position of each crew."""
        return list(self._positions[city_id].newest().values())

    def _stored_positions(self, city_id: str) -> Positions:
        with reading(self.engine) as connection:
            return Positions(fixes.newest(connection, city_id))

    def flush_positions(self) -> None:
        """Write what came in since the last time, in one batch per city."""
        self._markers.flush()

    def _learned(self, city_id: str, found: Sequence[Fix]) -> None:
        """Fixes that other processes took in show here too whether a crew is there.

        The next fix of the same phone may come to this process: it must know how long the crew
        has been there. If both see an arrival, the second step finds it done.
        """
        try:
            self._followers[city_id].follow(found)
        except (SQLAlchemyError, OSError):
            logger.exception("positions of %s are followed again with the next ones", city_id)

    def _after_flush(self) -> None:
        """Once a second: what devices sent, and who was given work where it stands already."""
        for city_id, follower in self._followers.items():
            self._devices[city_id].flush()
            try:
                follower.attend()
            except (SQLAlchemyError, OSError):
                logger.exception("who is to come in %s is looked up again", city_id)

    # --- small questions of the web floor ------------------------------------

    @staticmethod
    def hub_name(city_id: str, channel: str) -> str:
        """The hub's name of a channel."""
        return hub_name(city_id, channel)

    def has_crew(self, city_id: str, crew_id: UUID) -> bool:
        """Whether the city has this crew."""
        with suppress(NotFound), self.looking(city_id) as world:
            world.crew(crew_id)
            return True
        return False

    def has_ticket(self, city_id: str, ticket: str) -> bool:
        """Whether the city has a report with this ticket."""
        with self.reading(city_id) as connection:
            return views.find_report(connection, city_id, ticket) is not None

    def report_of(self, city_id: str, ticket: str, token: str) -> UUID | None:
        """The report this private link opens, None for a wrong ticket or token alike."""
        with self.looking(city_id) as world:
            report_id = views.find_report(world.connection, city_id, ticket)
            kept = world.personal(report_id) if report_id else None
        stored = kept.token_hash if kept and kept.token_hash else token_hash("")
        right = hmac.compare_digest(stored, token_hash(token))
        return report_id if right and token else None

    def holds_token(self, city_id: str, ticket: str, token: str) -> bool:
        """Whether this token opens this ticket's page."""
        return self.report_of(city_id, ticket, token) is not None


def _count(city_id: str, entries: Sequence[Entry]) -> None:
    for entry in entries:
        # only a change is told: an alarm that goes on is counted once
        if entry.event.type == "IncidentForecast" and entry.changes.get("forecast_alarm") is True:
            telemetry.FORECAST_MISSES.labels(city_id).inc()


def _never() -> bool:
    return False


def token_hash(token: str) -> str:
    """How a private link's token is kept: SHA-256, hex. Tokens are 128 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


async def _keep_on(tell: Callable[[], Awaitable[None]]) -> None:
    """Begin again, where it was, whatever went wrong: silent screens would be worse."""
    while True:
        try:
            await tell()
        except Exception:
            logger.exception("the sockets will be told again")
            await asyncio.sleep(RETRY_S)


def _call_soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    # a loop that closed meanwhile has nobody left to tell
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call)
