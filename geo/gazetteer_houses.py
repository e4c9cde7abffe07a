"""Where a house number is: on the map, or between the mapped numbers beside it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import shapely
from shapely.geometry.base import BaseGeometry

from geo.gazetteer_blocks import Spot
from geo.gazetteer_build import house_value
from geo.gazetteer_rank import Found, with_notes
from geo.gazetteer_text import ROAD_WORDS, words
from geo.point import Point, distance_m

House = tuple[str, int, Point]
"""The number as written, its value, and where it is."""

_EXACT_M = 15.0
_FAR_BEYOND_M = 300.0
"""The mapped part of a street that ends so far from the number's block is another place."""
_FARTHEST_GAP = 60
"""Mapped numbers farther apart than this say nothing about those between them."""


def find_house(
    street_found: Found,
    number: str,
    houses: Sequence[House],
    *,
    is_bare: bool,
    street: str,
    shape: Callable[[], BaseGeometry | None],
    block: Callable[[int], Spot | None] = lambda _: None,
) -> Found:
    """The house on the street that was found, or the street with a note that the number is not.

    `houses` in the order of their values; `is_bare`: the number may have been part of a name;
    `block` says where a number must be in a city of numbered blocks.
    """
    if not houses:
        if not is_bare:
            return _in_block(street_found, number, block, street, score=0.0)
        # Where no house is mapped, "Tebet 3" is more likely a street of that name.
        fit = replace(street_found.fit, numbers=0.5)
        return with_notes(replace(street_found, fit=fit), "bare_number", score=-0.12)
    label = _address(street, number, street_found)
    exact = next((where for n, _, where in houses if n.lower() == number.lower()), None)
    same_value = next((where for _, v, where in houses if v == house_value(number)), None)
    if exact or same_value:
        spot = exact or same_value or street_found.point
        at = _moved(street_found, spot, label, _EXACT_M if exact else 2 * _EXACT_M)
        return with_notes(at, "house", score=0.03)
    between = _between(house_value(number), houses, shape)
    if between:
        return with_notes(_moved(street_found, *_labelled(between, label)), "between")
    return _in_block(street_found, number, block, street, score=-0.06 if is_bare else -0.01)


def _in_block(
    found: Found,
    number: str,
    block: Callable[[int], Spot | None],
    street: str,
    *,
    score: float,
) -> Found:
    """Where the number's block is, if the city has blocks and this part of the street is mapped."""
    value = house_value(number)
    spot = block(value) if value is not None else None
    if spot is None:
        return with_notes(found, "no_house", score=score)
    if spot.beyond_m > 0:
        far = ("far_beyond",) if spot.beyond_m > _FAR_BEYOND_M else ()
        return with_notes(found, "beyond", *far, score=score - 0.05)
    label = _address(street, number, found)
    return with_notes(_moved(found, spot.point, label, spot.radius_m), "block", score=0.02)


def _labelled(between: tuple[Point, float], label: str) -> tuple[Point, str, float]:
    return between[0], label, between[1]


def _moved(found: Found, spot: Point, label: str, radius_m: float) -> Found:
    return replace(found, point=spot, label=label, kind="address", radius_m=radius_m)


def _between(
    value: int | None, houses: Sequence[House], shape: Callable[[], BaseGeometry | None]
) -> tuple[Point, float] | None:
    """The place between the nearest lower and higher number, on the same side when both are."""
    if value is None:
        return None
    same_side = [house for house in houses if house[1] % 2 == value % 2]
    for known in (same_side, houses):
        lower = max((h for h in known if h[1] < value), key=lambda h: h[1], default=None)
        higher = min((h for h in known if h[1] > value), key=lambda h: h[1], default=None)
        if lower and higher and higher[1] - lower[1] <= _FARTHEST_GAP:
            share = (value - lower[1]) / (higher[1] - lower[1])
            a, b = lower[2], higher[2]
            spot = Point(a.lon + share * (b.lon - a.lon), a.lat + share * (b.lat - a.lat))
            return _onto(spot, shape()), max(2 * _EXACT_M, distance_m(a, b) / 2)
    return None


def _onto(p: Point, shape: BaseGeometry | None) -> Point:
    if shape is None:
        return p
    nearest = shapely.shortest_line(shape, shapely.Point(p.lon, p.lat)).coords[0]
    return Point(*nearest[:2])


def _address(street: str, number: str, found: Found) -> str:
    spelled = words(street)
    if spelled[0] in ("jalan", "gang", "lorong"):
        address = f"{street} No. {number.upper()}"
    elif spelled[-1] in ROAD_WORDS:
        address = f"{number.upper()} {street}"
    else:
        address = f"{street} {number.upper()}"
    return f"{address}, {found.ward}" if found.ward else address
