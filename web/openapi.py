"""Writes down what the routes take and answer, for the screens' generated types and for others."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from web.errors import MEDIA_TYPE

FILE = Path(__file__).resolve().parent / "ui" / "openapi.json"


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


def text() -> str:
    """The document as it stands in the file."""
    from web.app import create_app

    document = described(create_app())
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{FILE}\n")
