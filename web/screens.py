"""Hands out the built screens: the dispatcher's console, the crew's phone and their like."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from web.auth import TheCity
from web.errors import Problem

STATIC = Path(__file__).resolve().parent / "static"
SCREENS = STATIC / "ui"
TEXTS = (".js", ".mjs", ".css", ".svg", ".json")
Screen = Literal["console", "crew", "evaluation", "agency", "devices", "replay", "signin"]

router = APIRouter(include_in_schema=False)


def _page(name: Screen) -> FileResponse:
    page = SCREENS / f"{name}.html"
    if not page.is_file():
        raise Problem(503, "screens_not_built")
    # The page names assets by their fingerprint, so it must be asked for anew each time.
    return FileResponse(page, media_type="text/html", headers={"Cache-Control": "no-cache"})


@router.get("/{city}/console")
def console_screen(_: TheCity) -> FileResponse:
    return _page("console")


@router.get("/{city}/crew")
def crew_screen(_: TheCity) -> FileResponse:
    return _page("crew")


@router.get("/{city}/evaluation")
def evaluation_screen(_: TheCity) -> FileResponse:
    return _page("evaluation")


@router.get("/{city}/agency")
def agency_screen(_: TheCity) -> FileResponse:
    return _page("agency")


@router.get("/{city}/devices")
def devices_screen(_: TheCity) -> FileResponse:
    return _page("devices")


@router.get("/{city}/replay")
def replay_screen(_: TheCity) -> FileResponse:
    return _page("replay")


@router.get("/{city}/signin")
def signin_screen(_: TheCity) -> FileResponse:
    return _page("signin")


class Assets(StaticFiles):
    """Files whose name holds a fingerprint are kept by browsers for a year, others asked anew."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        fingerprinted = Path(full_path).parent.name == "assets"
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if fingerprinted else "no-cache"
        )
        if Path(full_path).name == "crew-sw.js":
            # It lies with the assets but opens the page of each city's crew without a network.
            response.headers["Service-Worker-Allowed"] = "/"
        return response


class Squeezed:
    """Compresses scripts, styles and drawings; fonts and pictures are compressed already."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._squeezed = GZipMiddleware(app, minimum_size=1024, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_text = scope["type"] == "http" and scope["path"].endswith(TEXTS)
        # Part of a file is part of the file as it is.
        in_parts = is_text and any(name == b"range" for name, _ in scope["headers"])
        app = self._squeezed if is_text and not in_parts else self._plain
        await app(scope, receive, send)


def assets() -> ASGIApp:
    """The application under /static."""
    return Squeezed(Assets(directory=STATIC, check_dir=False))
