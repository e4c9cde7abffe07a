"""Places where something may happen: points on the roads of a city."""

from __future__ import annotations

import random

from geo.areas import Areas
from geo.network import RoadNetwork
from geo.point import Box, Point

TRIES = 400


def on_a_road(
    chance: random.Random, *, box: Box, areas: Areas, roads: RoadNetwork
) -> tuple[float, float]:
    """A point on a road inside the service area, (lon, lat) degrees, uniform over its area.

    Raises ValueError when the city seems to have no road inside its area.
    """
    for _ in range(TRIES):
        here = Point(chance.uniform(box.west, box.east), chance.uniform(box.south, box.north))
        snap = roads.snap(here, max_m=120.0)
        if snap is not None and areas.covers(snap.point):
            return snap.point.lon, snap.point.lat
    raise ValueError("no road was found inside the service area")
