"""Many days at once: every seed is played in a process of its own, and what is done is kept."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Generic, TypeVar

from dispatch.simulator.outcome import Outcome

T = TypeVar("T")
Tick = Callable[[float], None]
Play = Callable[[T, Tick], Outcome]
BETWEEN_TICKS_S = 0.2
# a process plays one day at a time: threads of numpy's would only wait for each other
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class RunFailed(Exception):
    """A run could not be played; the text says which and why."""


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def play_all(
    tasks: Sequence[T],
    play: Play[T],
    *,
    workers: int,
    done: Callable[[T, Outcome], None],
    tick: Callable[[T, float], None],
) -> None:
    """Play every task, at most `workers` at a time; returns when all are done.

    `play` is a function of a module (it is imported anew in each process) and calls its tick with
    the share it has done, 0 to 1. `done` and `tick` are called here, in this process, so that one
    alone writes. An interrupt ends the workers at once; what `done` was told of stays done.
    Raises RunFailed when a run raises or its process dies.
    """
    waiting = deque(tasks)
    crowd: dict[Connection, _Worker[T]] = {}
    try:
        for _ in range(min(workers, len(waiting))):
            worker = _start(play)
            crowd[worker.line] = worker
            worker.give(waiting.popleft())
        while crowd:
            for line in wait(list(crowd)):
                assert isinstance(line, Connection)
                _hear(crowd, line, waiting, done=done, tick=tick)
    finally:
        for worker in crowd.values():
            worker.end()


@dataclass(slots=True)
class _Worker(Generic[T]):
    process: SpawnProcess
    line: Connection
    task: T | None = None

    def give(self, task: T) -> None:
        self.task = task
        self.line.send((task,))

    def end(self) -> None:
        self.line.close()
        self.process.terminate()
        self.process.join(timeout=5)


def _hear(
    crowd: dict[Connection, _Worker[T]],
    line: Connection,
    waiting: deque[T],
    *,
    done: Callable[[T, Outcome], None],
    tick: Callable[[T, float], None],
) -> None:
    """Take one word from a worker, and give it its next task when it is free."""
    worker = crowd[line]
    assert worker.task is not None
    try:
        kind, said = line.recv()
    except (EOFError, ConnectionResetError):
        worker.process.join(timeout=5)
        raise RunFailed(
            f"The process that played {worker.task} ended by itself (code "
            f"{worker.process.exitcode}); is there enough memory? Start again with fewer --workers."
        ) from None
    if kind == "failed":
        raise RunFailed(f"{worker.task} could not be played:\n{said}")
    if kind == "tick":
        tick(worker.task, said)
        return
    done(worker.task, said)
    if waiting:
        worker.give(waiting.popleft())
    else:
        del crowd[line]
        worker.end()


def _start(play: Play[T]) -> _Worker[T]:
    """A fresh process: nothing of this one's threads, locks or road engines comes along."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, play), daemon=True)
    with _one_thread(), _deaf():
        process.start()
    theirs.close()
    return _Worker(process, ours)


@contextmanager
def _one_thread() -> Iterator[None]:
    unset = [name for name in ONE_THREAD if name not in os.environ]
    os.environ.update(dict.fromkeys(unset, "1"))
    try:
        yield
    finally:
        for name in unset:
            del os.environ[name]


@contextmanager
def _deaf() -> Iterator[None]:
    """Whoever is born here hears no interrupt, not even before it can say that it wants none."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # it lets interrupts through again when it starts, so it starts before
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(line: Connection, play: Play[T]) -> None:
    """Play what comes down the line until it is closed."""
    # an interrupt is for the parent, which keeps what is done and ends this process
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    told = 0.0

    def tick(share: float) -> None:
        nonlocal told
        if time.monotonic() - told >= BETWEEN_TICKS_S:
            told = time.monotonic()
            line.send(("tick", share))

    # the line closes when the parent has enough, or is gone
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            (task,) = line.recv()
            try:
                line.send(("done", play(task, tick)))
            except (EOFError, BrokenPipeError, ConnectionResetError):
                raise
            except Exception:  # noqa: BLE001 - told to the parent, which stops
                line.send(("failed", traceback.format_exc()))
