"""Holds a city at one position a second from every tracker, over real connections."""

from __future__ import annotations

import asyncio
import os
import random
import re
import selectors
import socket
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import httpx
import orjson
from rich.console import Console
from rich.progress import Progress
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from dispatch.system.devices import Made
from geo.network import RoadNetwork
from geo.point import Point, bearing_deg, distance_m
from web.cli.cpu import newest_child, tree_s
from web.cli.stop import Stop
from web.cli.up import DEMO_CITY
from web.robots.demo import Account
from web.robots.door import Door

console = Console(stderr=True, highlight=False)
SPEED_MS = 8.0
NOISE_DEG = 3.0 / 111_195.08
LEAST_WAY_M = 200.0
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_BUCKET = re.compile(r'sigap_fix_untold_seconds_bucket\{.*le="([^"]+)".*\} ([0-9.e+]+)')
_TAKEN = b'\r\n\r\n{"accepted":1,"refused":[]}'
TURN_S = 0.004
"""So long the generator sleeps between its turns, which send and read what is due."""
SETTLED_S = 5.0
"""After a start everybody has to send once before ages mean anything."""


Way = Sequence[tuple[float, float, float]]
"""Where a vehicle is each second, (lon, lat, heading), there and back again."""


def way_between(roads: RoadNetwork, a: Point, b: Point, chance: random.Random) -> Way | None:
    """The drive by road at SPEED_MS, as a phone sees it; None when it is too short to be one."""
    found = roads.route(a, b)
    if found is None or found.length_m < LEAST_WAY_M:
        return None
    there = []
    left_m = 0.0
    for here, next_ in pairwise(found.points):
        metres, heading = distance_m(here, next_), bearing_deg(here, next_)
        while left_m < metres:
            share = left_m / metres
            lon = here.lon + share * (next_.lon - here.lon) + chance.gauss(0.0, NOISE_DEG)
            lat = here.lat + share * (next_.lat - here.lat) + chance.gauss(0.0, NOISE_DEG)
            there.append((lon, lat, heading))
            left_m += SPEED_MS
        left_m -= metres
    return [*there, *((lon, lat, (heading + 180.0) % 360.0) for lon, lat, heading in there[::-1])]


@dataclass(slots=True)
class Phone:
    """One crew's tracker, driving on."""

    made: Made
    crew_id: UUID
    way: Way
    second: int

    def step(self) -> tuple[float, float, float]:
        """Where it is a second later."""
        self.second = (self.second + 1) % len(self.way)
        return self.way[self.second]

    def body(self, said_at: bytes) -> bytes:
        """The same, as Traccar Client 9 says it."""
        lon, lat, heading = self.step()
        return (
            b'{"location":{"timestamp":"%b","coords":{"latitude":%.7f,"longitude":%.7f,'
            b'"accuracy":6.0,"speed":%.1f,"heading":%.1f,"altitude":20.0},"is_moving":true,'
            b'"odometer":1000.0,"event":"motionchange","battery":{"level":0.8,'
            b'"is_charging":false},"activity":{"type":"in_vehicle"},"extras":{}},'
            b'"device_id":"%b"}'
        ) % (said_at, lat, lon, SPEED_MS, heading, self.made.device.id.encode())


def moment_of(at: datetime) -> bytes:
    """A moment as a tracker writes it."""
    return at.isoformat(timespec="milliseconds").encode()


