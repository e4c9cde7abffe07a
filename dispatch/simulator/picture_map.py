"""Draws a city with the places where crews came late."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Line = Sequence[tuple[float, float]]
WIDTH = 460.0
CELLS = 34
"""The picture's width in cells; late arrivals in one cell are one circle."""
LEAST_R, MOST_R = 1.6, 9.0


@dataclass(frozen=True, slots=True)
class CityMap:
    """What the map shows beneath: main roads and outlines of districts, lines of (lon, lat)."""

    box: tuple[float, float, float, float]
    roads: Sequence[Line]
    outlines: Sequence[Line]

    @property
    def height(self) -> float:
        """The picture's height for its width of 460."""
        west, south, east, north = self.box
        across = (east - west) * math.cos(math.radians((south + north) / 2))
        return WIDTH * (north - south) / across if across > 0 else WIDTH

    def place(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Where on the picture; equirectangular, true in the middle of the city. Shapes (n,)."""
        west, south, east, north = self.box
        return (
            WIDTH * (lon - west) / (east - west),
            self.height * (north - lat) / (north - south),
        )


def ground(city: CityMap, *, name: str) -> str:
    """Roads and outlines once, to be used by several maps."""
    return (
        f'<svg class="defs" width="0" height="0" aria-hidden="true"><defs><g id="{name}">'
        f'<path class="road" d="{_path(city, city.roads)}"/>'
        f'<path class="outline" d="{_path(city, city.outlines)}"/>'
        "</g></defs></svg>"
    )


def late_map(
    city: CityMap, late_at: Floats, *, name: str, caption: str, most: float, seeds: int
) -> str:
    """Circles where crews came late; area counts late arrivals, `most` in a cell is the largest.

    `late_at` has shape (n, 3): lon, lat, minutes late; it is of `seeds` runs together.
    """
    circles = []
    for x, y, count in _cells(city, late_at):
        per_run = count / max(seeds, 1)
        r = max(LEAST_R, MOST_R * math.sqrt(per_run / most)) if most > 0 else LEAST_R
        circles.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{r:.1f}"/>')
    return (
        f'<svg class="picture map" viewBox="0 0 {WIDTH:.0f} {city.height:.0f}" role="img"'
        f' aria-labelledby="{caption}"><use href="#{name}"/>'
        f'<g class="late">{"".join(circles)}</g></svg>'
    )


def most_in_a_cell(city: CityMap, several: Iterable[tuple[Floats, int]]) -> float:
    """The largest count of late arrivals in a cell and run; (late_at, seeds) for each map."""
    return max(
        (
            count / max(seeds, 1)
            for late_at, seeds in several
            for _, _, count in _cells(city, late_at)
        ),
        default=0.0,
    )


def _cells(city: CityMap, late_at: Floats) -> list[tuple[float, float, int]]:
    """The middle of the late places of each cell, and how many they are; most first."""
    if not len(late_at):
        return []
    x, y = city.place(late_at[:, 0], late_at[:, 1])
    side = WIDTH / CELLS
    cell = np.stack([np.floor(x / side), np.floor(y / side)], axis=1)
    _, which, counts = np.unique(cell, axis=0, return_inverse=True, return_counts=True)
    which = which.reshape(-1)
    xs = np.bincount(which, weights=x) / counts
    ys = np.bincount(which, weights=y) / counts
    order = np.argsort(-counts, kind="stable")
    return [(float(xs[k]), float(ys[k]), int(counts[k])) for k in order]


def _path(city: CityMap, several: Sequence[Line]) -> str:
    """The lines as one path of whole pixels; what is shorter than one is left out."""
    parts = []
    for line in several:
        x, y = city.place(*np.array(line, dtype=np.float64).reshape(-1, 2).T)
        placed = [at for at, _ in groupby(zip(x.round().tolist(), y.round().tolist(), strict=True))]
        if len(placed) > 1:
            steps = "l".join(f"{b[0] - a[0]:.0f} {b[1] - a[1]:.0f}" for a, b in pairwise(placed))
            parts.append(f"M{placed[0][0]:.0f} {placed[0][1]:.0f}l{steps}")
    return "".join(parts)
