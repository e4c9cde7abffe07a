"""A screen that stays: one socket, one channel, every event checked as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from realtime.wire import Folded
from tests.chaos.site import CITY

RETRY_S = 0.2
PLACE = ("lon", "lat", "fix_time")
"""What a citizen's page has of a crew's position."""
SILENT_S = 45.0
"""The server says something every 20 s at least: who hears nothing so long begins again."""


class Watcher:
    """Keeps a channel's state across every fault, and notices what must not happen."""

    def __init__(
        self, bases: Sequence[str], channel: str, *, cookie: str = "", token: str | None = None
    ) -> None:
        self.channel, self.folded = channel, Folded()
        self.wrong: list[str] = []
        self.connections = self.events = self.gaps = self.snapshots = 0
        self.changed = asyncio.Event()
        self._bases, self._cookie, self._token = list(bases), cookie, token
        self._at = 0
        self._asked = False
        self._every_offset = channel.startswith("city/")
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def at(self, index: int) -> Watcher:
        """Begin at this server."""
        self._at = index % len(self._bases)
        return self

    def document(self) -> Mapping[str, Any]:
        """The one document of a narrow channel, empty before the first answer."""
        return next(iter(self.folded.state.values()), {})

    async def _run(self) -> None:
        while True:
            try:
                await self._once(self._bases[self._at])
            except (OSError, ConnectionClosed, InvalidHandshake, InvalidMessage, EOFError):
                self._at = (self._at + 1) % len(self._bases)
            await asyncio.sleep(RETRY_S)

    async def _once(self, base: str) -> None:
        async with (
            asyncio.timeout(None) as patience,
            connect(
                f"{base.replace('http', 'ws', 1)}/ws/{CITY}",
                additional_headers={"Cookie": self._cookie} if self._cookie else {},
                origin=base,  # type: ignore[arg-type]
                max_size=None,
                compression=None,
                proxy=None,
                open_timeout=20,
                ping_interval=None,
                close_timeout=1,
            ) as socket,
        ):
            self.connections += 1
            await socket.send(self._subscription())
            while True:
                patience.reschedule(asyncio.get_running_loop().time() + SILENT_S)
                message = orjson.loads(await socket.recv())
                if "ping" in message:
                    await socket.send('{"pong":1}')
                elif not self.take(message):
                    self.gaps += 1
                    await socket.send(self._subscription())

    def _subscription(self) -> str:
        body: dict[str, Any] = {"sub": self.channel}
        if self.folded.epoch:
            body["since"] = {"epoch": self.folded.epoch, "offset": self.folded.offset}
        if self._token is not None:
            body["token"] = self._token
        # until the answer comes, what still arrives is in it
        self._asked = True
        return orjson.dumps(body).decode()

    def take(self, message: Mapping[str, Any]) -> bool:
        """Take in what the server said; False when the thread is lost."""
        if "error" in message:
            self.wrong.append(f"{self.channel}: {message['error']}")
            return True
        if message.get("resync"):
            return False
        if "recovered" in message:
            self._asked = False
            self._started(message)
            self.folded.start(message)
        elif "o" in message and not self._asked:
            new = message["o"] > self.folded.offset
            before = self.folded.offset
            if not self.folded.take(message):
                return False
            self.events += new
            if new:
                self._follows(before, message)
        else:
            return True
        self.changed.set()
        return True

    def _started(self, message: Mapping[str, Any]) -> None:
        self.snapshots += not message["recovered"]
        if self.folded.epoch and message["offset"] < self.folded.offset:
            what = f"went back from {self.folded.offset} to {message['offset']}"
            self.wrong.append(f"{self.channel}: {what}")
        if not message["recovered"]:
            return
        offset = self.folded.offset
        for event in message["events"]:
            self._follows(offset, event)
            offset = event["o"]
        if self._every_offset and offset != message["offset"]:
            self.wrong.append(f"{self.channel}: recovered to {offset}, not {message['offset']}")

    def _follows(self, before: int, event: Mapping[str, Any]) -> None:
        """What comes next follows what came before, without a hole."""
        if event["o"] <= before or event["p"] > before:
            self.wrong.append(f"{self.channel}: {event['o']} (after {event['p']}) after {before}")
        if self._every_offset and event["o"] != before + 1:
            self.wrong.append(f"{self.channel}: {event['o']} follows {before}")


def comparable(channel: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """The state without what depends on the moment of asking, or on telemetry."""
    if channel.startswith("crew/"):
        return {k: {n: v for n, v in d.items() if n != "fix"} for k, d in state.items()}
    if not channel.startswith("report/"):
        return dict(state)
    found = {}
    for key, document in state.items():
        shown = {k: v for k, v in document.items() if k not in ("overdue", "can_answer", "v")}
        if shown.get("crew"):
            shown["crew"] = {k: v for k, v in shown["crew"].items() if k not in PLACE}
        found[key] = shown
    return found


async def alike(old: Watcher, fresh: Watcher, *, within_s: float) -> str | None:
    """Wait until the screen that stayed shows what a fresh one shows; else what differs."""
    end = asyncio.get_running_loop().time() + within_s
    while True:
        a, b = old.folded, fresh.folded
        if b.epoch and a.epoch == b.epoch:
            left, right = comparable(old.channel, a.state), comparable(old.channel, b.state)
            narrow = not old.channel.startswith("city/")
            if (narrow or a.offset == b.offset) and _same(left, right, narrow=narrow):
                return None
        if asyncio.get_running_loop().time() > end:
            return _difference(old, fresh)
        await asyncio.sleep(0.1)


def _same(left: Mapping[str, Any], right: Mapping[str, Any], *, narrow: bool) -> bool:
    if not narrow:
        return left == right
    # `v` of a document is the offset it was made at: a snapshot and an event have their own
    a, b = ({k: {**d, "v": 0} for k, d in side.items()} for side in (left, right))
    return a == b


def _difference(old: Watcher, fresh: Watcher) -> str:
    a, b = old.folded, fresh.folded
    left, right = comparable(old.channel, a.state), comparable(old.channel, b.state)
    odd = []
    for key in sorted({*left} | {*right}):
        one, two = left.get(key, {}), right.get(key, {})
        if one != two:
            names = sorted(name for name in {**one, **two} if one.get(name) != two.get(name))
            odd.append(f"{key}: {', '.join(names)}")
    where = f"{a.epoch}@{a.offset} and {b.epoch}@{b.offset}"
    return f"{old.channel} diverged ({where}): {'; '.join(odd[:5])}"
