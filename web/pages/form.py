"""The report form: what was typed, what is wrong with it, and what becomes of it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from starlette.datastructures import FormData, UploadFile

from dispatch.core.errors import Invalid
from dispatch.system import City
from geo.coordinates import read_coordinates
from geo.geocoding import Candidate
from geo.point import Point
from web import intake
from web.intake import MOST
from web.pages.texts import Texts

NONE_OF_THEM = "none"
_KEY = re.compile(r"[A-Za-z0-9_-]{8,100}")
LIMITS: Mapping[str, int] = {**MOST, "place": MOST["place_typed"]}


@dataclass(frozen=True, slots=True)
class Form:
    """The form as it was typed, all of it text, so that it can be shown again unchanged.

    `key` makes a double send one report; it also opens the photos already sent. `choice` is
    "lon,lat" of a proposed place that the reader picked, or `NONE_OF_THEM`.
    """

    key: str
    service_code: str = ""
    description: str = ""
    place_typed: str = ""
    lon: str = ""
    lat: str = ""
    accuracy_m: str = ""
    pin_label: str = ""
    choice: str = ""
    asset_code: str = ""
    name: str = ""
    phone: str = ""
    email: str = ""
    anonymous: bool = False
    secret: bool = False
    photo_ids: tuple[UUID, ...] = ()

    def wish(self) -> intake.Wish:
        """What the form asks for. A pin counts before the words."""
        lon, lat, accuracy_m = _number(self.lon), _number(self.lat), _number(self.accuracy_m)
        return intake.tidy(
            intake.Wish(
                service_code=self.service_code,
                description=self.description,
                place_typed=self.place_typed,
                look_up=self.choice != NONE_OF_THEM,
                lon=lon,
                lat=lat,
                accuracy_m=accuracy_m if accuracy_m and 0 < accuracy_m <= 100_000 else None,
                asset_code=self.asset_code,
                anonymous=self.anonymous,
                secret=self.secret,
                name=self.name,
                phone=self.phone,
                email=self.email,
                photo_ids=self.photo_ids,
                upload_token=self.key,
            )
        )

    def pinned(self, spot: Point, label: str) -> Form:
        """The same form with a pin, called `label`."""
        return replace(self, lon=str(spot.lon), lat=str(spot.lat), accuracy_m="", pin_label=label)

    def unpinned(self) -> Form:
        """The same form without a pin, and without the number of the thing it stood on."""
        bare = replace(self, lon="", lat="", accuracy_m="", pin_label="", choice="")
        return replace(bare, asset_code="")


def fresh() -> Form:
    """An empty form with a key of its own."""
    return Form(key=uuid4().hex)


def read(data: FormData) -> Form:
    """The form a browser sent. What cannot be read is left out rather than refused."""

    def text(name: str) -> str:
        value = data.get(name, "")
        return value if isinstance(value, str) else ""

    key = text("key")
    return Form(
        key=key if _KEY.fullmatch(key) else uuid4().hex,
        service_code=text("service_code"),
        description=text("description"),
        place_typed=text("place_typed"),
        lon=text("lon"),
        lat=text("lat"),
        accuracy_m=text("accuracy_m"),
        pin_label=text("pin_label")[:200],
        choice=text("choice"),
        asset_code=text("asset_code"),
        name=text("name"),
        phone=text("phone"),
        email=text("email"),
        anonymous=text("anonymous") == "1",
        secret=text("secret") == "1",
        photo_ids=_ids(data.getlist("photo_id")),
    )


def uploads(data: FormData) -> list[UploadFile]:
    """The photos sent along; a browser sends one without a name when none was chosen."""
    return [
        each
        for each in data.getlist("photo")
        if isinstance(each, UploadFile) and (each.filename or each.size)
    ]


def _ids(values: Sequence[UploadFile | str]) -> tuple[UUID, ...]:
    found = []
    for value in values:
        try:
            found.append(UUID(str(value)))
        except ValueError:
            continue
    return tuple(dict.fromkeys(found))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def chosen_point(choice: str) -> Point | None:
    """The place of a proposal the reader picked, or None."""
    lon, _, lat = choice.partition(",")
    try:
        return Point(float(lon), float(lat))
    except ValueError:
        return None


def choice_of(candidate: Candidate) -> str:
    """What a proposal is called in the form."""
    return f"{candidate.point.lon:.6f},{candidate.point.lat:.6f}"


# --- what is wrong ----------------------------------------------------------------


def problems(form: Form, city: City, t: Texts) -> dict[str, str]:
    """A sentence for every field that is not right, in the order of the form."""
    wish = form.wish()
    found: dict[str, str] = {}
    if wish.service_code not in city.policy.services:
        found["service_code"] = t("error.service")
    if not wish.description:
        found["description"] = t("error.description_empty")
    elif len(wish.description) > MOST["description"]:
        found["description"] = t(
            "error.description_long", most=MOST["description"], now=len(wish.description)
        )
    if wish.lon is None and not (wish.place_typed or wish.asset_code):
        found["place_typed"] = t("error.place_empty")
    elif len(wish.place_typed or "") > MOST["place_typed"]:
        found["place_typed"] = t("error.place_long", most=MOST["place_typed"])
    elif wish.lon is None and (straight := _swapped(wish.place_typed or "", city)):
        found["place_typed"] = swapped_sentence(straight, t)
    if len(wish.asset_code or "") > MOST["asset_code"]:
        found["asset_code"] = t("error.asset_unknown")
    if len(wish.name or "") > MOST["name"]:
        found["name"] = t("error.name_long", most=MOST["name"])
    if wish.phone and not intake.is_phone(wish.phone):
        found["phone"] = t("error.phone")
    if wish.email and not intake.is_email(wish.email):
        found["email"] = t("error.email")
    return found


def refusal(error: Invalid, form: Form, city: City, t: Texts) -> dict[str, str]:
    """The field and the sentence for what only the rules below could see."""
    flag, field = error.fields.get("flag"), str(error.fields.get("field", "description"))
    wish = form.wish()
    if flag == "swapped" and wish.lon is not None and wish.lat is not None:
        return {"place_typed": swapped_sentence(Point(wish.lat, wish.lon), t)}
    if flag == "zero":
        return {"place_typed": t("error.place_zero")}
    if flag == "whole_degree":
        return {"place_typed": t("error.place_whole_degree")}
    if flag == "short_link":
        return {"place_typed": t("error.place_short_link")}
    if flag == "out_of_area":
        return {"place_typed": t("error.place_out_of_area", city=city.name)}
    if field == "asset_code":
        problem = error.fields.get("problem")
        known = problem in ("unknown", "several", "apart")
        metres = error.fields.get("apart_m", "")
        return {field: t(f"error.asset_{problem if known else 'unknown'}", metres=metres)}
    if field in ("lon", "lat"):
        return {"place_typed": t("error.place_bad")}
    if field == "photo_ids":
        return {"photos": t("error.photo_gone")}
    return {field: t("error.refused", detail=error.detail)}


def _swapped(typed: str, city: City) -> Point | None:
    """The place that was meant when latitude and longitude were typed the wrong way round.

    The person is asked to put them right: only they know that it was no other mistake.
    """
    reading = read_coordinates(typed, box=city.box)
    return reading.point if reading and "swapped" in reading.flags else None


def swapped_sentence(meant: Point, t: Texts) -> str:
    """What to write instead of swapped coordinates."""
    return t("error.place_swapped", lat=f"{meant.lat:.5f}", lon=f"{meant.lon:.5f}")


def photo_problem(error: Invalid, filename: str, t: Texts) -> str:
    """The sentence for a photo that was refused."""
    name = filename or t("form.photos")
    match error.fields.get("problem"):
        case "empty":
            return t("error.photo_empty", name=name)
        case "too_large":
            return t("error.photo_too_large", name=name)
        case "too_many_pixels":
            return t("error.photo_too_many_pixels", name=name)
        case "too_small":
            return t("error.photo_too_small", name=name)
        case "broken":
            return t("error.photo_broken", name=name)
        case _:
            return t("error.photo_not_a_picture", name=name)
