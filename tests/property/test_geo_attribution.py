"""Every place that is served lies in exactly one ward, whatever the polygons look like."""

import os
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.areas import Area, Areas, polygonal
from geo.point import Point

corner = st.tuples(
    st.integers(0, 60).map(lambda n: 111.50 + n / 1000),
    st.integers(0, 60).map(lambda n: -7.66 + n / 1000),
)
# Rings in any order of corners: most cross themselves, overlap others and leave gaps.
rings = st.lists(corner, min_size=3, max_size=7, unique=True)


def _areas(drawn: list[list[tuple[float, float]]], *, with_city: bool) -> Areas | None:
    shapes = [polygonal(shapely.Polygon(ring)) for ring in drawn]
    wards = [
        Area(f"ward/{n}", f"W{n}", "ward", None, None, shape)
        for n, shape in enumerate(shapes)
        if shape is not None and shape.area > 1e-9
    ]
    if not wards:
        return None
    outline = shapely.box(111.495, -7.665, 111.565, -7.595)
    city = [Area("city", "Kota", "city", None, None, outline)] if with_city else []
    return Areas([*city, *wards])


@given(
    st.lists(rings, min_size=1, max_size=6),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=12),
    st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_every_place_served_has_exactly_one_ward(
    drawn: list[list[tuple[float, float]]], spots: list[tuple[float, float]], with_city: bool
) -> None:
    areas = _areas(drawn, with_city=with_city)
    if areas is None:
        return
    west, south, east, north = areas.service_area.bounds
    for x, y in spots:
        p = Point(west + x * (east - west), south + y * (north - south))
        where = areas.attribute(p)
        if areas.covers(p):
            assert where is not None
        if where is None:
            continue
        assert areas.attribute(p) == where
        inside = [w for w in areas.wards if w.geometry.intersects(shapely.Point(p.lon, p.lat))]
        if inside:
            assert where.ward_id == min(w.id for w in inside)


DATA = Path(os.environ.get("SIGAP_DATA", "no-data"))


@pytest.mark.needs("data")
@pytest.mark.parametrize("name", ["kota_madiun", "kota_blitar", "ponorogo", "medan"])
def test_every_place_of_a_real_city_has_exactly_one_ward(name: str) -> None:
    areas = Areas.from_geojson(DATA / "wards" / f"{name}_kel.geojson")
    west, south, east, north = areas.service_area.bounds
    chance = np.random.default_rng(7)
    inside = 0
    for x, y in chance.random((6_000, 2)):
        p = Point(west + x * (east - west), south + y * (north - south))
        if areas.covers(p):
            inside += 1
            where = areas.attribute(p)
            assert where is not None, p
            assert where.district, p
    assert inside > 1_000
    # On the borders, where polygons overlap and leave slivers.
    for ward in areas.wards[:40]:
        for x, y in shapely.get_coordinates(ward.geometry)[::7]:
            assert areas.attribute(Point(float(x), float(y))) is not None
