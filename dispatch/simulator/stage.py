"""Sets the stage of a city: where incidents can be, where crews can wait, all drives between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dispatch.core.coverage import Terrain
from dispatch.simulator import demand
from dispatch.simulator.scene import CrewSetup, Scene, homes, mixed_skills, terrain_of
from dispatch.simulator.streets import RoadStreets, Streets
from geo.areas import Areas
from geo.point import METRES_PER_DEGREE, Box, Point
from geo.roadarrays import Ints, RoadArrays
from geo.roadgraph import RoadGraph
from geo.roadtable import RoadTable
from geo.zones import reachable_zones, zones_of

Floats = NDArray[np.float64]
SITES = 400
POSTS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A city for many runs. The first `sites` sites are where incidents can be, then the posts."""

    city: str
    streets: Streets
    weights: Floats
    """How probable an incident is at each site, shape (sites,)."""
    xy: Floats
    """Metres, shape (sites, 2)."""
    posts: tuple[int, ...]
    districts: tuple[str, ...]

    def scene(
        self,
        seed: int,
        *,
        load: float,
        crews: int = 20,
        days: float = 3.0,
        storm: bool = False,
        pranks: float = 0.05,
        fewer_crews: int = 0,
    ) -> Scene:
        """The scene of a seed. `fewer_crews` leave, with the demand as if they were there."""
        rate = demand.per_hour(load, crews)
        terrain = terrain_of(self.streets, self.posts, self.weights, rate=rate)
        jobs = demand.synthetic(
            seed,
            load=load,
            crews=crews,
            days=days,
            weights=self.weights,
            xy=self.xy,
            storm=storm,
            pranks=pranks,
        )
        return Scene(
            city=self.city,
            streets=self.streets,
            jobs=jobs,
            crews=self._crews(terrain, crews, load)[: crews - fewer_crews],
            terrain=terrain,
            posts=self.posts,
            days=days,
            load=load,
            districts=self.districts,
            storm=storm,
        )

    def _crews(self, terrain: Terrain, crews: int, load: float) -> list[CrewSetup]:
        skills = mixed_skills(crews)
        zones = homes(terrain, crews, busy_share=load)
        return [CrewSetup(s, self.posts[z]) for s, z in zip(skills, zones, strict=True)]


def set_stage(
    city: str,
    graph: RoadGraph,
    areas: Areas,
    *,
    sites: int = SITES,
    posts: int = POSTS,
    seed: int = 1,
    tick: Callable[[int, int], None] | None = None,
) -> Stage:
    """Choose sites at random among the junctions of the service area, and compute all drives.

    Raises ValueError when the city has too few roads for it.
    """
    arrays = graph.arrays
    box = Box.around([Point(float(x), float(y)) for x, y in _corners(arrays.lon, arrays.lat)])
    zones, _ = reachable_zones(zones_of(arrays, box, covers=areas.covers, most=posts), graph)
    if len(zones) < 2:
        raise ValueError(f"{city} has too few roads for a simulation.")
    places = _places(graph, areas, [zone.post for zone in zones], sites, seed)
    every = [*places, *(zone.post for zone in zones)]
    table = RoadTable(graph, every, tick=tick)
    squeeze = np.cos(np.radians(box.center.lat))
    xy = np.array([(p.lon * squeeze, p.lat) for p in places]) * METRES_PER_DEGREE
    attributions = [areas.attribute(p) for p in every]
    return Stage(
        city=city,
        streets=RoadStreets(table),
        weights=np.ones(len(places)),
        xy=xy,
        posts=tuple(range(len(places), len(every))),
        districts=tuple((a.district or "") if a else "" for a in attributions),
    )


def _corners(lon: Floats, lat: Floats) -> list[tuple[float, float]]:
    return [(lon.min(), lat.min()), (lon.max(), lat.max())]


def _junctions(arrays: RoadArrays) -> Ints:
    """Where roads of cars begin, end or meet: not where only a gang comes out on a street.

    So a gang more on the map changes nothing of what is simulated where.
    """
    size = arrays.node_count
    cars = arrays.for_cars & ~arrays.is_copy
    tail, head, way = arrays.tail[cars], arrays.head[cars], arrays.edge_way[cars]
    there, back = np.bincount(head, minlength=size), np.bincount(tail, minlength=size)
    # whether one comes from where one may go to: two roads both ways, or a dead end
    alike = np.bincount(head, tail, minlength=size) == np.bincount(tail, head, minlength=size)
    through = (there == back) & np.where(alike, there == 2, there == 1)
    only, other = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.bool_)
    only[head] = way
    other[head[only[head] != way]] = True
    other[tail[only[tail] != way]] = True
    mouth = np.zeros(size, dtype=np.bool_)
    mouth[arrays.head[~arrays.for_cars]] = mouth[arrays.tail[~arrays.for_cars]] = True
    found: Ints = np.flatnonzero((there > 0) & ~(mouth & through & ~other))
    return found


def _places(
    graph: RoadGraph, areas: Areas, posts: list[Point], count: int, seed: int
) -> list[Point]:
    """Junctions drawn at random that every post reaches and that reach every post."""
    arrays = graph.arrays
    drawn = np.random.default_rng(seed).permutation(_junctions(arrays))[: 3 * count]
    found = [Point(float(arrays.lon[n]), float(arrays.lat[n])) for n in drawn]
    found = [p for p in found if areas.covers(p)]
    there, back = graph.travel_times(posts, found), graph.travel_times(found, posts)
    linked = np.atleast_1d(np.isfinite(there).all(axis=0) & np.isfinite(back).all(axis=1))
    return [p for p, good in zip(found, linked.tolist(), strict=True) if good][:count]
