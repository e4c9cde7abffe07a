"""The short way of a position that is sure to be taken; every other request goes the usual way.

A tracker that is known, with its right secret and readable words, is answered from the connection
itself: no task, no scope, no layers. Its answer is the same to the byte. Whatever is not sure —
another address, a wrong secret, too many knocks, a database that is away — is not decided here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dispatch.core.errors import NotFound
from dispatch.system import System
from dispatch.system.devices import AGAIN_S, SOON_S
from web import front
from web.limits import Buckets
from web.logs import ACCESS
from web.trackers.intake import Intake, Said
from web.trackers.knock import MOST, Knock, Sent, told
from web.trackers.reading import Unreadable

MAX_BODY_BYTES = 64 * 1024
_FOREIGN = frozenset((b"expect", b"transfer-encoding", b"upgrade"))
"""Who says one of these needs more of HTTP than a short way knows."""

Headers = Sequence[tuple[bytes, bytes]]
Answer = Callable[[tuple[bytes, bytes] | None], None]
"""Called with the header lines, joined by CRLF, and the body of a 200."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A whole request; `headers` have lower names, `is_https` is what the connection says."""

    method: bytes
    url: bytes
    headers: Headers
    body: bytes
    is_https: bool


class Express:
    """The lane of one application; `state` is the application's."""

    def __init__(self, state: Any) -> None:
        self._state = state

    @staticmethod
    def fits(method: bytes, url: bytes, headers: Headers) -> bool:
        """Whether the head is one that may be taken here; its body is at most MAX_BODY_BYTES."""
        if not url.startswith(b"/osmand/") or method not in (b"POST", b"GET"):
            return False
        length = 0
        for name, value in headers:
            if name in _FOREIGN:
                return False
            if name == b"content-length":
                length = int(value) if value.isdigit() else MAX_BODY_BYTES + 1
        return length <= MAX_BODY_BYTES

    def take(self, asked: Asked, answer: Answer) -> bool:
        """Whether it was taken; then `answer` is called once, now or soon.

        It is called with None when it could not be taken after all: the request is to go the
        usual way then, where a position that was taken nevertheless is known as repeated.
        """
        begun = time.perf_counter()
        place = _place(asked.url)
        if place is None:
            return False
        city_id, secret, query, route = place
        # of two headers with one name the first counts, as everywhere
        given = dict(reversed(asked.headers))
        authorization = given.get(b"authorization", b"").decode("latin-1")
        system: System = self._state.system
        intake: Intake = self._state.intake
        buckets: Buckets = self._state.buckets
        try:
            found, secret = Knock(query, asked.body, authorization, secret).read()
            devices = system.devices(city_id)
        except (Unreadable, ValueError, NotFound):
            return False
        ids = {reading.device_id for reading in found}
        read_s_ago = devices.read_s_ago()
        if read_s_ago >= SOON_S:
            intake.renew(city_id, devices)
        if len(ids) != 1 or len(found) > MOST or read_s_ago >= AGAIN_S:
            return False
        device = devices.let_in(ids.pop(), secret or "")
        if device is None or buckets.take("fixes", f"{city_id}/{device.id}") > 0:
            return False
        sent = Sent(device, found, system.clock())

        def done(said: Said | None, _error: Exception | None) -> None:
            if said is None:
                answer(None)
                return
            sent.settle(said)
            devices.heard(device, "osmand", sent.fixes, sent.said)
            body = told(sent.said)
            answer(_dressed(asked, given, body, route=route, begun=begun))

        if not sent.able:
            done((), None)
            return True
        return intake.put(system, city_id, sent.able, done)


def _place(url: bytes) -> tuple[str, str | None, bytes, str] | None:
    """City, secret, query and the route's pattern of an address; None for what needs decoding."""
    path, _, query = url.partition(b"?")
    if b"%" in path or b"#" in url or not url.isascii():
        return None
    parts = path.decode().split("/")[2:]
    if len(parts) == 1 and parts[0]:
        return parts[0], None, query, "/osmand/{city}"
    if len(parts) == 2 and all(parts):
        return parts[0], parts[1], query, "/osmand/{city}/{secret}"
    return None


def _dressed(
    asked: Asked, given: Mapping[bytes, bytes], body: bytes, *, route: str, begun: float
) -> tuple[bytes, bytes]:
    """The answer as the front of the house would dress it, and its line in the log."""
    request_id = front.number_of(given.get(b"x-request-id", b"").decode("latin-1"))
    # RFC 6797, 8.1: said without TLS it is ignored, so no proxy need be believed here
    is_https = asked.is_https or given.get(b"x-forwarded-proto") == b"https"
    if ACCESS.isEnabledFor(logging.DEBUG):
        where = {"method": asked.method.decode(), "route": route}
        front.write_down(where, request_id, 200, time.perf_counter() - begun, quiet=True)
    lines = b"content-length: %d\r\ncontent-type: application/json\r\n%sx-request-id: %s\r\n" % (
        len(body),
        _safe_lines(given.get(b"host", b"").decode("latin-1"), is_https),
        request_id.encode(),
    )
    return lines, body


@lru_cache(maxsize=64)
def _safe_lines(host: str, is_https: bool) -> bytes:
    return b"".join(b"%s: %s\r\n" % each for each in front.safe_headers(host, is_https))
