"""In a city of numbered blocks a number is found on a street that has none on the map."""

import random

import pytest
import shapely
from shapely.geometry import LineString, MultiLineString
from shapely.geometry.base import BaseGeometry

from geo.areas import Area, Areas
from geo.gazetteer import Gazetteer, build_gazetteer
from geo.gazetteer_blocks import Blocks, Numbered, axis_of
from geo.geocoding import ACCEPT
from geo.point import METRES_PER_DEGREE, Point, distance_m
from tests.unit.test_geo_gazetteer import Sketch

LON, LAT = -76.60, 0.0
"""On the equator a degree is as long in both directions."""
BLOCK_M = 110.0


def at(east_m: float, north_m: float) -> tuple[float, float]:
    return LON + east_m / METRES_PER_DEGREE, LAT + north_m / METRES_PER_DEGREE


def eastward(north_m: float, first_m: float = 0.0, last_m: float = 3300.0) -> LineString:
    return LineString([at(first_m, north_m), at(last_m, north_m)])


def houses(
    street: int, north_m: float, numbers: list[int], *, shift_m: float = 0
) -> list[Numbered]:
    return [Numbered(street, n, Point(*at(n / 100 * BLOCK_M + shift_m, north_m))) for n in numbers]


def grid(*, every_street_for_itself: bool = False) -> Blocks:
    """Ten parallel streets with some mapped numbers each."""
    known: list[Numbered] = []
    shapes: dict[int, tuple[str, BaseGeometry]] = {}
    chance = random.Random(1)
    for street in range(10):
        shift = chance.uniform(-1500, 1500) if every_street_for_itself else chance.uniform(-15, 15)
        numbers = sorted(chance.sample(range(100, 2900), 12))
        known += houses(street, 100.0 * street, numbers, shift_m=shift)
        shapes[street] = ("east", eastward(100.0 * street))
    return Blocks(known, shapes)


@pytest.mark.parametrize("number", [250, 1200, 2850])
def test_the_block_is_found_on_a_street_without_numbers(number: int) -> None:
    spot = grid().spot(number, "east", eastward(1050.0))
    assert spot is not None
    assert distance_m(spot.point, Point(*at(number / 100 * BLOCK_M, 1050.0))) < 60
    assert spot.radius_m >= 60
    assert spot.beyond_m == 0


def test_of_a_street_in_pieces_the_piece_with_the_number_is_taken() -> None:
    pieces = MultiLineString([eastward(1050, 0, 800), eastward(1050, 2500, 3300)])
    spot = grid().spot(2600, "east", pieces)
    assert spot is not None
    assert distance_m(spot.point, Point(*at(26 * BLOCK_M, 1050))) < 60
    short = grid().spot(2600, "east", eastward(1050, 0, 800))
    assert short is not None
    assert short.beyond_m > 1500


def test_where_every_street_counts_for_itself_nothing_is_told() -> None:
    blocks = grid(every_street_for_itself=True)
    assert blocks.told_by == {}
    assert blocks.spot(1200, "east", eastward(1050.0)) is None


def test_far_past_the_last_known_number_nothing_is_told() -> None:
    assert grid().spot(9900, "east", eastward(1050.0)) is None
    # Nor on a street that runs across, or on the other side of the city.
    across = LineString([at(500, 0), at(500, 3000)])
    assert grid().spot(1200, "north", across) is None
    assert grid().spot(1200, "west", eastward(1050.0)) is None


def test_a_street_without_a_side_counts_like_those_that_have_one() -> None:
    spot = grid().spot(1200, "orleans", eastward(1050.0))
    assert spot is not None
    assert spot.beyond_m == 0


def test_no_houses_no_blocks() -> None:
    assert Blocks([], {}).spot(1, "east", eastward(0.0)) is None


def test_which_way_a_street_runs() -> None:
    assert axis_of(eastward(0.0), 1.0) == "ew"
    assert axis_of(LineString([at(0, 0), at(100, 900)]), 1.0) == "ns"
    assert axis_of(LineString([at(0, 0), at(500, 500)]), 1.0) is None
    assert axis_of(LineString([at(0, 0), at(500, 0), at(500, 500)]), 1.0) is None


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Gazetteer:
    """Parallel avenues a hundred metres apart; the numbers of most of them are on the map."""
    sketch, chance = Sketch(), random.Random(2)
    for row, name in enumerate(("Oak", "Elm", "Pine", "Ash", "Cedar", "Birch")):
        sketch.street(f"East {name} Avenue", *((x, row) for x in range(21)))
        for number in sorted(chance.sample(range(100, 2000), 14)):
            house = {"addr__housenumber": str(number), "addr__street": f"East {name} Avenue"}
            sketch.place(number / 100, row + 0.1, **house)
    # Lost in the middle, and without a number of its own.
    sketch.street("East Walnut Avenue", (0, 7), (2, 7), (5, 7))
    sketch.street("East Walnut Avenue", (12, 7), (15, 7), (20, 7))
    # Its old name is that of another street far away, which this map does not have.
    sketch.street("East Maple Avenue", *((x, 8) for x in range(21)))
    sketch.parts[-1] = sketch.parts[-1].replace(
        "</way>", "<tag k='old_name' v='9th Street'/></way>"
    )
    folder = tmp_path_factory.mktemp("town")
    whole = shapely.box(111.49, -7.62, 111.53, -7.59)
    areas = Areas(
        [
            Area("c", "Springfield", "city", None, None, whole),
            Area("w", "Midtown", "ward", "c", None, whole),
        ]
    )
    build_gazetteer(sketch.save(folder / "town.osm"), areas, folder / "town.sqlite3")
    return Gazetteer.open(folder / "town.sqlite3")


def test_an_address_is_put_into_its_block(town: Gazetteer) -> None:
    best = town.search("1710 E WALNUT AVE, Springfield City", language="en")[0]
    assert (best.kind, best.label) == ("address", "1710 East Walnut Avenue, Midtown")
    assert distance_m(best.point, Point(111.50 + 17.1 * 0.001, -7.607)) < 80
    assert best.confidence >= ACCEPT
    assert "block" in best.reason


def test_a_number_in_the_part_that_is_lost_is_not_sure(town: Gazetteer) -> None:
    best = town.search("850 E Walnut Ave", language="en")[0]
    assert best.kind == "street"
    assert "part of the street that is not on the map" in best.reason
    assert best.confidence < ACCEPT


def test_an_old_name_is_not_sure_without_the_number(town: Gazetteer) -> None:
    assert town.search("9th St", language="en")[0].label == "East Maple Avenue, Midtown"
    best = town.search("4312 9th St, Springfield", language="en")[0]
    assert best.confidence < ACCEPT
    assert "another name" in best.reason
