"""The city's wards and districts: which one a place lies in, and whether we serve it at all."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self, cast

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geo.point import METRES_PER_DEGREE, Point

Kind = Literal["city", "district", "ward"]

GAP_M = 50.0
"""Official ward polygons leave slivers between them; a place this near to a ward belongs to it."""

_NAME_KEYS = (
    "name",
    "nama",
    "namobj",
    "wadmkd",
    "kelurahan",
    "desa",
    "kel_desa",
    "nm_kelurahan",
    "ward",
    "label",
    "shapename",
    "name_4",
    "nama_kel",
)
_CODE_KEYS = ("code", "kode", "kdepum", "kode_desa", "kode_kel", "kd_kelurahan", "id_desa", "ref")
# The kind of area is said beside the name, so it is no part of it.
_KIND_WORDS = re.compile(r"^(kecamatan|kelurahan|desa|kec\.|kel\.)\s+", re.IGNORECASE)
_DISTRICT_KEYS = ("district", "kecamatan", "wadmkc", "nama_kec", "kec", "nm_kecamatan", "name_3")


class BadAreas(ValueError):
    """The polygons cannot be used; the message names the file and the feature."""


@dataclass(frozen=True, slots=True)
class Area:
    """One polygon with a name, in WGS 84; `parent_id` is the district of a ward, or the city."""

    id: str
    name: str
    kind: Kind
    parent_id: str | None
    code: str | None
    geometry: Polygon | MultiPolygon


@dataclass(frozen=True, slots=True)
class Attribution:
    """The ward a place belongs to and, where one is known, its district."""

    ward_id: str
    ward: str
    district_id: str | None
    district: str | None


class Areas:
    """The areas of one city; safe to read from many threads."""

    def __init__(self, areas: Iterable[Area]) -> None:
        self._areas = tuple(areas)
        self._by_id = {area.id: area for area in self._areas}
        if len(self._by_id) != len(self._areas):
            raise BadAreas("Two areas have the same id.")
        self.wards = self._of("ward")
        self.districts = self._of("district")
        if not self.wards:
            raise BadAreas("There is not a single ward.")
        self.service_area = self._service_area()
        # Everything is asked in metres, so one flat frame for the city: x east, y north.
        self._metres_per_lon = METRES_PER_DEGREE * math.cos(
            math.radians(self.service_area.centroid.y)
        )
        self._flat_wards = self._flat([ward.geometry for ward in self.wards])
        self._tree = shapely.STRtree(self._flat_wards)
        shapely.prepare(self.service_area)
        # Both build their index at the first question; ask it before threads can ask at once.
        self._tree.query(shapely.Point(0, 0))
        shapely.intersects_xy(self.service_area, *self.service_area.centroid.coords[0])

    def __iter__(self) -> Iterator[Area]:
        return iter(self._areas)

    def __len__(self) -> int:
        return len(self._areas)

    @property
    def city(self) -> Area | None:
        return next((area for area in self._areas if area.kind == "city"), None)

    def get(self, area_id: str) -> Area:
        """The area with this id; raises KeyError."""
        return self._by_id[area_id]

    def attribute(self, p: Point) -> Attribution | None:
        """The ward of the place, or None outside of the service area and all wards.

        Where wards overlap, the one with the smallest id; in a gap, the nearest within GAP_M, and
        inside the service area the nearest at all: every place served has exactly one ward.
        """
        spot = self._flat_point(p)
        inside = self._tree.query(spot, predicate="intersects")
        if len(inside):
            return self._attribution(min((self.wards[i] for i in inside), key=lambda w: w.id))
        near = self._tree.query(spot, predicate="dwithin", distance=GAP_M)
        if not len(near):
            if not self.covers(p):
                return None
            near = self._tree.query_nearest(spot)
        gaps = shapely.distance(self._flat_wards[near], spot)
        nearest = min(zip(gaps, (self.wards[i] for i in near), strict=True), key=_gap_then_id)
        return self._attribution(nearest[1])

    def covers(self, p: Point) -> bool:
        """Is the place inside the service area (its edge included)?"""
        return bool(shapely.intersects_xy(self.service_area, p.lon, p.lat))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; raises BadAreas."""
        features = _features(path)
        areas = []
        for n, feature in enumerate(features):
            about = _properties(feature)
            areas.append(
                Area(
                    id=str(about["id"]),
                    name=str(about["name"]),
                    kind=cast(Kind, about["kind"]),
                    parent_id=_text(about.get("parent_id")),
                    code=_text(about.get("code")),
                    geometry=_polygon(feature, where=_where(path, n, about)),
                )
            )
        return cls(areas)

    def save(self, path: Path) -> None:
        """Write every area as a GeoJSON FeatureCollection, WGS 84."""
        features = [
            {
                "type": "Feature",
                "properties": {
                    "id": area.id,
                    "name": area.name,
                    "kind": area.kind,
                    "parent_id": area.parent_id,
                    "code": area.code,
                },
                "geometry": json.loads(shapely.to_geojson(area.geometry)),
            }
            for area in self._areas
        ]
        collection = {"type": "FeatureCollection", "features": features}
        path.write_text(json.dumps(collection, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def from_geojson(cls, path: Path, *, city: str | None = None) -> Self:
        """Wards from a GeoJSON file of polygons, as agencies publish them.

        Districts come from a district property, else from the first three parts of a Kemendagri
        code (35.77.01.1001); their names from the file `…_kec.geojson` beside `…_kel.geojson`.
        Raises BadAreas naming the file and the feature.
        """
        wards = [_ward(path, n, feature) for n, feature in enumerate(_features(path))]
        return cls(with_city(_with_districts(wards, names=_district_names(path)), name=city))

    def _of(self, kind: Kind) -> tuple[Area, ...]:
        return tuple(area for area in self._areas if area.kind == kind)

    def _service_area(self) -> Polygon | MultiPolygon:
        city = self.city
        return city.geometry if city else closed_union([ward.geometry for ward in self.wards])

    def _attribution(self, ward: Area) -> Attribution:
        parent = self._by_id.get(ward.parent_id) if ward.parent_id else None
        if parent is None or parent.kind != "district":
            return Attribution(ward.id, ward.name, None, None)
        return Attribution(ward.id, ward.name, parent.id, parent.name)

    def _flat(self, geometries: Sequence[BaseGeometry]) -> NDArray[np.object_]:
        scale = np.array([self._metres_per_lon, METRES_PER_DEGREE])
        flat = shapely.transform(np.array(geometries, dtype=object), lambda xy: xy * scale)
        return np.atleast_1d(flat)

    def _flat_point(self, p: Point) -> shapely.Point:
        return shapely.Point(p.lon * self._metres_per_lon, p.lat * METRES_PER_DEGREE)


def read_rings(path: Path) -> list[list[list[float]]]:
    """The outer rings of every polygon in a GeoJSON file, corners as [lon, lat].

    Polygons are made valid first; holes are left out. Raises BadAreas naming file and feature.
    """
    rings = []
    for n, feature in enumerate(_features(path)):
        polygon = _polygon(feature, where=_where(path, n, _properties(feature)))
        for part in shapely.get_parts(polygon):
            corners = list(part.exterior.coords)[:-1]
            rings.append([[float(x), float(y)] for x, y, *_ in corners])
    return rings


def closed_union(geometries: Sequence[BaseGeometry]) -> Polygon | MultiPolygon:
    """The union with the slivers between neighbours (up to GAP_M wide) filled in."""
    half_gap = GAP_M / 2 / METRES_PER_DEGREE
    grown = shapely.union_all(shapely.buffer(list(geometries), half_gap, join_style="mitre"))
    shrunk = polygonal(grown.buffer(-half_gap, join_style="mitre"))
    if shrunk is None:
        raise BadAreas("The polygons enclose no area.")
    return shrunk


def polygonal(geometry: BaseGeometry) -> Polygon | MultiPolygon | None:
    """The valid polygonal part of any geometry, or None when nothing is left."""
    valid = geometry if geometry.is_valid else shapely.make_valid(geometry)
    parts = [
        part
        for part in shapely.get_parts(shapely.get_parts(valid))
        if isinstance(part, Polygon) and part.area > 0
    ]
    if not parts:
        return None
    merged = shapely.union_all(parts) if len(parts) > 1 else parts[0]
    return merged if isinstance(merged, Polygon | MultiPolygon) else None


def plain_name(name: str) -> str:
    """The name of an area without its kind: Kecamatan Menteng → Menteng."""
    return _KIND_WORDS.sub("", name.strip()) or name.strip()


def with_city(areas: Sequence[Area], *, name: str | None) -> list[Area]:
    """The areas under one city polygon, which is added when there is none."""
    if any(area.kind == "city" for area in areas):
        return list(areas)
    outline = closed_union([area.geometry for area in areas if area.kind == "ward"])
    city = Area("city", name or "", "city", None, None, outline)
    adopted = [a if a.parent_id else replace(a, parent_id=city.id) for a in areas]
    return [city, *adopted]


def _gap_then_id(gap: tuple[float, Area]) -> tuple[float, str]:
    return gap[0], gap[1].id


def _features(path: Path) -> list[Mapping[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as e:
        raise BadAreas(f"There is no file {path}.") from e
    except UnicodeDecodeError as e:
        raise BadAreas(
            f"{path.name} is not GeoJSON (it is not even text); convert it to GeoJSON first."
        ) from e
    except OSError as e:
        raise BadAreas(f"{path} cannot be read: {e.strerror}.") from e
    try:
        collection = json.loads(text)
    except ValueError as e:
        raise BadAreas(
            f"{path.name} is not GeoJSON ({e}); give a FeatureCollection of polygons."
        ) from e
    if not isinstance(collection, dict) or collection.get("type") != "FeatureCollection":
        raise BadAreas(f"{path.name} is JSON but not a GeoJSON FeatureCollection.")
    features = collection.get("features")
    if not isinstance(features, list) or not features:
        raise BadAreas(f"{path.name} holds no features, so no wards.")
    if not all(isinstance(feature, dict) for feature in features):
        raise BadAreas(f"{path.name} holds something that is not a GeoJSON feature.")
    return features


def _properties(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    about = feature.get("properties")
    return about if isinstance(about, dict) else {}


def _where(path: Path, n: int, about: Mapping[str, Any]) -> str:
    name = _first(about, _NAME_KEYS) or _first(about, _CODE_KEYS)
    return f"{path.name}, feature {n + 1}" + (f" ({name})" if name else "")


def _first(about: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    lowered = {str(key).lower(): value for key, value in about.items()}
    return next((text for key in keys if (text := _text(lowered.get(key)))), None)


def _text(value: Any) -> str | None:
    return None if value is None else str(value).strip() or None


def _polygon(feature: Mapping[str, Any], *, where: str) -> Polygon | MultiPolygon:
    raw = feature.get("geometry")
    if not isinstance(raw, dict):
        raise BadAreas(f"{where} has no geometry.")
    if raw.get("type") not in ("Polygon", "MultiPolygon"):
        raise BadAreas(f"{where} is a {raw.get('type')}; wards must be polygons.")
    try:
        geometry = shapely.from_geojson(json.dumps(raw))
    except shapely.errors.GEOSException as e:
        raise BadAreas(f"{where} has a broken polygon: {e}.") from e
    polygon = polygonal(geometry)
    if polygon is None:
        raise BadAreas(f"{where} has an empty polygon.")
    west, south, east, north = polygon.bounds
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise BadAreas(f"{where} is not in longitude and latitude (WGS 84); reproject the file.")
    return polygon


@dataclass(frozen=True, slots=True)
class _Ward:
    name: str
    code: str | None
    district: str | None
    geometry: Polygon | MultiPolygon


def _ward(path: Path, n: int, feature: Mapping[str, Any]) -> _Ward:
    about = _properties(feature)
    where = _where(path, n, about)
    name = _first(about, _NAME_KEYS)
    if name is None:
        raise BadAreas(f"{where} has no name (looked for name, nama, kelurahan and the like).")
    geometry = _polygon(feature, where=where)
    district = _first(about, _DISTRICT_KEYS)
    return _Ward(
        plain_name(name),
        _first(about, _CODE_KEYS),
        plain_name(district) if district else None,
        geometry,
    )


def _district_code(code: str | None) -> str | None:
    """The kecamatan part of a Kemendagri code: 35.77.01.1001 or 3577011001 → 35.77.01."""
    if code is None:
        return None
    parts = code.split(".")
    if len(parts) == 4 and all(part.isdigit() for part in parts):
        return ".".join(parts[:3])
    if len(code) == 10 and code.isdigit():
        return f"{code[:2]}.{code[2:4]}.{code[4:6]}"
    return None


def _district_names(path: Path) -> dict[str, str]:
    sibling = path.with_name(path.name.replace("_kel", "_kec"))
    if sibling == path or not sibling.exists():
        return {}
    names = {}
    for feature in _features(sibling):
        about = _properties(feature)
        code, name = _first(about, _CODE_KEYS), _first(about, _NAME_KEYS)
        if code and name:
            names[code] = plain_name(name)
    return names


def _with_districts(wards: Sequence[_Ward], *, names: Mapping[str, str]) -> list[Area]:
    """Wards first grouped by district, then as areas with unique ids."""
    areas: list[Area] = []
    outlines: dict[str, list[BaseGeometry]] = {}
    titles: dict[str, tuple[str, str | None]] = {}
    used: set[str] = set()
    for n, ward in enumerate(wards):
        code = _district_code(ward.code)
        parent = f"district/{code or ward.district}" if code or ward.district else None
        ward_id = f"ward/{ward.code or n + 1}"
        # Some files give a ward in several features: the first keeps the code as its id.
        if ward_id in used:
            ward_id = f"{ward_id}-{n + 1}"
        used.add(ward_id)
        areas.append(Area(ward_id, ward.name, "ward", parent, ward.code, ward.geometry))
        if parent:
            outlines.setdefault(parent, []).append(ward.geometry)
            titles[parent] = (ward.district or names.get(code or "", code or ""), code)
    districts = [
        Area(key, titles[key][0], "district", None, titles[key][1], closed_union(shapes))
        for key, shapes in outlines.items()
    ]
    return districts + areas
