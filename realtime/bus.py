"""The bus says “the log of this city grew”; what grew is read from the log itself."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

logger = logging.getLogger("realtime.bus")

ANY_CITY = "*"
"""Announced when the bus was away for a while: any city's log may have grown."""
TOLD_BYTES = 7_000
"""How long a telemetry text may be, in UTF-8: NOTIFY carries less than 8,000 bytes."""

Listener = Callable[[str], None]
Stop = Callable[[], None]


class Bus(Protocol):
    """A wake-up between those who write a log and those who read it. Losing one is harmless."""

    def announce(self, city_id: str) -> None:
        """Say that the city's log grew. Callable from any thread, after the commit."""

    def watch(self, listener: Listener) -> Stop:
        """Call `listener(city_id)` on every announcement, whoever's; returns how to stop that.

        `ANY_CITY` comes when announcements may have been missed.
        """

    def tell(self, topic: str, text: str) -> None:
        """Telemetry for every *other* process: may be lost, is never stored, `TOLD_BYTES` at most.

        Callable from any thread; raises ValueError when the text is too long.
        """

    def hear(self, topic: str, listener: Listener) -> Stop:
        """Call `listener(text)` for what other processes tell; returns how to stop that."""

    def reachable(self) -> bool:
        """Whether other processes can be told now; True when there are none."""

    def close(self) -> None:
        """Stop; later announcements reach nobody."""


class Listeners:
    """Who is called, by topic. They are called in the announcing thread, so must not block."""

    def __init__(self) -> None:
        self._called: dict[str, list[Listener]] = {}
        self._lock = threading.Lock()

    def add(self, topic: str, listener: Listener) -> Stop:
        """Call it from now on; returns how to stop that."""
        with self._lock:
            self._called.setdefault(topic, []).append(listener)

        def stop() -> None:
            with self._lock:
                if listener in self._called.get(topic, ()):
                    self._called[topic].remove(listener)

        return stop

    def call(self, topic: str, text: str) -> None:
        """Call everybody; one that fails keeps nobody else from hearing."""
        with self._lock:
            listeners = list(self._called.get(topic, ()))
        for listener in listeners:
            try:
                listener(text)
            except Exception:
                logger.exception("a listener to %s failed", topic)

    def clear(self) -> None:
        """Call nobody any more."""
        with self._lock:
            self._called.clear()


GROWN = "grown"


class LocalBus:
    """All in one process: there is nobody else to tell."""

    def __init__(self) -> None:
        self._listeners = Listeners()

    def announce(self, city_id: str) -> None:
        self._listeners.call(GROWN, city_id)

    def watch(self, listener: Listener) -> Stop:
        return self._listeners.add(GROWN, listener)

    def tell(self, topic: str, text: str) -> None:
        check_told(text)

    def hear(self, topic: str, listener: Listener) -> Stop:
        return self._listeners.add(f"told {topic}", listener)

    def reachable(self) -> bool:
        return True

    def close(self) -> None:
        self._listeners.clear()


def check_told(text: str) -> bytes:
    """The text as bytes. Raises ValueError when it is longer than any bus carries."""
    told = text.encode()
    if len(told) > TOLD_BYTES:
        raise ValueError(f"{len(told)} bytes of telemetry; at most {TOLD_BYTES} fit.")
    return told
