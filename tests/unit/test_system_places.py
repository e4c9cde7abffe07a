"""Where it is: a place, or a sentence that says what to do; never a guess nobody sees."""

from __future__ import annotations

import math

import pytest

from dispatch.core.errors import Invalid
from dispatch.system.places import SENTENCES, Place, place_of
from tests.story.small_city import EAST, MIDDLE, SOUTH, small_city

CITY = small_city()
LON, LAT = MIDDLE


def refused(
    *, lon: float | None = None, lat: float | None = None, typed: str | None = None
) -> Invalid:
    with pytest.raises(Invalid) as refusal:
        place_of(CITY, lon=lon, lat=lat, typed=typed)
    return refusal.value


@pytest.mark.parametrize(
    ("lon", "lat", "flag"),
    [
        (0.0, 0.0, "zero"),
        (112.0, -8.0, "whole_degree"),
        (LAT, LON, "swapped"),
        (EAST + 0.001, LAT, "out_of_area"),
        (LON, SOUTH - 0.001, "out_of_area"),
        (24.94, 60.17, "out_of_area"),
    ],
)
def test_a_pin_nobody_should_be_sent_to_gets_its_sentence(
    lon: float, lat: float, flag: str
) -> None:
    refusal = refused(lon=lon, lat=lat)
    assert refusal.fields["field"] == "lon"
    assert refusal.fields["flag"] == flag
    assert refusal.detail == SENTENCES[flag]


@pytest.mark.parametrize("typed", ["0, 0", "-8, 112", "60.17, 24.94"])
def test_typed_numbers_are_judged_as_a_pin_is(typed: str) -> None:
    refusal = refused(typed=typed)
    assert refusal.detail in SENTENCES.values()


@pytest.mark.parametrize("bad", [math.nan, math.inf, 181.0])
def test_what_is_no_position_is_refused(bad: float) -> None:
    assert "Put the pin on the map instead." in refused(lon=bad, lat=LAT).detail


def test_half_a_position_is_refused() -> None:
    assert "both longitude and latitude" in refused(lon=LON).detail
    assert "both longitude and latitude" in refused(lat=LAT).detail


def test_a_pin_is_named_and_keeps_its_accuracy() -> None:
    place = place_of(CITY, lon=LON - 0.01, lat=LAT, accuracy_m=35.0)
    assert place == Place(
        lon=LON - 0.01,
        lat=LAT,
        radius_m=35.0,
        label="Jalan Pahlawan",
        confidence=1.0,
        ward="Barat",
        district="Kartoharjo",
    )
    assert place_of(CITY, lon=LON, lat=LAT).radius_m == 15.0


def test_the_pin_goes_before_what_was_typed() -> None:
    place = place_of(CITY, lon=LON + 0.01, lat=LAT, typed="Jalan Pahlawan")
    assert (place.lon, place.ward) == (LON + 0.01, "Timur")


def test_typed_coordinates_in_the_wrong_order_are_put_right_and_flagged() -> None:
    right, wrong = (
        place_of(CITY, lon=None, lat=None, typed=typed)
        for typed in (f"{LAT}, {LON}", f"{LON}, {LAT}")
    )
    assert (right.lon, right.lat) == (wrong.lon, wrong.lat) == (LON, LAT)
    assert (right.flags, wrong.flags) == ((), ("swapped",))


def test_an_address_is_found_with_its_doubt() -> None:
    place = place_of(CITY, lon=None, lat=None, typed="depan jl pahlawan")
    assert (place.label, place.confidence, place.radius_m) == ("Jalan Pahlawan", 0.9, 120.0)


@pytest.mark.parametrize("typed", [None, "", "   "])
def test_without_a_place_there_is_none(typed: str | None) -> None:
    assert place_of(CITY, lon=None, lat=None, typed=typed) == Place()


def test_an_address_nobody_knows_gives_no_position_and_no_guess() -> None:
    place = place_of(CITY, lon=None, lat=None, typed="rumah pak lurah lama")
    assert place == Place(confidence=0.0)
