"""Where a house number must be in a city of numbered blocks, though no house is mapped there.

In such a city 2400 East begins at the same cross street on every parallel street, so the numbers
of other streets say how far along this one a number lies. Whether a city is like that is not
believed but tried, for each kind of street: numbers that are on the map are looked for from those
of other streets, and only if most are found near where they are does anything here answer.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.point import METRES_PER_DEGREE, Point

Axis = Literal["ew", "ns"]
Facing = tuple[Axis, str]
"""Which way a street runs, and the side of the city that its name begins with, or none."""

COMPASS: tuple[str, ...] = ("north", "south", "east", "west")
_TOLD_BY = 25
"""So many mapped numbers, the next to the one that is asked for, tell where it is …"""
_NEAR_NUMBER = 500
"""… if they are no farther from it than five blocks."""
_LEAST_TOLD_BY = 4
_PAST_LAST = 200
"""Two blocks past the last number that is known anywhere, nothing is known."""
_TRIED = 150
_LEAST_TRIED = 5
_LEAST_IN_CITY = 50
_GOOD_M = 150.0
_GOOD_SHARE = 0.8
_LEAST_RADIUS_M = 60.0
_BEYOND_M = 120.0
"""A number may lie so far beyond the end of a street and still be at its end."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A mapped house: on which street, which number, where."""

    street: int
    value: int
    point: Point


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a number must be, how far off it may be, how far beyond the mapped street it lies."""

    point: Point
    radius_m: float
    beyond_m: float


@dataclass(frozen=True, slots=True)
class _Row:
    """The numbers of streets that run the same way, in their order, and how far along each is."""

    values: NDArray[np.int64]
    along_m: NDArray[np.float64]
    streets: NDArray[np.int64]


class Blocks:
    """The numbered blocks of a city; `told_by` says whose numbers tell about which streets.

    Where `told_by` is not given it is found out: of every kind of street, those kinds whose
    numbers put most of the mapped ones of other streets where they are. Empty in a city where each
    street counts for itself.
    """

    def __init__(
        self,
        houses: Iterable[Numbered],
        shapes: Mapping[int, tuple[str, BaseGeometry]],
        *,
        told_by: Mapping[Facing, tuple[str, ...]] | None = None,
    ) -> None:
        """`shapes`: of every street with houses its first word and its line in degrees."""
        known = sorted(houses, key=lambda h: (h.value, h.street, h.point.lon, h.point.lat))
        self._shrink = math.cos(math.radians(known[0].point.lat)) if known else 1.0
        kinds = {i: (axis_of(line, self._shrink), side(word)) for i, (word, line) in shapes.items()}
        by_kind: dict[Facing, list[Numbered]] = {}
        for house in known:
            axis, facing = kinds[house.street]
            if axis is not None:
                by_kind.setdefault((axis, facing), []).append(house)
        self._houses = by_kind
        self._pools: dict[tuple[Axis, tuple[str, ...]], _Row] = {}
        self.told_by: dict[Facing, tuple[str, ...]] = (
            dict(self._tried()) if told_by is None else dict(told_by)
        )

    def spot(self, value: int, word: str, line: BaseGeometry) -> Spot | None:
        """Where the number must be on this street; None where nothing tells.

        A street whose name says no side may lie on either: the one that the street reaches.
        """
        axis = axis_of(line, self._shrink)
        if axis is None:
            return None
        facing = side(word)
        spots = []
        for told in self._tellers(axis, facing):
            found = self._along(axis, told, value)
            if found is not None:
                spots.append(self._on(line, axis, *found))
        return min(spots, key=lambda s: s.beyond_m, default=None)

    def _tellers(self, axis: Axis, facing: str) -> list[tuple[str, ...]]:
        """Whose numbers to ask: its own kind's, or those of each side where its name says none."""
        if (axis, facing) in self.told_by:
            return [self.told_by[axis, facing]]
        sides = (facing,) if facing else COMPASS
        return [self.told_by[axis, one] for one in sides if (axis, one) in self.told_by]

    def _pool(self, axis: Axis, sides: tuple[str, ...]) -> _Row:
        if (axis, sides) not in self._pools:
            houses = sorted(
                (house for name in sides for house in self._houses.get((axis, name), ())),
                key=lambda h: (h.value, h.street, h.point.lon, h.point.lat),
            )
            self._pools[axis, sides] = _Row(
                np.array([house.value for house in houses], dtype=np.int64),
                np.array([self._along_m(house.point, axis) for house in houses], dtype=np.float64),
                np.array([house.street for house in houses], dtype=np.int64),
            )
        return self._pools[axis, sides]

    def _along_m(self, p: Point, axis: Axis) -> float:
        return METRES_PER_DEGREE * (p.lon * self._shrink if axis == "ew" else p.lat)

    def _along(
        self, axis: Axis, sides: tuple[str, ...], value: int, *, without: int = -1
    ) -> tuple[float, float] | None:
        """How far along the axis streets have this number, and how much they differ, in metres."""
        row = self._pool(axis, sides)
        others = row.streets != without
        values, along = row.values[others], row.along_m[others]
        streets = row.streets[others]
        if not len(values) or not values[0] - _PAST_LAST <= value <= values[-1] + _PAST_LAST:
            return None
        away = np.abs(values - value)
        next_to = np.argsort(away, kind="stable")[:_TOLD_BY]
        next_to = next_to[away[next_to] <= _NEAR_NUMBER]
        if len(next_to) < _LEAST_TOLD_BY or len(set(streets[next_to].tolist())) < 2:
            return None
        return _line_at(values[next_to] - value, along[next_to])

    def _on(self, line: BaseGeometry, axis: Axis, along: float, spread: float) -> Spot:
        """The point of the line that lies that far along."""
        scale = METRES_PER_DEGREE * self._shrink if axis == "ew" else METRES_PER_DEGREE
        wanted = along / scale
        west, south, east, north = line.bounds
        low, high = (west, east) if axis == "ew" else (south, north)
        at = min(max(wanted, low), high)
        margin = 1.0
        cut = (
            shapely.LineString([(at, south - margin), (at, north + margin)])
            if axis == "ew"
            else shapely.LineString([(west - margin, at), (east + margin, at)])
        )
        point = shapely.shortest_line(line, cut).coords[0]
        # Between the pieces of a street there may be a gap where the number should be.
        off = abs((point[0] if axis == "ew" else point[1]) - wanted) * scale
        radius_m = max(_LEAST_RADIUS_M, 2 * spread)
        return Spot(Point(*point[:2]), radius_m, max(0.0, off - _BEYOND_M))

    def _tried(self) -> Iterator[tuple[Facing, tuple[str, ...]]]:
        """Of each kind of street, by whose numbers most of its mapped ones are found."""
        if sum(map(len, self._houses.values())) < _LEAST_IN_CITY:
            return
        for axis, facing in sorted(self._houses):
            best: tuple[int, tuple[str, ...]] | None = None
            for sides in _possible(axis, facing):
                tried, near = self._score(axis, facing, sides)
                good = tried >= _LEAST_TRIED and near >= _GOOD_SHARE * tried
                if good and (best is None or near > best[0]):
                    best = near, sides
            if best is not None:
                yield (axis, facing), best[1]

    def _score(self, axis: Axis, facing: str, sides: tuple[str, ...]) -> tuple[int, int]:
        """Of how many mapped houses other streets tell something, and of how many rightly."""
        houses = self._houses[axis, facing]
        off = []
        for house in houses[:: max(1, len(houses) // _TRIED)]:
            found = self._along(axis, sides, house.value, without=house.street)
            if found is not None:
                off.append(abs(found[0] - self._along_m(house.point, axis)))
        return len(off), sum(metres <= _GOOD_M for metres in off)


def _possible(axis: Axis, facing: str) -> list[tuple[str, ...]]:
    """Its own side, and both what says no side and what does: they may count from one line."""
    ways = ("east", "west") if axis == "ew" else ("north", "south")
    if facing:
        return [(facing,), ("", facing)]
    return [("",), *(("", way) for way in ways)]


def _line_at(values: NDArray[np.int64], along_m: NDArray[np.float64]) -> tuple[float, float] | None:
    """Where the numbers put zero, and their middle distance from the line through them.

    A straight line by weighted least squares; what lies far from it loses weight (Cauchy), so that
    one house with a wrong number does not bend it.
    """
    x = values.astype(np.float64)
    weight = near = 1.0 / (50.0 + np.abs(x))
    if np.ptp(x) < 40:
        middle = float(np.median(along_m))
        return middle, float(np.median(np.abs(along_m - middle)))
    columns = np.column_stack([np.ones(len(x)), x])
    start, off = 0.0, np.zeros(len(x))
    for _ in range(5):
        root = np.sqrt(weight)
        found = np.linalg.lstsq(columns * root[:, None], along_m * root, rcond=None)[0]
        off = np.abs(along_m - columns @ found)
        weight = near / (1.0 + (off / 60.0) ** 2)
        start = float(found[0])
    return start, float(np.median(off))


def axis_of(line: BaseGeometry, shrink: float) -> Axis | None:
    """Which way a street runs, None for one that runs neither way for most of its length."""
    total = 0j
    length = 0.0
    for part in getattr(line, "geoms", [line]):
        steps = np.diff(np.asarray(part.coords)[:, :2], axis=0) * [shrink, 1.0]
        turned = steps[:, 0] + 1j * steps[:, 1]
        far = np.abs(turned)
        # Twice the angle: there and back is the same way.
        total += complex((far * np.exp(2j * np.angle(turned))).sum())
        length += float(far.sum())
    if length == 0 or abs(total) < 0.5 * length:
        return None
    degrees = abs(math.degrees(math.atan2(total.imag, total.real)) / 2)
    if degrees <= 30:
        return "ew"
    return "ns" if degrees >= 60 else None


def side(word: str) -> str:
    """North, south, east or west where the street's name begins so; numbers count from there."""
    return word if word in COMPASS else ""
