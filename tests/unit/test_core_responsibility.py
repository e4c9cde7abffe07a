"""Who answers where: by category, ward and polygon, else the category's own agency."""

import json
import tomllib
from pathlib import Path

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

import dispatch
from dispatch.core.errors import BadPolicy
from dispatch.core.policy import Policy, parse_policy
from dispatch.core.policy.responsibility import inside
from dispatch.system.cities import read_policy

TEXT = Path(dispatch.__file__).with_name("policy.toml").read_text(encoding="utf-8")
NORTH = [[111.50, -7.60], [111.56, -7.60], [111.56, -7.63], [111.50, -7.63]]


def policy(extra: str) -> Policy:
    return parse_policy(tomllib.loads(TEXT + extra))


def agency(found: Policy, service: str, lat: float, ward: str | None = None) -> str:
    return found.agency_for(found.service(service), lon=111.53, lat=lat, ward=ward)


def test_a_polygon_takes_a_category_from_the_usual_agency() -> None:
    usual = policy("")
    with_north = policy(
        f'\n[[responsibility]]\nagency_id = "dlh"\nservices = ["fallen_tree"]\n'
        f"polygons = {json.dumps([NORTH])}\n"
    )
    own = agency(usual, "fallen_tree", -7.61)
    assert own != "dlh"
    assert agency(with_north, "fallen_tree", -7.61) == "dlh"
    assert agency(with_north, "fallen_tree", -7.63) == "dlh"  # the edge is inside
    assert agency(with_north, "fallen_tree", -7.65) == own
    assert agency(with_north, "street_light", -7.61) == agency(usual, "street_light", -7.61)


def test_a_ward_by_name_and_the_first_that_fits() -> None:
    found = policy(
        '\n[[responsibility]]\nagency_id = "dlh"\nwards = ["kejuron"]\n'
        '\n[[responsibility]]\nagency_id = "pupr"\nservices = ["fallen_tree"]\n'
    )
    assert agency(found, "fallen_tree", -7.61, ward="Kejuron") == "dlh"
    assert agency(found, "fallen_tree", -7.61, ward="Taman") == "pupr"


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ('agency_id = "nobody"\nservices = ["fallen_tree"]', "is not an .*agency"),
        ('agency_id = "dlh"\nservices = ["ufo"]', "not a .*service"),
        ('agency_id = "dlh"', "fits everything"),
        ('agency_id = "dlh"\npolygons = [[[1.0, 2.0], [3.0, 4.0]]]', "three corners"),
        ('agency_id = "dlh"\npolygons = [[[1.0, 2.0], [3.0, 4.0], [500.0, 1.0]]]', "three corners"),
        ('agency_id = "dlh"\npolygons = "north"', "a list in brackets"),
    ],
)
def test_what_cannot_be_meant_is_refused(extra: str, said: str) -> None:
    with pytest.raises(BadPolicy, match=said):
        policy(f"\n[[responsibility]]\n{extra}\n")


def test_a_file_of_polygons_beside_the_policy(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(
        TEXT + '\n[[responsibility]]\nagency_id = "dlh"\nfile = "utara.geojson"\n', encoding="utf-8"
    )
    with pytest.raises(BadPolicy, match=r"policy\.toml:\d+: .*There is no file"):
        read_policy(path)
    # A bow tie: it is made valid first.
    ring = [[111.50, -7.60], [111.56, -7.63], [111.56, -7.60], [111.50, -7.63], [111.50, -7.60]]
    feature = {
        "type": "Feature",
        "properties": {"name": "Utara"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    (tmp_path / "utara.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [feature]})
    )
    found = read_policy(path)
    assert found.agency_for(found.service("fallen_tree"), lon=111.555, lat=-7.615) == "dlh"
    assert found.agency_for(found.service("fallen_tree"), lon=111.53, lat=-7.65) != "dlh"


places = st.tuples(
    st.integers(-50, 50).map(lambda n: n / 10), st.integers(-50, 50).map(lambda n: n / 10)
)


@given(st.lists(places, min_size=3, max_size=9, unique=True), places)
def test_inside_is_what_shapely_says(
    ring: list[tuple[float, float]], spot: tuple[float, float]
) -> None:
    polygon = shapely.Polygon(ring)
    if not polygon.is_valid:
        return
    point = shapely.Point(spot)
    edge = polygon.exterior.distance(point)
    if edge > 1e-9:
        assert inside(tuple(ring), *spot) == bool(polygon.contains(point))