class Hold:
    """Every tracker sends once a second on a connection of its own; a dispatcher's screen watches.

    One thread turns over all connections: what it costs must not be what limits.
    """

    def __init__(self, phones: Sequence[Phone], account: Account, base: str) -> None:
        self._base = base.rstrip("/")
        host, _, port = self._base.removeprefix("http://").partition(":")
        self._to = host, int(port)
        self._account = account
        self._lines = [_Line(phone, f"{host}:{port}") for phone in phones]
        self._crews = {str(phone.crew_id) for phone in phones}
        self._screen = _Screen(self._crews)
        server = newest_child()
        if server is None:
            raise Stop("The server cannot be seen; its CPU share needs Linux.")
        self._server = server

    def run(self, seconds: float, *, spent: Callable[[], float] = lambda: 0.0) -> dict[str, Any]:
        """What was sent and taken, at what CPU, and how old what a screen showed ever was.

        `spent` tells the CPU seconds of a database beside the server.
        """
        watch = threading.Thread(target=self._watch, args=(asyncio.run(self._sign_in()),))
        ready = selectors.DefaultSelector()
        for line in self._lines:
            line.connect(self._to)
            ready.register(line.socket, selectors.EVENT_READ, line)
        watch.start()
        before = tree_s(self._server), spent(), time.process_time()
        wall = self._drive(ready, seconds)
        after = tree_s(self._server), spent(), time.process_time()
        self._screen.stopped.set()
        told = _untold(httpx.get(f"{self._base}/metrics").text)
        watch.join(timeout=10.0)
        for line in self._lines:
            line.socket.close()
        ready.close()
        server_s, database_s, own_s = (b - a for a, b in zip(before, after, strict=True))
        return self._figures(wall, server_s, database_s, own_s) | {"oldest_unpublished_s": told}

    def _figures(
        self, wall: float, server_s: float, database_s: float, own_s: float
    ) -> dict[str, Any]:
        accepted = sum(line.accepted for line in self._lines)
        waits = [each for line in self._lines for each in line.answer_s]
        oldest = self._screen.oldest_s
        return {
            "seconds": round(wall, 1),
            "accepted": accepted,
            "refused": sum(line.refused for line in self._lines),
            "hung_up": sum(line.hung_up for line in self._lines),
            "unanswered": sum(len(line.unsent) for line in self._lines),
            "delayed": sum(line.delayed for line in self._lines),
            "per_s": round(accepted / wall, 1),
            "server_cpu_share": round(server_s / wall, 3),
            "database_cpu_share": round(database_s / wall, 3),
            "generator_cpu_share": round(own_s / wall, 3),
            "fixes_per_server_cpu_s": round(accepted / server_s),
            "load_average": [round(each, 1) for each in os.getloadavg()],
            "frames": self._screen.frames,
            # a screen is told whole seconds: rounded up, and as it was when the next frame came
            "oldest_on_map_s": {
                "p50": round(statistics.median(oldest), 1) if oldest else None,
                "p99": round(_quantile(oldest, 0.99), 1) if oldest else None,
                "max": round(max(oldest), 1) if oldest else None,
            },
            "answer_s": {
                "p50": round(statistics.median(waits), 4) if waits else None,
                "p99": round(_quantile(waits, 0.99), 4) if waits else None,
                "max": round(max(waits), 3) if waits else None,
            },
        }

    async def _sign_in(self) -> str:
        desk = Door(self._base, DEMO_CITY)
        await desk.sign_in(self._account.username, self._account.password)
        cookies = desk.cookies()
        await desk.close()
        return cookies

    def _drive(self, ready: selectors.BaseSelector, seconds: float) -> float:
        """Each line sends once a second, evenly spread; returns the seconds it really took."""
        lines, n = self._lines, len(self._lines)
        begun, sent, total = time.perf_counter(), 0, round(seconds * n)
        with Progress(console=console, transient=True, auto_refresh=False) as progress:
            bar, shown = progress.add_task("held", total=seconds), 0
            while sent < total:
                now = time.perf_counter()
                due = min(total, int((now - begun) * n))
                said_at = moment_of(datetime.now(UTC))
                for number in range(sent, due):
                    lines[number % n].make(said_at, now)
                sent = due
                for key, _ in ready.select(0):
                    line: _Line = key.data
                    if not line.read(time.perf_counter()):
                        ready.unregister(line.socket)
                        line.connect(self._to)
                        ready.register(line.socket, selectors.EVENT_READ, line)
                if now - begun > shown:
                    shown += 2
                    progress.update(bar, completed=now - begun, refresh=True)
                time.sleep(TURN_S)
        return time.perf_counter() - begun

    def _watch(self, cookies: str) -> None:
        url = f"ws{self._base.removeprefix('http')}/ws/{DEMO_CITY}"
        headers = {"Cookie": cookies, "Origin": self._base}
        with connect(url, additional_headers=headers, max_size=None) as socket_:
            socket_.send(orjson.dumps({"sub": f"city/{DEMO_CITY}"}).decode())
            while not self._screen.stopped.is_set():
                try:
                    told = orjson.loads(socket_.recv(timeout=1.0))
                except TimeoutError:
                    continue
                except ConnectionClosed:
                    return
                if "ping" in told:
                    socket_.send(orjson.dumps({"pong": told["ping"]}).decode())
                if "pos" in told:
                    self._screen.show(told["pos"], time.perf_counter())


