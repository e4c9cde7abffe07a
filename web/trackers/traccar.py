"""Positions that a Traccar server forwards as JSON: any of the trackers that it understands.

`speed` is knots, as everywhere in Traccar. The secret stands in the forward address of the
device, or in its attribute `sigapSecret`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web.trackers.reading import (
    KNOT_MS,
    Reading,
    Unreadable,
    accuracy,
    between,
    heading,
    moment,
    number,
    speed,
    text,
    truth,
)

SECRET = "sigapSecret"  # noqa: S105 - the name of an attribute


def readings(given: Any) -> tuple[list[Reading], str | None]:
    """The forwarded position, and the secret among the device's attributes. Raises Unreadable."""
    if not isinstance(given, Mapping):
        raise Unreadable
    position, device = given.get("position"), given.get("device")
    if not isinstance(device, Mapping):
        raise Unreadable("no_device_id")
    device_id = text(device.get("uniqueId"))
    if not isinstance(position, Mapping):
        raise Unreadable
    attributes = _mapping(position.get("attributes"))
    reading = Reading(
        device_id=device_id,
        lon=number(position.get("longitude")),
        lat=number(position.get("latitude")),
        fix_time=moment(position.get("fixTime")),
        device_time=moment(position.get("deviceTime")),
        accuracy_m=accuracy(position.get("accuracy")),
        heading=heading(position.get("course")),
        speed_ms=speed(position.get("speed"), times=KNOT_MS),
        battery=between(attributes.get("batteryLevel"), 0.0, 1.0, times=0.01),
        mock=truth(attributes.get("mock")),
        valid=position.get("valid") is not False,
    )
    secret = _mapping(device.get("attributes")).get(SECRET)
    return [reading], secret if isinstance(secret, str) else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
