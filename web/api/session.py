"""Signing in and out: people with a password, crews' devices with a one-time code."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from dispatch.core.errors import NotFound
from web import accounts, auth, limits, shapes, wishes
from web.accounts import Opened, Principal
from web.auth import TheSettings, TheSystem, TheViewers
from web.errors import Problem

router = APIRouter(tags=["session"])

As = Annotated[Literal["staff", "crew"] | None, Query(alias="as")]


@router.post("/api/session", responses=shapes.answers(shapes.SignedIn))
def sign_in(
    wish: wishes.SignIn,
    request: Request,
    response: Response,
    system: TheSystem,
    settings: TheSettings,
    viewers: TheViewers,
) -> dict[str, Any]:
    """Sign in with name and password; sets the session cookie."""
    auth.check_origin(request)
    _throttle(request, f"{wish.city}/{wish.username.strip().lower()}")
    try:
        opened = accounts.sign_in(
            system,
            wish.city,
            username=wish.username,
            password=wish.password,
            hours=settings.staff_session_h,
        )
    except NotFound:
        opened = None
    if opened is None:
        raise Problem(401, "bad_credentials")
    _forgive(request, f"{wish.city}/{wish.username.strip().lower()}")
    return _welcome(request, response, opened, replaced=viewers.staff)


@router.post("/api/crew-session", responses=shapes.answers(shapes.SignedIn))
def pair_device(
    wish: wishes.CrewSignIn,
    request: Request,
    response: Response,
    system: TheSystem,
    settings: TheSettings,
    viewers: TheViewers,
) -> dict[str, Any]:
    """Pair a crew's device with a one-time code; the crew's older device is signed out."""
    auth.check_origin(request)
    limits.check(request, "sign_in")
    try:
        opened = accounts.redeem_code(system, wish.city, wish.code, hours=settings.crew_session_h)
    except NotFound:
        opened = None
    if opened is None:
        raise Problem(401, "bad_code")
    return _welcome(request, response, opened, replaced=viewers.crew)


@router.get("/api/session", responses=shapes.answers(shapes.SignedIn))
def who_am_i(viewers: TheViewers, as_: As = None) -> dict[str, Any]:
    """Who is signed in with this browser; 401 for nobody."""
    return {"user": _one(viewers, as_).view()}


@router.delete("/api/session", status_code=204)
def sign_out(
    request: Request,
    system: TheSystem,
    viewers: TheViewers,
    as_: As = None,
) -> Response:
    """End the session and close its sockets."""
    leaving = _one(viewers, as_)
    auth.check_origin(request)
    accounts.end_session(system, leaving)
    request.app.state.sockets.end_everywhere(system, leaving.session_hash)
    response = Response(status_code=204)
    auth.drop_cookie(response, request, auth.cookie_of(leaving))
    return response


def _one(viewers: auth.Viewers, as_: str | None) -> Principal:
    found = {"staff": viewers.staff, "crew": viewers.crew}.get(as_ or "", viewers.anyone)
    if found is None:
        raise Problem(401, "not_signed_in")
    return found


def _welcome(
    request: Request, response: Response, opened: Opened, *, replaced: Principal | None
) -> dict[str, Any]:
    system = auth.the_system(request)
    if replaced is not None:
        accounts.end_session(system, replaced)
        request.app.state.sockets.end_everywhere(system, replaced.session_hash)
    for session_hash in opened.ended:
        request.app.state.sockets.end_everywhere(system, session_hash)
    auth.set_cookie(response, request, opened.principal, opened.token)
    return {"user": opened.principal.view()}


def _throttle(request: Request, account: str) -> None:
    """A guess costs the address a token and the account one from this address."""
    limits.check(request, "sign_in")
    limits.check(request, "account", f"{account}@{limits.client_of(request)}")


def _forgive(request: Request, account: str) -> None:
    buckets: limits.Buckets = request.app.state.buckets
    buckets.give_back("account", f"{account}@{limits.client_of(request)}")
    buckets.give_back("sign_in", limits.client_of(request))
