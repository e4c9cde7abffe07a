"""Writes the positions that came in once a second, and learns those that other processes wrote."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from dispatch.core.crews import Fix
from dispatch.storage import fixes
from dispatch.system.positions import Positions
from geo.sql import conninfo_of, reading, writing
from realtime.bus import Bus

logger = logging.getLogger("sigap.positions")

FLUSH_S = 1.0
ALL_AGAIN_S = 30.0
SLACK = timedelta(seconds=5)
"""So far the clocks of two hosts may be apart before a position is learned late."""
MOVED = "positions"


class Markers:
    """A thread of its own. The crews' rows are the truth between processes; the bus only wakes."""

    def __init__(
        self,
        engine: Engine,
        cities: Mapping[str, Positions],
        bus: Bus,
        *,
        then: Callable[[], None],
        learned: Callable[[str, Sequence[Fix]], None],
    ) -> None:
        """`then` is done after each writing, `learned` with what others wrote of a city."""
        self._engine, self._cities, self._bus = engine, cities, bus
        self._then, self._learned = then, learned
        self._others = conninfo_of(engine) is not None
        self._heard: set[str] = set()
        self._seen: dict[str, datetime] = {}
        self._all_again_at = 0.0
        self._wake = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="positions", daemon=True)

    def start(self) -> None:
        if self._others:
            self._bus.hear(MOVED, self._hear)
        self._thread.start()

    def stop(self) -> None:
        """Write the last positions and end."""
        with self._wake:
            self._stopped = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)
        self.flush()

    def flush(self) -> None:
        """Write what came in since the last time, in one batch per city."""
        for city_id, positions in self._cities.items():
            waiting, markers = positions.unwritten()
            if not waiting:
                continue
            try:
                with writing(self._engine) as connection:
                    fixes.write(connection, city_id, waiting, markers)
            except (SQLAlchemyError, OSError):
                logger.exception("positions of %s wait for the database", city_id)
                positions.put_back(waiting, markers)
                continue
            self._bus.tell(MOVED, city_id)

    def learn(self, city_id: str, *, everything: bool = False) -> None:
        """Read what other processes wrote of the city since the last time."""
        seen = self._seen.get(city_id)
        since = None if everything or seen is None else seen - SLACK
        try:
            with reading(self._engine) as connection:
                found = fixes.newest(connection, city_id, since=since)
        except (SQLAlchemyError, OSError):
            logger.exception("the positions of %s are learned later", city_id)
            return
        moved = self._cities[city_id].learn(found)
        if moved:
            self._learned(city_id, moved)
        if found:
            newest = max(fix.server_time for fix in found.values())
            self._seen[city_id] = newest if seen is None else max(newest, seen)

    def _hear(self, city_id: str) -> None:
        with self._wake:
            if city_id in self._cities:
                self._heard.add(city_id)
                self._wake.notify()

    def _run(self) -> None:
        due = time.monotonic() + FLUSH_S
        while True:
            with self._wake:
                if not self._stopped and not self._heard:
                    self._wake.wait(max(0.0, due - time.monotonic()))
                if self._stopped:
                    return
                heard, self._heard = sorted(self._heard), set()
            for city_id in heard:
                self.learn(city_id)
            now = time.monotonic()
            if now >= due:
                due = now + FLUSH_S
                self.flush()
                self._then()
                if self._others and now >= self._all_again_at:
                    self._all_again_at = now + ALL_AGAIN_S
                    for city_id in self._cities:
                        self.learn(city_id, everything=True)
