"""A place on the earth, a box around places, and how far and in which direction they lie."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self

EARTH_RADIUS_M = 6_371_008.8
"""Mean earth radius (IUGG R1); with it the haversine formula is within 0.5 % of the ellipsoid."""

METRES_PER_DEGREE = math.radians(EARTH_RADIUS_M)
"""Metres in one degree of latitude on the mean sphere."""

Suspicion = Literal["zero", "whole_degree"]

# About a metre: finer than any phone's fix, coarse enough for what rounding leaves behind.
_WHOLE_DEGREE_TOLERANCE = 1e-5


class BadPoint(ValueError):
    """The numbers are no place on the earth."""


@dataclass(frozen=True, slots=True)
class Point:
    """Longitude and latitude in degrees, WGS 84; raises BadPoint outside ±180 / ±90."""

    lon: float
    lat: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lon) and math.isfinite(self.lat)):
            raise BadPoint("A coordinate must be a finite number.")
        if not -180.0 <= self.lon <= 180.0:
            raise BadPoint(f"Longitude {self.lon} is outside -180 to 180 degrees.")
        if not -90.0 <= self.lat <= 90.0:
            raise BadPoint(f"Latitude {self.lat} is outside -90 to 90 degrees.")


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in degrees, edges included; it does not cross the date line."""

    west: float
    south: float
    east: float
    north: float

    def __post_init__(self) -> None:
        Point(self.west, self.south)
        Point(self.east, self.north)
        if self.west > self.east or self.south > self.north:
            raise BadPoint("A box needs west ≤ east and south ≤ north.")

    @classmethod
    def around(cls, points: Iterable[Point]) -> Self:
        """The smallest box that holds every point; raises BadPoint when there is none."""
        places = list(points)
        if not places:
            raise BadPoint("A box needs at least one point.")
        lons = [p.lon for p in places]
        lats = [p.lat for p in places]
        return cls(min(lons), min(lats), max(lons), max(lats))

    @property
    def center(self) -> Point:
        return Point((self.west + self.east) / 2, (self.south + self.north) / 2)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(west, south, east, north), the order of GeoJSON and shapely."""
        return (self.west, self.south, self.east, self.north)

    def contains(self, p: Point) -> bool:
        return self.west <= p.lon <= self.east and self.south <= p.lat <= self.north

    def padded(self, metres: float) -> "Box":
        """This box with `metres` more on every side, cut off at the poles and the date line."""
        lat_margin = metres / METRES_PER_DEGREE
        widest = max(abs(self.south), abs(self.north))
        lon_margin = lat_margin / max(math.cos(math.radians(min(widest, 89.9))), 1e-3)
        return Box(
            max(self.west - lon_margin, -180.0),
            max(self.south - lat_margin, -90.0),
            min(self.east + lon_margin, 180.0),
            min(self.north + lat_margin, 90.0),
        )


def distance_m(a: Point, b: Point) -> float:
    """Great-circle distance in metres (haversine)."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half_lat = (lat_b - lat_a) / 2
    half_lon = math.radians(b.lon - a.lon) / 2
    h = math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(h)))


def bearing_deg(a: Point, b: Point) -> float:
    """Initial great-circle bearing from a to b in degrees, 0 = north, 90 = east, below 360."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    d_lon = math.radians(b.lon - a.lon)
    east = math.sin(d_lon) * math.cos(lat_b)
    north = math.cos(lat_a) * math.sin(lat_b) - math.sin(lat_a) * math.cos(lat_b) * math.cos(d_lon)
    return math.degrees(math.atan2(east, north)) % 360.0


def suspicion(p: Point) -> Suspicion | None:
    """Why the place is probably not where anything happened, or None.

    "zero": a device without a fix wrote 0, 0. "whole_degree": both numbers were rounded to whole
    degrees, up to 78 km off.
    """
    if abs(p.lon) < _WHOLE_DEGREE_TOLERANCE and abs(p.lat) < _WHOLE_DEGREE_TOLERANCE:
        return "zero"
    if _is_whole(p.lon) and _is_whole(p.lat):
        return "whole_degree"
    return None


def _is_whole(degrees: float) -> bool:
    return abs(degrees - round(degrees)) < _WHOLE_DEGREE_TOLERANCE
