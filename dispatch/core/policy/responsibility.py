"""Which agency answers for a place: by category, by ward, and by polygon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Ring = tuple[tuple[float, ...], ...]
"""Corners as (lon, lat) in degrees, WGS 84; the last need not repeat the first."""


@dataclass(frozen=True, slots=True)
class Responsibility:
    """An agency answers for these categories in these areas; what is left out means all.

    `wards` are names of wards or districts; `polygons` are rings, and `file` a GeoJSON file of
    them beside the policy, which reading the policy turns into rings. A place inside of a ring or
    on its edge belongs to it; a place in any ward or any ring belongs to the area.
    """

    agency_id: str
    services: tuple[str, ...] = ()
    wards: tuple[str, ...] = ()
    polygons: tuple[Ring, ...] = ()
    file: str = ""

    def answers_for(
        self, service_code: str, *, lon: float, lat: float, areas: Sequence[str | None]
    ) -> bool:
        """Whether it answers for a problem of this category there; `areas` are its area names."""
        if self.services and service_code not in self.services:
            return False
        if not self.wards and not self.polygons:
            return True
        named = {area.casefold() for area in areas if area}
        if any(ward.casefold() in named for ward in self.wards):
            return True
        return any(inside(ring, lon, lat) for ring in self.polygons)


def inside(ring: Ring, lon: float, lat: float) -> bool:
    """Is the place inside of the ring or on its edge? Counts the edges a ray to the east meets."""
    within = False
    for (x1, y1, *_), (x2, y2, *_) in zip(ring, (*ring[1:], ring[0]), strict=True):
        cross = (x2 - x1) * (lat - y1) - (y2 - y1) * (lon - x1)
        if cross == 0 and min(x1, x2) <= lon <= max(x1, x2) and min(y1, y2) <= lat <= max(y1, y2):
            return True
        if (y1 > lat) != (y2 > lat) and lon < x1 + (lat - y1) / (y2 - y1) * (x2 - x1):
            within = not within
    return within
