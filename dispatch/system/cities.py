"""A city as the system knows it: its policy, its roads, its places."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from dispatch.core.errors import BadPolicy
from dispatch.core.policy import Policy, Where, line_of, parse_policy
from geo.areas import Areas, BadAreas, read_rings
from geo.geocoding import Geocoder
from geo.known_places import KnownPlaces
from geo.network import RoadNetwork
from geo.point import Box

DEFAULT_POLICY = Path(__file__).parent.parent / "policy.toml"


@dataclass(frozen=True, slots=True)
class City:
    """One jurisdiction, ready to serve. `basemap` is a PMTiles file, `box` its bounds."""

    id: str
    name: str
    ticket_prefix: str
    policy: Policy
    roads: RoadNetwork
    areas: Areas
    geocoder: Geocoder
    box: Box
    version: str
    basemap: Path | None = None
    attribution: str = "© OpenStreetMap contributors"
    languages: tuple[str, ...] = ("id", "en")
    known: KnownPlaces | None = None
    """What it knows beyond its map; None where nobody asked for it."""


def read_policy(path: Path | None) -> Policy:
    """The policy in a file, or the one that comes with Sigap.

    Raises BadPolicy: `policy.toml:42: [matching]: sigma is 9, but must be 0.01 to 2.`
    """
    path = path or DEFAULT_POLICY
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadPolicy(f"{path}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise BadPolicy(f"{path}: is not written in UTF-8.") from error
    try:
        document = tomllib.loads(text)
        return parse_policy(_with_polygons(document, path))
    except tomllib.TOMLDecodeError as error:
        said, line = _placed(error)
        raise BadPolicy(f"{path}{line}: {said}.") from error
    except BadPolicy as error:
        number = line_of(text, cast("Where", error.fields.get("path", ())))
        line = "" if number is None else f":{number}"
        raise BadPolicy(f"{path}{line}: {error.detail}") from error


def _with_polygons(document: dict[str, Any], path: Path) -> dict[str, Any]:
    """The document with the rings of the GeoJSON files that its responsibilities name."""
    listed = document.get("responsibility", [])
    for i, entry in enumerate(listed if isinstance(listed, list) else []):
        name = entry.get("file") if isinstance(entry, dict) else None
        if isinstance(name, str) and name:
            try:
                rings = read_rings(path.parent / name)
            except BadAreas as error:
                said = f"[[responsibility]]: {error}"
                raise BadPolicy(said, path=("responsibility", i, "file")) from error
            given = entry.get("polygons", [])
            entry["polygons"] = [*(given if isinstance(given, list) else []), *rings]
    return document


def _placed(error: tomllib.TOMLDecodeError) -> tuple[str, str]:
    """What the parser says, and `:line` when it names one."""
    found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error))
    if found is None:
        return str(error), ""
    return f"{found[1]} (column {found[3]})", f":{found[2]}"


def ticket_prefix(city_id: str) -> str:
    """Three letters for a city's tickets: its first letter and the consonants after it.

    madiun → MDN, medan → MDN too: a ticket is looked up within its city.
    """
    letters = [c for c in city_id.upper() if "A" <= c <= "Z"]
    rest = [c for c in letters[1:] if c not in "AEIOU"] + [c for c in letters[1:] if c in "AEIOU"]
    return "".join([*letters[:1], *rest, "X", "X", "X"])[:3]
