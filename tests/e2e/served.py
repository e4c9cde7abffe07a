"""Sigap as a person starts it: a process of its own, on a data directory of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

CITY = "helsinki"
CHECKOUT = Path(__file__).resolve().parents[2]
COMMAND = "from web.cli import main; main()"
START_WITHIN_S = 90.0
ADDRESS = re.compile(r"(http://[^\s/]+)/helsinki/\s")


@dataclass(frozen=True, slots=True)
class Sent:
    """A ticket and its private link."""

    ticket: str
    link: str


@dataclass(slots=True)
class Sigap:
    """A running demo; `base` is where it listens, `log` what it printed."""

    data: Path
    log: Path
    base: str = ""
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def port(self) -> int:
        return int(self.base.rsplit(":", 1)[1])

    @property
    def home(self) -> str:
        return f"{self.base}/{CITY}"

    def start(self) -> None:
        """Start on a free port, or on the one it had; returns when it printed its addresses."""
        port = str(self.port) if self.base else "0"
        options = ["up", "--demo", "--no-robots", "--port", port]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", COMMAND, *options],
                cwd=CHECKOUT,
                env=_environment(self.data),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.base = self._printed_address()

    def kill(self) -> None:
        """End it as a power cut does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def password(self, username: str) -> str:
        """The demo's password of that person."""
        kept: dict[str, str] = json.loads((self.data / f"demo-{CITY}.json").read_bytes())
        return kept[username]

    def api(self, username: str) -> "Api":
        """The HTTP door for that person; use it in a `with` block."""
        return Api(self, username)

    def report(self, service: str, description: str, lon: float, lat: float) -> "Sent":
        """A report as an app would send it."""
        wish = {"service_code": service, "description": description, "lon": lon, "lat": lat}
        answer = httpx.post(
            f"{self.base}/api/{CITY}/reports",
            json=wish | {"reporter": {"name": "Wati"}},
            headers={"Idempotency-Key": str(uuid4())},
            timeout=30,
        )
        assert answer.status_code == 201, answer.text
        sent = answer.json()
        return Sent(sent["ticket"], f"{self.base}{sent['link']}")

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait(timeout=20)
        self.process = None

    def _printed_address(self) -> str:
        until = time.monotonic() + START_WITHIN_S
        while time.monotonic() < until:
            printed = self.log.read_text("utf-8")
            if found := ADDRESS.search(printed):
                return found[1]
            if self.process is None or self.process.poll() is not None:
                raise AssertionError(f"Sigap ended while starting:\n{printed}")
            time.sleep(0.1)
        raise AssertionError(f"Sigap printed no address:\n{self.log.read_text('utf-8')}")


def _environment(data: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("SIGAP_")}
    return own | {"SIGAP_DATA_DIR": str(data), "PYTHONUNBUFFERED": "1"}


class Api:
    """The HTTP door, as a person signed in there."""

    def __init__(self, sigap: Sigap, username: str) -> None:
        self._http = httpx.Client(base_url=sigap.base, headers={"Origin": sigap.base}, timeout=30)
        wish = {"city": CITY, "username": username, "password": sigap.password(username)}
        self._http.post("/api/session", json=wish).raise_for_status()

    def get(self, path: str, **query: str) -> Any:
        """The JSON at `/api/helsinki{path}`."""
        answer = self._http.get(f"/api/{CITY}{path}", params=query)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, wish: object = None) -> Any:
        """What `/api/helsinki{path}` answers to that wish."""
        answer = self._http.post(
            f"/api/{CITY}{path}", json=wish or {}, headers={"Idempotency-Key": str(uuid4())}
        )
        assert answer.is_success, answer.text
        return answer.json()

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()


@contextmanager
def running(data: Path) -> Iterator[Sigap]:
    """Sigap on that data directory, until the block is left."""
    data.mkdir(parents=True, exist_ok=True)
    sigap = Sigap(data, data / "printed.log")
    try:
        sigap.start()
        yield sigap
    finally:
        sigap.stop()
