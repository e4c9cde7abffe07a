"""Takes a report in, by whichever public door it came, and hands back its number and its key."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import orjson

from dispatch import actions
from dispatch.actions import NewReport
from dispatch.core.errors import Invalid
from dispatch.core.events import Actor
from dispatch.core.reports import Report
from dispatch.core.world import World
from dispatch.storage.store import StoredWorld
from dispatch.system import City, Done, Place, Step, System, asset_of, place_of_asset, token_hash
from geo.assets_file import MOST_CODE
from geo.geocoding import Candidate
from geo.known_places import KnownPlace
from geo.point import Point
from web import photo_rows

MOST: Mapping[str, int] = {
    "description": 4000,
    "place_typed": 300,
    "name": 120,
    "phone": 40,
    "email": 254,
    "asset_code": MOST_CODE,
}
"""The longest text of each field, in characters."""

# About a metre: what is left of a proposal's coordinates after they were written as text.
_SAME_DEG = 1e-5
_PHONE = re.compile(r"\+?[\d\s().\-/]{5,40}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]{2,}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a citizen sent, as they wrote it. Degrees and metres; empty text is no text."""

    service_code: str
    description: str
    channel: str = "web"
    place_typed: str | None = None
    lon: float | None = None
    lat: float | None = None
    accuracy_m: float | None = None
    look_up: bool = True
    """False: the reporter saw the proposals for their words and said that none is right."""
    anonymous: bool = False
    secret: bool = False
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    photo_ids: tuple[UUID, ...] = ()
    upload_token: str | None = None
    external_id: str | None = None
    asset_code: str | None = None
    """The number on the lamp pole, tree or the like, typed or picked on the map."""


def receive(system: System, city: City, wish: Wish, *, step: Step | None) -> Done:
    """Take the report in, once for each key: 201 {ticket, token, link, place_found}.

    Raises Invalid with the `field` to mend, and for coordinates nobody can be sent to with a
    `flag`; Conflict when the key was used for another report.
    """
    wish = tidy(wish)
    check(city, wish)
    asset: KnownPlace | None
    if wish.asset_code:
        asset = asset_of(city, wish.asset_code, service=wish.service_code)
        place = place_of_asset(city, asset, lon=wish.lon, lat=wish.lat)
    else:
        place = _place(system, city, wish)
        asset = _asset_told(city, wish, place)
    token = secrets.token_urlsafe(16)
    new = _new(wish, place, token, asset_code=asset.text if asset is not None else None)

    def action(world: World, now: datetime) -> Report:
        report = actions.receive_report(world, now, Actor("citizen"), new)
        connection = cast(StoredWorld, world).connection
        photo_rows.claim(
            connection,
            city.id,
            wish.photo_ids,
            report_id=report.id,
            upload_token=wish.upload_token,
        )
        return report

    def shown(_: World, report: Report) -> dict[str, Any]:
        return {
            "ticket": report.ticket,
            "token": token,
            "link": f"/{city.id}/r/{report.ticket}?k={token}",
            "place_found": report.lon is not None,
        }

    return system.do(city.id, Actor("citizen"), action, step=step, render=shown, status=201)


def _asset_told(city: City, wish: Wish, place: Place) -> KnownPlace | None:
    """The lamp pole or the like that the words name, where the report stands on it."""
    if city.known is None or not wish.place_typed or place.lon is None or place.lat is None:
        return None
    return city.known.standing_at(wish.place_typed, Point(place.lon, place.lat))


def _place(system: System, city: City, wish: Wish) -> Place:
    if wish.lon is None and not wish.look_up:
        return Place()
    place = system.place_of(
        city.id, lon=wish.lon, lat=wish.lat, accuracy_m=wish.accuracy_m, typed=wish.place_typed
    )
    picked = _picked(city, wish)
    if picked is None:
        return place
    # A street that was picked is no exact spot: it keeps its own name and its own doubt.
    return replace(
        place, label=picked.label, radius_m=picked.radius_m, confidence=picked.confidence
    )


