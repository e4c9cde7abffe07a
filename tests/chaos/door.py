"""One person's way to the servers: repeats a wish with its key until somebody answers."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from tests.chaos.ledger import Ledger, Wish
from tests.chaos.site import CITY

PATIENCE_S = 6.0
RETRY_S = 0.15
AGAIN = frozenset({429, 502, 503, 504})


class Ended(Exception):
    """The run is over and the wish got no answer."""


class Door:
    """Talks to whichever server answers; `retries` is cleared when nobody shall insist any more."""

    def __init__(self, bases: Sequence[str], ledger: Ledger, chance: random.Random) -> None:
        self.bases, self.ledger, self.chance = list(bases), ledger, chance
        self.cookie = ""
        self.broken = 0
        self._at = chance.randrange(len(self.bases))
        self._http = httpx.AsyncClient(timeout=PATIENCE_S, verify=False, trust_env=False)

    @property
    def base(self) -> str:
        return self.bases[self._at]

    def elsewhere(self) -> None:
        """Try the next server."""
        self._at = (self._at + 1) % len(self.bases)

    async def close(self) -> None:
        await self._http.aclose()

    async def sign_in(self, path: str, body: Mapping[str, Any]) -> None:
        """Keep the cookie of a session."""
        while True:
            answer = await self._try("POST", path, json={"city": CITY, **body})
            if answer is not None and answer.status_code == 200:
                self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
                return
            if answer is not None and answer.status_code not in AGAIN:
                raise AssertionError(f"{path}: {answer.status_code} {answer.text}")
            await self._rest()

    async def get(self, path: str, **params: Any) -> Any:
        """What is at the path; None when it is refused."""
        while True:
            answer = await self._try("GET", f"/api/{CITY}{path}", params=params)
            if answer is not None and answer.status_code not in AGAIN:
                return answer.json() if answer.is_success else None
            await self._rest()

    async def wish(
        self, path: str, body: Mapping[str, Any] | None = None, *, mark: str | None = None
    ) -> Wish:
        """Send a wish until it is answered; yes or no, the ledger knows."""
        wish = Wish(str(uuid.UUID(int=self.chance.getrandbits(128))), path, dict(body or {}), mark)
        self.ledger.new(wish)
        await self.insist(wish)
        return wish

    async def insist(self, wish: Wish) -> None:
        """Repeat it with its key until somebody answers."""
        while wish.status is None:
            answer = await self.once(wish)
            if answer is not None and answer.status_code not in AGAIN:
                if answer.status_code >= 500:
                    self.ledger.strange[f"{answer.status_code} {_shape(wish.path)}"] += 1
                else:
                    wish.replayed = "Idempotency-Replayed" in answer.headers
                    wish.status, wish.answer = answer.status_code, answer.json()
                    return
            await self._rest()

    async def once(self, wish: Wish) -> httpx.Response | None:
        """Send it one time; None when nobody answered."""
        wish.tries += 1
        headers = {"Idempotency-Key": wish.key}
        return await self._try("POST", f"/api/{CITY}{wish.path}", json=wish.body, headers=headers)

    async def _try(self, method: str, path: str, **options: Any) -> httpx.Response | None:
        own = {"Origin": self.base, "Cookie": self.cookie, "Accept-Language": "en"}
        headers = {**own, **options.pop("headers", {})}
        try:
            answer = await self._http.request(method, self.base + path, headers=headers, **options)
        except httpx.TransportError:
            self.broken += 1
            self.elsewhere()
            return None
        finally:
            # what a server sets is kept by `sign_in` alone
            self._http.cookies.clear()
        return answer

    async def _rest(self) -> None:
        await asyncio.sleep(RETRY_S * (1 + self.chance.random()))


def _shape(path: str) -> str:
    """The path without what differs."""
    return "/".join(part if len(part) < 30 else "*" for part in path.split("/"))
