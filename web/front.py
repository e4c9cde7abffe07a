"""What happens to every request: a number, safe headers, one line in the log, no naked crash."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Mapping
from functools import lru_cache

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.errors import preferred, problem
from web.logs import ACCESS, FAILURES, REQUEST_ID
from web.sentences import OWN

_HOST = re.compile(r"[A-Za-z0-9.\-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")

PERMISSIONS = "geolocation=(self), camera=(self), microphone=(), payment=(), usb=()"


def content_security_policy(host: str) -> str:
    """Everything comes from this very host; the socket is named because older browsers ask."""
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "worker-src 'self' blob:",
            f"connect-src 'self'{sockets}",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class Front:
    """The outermost layer. Paths are logged as route patterns: real ones name tickets."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = number_of(headers.get("x-request-id", ""))
        token = REQUEST_ID.set(request_id)
        try:
            if scope["type"] == "http":
                await self._answer(scope, receive, send, headers, request_id)
            else:
                await self.app(scope, receive, send)
        finally:
            REQUEST_ID.reset(token)

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, headers: Headers, request_id: str
    ) -> None:
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = 0
        is_head = scope["method"] == "HEAD"
        if is_head:
            # Whatever can be got can be asked about (RFC 9110, 9.3.2).
            scope = {**scope, "method": "GET"}

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = list(message["headers"])
                _dress(message["headers"], scope, headers, request_id)
            elif is_head:
                message = {**message, "body": b""}
            await send(message)

        try:
            await self.app(scope, receive, dressed)
        except Exception:
            FAILURES.exception(
                "a request failed", extra={"fields": {"request_id": request_id, **_route(scope)}}
            )
            if status:
                raise
            detail = OWN["internal"].say(
                preferred(headers.get("accept-language", "")), request_id=request_id
            )
            await problem(500, "internal", detail)(scope, receive, dressed)
        finally:
            quiet = getattr(scope.get("route"), "quiet", False)
            took_s = time.perf_counter() - started
            write_down(_route(scope), request_id, status, took_s, quiet=quiet)


def number_of(given: str) -> str:
    """The number that the asker gave the request, or one of ours."""
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_urlsafe(9)


def write_down(
    where: Mapping[str, str], request_id: str, status: int, took_s: float, *, quiet: bool
) -> None:
    """The request's line; of a door that is quiet only what it refused, except at debug."""
    level = logging.DEBUG if quiet and status < 400 else logging.INFO
    if ACCESS.isEnabledFor(level):
        ms = round(took_s * 1000, 1)
        fields = {"request_id": request_id, **where, "status": status, "ms": ms}
        ACCESS.log(level, "request", extra={"fields": fields})


def _route(scope: Scope) -> dict[str, str]:
    route = scope.get("route")
    return {"method": scope["method"], "route": getattr(route, "path", "none")}


def _dress(raw: list[tuple[bytes, bytes]], scope: Scope, asked: Headers, request_id: str) -> None:
    """Add what an answer does not say itself already; `raw` are its headers, changed in place."""
    said = {name.lower() for name, _ in raw}
    raw += [
        header
        for header in safe_headers(asked.get("host", ""), scope["scheme"] == "https")
        if header[0] not in said
    ]
    if scope["path"].startswith("/api/") and b"cache-control" not in said:
        raw.append((b"cache-control", b"no-store"))
    if b"x-request-id" in said:
        raw[:] = [header for header in raw if header[0].lower() != b"x-request-id"]
    raw.append((b"x-request-id", request_id.encode()))


@lru_cache(maxsize=64)
def safe_headers(host: str, is_https: bool) -> tuple[tuple[bytes, bytes], ...]:
    """The headers every answer carries, as they go over the wire."""
    safe = {
        "Content-Security-Policy": content_security_policy(host),
        # Private links carry a token in the query: no other site may see them.
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if is_https:
        safe["Strict-Transport-Security"] = "max-age=31536000"
    return tuple((name.lower().encode(), value.encode("latin-1")) for name, value in safe.items())
