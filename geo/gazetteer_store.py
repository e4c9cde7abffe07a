"""The gazetteer's file as questions: which names look alike, where streets meet, what is near."""

import json
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely
from rapidfuzz import process
from rapidfuzz.distance import OSA
from shapely.geometry.base import BaseGeometry

from geo.areas import GAP_M
from geo.gazetteer_blocks import Blocks
from geo.gazetteer_build import FORMAT, read_blocks
from geo.gazetteer_match import skeleton
from geo.gazetteer_query import AreaName
from geo.gazetteer_sources import GazetteerError
from geo.gazetteer_text import key
from geo.gazetteer_trigrams import Trigrams
from geo.point import METRES_PER_DEGREE, Box, Point

_SHORTEST_MISSPELLED = 4
_MISSPELLED = 0.7
_MOST_MEANT = 3
_MOST_UNKNOWN = 5
_MEET_FORTH = """
select a, b, lon, lat from crossing
where a in (select value from json_each(?)) and b in (select value from json_each(?))
"""
_MEET_BACK = """
select b, a, lon, lat from crossing
where b in (select value from json_each(?)) and a in (select value from json_each(?))
"""


@dataclass(frozen=True, slots=True)
class Home:
    """A ward that a place lies in, and the point of the place that lies in it."""

    ward_id: str | None
    ward: str | None
    district_id: str | None
    district: str | None
    point: Point
    share: float


@dataclass(frozen=True, slots=True)
class Place:
    """A street, a place of interest or a neighbourhood; `homes` with the largest share first."""

    id: int
    kind: str
    name: str
    point: Point
    radius_m: float
    homes: tuple[Home, ...]


@dataclass(frozen=True, slots=True)
class AreaRow:
    """A ward, a district or the city itself."""

    id: str
    name: str
    spelled: str
    kind: str
    parent_id: str | None
    point: Point
    radius_m: float


