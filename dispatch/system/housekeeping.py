"""Once an hour each city forgets what is past its time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from dispatch.core.policy import Policy
from dispatch.storage import retention
from dispatch.storage.retention import Kept
from dispatch.system.clock import Clock
from geo.sql import writing

logger = logging.getLogger("sigap.housekeeping")

EVERY_S = 3600.0


class Housekeeper:
    """Runs in a thread of its own until stopped. Doing it twice does no harm."""

    def __init__(
        self,
        engine: Engine,
        city_ids: Sequence[str],
        clock: Clock,
        *,
        policy: Callable[[str], Policy],
    ) -> None:
        self._engine, self._city_ids, self._clock = engine, city_ids, clock
        self._policy = policy
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish the city at hand and end."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10.0)

    def turn(self) -> None:
        """Let every city forget; one that cannot now is asked again in an hour."""
        for city_id in self._city_ids:
            try:
                with writing(self._engine) as connection:
                    kept = Kept.of(self._policy(city_id))
                    gone = retention.forget(connection, city_id, self._clock(), kept=kept)
            except (SQLAlchemyError, OSError):
                logger.exception("%s will forget later", city_id)
                continue
            if any(gone.values()):
                logger.info("%s forgot %s", city_id, gone)

    def _run(self) -> None:
        while not self._stopped.wait(EVERY_S):
            self.turn()
