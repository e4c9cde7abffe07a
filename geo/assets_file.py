"""Reads lists of numbered things, such as lamp poles, as departments keep them: CSV, GeoJSON."""

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import shapely

from geo.areas import Areas
from geo.asset_words import numbered, sort_of
from geo.coordinates import read_coordinates
from geo.known_places import asset_key
from geo.point import BadPoint, Box, Point, suspicion

MOST_BYTES = 256 * 1024 * 1024
MOST_ROWS = 1_000_000
MOST_CODE = 60

# "No" is mostly the running number of the row: only where nothing better stands.
_CODE = (
    *("code", "kode", "kode aset", "id aset", "asset id", "nomor aset", "no aset"),
    *("kode tiang", "nomor tiang", "no tiang", "id tiang"),
    *("kode pju", "nomor pju", "no pju", "id pju"),
    *("kode pohon", "nomor pohon", "no pohon", "id pohon"),
    *("number", "ref", "id", "nomor", "no"),
)
_LAT = (
    "lat",
    "latitude",
    "lintang",
    "garis lintang",
    "ls",
    "koordinat lintang",
    "y",
    "koordinat y",
)
_LON = (
    *("lon", "lng", "long", "longitude", "bujur", "garis bujur", "bt", "koordinat bujur"),
    *("x", "koordinat x"),
)
_BOTH = ("koordinat", "coordinates", "coordinate", "koordinat lokasi", "titik koordinat")
_LABEL = (
    *("label", "name", "nama", "keterangan", "description"),
    *("jalan", "nama jalan", "ruas jalan", "street", "alamat", "address", "lokasi", "location"),
)
_SORT = ("sort", "kind", "type", "jenis", "jenis aset", "kategori")


class BadAssets(ValueError):
    """The file as a whole cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class AssetRow:
    """One thing as listed: its painted number, what it is, where it stands."""

    code: str
    sort: str
    label: str
    point: Point


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not read: where it stands in the file, in which column, what to mend."""

    where: str
    why: str
    column: str | None = None


class _Wrong(ValueError):
    """What is wrong with a row, and with which of its columns if with one."""

    def __init__(self, why: str, column: str | None = None) -> None:
        super().__init__(why)
        self.column = column


@dataclass(frozen=True, slots=True)
class _Raw:
    """A row as it stands in the file: its cells by column, and a spot if it has a geometry."""

    where: str
    about: Mapping[str, Any]
    spot: Point | None = None
    wrong: str | None = None


def read_assets(
    path: Path, areas: Areas, *, sort: str | None = None
) -> Iterator[AssetRow | BadRow]:
    """Every row of the file as an asset or as what is wrong with it.

    `sort` says what the things are where the file does not. Raises BadAssets for a file that is
    missing, too large, or neither CSV with a head line nor a GeoJSON FeatureCollection.
    """
    if not path.is_file():
        raise BadAssets(f"There is no file {path}; give a .csv or .geojson.")
    if path.stat().st_size > MOST_BYTES:
        raise BadAssets(
            f"{path.name} is larger than {MOST_BYTES >> 20} MB; split it, or leave out columns."
        )
    rows = _geojson(path) if path.suffix.lower() in (".geojson", ".json") else _csv(path)
    box = Box(*map(float, areas.service_area.bounds))
    seen: dict[str, str] = {}
    for n, raw in enumerate(rows):
        if n == MOST_ROWS:
            raise BadAssets(f"{path.name} has more than {MOST_ROWS:,} rows; split it.")
        try:
            row = _row(raw, sort, box)
            _check(row, areas)
        except ValueError as error:
            yield BadRow(raw.where, str(error), getattr(error, "column", None))
            continue
        same = asset_key(row.code)
        if same in seen:
            yield BadRow(raw.where, f"the code {row.code!r} stands in {seen[same]} already.")
            continue
        seen[same] = raw.where
        yield row


def _row(raw: _Raw, sort: str | None, box: Box) -> AssetRow:
    if raw.wrong:
        raise _Wrong(raw.wrong)
    cells = _Cells(raw.about)
    column, code = cells.first(_CODE)
    if code is None:
        raise _Wrong("it has no code (looked for code, kode, nomor tiang, id and the like).")
    if len(code) > MOST_CODE or not any(c.isalnum() for c in code) or not code.isprintable():
        raise _Wrong(f"the code {code[:80]!r} is none: use letters and digits.", column)
    what = cells.first(_SORT)[1] or sort
    if what is None:
        raise _Wrong("it does not say what it is; add a column kind, or give --sort.")
    where = raw.spot or _position(cells, box)
    label = cells.first(_LABEL)[1]
    kind = sort_of(what)[:40]
    name = numbered(kind, code)
    return AssetRow(code, kind, (f"{name}, {label}" if label else name)[:200], where)


def _position(cells: "_Cells", box: Box) -> Point:
    (lat_column, lat), (lon_column, lon) = cells.first(_LAT), cells.first(_LON)
    column, both = cells.first(_BOTH)
    if (lat is None or lon is None) and both is not None:
        reading = read_coordinates(both, box=box)
        if reading is None:
            raise _Wrong(f"{both[:60]!r} is no position; write -7.6298, 111.5239.", column)
        if "swapped" in reading.flags:
            raise _Wrong("its latitude and longitude are exchanged.", column)
        return reading.point
    if lat is None or lon is None:
        missing = lon_column if lat is not None else lat_column
        raise _Wrong(
            "it has no position (looked for lat and lon, lintang and bujur, y and x, koordinat).",
            missing,
        )
    x, y = _number(lon, "longitude", lon_column), _number(lat, "latitude", lat_column)
    if 90 < abs(y) <= 180 and abs(x) <= 90:
        raise _Wrong("its latitude and longitude are exchanged.", lat_column)
    try:
        return Point(x, y)
    except BadPoint as error:
        raise _Wrong(f"{error} {_OTHER_GRID}", lon_column if abs(x) > 180 else lat_column) from None


