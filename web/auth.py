"""Who is asking, and whether they may: sessions from cookies, roles, and the origin of writes."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Header, Request
from starlette.requests import HTTPConnection
from starlette.responses import Response

from dispatch.core.errors import NotFound
from dispatch.system import City, Step, System
from web import accounts
from web.accounts import Principal
from web.errors import Problem
from web.settings import Settings

STAFF_COOKIE = "sigap_session"
CREW_COOKIE = "sigap_crew"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

DISPATCHING = ("dispatcher", "administrator")
WATCHING = ("dispatcher", "supervisor", "administrator")


def the_system(connection: HTTPConnection) -> System:
    """The running system of this application."""
    system: System = connection.app.state.system
    return system


def the_settings(connection: HTTPConnection) -> Settings:
    """What the administrator set."""
    settings: Settings = connection.app.state.settings
    return settings


# Dependencies that only look something up are coroutines: a thread would cost more than they do.


async def _system(connection: HTTPConnection) -> System:
    return the_system(connection)


async def _settings(connection: HTTPConnection) -> Settings:
    return the_settings(connection)


TheSystem = Annotated[System, Depends(_system)]
TheSettings = Annotated[Settings, Depends(_settings)]


def the_city(city: str, system: System) -> City:
    """The city of this id. Raises Problem 404."""
    try:
        return system.city(city)
    except NotFound:
        raise Problem(404, "not_found") from None


async def _city(city: str, system: TheSystem) -> City:
    return the_city(city, system)


TheCity = Annotated[City, Depends(_city)]


@dataclass(frozen=True, slots=True)
class Viewers:
    """Everybody signed in with this browser: a person of the staff, a crew's device, or nobody."""

    staff: Principal | None
    crew: Principal | None

    @property
    def anyone(self) -> Principal | None:
        return self.staff or self.crew

    def having(self, *roles: str, city_id: str) -> Principal | None:
        """The one with one of these roles in this city, staff first."""
        for principal in (self.staff, self.crew):
            if principal and principal.city_id == city_id and principal.role in roles:
                return principal
        return None


def the_viewers(connection: HTTPConnection, system: TheSystem) -> Viewers:
    """Look the cookies up; an ended or forged session is nobody."""
    staff = _principal(system, connection.cookies.get(STAFF_COOKIE))
    crew = _principal(system, connection.cookies.get(CREW_COOKIE))
    return Viewers(
        staff if staff and staff.role != "crew" else None,
        crew if crew and crew.role == "crew" else None,
    )


TheViewers = Annotated[Viewers, Depends(the_viewers)]


def _principal(system: System, cookie: str | None) -> Principal | None:
    city_id, _, token = (cookie or "").partition(".")
    if not city_id or not token or len(token) > 100:
        return None
    return accounts.find_session(system, city_id, token)


def requires(*roles: str) -> Callable[..., Awaitable[Principal]]:
    """A dependency that gives whoever has one of the roles in the city of the path.

    Raises Problem 401 for nobody, 403 for the wrong role, another city or another site's request.
    """

    async def signed_in(request: Request, city: TheCity, viewers: TheViewers) -> Principal:
        found = viewers.having(*roles, city_id=city.id)
        if found is None:
            if viewers.anyone is None:
                raise Problem(401, "not_signed_in")
            raise Problem(403, "forbidden")
        if request.method not in SAFE_METHODS:
            check_origin(request)
        return found

    return signed_in


def check_origin(connection: HTTPConnection) -> None:
    """Refuse what another site made a browser send. Raises Problem 403.

    A browser names the origin of every write; programs without a browser name none, and no other
    site can make them send our cookie.
    """
    origin = connection.headers.get("origin")
    if origin is None:
        if connection.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            raise Problem(403, "foreign_origin")
        return
    # A proxy may rename the host; then the administrator says how people reach us.
    public = urlsplit(the_settings(connection).public_url or "").netloc
    own = {connection.headers.get("host", "").lower(), public.lower()} - {""}
    if urlsplit(origin).netloc.lower() not in own:
        raise Problem(403, "foreign_origin")


Dispatcher = Annotated[Principal, Depends(requires(*DISPATCHING))]
Watcher = Annotated[Principal, Depends(requires(*WATCHING))]
Officer = Annotated[Principal, Depends(requires("officer", "administrator"))]
CrewMember = Annotated[Principal, Depends(requires("crew"))]
CrewOrDispatcher = Annotated[Principal, Depends(requires("crew", *DISPATCHING))]
Driver = Annotated[Principal, Depends(requires("crew", "officer", *WATCHING))]
CrewOrWatcher = Annotated[Principal, Depends(requires("crew", *WATCHING))]


# --- repeated requests ------------------------------------------------------------


async def _digest(request: Request) -> str:
    return hashlib.sha256(await request.body()).hexdigest()


Digest = Annotated[str, Depends(_digest)]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=100,
        pattern=r"^[!-~]+$",
        description="a UUID; the same key gets the same answer",
    ),
]


async def the_step(request: Request, digest: Digest, idempotency_key: Key = None) -> Step:
    """The request as one step that may be repeated. Raises Problem 400 without a key."""
    if idempotency_key is None:
        raise Problem(400, "idempotency_key_missing")
    return _step(request, digest, idempotency_key)


async def maybe_step(request: Request, digest: Digest, idempotency_key: Key = None) -> Step:
    """The same for public doors, where the key is optional."""
    return _step(request, digest, idempotency_key)


def _step(request: Request, digest: str, key: str | None) -> Step:
    return Step(key=key, method_path=f"{request.method} {request.url.path}", body_hash=digest)


TheStep = Annotated[Step, Depends(the_step)]
MaybeStep = Annotated[Step, Depends(maybe_step)]


# --- cookies ----------------------------------------------------------------------


def set_cookie(
    response: Response, connection: HTTPConnection, principal: Principal, token: str
) -> None:
    """Give the browser its session; scripts cannot read it, other sites cannot send it."""
    settings = the_settings(connection)
    hours = settings.crew_session_h if principal.role == "crew" else settings.staff_session_h
    response.set_cookie(
        cookie_of(principal),
        f"{principal.city_id}.{token}",
        max_age=int(hours * 3600),
        httponly=True,
        samesite="lax",
        secure=_secure(connection),
        path="/",
    )


def drop_cookie(response: Response, connection: HTTPConnection, name: str) -> None:
    """Take the session's cookie away."""
    response.delete_cookie(
        name, path="/", httponly=True, samesite="lax", secure=_secure(connection)
    )


def cookie_of(principal: Principal) -> str:
    """The name of the cookie that holds this kind of session."""
    return CREW_COOKIE if principal.role == "crew" else STAFF_COOKIE


def _secure(connection: HTTPConnection) -> bool:
    wanted = the_settings(connection).secure_cookies
    return connection.url.scheme in ("https", "wss") if wanted is None else wanted
