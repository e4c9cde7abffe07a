"""Everything with a name in an OpenStreetMap extract: streets, places, house numbers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import osmium
import shapely
from shapely.geometry import LineString

from geo.gazetteer_text import fold
from geo.point import Point
from geo.progress import Progress

Tags = Mapping[str, str]

_NOT_STREETS = frozenset(
    {"proposed", "construction", "abandoned", "razed", "platform", "bus_stop", "rest_area"}
)
_PATHS = frozenset(
    {"footway", "path", "cycleway", "steps", "bridleway", "track", "busway", "bus_guideway"}
    | {"service", "corridor"}
)
_POI_KEYS = (
    "amenity",
    "shop",
    "tourism",
    "leisure",
    "office",
    "healthcare",
    "historic",
    "railway",
    "aeroway",
    "public_transport",
    "man_made",
    "craft",
    "military",
    "natural",
    "landuse",
    "building",
    "place",
    "highway",
)
_NOT_POIS = {
    "railway": frozenset(
        {"rail", "proposed", "dismantled", "abandoned", "disused", "switch", "stop"}
    ),
    "highway": frozenset({"street_lamp", "traffic_signals", "motorway_junction", "crossing"}),
    "landuse": frozenset({"grass"}),
    "public_transport": frozenset({"stop_position", "platform"}),
    "natural": frozenset({"coastline", "tree_row"}),
}
_LOCALITIES = frozenset({"suburb", "quarter", "neighbourhood", "village", "hamlet"})
_MOST_ALIASES = 12
_REPORT_EVERY = 5_000


class GazetteerError(RuntimeError):
    """The gazetteer could not be made or opened; the message says why in one sentence."""


@dataclass(frozen=True, slots=True)
class Named:
    """A named place of interest or a neighbourhood: a point in it, and how large it is."""

    names: tuple[str, ...]
    kind: str
    point: Point
    square_degrees: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """One way of a named street; `is_road`: cars drive on it, `is_below`: it is a tunnel."""

    names: tuple[str, ...]
    line: LineString
    is_road: bool = True
    is_below: bool = False


@dataclass(frozen=True, slots=True)
class House:
    """A house number on the map."""

    number: str
    street: str
    point: Point


@dataclass(slots=True)
class Sources:
    """What an extract says; names first the local one, then its aliases."""

    stretches: list[Stretch] = field(default_factory=list)
    pois: list[Named] = field(default_factory=list)
    localities: list[Named] = field(default_factory=list)
    houses: list[House] = field(default_factory=list)


def read_sources(extract: Path, *, progress: Progress) -> Sources:
    """Everything with a name; raises GazetteerError when the file is missing or no OSM file."""
    if not extract.is_file():
        raise GazetteerError(f"There is no OpenStreetMap extract at {extract}.")
    found = Sources()
    try:
        things = (
            osmium.FileProcessor(extract)
            .with_areas()
            .with_locations()
            .with_filter(osmium.filter.KeyFilter("name", "addr:housenumber"))
        )
        for n, thing in enumerate(things, start=1):
            if n % _REPORT_EVERY == 0:
                progress.advance(_REPORT_EVERY)
            _read(thing, found)
    except RuntimeError as error:
        raise GazetteerError(f"{extract} is no readable OpenStreetMap file: {error}.") from error
    return found


def _read(thing: Any, found: Sources) -> None:
    tags = {tag.k: tag.v for tag in thing.tags}
    if thing.is_way() and tags.get("highway") and "name" in tags:
        # Of a square that the extract cut open, only the line is left.
        is_square = tags.get("area") == "yes" and all(n.location.valid() for n in thing.nodes)
        if tags["highway"] not in _NOT_STREETS and not is_square:
            is_road = tags["highway"] not in _PATHS
            is_below = tags.get("tunnel") == "yes"
            found.stretches += [
                Stretch(_names(tags), line, is_road, is_below) for line in _lines(thing)
            ]
        return
    # A closed street, such as a roundabout, also comes as an area; it is none.
    if thing.is_area() and "highway" in tags and tags.get("area") != "yes":
        return
    where = _where(thing)
    if where is None:
        return
    point, size = where
    _read_house(tags, point, found)
    place = tags.get("place", "")
    if "name" not in tags:
        return
    if place in _LOCALITIES:
        found.localities.append(Named(_names(tags), place, point, size))
    elif kind := _poi_kind(tags):
        found.pois.append(Named(_names(tags), kind, point, size))


def _read_house(tags: Tags, point: Point, found: Sources) -> None:
    street = tags.get("addr:street") or tags.get("addr:place")
    if not street:
        return
    for number in tags.get("addr:housenumber", "").replace(";", ",").split(","):
        if number.strip():
            found.houses.append(House(number.strip(), street, point))


def _where(thing: Any) -> tuple[Point, float] | None:
    """A point of the thing and its area in square degrees; open lines have no such point."""
    if thing.is_node():
        return Point(thing.location.lon, thing.location.lat), 0.0
    if not thing.is_area():
        return None
    try:
        polygon = shapely.from_wkb(_wkb.create_multipolygon(thing))
    except RuntimeError:
        # The extract cut its rings open: osmium cannot say where it is, nor can anybody.
        return None
    inside = polygon.representative_point()
    return Point(inside.x, inside.y), float(polygon.area)


_wkb = osmium.geom.WKBFactory()


def _lines(way: Any) -> Iterator[LineString]:
    for known, nodes in groupby(way.nodes, key=lambda node: node.location.valid()):
        part = [(node.lon, node.lat) for node in nodes] if known else []
        if len(part) > 1:
            yield LineString(part)


def _poi_kind(tags: Tags) -> str | None:
    for name in _POI_KEYS:
        value = tags.get(name)
        if value and value != "no" and value not in _NOT_POIS.get(name, ()):
            return value if value != "yes" else name
    return None


def _names(tags: Tags) -> tuple[str, ...]:
    """The local name, then every other name in Latin letters, each once."""
    others = [
        part
        for key, value in tags.items()
        if key in ("alt_name", "old_name", "short_name", "official_name", "loc_name", "int_name")
        or (key.startswith("name:") and len(key) == 7)
        for part in value.split(";")
    ]
    unique = {fold(name): name.strip() for name in reversed([tags["name"], *others])}
    latin = [name for folded, name in unique.items() if folded.isascii() and name]
    rest = sorted(name for name in latin if name != tags["name"])
    return (tags["name"], *rest[:_MOST_ALIASES])
