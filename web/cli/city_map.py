"""The lines of a city that the simulation's report draws its late arrivals on."""

from __future__ import annotations

import numpy as np
import shapely

from dispatch.simulator.picture_map import CityMap
from geo.areas import Areas
from geo.bundle import Bundle
from geo.roadarrays import RoadArrays

MAIN_SHARE = 0.35
"""The fastest part of a city's road kilometres is drawn: where traffic is meant to flow."""
TOLERANCE_DEG = 1e-4


def city_map(bundle: Bundle) -> CityMap:
    """Main roads and the outlines of districts, or of wards where there are no districts."""
    areas = bundle.areas()
    box = bundle.manifest.box
    return CityMap(
        box=(box.west, box.south, box.east, box.north),
        roads=main_roads(bundle.roads().arrays),
        outlines=outlines(areas),
    )


def main_roads(arrays: RoadArrays) -> list[list[tuple[float, float]]]:
    """The fastest roads as lines of (lon, lat), each once although two directions may exist."""
    metres = arrays.road_m
    speed = metres / arrays.weight_ms
    order = np.argsort(-speed, kind="stable")
    fast = order[np.cumsum(metres[order]) <= MAIN_SHARE * metres.sum()]
    seen: set[tuple[int, int]] = set()
    lines = []
    for edge in fast.tolist():
        tail, head = int(arrays.tail[edge]), int(arrays.head[edge])
        if (head, tail) in seen:
            continue
        seen.add((tail, head))
        first, end = int(arrays.edge_start[edge]), int(arrays.edge_start[edge + 1])
        nodes = [int(arrays.piece_u[first]), *arrays.piece_v[first:end].tolist()]
        lines.append([(float(arrays.lon[node]), float(arrays.lat[node])) for node in nodes])
    return lines


def outlines(areas: Areas) -> list[list[tuple[float, float]]]:
    """The borders of districts, else wards, else of the city itself, as lines of (lon, lat)."""
    found = areas.districts or areas.wards
    lines = []
    for area in found:
        boundary = shapely.simplify(area.geometry, TOLERANCE_DEG).boundary
        lines += [
            [(float(x), float(y)) for x, y in shapely.get_coordinates(part)]
            for part in shapely.get_parts(boundary)
        ]
    return lines
