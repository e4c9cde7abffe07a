"""The OsmAnd protocol: parameters of a query or a form, or the JSON of Traccar Client since 9.

See traccar.org/osmand. In parameters `speed` is knots and `batt` per cent, in JSON `speed` is m/s
and `battery.level` 0 to 1; -1 is unknown in both.
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


def from_parameters(given: Mapping[str, str]) -> list[Reading]:
    """The one message in a query or form. Raises Unreadable."""
    lat, lon = given.get("lat"), given.get("lon")
    if "location" in given:
        lat, _, lon = given["location"].partition(",")
    return [
        Reading(
            device_id=text(given.get("id") or given.get("deviceid")),
            lon=number(lon),
            lat=number(lat),
            fix_time=moment(given.get("timestamp")),
            accuracy_m=accuracy(given.get("accuracy")),
            heading=heading(given.get("bearing") or given.get("heading")),
            speed_ms=speed(given.get("speed"), times=KNOT_MS),
            battery=between(given.get("batt"), 0.0, 1.0, times=0.01),
            mock=truth(given.get("mock")),
            valid=truth(given.get("valid", "true")),
        )
    ]


def from_json(given: Any, *, device_id: str | None = None) -> list[Reading]:
    """The messages of a JSON body: one, or a batch that waited on the phone. Raises Unreadable.

    `device_id` is the one in the address, for messages that name none.
    """
    bodies = given if isinstance(given, list) else [given]
    return [reading for body in bodies for reading in _of_body(body, device_id=device_id)]


def _of_body(body: Any, *, device_id: str | None) -> list[Reading]:
    if not isinstance(body, Mapping):
        raise Unreadable
    named = text(body.get("device_id") or body.get("id") or device_id)
    locations = body.get("location", ())
    if isinstance(locations, Mapping):
        locations = [locations]
    if not isinstance(locations, list | tuple):
        raise Unreadable
    return [_of_location(location, named) for location in locations]


def _of_location(location: Any, device_id: str) -> Reading:
    if not isinstance(location, Mapping):
        raise Unreadable
    coords, battery = location.get("coords"), location.get("battery")
    coords = coords if isinstance(coords, Mapping) else {}
    battery = battery if isinstance(battery, Mapping) else {}
    return Reading(
        device_id=device_id,
        lon=number(coords.get("longitude")),
        lat=number(coords.get("latitude")),
        fix_time=moment(location.get("timestamp")),
        accuracy_m=accuracy(coords.get("accuracy")),
        heading=heading(coords.get("heading")),
        speed_ms=speed(coords.get("speed")),
        battery=between(battery.get("level"), 0.0, 1.0),
        mock=truth(location.get("mock")) or truth(coords.get("mock")),
    )
