"""Questions about places with their right answers: those on the map, and those that are not."""

from __future__ import annotations

import random
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import shapely
from shapely.geometry.base import BaseGeometry

from geo.gazetteer_build import forget_places
from web.robots.place_words import NAMES_ELSEWHERE, ROMAN, Writer

_HELD_BACK = 0.12
_MOST_NAMESAKES = 12
_TRIES = 5_000
_APART_DEGREES = 0.01
_NUMBERS = {roman.casefold(): str(n) for n, roman in enumerate(ROMAN) if roman}

PRESENT: Mapping[str, float] = {
    "street": 0.10,
    "street_written": 0.22,
    "namesake_with_ward": 0.14,
    "fewer_words": 0.05,
    "turned_words": 0.05,
    "poi": 0.07,
    "poi_beside": 0.13,
    "crossing": 0.14,
    "told": 0.06,
    "english": 0.04,
}
"""Kinds of questions about places of the map, and their share."""

ABSENT: Mapping[str, float] = {
    "held_back": 0.40,
    "other_numeral": 0.12,
    "recombined": 0.18,
    "elsewhere": 0.16,
    "no_crossing": 0.14,
}
"""Kinds of places that the map does not have, and their share: all are names that could be there.

`held_back` are names of this city taken out of the gazetteer before asking; `other_numeral`,
numbers a street's family does not have; `recombined`, the beginning of one name and the end of
another; `elsewhere`, streets and places of other cities; `no_crossing`, streets that do not meet.
"""

