"""Works out tours for many crews at once, in a process of its own so that nothing else waits.

Run as a file: it reads one problem from its standard input and writes one line of JSON for each
better answer, the last one with the tours. Whoever started it may end it at any moment.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import vroom

FAR_S = 10_000_000
"""Stands for no road: longer than any shift, so that such a stop is left out."""
SPARE = 1.2
"""Stops are shared out so that no crew gets more than this many times its even share."""
THOROUGH = (1, 3, 5)
"""VROOM's exploration levels, tried one after the other while there is time."""


@dataclass(frozen=True)
class Answer:
    """Tours as job numbers by crew number, what is left out, and how long all drives take."""

    tours: Mapping[int, Sequence[int]]
    left_out: Sequence[int]
    drive_s: float

    @property
    def rank(self) -> tuple[int, float]:
        """Smaller is better: fewer stops left out, then less driving."""
        return len(self.left_out), self.drive_s


def search(problem: Mapping[str, Any]) -> Answer:
    """The best tours found within `search_s` seconds; tells each step of the search."""
    ends = time.monotonic() + float(problem["search_s"])
    steps = 2 + len(THOROUGH)
    even = math.ceil(SPARE * len(problem["jobs"]) / max(1, len(problem["crews"])))
    best = solve(problem, most=even, level=0, seconds=ends - time.monotonic())
    tell(best, done=1, of=steps)
    if best.left_out:
        free = solve(problem, most=None, level=0, seconds=ends - time.monotonic())
        if free.rank < best.rank:
            best, even = free, len(problem["jobs"])
    tell(best, done=2, of=steps)
    for done, level in enumerate(THOROUGH, start=3):
        left = ends - time.monotonic()
        if left < 1.0:
            break
        found = solve(problem, most=even, level=level, seconds=left)
        best = min(best, found, key=lambda answer: answer.rank)
        tell(best, done=done, of=steps)
    return best


def solve(problem: Mapping[str, Any], *, most: int | None, level: int, seconds: float) -> Answer:
    """One search by VROOM, ended after so many seconds."""
    tables = {profile: _table(rows) for profile, rows in problem["seconds"].items()}
    question = vroom.Input()
    for profile, table in tables.items():
        question.set_durations_matrix(profile, table.astype(np.uint32))
    for number, crew in enumerate(problem["crews"]):
        limit = crew["most"] if most is None else min(crew["most"], most)
        question.add_vehicle(
            vroom.Vehicle(
                number,
                start=crew["at"],
                profile=crew["profile"],
                skills=set(crew["skills"]),
                time_window=vroom.TimeWindow(0, int(crew["until_s"])),
                max_tasks=int(limit),
            )
        )
    for number, job in enumerate(problem["jobs"]):
        question.add_job(
            vroom.Job(
                number,
                location=job["at"],
                default_service=int(job["work_s"]),
                skills=set(job["skills"]),
                priority=int(job["priority"]),
            )
        )
    threads = min(2, os.cpu_count() or 1)
    limit_s = timedelta(seconds=max(seconds, 0.1))
    return _answer(problem, tables, question.solve(level, threads, limit_s))


def _table(rows: Sequence[Sequence[float]]) -> Any:
    table = np.asarray(rows, dtype=np.float64)
    return np.where(np.isfinite(table), np.minimum(np.rint(table), FAR_S), FAR_S)


def _answer(problem: Mapping[str, Any], tables: Mapping[str, Any], solution: Any) -> Answer:
    steps = solution.routes
    steps = steps[steps["type"] == "job"]
    tours: dict[int, list[int]] = {}
    for crew, job in zip(steps["vehicle_id"], steps["id"], strict=True):
        tours.setdefault(int(crew), []).append(int(job))
    reached = {job for tour in tours.values() for job in tour}
    drive_s = 0.0
    for crew, tour in tours.items():
        at, table = problem["crews"][crew]["at"], tables[problem["crews"][crew]["profile"]]
        for job in tour:
            following = problem["jobs"][job]["at"]
            drive_s += float(table[at, following])
            at = following
    left_out = [job for job in range(len(problem["jobs"])) if job not in reached]
    return Answer(tours, left_out, drive_s)


def tell(answer: Answer, *, done: int, of: int) -> None:
    """One line about how far the search is."""
    say({"done": done, "of": of, "left_out": len(answer.left_out), "drive_s": answer.drive_s})


def say(line: Mapping[str, Any]) -> None:
    """Write one line to whoever started this process, at once."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> None:
    """One problem in, its tours out."""
    if hasattr(os, "nice"):
        # whoever is waiting for a crew comes first
        os.nice(10)
    answer = search(json.loads(sys.stdin.readline()))
    tours = [{"crew": crew, "jobs": list(jobs)} for crew, jobs in sorted(answer.tours.items())]
    say({"tours": tours, "left_out": list(answer.left_out)})


if __name__ == "__main__":
    main()
