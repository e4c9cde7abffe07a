"""Killed in the middle of a busy moment: what was answered is kept once, and nothing twice."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from dispatch.core.assignments import ACTIVE, Assignment
from dispatch.core.events import ReportReceived
from dispatch.core.world import fold
from dispatch.storage import journal
from tests.story.small_city import MIDDLE, PASSWORD, add_crew, small_system
from web import accounts

ROOT = Path(__file__).parents[2]
CREWS = 2
# Crews are sent by the dispatcher loop itself, so that it is at work when the end comes.
SERVE = """
import sys
from dataclasses import replace
from pathlib import Path
import uvicorn
from tests.story.small_city import small_system
from web.app import create_app
from web.settings import Settings
folder, port = Path(sys.argv[1]), int(sys.argv[2])
system = small_system(folder)
policy = system.city("kota").policy
offers = replace(policy.offers, automatic_priorities=(1, 2, 3))
system.replace_policy("kota", replace(policy, offers=offers))
app = create_app(Settings(data_dir=folder, rate_factor=0), system=system)
uvicorn.run(app, port=port, log_level="critical", access_log=False)
"""


@dataclass(frozen=True)
class Request:
    """One wish with its key, so that it can be repeated."""

    path: str
    body: Mapping[str, Any]
    cookie: str | None = None
    key: str = field(default_factory=lambda: str(uuid4()))

    def send(self, base: str) -> httpx.Response:
        headers = {"Idempotency-Key": self.key, "Origin": base}
        if self.cookie:
            headers["Cookie"] = self.cookie
        with httpx.Client(base_url=base, timeout=30) as client:
            return client.post(f"/api/kota{self.path}", json=dict(self.body), headers=headers)


@dataclass
class Busy:
    """Citizens and crews who write at once, and what they were told."""

    base: str
    desk: str
    phones: dict[str, str]
    told: list[tuple[Request, int, dict[str, Any]]] = field(default_factory=list)
    unanswered: list[Request] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def ask(self, request: Request) -> dict[str, Any] | None:
        try:
            answer = request.send(self.base)
        except httpx.TransportError:
            self.unanswered.append(request)
            return None
        if answer.status_code in (200, 201):
            self.told.append((request, answer.status_code, answer.json()))
            return self.told[-1][2]
        return None

    def crew_steps(self) -> int:
        return sum(request.path.startswith("/assignments/") for request, _, _ in self.told)

    def citizen(self, seed: int) -> None:
        chance = random.Random(seed)
        while not self.ended.is_set():
            lon = MIDDLE[0] + chance.uniform(-0.02, 0.02)
            body = {
                "service_code": "fallen_tree",
                "description": f"Pohon tumbang nomor {chance.random()}",
                "lon": lon,
                "lat": MIDDLE[1],
            }
            self.ask(Request("/reports", body))

    def dispatcher(self, find: Mapping[str, Any]) -> None:
        """Verify whatever is new."""
        done: set[str] = set()
        while not self.ended.is_set():
            for report_id in find["new"]():
                if report_id not in done and not self.ended.is_set():
                    done.add(report_id)
                    self.ask(Request(f"/reports/{report_id}/verify", {}, self.desk))
            time.sleep(0.05)

    def crew(self, find: Mapping[str, Any], crew_id: str) -> None:
        """Take every step of every job as soon as it can be taken."""
        steps = {
            "offered": ("acknowledge", {}),
            "acknowledged": ("en-route", {}),
            "en_route": ("on-scene", {}),
            "on_scene": ("clear", {"disposition_code": "05"}),
        }
        while not self.ended.is_set():
            job = find["job"](crew_id)
            if job is None:
                time.sleep(0.05)
                continue
            verb, body = steps[job.status]
            self.ask(Request(f"/assignments/{job.id}/{verb}", body, self.phones[crew_id]))


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(folder), str(port)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    base = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{base}/healthz", timeout=5)
                break
            except httpx.TransportError:
                assert process.poll() is None, "the server ended"
                assert time.monotonic() < until, "the server did not start"
                time.sleep(0.05)
        yield base, process
    finally:
        process.kill()
        process.wait(timeout=20)


def signed_in(base: str, path: str, body: Mapping[str, Any]) -> str:
    answer = httpx.post(f"{base}{path}", json=dict(body), headers={"Origin": base}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.headers["Set-Cookie"].partition(";")[0]


@pytest.mark.slow
def test_a_server_killed_while_busy_kept_all_it_answered_once(tmp_path: Path) -> None:
    system = small_system(tmp_path)
    accounts.add_staff(
        system,
        "kota",
        username="meja",
        password=PASSWORD,
        role="dispatcher",
        name="Meja",
        agency_id=None,
    )
    crews = [add_crew(system, "kota", f"R{n}", lon=MIDDLE[0] + n / 1000) for n in range(CREWS)]
    codes = {str(crew): accounts.new_code(system, "kota", crew).code for crew in crews}
    system.flush_positions()

    def new_reports() -> list[str]:
        with system.reading("kota") as connection:
            found = journal.events(connection, "kota", kinds=("report",))
            return [str(e.subject) for e in found if e.type == "ReportReceived"]

    def job_of(crew_id: str) -> Assignment | None:
        with system.looking("kota") as world:
            crew = next(crew for crew in world.crews() if str(crew.id) == crew_id)
            return world.active_assignment(crew.id)

    find = {"new": new_reports, "job": job_of}
    with serving(tmp_path) as (base, process):
        desk = signed_in(
            base, "/api/session", {"city": "kota", "username": "meja", "password": PASSWORD}
        )
        phones = {
            crew: signed_in(base, "/api/crew-session", {"city": "kota", "code": code})
            for crew, code in codes.items()
        }
        busy = Busy(base, desk, phones)
        people = [threading.Thread(target=busy.citizen, args=(seed,)) for seed in (1, 2)]
        people.append(threading.Thread(target=busy.dispatcher, args=(find,)))
        people += [threading.Thread(target=busy.crew, args=(find, crew)) for crew in phones]
        for person in people:
            person.start()
        until = time.monotonic() + 60
        moment = 15 + random.SystemRandom().randrange(15)
        while (len(busy.told) < moment or busy.crew_steps() < 2) and time.monotonic() < until:
            time.sleep(random.SystemRandom().uniform(0.0, 0.01))
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=20)
        busy.ended.set()
        for person in people:
            person.join(timeout=40)
    assert len(busy.told) >= 15, "it was busy"
    assert busy.crew_steps() >= 2, "and crews were at work"
    kept_exactly_once(system, busy)
    with serving(tmp_path) as (base, _):
        said_again(system, base, busy)
    system.stop()


def kept_exactly_once(system: Any, busy: Busy) -> None:
    with system.reading("kota") as connection:
        entries = journal.after(connection, "kota", 0, 100_000)
    assert [entry.offset for entry in entries] == list(range(1, len(entries) + 1))
    facts = [entry.event for entry in entries]
    tickets = Counter(e.fact.ticket for e in facts if isinstance(e.fact, ReportReceived))
    for request, _, answer in busy.told:
        if request.path == "/reports":
            assert tickets[answer["ticket"]] == 1
    wanted = {
        "verify": "ReportVerified",
        "acknowledge": "AssignmentAcknowledged",
        "en-route": "AssignmentEnRoute",
        "on-scene": "AssignmentOnScene",
        "clear": "AssignmentCleared",
    }
    recorded = Counter((e.type, str(e.subject)) for e in facts)
    for request, _, _ in busy.told:
        _, _, subject, *verb = request.path.split("/") if request.path != "/reports" else [""] * 3
        if verb:
            assert recorded[wanted[verb[0]], subject] == 1, request.path
    state = fold(facts)
    jobs = Counter(
        thing.crew_id
        for thing in state.values()
        if isinstance(thing, Assignment) and thing.status in ACTIVE
    )
    assert all(count == 1 for count in jobs.values()), "nobody is booked twice"
    with system.looking("kota") as world:
        for thing in state.values():
            if isinstance(thing, Assignment):
                assert world.assignment(thing.id) == thing, "the log and the tables agree"


def said_again(system: Any, base: str, busy: Busy) -> None:
    """Every answered wish repeated gets its first answer; an unanswered one happens once."""
    with system.reading("kota") as connection:
        reports_before = received(connection)
    for request, status, answer in random.Random(1).sample(busy.told, 8):
        again = request.send(base)
        assert (again.status_code, again.json()) == (status, answer)
        assert again.headers["Idempotency-Replayed"] == "true"
    with system.reading("kota") as connection:
        assert received(connection) == reports_before
    for request in busy.unanswered:
        if request.path == "/reports":
            first, second = request.send(base), request.send(base)
            assert first.status_code == second.status_code == 201
            assert first.json() == second.json()


def received(connection: Any) -> int:
    found = journal.events(connection, "kota", kinds=("report",))
    return sum(event.type == "ReportReceived" for event in found)
