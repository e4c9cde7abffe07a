"""The bus between the processes that share one PostgreSQL: NOTIFY wakes, and carries no facts."""

from __future__ import annotations

import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql

from realtime.bus import ANY_CITY, GROWN, Listener, Listeners, Stop, check_told

logger = logging.getLogger("realtime.bus")

Connection = psycopg.Connection[tuple[Any, ...]]

RETRY_S = 0.5
LONGEST_RETRY_S = 5.0
CHECK_S = 0.5
PROOF_S = 5.0
"""So often a listening connection that hears nothing proves that it is alive."""
WAITING_TEXTS = 1_000
"""So many texts wait while the database is away; older ones are lost, as telemetry may be."""


class PgBus:
    """One connection listens, one speaks; both come back by themselves.

    What is announced here is heard here at once, without the database.
    """

    def __init__(self, conninfo: str, *, channel: str = "sigap") -> None:
        self._conninfo, self._channel = conninfo, channel
        self._me = secrets.token_hex(4)
        self._listeners = Listeners()
        self._grown: set[str] = set()
        self._texts: deque[tuple[str, str]] = deque(maxlen=WAITING_TEXTS)
        self._news = threading.Condition()
        self._closed = threading.Event()
        self._listening = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep_on, args=(work,), name=name, daemon=True)
            for name, work in (("bus-listen", self._listen), ("bus-speak", self._speak))
        ]
        self._started = False

    # --- the port -----------------------------------------------------------------

    def announce(self, city_id: str) -> None:
        if self._closed.is_set():
            return
        self._start()
        self._listeners.call(GROWN, city_id)
        with self._news:
            self._grown.add(city_id)
            self._news.notify()

    def watch(self, listener: Listener) -> Stop:
        self._start()
        return self._listeners.add(GROWN, listener)

    def tell(self, topic: str, text: str) -> None:
        check_told(text)
        self._start()
        with self._news:
            self._texts.append((topic, text))
            self._news.notify()

    def hear(self, topic: str, listener: Listener) -> Stop:
        self._start()
        return self._listeners.add(f"told {topic}", listener)

    def reachable(self) -> bool:
        return self._listening.is_set()

    def close(self) -> None:
        self._closed.set()
        with self._news:
            self._news.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=5.0)
        self._listeners.clear()

    def _start(self) -> None:
        """At the first use: who only builds a system needs no connections."""
        with self._news:
            if self._started or self._closed.is_set():
                return
            self._started = True
        for thread in self._threads:
            thread.start()

    # --- threads --------------------------------------------------------------------

    def _keep_on(self, work: Callable[[Connection], None]) -> None:
        wait_s = RETRY_S
        while not self._closed.is_set():
            try:
                with psycopg.connect(self._conninfo, autocommit=True) as connection:
                    wait_s = RETRY_S
                    work(connection)
            except (psycopg.Error, OSError) as error:
                logger.warning("the bus lost the database and tries again: %s", error)
                self._closed.wait(wait_s)
                wait_s = min(2 * wait_s, LONGEST_RETRY_S)

    def _listen(self, connection: Connection) -> None:
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
        self._listening.set()
        try:
            # what was announced before this moment was not heard
            self._listeners.call(GROWN, ANY_CITY)
            silent_s = 0.0
            while not self._closed.is_set():
                silent_s += CHECK_S
                for notice in connection.notifies(timeout=CHECK_S, stop_after=1):
                    silent_s = 0.0
                    self._heard(notice.payload)
                if silent_s >= PROOF_S:
                    connection.execute("SELECT 1")
                    silent_s = 0.0
        finally:
            self._listening.clear()

    def _heard(self, payload: str) -> None:
        sender, _, rest = payload.partition(" ")
        if sender == self._me:
            return
        topic, _, text = rest.partition(" ")
        self._listeners.call(GROWN if topic == GROWN else f"told {topic}", text)

    def _speak(self, connection: Connection) -> None:
        # A wake-up need not survive a crash, and NOTIFY would wait for the disk.
        connection.execute("SET synchronous_commit = off")
        while not self._closed.is_set():
            with self._news:
                if not self._grown and not self._texts:
                    self._news.wait(PROOF_S)
                grown = sorted(self._grown)
                texts = list(self._texts)
                self._grown.clear()
                self._texts.clear()
            said = [f"{self._me} {GROWN} {city_id}" for city_id in grown]
            said += [f"{self._me} {topic} {text}" for topic, text in texts]
            try:
                for payload in said:
                    connection.execute("SELECT pg_notify(%s, %s)", (self._channel, payload))
                if not said:
                    connection.execute("SELECT 1")
            except (psycopg.Error, OSError):
                with self._news:
                    self._grown.update(grown)
                raise
