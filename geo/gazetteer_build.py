"""Makes the city's address book from its OpenStreetMap extract: one SQLite file to search in."""

import json
import math
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from geo.areas import Areas, Attribution
from geo.gazetteer_blocks import Blocks, Facing, Numbered
from geo.gazetteer_sources import House, Named, Sources, Stretch, read_sources
from geo.gazetteer_streets import SAME_PLACE_M, Plane, Street, crossings, streets
from geo.gazetteer_text import key, words
from geo.point import Point, distance_m
from geo.progress import Progress, Silent

FORMAT = "3"

HOUSE_TO_STREET_M = 250.0
_SAMPLE_M = 150.0

_SCHEMA = """
create table meta(key text primary key, value text not null);
create table place(
    id integer primary key, kind text not null, name text not null, detail text not null,
    lon real not null, lat real not null, radius_m real not null, shape blob
);
create table name(
    id integer primary key, place_id integer not null, words text not null,
    is_main integer not null
);
create table lies_in(
    place_id integer not null, ward_id text, ward text, district_id text, district text,
    lon real not null, lat real not null, share real not null
);
create table house(
    street_id integer not null, number text not null, value integer not null,
    lon real not null, lat real not null
);
create table crossing(a integer not null, b integer not null, lon real not null, lat real not null);
create table stretch(
    id integer primary key, street_id integer not null, is_road integer not null,
    shape blob not null
);
create virtual table stretch_box using rtree(id, west, east, south, north);
create virtual table poi_box using rtree(id, west, east, south, north);
create table word(word text primary key, names integer not null);
create table area(
    id text primary key, name text not null, words text not null, kind text not null,
    parent_id text, lon real not null, lat real not null, radius_m real not null,
    shape blob not null
);
"""
_INDEXES = """
create index name_place on name(place_id);
create index lies_in_place on lies_in(place_id);
create index house_street on house(street_id, value);
create index crossing_a on crossing(a, b);
create index crossing_b on crossing(b, a);
analyze;
"""
_BOXES = {
    "stretch_box": "insert into stretch_box values (?, ?, ?, ?, ?)",
    "poi_box": "insert into poi_box values (?, ?, ?, ?, ?)",
}


@dataclass(frozen=True, slots=True)
class GazetteerInfo:
    """How much a gazetteer holds."""

    streets: int
    pois: int
    houses: int
    crossings: int
    size_bytes: int


def build_gazetteer(
    extract: Path, areas: Areas, out: Path, *, progress: Progress | None = None
) -> GazetteerInfo:
    """Write the gazetteer of the extract to `out`; what was there stays on failure.

    Raises GazetteerError when the extract is missing or no OpenStreetMap file.
    """
    report = progress or Silent()
    report.stage("Reading names", None)
    sources = read_sources(extract, progress=report)
    draft = out.with_name(out.name + ".part")
    draft.unlink(missing_ok=True)
    try:
        info = _write(draft, sources, areas, report)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
    return info


def _write(path: Path, sources: Sources, areas: Areas, report: Progress) -> GazetteerInfo:
    db = sqlite3.connect(path)
    try:
        db.executescript(_SCHEMA)
        report.stage("Gazetteer: streets", len(sources.stretches))
        book = _Book(db, areas)
        known = list(streets(sources.stretches, book.plane))
        for street in known:
            book.add_street(street)
            report.advance(len(street.stretches))
        report.stage("Gazetteer: places", len(sources.pois) + len(sources.localities))
        pois = [*_once(sources.pois)]
        for poi in pois:
            book.add_named(poi, "poi")
            report.advance(1)
        for locality in _once(sources.localities):
            if not book.is_ward(locality):
                book.add_named(locality, "ward")
            report.advance(1)
        report.stage("Gazetteer: crossings and house numbers", None)
        met = book.add_crossings(known)
        houses = book.add_houses(known, sources.houses)
        book.add_areas()
        book.finish()
        db.executescript(_INDEXES)
        db.commit()
    finally:
        db.close()
    return GazetteerInfo(len(known), len(pois), houses, met, path.stat().st_size)


def _once(named: Iterable[Named]) -> Iterator[Named]:
    """A building and the icon in it are one place; so are the two stops across a street."""
    seen: dict[str, list[Point]] = defaultdict(list)
    for thing in sorted(named, key=lambda n: -n.square_degrees):
        same = seen[key(words(thing.names[0]))]
        if not words(thing.names[0]):
            continue
        if all(distance_m(thing.point, other) > SAME_PLACE_M for other in same):
            same.append(thing.point)
            yield thing


