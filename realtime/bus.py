"""The bus says “the log of this city grew”; what grew is read from the log itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol


class Bus(Protocol):
    """A wake-up between those who write a log and those who read it. Losing one is harmless."""

    def announce(self, city_id: str) -> None:
        """Say that the city's log grew. Callable from any thread, after the commit."""

    def watch(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call `listener(city_id)` on every announcement; returns how to stop that."""

    def close(self) -> None:
        """Stop; later announcements reach nobody."""


class LocalBus:
    """All in one process: listeners are called in the announcing thread, so must not block."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[str], None]] = []
        self._lock = threading.Lock()

    def announce(self, city_id: str) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(city_id)

    def watch(self, listener: Callable[[str], None]) -> Callable[[], None]:
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return stop

    def close(self) -> None:
        with self._lock:
            self._listeners.clear()
