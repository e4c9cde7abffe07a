"""`sigap bench road` beside OSRM: what its server takes, and whether the times agree."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.osm_graph import connect
from geo.osm_roads import read_roads
from geo.osm_rules import DRIVEN_SHARE, limit_kmh
from geo.osrm import OsrmNetwork
from geo.osrm_tools import OsrmTools
from geo.point import Point
from geo.progress import Silent
from geo.roadarrays import RoadArrays
from geo.roadgraph import RoadGraph

CREWS = 200
AGREEMENT_CREWS = (20, 50, 200)
INCIDENTS = 300

Table = NDArray[np.float64]


def places(arrays: RoadArrays, count: int, chance: np.random.Generator) -> list[Point]:
    """Points on the roads of cars, uniform over their length."""
    edges = arrays.for_cars & ~arrays.is_copy
    metres = np.where(edges[arrays.piece_edge], arrays.piece_m, 0.0)
    share = metres / metres.sum()
    pieces, along = chance.choice(len(share), count, p=share), chance.random(count)
    u, v = arrays.piece_u[pieces], arrays.piece_v[pieces]
    lon = arrays.lon[u] + (arrays.lon[v] - arrays.lon[u]) * along
    lat = arrays.lat[u] + (arrays.lat[v] - arrays.lat[u]) * along
    return [Point(float(x), float(y)) for x, y in zip(lon, lat, strict=True)]


def beside_osrm(
    path: Path, graph: RoadGraph, tools: OsrmTools, chance: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Our times and free flow beside OSRM's car profile on the same extract."""
    free = RoadGraph(free_flow(path))
    with tempfile.TemporaryDirectory(prefix="sigap-osrm-") as folder:
        begun = time.perf_counter()
        base = tools.prepare(path, Path(folder))
        prepared_s = time.perf_counter() - begun
        with tools.serving(base) as server:
            osrm = OsrmNetwork(
                server.url, graph.arrays, version="bench", speeds=Path(folder) / "speeds.csv"
            )
            some = places(graph.arrays, 2 * CREWS, chance)
            crews, incidents = some[:CREWS], some[CREWS:]
            one = [_wall_s(partial(osrm.travel_times, crews, [p])) for p in incidents[:20]]
            own = [_wall_s(partial(graph.travel_times, crews, [p])) for p in incidents[:20]]
            many = _wall_s(partial(osrm.travel_times, crews, incidents))
            yield {
                "what": "osrm",
                "prepare_s": round(prepared_s, 2),
                "1x200_wall_ms": _ms(statistics.median(one)),
                "200x200_wall_ms": _ms(many),
                "ratio_1x200": round(statistics.median(one) / statistics.median(own), 1),
            }
            for crew_count in AGREEMENT_CREWS:
                sources = places(graph.arrays, crew_count, chance)
                targets = places(graph.arrays, INCIDENTS, chance)
                theirs = osrm.travel_times(sources, targets)
                yield {
                    "what": "agreement with osrm",
                    "crews": crew_count,
                    "incidents": INCIDENTS,
                    **agreement(graph.travel_times(sources, targets), theirs),
                    **{
                        f"free_flow_{name}": value
                        for name, value in agreement(
                            free.travel_times(sources, targets), theirs
                        ).items()
                    },
                }
            osrm.close()


def agreement(ours: Table, theirs: Table) -> dict[str, float]:
    """Ratio of times (over a minute) and how often the nearest crew is the same; by column."""
    both = np.isfinite(ours) & np.isfinite(theirs) & (theirs > 60)
    ratio = np.quantile(ours[both] / theirs[both], [0.1, 0.5, 0.9])
    reached = np.isfinite(ours).any(axis=0) & np.isfinite(theirs).any(axis=0)
    mine, best = ours[:, reached].argmin(axis=0), theirs[:, reached].argmin(axis=0)
    columns = np.arange(int(reached.sum()))
    lost = theirs[:, reached][mine, columns] - theirs[:, reached][best, columns]
    return {
        "ratio_p10": round(float(ratio[0]), 3),
        "ratio_p50": round(float(ratio[1]), 3),
        "ratio_p90": round(float(ratio[2]), 3),
        "same_nearest": round(float((mine == best).mean()), 3),
        "lost_s_mean": round(float(lost[np.isfinite(lost)].mean()), 2),
    }


def free_flow(path: Path) -> RoadArrays:
    """Times by length and limit alone: no turns, no lights; limits not tagged as osmnx fills in.

    osmnx takes the mean of the tagged limits of the same class, else of all.
    """
    roads = read_roads(path, progress=Silent())
    tagged: dict[str, list[float]] = defaultdict(list)
    for way in roads.roads:
        limit = limit_kmh(way.tags.get("maxspeed"))
        if limit is not None:
            tagged[way.tags["highway"]].append(limit)
    every = [limit for limits in tagged.values() for limit in limits] or [50.0]
    usual = {name: statistics.mean(limits) for name, limits in tagged.items()}
    for n, way in enumerate(roads.roads):
        kmh = limit_kmh(way.tags.get("maxspeed")) or usual.get(
            way.tags["highway"], statistics.mean(every)
        )
        # driven to the full, whatever the class
        told = {**way.tags, "highway": "primary", "maxspeed": str(kmh / DRIVEN_SHARE)}
        told.pop("maxspeed:forward", None)
        told.pop("maxspeed:backward", None)
        roads.roads[n] = replace(way, tags=told)
    roads.signals.clear()
    roads.gates.clear()
    arrays = connect(roads)
    return replace(arrays, turn_ms=np.zeros_like(arrays.turn_ms))


def _wall_s(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def _ms(seconds: float) -> float:
    return round(1e3 * seconds, 3)
