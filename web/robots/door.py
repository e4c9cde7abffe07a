"""A robot's browser: one cookie jar, one socket, and the fold of what the socket tells."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from realtime.wire import Folded

logger = logging.getLogger("sigap.robots")

RETRY_S = 1.0
TRIES = 20
SIGNED_OUT = 4401


class Refused(Exception):
    """The server said no, with a problem document."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {body.get('code')}: {body.get('detail')}")
        self.status, self.body = status, body

    @property
    def code(self) -> str:
        return str(self.body.get("code", ""))


class SignedOut(Exception):
    """Somebody else took over: this robot's session ended."""


class Door:
    """Talks to one city as one person."""

    def __init__(self, base: str, city: str) -> None:
        self.base, self.city = base.rstrip("/"), city
        self._http = httpx.AsyncClient(
            base_url=self.base,
            headers={"Origin": self.base, "Accept-Language": "en"},
            timeout=30.0,
        )

    async def close(self) -> None:
        """Hang up."""
        await self._http.aclose()

    async def get(self, path: str, **params: Any) -> Any:
        """GET under the city; raises Refused, SignedOut."""
        return await self._ask("GET", f"/api/{self.city}{path}", params=params)

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """POST under the city with a fresh Idempotency-Key, repeated until it is answered."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return await self._ask(
            "POST", f"/api/{self.city}{path}", json=dict(body or {}), headers=headers
        )

    async def sign_in(self, username: str, password: str) -> None:
        """Sign in as a person."""
        body = {"city": self.city, "username": username, "password": password}
        await self._ask("POST", "/api/session", json=body)

    async def pair(self, code: str) -> Mapping[str, Any]:
        """Become a crew's device."""
        body = {"city": self.city, "code": code}
        answer: Mapping[str, Any] = await self._ask("POST", "/api/crew-session", json=body)
        return answer

    async def _ask(self, method: str, path: str, **options: Any) -> Any:
        for attempt in range(TRIES):
            try:
                response = await self._http.request(method, path, **options)
            except httpx.TransportError:
                if attempt == TRIES - 1:
                    raise
                await asyncio.sleep(RETRY_S)
                continue
            if response.status_code == 429:
                await asyncio.sleep(float(response.headers.get("Retry-After", RETRY_S)))
                continue
            break
        if response.status_code == 401:
            raise SignedOut
        if response.is_error:
            raise Refused(response.status_code, _problem(response))
        return response.json() if response.content else None

    @asynccontextmanager
    async def listen(self, channel: str) -> AsyncIterator[Listener]:
        """Follow a channel for as long as the block lasts, across lost connections."""
        listener = Listener(self, channel)
        task = asyncio.create_task(listener.run())
        try:
            yield listener
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def cookies(self) -> str:
        """The cookie header of this jar."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._http.cookies.jar)


def _problem(response: httpx.Response) -> Mapping[str, Any]:
    try:
        found = response.json()
    except ValueError:
        return {"code": "http", "detail": response.text[:200]}
    return found if isinstance(found, dict) else {"code": "http", "detail": str(found)[:200]}


class Listener:
    """A live copy of one channel, kept by the same fold rule as in a browser."""

    def __init__(self, door: Door, channel: str) -> None:
        self.folded = Folded()
        self.signed_out = False
        self.changes = 0
        self._door, self._channel = door, channel
        self._changed = asyncio.Event()

    @property
    def state(self) -> Mapping[str, Mapping[str, Any]]:
        """The state by wire key."""
        return self.folded.state

    @property
    def started(self) -> bool:
        """Whether a first answer came."""
        return bool(self.folded.epoch)

    def document(self) -> Mapping[str, Any]:
        """The one document of a narrow channel, empty before the first answer."""
        return next(iter(self.folded.state.values()), {})

    async def changed(self, *, within_s: float) -> bool:
        """Wait for a change; False when none came in so many real seconds."""
        try:
            async with asyncio.timeout(within_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True

    async def run(self) -> None:
        """Stay connected; recover by `since` each time."""
        while not self.signed_out:
            try:
                await self._once()
            except ConnectionClosed as closed:
                self.signed_out = closed.rcvd is not None and closed.rcvd.code == SIGNED_OUT
            except (OSError, InvalidHandshake, TimeoutError) as error:
                logger.debug("%s: %s", self._channel, error)
            await asyncio.sleep(RETRY_S)

    async def _once(self) -> None:
        door = self._door
        url = f"{door.base.replace('http', 'ws', 1)}/ws/{door.city}"
        async with connect(
            url,
            additional_headers={"Cookie": door.cookies()},
            origin=door.base,  # type: ignore[arg-type]
            max_size=None,
            compression=None,
        ) as socket:
            await socket.send(self._subscription())
            async for text in socket:
                message = orjson.loads(text)
                if "ping" in message:
                    await socket.send('{"pong":1}')
                elif not self._take(message):
                    await socket.send(self._subscription())

    def _subscription(self) -> str:
        body: dict[str, Any] = {"sub": self._channel}
        if self.folded.epoch:
            body["since"] = {"epoch": self.folded.epoch, "offset": self.folded.offset}
        return orjson.dumps(body).decode()

    def _take(self, message: Mapping[str, Any]) -> bool:
        if "error" in message:
            self.signed_out = message["error"]["code"] in ("forbidden", "not_signed_in")
            return True
        if message.get("resync"):
            return False
        if "recovered" in message:
            self.folded.start(message)
        elif "o" in message:
            if not self.folded.take(message):
                return False
        else:
            return True
        self.changes += 1
        self._changed.set()
        return True
