"""Real wards and real cities, when the folder with the acceptance data is there."""

import os
from pathlib import Path

import numpy as np
import pytest

from geo.areas import Areas
from geo.osm_areas import find_areas
from geo.osm_import import import_extract
from geo.point import Point
from geo.roadgraph import RoadGraph

DATA = Path(os.environ.get("SIGAP_DATA", "no-data"))

pytestmark = pytest.mark.needs("data")


@pytest.mark.parametrize(
    ("city", "wards", "districts", "known"),
    [
        ("kota_madiun", 27, 3, "Kartoharjo"),
        ("kota_blitar", 21, 3, "Sananwetan"),
        ("ponorogo", 307, 21, "Jetis"),
        ("medan", 151, 21, "Medan Barat"),
    ],
)
def test_published_wards_load_with_their_districts(
    city: str, wards: int, districts: int, known: str
) -> None:
    areas = Areas.from_geojson(DATA / "wards" / f"{city}_kel.geojson", city=city)
    assert (len(areas.wards), len(areas.districts)) == (wards, districts)
    assert known in {district.name for district in areas.districts}
    for ward in areas.wards:
        middle = ward.geometry.representative_point()
        assert areas.attribute(Point(middle.x, middle.y)) is not None
        assert areas.covers(Point(middle.x, middle.y))


def test_jakartas_wards_are_in_its_map() -> None:
    extract = DATA / "osm" / "jakarta.osm.pbf"
    areas = find_areas(extract, import_extract(extract), city="Jakarta")
    assert len(areas.wards) == 261
    found = areas.attribute(Point(106.8272, -6.1754))
    assert found is not None
    assert (found.ward, found.district) == ("Gambir", "Gambir")


@pytest.mark.parametrize(
    ("city", "edges"), [("jakarta", 80_000), ("portoalegre", 25_000), ("baltimore", 10_000)]
)
def test_real_cities_connect(city: str, edges: int) -> None:
    arrays = import_extract(DATA / "osm" / f"{city}.osm.pbf")
    assert arrays.edge_count > edges
    network = RoadGraph(arrays)
    nodes = np.random.default_rng(1).choice(arrays.node_count, 40)
    places = [Point(float(arrays.lon[n]), float(arrays.lat[n])) for n in nodes]
    assert np.isfinite(network.travel_times(places, places)).all()