def _picked(city: City, wish: Wish) -> Candidate | None:
    """The proposal for the words that the pin stands on, None for a pin set by hand."""
    if wish.lon is None or wish.lat is None or not wish.place_typed:
        return None
    found = city.geocoder.search(wish.place_typed[:200], limit=5)
    return next(
        (
            each
            for each in found
            if abs(each.point.lon - wish.lon) < _SAME_DEG
            and abs(each.point.lat - wish.lat) < _SAME_DEG
        ),
        None,
    )


def step_of(wish: Wish, *, key: str, door: str, photos: tuple[str, ...] = ()) -> Step:
    """The wish as one repeatable step; `photos` are fingerprints of pictures sent along.

    A browser that sends a form twice uploads its photos twice: their content counts, not their id.
    """
    words = (
        wish.service_code,
        wish.description,
        wish.place_typed,
        wish.lon,
        wish.lat,
        wish.anonymous,
        wish.secret,
        wish.name,
        wish.phone,
        wish.email,
        sorted(photos),
        *([wish.asset_code] if wish.asset_code else ()),
    )
    return Step(
        key=key, method_path=door, body_hash=hashlib.sha256(orjson.dumps(words)).hexdigest()
    )


def _new(wish: Wish, place: Place, token: str, *, asset_code: str | None) -> NewReport:
    return NewReport(
        channel=wish.channel,
        service_code=wish.service_code,
        description=wish.description,
        lon=place.lon,
        lat=place.lat,
        radius_m=place.radius_m,
        place_label=place.label,
        place_confidence=place.confidence,
        place_typed=wish.place_typed,
        ward=place.ward,
        district=place.district,
        anonymous=wish.anonymous,
        secret=wish.secret,
        name=wish.name,
        phone=wish.phone,
        email=wish.email,
        token_hash=token_hash(token),
        photo_ids=wish.photo_ids,
        external_id=wish.external_id,
        asset_code=asset_code,
    )


def tidy(wish: Wish) -> Wish:
    """The same wish without stray spaces and control characters; empty texts become None."""
    fields = {name: getattr(wish, name) for name in Wish.__slots__}
    for name in ("place_typed", "name", "phone", "email", "asset_code"):
        fields[name] = plain_text(fields[name]) or None
    fields["description"] = plain_text(wish.description)
    fields["photo_ids"] = tuple(dict.fromkeys(wish.photo_ids))
    if wish.anonymous:
        fields.update(name=None, phone=None, email=None)
    return Wish(**fields)


def plain_text(text: str | None) -> str:
    """Without control characters and surrounding space; line ends are single line feeds."""
    lines = (text or "").replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", lines).strip()


def check(city: City, wish: Wish) -> None:
    """Raises Invalid for the first field that is not right."""
    city.policy.service(wish.service_code)
    if not wish.description:
        raise Invalid("Write what is wrong: a few words are enough.", field="description")
    for name, most in MOST.items():
        if len(getattr(wish, name) or "") > most:
            raise Invalid(
                f"The text is too long; keep it within {most} characters.", field=name, most=most
            )
    if wish.phone and not is_phone(wish.phone):
        raise Invalid("A phone number has digits, spaces, + and - only.", field="phone")
    if wish.email and not is_email(wish.email):
        raise Invalid("This is not an e-mail address.", field="email")
    if wish.lon is None and wish.lat is None and not (wish.place_typed or wish.asset_code):
        raise Invalid(
            "Say where it is: an address, a landmark, or a pin on the map.", field="place_typed"
        )
    if len(wish.photo_ids) > photo_rows.MOST:
        raise Invalid("Send at most 5 photos.", field="photo_ids", problem="too_many")


def is_phone(text: str) -> bool:
    """Whether it can be a phone number: at least five digits and nothing but its signs."""
    return bool(_PHONE.fullmatch(text)) and sum(c.isdigit() for c in text) >= 5


def is_email(text: str) -> bool:
    """Whether it has the shape of an e-mail address."""
    return bool(_EMAIL.fullmatch(text))