class Store:
    """One gazetteer file, read only; every thread has a connection of its own."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise GazetteerError(f"There is no gazetteer at {path}.")
        self._address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        self._mine = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        try:
            meta = dict(self._rows("select key, value from meta"))
        except sqlite3.DatabaseError as error:
            self.close()
            raise GazetteerError(f"{path} is no gazetteer: {error}.") from error
        if meta.get("format") != FORMAT:
            self.close()
            raise GazetteerError(f"{path} was made by another version; build the city again.")
        self.box = Box(*(float(edge) for edge in meta["box"].split(",")))
        self.word_counts: dict[str, int] = dict(self._rows("select word, names from word"))
        self._vocabulary = [word for word in self.word_counts if word.isalpha()]
        self._names: list[tuple[int, list[str], bool]] = [
            (place_id, spelled.split(), bool(is_main))
            for place_id, spelled, is_main in self._rows(
                "select place_id, words, is_main from name order by id"
            )
        ]
        self.name_count = len(self._names)
        self._trigrams = Trigrams([key(spelled) for _, spelled, _ in self._names])
        self._by_skeleton: dict[str, list[str]] = defaultdict(list)
        for word in self._vocabulary:
            self._by_skeleton[skeleton(word)].append(word)
        roads = [spelled[0] for _, spelled, _ in self._names if spelled]
        self.is_indonesian = sum(word in ("jalan", "gang") for word in roads) > 0.2 * len(roads)
        self.blocks = self._blocks(meta.get("blocks", "[]"))
        """The numbered blocks of a city that has them."""
        self._has_houses = bool(self._rows("select 1 from house limit 1"))
        self.areas = tuple(
            AreaRow(row[0], row[1], row[2], row[3], row[4], Point(row[5], row[6]), row[7])
            for row in self._rows(
                "select id, name, words, kind, parent_id, lon, lat, radius_m from area order by id"
            )
        )
        wards = self._rows("select id, shape from area where kind = 'ward' order by id")
        self._ward_ids = [ward_id for ward_id, _ in wards]
        self._wards = shapely.STRtree([shapely.from_wkb(shape) for _, shape in wards])

    def close(self) -> None:
        """Close the connections of all threads; nobody may search any more."""
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()

    def area_names(self) -> dict[str, list[AreaName]]:
        named: dict[str, list[AreaName]] = defaultdict(list)
        for area in self.areas:
            spellings = {area.spelled, area.spelled.replace(" ", "")}
            if area.kind == "city":
                spellings.add(f"{area.spelled} city")
            for spelled in spellings - {""}:
                named[spelled].append(AreaName(area.id, area.kind))
        return dict(named)

    def ward_at(self, p: Point) -> tuple[str | None, str | None]:
        """The names of the ward and the district the place lies in."""
        spot = shapely.Point(p.lon, p.lat)
        inside = self._wards.query(spot, predicate="intersects")
        if not len(inside):
            # Slivers between wards, as in `geo.areas`; a degree of longitude is a little shorter.
            inside = self._wards.query_nearest(spot, max_distance=GAP_M / METRES_PER_DEGREE)
        if not len(inside):
            return None, None
        by_id = {area.id: area for area in self.areas}
        ward = by_id[self._ward_ids[min(inside)]]
        parent = by_id.get(ward.parent_id or "")
        return ward.name, parent.name if parent and parent.kind == "district" else None

    def alike(self, spelled: Sequence[str], *, limit: int) -> list[tuple[int, list[str], bool]]:
        """The names that share most rare trigrams: (place id, its words, is it the main name)."""
        text = key(list(spelled))
        unknown = [word for word in spelled if self._may_be_misspelled(word)][:_MOST_UNKNOWN]
        meant = [text, *(other for word in unknown for other in self._meant(word))]
        if len(text) < 3:
            # Too short for a trigram, such as "Jalan E4".
            return [name for name in self._names if key(name[1]) == text]
        return [self._names[i] for i in self._trigrams.alike(meant, limit=limit)]

    def _may_be_misspelled(self, word: str) -> bool:
        return word not in self.word_counts and len(word) >= _SHORTEST_MISSPELLED

    def _meant(self, word: str) -> list[str]:
        """Known words that an unknown one may stand for: a typo in a short word spoils every
        trigram of it.
        """
        if skeleton(word) == word:
            return [word, *self._by_skeleton.get(word, ())[:_MOST_MEANT]]
        alike = process.extract(
            word,
            self._vocabulary,
            scorer=OSA.normalized_similarity,
            score_cutoff=_MISSPELLED,
            limit=_MOST_MEANT,
        )
        return [other for other, _, _ in alike]

    def places(self, ids: Iterable[int]) -> dict[int, Place]:
        wanted = json.dumps(list(ids))
        homes: dict[int, list[Home]] = defaultdict(list)
        for place, ward_id, ward, district_id, district, lon, lat, share in self._rows(
            "select * from lies_in where place_id in (select value from json_each(?)) "
            "order by share desc, ward_id",
            (wanted,),
        ):
            homes[place].append(Home(ward_id, ward, district_id, district, Point(lon, lat), share))
        rows = self._rows(
            "select id, kind, name, lon, lat, radius_m from place "
            "where id in (select value from json_each(?))",
            (wanted,),
        )
        return {
            row[0]: Place(
                row[0], row[1], row[2], Point(row[3], row[4]), row[5], tuple(homes[row[0]])
            )
            for row in rows
        }

    def crossings(self, some: Sequence[int], others: Sequence[int]) -> list[tuple[int, int, Point]]:
        """Where a street of `some` meets one of `others`: (its id, the other's id, where)."""
        both = (json.dumps(list(some)), json.dumps(list(others)))
        rows = self._rows(_MEET_FORTH, both) + self._rows(_MEET_BACK, both)
        return [(one, other, Point(lon, lat)) for one, other, lon, lat in rows]

    def crossings_of(self, street: int) -> list[tuple[str, Point]]:
        """The streets that meet this one, by name, and where."""
        rows = self._rows(
            "select p.name, c.lon, c.lat from "
            "(select b as other, lon, lat from crossing where a = :street union all "
            "select a, lon, lat from crossing where b = :street) c "
            "join place p on p.id = c.other order by p.name",
            {"street": street},
        )
        return [(name, Point(lon, lat)) for name, lon, lat in rows]

    def houses(self, street: int) -> list[tuple[str, int, Point]]:
        """(number as written, its value, where), in the order of the values."""
        if not self._has_houses:
            return []
        rows = self._rows(
            "select number, value, lon, lat from house where street_id = ? order by value, number",
            (street,),
        )
        return [(number, value, Point(lon, lat)) for number, value, lon, lat in rows]

    def _blocks(self, written: str) -> Blocks | None:
        told_by = {(axis, facing): tuple(sides) for axis, facing, sides in json.loads(written)}
        return read_blocks(self._connection(), told_by=told_by) if told_by else None

    def first_word(self, street: int) -> str:
        """The first word of the street's main name."""
        rows = self._rows("select words from name where place_id = ? and is_main", (street,))
        return str(rows[0][0]).split(" ", 1)[0] if rows else ""

    def spelled_streets(self) -> list[list[str]]:
        """Every street's names, as words in their one spelling."""
        rows = self._rows(
            "select n.words from name n join place p on p.id = n.place_id where p.kind = 'street'"
        )
        return [spelled.split() for (spelled,) in rows]

    def shape(self, place: int) -> BaseGeometry | None:
        rows = self._rows("select shape from place where id = ?", (place,))
        return shapely.from_wkb(rows[0][0]) if rows and rows[0][0] else None

    def stretches_in(self, box: Box) -> list[tuple[int, str, bool, BaseGeometry]]:
        """(street id, name, is it a road, the line) of every stretch that touches the box."""
        rows = self._rows(
            "select s.street_id, p.name, s.is_road, s.shape from stretch_box b "
            "join stretch s on s.id = b.id join place p on p.id = s.street_id "
            "where b.west <= ? and b.east >= ? and b.south <= ? and b.north >= ?",
            (box.east, box.west, box.north, box.south),
        )
        return [
            (street, name, bool(is_road), shapely.from_wkb(shape))
            for street, name, is_road, shape in rows
        ]

    def pois_in(self, box: Box) -> list[tuple[str, Point]]:
        rows = self._rows(
            "select p.name, p.lon, p.lat from poi_box b join place p on p.id = b.id "
            "where b.west <= ? and b.east >= ? and b.south <= ? and b.north >= ?",
            (box.east, box.west, box.north, box.south),
        )
        return [(name, Point(lon, lat)) for name, lon, lat in rows]

    def _rows(self, query: str, values: Any = ()) -> list[Any]:
        return self._connection().execute(query, values).fetchall()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if connection is None:
            # Only `close` touches it from another thread, when all searching is over.
            connection = sqlite3.connect(self._address, uri=True, check_same_thread=False)
            self._mine.connection = connection
            with self._lock:
                self._all.append(connection)
        return connection
