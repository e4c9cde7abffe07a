"""Streets as people know them: one name, one street, however many pieces the map draws it in."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry

from geo.gazetteer_sources import Stretch
from geo.gazetteer_text import key, words
from geo.point import METRES_PER_DEGREE, Point

SAME_STREET_M = 120.0
"""Stretches of one name within this distance are one street; farther off, a namesake."""

MEETING_M = 40.0
"""Streets this near meet, though the map joins them through a nameless link."""

SAME_PLACE_M = 150.0
"""Two things of one name within this distance are one thing, mapped twice."""


class Plane:
    """The city flat, in metres east and north: good to a metre or so over its size."""

    def __init__(self, lat: float) -> None:
        self.scale = np.array([METRES_PER_DEGREE * math.cos(math.radians(lat)), METRES_PER_DEGREE])

    def flat(self, geometries: Sequence[BaseGeometry]) -> NDArray[np.object_]:
        shapes = np.empty(len(geometries), dtype=object)
        shapes[:] = geometries
        return np.atleast_1d(shapely.transform(shapes, lambda xy: xy * self.scale))

    def point(self, p: Point) -> shapely.Point:
        return shapely.Point(p.lon * self.scale[0], p.lat * self.scale[1])

    def back(self, p: shapely.Point) -> Point:
        return Point(p.x / self.scale[0], p.y / self.scale[1])


@dataclass(slots=True)
class Street:
    """The stretches of one name that hang together; `flat` are their lines in metres."""

    id: int
    stretches: list[Stretch]
    flat: list[LineString]
    names: dict[str, None] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.stretches[0].names[0]

    @property
    def middle(self) -> shapely.Point:
        """A point on the street, near its middle."""
        whole = shapely.MultiLineString(self.flat)
        nearest = min(self.flat, key=lambda line: line.distance(whole.centroid))
        return nearest.interpolate(nearest.project(whole.centroid))

    @property
    def radius_m(self) -> float:
        west, south, east, north = shapely.MultiLineString(self.flat).bounds
        return max(20.0, math.hypot(east - west, north - south) / 2)


def streets(stretches: Sequence[Stretch], plane: Plane) -> Iterator[Street]:
    """Connected components of stretches with the same name."""
    if not stretches:
        return
    flat = plane.flat([stretch.line for stretch in stretches])
    keys = [key(words(stretch.names[0])) for stretch in stretches]
    groups = _groups(flat, keys)
    for n, members in enumerate(groups, start=1):
        street = Street(n, [stretches[i] for i in members], [flat[i] for i in members])
        street.names = dict.fromkeys(name for i in members for name in stretches[i].names)
        yield street


def _groups(flat: NDArray[np.object_], keys: Sequence[str]) -> list[list[int]]:
    parent = list(range(len(flat)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    tree = shapely.STRtree(flat)
    for i, j in tree.query(flat, predicate="dwithin", distance=SAME_STREET_M).T:
        if i < j and keys[i] == keys[j]:
            parent[root(int(j))] = root(int(i))
    groups: dict[int, list[int]] = defaultdict(list)
    for i in range(len(flat)):
        groups[root(i)].append(i)
    return list(groups.values())


def crossings(streets: Sequence[Street]) -> dict[tuple[int, int], list[shapely.Point]]:
    """Where each two streets meet; a true meeting hides those that only come near."""
    above = [
        (street.id, line)
        for street in streets
        for stretch, line in zip(street.stretches, street.flat, strict=True)
        if not stretch.is_below
    ]
    lines = [line for _, line in above]
    owner = np.array([street for street, _ in above], dtype=np.int64)
    if not lines:
        return {}
    flat = np.array(lines, dtype=object)
    pairs = shapely.STRtree(flat).query(flat, predicate="dwithin", distance=MEETING_M).T
    met: dict[tuple[int, int], list[shapely.Point]] = defaultdict(list)
    near: dict[tuple[int, int], list[shapely.Point]] = defaultdict(list)
    for i, j in pairs:
        if owner[i] >= owner[j]:
            continue
        both = (int(owner[i]), int(owner[j]))
        shared = flat[i].intersection(flat[j])
        if shared.is_empty:
            near[both].append(shapely.shortest_line(flat[i], flat[j]).centroid)
        else:
            met[both].append(shared.centroid)
    return {both: _thinned(met.get(both) or near[both]) for both in {**near, **met}}


def _thinned(points: list[shapely.Point]) -> list[shapely.Point]:
    """One point for each crossing: the four corners of two dual carriageways are one."""
    kept: list[list[shapely.Point]] = []
    for point in points:
        group = next((g for g in kept if g[0].distance(point) < SAME_PLACE_M), None)
        if group is None:
            kept.append([point])
        else:
            group.append(point)
    return [shapely.MultiPoint(group).centroid for group in kept]