_OTHER_GRID = "Metres, as in UTM, cannot be used: export it in degrees (WGS 84, EPSG:4326)."


def _number(text: str, what: str, column: str | None) -> float:
    # "-7,6298" is how a spreadsheet set to Indonesian writes it.
    plain = text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
    try:
        number = float(plain)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _Wrong(f"the {what} {text[:40]!r} is no number.", column)
    return number


def _check(row: AssetRow, areas: Areas) -> None:
    odd = suspicion(row.point)
    if odd == "zero":
        raise ValueError("its position is 0, 0, which is no position.")
    if odd == "whole_degree":
        raise ValueError("its position has whole degrees only, which is kilometres off.")
    if areas.covers(row.point):
        return
    lat, lon = row.point.lat, row.point.lon
    try:
        if areas.covers(Point(lat, lon)):
            raise ValueError("its latitude and longitude are exchanged.")
    except BadPoint:
        pass
    raise ValueError(f"{lat}, {lon} lies outside the city.")


def _csv(path: Path) -> Iterator[_Raw]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            if not head.strip():
                raise BadAssets(f"{path.name} is empty; its first line must name the columns.")
            delimiter = max(",;\t", key=head.count)
            columns = [name.strip() for name in next(csv.reader([head], delimiter=delimiter))]
            if not {_plain(name) for name in columns} & set(_CODE):
                raise BadAssets(
                    f"{path.name} has no column for the code; its first line must name the "
                    "columns, such as code,lat,lon."
                )
            if twice := sorted({name for name in columns if name and columns.count(name) > 1}):
                raise BadAssets(f"{path.name} names the column {twice[0]!r} twice; rename one.")
            reader = csv.reader(file, delimiter=delimiter)
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    where = f"{path.name}, line {reader.line_num + 1}"
                    about = dict(zip(columns, cells, strict=False))
                    yield _Raw(where, about, wrong=_too_many(cells, columns, delimiter))
    except UnicodeDecodeError as error:
        raise BadAssets(f"{path.name} is not UTF-8 text; save it as CSV (UTF-8).") from error
    except csv.Error as error:
        raise BadAssets(f"{path.name} is no CSV file: {error}.") from error


def _too_many(cells: list[str], columns: list[str], delimiter: str) -> str | None:
    """What to do about a row that says more than its head names: a comma inside a number."""
    if not any(cell.strip() for cell in cells[len(columns) :]):
        return None
    return (
        f"it has {len(cells)} cells, the first line names {len(columns)}. Put texts and numbers "
        f"that hold a {delimiter!r} in quotes, or save the list with semicolons."
    )


def _geojson(path: Path) -> Iterator[_Raw]:
    try:
        collection = json.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BadAssets(f"{path.name} is not UTF-8 text; save it as GeoJSON.") from error
    except (ValueError, RecursionError) as error:
        raise BadAssets(f"{path.name} is no GeoJSON: {error}.") from error
    features = collection.get("features") if isinstance(collection, dict) else None
    if not isinstance(features, list):
        raise BadAssets(f"{path.name} is JSON but no GeoJSON FeatureCollection.")
    for n, feature in enumerate(features, start=1):
        where = f"{path.name}, feature {n}"
        about = feature.get("properties") if isinstance(feature, dict) else None
        about = about if isinstance(about, dict) else {}
        if isinstance(feature, dict) and "id" in feature and _Cells(about).first(_CODE)[1] is None:
            about = {**about, "id": feature["id"]}
        try:
            yield _Raw(where, about, _spot(feature))
        except _Wrong as error:
            yield _Raw(where, about, wrong=str(error))


def _spot(feature: Any) -> Point | None:
    """A point on the feature's geometry, None where it has none; raises _Wrong for a broken one."""
    raw = feature.get("geometry") if isinstance(feature, dict) else None
    if raw is None:
        return None
    try:
        shape = shapely.from_geojson(json.dumps(raw))
        spot = shape if isinstance(shape, shapely.Point) else shape.representative_point()
    except (shapely.errors.GEOSException, ValueError):
        raise _Wrong("its geometry cannot be read.") from None
    if spot.is_empty:
        raise _Wrong("its geometry is empty.")
    try:
        return Point(spot.x, spot.y)
    except BadPoint as error:
        raise _Wrong(f"{error} {_OTHER_GRID}") from None


class _Cells:
    """The cells of a row by what their columns mean, however they are spelled."""

    def __init__(self, about: Mapping[str, Any]) -> None:
        self._named = {_plain(str(name)): (str(name), value) for name, value in about.items()}

    def first(self, names: tuple[str, ...]) -> tuple[str | None, str | None]:
        """(column, text) of the first that says something; the column alone where all are empty."""
        empty = None
        for name in names:
            if name in self._named:
                column, value = self._named[name]
                if value is not None and not isinstance(value, dict | list) and str(value).strip():
                    return column, str(value).strip()
                empty = empty or column
        return empty, None


@lru_cache(maxsize=1000)
def _plain(name: str) -> str:
    """A column's name as the lists above spell it: "No. Tiang" and "no_tiang" are alike."""
    return " ".join(re.findall(r"[^\W_]+", name.casefold()))
