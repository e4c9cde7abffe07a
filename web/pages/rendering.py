"""Turns what a page knows into HTML: the reader's language and appearance, assets, safe headers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import Response

from dispatch.core.errors import SigapError
from dispatch.system import City
from web import errors
from web.auth import the_settings, the_system
from web.pages.icons import icon
from web.pages.texts import Texts, texts
from web.screens import SCREENS

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
THEME_COOKIE = "sigap_theme"
_YEAR_S = 365 * 24 * 3600
# Names a private page may never hand on; the origin alone still lets its forms be trusted.
_PRIVATE = {"Referrer-Policy": "strict-origin", "Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Assets:
    """Where the page's files are; a page does without a script whose name is empty (not built)."""

    style: str
    fonts: tuple[str, ...] = ()
    report: str = ""
    track: str = ""
    city_map: str = ""
    small: str = ""


@dataclass(frozen=True, slots=True)
class Here:
    """The page's own address, for forms that send it again: path and query pairs."""

    path: str
    query: tuple[tuple[str, str], ...] = field(default=())


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["draw_icon"] = icon
    return environment


@cache
def _style() -> str:
    digest = hashlib.sha256((STATIC / "citizen.css").read_bytes()).hexdigest()[:12]
    return f"/static/pages/citizen.css?v={digest}"


_manifests: dict[float, Assets] = {}


def assets() -> Assets:
    """The files of the citizen pages, by the manifest of the last build of the screens."""
    manifest = SCREENS / "manifest.json"
    try:
        built_at = manifest.stat().st_mtime
    except FileNotFoundError:
        return Assets(style=_style())
    known = _manifests.get(built_at)
    if known is None:
        known = _built(json.loads(manifest.read_text(encoding="utf-8")))
        _manifests.clear()
        _manifests[built_at] = known
    return known


def _built(manifest: Mapping[str, Mapping[str, Any]]) -> Assets:
    def script(name: str) -> str:
        entry = manifest.get(f"src/citizen/{name}.ts")
        return f"/static/ui/{entry['file']}" if entry else ""

    fonts = manifest.get("src/citizen/fonts.css")
    return Assets(
        style=_style(),
        fonts=(f"/static/ui/{fonts['file']}",) if fonts else (),
        report=script("report"),
        track=script("track"),
        city_map=script("city_map"),
        small=script("small"),
    )


def texts_for(request: Request) -> Texts:
    """The sentences in the reader's language; a choice made by this very request counts."""
    chosen = getattr(request.state, "chosen_language", None)
    return texts(chosen or errors.language(request))


def render(
    request: Request,
    template: str,
    *,
    city: City | None,
    status: int = 200,
    private: bool = False,
    tab: str = "",
    **values: Any,
) -> HTMLResponse:
    """The page. `private` pages are kept by nobody and name nobody in a Referer."""
    theme = getattr(request.state, "chosen_theme", None) or request.cookies.get(THEME_COOKIE)
    context: dict[str, Any] = {
        "t": texts_for(request),
        "theme": theme if theme in ("light", "dark") else "",
        "city": city,
        "several_cities": len(the_system(request).cities()) > 1,
        "tab": tab,
        "private": private,
        "assets": assets(),
        "here": Here(request.url.path, tuple(_kept_query(request))),
        "errors": {},
        **values,
    }
    page = _environment().get_template(template).render(context)
    headers = _PRIVATE if private else {"Cache-Control": "no-cache"}
    response = HTMLResponse(page, status_code=status, headers=headers)
    response.headers["Vary"] = "Cookie, Accept-Language"
    return response


def render_part(request: Request, template: str, **values: Any) -> str:
    """A part of a page as text, for scripts that put it in place."""
    context = {"t": texts_for(request), "errors": {}, **values}
    return _environment().get_template(template).render(context)


def _kept_query(request: Request) -> list[tuple[str, str]]:
    return [(k, v) for k, v in request.query_params.multi_items() if k not in ("lang", "theme")]


def remember(request: Request, response: Response, *, lang: str = "", theme: str = "") -> None:
    """Keep a chosen language or appearance for a year."""
    secure = request.url.scheme == "https"
    chosen = {
        errors.LANGUAGE_COOKIE: lang if lang in ("id", "en") else "",
        THEME_COOKIE: theme if theme in ("light", "dark") else "",
    }
    for name, value in chosen.items():
        if value:
            # Not HttpOnly: the screens' own switches read and write the language too.
            response.set_cookie(
                name, value, max_age=_YEAR_S, samesite="lax", secure=secure, path="/"
            )


def full_link(request: Request, path: str) -> str:
    """The address as people reach this server from outside."""
    public = the_settings(request).public_url
    origin = public or f"{request.url.scheme}://{request.headers.get('host', 'localhost')}"
    return origin + path


class PageRoute(APIRoute):
    """A route whose refusals are pages too, and which honours `?lang=` and `?theme=` everywhere."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def page(request: Request) -> Response:
            query = request.query_params
            if request.method == "GET" and ("lang" in query or "theme" in query):
                return _switched(request)
            try:
                return await answer(request)
            except (SigapError, HTTPException, RequestValidationError) as error:
                return refused(request, error)

        return page


def _switched(request: Request) -> Response:
    """The same page again, with the choice in a cookie instead of the address."""
    query = urlencode(_kept_query(request))
    # Only this server's own path: "//elsewhere" would lead to another site.
    path = "/" + urlsplit(request.url.path).path.lstrip("/")
    response = RedirectResponse(path + (f"?{query}" if query else ""), status_code=303)
    response.headers.update(_PRIVATE)
    chosen = request.query_params
    remember(request, response, lang=chosen.get("lang", ""), theme=chosen.get("theme", ""))
    return response


def refused(
    request: Request, error: SigapError | HTTPException | RequestValidationError
) -> Response:
    """A refusal as a page that says what to do."""
    t = texts_for(request)
    if isinstance(error, SigapError):
        status = errors.STATUS_OF.get(error.code, 400)
        words = errors.sentence_of(error, t.language)
    elif isinstance(error, RequestValidationError):
        status, words = 422, t("refused.unreadable")
    else:
        status = error.status_code
        words = error.say(t.language) if isinstance(error, errors.Problem) else ""
    missing = status == 404 or not words
    response = render(
        request,
        "missing.html",
        city=None,
        status=status,
        private=True,
        heading=t("missing.title") if missing else t("refused.title"),
        words=t("missing.lead") if missing else words,
    )
    response.headers.update(getattr(error, "headers", None) or {})
    return response