NOWHERE = ("nonsense", "no_place")
UNSURE = ("namesake_unsaid", "other_ward")
"""Only the reporter knows: a name that several streets far apart have and no word of which; a
street that is there, with a ward kilometres from it.
"""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, of which kind, and the shape of the right answer (None: there is none)."""

    kind: str
    text: str
    truth: BaseGeometry | None
    is_present: bool


@dataclass(frozen=True, slots=True)
class Known:
    """A street or place of the map, with its shape and where it lies."""

    id: int
    kind: str
    name: str
    shape: BaseGeometry
    ward: str | None
    district: str | None


def questions(gazetteer: Path, *, seed: int, count: int) -> list[Question]:
    """`count` questions about places there, as many about absent ones, a quarter about nothing.

    `gazetteer` is a copy: the names held back are taken out of it.
    """
    return _Maker(gazetteer, random.Random(seed)).all(count)


@lru_cache(maxsize=50_000)
def plain(name: str) -> str:
    """Letters and digits only, without the word for street: two names alike in it are one.

    Roman numerals count as what they mean: nobody can tell Palem III from Palem 3.
    """
    letters = re.sub(r"[^a-z0-9]+", " ", name.casefold()).split()
    return "".join(_NUMBERS.get(word, word) for word in letters if word not in ("jalan", "jl"))


class _Maker:
    def __init__(self, path: Path, chance: random.Random) -> None:
        self.path = path
        self.chance = chance
        self.writer = Writer(chance)
        known, corners = _read(path)
        names = Counter(plain(k.name) for k in known)
        unique = [k for k in known if names[plain(k.name)] == 1 and len(plain(k.name)) > 3]
        self.held_back = chance.sample(unique, round(_HELD_BACK * len(unique)))
        gone = {k.id for k in self.held_back}
        self.here = [k for k in known if k.id not in gone]
        self.unique = [k for k in unique if k.id not in gone]
        self.taken = {plain(k.name) for k in self.here}
        self.names = sorted({k.name for k in self.here if k.kind == "street"})
        self.corners = [c for c in corners if c[0] not in gone and c[1] not in gone]
        self.by_id = {k.id: k for k in self.here}
        self.count_of = Counter(plain(k.name) for k in self.here)

    def all(self, count: int) -> list[Question]:
        made: list[Question] = []
        for kind, share in PRESENT.items():
            made += _first(getattr(self, f"_{kind}")(), round(share * count))
        for kind, share in ABSENT.items():
            made += _first(getattr(self, f"_{kind}")(), round(share * count))
        made += _first(self._namesake_unsaid(), count // 8)
        made += _first(self._other_ward(), count // 8)
        for _ in range(count // 8):
            made.append(Question("nonsense", self.writer.nonsense(), None, False))
            made.append(Question("no_place", self.writer.no_place(), None, False))
        # Last: until here the names held back served as a model of what is absent.
        forget_places(self.path, [k.id for k in self.held_back])
        return made

    def _of(self, kind: str, source: Sequence[Known]) -> Iterator[Known]:
        of_kind = [k for k in source if k.kind == kind]
        yield from self.chance.sample(of_kind, len(of_kind))

    def _asked(self, kind: str, text: str, k: Known) -> Question:
        return Question(kind, _tidy(text), k.shape, True)

    # -- places of the map

    def _street(self) -> Iterator[Question]:
        for k in self._of("street", self.unique):
            yield self._asked("street", k.name, k)

    def _street_written(self) -> Iterator[Question]:
        for k in self._of("street", self.unique):
            yield self._asked("street_written", self._street_text(k), k)

    def _street_text(self, k: Known) -> str:
        w = self.writer
        return w.street(k.name) + w.unit() + w.area(k.ward, k.district)

    def _namesake_with_ward(self) -> Iterator[Question]:
        for k in self._of("street", self.here):
            if k.ward and 1 < self.count_of[plain(k.name)] <= _MOST_NAMESAKES:
                area = self.writer.area(k.ward, k.district, must=True)
                text = _tidy(self.writer.street(k.name) + area)
                # Nobody can tell apart two of one name in the district that was named.
                truth = shapely.union_all([t.shape for t in self._twins(k)])
                yield Question("namesake_with_ward", text, truth, True)

    def _namesake_unsaid(self) -> Iterator[Question]:
        for k in self._of("street", self.here):
            alike = self._alike(k)
            if len(alike) > 1 and max(k.shape.distance(o.shape) for o in alike) > _APART_DEGREES:
                text = self.writer.street(k.name) + self.writer.unit()
                yield Question("namesake_unsaid", _tidy(text), None, False)

    def _other_ward(self) -> Iterator[Question]:
        for k in self._of("street", self.unique):
            other = self.chance.choice(self.here)
            if other.ward and other.shape.distance(k.shape) > 5 * _APART_DEGREES:
                area = self.writer.area(other.ward, other.district, must=True)
                text = self.writer.street(k.name) + self.writer.unit() + area
                yield Question("other_ward", _tidy(text), None, False)

    def _twins(self, k: Known) -> list[Known]:
        return [other for other in self._alike(k) if other.district == k.district]

    def _alike(self, k: Known) -> list[Known]:
        """Everything of this kind and name."""
        if self.count_of[plain(k.name)] == 1:
            return [k]
        return [o for o in self.here if o.kind == k.kind and plain(o.name) == plain(k.name)]

    def _fewer_words(self) -> Iterator[Question]:
        for k in self._of("street", self.unique):
            fewer = self.writer.fewer(k.name)
            if fewer != k.name and plain(fewer) not in self.taken and self._only_one_has(fewer):
                area = self.writer.area(k.ward, k.district)
                yield self._asked("fewer_words", self.writer.street(fewer) + area, k)

    def _only_one_has(self, fewer: str) -> bool:
        """No other street has all these words."""
        words = set(fewer.casefold().split())
        return sum(words <= set(name.casefold().split()) for name in self.names) == 1

    def _turned_words(self) -> Iterator[Question]:
        for k in self._of("street", self.unique):
            turned = self.writer.turned(k.name)
            if turned != k.name and plain(turned) not in self.taken:
                yield self._asked("turned_words", self.writer.street(turned), k)

    def _poi(self) -> Iterator[Question]:
        for k in self._of("poi", self.unique):
            yield self._asked("poi", k.name, k)

    def _poi_beside(self) -> Iterator[Question]:
        for k in self._of("poi", self.unique):
            text = self.writer.beside(self.writer.untidy(k.name))
            yield self._asked("poi_beside", text + self.writer.area(k.ward, k.district), k)

    def _told(self) -> Iterator[Question]:
        for k in self.chance.sample(self.unique, len(self.unique)):
            place = (
                self._street_text(k)
                if k.kind == "street"
                else self.writer.beside(self.writer.untidy(k.name))
            )
            yield self._asked("told", self.writer.told(place), k)

    def _english(self) -> Iterator[Question]:
        english = Writer(self.chance, language="en")
        corners = self._crossing_pairs()
        for k in self.chance.sample(self.unique, len(self.unique)):
            dice = self.chance.random()
            met = next(corners, None) if dice < 0.4 else None
            if met is not None:
                a, b, spots = met
                yield Question("english", _tidy(english.corner(a.name, b.name)), spots, True)
            elif dice < 0.7:
                yield self._asked("english", english.beside(english.untidy(k.name)), k)
            else:
                text = english.told(english.street(k.name) + english.area(k.ward, k.district))
                yield self._asked("english", text, k)

    def _crossing(self) -> Iterator[Question]:
        for a, b, spots in self._crossing_pairs():
            yield Question("crossing", _tidy(self.writer.corner(a.name, b.name)), spots, True)

    def _crossing_pairs(self) -> Iterator[tuple[Known, Known, BaseGeometry]]:
        """Two streets of rare names, with every place where streets of those names meet."""
        spots: dict[frozenset[str], list[shapely.Point]] = defaultdict(list)
        for a, b, spot in self.corners:
            if a in self.by_id and b in self.by_id:
                both = frozenset({plain(self.by_id[a].name), plain(self.by_id[b].name)})
                spots[both].append(spot)
        for a, b, _ in self.chance.sample(self.corners, len(self.corners)):
            one, other = self.by_id.get(a), self.by_id.get(b)
            if one and other and all(self.count_of[plain(k.name)] <= 3 for k in (one, other)):
                met = spots[frozenset({plain(one.name), plain(other.name)})]
                yield one, other, shapely.MultiPoint(met)

    # -- places that are not there

    def _held_back(self) -> Iterator[Question]:
        for k in self.held_back:
            yield Question("held_back", _tidy(self._any_text(k)), None, False)

    def _any_text(self, k: Known) -> str:
        """A street or place as the present ones are asked for, of every kind."""
        w = self.writer
        ways: list[Callable[[], str]] = [lambda: k.name, lambda: self._street_text(k)]
        if k.kind != "street":
            ways[1] = lambda: w.beside(w.untidy(k.name)) + w.area(k.ward, k.district)
        ways += [ways[1], ways[1], lambda: w.told(ways[1]())]
        return self.chance.choice(ways)()

    def _other_numeral(self) -> Iterator[Question]:
        for k in self._of("street", self.here):
            other = self.writer.numeral(k.name, taken=self.names)
            if other and plain(other) not in self.taken:
                yield self._absent("other_numeral", other, k)

    def _recombined(self) -> Iterator[Question]:
        long = [name for name in self.names if len(name.split()) > 2]
        for _ in range(_TRIES if len(long) > 1 else 0):
            head, tail = self.chance.sample(long, 2)
            name = " ".join([*head.split()[:2], *tail.split()[2:]])
            if plain(name) not in self.taken:
                yield self._absent("recombined", name, self.chance.choice(self.here))

    def _elsewhere(self) -> Iterator[Question]:
        for name in self.chance.sample(NAMES_ELSEWHERE, len(NAMES_ELSEWHERE)):
            if plain(name) not in self.taken:
                yield self._absent("elsewhere", name, self.chance.choice(self.here))

    def _absent(self, kind: str, name: str, near: Known) -> Question:
        """A name that is not there, written as if it lay where `near` does."""
        w = self.writer
        if name.startswith("Jalan"):
            text = w.street(name) + w.unit() + w.area(near.ward, near.district)
        else:
            text = self.chance.choice((w.untidy, lambda n: w.beside(w.untidy(n))))(name)
        if self.chance.random() < 0.15:
            text = w.told(text)
        return Question(kind, _tidy(text), None, False)

    def _no_crossing(self) -> Iterator[Question]:
        met = {
            frozenset((plain(self.by_id[a].name), plain(self.by_id[b].name)))
            for a, b, _ in self.corners
            if a in self.by_id and b in self.by_id
        }
        streets = [k for k in self.unique if k.kind == "street"]
        for _ in range(_TRIES if len(streets) > 1 else 0):
            a, b = self.chance.sample(streets, 2)
            both = frozenset((plain(a.name), plain(b.name)))
            if both not in met and a.shape.distance(b.shape) > _APART_DEGREES:
                yield Question(
                    "no_crossing", _tidy(self.writer.corner(a.name, b.name)), None, False
                )


def _first(made: Iterator[Question], n: int) -> list[Question]:
    return [question for question, _ in zip(made, range(n), strict=False)]


def _tidy(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip(" ,")


def _read(path: Path) -> tuple[list[Known], list[tuple[int, int, shapely.Point]]]:
    db = sqlite3.connect(path)
    try:
        homes = {
            place: (ward, district)
            for place, ward, district in db.execute(
                "select place_id, ward, district from lies_in order by share"
            )
        }
        rows = db.execute(
            "select id, kind, name, lon, lat, shape from place "
            "where kind in ('street', 'poi') order by id"
        )
        known = [
            Known(
                place,
                kind,
                name,
                shapely.from_wkb(shape) if shape else shapely.Point(lon, lat),
                *homes.get(place, (None, None)),
            )
            for place, kind, name, lon, lat, shape in rows
        ]
        corners = [
            (a, b, shapely.Point(lon, lat))
            for a, b, lon, lat in db.execute(
                "select a, b, lon, lat from crossing order by a, b, lon"
            )
        ]
    finally:
        db.close()
    return known, corners
