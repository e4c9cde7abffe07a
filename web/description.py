"""Describes the doors: what the routes take and answer, as an OpenAPI document."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from web.errors import MEDIA_TYPE


def described(app: FastAPI) -> dict[str, Any]:
    """The application's OpenAPI document; made once, then remembered."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            summary=app.summary,
            # The document changes when the routes do, not with every release.
            version="1",
            routes=app.routes,
        )
        for path in document["paths"].values():
            for operation in path.values():
                _name_problems(operation)
        app.openapi_schema = document
    return app.openapi_schema


def _name_problems(operation: dict[str, Any]) -> None:
    refused = operation["responses"].get("4XX", {}).get("content", {})
    if "application/json" in refused:
        refused[MEDIA_TYPE] = refused.pop("application/json")
