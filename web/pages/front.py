"""The way in: choosing the city, and the small files of the citizen pages."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, RedirectResponse
from starlette.responses import Response

from web.auth import TheSystem
from web.errors import Problem
from web.pages.rendering import STATIC, PageRoute, render

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


@router.get("/")
def root(request: Request, system: TheSystem) -> Response:
    cities = system.cities()
    if len(cities) == 1:
        return RedirectResponse(f"/{cities[0].id}/", status_code=307)
    return render(request, "root.html", city=None, cities=cities)


@router.get("/static/pages/{name}")
def static_file(request: Request, name: str) -> Response:
    # Only what lies in the folder itself, and only its kinds of file.
    known = {path.name: path for path in STATIC.iterdir() if path.suffix in _TYPES}
    path = known.get(name)
    if path is None:
        raise Problem(404, "not_found")
    kept = "public, max-age=31536000, immutable" if request.url.query else "public, max-age=3600"
    return FileResponse(path, media_type=_TYPES[path.suffix], headers={"Cache-Control": kept})


@router.get("/favicon.ico")
def favicon() -> Response:
    return RedirectResponse("/static/pages/sigap.svg", status_code=308)


@router.get("/robots.txt")
def robots() -> Response:
    """Front pages and maps may be found; private links and the staff's screens may not."""
    lines = ("User-agent: *", "Disallow: /*/r/", "Disallow: /*/sent/", "Disallow: /api/", "")
    return Response("\n".join(lines), media_type="text/plain")