def read_blocks(
    db: sqlite3.Connection, *, told_by: Mapping[Facing, tuple[str, ...]] | None = None
) -> Blocks:
    """What the mapped house numbers tell of numbered blocks; see `Blocks`."""
    houses = db.execute("select street_id, value, lon, lat from house").fetchall()
    streets_with = db.execute(
        "select p.id, n.words, p.shape from place p join name n on n.place_id = p.id and n.is_main "
        "where p.id in (select street_id from house)"
    ).fetchall()
    return Blocks(
        (Numbered(street, value, Point(lon, lat)) for street, value, lon, lat in houses),
        {
            street: (spelled.split(" ", 1)[0], shapely.from_wkb(shape))
            for street, spelled, shape in streets_with
        },
        told_by=told_by,
    )


def forget_places(path: Path, ids: Iterable[int]) -> None:
    """Take places out of a gazetteer, names, crossings and all: for asking what is absent."""
    db = sqlite3.connect(path)
    try:
        for place in ids:
            rows = db.execute("select words from name where place_id = ?", (place,)).fetchall()
            for (spelled,) in rows:
                for word in set(spelled.split()):
                    db.execute("update word set names = names - 1 where word = ?", (word,))
            db.execute("delete from name where place_id = ?", (place,))
            db.execute("delete from crossing where a = ? or b = ?", (place, place))
            db.execute("delete from place where id = ?", (place,))
        db.execute("delete from word where names <= 0")
        db.commit()
    finally:
        db.close()


