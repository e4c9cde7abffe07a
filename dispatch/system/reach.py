"""Where a crew, or whoever starts from a place, comes in five, ten, twenty minutes of driving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import shapely
from shapely.geometry import MultiPolygon

from geo.network import RoadNetwork
from geo.point import Point

# The raster the areas come from is far coarser.
_DIGITS = 5


def reach_view(
    roads: RoadNetwork, place: Point, minutes: Sequence[float], *, slow: float
) -> dict[str, Any]:
    """The areas by road as it is now, smallest first.

    A drive is expected to take `slow` times what the roads say. A polygon's first ring is its
    outline, the others are what cannot be reached within it.
    """
    limits = sorted(set(minutes))
    found = roads.reachable(place, [limit * 60 / slow for limit in limits])
    return {
        "lon": place.lon,
        "lat": place.lat,
        "graph": roads.version,
        "slow": round(slow, 3),
        "areas": [
            {
                "minutes": limit,
                "road_km": round(each.road_m / 1_000, 1),
                "polygons": _rings(each.area),
            }
            for limit, each in zip(limits, found, strict=True)
        ],
    }


def _rings(area: MultiPolygon) -> list[list[list[tuple[float, float]]]]:
    return [
        [_ring(polygon.exterior), *(_ring(hole) for hole in polygon.interiors)]
        for polygon in area.geoms
    ]


def _ring(ring: shapely.LinearRing) -> list[tuple[float, float]]:
    return [(round(x, _DIGITS), round(y, _DIGITS)) for x, y in ring.coords]
