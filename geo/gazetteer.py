"""The city's address book: finds what a citizen described, and puts a position into words."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from rapidfuzz.distance import OSA

from geo.coordinates import Flag, read_coordinates
from geo.coordinates import Reading as Coordinates
from geo.gazetteer_beside import beside
from geo.gazetteer_blocks import Spot
from geo.gazetteer_build import GazetteerInfo, build_gazetteer
from geo.gazetteer_houses import find_house
from geo.gazetteer_match import LIKE, Fit, Weight, fits, rarity, weaker
from geo.gazetteer_phrase import describe
from geo.gazetteer_query import Query, Reading, understand
from geo.gazetteer_rank import ELSEWHERE_M, Found, ranked, weighed, with_notes
from geo.gazetteer_sources import GazetteerError
from geo.gazetteer_store import AreaRow, Home, Place, Store
from geo.gazetteer_sure import Evidence
from geo.gazetteer_text import ROAD_WORDS, fold, words
from geo.geocoding import Candidate, Language, Phrase
from geo.point import Point, distance_m

__all__ = ["Gazetteer", "GazetteerError", "GazetteerInfo", "build_gazetteer"]

_LONGEST_TEXT = 300
_LONGEST_LINK = 2_000
_LOOKED_AT = 80
_KEPT = 25
_WORTH_SHOWING = 0.55
_SIDE_KEPT = 20
_WHOLE_AREA = 0.85
_STRONG = 0.75

Hit = tuple[Place, Fit]


class Gazetteer:
    """Searches and describes the places of one city; safe to use from many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._areas = store.area_names()
        self._weight = rarity(store.name_count, lambda word: store.word_counts.get(word, 0))

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file `build_gazetteer` wrote; raises GazetteerError when it is none."""
        return cls(Store(path))

    def close(self) -> None:
        self._store.close()

    def search(
        self,
        text: str,
        *,
        near: Point | None = None,
        limit: int = 5,
        language: Language = "id",
    ) -> list[Candidate]:
        """At most `limit` proposals for the described place, the most likely first.

        Of places that fit equally well, those nearer to `near` come first. Coordinates and map
        links in the text are taken at their word. `language` is that of the reasons. Only the
        first 300 characters are read.
        """
        written = read_coordinates(text[:_LONGEST_LINK], box=self._store.box)
        if written:
            return [self._written(written, language)]
        query = understand(text[:_LONGEST_TEXT], self._areas)
        search = _Search(self._store, query, self._weight, near)
        judged = weighed(search.found(), limit=limit)
        found = ranked(judged, limit=limit, cue=query.cue, language=language)
        if query.cue is None:
            return found
        return [self._beside(c, query.cue) if c.kind == "poi" else c for c in found]

    def _beside(self, landmark: Candidate, cue: str) -> Candidate:
        """The place in front of the landmark, behind it, …: a direction and a radius."""
        point, radius_m = beside(self._store, landmark.point, cue)
        return replace(landmark, point=point, radius_m=round(landmark.radius_m + radius_m, 1))

    def spelled_streets(self) -> list[list[str]]:
        """Every street's names, as words in their one spelling."""
        return self._store.spelled_streets()

    def weigh(self, text: str) -> list[tuple[Found, Evidence]]:
        """What speaks for each candidate of a described place: what the confidence is made of."""
        query = understand(text[:_LONGEST_TEXT], self._areas)
        return weighed(_Search(self._store, query, self._weight, None).found(), limit=5)

    def reverse(self, p: Point, *, language: Language = "id") -> Phrase | None:
        """The nearest street, how far along it, and the ward; None where there is neither."""
        return describe(self._store, p, language)

    def _written(self, written: Coordinates, language: Language) -> Candidate:
        phrase = describe(self._store, written.point, language)
        label = f"{written.point.lat:.6f}, {written.point.lon:.6f}"
        sure = min((_SURE[flag] for flag in written.flags), default=0.97)
        column = 0 if language == "id" else 1
        reasons = [_DOUBTS[flag][column] for flag in written.flags] or [_AS_WRITTEN[column]]
        return Candidate(
            point=written.point,
            label=label,
            kind="link" if written.kind == "link" else "coordinates",
            radius_m=20.0,
            confidence=sure,
            reason="; ".join(reasons) + ".",
            ward=phrase.ward if phrase else None,
            district=phrase.district if phrase else None,
        )


