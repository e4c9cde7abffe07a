"""Plays a stream of 311 requests against a server with a fast clock: `python -m` with orders."""

from __future__ import annotations

import asyncio
import logging
import random
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from web.robots.crew import Habits
from web.robots.dispatcher import DispatcherRobot
from web.robots.door import Door, Refused, SignedOut
from web.robots.orders import obey, paired
from web.robots.pace import Pace
from web.robots.stream311 import Request311, folded, read_stream

logger = logging.getLogger("sigap.robots")

AT_ONCE = 8
OPEN = ("pending", "dispatched", "on_scene")
DRAIN = timedelta(hours=12)


class Feeder:
    """Sends each request at its time, and counts what the door answered."""

    def __init__(self, door: Door, pace: Pace) -> None:
        self.accepted = 0
        self.refused: Counter[str] = Counter()
        self.sentences: dict[str, str] = {}
        self.latest_s = 0.0
        self._door, self._pace = door, pace
        self._places = asyncio.Semaphore(AT_ONCE)

    async def send(self, request: Request311) -> None:
        """Send one; a refusal is counted by its reason."""
        async with self._places:
            late = (self._pace.now() - request.at).total_seconds()
            self.latest_s = max(self.latest_s, late)
            body = {
                "service_code": request.service_code,
                "description": f"{request.type}: {request.address}",
                "place_typed": request.address or None,
                "lon": request.lon,
                "lat": request.lat,
                "channel": request.channel,
            }
            try:
                await self._door.post("/reports", body)
                self.accepted += 1
            except SignedOut:
                self.refused["signed_out"] += 1
                self.sentences.setdefault("signed_out", "Somebody else took the robot's place.")
            except Refused as refused:
                wrong = (refused.body.get("errors") or [{}])[0]
                reason = str(wrong.get("flag") or refused.code)
                self.refused[reason] += 1
                self.sentences.setdefault(reason, str(refused.body.get("detail", "")))

    def view(self) -> dict[str, Any]:
        """The counts so far."""
        return {
            "accepted": self.accepted,
            "refused": dict(self.refused),
            "sentences": self.sentences,
            "latest_s": round(self.latest_s, 1),
        }


async def play(orders: Mapping[str, Any]) -> None:
    """Replay the file the orders name, then wait until the city is quiet."""
    requests = folded(read_stream(Path(orders["file"])), orders["fold"])[: orders["limit"]]
    start = datetime.fromisoformat(orders["start"])
    pace = Pace(speed=orders["speed"], start=start)
    chance = random.Random(orders["seed"])
    habits = Habits(
        decline_share=0.05,
        ignore_share=0.0,
        mean_work_s=orders["work_s"],
        fix_every_s=30.0,
        idle_fix_every_s=orders["speed"],
    )
    crews = await paired(orders, pace, chance, habits=habits)
    desk = DispatcherRobot(
        Door(orders["base"], orders["city"]),
        orders["username"],
        orders["password"],
        pace,
        patience_s=5.0,
        prank_below=0.0,
    )
    tell({"ready": True})
    playing = [asyncio.create_task(crew.run()) for crew in crews]
    playing.append(asyncio.create_task(desk.run()))
    door = Door(orders["base"], orders["city"])
    await door.sign_in(orders["username"], orders["password"])
    feeder = Feeder(door, pace)
    await _feed(requests, feeder, pace)
    await _quiet(door, pace, feeder)
    for task in playing:
        task.cancel()
    await asyncio.gather(*playing, return_exceptions=True)
    tell({"done": True, **feeder.view()})


async def _feed(requests: Sequence[Request311], feeder: Feeder, pace: Pace) -> None:
    sending: set[asyncio.Task[None]] = set()
    for number, request in enumerate(requests, start=1):
        await pace.until(request.at)
        task = asyncio.create_task(feeder.send(request))
        sending.add(task)
        task.add_done_callback(sending.discard)
        if number % 25 == 0:
            tell({"sent": number, **feeder.view()})
    await asyncio.gather(*sending)


async def _quiet(door: Door, pace: Pace, feeder: Feeder) -> None:
    """Wait until no incident is open, at most half a day of the server's clock."""
    end = pace.now() + DRAIN
    async with door.listen(f"city/{door.city}") as listener:
        while pace.now() < end:
            await listener.changed(within_s=0.5)
            waiting = sum(
                1
                for key, thing in listener.state.items()
                if (key.startswith("incident/") and thing["status"] in OPEN)
                or (key.startswith("report/") and thing["status"] == "under_verification")
            )
            tell({"waiting": waiting, **feeder.view()})
            if listener.started and waiting == 0:
                return


def tell(message: Mapping[str, Any]) -> None:
    """One line of progress for whoever gave the orders."""
    sys.stdout.buffer.write(orjson.dumps(message) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    obey(play)
