"""The registry of trackers: who speaks for which crew, how to set one up, what it last sent."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote, urlencode

import segno
from fastapi import APIRouter, Path, Request, Response

from dispatch.core.errors import NotFound
from dispatch.core.log import plain
from dispatch.storage.devices import Device
from dispatch.system import System
from dispatch.system.devices import Made
from web import shapes, wishes
from web.accounts import Principal
from web.api.deeds import json
from web.auth import Dispatcher, TheCity, TheSettings, TheStep, TheSystem, Watcher
from web.settings import Settings

router = APIRouter(prefix="/api/{city}/devices", tags=["devices"])

FILE = shapes.answers(shapes.DeviceFile)
MADE = shapes.answers(shapes.DeviceMade)
TRACCAR_CLIENT = {
    "accuracy": "high",
    "interval": 5,
    "distance": 15,
    "angle": 30,
    "fastest_interval": 3,
    "heartbeat": 60,
    "buffer": "true",
    "stop_detection": "false",
    "service": "true",
}
"""How often Traccar Client is asked to send: often on the way, once a minute while it stands."""


@router.get("", responses=shapes.answers(shapes.DeviceList))
def list_devices(city: TheCity, who: Watcher, system: TheSystem) -> Response:
    """Every device of the city, retired ones too, by id."""
    found = system.devices(city.id).every()
    return json({"devices": [device_view(device, news) for device, news in found]})


@router.post("", responses=MADE)
def register_device(
    request: Request,
    city: TheCity,
    wish: wishes.NewDevice,
    who: Dispatcher,
    step: TheStep,
    system: TheSystem,
    settings: TheSettings,
) -> Response:
    """Register a device. Its secret is never stored: a repeated request makes a new one."""
    devices = system.devices(city.id)
    by = str(who.actor)
    made_up = wish.id or _id_of(who, step.key)
    if wish.id is None and _is_there(system, city.id, made_up, by=by):
        return json(made_view(devices.rotate(made_up), request, settings, city.id))
    made = devices.register(label=wish.label, by=by, device_id=made_up, crew_id=wish.crew_id)
    return json(made_view(made, request, settings, city.id))


def _id_of(who: Principal, key: str | None) -> str:
    """Eight digits, as Traccar Client makes them; the same for the same request."""
    digest = hashlib.sha256(f"{who.city_id}/{who.id}/{key}".encode()).digest()
    return str(10**7 + int.from_bytes(digest[:8]) % (9 * 10**7))


def _is_there(system: System, city_id: str, device_id: str, *, by: str) -> bool:
    try:
        device, _ = system.devices(city_id).one(device_id)
    except NotFound:
        return False
    return device.created_by == by


@router.get("/{device_id}", responses=FILE)
def device(
    city: TheCity, who: Watcher, system: TheSystem, device_id: str = Path(max_length=100)
) -> Response:
    """One device: what it last sent, and why positions of it were refused."""
    found, news = system.devices(city.id).one(device_id)
    return json({"device": device_view(found, news)})


@router.post("/{device_id}/secret", responses=MADE)
def rotate_secret(
    request: Request,
    city: TheCity,
    _: wishes.Nothing,
    who: Dispatcher,
    step: TheStep,
    system: TheSystem,
    settings: TheSettings,
    device_id: str = Path(max_length=100),
) -> Response:
    """A new secret; the old one opens nothing any more. A repeated request makes another one."""
    made = system.devices(city.id).rotate(device_id)
    return json(made_view(made, request, settings, city.id))


@router.post("/{device_id}/crew", responses=FILE)
def assign_device(
    city: TheCity,
    wish: wishes.DeviceCrew,
    who: Dispatcher,
    step: TheStep,
    system: TheSystem,
    device_id: str = Path(max_length=100),
) -> Response:
    """From now on the device speaks for this crew, or for nobody."""
    devices = system.devices(city.id)
    devices.assign(device_id, wish.crew_id)
    return json({"device": device_view(*devices.one(device_id))})


@router.post("/{device_id}/retire", responses=FILE)
def retire_device(
    city: TheCity,
    _: wishes.Nothing,
    who: Dispatcher,
    step: TheStep,
    system: TheSystem,
    device_id: str = Path(max_length=100),
) -> Response:
    """Let it in no more; what it sent stays in the history."""
    devices = system.devices(city.id)
    devices.retire(device_id)
    return json({"device": device_view(*devices.one(device_id))})


def device_view(device: Device, news: Any) -> dict[str, Any]:
    """A device as the screens get it: without its secret's fingerprint."""
    view: dict[str, Any] = plain(device)
    del view["secret_hash"]
    return {**view, "news": news}


def made_view(made: Made, request: Request, settings: Settings, city_id: str) -> dict[str, Any]:
    """The device with its secret and everything it is set up with."""
    origin = settings.public_url or str(request.base_url).rstrip("/")
    return {"device": device_view(made.device, None), **setup(made, origin, city_id)}


def setup(made: Made, origin: str, city_id: str) -> dict[str, str]:
    """How a device with this secret is set up.

    Traccar Client takes origin and path of what it scans as its server's address, and the
    parameters as its settings; so the secret stands in the path.
    """
    secret, city = quote(made.secret, safe=""), quote(city_id, safe="")
    osmand = f"{origin}/osmand/{city}/{secret}"
    link = f"{osmand}?{urlencode({'id': made.device.id, **TRACCAR_CLIENT})}"
    qr = segno.make(link, error="m", micro=False)
    return {
        "secret": made.secret,
        "config_link": link,
        "qr_svg": qr.svg_inline(scale=5, border=4, dark="#000", light="#fff"),
        "osmand_url": osmand,
        "owntracks_url": f"{origin}/owntracks/{city}",
        "traccar_url": f"{origin}/traccar/{city}/{secret}",
    }
