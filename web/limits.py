"""How much and how often anybody may send through the public doors."""

from __future__ import annotations

import asyncio
import math
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import orjson
from fastapi import Request
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from realtime.bus import Bus
from web.auth import DISPATCHING, TheViewers
from web.errors import Problem, http_problem, preferred

KEPT_CLIENTS = 20_000
TOOK = "took"
SHARE_S = 0.2
TOGETHER = 40
"""So many takes fit in one telemetry text, however long the names."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket of `burst` requests, refilled with `per_minute`."""

    per_minute: float
    burst: float


DOORS: Mapping[str, Rate] = {
    # A mobile network may hide a whole district behind one address.
    "report": Rate(per_minute=20, burst=40),
    "photo": Rate(per_minute=60, burst=60),
    "geocode": Rate(per_minute=240, burst=80),
    # a map that is moved asks once a second at most; whoever collects the list asks without end
    "assets": Rate(per_minute=90, burst=60),
    "track": Rate(per_minute=240, burst=120),
    "answer": Rate(per_minute=12, burst=12),
    "sign_in": Rate(per_minute=10, burst=20),
    "open311": Rate(per_minute=60, burst=30),
    "page_form": Rate(per_minute=30, burst=30),
    "socket": Rate(per_minute=60, burst=60),
    # per device: a phone that comes out of a dead zone empties its buffer one by one
    "fixes": Rate(per_minute=600, burst=3000),
    # per address, for wrong secrets only
    "device_secret": Rate(per_minute=30, burst=60),
    # per account, not per address: guessing one password from many addresses
    "account": Rate(per_minute=2, burst=8),
}


class Buckets:
    """Token buckets by (door, client); the oldest clients are forgotten first.

    Kept in this process; several processes tell each other what was taken (`share`), so that all
    together allow the rate, and a moment's worth more.
    """

    def __init__(self, *, factor: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._factor = factor
        self._clock = clock
        self._lock = threading.Lock()
        self._levels: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        self._taken: list[tuple[str, str, int]] | None = None

    def take(self, door: str, client: str) -> float:
        """Take one token; 0 when there was one, else the seconds until there is."""
        if self._factor == 0:
            return 0.0
        rate = DOORS[door]
        burst = max(1.0, rate.burst * self._factor)
        per_s = rate.per_minute * self._factor / 60.0
        with self._lock:
            now = self._clock()
            level, at = self._levels.pop((door, client), (burst, now))
            level = min(burst, level + (now - at) * per_s)
            wait = 0.0 if level >= 1.0 else (1.0 - level) / per_s
            self._levels[door, client] = (level if wait else level - 1.0, now)
            while len(self._levels) > KEPT_CLIENTS:
                self._levels.popitem(last=False)
            if self._taken is not None and not wait:
                self._taken.append((door, client, 1))
        return wait

    def give_back(self, door: str, client: str) -> None:
        """Undo a take: a successful sign-in does not count against the person."""
        with self._lock:
            if (door, client) in self._levels:
                level, at = self._levels[door, client]
                self._levels[door, client] = (level + 1.0, at)
                if self._taken is not None:
                    self._taken.append((door, client, -1))

    async def share(self, bus: Bus) -> None:
        """Tell the other processes what was taken here, and take what they tell, for ever."""
        self._taken = []
        stop = bus.hear(TOOK, self._hear)
        try:
            while True:
                await asyncio.sleep(SHARE_S)
                with self._lock:
                    taken, self._taken = self._taken, []
                for first in range(0, len(taken), TOGETHER):
                    bus.tell(TOOK, orjson.dumps(taken[first : first + TOGETHER]).decode())
        finally:
            stop()

    def _hear(self, told: str) -> None:
        for door, client, count in orjson.loads(told):
            if door in DOORS:
                self._spend(door, client, count)

    def _spend(self, door: str, client: str, count: int) -> None:
        rate = DOORS[door]
        burst = max(1.0, rate.burst * self._factor)
        with self._lock:
            now = self._clock()
            level, at = self._levels.pop((door, client), (burst, now))
            level = min(burst, level + (now - at) * rate.per_minute * self._factor / 60.0)
            self._levels[door, client] = (min(burst, max(0.0, level - count)), now)


def client_of(request: HTTPConnection) -> str:
    """The address a request came from, after trusted proxies were believed."""
    return request.client.host if request.client else "unknown"


def check(request: Request, door: str, client: str | None = None) -> None:
    """Raises Problem 429 with Retry-After when the client knocked too often at this door."""
    buckets: Buckets = request.app.state.buckets
    refuse(buckets.take(door, client or client_of(request)))


def door(name: str) -> Callable[..., Awaitable[None]]:
    """A dependency that lets a client through a public door as often as its rate allows.

    Dispatchers and administrators are let through: a replay sends a day in minutes.
    """

    async def knock(request: Request, viewers: TheViewers) -> None:
        known = viewers.staff
        if known is None or known.role not in DISPATCHING:
            check(request, name)

    return knock


def refuse(wait_s: float) -> None:
    """Raises Problem 429 when there is something to wait for."""
    if wait_s > 0:
        seconds = math.ceil(wait_s)
        raise Problem(429, "too_many", headers={"Retry-After": str(seconds)}, seconds=seconds)


# --- how large ------------------------------------------------------------------

SMALL = 256 * 1024
LARGE = 26 * 1024 * 1024
FORM = 52 * 1024 * 1024
"""The report form without scripts: five photos of 10 MB and the words."""
_LARGE_PATHS = re.compile(r"/api/[^/]+/photos|/open311/.*")
_FORM_PATHS = re.compile(r"/[^/]+/")


def body_limit(path: str, content_type: str) -> int:
    """How many bytes a request body may have: photos need room, nothing else does."""
    if not content_type.lower().startswith("multipart/form-data"):
        return SMALL
    if _FORM_PATHS.fullmatch(path):
        return FORM
    return LARGE if _LARGE_PATHS.fullmatch(path) else SMALL


class BodyLimit:
    """Refuses a body that is announced or turns out too large, before anything reads it all."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        kind = headers.get(b"content-type", b"").decode("latin-1")
        limit = body_limit(scope["path"], kind)
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > limit:
            response = http_problem(
                _too_large(limit),
                preferred(headers.get(b"accept-language", b"").decode("latin-1")),
                method=scope["method"],
            )
            await response(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise _too_large(limit)
            return message

        await self.app(scope, counted, send)


def _too_large(limit: int) -> Problem:
    shown = f"{limit // 1024} KB" if limit < 1024 * 1024 else f"{limit // (1024 * 1024)} MB"
    return Problem(413, "too_large", headers={"Connection": "close"}, limit=shown)