class _Book:
    """The tables as they fill."""

    def __init__(self, db: sqlite3.Connection, areas: Areas) -> None:
        self.db = db
        self.areas = areas
        self.plane = Plane(areas.service_area.centroid.y)
        self.words: Counter[str] = Counter()
        self.next_place = 1
        self.next_stretch = 1
        self.next_name = 1
        # Street ids of the builder to those of the table.
        self.ids: dict[int, int] = {}

    def add_street(self, street: Street) -> None:
        middle = self.plane.back(street.middle)
        whole = shapely.MultiLineString([stretch.line for stretch in street.stretches])
        place = self._place(
            "street", street.name, "", middle, street.radius_m, shapely.to_wkb(whole)
        )
        self.ids[street.id] = place
        self._names(place, street.names)
        self._street_wards(place, street, middle)
        for stretch in street.stretches:
            # Nobody standing on the street above would name the tunnel below.
            if not stretch.is_below:
                self._stretch(place, stretch)

    def add_named(self, thing: Named, kind: str) -> None:
        across = math.sqrt(thing.square_degrees * float(np.prod(self.plane.scale)))
        # A neighbourhood that is only a dot on the map is about as large as they usually are.
        radius = max(across / 2, 25.0 if kind == "poi" else 400.0)
        place = self._place(kind, thing.names[0], thing.kind, thing.point, radius, None)
        self._names(place, dict.fromkeys(thing.names))
        self._lies_in(place, self.areas.attribute(thing.point), thing.point, 1.0)
        if kind == "poi":
            self._box("poi_box", place, (*_xy(thing.point), *_xy(thing.point)))

    def is_ward(self, locality: Named) -> bool:
        """Is the neighbourhood on the map the ward of that name, which `add_areas` adds?"""
        where = self.areas.attribute(locality.point)
        return where is not None and area_words(where.ward) == area_words(locality.names[0])

    def add_crossings(self, known: Sequence[Street]) -> int:
        rows = [
            (self.ids[a], self.ids[b], point.lon, point.lat)
            for (a, b), points in crossings(known).items()
            for point in (self.plane.back(p) for p in points)
        ]
        self.db.executemany(
            "insert into crossing values (?, ?, ?, ?)",
            [(min(a, b), max(a, b), lon, lat) for a, b, lon, lat in rows],
        )
        return len(rows)

    def add_houses(self, known: Sequence[Street], houses: Sequence[House]) -> int:
        by_name: dict[str, list[Street]] = defaultdict(list)
        for street in known:
            for name in street.names:
                by_name[key(words(name))].append(street)
        seen: set[tuple[int, str]] = set()
        for house in houses:
            stands_on = self._street_of(house, by_name)
            value = house_value(house.number)
            if stands_on is None or value is None:
                continue
            once = (self.ids[stands_on.id], house.number.lower())
            if once in seen:
                continue
            seen.add(once)
            row = (once[0], house.number, value, house.point.lon, house.point.lat)
            self.db.execute("insert into house values (?, ?, ?, ?, ?)", row)
        return len(seen)

    def add_areas(self) -> None:
        for area in self.areas:
            inside = area.geometry.representative_point()
            west, south, east, north = area.geometry.bounds
            radius = distance_m(Point(west, south), Point(east, north)) / 2
            spelled = " ".join(area_words(area.name))
            row = (area.id, area.name, spelled, area.kind, area.parent_id, *inside.coords[0])
            shape = shapely.to_wkb(area.geometry)
            self.db.execute(
                "insert into area values (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, radius, shape)
            )

    def finish(self) -> None:
        self.db.executemany("insert into word values (?, ?)", self.words.items())
        west, south, east, north = self.areas.service_area.bounds
        told_by = read_blocks(self.db).told_by
        blocks = json.dumps([[*kind, list(sides)] for kind, sides in sorted(told_by.items())])
        meta = {"format": FORMAT, "box": f"{west},{south},{east},{north}", "blocks": blocks}
        self.db.executemany("insert into meta values (?, ?)", meta.items())

    def _street_of(self, house: House, by_name: dict[str, list[Street]]) -> Street | None:
        here = self.plane.point(house.point)
        near = [
            (min(line.distance(here) for line in street.flat), street.id, street)
            for street in by_name.get(key(words(house.street)), ())
        ]
        if not near:
            return None
        gap, _, street = min(near)
        return street if gap <= HOUSE_TO_STREET_M else None

    def _place(
        self, kind: str, name: str, detail: str, p: Point, radius: float, shape: bytes | None
    ) -> int:
        place, self.next_place = self.next_place, self.next_place + 1
        row = (place, kind, name, detail, p.lon, p.lat, radius, shape)
        self.db.execute("insert into place values (?, ?, ?, ?, ?, ?, ?, ?)", row)
        return place

    def _names(self, place: int, names: Iterable[str]) -> None:
        spelled = dict.fromkeys(" ".join(words(name)) for name in names)
        for n, text in enumerate(text for text in spelled if text):
            self.db.execute(
                "insert into name values (?, ?, ?, ?)", (self.next_name, place, text, n == 0)
            )
            self.words.update(set(text.split()))
            self.next_name += 1

    def _street_wards(self, place: int, street: Street, middle: Point) -> None:
        """Each ward the street runs through, with the point of it that lies most inside."""
        samples: dict[str | None, list[tuple[Point, Attribution | None]]] = defaultdict(list)
        for line in street.flat:
            steps = max(1, round(line.length / _SAMPLE_M))
            for n in range(steps):
                p = self.plane.back(line.interpolate((n + 0.5) / steps, normalized=True))
                where = self.areas.attribute(p)
                samples[where.ward_id if where else None].append((p, where))
        total = sum(len(found) for found in samples.values())
        for found in samples.values():
            lon = sum(p.lon for p, _ in found) / len(found)
            lat = sum(p.lat for p, _ in found) / len(found)
            centre = Point(lon, lat)
            p, where = min(found, key=lambda f: distance_m(f[0], centre))
            self._lies_in(place, where, middle if len(samples) == 1 else p, len(found) / total)

    def _lies_in(self, place: int, where: Attribution | None, p: Point, share: float) -> None:
        area = (
            (where.ward_id, where.ward, where.district_id, where.district) if where else (None,) * 4
        )
        row = (place, *area, p.lon, p.lat, share)
        self.db.execute("insert into lies_in values (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def _stretch(self, place: int, stretch: Stretch) -> None:
        row = (self.next_stretch, place, stretch.is_road, shapely.to_wkb(stretch.line))
        self.db.execute("insert into stretch values (?, ?, ?, ?)", row)
        self._box("stretch_box", self.next_stretch, stretch.line.bounds)
        self.next_stretch += 1

    def _box(self, table: str, row_id: int, bounds: tuple[float, ...]) -> None:
        west, south, east, north = bounds
        self.db.execute(_BOXES[table], (row_id, west, east, south, north))


def house_value(number: str) -> int | None:
    """The number that orders houses along a street: 12 for "12A", 1200 for "1200-1204"."""
    digits = ""
    for character in number:
        if not character.isdigit():
            break
        digits += character
    return int(digits) if digits and len(digits) < 7 else None


def area_words(name: str) -> list[str]:
    """The words of an area's name without what only says that it is one."""
    titles = {"kelurahan", "kecamatan", "kota", "kabupaten", "desa", "administrasi"}
    spelled = words(name)
    return [word for word in spelled if word not in titles] or spelled


def _xy(p: Point) -> tuple[float, float]:
    return p.lon, p.lat
