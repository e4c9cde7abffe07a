"""A name that one process holds at a time, for as long as it lives and can be reached."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psycopg

logger = logging.getLogger("geo.holds")

PING_S = 1.0
BELIEVED_S = 2.5
"""A holder that got no answer for so long no longer believes that it holds."""
LEASE_S = 4
"""PostgreSQL ends the session of a holder that says nothing for so long: frozen, or cut off."""

ALIVE: Mapping[str, int] = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""libpq's settings by which a server that went away without a word is noticed within seconds."""

_KEY = "hashtextextended(%(name)s, 0)"
_TRY = f"SELECT pg_try_advisory_lock({_KEY})"
# A key of 64 bits is shown in two halves (PostgreSQL 15, 54.12 pg_locks).
HELD = """
SELECT EXISTS (
  SELECT 1 FROM pg_locks, (SELECT hashtextextended(:name, 0) AS key) AS wanted
  WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid = ((key >> 32) & 4294967295)::bigint::oid
    AND objid = (key & 4294967295)::bigint::oid
)
"""


@dataclass(frozen=True, slots=True)
class Hold:
    """A name held by one process at most; let go when it ends, however it ends."""

    let_go: Callable[[], object]
    holds: Callable[[], bool]


def session_hold(conninfo: str, name: str) -> Hold | None:
    """Hold an advisory lock by a session that is kept alive from a thread of its own.

    None while another holds it. Raises psycopg.OperationalError when the server is away.
    """
    # whoever looks at pg_stat_activity sees which process it is
    label = f"sigap {name} {os.getpid()}"
    connection = psycopg.connect(conninfo, autocommit=True, application_name=label)
    try:
        # The lease: whoever is frozen or cut off loses the name before others wait 5 s for it.
        connection.execute(f"SET idle_session_timeout = '{LEASE_S}s'")
        row = connection.execute(_TRY, {"name": name}).fetchone()
    except psycopg.Error:
        connection.close()
        raise
    if row is None or not row[0]:
        connection.close()
        return None
    return _Session(connection, name).hold


class _Session:
    def __init__(self, connection: psycopg.Connection, name: str) -> None:
        self._connection, self._name = connection, name
        self._proved_at = time.monotonic()
        self._lost = threading.Event()
        self.hold = Hold(let_go=self._let_go, holds=self._holds)
        self._thread = threading.Thread(target=self._prove, name=f"hold-{name}", daemon=True)
        self._thread.start()

    def _holds(self) -> bool:
        return not self._lost.is_set() and time.monotonic() - self._proved_at < BELIEVED_S

    def _prove(self) -> None:
        while not self._lost.wait(PING_S):
            try:
                asked_at = time.monotonic()
                self._connection.execute("SELECT 1")
                # from when it was asked: the answer may have been long on its way
                self._proved_at = asked_at
            except (psycopg.Error, OSError) as error:
                if not self._lost.is_set():
                    logger.warning("%s is no longer held: %s", self._name, error)
                self._lost.set()
        self._connection.close()

    def _let_go(self) -> None:
        # Its thread closes the connection, which ends the session, and with it the lock.
        self._lost.set()
        self._thread.join(timeout=ALIVE["connect_timeout"])
