"""Keeps several processes serving on one socket: who dies is replaced, until told to stop."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import orjson

from web.cli.stop import Stop
from web.settings import Settings

logger = logging.getLogger("sigap.workers")

LOOK_S = 0.1
SOON_S = 5.0
"""Who dies within so many seconds is replaced later each time, up to LONGEST_WAIT_S."""
LONGEST_WAIT_S = 10.0
TRIES = 3
"""So often the first workers may fail before the start is given up."""
STOP_WITHIN_S = 15.0


@dataclass(slots=True)
class _Worker:
    number: int
    process: subprocess.Popen[bytes]
    born_at: float
    ready: threading.Event = field(default_factory=threading.Event)


class Workers:
    """`count` processes, each accepting from the listener; run it in the main thread."""

    def __init__(
        self,
        settings: Settings,
        listener: socket.socket,
        *,
        count: int,
        demo_accounts: Mapping[str, Any],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._listener, self._count = listener, count
        self._environment = {**os.environ, **(environment or {})}
        self._orders = {
            "listener": listener.fileno(),
            "settings": settings.model_dump(mode="json"),
            "demo_accounts": demo_accounts,
            "log_level": logging.WARNING if demo_accounts else logging.INFO,
        }
        self._alive: dict[int, _Worker] = {}
        self._again_at: dict[int, float] = dict.fromkeys(range(count), 0.0)
        self._failures = dict.fromkeys(range(count), 0)
        self._ever_ready = False
        self._stop = threading.Event()

    def run(self, *, started: Callable[[], object], gone: Callable[[int], object]) -> None:
        """Serve until Ctrl-C or SIGTERM. `started` is called once all workers serve.

        `gone` gets the process id of each worker that ended. Raises Stop when none can start.
        """
        told = {each: signal.signal(each, self._told) for each in (signal.SIGINT, signal.SIGTERM)}
        said = False
        try:
            while not self._stop.is_set():
                self._replace(gone)
                if not said and self._all_ready():
                    said = True
                    started()
                self._stop.wait(LOOK_S)
        finally:
            self._end(gone)
            for each, before in told.items():
                signal.signal(each, before)

    def processes(self) -> list[int]:
        """The process ids of those alive, by number."""
        return [self._alive[number].process.pid for number in sorted(self._alive)]

    def _told(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _all_ready(self) -> bool:
        ready = [worker.ready.is_set() for worker in self._alive.values()]
        self._ever_ready = self._ever_ready or any(ready)
        return len(ready) == self._count and all(ready)

    def _replace(self, gone: Callable[[int], object]) -> None:
        now = time.monotonic()
        for worker in list(self._alive.values()):
            status = worker.process.poll()
            if status is not None:
                self._bury(worker, status, now)
                gone(worker.process.pid)
        if not self._ever_ready and max(self._failures.values()) >= TRIES:
            raise Stop("Sigap's workers do not start; the lines above say why.")
        for number, again_at in self._again_at.items():
            if number not in self._alive and now >= again_at:
                self._alive[number] = self._start(number)

    def _bury(self, worker: _Worker, status: int, now: float) -> None:
        del self._alive[worker.number]
        for pipe in (worker.process.stdin, worker.process.stdout):
            if pipe is not None:
                pipe.close()
        soon = now - worker.born_at < SOON_S or not worker.ready.is_set()
        self._failures[worker.number] = self._failures[worker.number] + 1 if soon else 0
        tries = self._failures[worker.number]
        wait_s = 0.0 if tries <= 1 else min(LONGEST_WAIT_S, 0.5 * 2**tries)
        self._again_at[worker.number] = now + wait_s
        logger.warning(
            "worker %d (process %d) ended with %d; another one takes its place in %.1f s",
            worker.number,
            worker.process.pid,
            status,
            wait_s,
        )

    def _start(self, number: int) -> _Worker:
        process = subprocess.Popen(
            [sys.executable, "-m", "web.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[self._listener.fileno()],
            env=self._environment,
            # Ctrl-C is for the parent, which tells everybody in turn
            start_new_session=True,
        )
        worker = _Worker(number, process, time.monotonic())
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(orjson.dumps(self._orders) + b"\n")
            process.stdin.flush()
        threading.Thread(target=_await_ready, args=(worker,), daemon=True).start()
        return worker

    def _end(self, gone: Callable[[int], object]) -> None:
        for worker in self._alive.values():
            worker.process.terminate()
        until = time.monotonic() + STOP_WITHIN_S
        for worker in self._alive.values():
            try:
                worker.process.wait(timeout=max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                logger.warning("worker %d did not stop and is ended", worker.number)
                worker.process.kill()
                worker.process.wait()
            gone(worker.process.pid)
        self._alive.clear()


def _await_ready(worker: _Worker) -> None:
    assert worker.process.stdout is not None
    with contextlib.suppress(OSError, ValueError):
        if worker.process.stdout.readline():
            worker.ready.set()
