"""Tells whoever watches the server whether it lives, and whether it can work."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from web.logs import FAILURES

router = APIRouter(tags=["health"])


@router.get("/healthz")
def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def ready(request: Request) -> JSONResponse:
    """The database answers and every city is served; else 503 with what is missing."""
    checks: dict[str, Any] = {}
    system = getattr(request.app.state, "system", None)
    if system is None:
        checks["system"] = "starting"
    else:
        try:
            with system.engine.connect() as connection:
                connection.execute(select(1))
            checks["database"] = "ok"
        except SQLAlchemyError:
            FAILURES.exception("the database does not answer")
            checks["database"] = "no answer"
        checks["cities"] = [city.id for city in system.cities()]
    works = checks.get("database") == "ok"
    said = "ok" if works else "unavailable"
    return JSONResponse({"status": said, **checks}, status_code=200 if works else 503)
