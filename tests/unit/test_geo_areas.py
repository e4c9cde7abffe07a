import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import shapely

from geo.areas import Area, Areas, BadAreas, plain_name
from geo.point import Point
from tests.maps import metres


def square(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    a, b = metres(west, south), metres(east, north)
    return shapely.box(a.lon, a.lat, b.lon, b.lat)


def ward(name: str, shape: shapely.Polygon, *, parent: str | None = None) -> Area:
    return Area(f"ward/{name}", name, "ward", parent, None, shape)


def feature(shape: Any, **about: str) -> dict[str, Any]:
    geometry = json.loads(shapely.to_geojson(shape)) if shape is not None else None
    return {"type": "Feature", "properties": about, "geometry": geometry}


def written(path: Path, features: Sequence[dict[str, Any]]) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def name_at(areas: Areas, place: Point) -> str | None:
    found = areas.attribute(place)
    return found.ward if found else None


def test_a_place_belongs_to_the_ward_around_it() -> None:
    district = Area("district/1", "Taman", "district", "city", "35.77.03", square(0, 0, 200, 100))
    areas = Areas(
        [
            district,
            ward("Barat", square(0, 0, 100, 100), parent="district/1"),
            ward("Timur", square(100, 0, 200, 100)),
        ]
    )
    found = areas.attribute(metres(50, 50))
    assert found is not None
    assert (found.ward, found.district, found.district_id) == ("Barat", "Taman", "district/1")
    outer = areas.attribute(metres(150, 50))
    assert outer is not None
    assert (outer.ward, outer.district) == ("Timur", None)


def test_where_wards_overlap_the_order_of_the_file_does_not_matter() -> None:
    a, b = ward("A", square(0, 0, 110, 100)), ward("B", square(90, 0, 200, 100))
    place = metres(100, 50)
    assert name_at(Areas([a, b]), place) == name_at(Areas([b, a]), place) == "A"


def test_a_gap_belongs_to_the_nearest_ward_within_fifty_metres() -> None:
    areas = Areas([ward("A", square(0, 0, 100, 100)), ward("B", square(130, 0, 200, 100))])
    assert name_at(areas, metres(110, 50)) == "A"
    assert name_at(areas, metres(121, 50)) == "B"
    assert name_at(areas, metres(249, 50)) == "B"
    assert areas.attribute(metres(251, 50)) is None


def test_service_area_closes_slivers_but_not_the_countryside() -> None:
    areas = Areas([ward("A", square(0, 0, 100, 100)), ward("B", square(130, 0, 200, 100))])
    assert areas.covers(metres(115, 50))
    assert not areas.covers(metres(300, 50))


def test_saved_areas_are_loaded_as_they_were(tmp_path: Path) -> None:
    areas = Areas(
        [
            Area("city", "Madiun", "city", None, None, square(0, 0, 200, 100)),
            ward("Timur", square(100, 0, 200, 100), parent="city"),
        ]
    )
    path = tmp_path / "areas.geojson"
    areas.save(path)
    assert list(Areas.load(path)) == list(areas)


def test_kemendagri_codes_give_the_districts(tmp_path: Path) -> None:
    kel = [
        feature(square(0, 0, 100, 100), kode="35.77.01.1001", nama="Kelurahan Oro-oro Ombo"),
        feature(square(100, 0, 200, 100), kode="35.77.03.1009", nama="Taman"),
    ]
    kec = [
        feature(square(0, 0, 100, 100), kode="35.77.01", nama="Kartoharjo"),
        feature(square(100, 0, 200, 100), kode="35.77.03", nama="Kecamatan Taman"),
    ]
    written(tmp_path / "madiun_kec.geojson", kec)
    areas = Areas.from_geojson(written(tmp_path / "madiun_kel.geojson", kel), city="Madiun")
    found = areas.attribute(metres(50, 50))
    assert found is not None
    assert (found.ward, found.district) == ("Oro-oro Ombo", "Kartoharjo")
    assert [d.name for d in areas.districts] == ["Kartoharjo", "Taman"]
    assert areas.city is not None
    assert areas.city.name == "Madiun"


def test_a_bow_tie_polygon_is_mended(tmp_path: Path) -> None:
    corners = [metres(*xy) for xy in ((0, 0), (100, 100), (100, 0), (0, 100), (0, 0))]
    bow_tie = shapely.Polygon([(p.lon, p.lat) for p in corners])
    assert not bow_tie.is_valid
    areas = Areas.from_geojson(written(tmp_path / "w.geojson", [feature(bow_tie, name="Dasi")]))
    assert areas.wards[0].geometry.is_valid
    assert name_at(areas, metres(20, 50)) == "Dasi"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "not GeoJSON"),
        ("{", "not GeoJSON"),
        ("[1, 2]", "not a GeoJSON FeatureCollection"),
        ('{"type": "Topology"}', "not a GeoJSON FeatureCollection"),
        ('{"type": "FeatureCollection", "features": []}', "no features"),
        ('{"type": "FeatureCollection", "features": [7]}', "not a GeoJSON feature"),
    ],
)
def test_files_that_are_no_wards_are_refused(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "wards.geojson"
    path.write_text(content)
    with pytest.raises(BadAreas, match=words):
        Areas.from_geojson(path)


def test_a_shapefile_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wards.shp"
    path.write_bytes(bytes([0, 0, 0x27, 0x0A, 0xFF, 0xFE]))
    with pytest.raises(BadAreas, match="convert it to GeoJSON"):
        Areas.from_geojson(path)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (feature(None, name="Nowhere"), r"feature 2 \(Nowhere\) has no geometry"),
        (feature(shapely.Point(1, 1), name="Dot"), r"feature 2 \(Dot\) is a Point"),
        (feature(shapely.Polygon(), name="Void"), r"feature 2 \(Void\) has an empty polygon"),
        (feature(shapely.box(0, 0, 1, 1)), "feature 2 has no name"),
        (feature(shapely.box(5e5, 9e6, 6e5, 9.1e6), name="UTM"), r"\(UTM\).*WGS 84"),
        (
            {"properties": {"name": "Odd"}, "geometry": {"type": "Polygon", "coordinates": [[1]]}},
            r"\(Odd\) has a broken polygon",
        ),
    ],
)
def test_the_feature_that_is_wrong_is_named(
    tmp_path: Path, broken: dict[str, Any], words: str
) -> None:
    good = feature(square(0, 0, 100, 100), name="Good")
    with pytest.raises(BadAreas, match=words):
        Areas.from_geojson(written(tmp_path / "wards.geojson", [good, broken]))


@pytest.mark.parametrize(
    ("written_name", "plain"),
    [
        ("Kecamatan Menteng", "Menteng"),
        ("KEL. Gelora", "Gelora"),
        ("Desa", "Desa"),
        ("Kelapa", "Kelapa"),
    ],
)
def test_kinds_are_no_part_of_a_name(written_name: str, plain: str) -> None:
    assert plain_name(written_name) == plain
