"""A city as the system knows it: its policy, its roads, its places."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from dispatch.core.errors import BadPolicy
from dispatch.core.policy import Policy, parse_policy
from geo.areas import Areas
from geo.geocoding import Geocoder
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


def read_policy(path: Path | None) -> Policy:
    """The policy in a file, or the one that comes with Sigap. Raises BadPolicy, with the file."""
    path = path or DEFAULT_POLICY
    try:
        return parse_policy(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BadPolicy(f"{path}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise BadPolicy(f"{path}: is not written in UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise BadPolicy(f"{path}: {error}.") from error
    except BadPolicy as error:
        raise BadPolicy(f"{path}: {error.detail}") from error


def ticket_prefix(city_id: str) -> str:
    """Three letters for a city's tickets: its first letter and the consonants after it.

    madiun → MDN, medan → MDN too: a ticket is looked up within its city.
    """
    letters = [c for c in city_id.upper() if "A" <= c <= "Z"]
    rest = [c for c in letters[1:] if c not in "AEIOU"] + [c for c in letters[1:] if c in "AEIOU"]
    return "".join([*letters[:1], *rest, "X", "X", "X"])[:3]
