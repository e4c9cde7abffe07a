"""What a tracker says at a door, from bytes to fixes of a device that is let in, and back."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import orjson

from dispatch.core.crews import Fix
from dispatch.storage.devices import Device
from dispatch.system.devices import Devices
from web.trackers import osmand
from web.trackers.reading import Reading, Unreadable

MOST = 500
"""So many positions may come in one request."""
NOBODY = UUID(int=0)
_FINE = (None, "late", "repeated")
_ONE_TAKEN = b'{"accepted":1,"refused":[]}'


@dataclass(frozen=True, slots=True)
class Knock:
    """A request at the OsmAnd door; `secret` is the end of its address, if that has one."""

    query: bytes
    body: bytes
    authorization: str
    secret: str | None

    def read(self) -> tuple[list[Reading], str | None]:
        """What it says, and the secret it comes with. Raises Unreadable, ValueError."""
        given = _pairs(self.query, blank=True) if self.query else {}
        name, password = basic(self.authorization)
        named = given.get("id") or given.get("deviceid") or name
        if self.body.lstrip()[:1] in (b"{", b"["):
            found = osmand.from_json(parsed(self.body), device_id=named)
        else:
            given |= _pairs(self.body)
            if named is not None:
                given.setdefault("id", named)
            found = osmand.from_parameters(given)
        return found, self.secret or given.get("secret") or password


def _pairs(coded: bytes, *, blank: bool = False) -> dict[str, str]:
    text = coded.decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=blank, max_num_fields=100))


def parsed(body: bytes) -> Any:
    """The JSON of a body. Raises Unreadable."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unreadable from None


def basic(authorization: str) -> tuple[str | None, str | None]:
    """Name and password of Basic authentication (RFC 7617)."""
    if not authorization:
        return None, None
    scheme, _, coded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None, None
    try:
        name, _, password = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    return name or None, password or None


def let_in(devices: Devices, found: Sequence[Reading], secret: str | None) -> list[Device]:
    """The devices that speak, each once; none when one of them is not let in."""
    known = [devices.let_in(each, secret or "") for each in {r.device_id for r in found}]
    able = [device for device in known if device is not None]
    return able if len(able) == len(known) else []


class Sent:
    """What one device sent, and what became of each fix."""

    __slots__ = ("_waits", "able", "device", "fixes", "said")

    def __init__(self, device: Device, found: Sequence[Reading], now: datetime) -> None:
        self.device = device
        self.fixes = [_fix(reading, device, now) for reading in found]
        self.said = [_wanting(reading, device) for reading in found]
        self._waits = [i for i, word in enumerate(self.said) if word is None]
        self.able = [self.fixes[i] for i in self._waits]
        """What may enter the pipeline."""

    def settle(self, said: Sequence[str | None]) -> None:
        """What the pipeline said of each that was able."""
        for i, word in zip(self._waits, said, strict=True):
            self.said[i] = word


def told(said: Sequence[str | None]) -> bytes:
    """The answer: how many were accepted, and why which were not."""
    if len(said) == 1 and said[0] in _FINE:
        return _ONE_TAKEN
    refused = [
        {"index": index, "reason": word} for index, word in enumerate(said) if word not in _FINE
    ]
    return orjson.dumps({"accepted": len(said) - len(refused), "refused": refused})


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
