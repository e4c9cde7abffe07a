"""Puts a position into the words a crew would use on the radio."""

import math
from dataclasses import dataclass

import shapely
from shapely.geometry.base import BaseGeometry

from geo.gazetteer_store import Store
from geo.geocoding import Language, Phrase
from geo.point import METRES_PER_DEGREE, Box, Point, distance_m

NEAR_STREET_M = 400.0
ON_STREET_M = 40.0
PATH_M = 20.0
AT_CROSSING_M = 25.0
NEAR_CROSSING_M = 400.0
NEAR_LANDMARK_M = 60.0

_TEXTS: dict[Language, dict[str, str]] = {
    "id": {
        "crossing": "Simpang {street} – {other}",
        "from_crossing": "{street}, {m} m dari {other}",
        "off": "{m} m dari {street}",
        "landmark": "dekat {landmark}",
        "ward": "Kel. {ward}",
    },
    "en": {
        "crossing": "Corner of {street} and {other}",
        "from_crossing": "{street}, {m} m from {other}",
        "off": "{m} m from {street}",
        "landmark": "near {landmark}",
        "ward": "{ward}",
    },
}


def describe(store: Store, p: Point, language: Language) -> Phrase | None:
    """The nearest street with the way to its nearest crossing, a landmark, the ward."""
    texts = _TEXTS[language]
    ward, district = store.ward_at(p)
    street = _nearest_street(store, p)
    if street is None and ward is None:
        return None
    parts = [_on_street(store, p, street, texts)] if street else []
    parts += _landmark(store, p, texts, said=" ".join(parts))
    if ward:
        parts.append(texts["ward"].format(ward=ward))
    name, gap = (street.name, round(street.gap_m, 1)) if street else (None, None)
    return Phrase(", ".join(parts), name, ward, district, gap)


@dataclass(frozen=True, slots=True)
class _Near:
    id: int
    name: str
    gap_m: float


def _nearest_street(store: Store, p: Point) -> _Near | None:
    for reach in (60.0, NEAR_STREET_M):
        near = store.stretches_in(Box(p.lon, p.lat, p.lon, p.lat).padded(reach))
        # A crew looks for the street, not for the footpath beside it.
        found = min(
            (
                (gap + (0.0 if is_road else PATH_M), gap, street, name)
                for street, name, is_road, shape in near
                if (gap := _gap(shape, p)) <= reach
            ),
            default=None,
        )
        if found:
            return _Near(found[2], found[3], found[1])
    return None


def _gap(shape: BaseGeometry, p: Point) -> float:
    """Metres from the place to the line."""
    here = shapely.Point(p.lon, p.lat)
    # Degrees of longitude are shorter than those of latitude: measure on a map that is not bent.
    shrink = math.cos(math.radians(p.lat))
    flat = shapely.transform(shape, lambda xy: xy * (shrink, 1.0))
    return float(flat.distance(shapely.Point(here.x * shrink, here.y))) * METRES_PER_DEGREE


def _on_street(store: Store, p: Point, street: _Near, texts: dict[str, str]) -> str:
    if street.gap_m > ON_STREET_M:
        return texts["off"].format(m=_round(street.gap_m), street=street.name)
    met = [(distance_m(p, where), name) for name, where in store.crossings_of(street.id)]
    metres, other = min(met, default=(math.inf, ""))
    if metres <= AT_CROSSING_M:
        return texts["crossing"].format(street=street.name, other=other)
    if metres <= NEAR_CROSSING_M:
        return texts["from_crossing"].format(street=street.name, m=_round(metres), other=other)
    return street.name


def _landmark(store: Store, p: Point, texts: dict[str, str], *, said: str) -> list[str]:
    """The nearest thing with a name of its own; a stop called as the street says nothing new."""
    near = store.pois_in(Box(p.lon, p.lat, p.lon, p.lat).padded(NEAR_LANDMARK_M))
    own = [(distance_m(p, where), name) for name, where in near if name.split(",")[0] not in said]
    metres, name = min(own, default=(math.inf, ""))
    return [texts["landmark"].format(landmark=name)] if metres <= NEAR_LANDMARK_M else []


def _round(metres: float) -> int:
    """To ten metres: nobody paces out single ones."""
    return max(10, round(metres / 10) * 10)
