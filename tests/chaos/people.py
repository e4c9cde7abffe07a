"""The steady load: citizens report, dispatchers decide, crews work and say where they are."""

from __future__ import annotations

import asyncio
import contextlib
import io
import random
import uuid
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL import Image

from tests.chaos.door import Door
from tests.chaos.ledger import Ledger, Wish
from tests.chaos.site import CITY, PASSWORD, Site, station
from tests.chaos.watch import Watcher
from tests.maps import metres

SERVICES = ("pothole", "water_leak", "fallen_tree", "traffic_light", "drain", "public_order")
SIDE_M = 1700.0
CITIZENS_WATCHING = 6
FINISH_S = 60.0


@dataclass(eq=False)
class Town:
    """Everybody in it; `pause` keeps them from beginning anything new."""

    site: Site
    chance: random.Random
    pace: float = 1.0
    ledger: Ledger = field(default_factory=Ledger)
    watchers: list[Watcher] = field(default_factory=list)
    sent: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=400))
    going: asyncio.Event = field(default_factory=asyncio.Event)
    device_skew_s: float = 0.0
    doors: list[Door] = field(default_factory=list)
    fixes_taken: int = 0
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _busy: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    async def arrive(self) -> None:
        """Sign in and begin."""
        desks = [await self._desk(name) for name in ("meja1", "meja2")]
        officer = await self._desk("dinas")
        phones = [await self._phone(n) for n in range(len(self.site.crews))]
        for n, desk in enumerate(desks):
            self.watch(f"city/{CITY}", cookie=desk.cookie, at=n)
        self.watch("agency/pupr", cookie=officer.cookie)
        self.going.set()
        for n in range(2):
            self._play(self._citizen(self._door(), n))
        for desk, watcher in zip(desks, self.watchers, strict=False):
            self._play(self._dispatcher(desk, watcher))
        for n, phone in enumerate(phones):
            crew_id = str(self.site.crews[n])
            watcher = self.watch(f"crew/{crew_id}", cookie=phone.cookie, at=n)
            self._play(self._crew(phone, crew_id, watcher))
            self._play(self._tracker(phone, crew_id, n))

    async def pause(self) -> list[Wish]:
        """Let everybody finish what they have begun; returns what nobody answered."""
        self.going.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FINISH_S):
                await self._idle.wait()
        return self.ledger.open()

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for watcher in self.watchers:
            await watcher.end()
        for door in self.doors:
            await door.close()

    def failed(self) -> list[str]:
        """People who stopped for a reason that is no fault of theirs."""
        ended = [task for task in self._tasks if task.done() and not task.cancelled()]
        return [repr(task.exception()) for task in ended]

    # --- how they come ------------------------------------------------------------

    def _play(self, life: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(life))

    def _door(self) -> Door:
        own = random.Random(self.chance.getrandbits(64))
        door = Door(self.site.bases(), self.ledger, own)
        self.doors.append(door)
        return door

    def watch(
        self, channel: str, *, cookie: str = "", token: str | None = None, at: int = 0
    ) -> Watcher:
        """A screen that stays."""
        made = Watcher(self.site.bases(), channel, cookie=cookie, token=token).at(at)
        made.begin()
        self.watchers.append(made)
        return made

    def fresh(self, old: Watcher, at: int) -> Watcher:
        """A new screen for the same eyes."""
        made = Watcher(self.site.bases(), old.channel, cookie=old._cookie, token=old._token).at(at)
        made.begin()
        return made

    async def _desk(self, username: str) -> Door:
        door = self._door()
        await door.sign_in("/api/session", {"username": username, "password": PASSWORD})
        return door

    async def _phone(self, n: int) -> Door:
        door = self._door()
        known = self.site.known.setdefault("cookies", {})
        if n not in known:
            await door.sign_in("/api/crew-session", {"code": self.site.codes[n]})
            known[n] = door.cookie
        door.cookie = known[n]
        return door

    async def _turn(self, door: Door, mean_s: float) -> None:
        """Wait a while, and until the town is going."""
        await asyncio.sleep(door.chance.expovariate(1.0 / mean_s) * self.pace)
        await self.going.wait()

    async def _at_work(self, work: Coroutine[Any, Any, Any]) -> Any:
        self._busy += 1
        self._idle.clear()
        try:
            return await work
        finally:
            self._busy -= 1
            if not self._busy:
                self._idle.set()

    # --- what they do -------------------------------------------------------------

    async def _citizen(self, door: Door, n: int) -> None:
        while True:
            await self._turn(door, 1.2)
            wish = await self._at_work(self._report(door))
            if wish.acknowledged:
                told = wish.answer
                self.sent.append((told["ticket"], told["token"]))
                following = sum(w.channel.startswith("report/") for w in self.watchers)
                if following < CITIZENS_WATCHING:
                    channel = f"report/{told['ticket']}"
                    self.watch(channel, token=told["token"], at=following)

    async def _report(self, door: Door) -> Wish:
        chance, mark = door.chance, _mark(door)
        place = metres(chance.uniform(50, SIDE_M), chance.uniform(50, SIDE_M))
        body: dict[str, Any] = {
            "service_code": chance.choice(SERVICES),
            "description": f"Rusak berat, tolong segera diperbaiki {mark}",
            "lon": round(place.lon, 6),
            "lat": round(place.lat, 6),
            "reporter": {"name": "Wati", "phone": f"0812{chance.randrange(10**7):07d}"},
        }
        if chance.random() < 0.1:
            body |= await self._photo(door)
        return await door.wish("/reports", body, mark=mark)

    async def _photo(self, door: Door) -> dict[str, Any]:
        """A photo that was kept, if it was."""
        picture = io.BytesIO()
        colour = tuple(door.chance.randrange(256) for _ in range(3))
        Image.new("RGB", (64, 48), colour).save(picture, "JPEG")
        token = _mark(door)
        answer = await door._try(
            "POST",
            f"/api/{CITY}/photos",
            files={"file": ("foto.jpg", picture.getvalue(), "image/jpeg")},
            data={"upload_token": token},
        )
        if answer is None or answer.status_code != 201:
            return {}
        return {"photo_ids": [answer.json()["photo_id"]], "upload_token": token}

    async def _dispatcher(self, door: Door, screen: Watcher) -> None:
        """Decides about whatever waits; both dispatchers may grasp at the same."""
        while True:
            await self._turn(door, 0.5)
            waiting = [
                view
                for key, view in screen.folded.state.items()
                if key.startswith("report/") and view.get("status") == "under_verification"
            ]
            if waiting:
                await self._at_work(self._decide(door, door.chance.choice(waiting[:4])))
            elif door.chance.random() < 0.2:
                await self._at_work(self._busy_hands(door, screen))

    async def _decide(self, door: Door, report: dict[str, Any]) -> None:
        path, mood = f"/reports/{report['id']}", door.chance.random()
        if mood < 0.8:
            await door.wish(f"{path}/verify")
        elif mood < 0.9:
            await door.wish(f"{path}/archive", {"reason": "uji coba"})
        else:
            done = await door.wish(f"{path}/postpone", {"reason": "menunggu alat"})
            if done.acknowledged and door.chance.random() < 0.5:
                await door.wish(f"{path}/undo")

    async def _busy_hands(self, door: Door, screen: Watcher) -> None:
        found = [
            view
            for key, view in screen.folded.state.items()
            if key.startswith("incident/") and view.get("status") in ("pending", "dispatched")
        ]
        if not found:
            return
        incident = door.chance.choice(found)
        path = f"/incidents/{incident['id']}"
        if door.chance.random() < 0.5:
            # by hand, while the dispatcher loop and the other desk may send the same crew
            crew_id = str(door.chance.choice(self.site.crews))
            await door.wish(f"{path}/send", {"crew_id": crew_id})
        else:
            body = {"priority": door.chance.choice((1, 2, 3)), "reason": "dekat sekolah"}
            await door.wish(f"{path}/reprioritise", body)

    async def _crew(self, door: Door, crew_id: str, phone: Watcher) -> None:
        await self._at_work(door.wish(f"/crews/{crew_id}/status", {"status": "available"}))
        while True:
            await self._turn(door, 0.4)
            job = phone.document().get("assignment")
            if job:
                await self._at_work(self._next_step(door, job))

    async def _next_step(self, door: Door, job: dict[str, Any]) -> None:
        path, chance = f"/assignments/{job['id']}", door.chance
        told = {"device_time": self._device_now().isoformat()}
        match job["status"]:
            case "offered" if chance.random() < 0.05:
                await door.wish(f"{path}/decline", {"reason": "busy", **told})
            case "offered" if chance.random() < 0.9:
                await door.wish(f"{path}/acknowledge", told)
            case "acknowledged":
                await door.wish(f"{path}/en-route", told)
            case "en_route":
                place = {"lon": job["incident"]["lon"], "lat": job["incident"]["lat"]}
                await door.wish(f"{path}/on-scene", {**place, **told})
            case "on_scene" if chance.random() < 0.5:
                mark = _mark(door)
                await door.wish(f"{path}/note", {"text": f"lubang besar {mark}"}, mark=mark)
            case "on_scene":
                await door.wish(f"{path}/clear", {"disposition_code": "05", **told})

    async def _tracker(self, door: Door, crew_id: str, n: int) -> None:
        """Positions: telemetry, so nobody insists."""
        lon, lat = station(n)
        while True:
            await self._turn(door, 1.5)
            lon += door.chance.uniform(-2e-5, 2e-5)
            lat += door.chance.uniform(-2e-5, 2e-5)
            now = self._device_now().isoformat()
            fix = {"lon": lon, "lat": lat, "fix_time": now, "accuracy_m": 8.0, "speed_ms": 0.5}
            answer = await door._try(
                "POST", f"/api/{CITY}/crews/{crew_id}/fixes", json={"fixes": [fix]}
            )
            self.fixes_taken += bool(answer is not None and answer.status_code == 200)

    def _device_now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.device_skew_s)


def _mark(door: Door) -> str:
    return uuid.UUID(int=door.chance.getrandbits(128)).hex
