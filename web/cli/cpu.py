"""CPU seconds of processes that a benchmark measures, where the system tells them (Linux)."""

from __future__ import annotations

import os
import time
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Engine

from geo.sql import conninfo_of, reading


class Cpu:
    """CPU seconds of this process, and of the database's processes where they can be seen."""

    def __init__(self, engine: Engine) -> None:
        self._postmaster: int | None = None
        if conninfo_of(engine) is not None:
            with reading(engine) as connection:
                backend = connection.scalar(sa.text("SELECT pg_backend_pid()"))
            found = _stat(int(backend))
            self._postmaster = found[0] if found else None

    @property
    def sees_database(self) -> bool:
        """Whether the database's share is counted."""
        return self._postmaster is not None

    def seconds(self) -> float:
        """Spent so far."""
        return time.process_time() + self.database_s()

    def database_s(self) -> float:
        """Spent so far by the database's processes that are alive; 0 where it has none."""
        return 0.0 if self._postmaster is None else tree_s(self._postmaster)


def tree_s(root: int) -> float:
    """CPU seconds of a process and its children that are alive."""
    return sum(
        found[1] for pid in _pids() if (found := _stat(pid)) and (pid == root or found[0] == root)
    )


def newest_child() -> int | None:
    """The process that this one started last; None where that cannot be seen."""
    own = os.getpid()
    children = [pid for pid in _pids() if (found := _stat(pid)) and found[0] == own]
    return max(children, default=None)


def _pids() -> list[int]:
    folder = Path("/proc")
    if not folder.is_dir():
        return []
    return [int(each.name) for each in folder.iterdir() if each.name.isdigit()]


def _stat(pid: int) -> tuple[int, float] | None:
    """(parent, CPU seconds) of a process on Linux, None elsewhere or when it is gone."""
    try:
        text = (Path("/proc") / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    return int(fields[1]), (int(fields[11]) + int(fields[12])) / ticks
