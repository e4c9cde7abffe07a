"""A truck with a bucket fits neither under a low bridge nor between two walls; a car does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dispatch.system.cities import read_policy
from geo.osm_import import import_extract
from geo.osm_rules import LIMITS, limits_of, metres, tonnes
from geo.roadarrays import RoadArrays
from geo.roadgraph import RoadGraph
from tests.maps import grid
from tests.maps import metres as at

TRUCK = frozenset(LIMITS) - {"no_cars", "no_motorbikes"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3.5", 3.5),
        ("3,5 m", 3.5),
        ("350 cm", 3.5),
        ("11'6\"", 3.505),
        ("11'", 3.353),
        ("12 ft", 3.658),
        ("default", None),
        ("none", None),
        ("0", None),
        ("-3", None),
        ("9" * 400, None),
        ("", None),
        (None, None),
    ],
)
def test_heights_are_read_in_every_unit(text: str | None, value: float | None) -> None:
    assert metres(text) == (value if value is None else pytest.approx(value, abs=0.001))


@pytest.mark.parametrize(
    ("text", "value"),
    [("7.5", 7.5), ("3500 kg", 3.5), ("10 st", 9.072), ("7,5t", 7.5), ("unsigned", None)],
)
def test_weights_are_read_in_every_unit(text: str, value: float | None) -> None:
    assert tonnes(text) == (value if value is None else pytest.approx(value, abs=0.001))


@pytest.mark.parametrize(
    ("tags", "held"),
    [
        ({}, []),
        ({"maxheight": "2.1"}, ["low"]),
        ({"maxheight": "4.2", "hgv": "no"}, []),
        ({"maxwidth": "2"}, ["narrow"]),
        ({"width": "2.2 m", "maxweight": "3.5"}, ["narrow", "weak"]),
        ({"width": "6", "maxweight": "20", "hgv": "designated"}, []),
    ],
)
def test_what_holds_on_a_way(tags: dict[str, str], held: list[str]) -> None:
    bits = limits_of(tags)
    assert [name for n, name in enumerate(LIMITS) if bits >> n & 1] == held


@pytest.mark.parametrize(
    "tags", [{"maxheight": "2.5"}, {"maxwidth": "2"}, {"maxweight": "3.5"}, {"hgv": "no"}]
)
def test_a_truck_goes_round_what_a_car_passes(tmp_path: Path, tags: dict[str, str]) -> None:
    map_ = grid(3)
    nodes = map_.ways[1_000][0]
    map_.ways[1_000] = (nodes, {"highway": "residential", "name": "Jalan 1", **tags})
    town = RoadGraph(import_extract(map_.write(tmp_path / "town.osm")))
    a, b = at(50, 0), at(350, 0)
    car, truck = town.route(a, b), town.for_vehicle(TRUCK).route(at(0, 100), at(400, 100))
    assert car is not None
    assert car.length_m == pytest.approx(300, rel=0.01)
    assert truck is not None
    assert truck.length_m == pytest.approx(600, rel=0.01)
    assert all(point.lat > 0.0004 for point in truck.points)
    assert town.for_vehicle({"track"}) is town


def test_limits_are_kept_and_older_cities_have_none(tmp_path: Path) -> None:
    map_ = grid(3)
    map_.ways[1_000] = (map_.ways[1_000][0], {"highway": "residential", "maxheight": "2"})
    arrays = import_extract(map_.write(tmp_path / "town.osm"))
    file = tmp_path / "roads.npz"
    arrays.save(file)
    assert np.array_equal(RoadArrays.load(file).edge_limit, arrays.edge_limit)
    assert arrays.edge_limit.any()
    with np.load(file) as stored:
        older = {name: stored[name] for name in stored.files if name != "edge_limit"}
    np.savez(file, **older)
    assert not RoadArrays.load(file).edge_limit.any()


def test_the_truck_of_the_policy_minds_them() -> None:
    assert set(read_policy(None).vehicles["truck"].avoids) >= TRUCK
