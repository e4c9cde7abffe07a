"""Reads lists of numbered things, such as lamp poles, as departments keep them: CSV, GeoJSON."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely

from geo.areas import Areas
from geo.known_places import asset_key
from geo.point import BadPoint, Point, suspicion

MOST_BYTES = 256 * 1024 * 1024
MOST_ROWS = 1_000_000
MOST_CODE = 60

_CODE = ("code", "kode", "id", "nomor", "no", "number", "asset_id", "id_aset", "kode_aset", "ref")
_LAT = ("lat", "latitude", "lintang", "y")
_LON = ("lon", "lng", "long", "longitude", "bujur", "x")
_LABEL = ("label", "name", "nama", "keterangan", "description")
_SORT = ("sort", "kind", "type", "jenis", "kategori")


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
    """A row that was not read: where it stands in the file, and what to mend."""

    where: str
    why: str


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
    seen: dict[str, str] = {}
    for n, (where, about, point) in enumerate(rows):
        if n == MOST_ROWS:
            raise BadAssets(f"{path.name} has more than {MOST_ROWS:,} rows; split it.")
        try:
            row = _row(about, point, sort)
            _check(row, areas)
        except ValueError as error:
            yield BadRow(where, str(error))
            continue
        same = asset_key(row.code)
        if same in seen:
            yield BadRow(where, f"the code {row.code!r} stands in {seen[same]} already.")
            continue
        seen[same] = where
        yield row


def _row(about: Mapping[str, Any], point: Point | None, sort: str | None) -> AssetRow:
    code = _first(about, _CODE)
    if code is None:
        raise ValueError("it has no code (looked for code, kode, id, nomor and the like).")
    if len(code) > MOST_CODE or not any(c.isalnum() for c in code) or not code.isprintable():
        raise ValueError(f"the code {code[:80]!r} is none: use letters and digits.")
    what = _first(about, _SORT) or sort
    if what is None:
        raise ValueError("it does not say what it is; add a column kind, or give --sort.")
    where = point or _position(about)
    label = _first(about, _LABEL)
    name = f"{what.replace('_', ' ').capitalize()} {code}"
    return AssetRow(code, what[:40], (f"{name}, {label}" if label else name)[:200], where)


def _position(about: Mapping[str, Any]) -> Point:
    lat, lon = _first(about, _LAT), _first(about, _LON)
    if lat is None or lon is None:
        raise ValueError("it has no position (looked for lat and lon, lintang and bujur, y and x).")
    x, y = _number(lon, "longitude"), _number(lat, "latitude")
    if 90 < abs(y) <= 180 and abs(x) <= 90:
        raise ValueError("its latitude and longitude are exchanged.")
    return Point(x, y)


def _number(text: str, what: str) -> float:
    # "-7,6298" is how a spreadsheet set to Indonesian writes it.
    plain = text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
    try:
        return float(plain)
    except ValueError:
        raise ValueError(f"the {what} {text[:40]!r} is no number.") from None


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


def _csv(path: Path) -> Iterator[tuple[str, Mapping[str, Any], Point | None]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            if not head.strip():
                raise BadAssets(f"{path.name} is empty; its first line must name the columns.")
            delimiter = max(",;\t", key=head.count)
            columns = [
                name.strip().lower() for name in next(csv.reader([head], delimiter=delimiter))
            ]
            if not set(columns) & set(_CODE):
                raise BadAssets(
                    f"{path.name} has no column for the code; its first line must name the "
                    "columns, such as code,lat,lon."
                )
            reader = csv.reader(file, delimiter=delimiter)
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    about = dict(zip(columns, cells, strict=False))
                    yield f"{path.name}, line {reader.line_num + 1}", about, None
    except UnicodeDecodeError as error:
        raise BadAssets(f"{path.name} is not UTF-8 text; save it as CSV (UTF-8).") from error
    except csv.Error as error:
        raise BadAssets(f"{path.name} is no CSV file: {error}.") from error


def _geojson(path: Path) -> Iterator[tuple[str, Mapping[str, Any], Point | None]]:
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
        if isinstance(feature, dict) and "id" in feature and _first(about, _CODE) is None:
            about = {**about, "id": feature["id"]}
        yield where, about, _spot(feature)


def _spot(feature: Any) -> Point | None:
    """A point on the feature's geometry; None where it has none that can be read."""
    raw = feature.get("geometry") if isinstance(feature, dict) else None
    if not isinstance(raw, dict):
        return None
    try:
        shape = shapely.from_geojson(json.dumps(raw))
        spot = shape if isinstance(shape, shapely.Point) else shape.representative_point()
        return None if spot.is_empty else Point(spot.x, spot.y)
    except (shapely.errors.GEOSException, ValueError):
        return None


def _first(about: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    lowered = {str(name).strip().lower(): value for name, value in about.items()}
    for name in names:
        value = lowered.get(name)
        if value is not None and not isinstance(value, dict | list) and str(value).strip():
            return str(value).strip()
    return None
