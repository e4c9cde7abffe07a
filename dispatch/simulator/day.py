"""A run of a simulated city under one policy: discrete events around the real dispatcher.

The World is the one in memory, every step is an action that a person or the dispatcher takes in
the product too; what is made up is only the people, the vehicles and the clock.

One file on purpose: a run is one loop over one state, and its events read best side by side.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from dispatch import actions, dispatcher
from dispatch.actions import NewReport
from dispatch.core import events as ev
from dispatch.core.coverage import Terrain
from dispatch.core.crews import Fix
from dispatch.core.events import Actor
from dispatch.core.policy import Policy
from dispatch.core.road_times import RoadTimes
from dispatch.dispatcher import Question
from dispatch.simulator.demand import HOUR_S, Job, slow_at
from dispatch.simulator.following import follow
from dispatch.simulator.memory import MemoryWorld
from dispatch.simulator.outcome import Outcome
from dispatch.simulator.robots import Robot
from dispatch.simulator.scene import FRICTIONS, Frictions, Scene
from dispatch.simulator.streets import Spot
from dispatch.simulator.tally import Clocked, tally

START = datetime(2026, 1, 5, tzinfo=UTC)
TICK_S = 60.0
DISPATCHER = Actor("dispatcher", "simulated")
CITIZEN = Actor("citizen")
Event = tuple[float, int, str, int, int]


def play(
    scene: Scene,
    policy: Policy,
    *,
    name: str,
    seed: int,
    frictions: Frictions = FRICTIONS,
    tick: Callable[[float], None] | None = None,
    followed: bool = False,
) -> Outcome:
    """Run the scene to its end, queue drained; the same arguments give the same outcome.

    `tick` is told the share of the run that is done. A `followed` run is held against what a
    screen would make of its events; raises Diverged when that is something else.
    """
    began = time.thread_time()
    day = Day(scene, fitted(policy, frictions), frictions, seed=seed)
    day.run(tick)
    cpu_s = time.thread_time() - began
    if followed:
        follow(day.world)
    return tally(day, name=name, seed=seed, cpu_s=cpu_s)


def fitted(policy: Policy, frictions: Frictions) -> Policy:
    """The policy with what the city would have measured about its own crews."""
    offers = replace(
        policy.offers,
        accept_s=frictions.accept_s,
        decline_share=frictions.declines,
        automatic_priorities=(1, 2, 3),
    )
    turnout_s = frictions.accept_s + frictions.turnout_s
    return replace(
        policy,
        offers=offers,
        matching=replace(policy.matching, turnout_s=turnout_s),
        rounds=replace(policy.rounds, services=()),
        # a simulated crew is a vehicle whose people change at its breaks: nobody tires
        gates=replace(policy.gates, longest_duty_h=1e6, rest_h=0.0),
    )


class Day:
    """The state of a run."""

    def __init__(self, scene: Scene, policy: Policy, frictions: Frictions, *, seed: int) -> None:
        self.scene, self.policy, self.frictions = scene, policy, frictions
        self.clocked = Clocked()
        numbers = itertools.count(1)
        self.world = MemoryWorld(
            scene.city, policy, ids=lambda: UUID(int=next(numbers)), quiet=True
        )
        self.now_s = 0.0
        self.job_of: dict[UUID, int] = {}
        self.incident_of: dict[int, UUID] = {}
        self.waiting_area = self.system_area = 0.0
        self._waiting: set[UUID] = set()
        self._open: set[UUID] = set()
        self._heap: list[Event] = []
        self._sequence = itertools.count()
        self._heard = 0
        self._offered: dict[int, UUID] = {}
        self._next_tick = self._timer_s = float("inf")
        self._freed = True
        chance = np.random.default_rng([seed, 11])
        self.robots = [self._crew(i, chance) for i in range(len(scene.crews))]
        self._robot_of = {robot.crew_id: robot for robot in self.robots}
        self._heard = len(self.world.log)
        for i, job in enumerate(scene.jobs):
            self._at(job.at_s, "report", i)
        self._last_job_s = scene.jobs[-1].at_s if scene.jobs else 0.0

    # --- time ----------------------------------------------------------------

    def run(self, tick: Callable[[float], None] | None = None) -> None:
        """Every event in order, until nothing is left to happen."""
        self._plan()
        steps: Mapping[str, Callable[[int, int], bool]] = {
            "report": self._report,
            "answer": self._answer,
            "roll": self._roll,
            "arrive": self._arrive,
            "clear": self._clear,
            "reach": self._reach,
            "break": self._break,
            "back": self._back,
            "timer": self._timer,
            "tick": self._tick,
        }
        done = 0
        while self._heap:
            at_s, _, kind, number, episode = heapq.heappop(self._heap)
            if kind in ("break", "tick", "timer") and not self._lives():
                continue
            self._pass(at_s)
            if steps[kind](number, episode):
                self._plan()
            if kind == "report":
                done += 1
                if tick and done % 50 == 0:
                    tick(done / len(self.scene.jobs))

    def _lives(self) -> bool:
        return bool(self._open) or self.now_s < self._last_job_s

    def _pass(self, at_s: float) -> None:
        span = at_s - self.now_s
        self.waiting_area += len(self._waiting) * span
        self.system_area += len(self._open) * span
        self.now_s = at_s

    def _at(self, at_s: float, kind: str, number: int = 0, episode: int = 0) -> None:
        heapq.heappush(self._heap, (at_s, next(self._sequence), kind, number, episode))

    @property
    def now(self) -> datetime:
        """The moment on the World's clock."""
        return START + timedelta(seconds=self.now_s)

    def slow(self) -> float:
        """How much slower than usual the roads are now."""
        if not self.frictions.congestion:
            return 1.0
        return slow_at(self.now_s, storm=self.scene.storm, slow=self.scene.slow)

    # --- people --------------------------------------------------------------

    def _crew(self, i: int, chance: np.random.Generator) -> Robot:
        setup, scene = self.scene.crews[i], self.scene
        home = Spot(site=setup.home)
        lon, lat = scene.streets.lonlat(home)
        agency = next(iter(self.policy.agencies))
        fact = ev.CrewRegistered(
            name=f"Regu {i + 1}",
            call_sign=f"R{i + 1}",
            agency_id=agency,
            skills=tuple(sorted(setup.skills)),
            vehicle="car",
            members=2,
            station_lon=lon,
            station_lat=lat,
        )
        crew = actions.register_crew(self.world, START, DISPATCHER, fact)
        robot = Robot(i, crew.id, setup, home, phase_s=float(chance.uniform(0, 60)))
        self._sign_on(robot)
        if self.frictions.rest_s > 0:
            self._at(float(chance.uniform(0, self.frictions.shift_s)), "break", i)
        return robot

    def _sign_on(self, robot: Robot) -> None:
        actions.set_crew_status(
            self.world,
            self.now,
            Actor("crew", str(robot.crew_id)),
            robot.crew_id,
            status="available",
        )

    def _break(self, number: int, _: int) -> bool:
        robot = self.robots[number]
        if robot.assignment_id is not None or robot.off or self._offered.get(number):
            self._at(self.now_s + 120.0, "break", number)
            return False
        robot.stop(self.now_s)
        robot.off = True
        robot.episode += 1
        actions.set_crew_status(
            self.world,
            self.now,
            Actor("crew", str(robot.crew_id)),
            robot.crew_id,
            status="not_available",
            reason="rest",
        )
        self._at(self.now_s + self.frictions.rest_s, "back", number)
        self._at(self.now_s + self.frictions.shift_s, "break", number)
        self._listen()
        return False

    def _back(self, number: int, _: int) -> bool:
        robot = self.robots[number]
        robot.off = False
        robot.off_s += self.frictions.rest_s
        self._sign_on(robot)
        self._listen()
        return True

    # --- what happens --------------------------------------------------------

    def _report(self, number: int, _: int) -> bool:
        job = self.scene.jobs[number]
        lon, lat = self.scene.streets.lonlat(Spot(site=job.site))
        districts = self.scene.districts
        wish = NewReport(
            channel="web",
            service_code=job.service_code,
            description=job.description,
            lon=lon,
            lat=lat,
            radius_m=20.0,
            district=districts[job.site] if districts else None,
            phone=f"0811{number:08d}" if job.contact else None,
            anonymous=not job.contact,
        )
        report = actions.receive_report(self.world, self.now, CITIZEN, wish)
        self.world.cancel_timer(actions.TRIAGE, report.id)
        dispatcher.triage_report(self.world, self.now, report.id)
        incident = actions.verify_report(
            self.world, self.now, DISPATCHER, report.id, priority=job.priority
        )
        self.job_of[incident.id] = number
        self.incident_of[number] = incident.id
        self._waiting.add(incident.id)
        self._open.add(incident.id)
        return True

    def _answer(self, number: int, episode: int) -> bool:
        robot = self.robots[number]
        assignment_id = self._offered.get(number)
        if assignment_id is None or episode != robot.episode:
            return False
        assignment = self.world.assignment(assignment_id)
        if assignment.status != "offered":
            return False
        self._offered.pop(number)
        actor = Actor("crew", str(robot.crew_id))
        if self._declines(robot, self.job_of[assignment.incident_id]):
            actions.decline(self.world, self.now, actor, assignment_id, reason="vehicle")
            self._listen()
            self._idle(robot)
            return True
        actions.acknowledge(self.world, self.now, actor, assignment_id)
        self._listen()
        if self.world.assignment(assignment_id).status != "acknowledged":
            return False
        robot.assignment_id = assignment_id
        robot.bound_since_s = self.now_s
        rolling = robot.driving
        wait = self.frictions.rolling_s if rolling else self.frictions.turnout_s
        self._at(self.now_s + wait, "roll", number, robot.episode)
        return False

    def _declines(self, robot: Robot, job: int) -> bool:
        """Whether this crew declines this job: the same under every policy."""
        return self._draw(robot, job) < self.frictions.declines

    def _draw(self, robot: Robot, job: int) -> float:
        """A number in [0, 1) of the pair, by the golden ratio's multiples."""
        return (self.scene.jobs[job].chance + (robot.number + 1) * 0.6180339887498949) % 1.0

    def _roll(self, number: int, episode: int) -> bool:
        robot = self.robots[number]
        if episode != robot.episode or robot.assignment_id is None:
            return False
        assignment = self.world.assignment(robot.assignment_id)
        actions.en_route(
            self.world,
            self.now,
            Actor("crew", str(robot.crew_id)),
            assignment.id,
            source="movement",
        )
        job = self.scene.jobs[self.job_of[assignment.incident_id]]
        noise = job.travel if self.frictions.travel_noise else 1.0
        seconds = robot.drive(self.scene.streets, self.now_s, job.site, slower=self.slow() * noise)
        assert seconds is not None
        self._at(self.now_s + seconds, "arrive", number, robot.episode)
        return False

    def _arrive(self, number: int, episode: int) -> bool:
        robot = self.robots[number]
        if episode != robot.episode or robot.assignment_id is None:
            return False
        robot.stop(self.now_s)
        actor = Actor("crew", str(robot.crew_id))
        assignment = actions.on_scene(
            self.world,
            self.now,
            actor,
            robot.assignment_id,
            source="geofence",
            evidence="geofence",
            distance_m=0.0,
        )
        self._waiting.discard(assignment.incident_id)
        job = self.scene.jobs[self.job_of[assignment.incident_id]]
        self._at(self.now_s + job.on_scene_s, "clear", number, robot.episode)
        self._listen()
        return False

    def _clear(self, number: int, episode: int) -> bool:
        robot = self.robots[number]
        if episode != robot.episode or robot.assignment_id is None:
            return False
        actor = Actor("crew", str(robot.crew_id))
        assignment = self.world.assignment(robot.assignment_id)
        genuine = self.scene.jobs[self.job_of[assignment.incident_id]].genuine
        code = next(
            code
            for code, choice in self.policy.dispositions.items()
            if choice.outcome == ("fixed" if genuine else "false")
        )
        actions.clear(self.world, self.now, actor, assignment.id, disposition_code=code)
        self._open.discard(assignment.incident_id)
        robot.bound_s += self.now_s - robot.bound_since_s
        robot.assignment_id = None
        robot.jobs += 1
        robot.episode += 1
        self._listen()
        self._idle(robot)
        return True

    def _reach(self, number: int, episode: int) -> bool:
        robot = self.robots[number]
        if episode != robot.episode or robot.trip is None:
            return False
        robot.stop(self.now_s)
        actions.reach_post(
            self.world,
            self.now,
            Actor("crew", str(robot.crew_id)),
            robot.crew_id,
            source="geofence",
        )
        self._listen()
        return False

    def _timer(self, _: int, __: int) -> bool:
        due = self.world.due(self.now)
        for timer in due:
            self.world.cancel_timer(timer.kind, timer.subject)
            dispatcher.run_timer(self.world, self.now, timer)
        self._listen()
        return bool(due)

    def _tick(self, _: int, __: int) -> bool:
        self._next_tick = float("inf")
        return self._queue()

    def _queue(self) -> bool:
        """Whether an incident waits for a crew to be sent."""
        return any(self.world.incident(i).status == "pending" for i in self._waiting)

    def _idle(self, robot: Robot) -> None:
        """Without an order a free crew goes home; with move-ups it waits for one."""
        if self.policy.coverage.move_up != "automatic" and not robot.off:
            self._send_to(robot, robot.setup.home)

    def _send_to(self, robot: Robot, site: int) -> None:
        seconds = robot.drive(self.scene.streets, self.now_s, site, slower=self.slow())
        robot.episode += 1
        if seconds is not None:
            self._at(self.now_s + seconds, "reach", robot.number, robot.episode)

    # --- deciding ------------------------------------------------------------

    def _plan(self) -> None:
        """One decision: what the loop of the product does when it wakes."""
        self._show_positions()
        began = time.thread_time()
        asked = dispatcher.question(self.world, self.now)
        routed = time.thread_time()
        seconds = self._road_times(asked)
        routing_s = time.thread_time() - routed
        terrain = self._terrain()
        if asked.incidents:
            dispatcher.act(
                self.world, self.now, seconds, graph=self.scene.streets.version, terrain=terrain
            )
            dispatcher.revise_etas(self.world, self.now, seconds)
        if self._freed or len(self.world.log) != self._heard:
            # who is free has changed, so where the others should wait may have
            dispatcher.move_up(self.world, self.now, terrain)
            self._freed = False
        took = time.thread_time() - began
        self.clocked.decision_ms.append(took * 1_000)
        self.clocked.routing_s += routing_s
        self.clocked.rules_s += took - routing_s
        self._listen()
        if self._next_tick == float("inf") and self._queue():
            self._next_tick = self.now_s + TICK_S
            self._at(self._next_tick, "tick")

    def _terrain(self) -> Terrain:
        return self.scene.terrain

    def _show_positions(self) -> None:
        streets, every_s = self.scene.streets, self.frictions.gps_age_s
        for robot in self.robots:
            seen_s = robot.seen_at(self.now_s, every_s)
            at = START + timedelta(seconds=seen_s)
            lon, lat = streets.lonlat(robot.where(seen_s))
            self.world.put_fix(Fix(robot.crew_id, lon, lat, fix_time=at, server_time=at))

    def _road_times(self, asked: Question) -> RoadTimes:
        """What the roads answer, from the positions the dispatcher knows."""
        sites = [self.scene.jobs[self.job_of[incident[0]]].site for incident in asked.incidents]
        streets, every_s = self.scene.streets, self.frictions.gps_age_s
        table = np.empty((len(asked.crews), len(sites)))
        slow = self.slow()
        for row, (crew_id, _, _) in enumerate(asked.crews):
            robot = self._robot_of[crew_id]
            spot = robot.where(robot.seen_at(self.now_s, every_s))
            table[row] = streets.seconds(spot)[sites] * slow
        crews = [crew[0] for crew in asked.crews]
        return RoadTimes(crews, [incident[0] for incident in asked.incidents], table)

    # --- hearing -------------------------------------------------------------

    def _listen(self) -> None:
        """What the log says since the last time reaches the phones."""
        hears: Mapping[str, Callable[[Any, Any], None]] = {
            "AssignmentOffered": self._hear_offer,
            "AssignmentWithdrawn": self._hear_end,
            "AssignmentExpired": self._hear_end,
            "MoveUpOrdered": self._hear_post,
            "CrewReleased": self._hear_free,
            "CrewStatusSet": self._hear_free,
        }
        while self._heard < len(self.world.log):
            event = self.world.log[self._heard].event
            self._heard += 1
            hear = hears.get(event.type)
            if hear is not None:
                hear(event, event.fact)
        following = self.world.next_due()
        if following is not None:
            at_s = max((following - START).total_seconds(), self.now_s)
            if at_s < self._timer_s or self._timer_s <= self.now_s:
                self._timer_s = at_s
                self._at(at_s, "timer")

    def _hear_offer(self, event: Any, fact: Any) -> None:
        robot = self._robot_of[fact.crew_id]
        robot.assignment_id = None
        self._offered[robot.number] = event.subject
        robot.episode += 1
        if robot.trip is not None:
            # it drives on towards where it was going until it has answered
            left = robot.trip.duration_s * robot.slower - (self.now_s - robot.began_s)
            self._at(self.now_s + max(left, 0.0), "reach", robot.number, robot.episode)
        self._at(self.now_s + self.frictions.accept_s, "answer", robot.number, robot.episode)

    def _hear_end(self, event: Any, _: Any) -> None:
        assignment = self.world.assignment(event.subject)
        robot = self._robot_of[assignment.crew_id]
        if self._offered.get(robot.number) == assignment.id:
            self._offered.pop(robot.number)
            robot.episode += 1
            self._idle(robot)
        elif robot.assignment_id == assignment.id:
            robot.bound_s += self.now_s - robot.bound_since_s
            robot.assignment_id = None
            robot.episode += 1
            if robot.trip is not None and self.policy.coverage.move_up != "automatic":
                self._idle(robot)

    def _hear_free(self, _: Any, __: Any) -> None:
        self._freed = True

    def _hear_post(self, event: Any, fact: Any) -> None:
        robot = self._robot_of[event.subject]
        if robot.assignment_id is not None or robot.number in self._offered:
            return
        robot.move_ups += 1
        zone = self.scene.terrain.zone_of(fact.lon, fact.lat)
        self._send_to(robot, self.scene.posts[zone])


def job_hour(job: Job) -> int:
    """The hour of the day a job was reported in."""
    return int(job.at_s // HOUR_S) % 24