class _Screen:
    """How old the oldest position on a dispatcher's map is, at the worst moment of each second."""

    def __init__(self, crews: set[str]) -> None:
        self._made_at: dict[str, float] = {}
        self._crews = crews
        self._begun: float | None = None
        self.oldest_s: list[float] = []
        self.frames = 0
        self.stopped = threading.Event()

    def show(self, rows: Sequence[Sequence[Any]], now: float) -> None:
        """A frame came: what was shown until now was never older than now."""
        self._begun = now if self._begun is None else self._begun
        if now - self._begun > SETTLED_S:
            self.oldest_s.append(now - min(self._made_at.values()))
        self.frames += 1
        for row in rows:
            if row[0] in self._crews:
                self._made_at[row[0]] = now - row[4] - 1.0


@dataclass(slots=True)
class _Line:
    """One tracker's connection, as Traccar Client holds it.

    It sends its next position only when the last was answered; those made meanwhile wait their
    turn in the phone. None is left out.
    """

    phone: Phone
    host: str
    socket: socket.socket = field(init=False)
    _head: bytes = field(init=False)
    _got: bytes = b""
    _sent_at: float = 0.0
    waits: bool = False
    unsent: deque[bytes] = field(default_factory=deque)
    accepted: int = 0
    refused: int = 0
    delayed: int = 0
    hung_up: int = 0
    answer_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        # the head of the HTTP library inside Traccar Client
        self._head = (
            f"POST /osmand/{DEMO_CITY}/{self.phone.made.secret} HTTP/1.1\r\n"
            "Content-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n"
            f"Host: {self.host}\r\nConnection: Keep-Alive\r\nAccept-Encoding: gzip\r\n"
            "User-Agent: okhttp/4.12.0\r\n\r\n"
        ).encode()

    def connect(self, to: tuple[str, int]) -> None:
        """Dial, and send what is not answered yet."""
        self.socket = socket.create_connection(to, timeout=30)
        self.socket.setblocking(False)
        self._got, self.waits = b"", False
        if self.unsent:
            self._send(time.perf_counter())

    def make(self, said_at: bytes, now: float) -> None:
        """A second passed: here is the next position."""
        self.unsent.append(self.phone.body(said_at))
        if self.waits:
            self.delayed += 1
        else:
            self._send(now)

    def _send(self, now: float) -> None:
        body = self.unsent[0]
        try:
            self.socket.send(self._head % len(body) + body)
        except OSError:
            return  # the next reading finds the connection closed
        self.waits, self._sent_at = True, now

    def read(self, now: float) -> bool:
        """Read what came; False when the server hung up."""
        try:
            data = self.socket.recv(4096)
        except OSError:
            data = b""
        if not data:
            self.hung_up += 1
            return False
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        length = None if self._got.endswith(_TAKEN) else _LENGTH.search(head)
        if end and (length is None or len(body) >= int(length[1])):
            taken = head.startswith(b"HTTP/1.1 200 ") and b'"accepted":1' in body
            self.accepted += taken
            self.refused += not taken
            self.answer_s.append(now - self._sent_at)
            self._got, self.waits = b"", False
            self.unsent.popleft()
            if self.unsent:
                self._send(now)
        return True


def _quantile(values: Sequence[float], q: float) -> float:
    return sorted(values)[min(len(values) - 1, int(q * len(values)))]


def _untold(metrics: str) -> dict[str, Any]:
    """Of each second's frame the oldest position taken and not told until then, by bounds."""
    found = [(float(bound), float(count)) for bound, count in _BUCKET.findall(metrics)]
    frames = max((count for _, count in found), default=0.0)
    if not frames:
        return {"frames": 0}

    def within(share: float) -> float | None:
        bound = next(bound for bound, count in found if count >= share * frames)
        return None if bound == float("inf") else bound

    return {
        "frames": int(frames),
        "p50_at_most": within(0.5),
        "p99_at_most": within(0.99),
        "max_at_most": within(1.0),
    }
