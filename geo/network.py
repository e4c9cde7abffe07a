"""What dispatching asks of the roads: where a place meets them, how long a drive is, which way."""

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon

from geo.point import METRES_PER_DEGREE, Point, distance_m

SNAP_M = 250.0
"""A place farther than this from every road is not on the road network."""

Turn = Literal[
    "depart",
    "straight",
    "slight_left",
    "left",
    "sharp_left",
    "slight_right",
    "right",
    "sharp_right",
    "uturn",
    "roundabout",
]

SegmentKey = tuple[int, int]
"""The OSM ids of two consecutive nodes of a road, in driving direction."""


@dataclass(frozen=True, slots=True)
class Snap:
    """The nearest open road position: on the segment u → v (OSM node ids), `fraction` from u."""

    point: Point
    distance_m: float
    u: int
    v: int
    fraction: float


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of one street; `turn` is made at `point`, its beginning. Unnamed roads: ""."""

    name: str
    length_m: float
    duration_s: float
    turn: Turn
    point: Point


@dataclass(frozen=True, slots=True)
class Route:
    """A drive from road position to road position; the steps add up to the whole."""

    points: tuple[Point, ...]
    length_m: float
    duration_s: float
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of road between two consecutive OSM nodes, in driving direction.

    `factor` multiplies its usual speed (1.0 = as usual), None = closed.
    """

    u: int
    v: int
    name: str
    start: Point
    end: Point
    length_m: float
    distance_m: float
    factor: float | None


@dataclass(frozen=True, slots=True)
class Reached:
    """What can be reached within `limit_s` seconds; the area is empty where nothing can."""

    limit_s: float
    area: MultiPolygon
    road_m: float
    """Metres of road that are driven, each direction for itself."""


class RoadsUnavailable(Exception):
    """No engine can be asked about the roads now; the message says what to do."""


class Nearby(NamedTuple):
    """A stretch of road near a place, and the nearest place on it.

    It runs from u to v (OSM node ids) at `bearing` degrees; `forth` and `back` say in which
    directions it may be driven when nothing is closed: whoever stands on a closed road is there.
    """

    u: int
    v: int
    lon: float
    lat: float
    metres: float
    bearing: float
    forth: bool
    back: bool


class RoadNetwork(Protocol):
    """The roads of one city; every method may be called from many threads at once."""

    @property
    def version(self) -> str:
        """Changes with every change of the roads or their speeds."""

    def snap(self, p: Point, *, max_m: float = SNAP_M) -> Snap | None:
        """The nearest open road position within `max_m` metres."""

    def travel_times(
        self, sources: Sequence[Point], targets: Sequence[Point]
    ) -> NDArray[np.float64]:
        """Seconds by road, shape (len(sources), len(targets)); inf = cannot be reached."""

    def route(self, a: Point, b: Point) -> Route | None:
        """The fastest drive, whose duration is the travel time of the same pair."""

    def reachable(self, place: Point, limits_s: Sequence[float]) -> list[Reached]:
        """The areas within each limit of a drive from the place, in the order of the limits."""

    def update(self, segments: Mapping[SegmentKey, float | None]) -> frozenset[SegmentKey]:
        """Set speed factors; None closes, 1.0 restores. Returns the keys no road has.

        Raises ValueError, changing nothing, for a factor that is not a positive number.
        """

    def nearest_segments(self, p: Point, *, within_m: float) -> list[Segment]:
        """Open and closed segments around the place, nearest first."""

    def segments_along(self, line: Sequence[Point], *, within_m: float) -> list[Segment]:
        """Open and closed segments that run with the line, at most so far beside it.

        Of a single point: the road nearest to it, and what lies within reach of that place on it.
        """

    def roads_near(
        self, places: Sequence[tuple[float, float]], *, within_m: float
    ) -> list[list[Nearby]]:
        """For each place (lon, lat) the stretches of road within reach, for many at once."""

    def for_vehicle(self, avoids: AbstractSet[str]) -> "RoadNetwork":
        """The same roads without those of these classes, for a vehicle that cannot use them.

        What is closed here is closed there too; the classes are ROAD_CLASSES and LIMITS of
        geo.osm_rules. Who avoids `no_motorbikes` or `no_trucks` is one, and may also use what is
        closed to cars only.
        """


class StraightLineNetwork:
    """A plain without roads: the crow's distance times a detour, at one speed."""

    version = "straight-line"

    def __init__(self, *, speed_kmh: float = 25.0, detour: float = 1.3) -> None:
        self._seconds_per_metre = detour * 3.6 / speed_kmh
        self._detour = detour

    def snap(self, p: Point, *, max_m: float = SNAP_M) -> Snap | None:
        return Snap(p, 0.0, 0, 0, 0.0)

    def travel_times(
        self, sources: Sequence[Point], targets: Sequence[Point]
    ) -> NDArray[np.float64]:
        metres = [[distance_m(a, b) for b in targets] for a in sources]
        shaped = np.array(metres, dtype=np.float64).reshape(len(sources), len(targets))
        return shaped * self._seconds_per_metre

    def route(self, a: Point, b: Point) -> Route | None:
        metres = distance_m(a, b)
        length_m, duration_s = metres * self._detour, metres * self._seconds_per_metre
        return Route((a, b), length_m, duration_s, (Step("", length_m, duration_s, "depart", a),))

    def reachable(self, place: Point, limits_s: Sequence[float]) -> list[Reached]:
        metres = [limit / self._seconds_per_metre for limit in limits_s]
        return [
            Reached(limit, circle(place, m), 0.0) for limit, m in zip(limits_s, metres, strict=True)
        ]

    def update(self, segments: Mapping[SegmentKey, float | None]) -> frozenset[SegmentKey]:
        check_factors(segments)
        return frozenset(segments)

    def nearest_segments(self, p: Point, *, within_m: float) -> list[Segment]:
        return []

    def segments_along(self, line: Sequence[Point], *, within_m: float) -> list[Segment]:
        return []

    def roads_near(
        self, places: Sequence[tuple[float, float]], *, within_m: float
    ) -> list[list[Nearby]]:
        return [[] for _ in places]

    def for_vehicle(self, avoids: AbstractSet[str]) -> RoadNetwork:
        return self


def check_factors(segments: Mapping[SegmentKey, float | None]) -> None:
    """Raises ValueError unless every factor is None or a positive finite number."""
    for key, factor in segments.items():
        if factor is not None and not (math.isfinite(factor) and factor > 0):
            raise ValueError(f"The speed factor of segment {key} must be positive, not {factor}.")


def circle(place: Point, radius_m: float, *, corners: int = 48) -> MultiPolygon:
    """What is reached on a plain without roads."""
    around = np.linspace(0.0, 2 * math.pi, corners + 1)
    per_lon = METRES_PER_DEGREE * math.cos(math.radians(place.lat))
    ring = [
        (
            place.lon + radius_m * math.cos(a) / per_lon,
            place.lat + radius_m * math.sin(a) / METRES_PER_DEGREE,
        )
        for a in around.tolist()
    ]
    return MultiPolygon([Polygon(ring)]) if radius_m > 0 else MultiPolygon()
