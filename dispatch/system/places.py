"""Where it is: what a reporter gave becomes a place, or a sentence that says what to do."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dispatch.core.errors import Invalid
from dispatch.system.cities import City
from geo.coordinates import is_bare_short_link, read_coordinates
from geo.geocoding import ACCEPT
from geo.known_places import KnownPlace
from geo.point import BadPoint, Point, distance_m, suspicion

MOST_RADIUS_M = 400.0
"""A find that may lie farther off is no place to send a crew to: a person sets the pin."""

ASSET_APART_M = 150.0
"""A pin farther from the thing whose number was given speaks of another place."""

SENTENCES = {
    "zero": "The position is 0, 0: the phone had none. Put the pin on the map or type the place.",
    "whole_degree": (
        "The position has whole degrees only, which is kilometres off. "
        "Put the pin on the map or type the place."
    ),
    "swapped": "Latitude and longitude seem to be swapped. Put the pin on the map instead.",
    "short_link": (
        "This short link says where only over the internet. Open it and send the long link, "
        "put the pin on the map, or type the place."
    ),
    "out_of_area": "This place is outside the city served here. Check the pin.",
}


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of a place. Without `lon` and `lat` a dispatcher sets the pin.

    `radius_m` says how far off it may be; `confidence` 0…1; `flags` what is odd about it.
    """

    lon: float | None = None
    lat: float | None = None
    radius_m: float | None = None
    label: str | None = None
    confidence: float | None = None
    ward: str | None = None
    district: str | None = None
    flags: tuple[str, ...] = ()


def place_of(
    city: City,
    *,
    lon: float | None,
    lat: float | None,
    accuracy_m: float | None = None,
    typed: str | None = None,
) -> Place:
    """The place of a pin, or of typed coordinates, a map link, an address or a landmark.

    Raises Invalid (with `flag`) for coordinates nobody should be sent to: zero, whole degrees,
    swapped, outside the city. An address that is not found surely gives a place without position.
    """
    if lon is not None and lat is not None:
        return _pinned(city, lon, lat, radius_m=accuracy_m or 15.0)
    if lon is not None or lat is not None:
        raise Invalid("A position needs both longitude and latitude.", field="lon")
    if not typed or not typed.strip():
        return Place()
    reading = read_coordinates(typed, box=city.box)
    if reading is not None:
        # numbers exchanged by mistake were put right by the reading: kept as a flag, not refused
        refused = [flag for flag in reading.flags if flag != "swapped"]
        if refused:
            raise _refusal(refused[0], field="place_typed")
        place = _pinned(city, reading.point.lon, reading.point.lat, radius_m=15.0)
        return replace(place, flags=tuple(reading.flags))
    if is_bare_short_link(typed):
        raise _refusal("short_link", field="place_typed")
    return _searched(city, typed)


def numbered_kinds(city: City, service_code: str) -> list[str]:
    """The kinds of numbered things of the city that a service is about, by name."""
    kinds = city.known.kinds() if city.known is not None else frozenset()
    return sorted(kinds.intersection(city.policy.service(service_code).assets))


def asset_of(city: City, code: str, *, service: str | None = None) -> KnownPlace:
    """The lamp pole, tree or the like with this number, however it is spelled.

    `service` decides between a pole and a tree with the same number. Raises Invalid for a number
    that is not on the city's list, or that several things carry.
    """
    kinds = city.policy.service(service).assets if service else ()
    found = city.known.numbered(code, kinds=kinds) if city.known is not None else []
    if not found:
        raise Invalid(
            "No lamp pole, tree or the like has this number. Check it, or leave it empty and "
            "write the number with the place.",
            field="asset_code",
            problem="unknown",
        )
    if len(found) > 1:
        raise Invalid(
            "Several things carry this number. Write it as it is painted, with its letters.",
            field="asset_code",
            problem="several",
        )
    return found[0]


def place_of_asset(city: City, asset: KnownPlace, *, lon: float | None, lat: float | None) -> Place:
    """The place of a numbered thing. Raises Invalid where a pin was set far from it."""
    apart_m = 0.0
    if lon is not None and lat is not None:
        _pinned(city, lon, lat, radius_m=15.0)
        apart_m = distance_m(Point(lon, lat), asset.point)
    if apart_m > ASSET_APART_M:
        raise Invalid(
            f"Number {asset.text} stands {round(apart_m)} m from the pin. "
            "Check the number, or remove the pin.",
            field="asset_code",
            problem="apart",
            apart_m=round(apart_m),
        )
    return Place(
        lon=asset.point.lon,
        lat=asset.point.lat,
        radius_m=asset.radius_m,
        label=asset.label,
        confidence=1.0,
        ward=asset.ward,
        district=asset.district,
    )


def _pinned(city: City, lon: float, lat: float, *, radius_m: float) -> Place:
    try:
        point = Point(lon, lat)
    except BadPoint as error:
        if _swapped(city, lon, lat):
            raise _refusal("swapped", field="lon") from error
        raise Invalid(f"{error} Put the pin on the map instead.", field="lon") from error
    odd = suspicion(point)
    if odd is not None:
        raise _refusal(odd, field="lon")
    if not city.areas.covers(point):
        raise _refusal("swapped" if _swapped(city, lon, lat) else "out_of_area", field="lon")
    attribution = city.areas.attribute(point)
    phrase = city.geocoder.reverse(point)
    return Place(
        lon=lon,
        lat=lat,
        radius_m=radius_m,
        label=phrase.text if phrase else None,
        confidence=1.0,
        ward=attribution.ward if attribution else None,
        district=attribution.district if attribution else None,
    )


def _swapped(city: City, lon: float, lat: float) -> bool:
    """Whether the numbers are a place in the city when they change seats."""
    try:
        return city.box.contains(Point(lat, lon))
    except BadPoint:
        return False


def _searched(city: City, typed: str) -> Place:
    found = city.geocoder.search(typed, limit=1)
    if not found or found[0].confidence < ACCEPT:
        return Place(confidence=found[0].confidence if found else 0.0)
    best = found[0]
    if best.radius_m > MOST_RADIUS_M:
        return Place(
            radius_m=best.radius_m,
            label=best.label,
            confidence=best.confidence,
            ward=best.ward,
            district=best.district,
        )
    attribution = city.areas.attribute(best.point)
    return Place(
        lon=best.point.lon,
        lat=best.point.lat,
        radius_m=best.radius_m,
        label=best.label,
        confidence=best.confidence,
        ward=attribution.ward if attribution else best.ward,
        district=attribution.district if attribution else best.district,
    )


def _refusal(flag: str, *, field: str) -> Invalid:
    return Invalid(SENTENCES[flag], field=field, flag=flag)
