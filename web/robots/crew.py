"""A crew robot: answers offers, drives real streets at the clock's pace, works, clears."""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from web.robots.door import Door, Listener, Refused, SignedOut
from web.robots.pace import Pace

logger = logging.getLogger("sigap.robots")

LonLat = tuple[float, float]
METRES = 111_195.08
NOTES = (
    "Sudah dibersihkan, jalan bisa dilewati.",
    "Diperbaiki di tempat, sudah diuji.",
    "Aman. Warga sekitar sudah diberi tahu.",
    "Selesai, tidak ada kerusakan lain.",
)


@dataclass(frozen=True, slots=True)
class Habits:
    """How a crew behaves; seconds of the server's clock."""

    accept_s: tuple[float, float] = (4.0, 20.0)
    decline_share: float = 0.07
    ignore_share: float = 0.03
    turnout_s: tuple[float, float] = (15.0, 60.0)
    mean_work_s: float = 420.0
    work_spread: float = 0.5
    fix_every_s: float = 2.0
    idle_fix_every_s: float = 15.0
    gps_noise_m: float = 4.0
    presses_en_route: float = 0.7
    shift_h: float = 8.0


@dataclass(slots=True)
class CrewRobot:
    """Plays one crew until a person takes its phone over."""

    door: Door
    crew_id: str
    home: LonLat
    pace: Pace
    chance: random.Random
    habits: Habits = field(default_factory=Habits)
    at: LonLat = (0.0, 0.0)
    speed_ms: float = 0.0
    heading: float | None = None
    way_home: list[LonLat] = field(default_factory=list)
    home_s: float = 0.0

    async def run(self) -> None:
        """Live until the session ends."""
        self.at = self.home
        try:
            await self._sign_on()
            async with self.door.listen(f"crew/{self.crew_id}") as listener:
                fixes = asyncio.create_task(self._send_fixes(listener))
                try:
                    await self._live(listener)
                finally:
                    fixes.cancel()
                    await asyncio.gather(fixes, return_exceptions=True)
        except SignedOut:
            logger.info("a person took over %s", self.crew_id)

    async def _live(self, listener: Listener) -> None:
        while not listener.signed_out:
            job = listener.document().get("assignment")
            if job is None:
                if not await listener.changed(within_s=max(0.2, 20.0 / self.pace.speed)):
                    await self._keep_shift(listener)
                    await self._go_home(listener)
                continue
            try:
                await self._do(job, listener)
            except Refused as refused:
                # withdrawn, expired or done by somebody else: the channel tells the truth
                logger.debug("%s: %s", self.crew_id, refused)
                await listener.changed(within_s=2.0)

    async def _sign_on(self) -> None:
        """Other people than before, with all their hours before them."""
        ends_at = self.pace.now() + timedelta(hours=self.habits.shift_h)
        body = {"status": "available", "shift_ends_at": ends_at.isoformat(), "relieved": True}
        await self.door.post(f"/crews/{self.crew_id}/status", body)

    async def _keep_shift(self, listener: Listener) -> None:
        """Before its shift is over others take its place: a crew robot never leaves its post."""
        crew = listener.document().get("crew")
        if crew is None:
            return
        soon = self.pace.now() + timedelta(hours=1)
        ends_at = crew["shift_ends_at"]
        if ends_at is not None and datetime.fromisoformat(ends_at) > soon:
            return
        try:
            await self._sign_on()
        except Refused as refused:
            # asked again at the next look: work does not wait for it
            logger.debug("%s: %s", self.crew_id, refused)

    async def _do(self, job: Mapping[str, Any], listener: Listener) -> None:
        status, path = job["status"], f"/assignments/{job['id']}"
        if status == "offered":
            await self._answer(path, job, listener)
        elif status in ("acknowledged", "en_route"):
            await self._drive_to(path, job, listener)
        elif status == "on_scene":
            await self._work(path, job, listener)
        else:
            await listener.changed(within_s=2.0)

    async def _answer(self, path: str, job: Mapping[str, Any], listener: Listener) -> None:
        mood = self.chance.random()
        await self.pace.sleep(self.chance.uniform(*self.habits.accept_s))
        if mood < self.habits.ignore_share:
            await self._wait_for_other(job, listener, within_s=90.0)
        elif mood < self.habits.ignore_share + self.habits.decline_share:
            reason = self.chance.choice(("too_far", "busy", "equipment"))
            await self._tell(path + "/decline", {"reason": reason})
            await self._wait_for_other(job, listener, within_s=5.0)
        else:
            await self._tell(path + "/acknowledge", {})
            await self._wait_for_other(job, listener, within_s=5.0)

    async def _drive_to(self, path: str, job: Mapping[str, Any], listener: Listener) -> None:
        incident = job["incident"]
        goal = (incident["lon"], incident["lat"])
        if job["status"] == "acknowledged":
            await self.pace.sleep(self.chance.uniform(*self.habits.turnout_s))
        if job["status"] == "acknowledged" and self.chance.random() < self.habits.presses_en_route:
            await self._tell(path + "/en-route", {})
        found = await self.door.get(path + "/route", lon=self.at[0], lat=self.at[1])
        way = [tuple(point) for point in found["points"]] or [self.at, goal]
        seconds = max(5.0, found["duration_s"]) * self.chance.lognormvariate(0.0, 0.15)
        if not await self._drive([*way, goal], seconds, job, listener):
            return
        there = await self.pace.wait_for(
            lambda: _status(listener, job) not in ("acknowledged", "en_route"), within_s=35.0
        )
        if not there:
            await self._tell(path + "/on-scene", {"lon": goal[0], "lat": goal[1]})
            await self._wait_for_other(job, listener, within_s=5.0)

    async def _work(self, path: str, job: Mapping[str, Any], listener: Listener) -> None:
        await self._remember_way_home(path)
        spread = self.habits.work_spread
        mean = self.habits.mean_work_s
        work = self.chance.lognormvariate(math.log(mean) - spread**2 / 2, spread)
        await self.pace.wait_for(lambda: _status(listener, job) != "on_scene", within_s=work)
        if _status(listener, job) != "on_scene":
            return
        code = self.chance.choices(("05", "10", "17", "13"), (88, 5, 4, 3))[0]
        note = self.chance.choice(NOTES) if code == "05" else None
        await self._tell(path + "/clear", {"disposition_code": code, "note": note})
        await self._wait_for_other(job, listener, within_s=5.0)

    async def _remember_way_home(self, path: str) -> None:
        """Ask for the way while the work is ours: from the station to the scene, driven back."""
        self.way_home = []
        try:
            found = await self.door.get(path + "/route", lon=self.home[0], lat=self.home[1])
        except Refused as refused:
            # no road leads back: it waits where it is
            logger.debug("%s: %s", self.crew_id, refused)
            return
        self.way_home = [tuple(point) for point in reversed(found["points"])]
        self.home_s = max(5.0, found["duration_s"])

    async def _go_home(self, listener: Listener) -> None:
        """Back to the station by road, unless work comes."""
        if not self.way_home or _metres(self.at, self.home) < 50:
            return
        await self._drive([*self.way_home, self.home], self.home_s, None, listener)
        self.way_home = []

    async def _drive(
        self,
        way: Sequence[LonLat],
        seconds: float,
        job: Mapping[str, Any] | None,
        listener: Listener,
    ) -> bool:
        """Move along the way in so many seconds; False when the work or the roads changed."""
        lengths = [_metres(a, b) for a, b in itertools.pairwise(way)]
        total = sum(lengths) or 1.0
        begun, closed = self.pace.now(), _closed(listener)
        self.speed_ms = total / max(seconds, 1.0)
        try:
            while (share := (self.pace.now() - begun).total_seconds() / seconds) < 1.0:
                self.at, self.heading = _along(way, lengths, share * total)
                if not _same_work(listener, job) or (job and _closed(listener) != closed):
                    return False
                await asyncio.sleep(min(1.0, self.habits.fix_every_s / 2) / self.pace.speed)
            self.at = way[-1]
            return True
        finally:
            self.speed_ms = 0.0

    async def _send_fixes(self, listener: Listener) -> None:
        while not listener.signed_out:
            try:
                body = {"fixes": [self._fix()]}
                await self.door.post(f"/crews/{self.crew_id}/fixes", body)
            except (Refused, SignedOut) as error:
                logger.debug("%s: %s", self.crew_id, error)
            busy = listener.document().get("assignment") is not None
            every = self.habits.fix_every_s if busy else self.habits.idle_fix_every_s
            await asyncio.sleep(max(0.25, every / self.pace.speed))

    def _fix(self) -> dict[str, Any]:
        noise = self.habits.gps_noise_m / METRES
        east = noise / math.cos(math.radians(self.at[1]))
        return {
            "lon": self.at[0] + self.chance.gauss(0.0, east),
            "lat": self.at[1] + self.chance.gauss(0.0, noise),
            "accuracy_m": 2 * self.habits.gps_noise_m,
            "speed_ms": round(self.speed_ms, 1),
            "heading": self.heading if self.speed_ms else None,
            "fix_time": self.pace.now().isoformat(),
            "battery": 0.8,
        }

    async def _tell(self, path: str, body: Mapping[str, Any]) -> None:
        moment = self.pace.now().isoformat()
        await self.door.post(path, {**body, "device_time": moment})

    async def _wait_for_other(
        self, job: Mapping[str, Any], listener: Listener, *, within_s: float
    ) -> None:
        """Wait until the channel shows another status; some real time always."""
        limit = timedelta(seconds=max(within_s, 2.0 * self.pace.speed))
        before = job["status"]
        await self.pace.wait_for(
            lambda: _status(listener, job) != before, within_s=limit.total_seconds()
        )


def _status(listener: Listener, job: Mapping[str, Any]) -> str | None:
    now = listener.document().get("assignment")
    return now["status"] if now and now["id"] == job["id"] else None


def _closed(listener: Listener) -> list[str]:
    return [closure["id"] for closure in listener.document().get("closures", [])]


def _same_work(listener: Listener, job: Mapping[str, Any] | None) -> bool:
    now = listener.document().get("assignment")
    if job is None:
        return now is None
    return now is not None and now["id"] == job["id"]


def _metres(a: LonLat, b: LonLat) -> float:
    dx = (b[0] - a[0]) * math.cos(math.radians((a[1] + b[1]) / 2))
    return math.hypot(dx, b[1] - a[1]) * METRES


def _along(
    way: Sequence[LonLat], lengths: Sequence[float], metres: float
) -> tuple[LonLat, float | None]:
    """The point so many metres along the way, and the heading there."""
    for (a, b), length in zip(itertools.pairwise(way), lengths, strict=True):
        if metres <= length and length > 0:
            share = metres / length
            east = (b[0] - a[0]) * math.cos(math.radians(a[1]))
            heading = math.degrees(math.atan2(east, b[1] - a[1])) % 360
            return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share), round(heading, 1)
        metres -= length
    return way[-1], None
