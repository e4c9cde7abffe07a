"""In front of, behind, opposite, beside, near: where that is, and how far off it may be."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import shapely

from geo.gazetteer_store import Store
from geo.point import METRES_PER_DEGREE, Box, Point

NEAR_M = 80.0
"""A place farther than this from every street faces none of them."""


@dataclass(frozen=True, slots=True)
class Relation:
    """How a place beside a landmark is found: `radius_m` is what the words leave open.

    `towards_m` metres from the landmark towards its street (negative: away from it); `across_m`
    metres beyond the street's line.
    """

    radius_m: float
    towards_m: float | None = None
    across_m: float | None = None


RELATIONS: Mapping[str, Relation] = {
    "depan": Relation(25.0, across_m=0.0),
    "seberang": Relation(35.0, across_m=15.0),
    "belakang": Relation(50.0, towards_m=-40.0),
    "sebelah": Relation(40.0),
    "dekat": Relation(100.0),
}


def beside(store: Store, landmark: Point, cue: str) -> tuple[Point, float]:
    """The place that the words mean, and the radius they add in metres.

    In front is where its street passes, opposite the street's other side, behind away from the
    street. Without a street nearby the landmark itself.
    """
    relation = RELATIONS[cue]
    if relation.towards_m is None and relation.across_m is None:
        return landmark, relation.radius_m
    foot = _facing(store, landmark)
    if foot is None:
        return landmark, relation.radius_m + abs(relation.towards_m or relation.across_m or 0.0)
    shrink = math.cos(math.radians(landmark.lat))
    east = (foot.lon - landmark.lon) * shrink * METRES_PER_DEGREE
    north = (foot.lat - landmark.lat) * METRES_PER_DEGREE
    way = math.hypot(east, north)
    if way < 1.0:
        return landmark, relation.radius_m
    goes = relation.towards_m if relation.across_m is None else way + relation.across_m
    assert goes is not None
    return (
        Point(
            landmark.lon + goes * east / way / METRES_PER_DEGREE / shrink,
            landmark.lat + goes * north / way / METRES_PER_DEGREE,
        ),
        relation.radius_m,
    )


def _facing(store: Store, p: Point) -> Point | None:
    """The nearest place of a named road, on which the landmark is taken to face."""
    near = store.stretches_in(Box(p.lon, p.lat, p.lon, p.lat).padded(NEAR_M))
    roads = [shape for _, _, is_road, shape in near if is_road]
    shrink = math.cos(math.radians(p.lat))
    here = shapely.Point(p.lon * shrink, p.lat)
    best: tuple[float, Point] | None = None
    for shape in roads:
        flat = shapely.transform(shape, lambda xy: xy * (shrink, 1.0))
        x, y = shapely.shortest_line(flat, here).coords[0][:2]
        gap = math.hypot(x - here.x, y - here.y) * METRES_PER_DEGREE
        if gap <= NEAR_M and (best is None or gap < best[0]):
            best = gap, Point(x / shrink, y)
    return best[1] if best else None
