"""Puts a position into the words a crew would use on the radio."""

import math
import re
from dataclasses import dataclass

import shapely
from shapely.geometry.base import BaseGeometry

from geo.asset_words import in_english
from geo.gazetteer_store import Store
from geo.geocoding import Language, Phrase
from geo.point import METRES_PER_DEGREE, Box, Point, bearing_deg, distance_m

NEAR_STREET_M = 400.0
ON_STREET_M = 40.0
PATH_M = 20.0
AT_CROSSING_M = 25.0
NEAR_CROSSING_M = 400.0
NEAR_LANDMARK_M = 60.0

_TEXTS: dict[Language, dict[str, str]] = {
    "id": {
        "crossing": "Simpang {street} – {other}",
        "from_crossing": "{street}, {m} m sebelah {way} {other}",
        "off": "{m} m sebelah {way} {street}",
        "landmark": "dekat {landmark}",
        "ward": "Kel. {ward}",
    },
    "en": {
        "crossing": "Corner of {street} and {other}",
        "from_crossing": "{street}, {m} m {way} of {other}",
        "off": "{m} m {way} of {street}",
        "landmark": "near {landmark}",
        "ward": "{ward}",
    },
}
_WAYS: dict[Language, tuple[str, ...]] = {
    "id": (
        "utara",
        "timur laut",
        "timur",
        "tenggara",
        "selatan",
        "barat daya",
        "barat",
        "barat laut",
    ),
    "en": ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest"),
}
# Kelurahan is what an Indonesian ward is called, in English sentences too.
_KELURAHAN = "Kel. {ward}"


def describe(store: Store, p: Point, language: Language) -> Phrase | None:
    """The nearest street, how far on which side of its nearest crossing, a landmark, the ward."""
    texts = _TEXTS[language]
    if store.is_indonesian:
        texts = {**texts, "ward": _KELURAHAN}
    ward, district = store.ward_at(p)
    street = _nearest_street(store, p)
    if street is None and ward is None:
        return None
    parts = [_on_street(store, p, street, language)] if street else []
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
    shape: BaseGeometry

    @property
    def short(self) -> str:
        return short_name(self.name)


def _nearest_street(store: Store, p: Point) -> _Near | None:
    for reach in (60.0, NEAR_STREET_M):
        near = store.stretches_in(Box(p.lon, p.lat, p.lon, p.lat).padded(reach))
        # A crew looks for the street, not for the footpath beside it.
        found = min(
            (
                (gap + (0.0 if is_road else PATH_M), gap, street, name, n)
                for n, (street, name, is_road, shape) in enumerate(near)
                if (gap := _gap(shape, p)) <= reach
            ),
            default=None,
        )
        if found:
            return _Near(found[2], found[3], found[1], near[found[4]][3])
    return None


def _gap(shape: BaseGeometry, p: Point) -> float:
    """Metres from the place to the line."""
    here = shapely.Point(p.lon, p.lat)
    # Degrees of longitude are shorter than those of latitude: measure on a map that is not bent.
    shrink = math.cos(math.radians(p.lat))
    flat = shapely.transform(shape, lambda xy: xy * (shrink, 1.0))
    return float(flat.distance(shapely.Point(here.x * shrink, here.y))) * METRES_PER_DEGREE


def _on_street(store: Store, p: Point, street: _Near, language: Language) -> str:
    texts = _TEXTS[language]
    if street.gap_m > ON_STREET_M:
        foot = shapely.shortest_line(street.shape, shapely.Point(p.lon, p.lat)).coords[0]
        way = side_of(Point(*foot[:2]), p, language)
        return texts["off"].format(m=_round(street.gap_m), way=way, street=street.short)
    met = [(distance_m(p, where), name, where) for name, where in store.crossings_of(street.id)]
    metres, other, where = min(met, default=(math.inf, "", p), key=lambda m: m[:2])
    if metres <= AT_CROSSING_M:
        return texts["crossing"].format(street=street.short, other=short_name(other))
    if metres <= NEAR_CROSSING_M:
        way = side_of(where, p, language)
        return texts["from_crossing"].format(
            street=street.short, m=_round(metres), way=way, other=short_name(other)
        )
    return street.short


def side_of(a: Point, b: Point, language: Language) -> str:
    """On which side of `a` the place `b` lies: one of eight compass points in words."""
    return _WAYS[language][round(bearing_deg(a, b) / 45) % 8]


def short_name(street: str) -> str:
    """As people say it: Jl. Pahlawan for Jalan Pahlawan."""
    return re.sub(r"^Jalan (?=\w)", "Jl. ", street)


_FROM = re.compile(
    rf"(\d+) m sebelah ({'|'.join(sorted(_WAYS['id'], key=len, reverse=True))}) (.+)"
)
_CORNER = re.compile(r"Simpang (.+) – (.+)")
_NEAR = re.compile(r"dekat (.+)")


def translated(phrase: str, language: Language) -> str:
    """A phrase of `describe`, kept in Indonesian, for another reader; a plain name stays as it is.

    The screens do the same in `web/ui/src/base/phrase.ts`.
    """
    if language == "id":
        return phrase
    return ", ".join(_in_english(part) for part in phrase.split(", "))


def _in_english(part: str) -> str:
    if found := _FROM.fullmatch(part):
        way = _WAYS["en"][_WAYS["id"].index(found[2])]
        return f"{found[1]} m {way} of {found[3]}"
    if found := _CORNER.fullmatch(part):
        return f"Corner of {found[1]} and {found[2]}"
    if found := _NEAR.fullmatch(part):
        return f"near {found[1]}"
    return in_english(part)


def _landmark(store: Store, p: Point, texts: dict[str, str], *, said: str) -> list[str]:
    """The nearest thing with a name of its own; a stop called as the street says nothing new."""
    near = store.pois_in(Box(p.lon, p.lat, p.lon, p.lat).padded(NEAR_LANDMARK_M))
    own = [(distance_m(p, where), name) for name, where in near if name.split(",")[0] not in said]
    metres, name = min(own, default=(math.inf, ""))
    return [texts["landmark"].format(landmark=name)] if metres <= NEAR_LANDMARK_M else []


def _round(metres: float) -> int:
    """To ten metres: nobody paces out single ones."""
    return max(10, round(metres / 10) * 10)