_AS_WRITTEN = ("Koordinat seperti tertulis", "The coordinates as written")
_SURE: dict[Flag, float] = {"swapped": 0.8, "zero": 0.0, "whole_degree": 0.0, "out_of_area": 0.05}
_DOUBTS: dict[Flag, tuple[str, str]] = {
    "swapped": ("Lintang dan bujur tertukar", "Latitude and longitude were exchanged"),
    "zero": ("Koordinat nol bukan posisi", "Zero coordinates are no position"),
    "whole_degree": (
        "Koordinat dibulatkan ke derajat penuh, bisa meleset puluhan kilometer",
        "Coordinates rounded to whole degrees can be tens of kilometres off",
    ),
    "out_of_area": ("Di luar wilayah layanan", "Outside the service area"),
}


class _Search:
    """One search; it remembers what it has looked up already."""

    def __init__(self, store: Store, query: Query, weight: Weight, near: Point | None) -> None:
        self._store = store
        self._query = query
        self._weight = weight
        self._near = near
        self._looked_up: dict[tuple[str, ...], list[Hit]] = {}

    def found(self) -> list[Found]:
        crossings = list(self._crossings())
        named = self._together(list(self._named()))
        if self._query.is_crossing and self._query.sides and not crossings:
            return [
                with_notes(f, "no_crossing", score=-0.1)
                for f in [*(f for _, f in named), *self._sides_alone()]
            ]
        alone = [*(f for _, f in named), *self._whole_areas()]
        if crossings:
            # Where a crossing was found, one of its streets alone is half an answer.
            alone = [with_notes(f, "half_crossing") for f in alone]
        return [*crossings, *alone]

    def _hits(self, spelled: tuple[str, ...]) -> list[Hit]:
        """The places whose names fit the words best, each with its best name."""
        if spelled in self._looked_up:
            return self._looked_up[spelled]
        alike = self._store.alike(spelled, limit=_LOOKED_AT)
        best: dict[int, Fit] = {}
        judged = fits(spelled, [name for _, name, _ in alike], self._weight)
        for (place, _, is_main), fitting in zip(alike, judged, strict=True):
            fit = fitting if is_main else replace(fitting, score=fitting.score - _ALIAS)
            if place not in best or fit.score > best[place].score:
                best[place] = fit
        top = sorted(best, key=lambda place: (-best[place].score, place))[:_KEPT]
        places = self._store.places(top)
        hits = [(places[place], best[place]) for place in top]
        self._looked_up[spelled] = hits
        return hits

    def _named(self) -> Iterator[tuple[Reading, Found]]:
        for reading in self._query.readings:
            for place, fit in self._hits(reading.words):
                if fit.score >= _WORTH_SHOWING:
                    yield reading, self._placed(place, fit, reading)

    def _placed(self, place: Place, fit: Fit, reading: Reading) -> Found:
        area, home = self._home(place, reading.areas)
        if not reading.areas:
            # What sounds like a ward may be part of the name; then it only speaks for the place.
            area, home = max((0.0, home), self._home(place, self._query.areas), key=lambda h: h[0])
        score = fit.score + _AREA_SCORE[area] + self._nearness(home.point)
        score += _WORD_MATCHED * fit.matched
        score += _AS_TYPED * self._as_typed(place.name)
        if self._query.names_road:
            score += 0.03 if place.kind == "street" else -0.03
        found = Found(
            point=home.point,
            label=_label(place.name, home.ward),
            same=place.name,
            kind="street" if place.kind == "street" else "ward" if place.kind == "ward" else "poi",
            radius_m=place.radius_m * (home.share if area > 0 else 1.0),
            fit=fit,
            score=score,
            area=area,
            ward=home.ward,
            district=home.district,
            notes=("whole_area",) if place.kind == "ward" else (),
            other_kind=self._query.names_road and place.kind != "street",
            unread=self._unread(reading),
            words=len(set(reading.words) - ROAD_WORDS),
        )
        return self._at_house(found, place, reading)

    def _at_house(self, found: Found, place: Place, reading: Reading) -> Found:
        if not reading.house:
            return found
        if place.kind != "street":
            if not reading.number_is_bare:
                return found
            doubted = replace(found, fit=replace(found.fit, numbers=0.5))
            return with_notes(doubted, "bare_number", score=-0.15)
        at = find_house(
            found,
            reading.house,
            self._store.houses(place.id),
            is_bare=reading.number_is_bare,
            street=place.name,
            shape=lambda: self._store.shape(place.id),
            block=lambda value: self._in_block(value, place),
        )
        if self._store.blocks and "no_house" in at.notes and _is_second_name(place, reading):
            return with_notes(at, "second_name")
        return at

    def _in_block(self, value: int, place: Place) -> Spot | None:
        blocks = self._store.blocks
        shape = self._store.shape(place.id) if blocks else None
        if blocks is None or shape is None:
            return None
        return blocks.spot(value, self._store.first_word(place.id), shape)

    def _unread(self, reading: Reading) -> float:
        """The share of the text's telling words that this reading leaves out."""
        if not (reading.part or reading.is_told):
            return 0.0
        areas = {
            word for a in self._store.areas if a.id in reading.areas for word in a.spelled.split()
        }
        telling = self._query.telling - areas - ROAD_WORDS
        total = sum(self._weight(word) for word in telling)
        left = sum(self._weight(word) for word in telling.difference(reading.words))
        return left / total if total else 0.0

    def _home(self, place: Place, areas: frozenset[str]) -> tuple[float, Home]:
        """How well the areas named agree with the place, and the part of it that agrees."""
        nowhere = Home(None, None, None, None, place.point, 1.0)
        if not areas:
            first = place.homes[0] if place.homes else nowhere
            return 0.0, Home(
                first.ward_id, first.ward, first.district_id, first.district, place.point, 1.0
            )
        for rank, area_of in ((1.0, "ward_id"), (0.6, "district_id")):
            for home in place.homes:
                if getattr(home, area_of) in areas:
                    return rank, home
        first = place.homes[0] if place.homes else nowhere
        kinds = {area.kind for area in self._store.areas if area.id in areas}
        return (0.2 if kinds == {"city"} else -1.0), first

    def _as_typed(self, name: str) -> float:
        """How alike the raw texts are: of "Wijaya II" and "Wijaya 2", the one that was typed."""
        return float(OSA.normalized_similarity(fold(name), self._query.plain))

    def _nearness(self, p: Point) -> float:
        if self._near is None:
            return 0.0
        return 0.05 / (1 + distance_m(p, self._near) / 1000)

    def _together(self, named: Sequence[tuple[Reading, Found]]) -> list[tuple[Reading, Found]]:
        """Pieces of one text ("Masjid X, Jl. Y") support each other where they meet."""
        strong = [(r, f) for r, f in named if r.part and f.fit.score > _STRONG]
        judged = []
        for reading, f in named:
            others = [o for r, o in strong if reading.part and r.part != reading.part]
            if any(distance_m(f.point, o.point) < _reach(f, o) for o in others):
                judged.append((reading, with_notes(f, "together", score=0.08)))
            elif reading.is_aside:
                judged.append((reading, with_notes(f, "apart", "aside", score=-0.1)))
            elif others:
                judged.append((reading, with_notes(f, "apart", score=-0.05)))
            else:
                judged.append((reading, f))
        return judged

    def _crossings(self) -> Iterator[Found]:
        for one, other in self._query.sides:
            a = {p.id: (p, f) for p, f in self._street_hits(one)}
            b = {p.id: (p, f) for p, f in self._street_hits(other)}
            if not a or not b:
                continue
            for x, y, point in self._store.crossings(list(a), list(b)):
                yield self._crossing(a[x], b[y], point)

    def _sides_alone(self) -> Iterator[Found]:
        """The streets of a crossing that the map does not have."""
        for pair in self._query.sides[:1]:
            for spelled in pair:
                for place, fit in self._street_hits(spelled)[:3]:
                    yield self._placed(place, fit, Reading(spelled, self._query.areas))

    def _street_hits(self, spelled: tuple[str, ...]) -> list[Hit]:
        hits = [(p, f) for p, f in self._hits(spelled) if p.kind == "street"]
        return [(p, f) for p, f in hits if f.score >= _WORTH_SHOWING][:_SIDE_KEPT]

    def _crossing(self, one: Hit, other: Hit, point: Point) -> Found:
        (a, fit_a), (b, fit_b) = one, other
        fit = weaker(fit_a, fit_b)
        area, home = max(
            (self._home(street, self._query.areas) for street in (a, b)), key=lambda h: h[0]
        )
        score = fit.score + _AREA_SCORE[max(0.0, area)] + self._nearness(point)
        return Found(
            point=point,
            label=f"{a.name} / {b.name}",
            same=f"{a.name} / {b.name}",
            kind="crossing",
            radius_m=25.0,
            fit=fit,
            score=score + (0.05 if self._query.is_crossing else 0.0),
            area=area,
            ward=home.ward,
            district=home.district,
            notes=("crossing",),
            words=2,
        )

    def _whole_areas(self) -> Iterator[Found]:
        """Wards and districts whose name is all there is in the text."""
        areas = [area for area in self._store.areas if area.kind != "city"]
        if self._query.only_area:
            for area in areas:
                if area.id in self._query.areas:
                    yield self._whole_area(area, Fit(1.0, 1.0, 1.0, 1.0))
            return
        for reading in self._query.readings[:1]:
            spelled = " ".join(reading.words)
            alike = [a for a in areas if OSA.normalized_similarity(a.spelled, spelled) > LIKE]
            judged = fits(reading.words, [area.spelled.split() for area in alike], self._weight)
            for area, fit in zip(alike, judged, strict=True):
                if fit.score > _WHOLE_AREA:
                    yield self._whole_area(area, fit)

    def _whole_area(self, area: AreaRow, fit: Fit) -> Found:
        return Found(
            point=area.point,
            label=area.name,
            same=area.name,
            kind="ward",
            radius_m=area.radius_m,
            fit=fit,
            score=fit.score,
            area=0.0,
            ward=area.name if area.kind == "ward" else None,
            district=self._district(area),
            notes=("whole_area",),
            other_kind=self._query.names_road,
        )

    def _district(self, area: AreaRow) -> str | None:
        if area.kind == "district":
            return area.name
        parents = (other for other in self._store.areas if other.id == area.parent_id)
        return next((parent.name for parent in parents if parent.kind == "district"), None)


_ALIAS = 0.03
_AS_TYPED = 0.005
_WORD_MATCHED = 0.01
"""Of two names that fit, the longer one explains more of the text."""

_AREA_SCORE = {1.0: 0.10, 0.6: 0.07, 0.2: 0.02, 0.0: 0.0, -1.0: -0.06}


def _is_second_name(place: Place, reading: Reading) -> bool:
    """Was the street found by an old or other name, of which its own has nothing?"""
    own = set(words(place.name)) - ROAD_WORDS
    return own.isdisjoint(set(reading.words) - ROAD_WORDS)


def _reach(a: Found, b: Found) -> float:
    return ELSEWHERE_M + a.radius_m + b.radius_m


def _label(name: str, ward: str | None) -> str:
    return f"{name}, {ward}" if ward and ward != name else name
