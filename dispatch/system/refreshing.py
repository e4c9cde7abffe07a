"""A newer map of a city is taken into service while Sigap runs, and nobody waits for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from dispatch.system.cities import City
from geo.bundle import BundleError
from geo.bundle_files import city_folder, current_version

logger = logging.getLogger("sigap.cities")

EVERY_S = 2.0


class CityWatch:
    """Looks every two seconds whether a city has another version, and swaps it in.

    The new one is opened beside the old one first; what cannot be opened is left alone until
    there is yet another version. Every process that serves the city does so for itself.
    """

    def __init__(
        self,
        root: Path,
        served: Mapping[str, str],
        *,
        reopen: Callable[[str], City],
        swap: Callable[[City], None],
    ) -> None:
        """`served` is the version of each city now; `reopen` gives the current one."""
        self._root, self._reopen, self._swap = root, reopen, swap
        self._seen = dict(served)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="city-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the city at hand."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30.0)

    def turn(self) -> list[str]:
        """Take what is new into service; returns the cities that were swapped."""
        return [city_id for city_id in sorted(self._seen) if self._look(city_id)]

    def _look(self, city_id: str) -> bool:
        try:
            version = current_version(city_folder(self._root, city_id))
        except OSError:
            # the folder is away for a moment; what is served is open already
            return False
        if version is None or version == self._seen[city_id]:
            return False
        before, self._seen[city_id] = self._seen[city_id], version
        try:
            city = self._reopen(city_id)
        except (BundleError, OSError) as e:
            logger.error("%s stays with %s: %s", city_id, before, e)
            return False
        self._swap(city)
        logger.info("%s goes on with %s instead of %s", city_id, city.version, before)
        return True

    def _run(self) -> None:
        while not self._stopped.wait(EVERY_S):
            try:
                self.turn()
            except Exception:
                # whatever it is, the old city serves on; the next version gets its chance
                logger.exception("a newer city could not be taken into service")
