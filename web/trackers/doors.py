"""`/osmand`, `/owntracks` and `/traccar` of each city: decode, authenticate, hand on.

Whatever is readable and comes from a known device is answered with 200, refused positions too: a
phone would send them again for ever. Why they were refused stands on the device's page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from dispatch.storage.devices import Device
from dispatch.system import City, System
from web import limits
from web.auth import TheCity, TheSystem, the_city, the_system
from web.errors import Problem
from web.trackers import owntracks, traccar
from web.trackers.intake import Intake
from web.trackers.knock import MOST, Knock, Sent, basic, let_in, parsed, told
from web.trackers.reading import Reading, Unreadable

router = APIRouter(include_in_schema=False)

Secret = Annotated[str, Path(max_length=200)]


async def osmand_door(request: Request) -> Response:
    """The secret comes as the end of the address (Traccar Client drops the query), as parameter
    `secret`, or as the password of Basic authentication.
    """
    system = the_system(request)
    city = the_city(request.path_params["city"], system)
    return await _osmand(request, city, system, request.path_params.get("secret"))


class Doorway(Route):
    """A door that thousands pass each second: plain ASGI, no dependencies to solve.

    The same address, methods and refusals as any route of the application. Requests that were
    taken are logged at debug: a line for each would say nothing and cost more than the position.
    """

    quiet = True

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self
        if scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        response = await self.endpoint(Request(scope, receive))
        await response(scope, receive, send)


first = [
    Doorway(path, osmand_door, methods=["GET", "POST"], name=name, include_in_schema=False)
    for path, name in (
        ("/osmand/{city}/{secret}", "osmand_door_by_address"),
        ("/osmand/{city}", "osmand_door"),
    )
]
"""Stands before every other route."""


async def _osmand(request: Request, city: City, system: System, secret: str | None) -> Response:
    knock = Knock(
        request.scope["query_string"],
        await request.body(),
        request.headers.get("authorization", ""),
        secret,
    )
    try:
        found, secret = knock.read()
    except (Unreadable, ValueError) as wrong:
        raise _unreadable(wrong) from None
    said = await _take(request, city, system, found, door="osmand", secret=secret)
    return _told(said)


@router.post("/owntracks/{city}")
async def owntracks_door(request: Request, city: TheCity, system: TheSystem) -> Response:
    """The user of the app is the device's id, its password the secret."""
    return await _owntracks(request, city, system, None)


@router.post("/owntracks/{city}/{secret}")
async def owntracks_door_by_address(
    request: Request, city: TheCity, system: TheSystem, secret: Secret
) -> Response:
    """For those who would rather write the secret into the address."""
    return await _owntracks(request, city, system, secret)


async def _owntracks(request: Request, city: City, system: System, secret: str | None) -> Response:
    name, password = basic(request.headers.get("authorization", ""))
    body = await request.body()
    named = request.query_params.get("id") or name or request.headers.get("x-limit-u")
    if not body.strip():
        return Response(b"[]", media_type="application/json")
    try:
        found = owntracks.readings(parsed(body), device_id=named)
    except Unreadable as wrong:
        raise _unreadable(wrong) from None
    if found:
        secret = secret or password
        await _take(request, city, system, found, door="owntracks", secret=secret)
    # the app shows what it gets as friends: nobody
    return Response(b"[]", media_type="application/json")


@router.post("/traccar/{city}")
async def traccar_door(request: Request, city: TheCity, system: TheSystem) -> Response:
    """The secret is an attribute of the device there."""
    return await _traccar(request, city, system, None)


@router.post("/traccar/{city}/{secret}")
async def traccar_door_by_address(
    request: Request, city: TheCity, system: TheSystem, secret: Secret
) -> Response:
    """The secret stands in the forward address of the device there."""
    return await _traccar(request, city, system, secret)


async def _traccar(request: Request, city: City, system: System, secret: str | None) -> Response:
    try:
        found, written = traccar.readings(parsed(await request.body()))
    except Unreadable as wrong:
        raise _unreadable(wrong) from None
    secret = secret or written or basic(request.headers.get("authorization", ""))[1]
    said = await _take(request, city, system, found, door="traccar", secret=secret)
    return _told(said)


# --- authenticate → the pipeline -------------------------------------------------------


def _unreadable(wrong: ValueError) -> Problem:
    return Problem(400, getattr(wrong, "code", "unreadable_fix"))


async def _take(
    request: Request,
    city: City,
    system: System,
    found: Sequence[Reading],
    *,
    door: str,
    secret: str | None,
) -> list[str | None]:
    """Let the device in and lead what it sent through the pipeline; what became of each."""
    if len(found) > MOST:
        raise Problem(413, "too_many_fixes", limit=MOST)
    intake: Intake = request.app.state.intake
    known = let_in(await intake.registry(system, city.id), found, secret)
    if not known:
        limits.check(request, "device_secret")
        raise Problem(401, "bad_device", headers={"WWW-Authenticate": 'Basic realm="Sigap"'})
    for device in known:
        limits.check(request, "fixes", f"{city.id}/{device.id}")
    said: list[str | None] = []
    for device in known:
        own = [reading for reading in found if reading.device_id == device.id]
        said += await _take_of(request, city, system, device, own, door=door)
    return said


async def _take_of(
    request: Request,
    city: City,
    system: System,
    device: Device,
    found: Sequence[Reading],
    *,
    door: str,
) -> list[str | None]:
    sent = Sent(device, found, system.clock())
    if sent.able:
        intake: Intake = request.app.state.intake
        sent.settle(await intake.take(system, city.id, sent.able))
    system.devices(city.id).heard(device, door, sent.fixes, sent.said)
    return sent.said


def _told(said: Sequence[str | None]) -> Response:
    return Response(told(said), media_type="application/json")
