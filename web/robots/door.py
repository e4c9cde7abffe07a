"""A robot's browser: one cookie jar, one socket, and the fold of what the socket tells."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from realtime.client import Channel, LiveClient
from realtime.wire import Folded

RETRY_S = 1.0
TRIES = 20


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
        url = f"{self.base.replace('http', 'ws', 1)}/ws/{self.city}"
        client = LiveClient(url, headers=lambda: {"Cookie": self.cookies()}, origin=self.base)
        followed = await client.follow(channel)
        async with client:
            yield Listener(client, followed)

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

    def __init__(self, client: LiveClient, channel: Channel) -> None:
        self._client, self._channel = client, channel

    @property
    def folded(self) -> Folded:
        """The copy."""
        return self._channel.folded

    @property
    def changes(self) -> int:
        """How often it changed."""
        return self._channel.changes

    @property
    def signed_out(self) -> bool:
        """Whether the server will not tell this listener any more."""
        return self._client.signed_out or self._channel.refused is not None

    @property
    def state(self) -> Mapping[str, Mapping[str, Any]]:
        """The state by wire key."""
        return self._channel.state

    @property
    def started(self) -> bool:
        """Whether a first answer came."""
        return self._channel.started

    def document(self) -> Mapping[str, Any]:
        """The one document of a narrow channel, empty before the first answer."""
        return self._channel.document()

    async def changed(self, *, within_s: float) -> bool:
        """Wait for a change; False when none came in so many real seconds."""
        return await self._channel.changed(within_s=within_s)
