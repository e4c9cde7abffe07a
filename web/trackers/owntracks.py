"""OwnTracks over HTTP: messages of `_type` location; everything else is answered and ignored.

See owntracks.org/booklet/tech/json: `vel` is km/h, `batt` per cent, `tst` seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web.trackers.reading import (
    KMH_MS,
    Reading,
    accuracy,
    between,
    heading,
    moment,
    number,
    speed,
    text,
)


def readings(given: Any, *, device_id: str | None) -> list[Reading]:
    """The locations of a body; empty for cards, transitions and what the app knows else.

    `device_id` is the user's name of the request; without one the message names its device by
    the end of its topic, or by its tracker id. Raises Unreadable.
    """
    bodies = given if isinstance(given, list) else [given]
    return [
        _location(body, device_id)
        for body in bodies
        if isinstance(body, Mapping) and body.get("_type") == "location"
    ]


def _location(body: Mapping[str, Any], device_id: str | None) -> Reading:
    topic = str(body.get("topic") or "").rpartition("/")[2]
    return Reading(
        device_id=text(device_id or topic or body.get("tid")),
        lon=number(body.get("lon")),
        lat=number(body.get("lat")),
        fix_time=moment(body.get("tst")),
        device_time=moment(body.get("created_at")),
        accuracy_m=accuracy(body.get("acc")),
        heading=heading(body.get("cog")),
        speed_ms=speed(body.get("vel"), times=KMH_MS),
        battery=between(body.get("batt"), 0.0, 1.0, times=0.01),
    )
