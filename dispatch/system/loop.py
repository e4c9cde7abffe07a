"""One dispatcher per city, awake when something happened: timers, matching, slipped arrivals."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dispatch import dispatcher
from dispatch.core.coverage import Terrain
from dispatch.core.errors import SigapError
from dispatch.core.world import Timer, World
from dispatch.dispatcher import Blockage, Question, Rest
from dispatch.system import telemetry
from dispatch.system.cities import City
from dispatch.system.etas import Etas
from geo.point import Point

logger = logging.getLogger("sigap.dispatcher")

TICK_S = 1.0
REPLAN_S = 10.0
RETRY_S = 5.0


class Steps(Protocol):
    """What the loop needs of the system."""

    def now(self) -> datetime: ...
    def lead(self, city_id: str) -> bool:
        """Whether this process may dispatch for the city."""

    def offset(self, city_id: str) -> int: ...
    def follow_roads(self, city_id: str, offset: int) -> None:
        """Close and open the roads of this process as the log says."""

    def blockages(self, city_id: str) -> Sequence[Blockage]:
        """The incidents that close their road and have not yet."""

    def running_rounds(self, city_id: str) -> Sequence[Rest]:
        """The rounds on their way, each with what is left of it."""

    def etas(self, city_id: str) -> Etas:
        """What the city's times of arrival are told by."""

    def terrain(self, city_id: str) -> Terrain | None:
        """What is known of the city's roads and demand."""

    def claim_due(self, city_id: str, limit: int) -> list[Timer]: ...
    def run_timer(self, city_id: str, timer: Timer) -> None:
        """Do what the timer asked for and forget it, in one step."""

    def timer_done(self, city_id: str, timer: Timer) -> None: ...
    def ask(self, city_id: str, read: Callable[[World, datetime], Question]) -> Question: ...
    def step(self, city_id: str, act: Callable[[World, datetime], object]) -> None: ...


def rest_seconds(etas: Etas, rest: Rest, now: datetime) -> NDArray[np.float64]:
    """Seconds as `dispatcher.tend_round` wants them: from the crew and each stop to each."""
    stops = [Point(lon, lat) for _, lon, lat in rest.stops]
    if not stops:
        return np.zeros((1, 0))
    # a crew that never sent a position is not sent anywhere
    here = [Point(*rest.here)] if rest.here else stops[:1]
    return etas.between(rest.vehicle, [*here, *stops], stops, now)


class DispatcherLoop:
    """Runs in a thread of its own until stopped. It repeats nothing: all it does is in the log."""

    def __init__(self, city: City, steps: Steps) -> None:
        self._city, self._steps = city, steps
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._planned_at: datetime | None = None
        self._planned_offset = -1
        self._planned_version: str | None = None
        self._thread = threading.Thread(target=self._run, name=f"dispatcher-{city.id}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def use(self, city: City) -> None:
        """Go on with a newer version of the city, from the next question on."""
        self._city = city

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def wake(self) -> None:
        """Something happened; callable from any thread."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the step at hand and end."""
        self._stopped.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10.0)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._wake.wait(TICK_S)
            self._wake.clear()
            try:
                self.turn()
            except Exception:
                # Mostly the database is away: nothing is lost, timers and queue are in it. But
                # whatever it is, a city whose dispatcher ended silently would be worse.
                logger.exception("the dispatcher of %s will try again", self._city.id)
                self._stopped.wait(RETRY_S)

    def turn(self) -> None:
        """Do everything that is due now."""
        if self._stopped.is_set():
            return
        # Every process drives by the same roads, whether it dispatches or not.
        self._steps.follow_roads(self._city.id, self._steps.offset(self._city.id))
        if not self._steps.lead(self._city.id):
            return
        self._run_timers()
        offset, now = self._steps.offset(self._city.id), self._steps.now()
        due = self._planned_at is None or (now - self._planned_at).total_seconds() >= REPLAN_S
        if offset != self._planned_offset or due:
            # the offset from before the plan: what came in meanwhile is planned in the next turn
            self._planned_at, self._planned_offset = now, offset
            self._close_roads()
            if self._plan():
                self._tend_rounds()
                self._move_up()

    def _run_timers(self) -> None:
        for timer in self._steps.claim_due(self._city.id, 50):
            try:
                self._steps.run_timer(self._city.id, timer)
            except SigapError as refused:
                logger.warning("timer %s of %s: %s", timer.kind, timer.subject, refused.detail)
                self._steps.timer_done(self._city.id, timer)
            except ValueError:
                # it comes back when its claim ends; the others need not wait for it
                logger.exception("timer %s of %s is not understood", timer.kind, timer.subject)

    def _close_roads(self) -> None:
        found = {
            each.incident_id: tuple(
                self._city.roads.nearest_segments(Point(each.lon, each.lat), within_m=each.within_m)
            )
            for each in self._steps.blockages(self._city.id)
        }
        if not any(found.values()):
            return
        try:
            self._steps.step(self._city.id, lambda w, now: dispatcher.close_roads(w, now, found))
        except SigapError as refused:
            logger.info("closures of %s wait: %s", self._city.id, refused.detail)
            self._wake.set()

    def _tend_rounds(self) -> None:
        """After the plan: a crew that urgent work wants is not sent on by its round."""
        for rest in self._steps.running_rounds(self._city.id):
            try:
                self._tend(rest)
            except SigapError as refused:
                logger.info(
                    "round %s of %s waits: %s", rest.round_id, self._city.id, refused.detail
                )
                self._wake.set()

    def _tend(self, rest: Rest) -> None:
        etas, at = self._steps.etas(self._city.id), self._steps.now()
        version, seconds = self._city.roads.version, rest_seconds(etas, rest, at)
        outlook = etas.outlook(rest.kinds, at)
        self._steps.step(
            self._city.id,
            lambda world, now: dispatcher.tend_round(
                world, now, rest, seconds, graph=version, outlook=outlook
            ),
        )

    def _move_up(self) -> None:
        """Put better posts before the dispatcher, or have crews drive there."""
        if self._city.policy.coverage.move_up == "off":
            return
        terrain = self._steps.terrain(self._city.id)
        if terrain is None:
            return
        try:
            self._steps.step(
                self._city.id,
                lambda world, now: dispatcher.move_up(world, now, terrain, label=self._street),
            )
        except SigapError as refused:
            logger.info("move-ups of %s wait: %s", self._city.id, refused.detail)

    def _street(self, lon: float, lat: float) -> str | None:
        """The street at a post."""
        found = self._city.roads.nearest_segments(Point(lon, lat), within_m=80.0)
        return next((segment.name for segment in found if segment.name), None)

    def _plan(self) -> bool:
        """Whether the plan stands; when not, the next turn plans anew."""
        begun = time.perf_counter()
        asked = self._steps.ask(self._city.id, dispatcher.question)
        if not asked.incidents:
            return True
        city = self._city
        version = city.roads.version
        changed = self._planned_version not in (None, version)
        seconds = self._steps.etas(self._city.id).road_times(asked, self._steps.now())
        terrain = self._steps.terrain(self._city.id)

        def act(world: World, now: datetime) -> None:
            dispatcher.act(world, now, seconds, graph=version, terrain=terrain)
            dispatcher.revise_etas(world, now, seconds, roads_changed=changed)

        try:
            self._steps.step(self._city.id, act)
            telemetry.DECISION.labels(self._city.id).observe(time.perf_counter() - begun)
            self._planned_version = version
        except SigapError as refused:
            # somebody was faster than the plan: the next turn plans with what they did
            logger.info("plan of %s gave way: %s", self._city.id, refused.detail)
            self._wake.set()
            return False
        return True
