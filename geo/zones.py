"""The city as a grid of zones: where help is wanted, and where on the road it may wait."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.network import RoadNetwork
from geo.point import METRES_PER_DEGREE, Box, Point
from geo.roadarrays import RoadArrays

MOST_ZONES = 160


@dataclass(frozen=True, slots=True)
class Zone:
    """A square of the grid: its post (a road position near its middle), its corners, its roads."""

    id: int
    post: Point
    ring: tuple[Point, ...]
    road_m: float


def zones_of(
    arrays: RoadArrays, box: Box, *, covers: Callable[[Point], bool], most: int = MOST_ZONES
) -> list[Zone]:
    """At most `most` zones over the part of the box that has roads and is covered.

    The side of a square is chosen so that about `most` of them hold roads. A zone counts as
    covered when the junction next to its middle is.
    """
    metres_lon = METRES_PER_DEGREE * math.cos(math.radians((box.south + box.north) / 2))
    width, height = (box.east - box.west) * metres_lon, (box.north - box.south) * METRES_PER_DEGREE
    side = math.sqrt(max(width * height, 1.0) / most)
    found: list[Zone] = []
    for _ in range(8):
        found = _grid(arrays, box, side, metres_lon, covers)
        if len(found) <= most:
            return found
        side *= 1.1
    return found[:most]


def _grid(
    arrays: RoadArrays,
    box: Box,
    side: float,
    metres_lon: float,
    covers: Callable[[Point], bool],
) -> list[Zone]:
    head = arrays.head
    lon, lat = arrays.lon[head], arrays.lat[head]
    inside = arrays.for_cars & ~arrays.is_copy
    inside &= (lon >= box.west) & (lon <= box.east) & (lat >= box.south) & (lat <= box.north)
    column = np.floor((lon - box.west) * metres_lon / side).astype(np.int64)
    row = np.floor((lat - box.south) * METRES_PER_DEGREE / side).astype(np.int64)
    cell = np.where(inside, row * 100_000 + column, -1)
    metres = arrays.road_m
    zones: list[Zone] = []
    for key in np.unique(cell[inside]).tolist():
        members = np.flatnonzero(cell == key)
        west = box.west + (key % 100_000) * side / metres_lon
        south = box.south + (key // 100_000) * side / METRES_PER_DEGREE
        east, north = west + side / metres_lon, south + side / METRES_PER_DEGREE
        post = _nearest_middle(lon[members], lat[members], (west + east) / 2, (south + north) / 2)
        if not covers(post):
            continue
        corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
        ring = tuple(Point(x, y) for x, y in corners)
        zones.append(Zone(len(zones), post, ring, float(metres[members].sum())))
    return zones


def _nearest_middle(
    lon: NDArray[np.float64], lat: NDArray[np.float64], x: float, y: float
) -> Point:
    at = int(np.argmin((lon - x) ** 2 + (lat - y) ** 2))
    return Point(float(lon[at]), float(lat[at]))


def reachable_zones(
    zones: list[Zone], roads: RoadNetwork
) -> tuple[list[Zone], NDArray[np.float64]]:
    """The zones that most others can reach and be reached from, with seconds between their posts.

    Shape (zones, zones), from row to column; inf where no road leads.
    """
    if not zones:
        return [], np.zeros((0, 0))
    posts = [zone.post for zone in zones]
    seconds = roads.travel_times(posts, posts)
    np.fill_diagonal(seconds, 0.0)
    linked = np.isfinite(seconds)
    kept = (linked.mean(axis=0) > 0.5) & (linked.mean(axis=1) > 0.5)
    index = np.flatnonzero(kept)
    return [zones[i] for i in index], seconds[np.ix_(index, index)]
