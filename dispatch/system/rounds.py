"""Plans rounds aside: asks the roads, lets a process of its own search, records what it found."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Protocol
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from dispatch.core.errors import Conflict, Invalid, NotFound
from dispatch.core.events import Actor
from dispatch.core.rounds import Round
from dispatch.core.world import World
from dispatch.system.cities import City
from dispatch.system.etas import Etas
from dispatch.system.round_tours import Ask, Task, draft_of, problem_of, propose, task_of
from realtime.bus import Bus

logger = logging.getLogger("sigap.rounds")

WORKER = Path(__file__).with_name("routing_worker.py")
BLOCK = 40
"""Rows of road times asked at once: between them the plan can be cancelled."""
GRACE_S = 60.0
"""A search that takes so much longer than it was given is ended."""
KEPT = 50
"""So many plans are remembered; older ones are forgotten."""
ROADS, SEARCH = 0.25, 0.9
"""How much of the bar is full when the roads answered, and when the search ended."""

Floats = NDArray[np.float64]


class Steps(Protocol):
    """What planning needs of the system."""

    def now(self) -> datetime: ...
    def city(self, city_id: str) -> City: ...
    def etas(self, city_id: str) -> Etas:
        """What the city's times of arrival are told by."""

    def ask(self, city_id: str, read: Callable[[World, datetime], Task]) -> Task:
        """Let a rule look at the city."""

    def do(self, city_id: str, actor: Actor, action: Callable[[World, datetime], object]) -> object:
        """One step in somebody's name."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How far a plan is.

    `phase` is roads, searching, recording, done, failed or cancelled; `share` 0 to 1; `problem` a
    stable code: worker_gone, too_long, moved_on, broken. `left_out` counts what fits in no round.
    """

    id: UUID
    city_id: str
    phase: str = "roads"
    share: float = 0.0
    stops: int = 0
    crews: int = 0
    left_out: int = 0
    drive_s: float | None = None
    round_ids: tuple[UUID, ...] = ()
    problem: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.phase in ("done", "failed", "cancelled")


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Plan)


class _Stopped(Exception):
    """The plan was cancelled, or failed for the reason named."""

    def __init__(self, problem: str | None) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(slots=True)
class _Run:
    plan: Plan
    cancelled: threading.Event = field(default_factory=threading.Event)
    worker: subprocess.Popen[str] | None = None
    thread: threading.Thread | None = None


TOLD, CANCEL = "plan", "plan-cancel"
HEARD_WITHIN_S = 60.0
"""A plan of another process that is silent for so long is over: that process is gone."""
UNKNOWN_S, CANCEL_S = 0.5, 10.0


