"""Serves a city's basemap, piece by piece, as the map asks for it."""

from __future__ import annotations

import re
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse
from starlette.responses import Response

from dispatch.system import City
from web.auth import TheCity
from web.errors import Problem

router = APIRouter(tags=["tiles"])

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")
MEDIA_TYPE = "application/vnd.pmtiles"


@router.api_route(
    "/tiles/{city}/{version}.pmtiles",
    methods=["GET", "HEAD"],
    response_class=FileResponse,
    include_in_schema=False,
)
def basemap(request: Request, city: TheCity, version: str) -> Response:
    """The archive or the range asked for: 200, 206, 304 or 416 (RFC 9110, 14).

    The version is part of the address, so what is fetched may be kept for ever.
    """
    archive = _archive(city, version)
    if archive is None:
        raise Problem(404, "not_found")
    stat = archive.stat()
    response = FileResponse(
        archive,
        media_type=MEDIA_TYPE,
        stat_result=stat,
        headers={
            "Cache-Control": "public, max-age=31536000, immutable",
        },
    )
    known = {part.strip() for part in request.headers.get("if-none-match", "").split(",")}
    if response.headers["etag"] in known:
        kept = {name: response.headers[name] for name in ("etag", "cache-control")}
        return Response(status_code=304, headers=kept)
    _check_range(request.headers.get("range"), stat.st_size)
    return response


def _archive(city: City, version: str) -> Path | None:
    """The basemap of a version; an older one too, for screens that were opened before."""
    if city.basemap is None or city.version == version:
        return city.basemap
    if not _VERSION.fullmatch(version):
        return None
    older = city.basemap.parent.parent / version / city.basemap.name
    return older if older.is_file() else None


def _check_range(asked: str | None, size: int) -> None:
    """Raises Problem 416 for a single range that lies outside the file."""
    found = _RANGE.fullmatch(asked.strip()) if asked else None
    if found is None:
        return
    first, last = found.groups()
    suffix_of_nothing = not first and last.isdigit() and int(last) == 0
    backwards = bool(first and last) and int(last) < int(first)
    if (first and int(first) >= size) or suffix_of_nothing or backwards:
        headers = {"Content-Range": f"bytes */{size}"}
        raise Problem(416, "unsatisfiable_range", headers=headers)
