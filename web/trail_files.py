"""Tracks as files that maps and GPS programs open: GPX 1.1 and GeoJSON (RFC 7946)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import orjson

from dispatch.core.crews import Fix
from dispatch.core.log import plain

GPX = "http://www.topografix.com/GPX/1/1"
SIGAP = "https://sigap.invalid/gpx/1"
"""A namespace of our own for what GPX has no word for."""


@dataclass(frozen=True, slots=True)
class Trail:
    """The pieces of one crew's track; between two pieces nothing is told."""

    crew_id: str
    name: str
    pieces: Sequence[Sequence[Fix]]


def gpx(trails: Sequence[Trail], *, title: str) -> bytes:
    """One track per crew, one segment per piece; the place as the device sent it."""
    ET.register_namespace("", GPX)
    ET.register_namespace("sigap", SIGAP)
    root = ET.Element(f"{{{GPX}}}gpx", version="1.1", creator="Sigap")
    _text(ET.SubElement(root, f"{{{GPX}}}metadata"), "name", title)
    for trail in trails:
        track = ET.SubElement(root, f"{{{GPX}}}trk")
        _text(track, "name", trail.name)
        for piece in trail.pieces:
            segment = ET.SubElement(track, f"{{{GPX}}}trkseg")
            for fix in piece:
                _point(segment, fix)
    ET.indent(root)
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body


def _point(segment: ET.Element, fix: Fix) -> None:
    point = ET.SubElement(segment, f"{{{GPX}}}trkpt", lat=f"{fix.lat:.7f}", lon=f"{fix.lon:.7f}")
    _text(point, "time", plain(fix.fix_time))
    known = {
        "accuracy_m": fix.accuracy_m,
        "speed_ms": fix.speed_ms,
        "heading": fix.heading,
        "mock": "true" if fix.mock else None,
        "server_time": plain(fix.server_time),
    }
    more = ET.SubElement(point, f"{{{GPX}}}extensions")
    for name, value in known.items():
        if value is not None:
            ET.SubElement(more, f"{{{SIGAP}}}{name}").text = str(value)


def _text(parent: ET.Element, name: str, value: str) -> None:
    ET.SubElement(parent, f"{{{GPX}}}{name}").text = value


def geojson(trails: Sequence[Trail], *, title: str) -> bytes:
    """A line per piece, with the times of its points; a piece of one fix is a point."""
    features = [
        _feature(trail, piece) for trail in trails for piece in trail.pieces if len(piece) > 0
    ]
    return orjson.dumps({"type": "FeatureCollection", "name": title, "features": features})


def _feature(trail: Trail, piece: Sequence[Fix]) -> dict[str, Any]:
    places = [[round(fix.lon, 7), round(fix.lat, 7)] for fix in piece]
    alone = len(places) == 1
    return {
        "type": "Feature",
        "geometry": {
            "type": "Point" if alone else "LineString",
            "coordinates": places[0] if alone else places,
        },
        "properties": {
            "crew_id": trail.crew_id,
            "name": trail.name,
            "times": [plain(fix.fix_time) for fix in piece],
            "server_times": [plain(fix.server_time) for fix in piece],
            "accuracy_m": [fix.accuracy_m for fix in piece],
            "speed_ms": [fix.speed_ms for fix in piece],
            "mock": [fix.mock for fix in piece],
        },
    }
