"""Where the sea is, worked out from the coastline: land on the left, water on the right."""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry

Lines = Sequence[LineString]

# About 10 cm: far enough from the line to be on one side of it, nearer than any other coast.
_ASIDE_DEG = 1e-6

MOST_ROADS_AT_SEA = 0.02
"""An area with a larger share of the city's road points is land, whatever the coastline says."""


def sea(coast: Lines, frame: Polygon, *, roads: NDArray[np.float64]) -> list[Polygon]:
    """The parts of `frame` that are sea (degrees), from OpenStreetMap coastline ways.

    A way of natural=coastline has the water on its right
    (https://wiki.openstreetmap.org/wiki/Tag:natural%3Dcoastline). Ends that an extract cut off
    inside the frame are carried to the nearest edge. `roads` holds points on land roads, shape
    (n, 2) as lon, lat: where an extract lost half of its coast, land would be called sea, and the
    roads on it give that away.
    """
    lines = _chains(coast)
    if not lines:
        return []
    cuts = [line.intersection(frame) for line in lines]
    cuts += [end for line in lines for end in _carried_to_edge(line, frame)]
    network = shapely.unary_union([frame.boundary, *cuts])
    faces = shapely.get_parts(shapely.polygonize(list(shapely.get_parts(network))))
    tree = shapely.STRtree(faces)
    votes = _votes(lines, tree, len(faces))
    on_land = _counts(roads, tree, len(faces)) > max(1.0, MOST_ROADS_AT_SEA * len(roads))
    return [
        face
        for face, vote, land in zip(faces, votes, on_land, strict=True)
        if vote > 0 and not land
    ]


def _chains(coast: Lines) -> list[LineString]:
    """The ways joined end to end; their direction, which carries the meaning, is kept."""
    if not coast:
        return []
    merged = shapely.line_merge(shapely.MultiLineString(list(coast)), directed=True)
    return [line for line in shapely.get_parts(merged) if line.length > 0]


def _carried_to_edge(line: LineString, frame: Polygon) -> list[BaseGeometry]:
    if line.is_ring:
        return []
    edge = frame.exterior
    found: list[BaseGeometry] = []
    for end in (line.coords[0], line.coords[-1]):
        here = shapely.Point(end)
        if not frame.contains(here):
            continue
        there = edge.interpolate(edge.project(here))
        # A hair beyond the edge, so that rounding cannot leave a gap that keeps the face open.
        beyond = (there.x + (there.x - here.x) * 1e-6, there.y + (there.y - here.y) * 1e-6)
        found.append(LineString([end, beyond]))
    return found


def _votes(lines: Lines, tree: shapely.STRtree, n: int) -> NDArray[np.float64]:
    """Metres of coast (in degrees) that have the face on their right, less those on their left."""
    starts = np.concatenate([shapely.get_coordinates(line)[:-1] for line in lines])
    ends = np.concatenate([shapely.get_coordinates(line)[1:] for line in lines])
    along = ends - starts
    length = np.hypot(along[:, 0], along[:, 1])
    keep = length > 0
    starts, ends, along, length = starts[keep], ends[keep], along[keep], length[keep]
    right = np.column_stack([along[:, 1], -along[:, 0]]) / length[:, None] * _ASIDE_DEG
    middle = (starts + ends) / 2
    return _weights(middle + right, length, tree, n) - _weights(middle - right, length, tree, n)


def _counts(points: NDArray[np.float64], tree: shapely.STRtree, n: int) -> NDArray[np.float64]:
    return _weights(points, np.ones(len(points)), tree, n)


def _weights(
    points: NDArray[np.float64], weight: NDArray[np.float64], tree: shapely.STRtree, n: int
) -> NDArray[np.float64]:
    """The summed weight of the points inside each of the n faces."""
    if not len(points):
        return np.zeros(n)
    which, face = tree.query(shapely.points(points), predicate="within")
    return np.bincount(face, weights=weight[which], minlength=n).astype(np.float64)
