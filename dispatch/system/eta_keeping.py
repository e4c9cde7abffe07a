"""Keeps times of arrival honest: gathers trips, learns anew, takes over what others learned."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from dispatch.system.cities import City
from dispatch.system.etas import Etas

logger = logging.getLogger("sigap.etas")

EVERY_S = 15.0


class Keeps(Protocol):
    """What the keeper needs of the system."""

    def now(self) -> datetime: ...
    def cities(self) -> Sequence[City]: ...
    def etas(self, city_id: str) -> Etas: ...


class EtaKeeper:
    """Runs in a thread of its own until stopped. Doing it twice does no harm."""

    def __init__(self, system: Keeps, *, leads: Callable[[str], bool]) -> None:
        """`leads` says whether this process learns for a city; all take over what was learned."""
        self._system, self._leads = system, leads
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="etas", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish the city at hand and end."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10.0)

    def turn(self) -> None:
        """Bring every city up to date; one that cannot be now is tried again soon."""
        for city in self._system.cities():
            if self._stopped.is_set():
                return
            try:
                self._tend(city.id)
            except (SQLAlchemyError, OSError):
                logger.exception("the times of arrival of %s wait", city.id)
            except Exception:
                # whatever it is, a city whose arrivals nobody learns from any more is worse
                logger.exception("the times of arrival of %s cannot be learned", city.id)

    def _tend(self, city_id: str) -> None:
        etas, now = self._system.etas(city_id), self._system.now()
        if self._leads(city_id):
            etas.gather(now)
            etas.learn(now)
        etas.refresh(now)

    def _run(self) -> None:
        while not self._stopped.wait(EVERY_S):
            self.turn()
