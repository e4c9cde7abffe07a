"""`/osmand`, `/owntracks` and `/traccar` of each city: decode, authenticate, hand on.

Whatever is readable and comes from a known device is answered with 200, refused positions too: a
phone would send them again for ever. Why they were refused stands on the device's page.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Request, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from dispatch.core.crews import Fix
from dispatch.storage.devices import Device
from dispatch.system import City, System
from web import limits
from web.api.deeds import json
from web.auth import TheCity, TheSystem, the_city, the_system
from web.errors import Problem
from web.trackers import osmand, owntracks, traccar
from web.trackers.intake import Intake
from web.trackers.reading import Reading, Unreadable

router = APIRouter(include_in_schema=False)

MOST = 500
"""So many positions may come in one request."""
NOBODY = UUID(int=0)
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
    given = dict(request.query_params)
    body = await request.body()
    name, password = _basic(request)
    named = given.get("id") or given.get("deviceid") or name
    try:
        if body.lstrip()[:1] in (b"{", b"["):
            found = osmand.from_json(_parsed(body), device_id=named)
        else:
            given |= dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=100))
            if named is not None:
                given.setdefault("id", named)
            found = osmand.from_parameters(given)
    except (Unreadable, ValueError) as wrong:
        raise _unreadable(wrong) from None
    secret = secret or given.get("secret") or password
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
    name, password = _basic(request)
    body = await request.body()
    named = request.query_params.get("id") or name or request.headers.get("x-limit-u")
    if not body.strip():
        return json([])
    try:
        found = owntracks.readings(_parsed(body), device_id=named)
    except Unreadable as wrong:
        raise _unreadable(wrong) from None
    if found:
        secret = secret or password
        await _take(request, city, system, found, door="owntracks", secret=secret)
    # the app shows what it gets as friends: nobody
    return json([])


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
        found, written = traccar.readings(_parsed(await request.body()))
    except Unreadable as wrong:
        raise _unreadable(wrong) from None
    secret = secret or written or _basic(request)[1]
    said = await _take(request, city, system, found, door="traccar", secret=secret)
    return _told(said)


# --- decode → authenticate → the pipeline ----------------------------------------------


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unreadable from None


def _unreadable(wrong: ValueError) -> Problem:
    return Problem(400, getattr(wrong, "code", "unreadable_fix"))


def _basic(request: Request) -> tuple[str | None, str | None]:
    """Name and password of Basic authentication (RFC 7617)."""
    scheme, _, coded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None, None
    try:
        name, _, password = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    return name or None, password or None


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
    ids = {reading.device_id for reading in found}
    intake: Intake = request.app.state.intake
    devices = await intake.registry(system, city.id)
    known = {device_id: devices.let_in(device_id, secret or "") for device_id in ids}
    if not ids or not all(known.values()):
        limits.check(request, "device_secret")
        raise Problem(401, "bad_device", headers={"WWW-Authenticate": 'Basic realm="Sigap"'})
    for device_id in ids:
        limits.check(request, "fixes", f"{city.id}/{device_id}")
    said: list[str | None] = []
    for device in known.values():
        assert device is not None
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
    now = system.clock()
    fixes = [_fix(reading, device, now) for reading in found]
    said = [_wanting(reading, device) for reading in found]
    able = [i for i, word in enumerate(said) if word is None]
    if able:
        intake: Intake = request.app.state.intake
        taken = await intake.take(system, city.id, [fixes[i] for i in able])
        for i, word in zip(able, taken, strict=True):
            said[i] = word
    system.devices(city.id).heard(device, door, fixes, said)
    return said


def _wanting(reading: Reading, device: Device) -> str | None:
    """Why a reading cannot even enter the pipeline."""
    if reading.lon is None or reading.lat is None:
        return "no_place"
    if not reading.valid:
        return "no_satellites"
    return "no_crew" if device.crew_id is None else None


def _fix(reading: Reading, device: Device, now: datetime) -> Fix:
    return Fix(
        crew_id=device.crew_id or NOBODY,
        lon=math.nan if reading.lon is None else reading.lon,
        lat=math.nan if reading.lat is None else reading.lat,
        fix_time=reading.fix_time or now,
        server_time=now,
        accuracy_m=reading.accuracy_m,
        heading=reading.heading,
        speed_ms=reading.speed_ms,
        battery=reading.battery,
        mock=reading.mock,
        device_time=reading.device_time,
        device=device.id,
    )


def _told(said: Sequence[str | None]) -> Response:
    fine = (None, "late", "repeated")
    refused = [
        {"index": index, "reason": word} for index, word in enumerate(said) if word not in fine
    ]
    return json({"accepted": len(said) - len(refused), "refused": refused})
