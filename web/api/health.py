"""Tells whoever watches the server whether it lives, and whether it can work."""

from __future__ import annotations

import hmac
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from dispatch.system import System, telemetry
from web import asyncapi
from web.auth import the_settings
from web.errors import Problem
from web.limits import client_of
from web.logs import FAILURES

router = APIRouter(tags=["health"])

LOOPBACK = ("127.0.0.1", "::1")
PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


@router.get("/healthz")
def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def ready(request: Request) -> JSONResponse:
    """Whether this process can work; else 503 with what is missing.

    The database answers, the log is followed without lag, and somebody dispatches for every city.
    A bus that is away is told (`degraded`): the log is looked at once a second meanwhile.
    """
    checks: dict[str, Any] = {}
    system: System | None = getattr(request.app.state, "system", None)
    if system is None:
        return JSONResponse({"status": "unavailable", "system": "starting"}, status_code=503)
    try:
        with system.engine.connect() as connection:
            connection.execute(select(1))
        checks["database"] = "ok"
    except (SQLAlchemyError, OSError):
        FAILURES.exception("the database does not answer")
        checks["database"] = "no answer"
    troubles = system.troubles()
    checks["cities"] = [city.id for city in system.cities()]
    checks["bus"] = "ok" if system.bus.reachable() else "no answer"
    works = checks["database"] == "ok" and not troubles
    fine = "ok" if checks["bus"] == "ok" else "degraded"
    body = {"status": fine if works else "unavailable", **checks, **troubles}
    return JSONResponse(body, status_code=200 if works else 503)


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """For Prometheus: from this very machine, or with the token of SIGAP_METRICS_TOKEN."""
    if not may_measure(request):
        raise Problem(403, "forbidden")
    return Response(telemetry.exposition(), media_type=CONTENT_TYPE_LATEST)


def may_measure(request: Request) -> bool:
    """A proxy on this machine asks for somebody else: its word counts only with the token."""
    token = the_settings(request).metrics_token
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if token and kind.lower() == "bearer":
        return hmac.compare_digest(given.strip().encode(), token.encode())
    proxied = any(name in request.headers for name in PROXY_HEADERS)
    return client_of(request) in LOOPBACK and not proxied


@router.get("/asyncapi.json", include_in_schema=False)
def messages() -> JSONResponse:
    """Every message of the socket, as an AsyncAPI 3 document."""
    return JSONResponse(asyncapi.document())
