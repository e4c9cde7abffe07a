"""Sigap as several processes on one PostGIS: `sigap up --workers N`, with a small town to serve."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text

from dispatch import actions
from dispatch.core import events as ev
from dispatch.core.crews import Fix
from dispatch.system import System
from dispatch.system.build import Settings, build
from geo.bundle import Extract, build_bundle
from tests.maps import grid
from web import accounts

ROOT = Path(__file__).parents[2]
COMMAND = "from web.cli import main; main()"
CITY = "kota"
PASSWORD = "sandi rahasia"
WITHIN_S = 90.0
LISTENS = re.compile(r"listens on (http://\S+)")
MIDDLE = (10.0063, 0.0063)


def until(true: Callable[[], Any], *, within_s: float = WITHIN_S, what: str = "") -> Any:
    """Wait for it; returns what it returned. A busy machine is slow, so the limit is generous."""
    end = time.monotonic() + within_s
    while not (found := true()):
        assert time.monotonic() < end, f"this did not happen: {what or true}"
        time.sleep(0.05)
    return found


@dataclass(slots=True)
class Several:
    """The running processes, and a System of the test's own on the same database."""

    process: subprocess.Popen[bytes]
    base: str
    system: System
    crew_id: UUID
    log: Path

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        asked = subprocess.run(
            ["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return sorted(int(line) for line in asked.stdout.split())

    def leader(self) -> int | None:
        """Which process dispatches now."""
        with self.system.engine.connect() as connection:
            found = connection.scalars(
                text(
                    "SELECT application_name FROM pg_stat_activity WHERE application_name LIKE :n"
                ),
                {"n": f"sigap dispatcher/{CITY} %"},
            ).all()
        return int(found[0].rpartition(" ")[2]) if len(found) == 1 else None

    @contextmanager
    def only(self, pid: int) -> Iterator[None]:
        """All other workers hold still, so that this one takes what comes."""
        others = [worker for worker in self.workers() if worker != pid]
        for other in others:
            os.kill(other, signal.SIGSTOP)
        try:
            yield
        finally:
            for other in others:
                os.kill(other, signal.SIGCONT)

    def staff(self) -> str:
        """The cookie of a signed-in dispatcher."""
        return self.signed_in("/api/session", {"username": "meja", "password": PASSWORD})

    def phone(self, crew_id: UUID | None = None) -> str:
        """The cookie of the paired phone of this crew, or of the first one."""
        code = accounts.new_code(self.system, CITY, crew_id or self.crew_id).code
        return self.signed_in("/api/crew-session", {"code": code})

    def signed_in(self, path: str, body: Mapping[str, Any]) -> str:
        answer = httpx.post(
            f"{self.base}{path}",
            json={"city": CITY, **body},
            headers={"Origin": self.base},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        return answer.headers["Set-Cookie"].partition(";")[0]

    def post(self, path: str, body: Any = None, *, cookie: str = "") -> httpx.Response:
        """A wish over a connection of its own, so that any worker may take it."""
        headers = {"Idempotency-Key": str(uuid4()), "Origin": self.base, "Cookie": cookie}
        return httpx.post(
            f"{self.base}/api/{CITY}{path}", json=body or {}, headers=headers, timeout=60
        )

    def report(self) -> str:
        """A citizen reports a fallen tree; returns the ticket."""
        answer = self.post(
            "/reports",
            {
                "service_code": "fallen_tree",
                "description": "Pohon tumbang menutup jalan raya",
                "lon": MIDDLE[0],
                "lat": MIDDLE[1],
            },
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["ticket"])

    def printed(self) -> str:
        return self.log.read_text("utf-8")


@contextmanager
def several(
    folder: Path, database_url: str, *, workers: int = 2, environment: Mapping[str, str] = {}
) -> Iterator[Several]:
    """`sigap up --workers N` on a town of 8 × 8 crossings, until the block is left."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "cities" / CITY).exists():
        town = grid(8).write(folder / "town.osm")
        build_bundle(CITY, source=Extract(town), root=folder / "cities", name="Kota")
    system = build(Settings(database_url=database_url, data_dir=folder))
    crew_id = people(system)
    log = folder / f"printed-{uuid4().hex[:6]}.log"
    own = {name: value for name, value in os.environ.items() if not name.startswith("SIGAP_")}
    with log.open("wb") as printed:
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "up", "--port", "0", "--workers", str(workers)],
            cwd=ROOT,
            env={
                **own,
                "SIGAP_DATA_DIR": str(folder),
                "SIGAP_DATABASE_URL": database_url,
                "SIGAP_RATE_FACTOR": "0",
                "PYTHONUNBUFFERED": "1",
                "COLUMNS": "200",
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        found = until(lambda: _listens(process, log), what="it listens")
        yield Several(process, found, system, crew_id, log)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=60)
        system.stop()


def _listens(process: subprocess.Popen[bytes], log: Path) -> str | None:
    printed = log.read_text("utf-8")
    assert process.poll() is None, printed
    found = LISTENS.search(printed)
    return found[1] if found else None


def people(system: System, names: Sequence[str] = ("Regu 1",)) -> UUID:
    """A dispatcher, and crews on duty with a fresh position; the first crew's id."""
    with system.looking(CITY) as world:
        known = {crew.name: crew.id for crew in world.crews()}
    if not known:
        accounts.add_staff(
            system,
            CITY,
            username="meja",
            password=PASSWORD,
            role="dispatcher",
            name="Meja",
            agency_id=None,
        )
    admin = ev.Actor("administrator", "test")
    for name in names:
        if name in known:
            continue
        fact = ev.CrewRegistered(name, name, "bpbd", ("chainsaw",), "truk", 3, *MIDDLE)
        made: list[UUID] = []
        system.do(
            CITY,
            admin,
            lambda w, now, f=fact, m=made: m.append(actions.register_crew(w, now, admin, f).id),  # type: ignore[misc]
        )
        known[name] = made[0]
        system.do(
            CITY,
            admin,
            lambda w, now, i=made[0]: actions.set_crew_status(w, now, admin, i, status="available"),  # type: ignore[misc]
        )
        now = system.clock()
        assert system.take_fixes(CITY, made[0], [Fix(made[0], *MIDDLE, now, now)]) == []
    system.flush_positions()
    return known[names[0]]
