"""Cuts one city out of the map of a country, so that everything after it stays small."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import osmium

from geo.osm_roads import extract_errors
from geo.point import Box
from geo.progress import Progress

EDGE_M = 3_000.0
"""The map goes on this far around the wards: crews come from and drive around by there."""

_REPORT_EVERY = 10_000
# Relations that belong to a city; routes and provinces would drag half the country along.
_LOCAL_TYPES = {"multipolygon", "boundary", "restriction"}
_LOWEST_LOCAL_LEVEL = 6


def clip(extract: Path, out: Path, *, box: Box, progress: Progress) -> int:
    """Write what lies in the box to `out`, ways and polygons whole; returns the number of ways.

    Raises ExtractMissing or BadExtract.
    """
    inside = osmium.IdTracker()
    ways = 0
    with (
        extract_errors(extract),
        osmium.BackReferenceWriter(out, ref_src=extract, remove_tags=False) as writer,
    ):
        things: Iterable[Any] = osmium.FileProcessor(extract)
        for n, thing in enumerate(things):
            if n % _REPORT_EVERY == 0:
                progress.advance(_REPORT_EVERY)
            if _is_wanted(thing, inside, box):
                writer.add(thing)
                ways += thing.is_way()
    return ways


def _is_wanted(thing: Any, inside: osmium.IdTracker, box: Box) -> bool:
    """Does it lie in the box? Plain nodes come with their ways."""
    if thing.is_node():
        is_in = _is_in(thing, box)
        if is_in:
            inside.add_node(thing.id)
        return is_in and bool(thing.tags)
    if thing.is_way():
        touches = bool(inside.contains_any_references(thing))
        if touches:
            inside.add_way(thing.id)
        return touches
    return thing.is_relation() and _is_local(thing, inside)


def _is_in(node: Any, box: Box) -> bool:
    place = node.location
    if not place.valid():
        return False
    return bool(box.west <= place.lon <= box.east and box.south <= place.lat <= box.north)


def _is_local(relation: Any, inside: osmium.IdTracker) -> bool:
    if relation.tags.get("type") not in _LOCAL_TYPES:
        return False
    level = relation.tags.get("admin_level", "")
    if level.isdigit() and int(level) < _LOWEST_LOCAL_LEVEL:
        return False
    return bool(inside.contains_any_references(relation))
