"""Which thing in OpenStreetMap is drawn in which layer of the basemap, and from which zoom on.

The layers follow the Protomaps v4 schema (https://docs.protomaps.com/basemaps/layers): earth,
landuse, water, roads, buildings, pois, places, boundaries; `kind` is the coarse class a style
switches on, `kind_detail` the OpenStreetMap value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

Layer = Literal["earth", "landuse", "water", "roads", "buildings", "pois", "places", "boundaries"]
LAYERS: tuple[Layer, ...] = (
    "earth",
    "landuse",
    "water",
    "roads",
    "buildings",
    "pois",
    "places",
    "boundaries",
)
Shape = Literal["whole", "centre", "outline"]
Tags = Mapping[str, str]
Value = str | int | float | bool
V = TypeVar("V")

MAX_ZOOM = 15

# Squared degrees: about 12,000 m² and 60,000 m² at the equator. Smaller things wait for a closer
# zoom, so that city-wide tiles stay small.
_LAKE = 1e-6
_FIELD = 5e-6

_ROADS: dict[str, tuple[str, int]] = {
    "motorway": ("highway", 6),
    "trunk": ("major_road", 7),
    "primary": ("major_road", 8),
    "secondary": ("major_road", 10),
    "tertiary": ("major_road", 11),
    "unclassified": ("minor_road", 12),
    "residential": ("minor_road", 12),
    "living_street": ("minor_road", 12),
    "road": ("minor_road", 12),
    "service": ("minor_road", 13),
    "busway": ("minor_road", 13),
    "pedestrian": ("path", 12),
    "path": ("path", 13),
    "cycleway": ("path", 13),
    "track": ("path", 13),
    "footway": ("path", 14),
    "steps": ("path", 14),
    "bridleway": ("path", 14),
}
_RAILS: dict[str, int] = {
    "rail": 10,
    "light_rail": 10,
    "subway": 10,
    "narrow_gauge": 10,
    "monorail": 10,
    "tram": 13,
}
_WATERWAYS: dict[str, int] = {"river": 9, "canal": 11, "stream": 14, "drain": 14, "ditch": 14}

_LANDUSE: dict[str, dict[str, str]] = {
    "landuse": {
        **{
            name: name
            for name in (
                "allotments",
                "cemetery",
                "commercial",
                "farmland",
                "forest",
                "grass",
                "industrial",
                "meadow",
                "military",
                "orchard",
                "quarry",
                "railway",
                "recreation_ground",
                "religious",
                "residential",
                "village_green",
            )
        },
        "retail": "commercial",
        "brownfield": "brownfield",
        "construction": "brownfield",
    },
    "leisure": {
        name: name
        for name in (
            "garden",
            "golf_course",
            "nature_reserve",
            "park",
            "pitch",
            "playground",
            "stadium",
            "track",
        )
    },
    "amenity": {
        name: name
        for name in ("school", "university", "college", "hospital", "kindergarten", "parking")
    },
    "natural": {
        name: name
        for name in (
            "bare_rock",
            "beach",
            "glacier",
            "grassland",
            "sand",
            "scrub",
            "wetland",
            "wood",
        )
    },
    "aeroway": {"aerodrome": "aerodrome", "runway": "runway", "apron": "apron"},
    "highway": {"pedestrian": "pedestrian", "footway": "pedestrian"},
    "place": {"square": "pedestrian"},
    "man_made": {"pier": "pier", "bridge": "bridge"},
}

_POIS: dict[str, dict[str, int]] = {
    "amenity": {
        "hospital": 13,
        "police": 14,
        "fire_station": 14,
        "university": 14,
        "townhall": 14,
        "bus_station": 14,
        "ferry_terminal": 14,
        "clinic": 15,
        "school": 15,
        "place_of_worship": 15,
        "marketplace": 15,
        "library": 15,
        "theatre": 15,
        "fuel": 16,
        "pharmacy": 16,
        "post_office": 16,
        "parking": 16,
        "restaurant": 17,
        "cafe": 17,
        "bank": 17,
        "toilets": 17,
    },
    "railway": {"station": 13, "tram_stop": 16},
    "tourism": {"museum": 14, "attraction": 15, "hotel": 16, "artwork": 17},
    "leisure": {"park": 14, "stadium": 14, "playground": 16},
    "shop": {"mall": 15, "department_store": 15, "supermarket": 16},
    "aeroway": {"aerodrome": 11},
    "highway": {"bus_stop": 17},
}

_PLACES: dict[str, tuple[str, int, int]] = {
    "city": ("locality", 4, 9),
    "town": ("locality", 7, 7),
    "village": ("locality", 10, 5),
    "hamlet": ("locality", 13, 3),
    "suburb": ("neighbourhood", 11, 4),
    "quarter": ("neighbourhood", 12, 3),
    "neighbourhood": ("neighbourhood", 13, 2),
}

_NAME_KEYS = ("name", "name:id", "name:en", "ref")


@dataclass(frozen=True, slots=True)
class Drawn:
    """One thing to draw: its layer, its properties and from which zoom on.

    `min_zoom` is where it first enters the tiles, never beyond MAX_ZOOM. `shape` says what of the
    geometry is drawn: all of it, a point inside it, or its outline.
    """

    layer: Layer
    min_zoom: int
    properties: dict[str, Value] = field(default_factory=dict)
    shape: Shape = "whole"


def draw_node(tags: Tags) -> Iterator[Drawn]:
    """What a tagged node shows: place names, points of interest, house numbers."""
    place = _PLACES.get(tags.get("place", ""))
    if place and "name" in tags:
        kind, zoom, rank = place
        yield Drawn(
            "places",
            zoom,
            _about(tags, kind, zoom, kind_detail=tags["place"], population_rank=rank),
        )
    yield from _poi(tags, shape="whole")
    yield from _house_number(tags, shape="whole")


def draw_way(tags: Tags) -> Iterator[Drawn]:
    """What an open line shows: a road, a rail or a waterway."""
    if tags.get("area") == "yes":
        return
    crossing = _bridge_or_tunnel(tags)
    highway, railway = tags.get("highway", ""), tags.get("railway", "")
    if highway:
        yield from _road(tags, highway, crossing)
    elif railway in _RAILS:
        zoom = 14 if tags.get("service") else _RAILS[railway]
        yield Drawn("roads", zoom, _about(tags, "rail", 11, kind_detail=railway, **crossing))
    elif tags.get("waterway") in _WATERWAYS and "is_tunnel" not in crossing:
        kind = tags["waterway"]
        yield Drawn("water", _WATERWAYS[kind], _about(tags, kind, 9))


def draw_area(tags: Tags, *, square_degrees: float) -> Iterator[Drawn]:
    """What a closed area of this size shows: water, a building, land use, a border, an icon."""
    building = tags.get("building") or tags.get("building:part")
    if _is_water(tags):
        zoom = 9 if square_degrees > _LAKE else 13
        yield Drawn("water", zoom, _about(tags, _water_kind(tags), 9))
    elif building and building != "no":
        yield Drawn("buildings", 13, _building(tags))
        yield from _house_number(tags, shape="centre")
    elif land := _first(_LANDUSE, tags):
        zoom = 9 if square_degrees > _FIELD else 12
        yield Drawn("landuse", zoom, _about(tags, land[1], 9))
    if "name" in tags:
        yield from _poi(tags, shape="centre")
    yield from _border(tags)


def worth_assembling(tags: Tags) -> bool:
    """Could `draw_area` draw anything? Cheaper to ask than to build the polygon."""
    return any(True for _ in draw_area(tags, square_degrees=0.0))


def _road(tags: Tags, highway: str, crossing: dict[str, Value]) -> Iterator[Drawn]:
    base = highway.removesuffix("_link")
    if base not in _ROADS:
        return
    kind, zoom = _ROADS[base]
    about = _about(tags, kind, zoom, kind_detail=base, **crossing)
    if highway != base:
        about["is_link"] = True
        zoom = max(zoom, 11)
    if tags.get("oneway") in ("yes", "-1"):
        about["oneway"] = tags["oneway"]
    if base == "service" and tags.get("service"):
        about["service"] = tags["service"]
        zoom = 14
    if base == "footway" and tags.get("footway") in ("sidewalk", "crossing"):
        about["kind_detail"] = tags["footway"]
        zoom = 15
    if tags.get("ref"):
        about["shield_text"] = tags["ref"]
    yield Drawn("roads", zoom, about)


def _poi(tags: Tags, *, shape: Shape) -> Iterator[Drawn]:
    found = _first(_POIS, tags)
    if found:
        kind, zoom = found
        yield Drawn("pois", min(zoom, MAX_ZOOM), _about(tags, kind, zoom), shape)


def _house_number(tags: Tags, *, shape: Shape) -> Iterator[Drawn]:
    number = tags.get("addr:housenumber")
    if number:
        about: dict[str, Value] = {"kind": "address", "addr_housenumber": number}
        yield Drawn("buildings", MAX_ZOOM, about, shape)


def _border(tags: Tags) -> Iterator[Drawn]:
    level = tags.get("admin_level", "")
    if tags.get("boundary") != "administrative" or not level.isdigit() or int(level) > 9:
        return
    steps = ((2, "country"), (4, "region"), (6, "county"))
    kind = next((name for top, name in steps if int(level) <= top), "locality")
    yield Drawn(
        "boundaries", max(2, int(level)), {"kind": kind, "kind_detail": int(level)}, "outline"
    )


def _is_water(tags: Tags) -> bool:
    return (
        tags.get("natural") == "water"
        or tags.get("waterway") in ("riverbank", "dock")
        or tags.get("landuse") in ("reservoir", "basin")
        or tags.get("leisure") == "swimming_pool"
    )


def _water_kind(tags: Tags) -> str:
    if tags.get("leisure"):
        return "swimming_pool"
    return tags["water"] if tags.get("water") in ("lake", "river") else "water"


def _building(tags: Tags) -> dict[str, Value]:
    about: dict[str, Value] = {"kind": "building" if tags.get("building") else "building_part"}
    height = _number(tags.get("height")) or 3.2 * (_number(tags.get("building:levels")) or 0.0)
    if height > 0:
        about["height"] = round(height, 1)
    return about


def _bridge_or_tunnel(tags: Tags) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if tags.get("bridge", "no") != "no":
        found["is_bridge"] = True
    if tags.get("tunnel", "no") != "no":
        found["is_tunnel"] = True
    level = _number(tags.get("layer"))
    if level is not None:
        found["level"] = int(level)
    return found


def _about(tags: Tags, kind: str, zoom: int, **more: Value) -> dict[str, Value]:
    names: dict[str, Value] = {key: tags[key] for key in _NAME_KEYS if key in tags}
    return {**names, "kind": kind, "min_zoom": zoom, **more}


def _first(table: Mapping[str, Mapping[str, V]], tags: Tags) -> tuple[str, V] | None:
    """The first (value, entry) of the table that the tags match."""
    for key, values in table.items():
        value = tags.get(key, "")
        if value in values:
            return value, values[value]
    return None


def _number(text: str | None) -> float | None:
    """The number at the start of a tag such as "12 m"; None when there is none."""
    try:
        number = float((text or "").split()[0])
    except (IndexError, ValueError):
        return None
    return number if abs(number) < 1000 else None
