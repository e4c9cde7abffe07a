"""Downloads the map of a named place, so that a city can be added without an extract."""

import json
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import osmium
from shapely.geometry import MultiPolygon, Polygon

from geo.areas import polygonal
from geo.bundle_errors import MapServerUnreachable, PlaceNotFound
from geo.point import METRES_PER_DEGREE
from geo.progress import Progress

EDGE_M = 500.0
"""The map goes on this far around the place, so that roads along its border stay connected."""

# All that the roads, the addresses, the wards and the basemap are made of. Only local boundaries:
# a province would come with every member it has.
_WANTED: Mapping[str, bool | list[str]] = {
    "highway": True,
    "restriction": True,
    "railway": True,
    "waterway": True,
    "natural": True,
    "landuse": True,
    "leisure": True,
    "building": True,
    "amenity": True,
    "shop": True,
    "tourism": True,
    "office": True,
    "aeroway": True,
    "place": True,
    "addr:housenumber": True,
    "admin_level": ["6", "7", "8", "9", "10"],
}
_KINDS = ("node", "way", "relation")


@dataclass(frozen=True, slots=True)
class PlaceMap:
    """The downloaded place: its outline and its map as an OSM extract."""

    outline: Polygon | MultiPolygon
    extract: Path


def fetch_place(
    query: str,
    folder: Path,
    *,
    progress: Progress,
    nominatim_url: str | None = None,
    overpass_url: str | None = None,
) -> PlaceMap:
    """Find the place with Nominatim, download it from Overpass, write `folder`/place.osm.pbf.

    Raises PlaceNotFound and MapServerUnreachable. Changes osmnx's settings for the duration.
    """
    # osmnx brings pandas and takes seconds to import: only who downloads pays for it.
    import osmnx
    import requests
    from osmnx import _errors as refused

    answers = folder / "answers"
    urls = {"nominatim_url": nominatim_url, "overpass_url": overpass_url}
    try:
        with _settings(osmnx.settings, cache_folder=answers, **urls):
            progress.stage(f"Finding {query}", None)
            outline = _outline(osmnx, query)
            progress.stage("Downloading the map", None)
            _download(osmnx, outline)
    except refused.InsufficientResponseError as e:
        raise PlaceNotFound(
            f"OpenStreetMap knows no place called “{query}”; check the spelling, or add the "
            "province and the country."
        ) from e
    except (requests.exceptions.RequestException, refused.ResponseStatusCodeError) as e:
        raise MapServerUnreachable(
            "The OpenStreetMap servers cannot be reached; check the network, or give a file "
            "with --extract."
        ) from e
    extract = folder / "place.osm.pbf"
    found = _elements(answers)
    if not found["way"]:
        raise MapServerUnreachable(
            f"The OpenStreetMap server sent no map of “{query}”, it may be busy; try again later, "
            "or give a file with --extract."
        )
    _write_extract(found, extract)
    return PlaceMap(outline, extract)


def _outline(osmnx: Any, query: str) -> Polygon | MultiPolygon:
    try:
        found = osmnx.geocode_to_gdf(query)
    except TypeError as e:
        # What osmnx raises when the place is only a point.
        raise PlaceNotFound(
            f"“{query}” is a point on OpenStreetMap, not an area; name a city or a district."
        ) from e
    outline = polygonal(found.geometry.iloc[0])
    if outline is None:
        raise PlaceNotFound(
            f"“{query}” has no outline on OpenStreetMap; name a city or a district."
        )
    return outline


def _download(osmnx: Any, outline: Polygon | MultiPolygon) -> None:
    """Let osmnx keep the servers' raw answers in its cache folder."""
    around = outline.buffer(EDGE_M / METRES_PER_DEGREE).simplify(EDGE_M / METRES_PER_DEGREE / 5)
    try:
        osmnx.features_from_polygon(around, dict(_WANTED))
    except osmnx._errors.CacheOnlyInterruptError:
        return


@contextmanager
def _settings(settings: Any, **wanted: Any) -> Iterator[None]:
    """Osmnx in cache-only mode: it stores what the servers say and builds nothing of it."""
    changed = {name: value for name, value in wanted.items() if value is not None}
    changed |= {"use_cache": True, "cache_only_mode": True}
    before = {name: getattr(settings, name) for name in changed}
    # osmnx pins the server's address by replacing this function and never puts it back.
    resolve = socket.getaddrinfo
    for name, value in changed.items():
        setattr(settings, name, value)
    try:
        yield
    finally:
        socket.getaddrinfo = resolve
        for name, value in before.items():
            setattr(settings, name, value)


def _elements(answers: Path) -> dict[str, dict[int, Mapping[str, Any]]]:
    """Every element of every answer once, by kind and id."""
    found: dict[str, dict[int, Mapping[str, Any]]] = {kind: {} for kind in _KINDS}
    for path in sorted(answers.glob("*.json")):
        answer = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(answer, dict):
            continue
        for element in answer.get("elements", ()):
            if element.get("type") in found:
                found[element["type"]][element["id"]] = element
    return found


def _write_extract(found: Mapping[str, Mapping[int, Mapping[str, Any]]], path: Path) -> None:
    mutable = osmium.osm.mutable
    with osmium.SimpleWriter(path) as writer:
        for node in _in_order(found["node"]):
            place = (node["lon"], node["lat"])
            tags = node.get("tags", {})
            writer.add_node(mutable.Node(id=node["id"], location=place, tags=tags))
        for way in _in_order(found["way"]):
            tags = way.get("tags", {})
            writer.add_way(mutable.Way(id=way["id"], nodes=way.get("nodes", []), tags=tags))
        for relation in _in_order(found["relation"]):
            members = [(m["type"][0], m["ref"], m["role"]) for m in relation.get("members", [])]
            tags = relation.get("tags", {})
            writer.add_relation(mutable.Relation(id=relation["id"], members=members, tags=tags))


def _in_order(elements: Mapping[int, Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    return (elements[key] for key in sorted(elements))