class RoundPlans:
    """The plans of all processes, one at a time for each city. Thread safe.

    Each is worked out by the process that was asked; the others hear how far it is.
    """

    def __init__(self, steps: Steps, bus: Bus) -> None:
        self._steps, self._bus = steps, bus
        self._lock = threading.Lock()
        self._runs: dict[UUID, _Run] = {}
        self._others: dict[UUID, tuple[float, Plan]] = {}

    def start(self) -> None:
        """Hear of the plans of other processes from now on."""
        self._bus.hear(TOLD, self._hear)
        self._bus.hear(CANCEL, self._hear_cancel)

    def busy(self, city_id: str) -> bool:
        """Whether a plan is being worked out for the city."""
        with self._lock:
            return any(plan.city_id == city_id and not plan.ended for plan in self._plans())

    def _plans(self) -> list[Plan]:
        """Every plan that is worked out somewhere; call it with the lock held."""
        since = time.monotonic() - HEARD_WITHIN_S
        others = [plan for at, plan in self._others.values() if at >= since]
        return [*(run.plan for run in self._runs.values()), *others]

    def begin(self, city_id: str, plan_id: UUID, actor: Actor, ask: Ask) -> None:
        """Start to plan. Raises Conflict when another plan of the city is being worked out."""
        run = _Run(Plan(plan_id, city_id))
        with self._lock:
            for other in self._plans():
                if other.city_id == city_id and not other.ended:
                    raise Conflict("A plan is being worked out already. Wait for it, or cancel it.")
            self._runs[plan_id] = run
            for old in list(self._runs)[:-KEPT]:
                del self._runs[old]
        # before anybody is told its id, who may ask another process for it
        self._bus.tell(TOLD, _ENCODER.encode(run.plan).decode())
        name = f"rounds-{city_id}"
        run.thread = threading.Thread(
            target=self._work, args=(run, actor, ask), name=name, daemon=True
        )
        run.thread.start()

    def find(self, city_id: str, plan_id: UUID) -> Plan:
        """How far the plan is. Raises NotFound for one that no process knows."""
        plan = self._known(plan_id)
        until = time.monotonic() + UNKNOWN_S
        while plan is None and time.monotonic() < until:
            # it may have begun a moment ago, in another process
            time.sleep(UNKNOWN_S / 10)
            plan = self._known(plan_id)
        if plan is None or plan.city_id != city_id:
            raise NotFound("This plan is not known any more. Plan again.", kind="plan")
        return plan

    def _known(self, plan_id: UUID) -> Plan | None:
        with self._lock:
            if plan_id in self._runs:
                return self._runs[plan_id].plan
            return self._others[plan_id][1] if plan_id in self._others else None

    def _hear(self, told: str) -> None:
        plan = _DECODER.decode(told)
        with self._lock:
            self._others[plan.id] = (time.monotonic(), plan)
            for old in list(self._others)[:-KEPT]:
                del self._others[old]

    def _hear_cancel(self, told: str) -> None:
        with self._lock:
            run = self._runs.get(UUID(told))
        if run is not None:
            run.cancelled.set()
            if run.worker is not None:
                run.worker.kill()

    def cancel(self, city_id: str, plan_id: UUID) -> Plan:
        """End it; nothing of it stays. One that ended already stays as it is."""
        plan = self.find(city_id, plan_id)
        with self._lock:
            run = self._runs.get(plan_id)
        if run is None:
            self._bus.tell(CANCEL, str(plan_id))
            until = time.monotonic() + CANCEL_S
            while not plan.ended and time.monotonic() < until:
                time.sleep(UNKNOWN_S / 10)
                plan = self.find(city_id, plan_id)
            return plan
        run.cancelled.set()
        if run.worker is not None:
            run.worker.kill()
        if run.thread is not None:
            run.thread.join(timeout=10.0)
        return self.find(city_id, plan.id)

    def stop(self) -> None:
        """End every plan: the process ends."""
        with self._lock:
            runs = list(self._runs.values())
        for run in runs:
            self.cancel(run.plan.city_id, run.plan.id)

    # --- the work, in a thread ------------------------------------------------

    def _work(self, run: _Run, actor: Actor, ask: Ask) -> None:
        try:
            made = self._planned(run, actor, ask)
            self._tell(run, phase="done", share=1.0, round_ids=tuple(r.id for r in made))
        except _Stopped as stopped:
            phase = "failed" if stopped.problem else "cancelled"
            self._tell(run, phase=phase, problem=stopped.problem)
        except (Conflict, Invalid, NotFound) as refused:
            logger.info("plan %s gave way: %s", run.plan.id, refused.detail)
            self._tell(run, phase="failed", problem="moved_on")
        except Exception:
            logger.exception("plan %s failed", run.plan.id)
            self._tell(run, phase="failed", problem="broken")

    def _planned(self, run: _Run, actor: Actor, ask: Ask) -> list[Round]:
        city = self._steps.city(run.plan.city_id)
        task = self._steps.ask(city.id, lambda world, now: task_of(world, now, ask))
        self._tell(run, stops=len(task.incidents), crews=len(task.crews))
        version = city.roads.version
        seconds = self._road_times(run, city, task)
        found = self._search(run, problem_of(task, seconds, city=city))
        self._tell(run, phase="recording", share=SEARCH)
        drafts = [draft_of(city, task, tour, seconds) for tour in found["tours"]]
        if run.cancelled.is_set():
            raise _Stopped(None)
        outlook = self._steps.etas(city.id).outlook({}, self._steps.now())
        because = {
            "rule": "rounds.plan",
            "stops": len(task.incidents),
            "crews": len(task.crews),
            "left_out": len(found["left_out"]),
            "search_s": city.policy.rounds.search_s,
            "calibration": outlook.version,
        }
        made: list[Round] = []

        def act(world: World, now: datetime) -> None:
            made.extend(
                propose(world, now, actor, drafts, graph=version, because=because, outlook=outlook)
            )

        self._steps.do(city.id, actor, act)
        return made

    def _road_times(self, run: _Run, city: City, task: Task) -> dict[str, Floats]:
        """Seconds from each crew and incident to each, for each kind of vehicle; shapes (n, n).

        They are asked in blocks, so that the plan can be cancelled on the way.
        """
        points, tables = task.places, {}
        etas, now = self._steps.etas(city.id), self._steps.now()
        blocks = [points[first : first + BLOCK] for first in range(0, len(points), BLOCK)]
        asked, of = 0, len(blocks) * len(task.profiles)
        for profile, vehicle in task.profiles.items():
            rows = []
            for block in blocks:
                if run.cancelled.is_set():
                    raise _Stopped(None)
                rows.append(etas.between(vehicle, block, points, now))
                asked += 1
                self._tell(run, share=round(ROADS * asked / of, 3))
            tables[profile] = np.vstack(rows)
        return tables

    def _search(self, run: _Run, problem: Mapping[str, Any]) -> dict[str, Any]:
        self._tell(run, phase="searching", share=ROADS)
        worker = subprocess.Popen(
            [sys.executable, "-P", str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        run.worker = worker
        if run.cancelled.is_set():
            worker.kill()
        late = threading.Event()
        limit = threading.Timer(problem["search_s"] + GRACE_S, _end, (worker, late))
        limit.start()
        try:
            assert worker.stdin is not None
            assert worker.stdout is not None
            found = self._listen(run, worker.stdin, worker.stdout, problem)
        finally:
            limit.cancel()
            worker.kill()
            _, errors = worker.communicate()
        if run.cancelled.is_set():
            raise _Stopped(None)
        if found is None:
            logger.error("the route search of plan %s ended: %s", run.plan.id, errors[-2000:])
            raise _Stopped("too_long" if late.is_set() else "worker_gone")
        return found

    def _listen(
        self, run: _Run, question: IO[str], answers: IO[str], problem: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """The worker's last word, None when it ended without one."""
        try:
            question.write(json.dumps(problem) + "\n")
            question.flush()
        except BrokenPipeError:
            return None
        for text in answers:
            if not text.endswith("\n"):
                return None
            line: dict[str, Any] = json.loads(text)
            if "tours" in line:
                return line
            share = ROADS + (SEARCH - ROADS) * line["done"] / line["of"]
            self._tell(
                run, share=round(share, 3), left_out=line["left_out"], drive_s=line["drive_s"]
            )
        return None

    def _tell(self, run: _Run, **news: Any) -> None:
        with self._lock:
            run.plan = replace(run.plan, **news)
        self._bus.tell(TOLD, _ENCODER.encode(run.plan).decode())


def _end(worker: subprocess.Popen[str], late: threading.Event) -> None:
    late.set()
    worker.kill()
