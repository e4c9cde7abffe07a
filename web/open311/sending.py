"""Takes a report that another program sends."""

from __future__ import annotations

import hmac
import math
from collections.abc import Callable, Sequence

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from dispatch.core.errors import Invalid
from dispatch.system import City
from web import errors, intake
from web.auth import the_settings, the_system
from web.errors import Problem
from web.limits import door
from web.open311.doors import SAY, Ending, Jurisdiction, Open311Route, jurisdiction
from web.open311.format import answer, table
from web.pages.rendering import full_link
from web.sentences import Language

router = APIRouter(route_class=Open311Route)


@router.post("/requests.{ending}", status_code=201, dependencies=[Depends(door("open311"))])
async def send_request(
    request: Request, ending: Ending, jurisdiction_id: Jurisdiction = ""
) -> Response:
    """Report something, form-encoded: service_code, description, and lat with long or
    address_string; optionally first_name, last_name, email, phone, media_url.
    """
    async with request.form(max_files=0, max_fields=100, max_part_size=64 * 1024) as data:
        return await run_in_threadpool(_send, request, ending, data, jurisdiction_id)


def _send(request: Request, ending: Ending, data: FormData, jurisdiction_id: str) -> Response:
    def text(name: str) -> str:
        value = data.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    _check_key(request, text("api_key") or request.query_params.get("api_key", ""))
    system, language = the_system(request), errors.language(request)
    city = jurisdiction(system, text("jurisdiction_id") or jurisdiction_id)
    wish = _wish(city, text)
    key = request.headers.get("idempotency-key", "")
    step = intake.step_of(wish, key=key[:100], door="POST /open311/v2/requests") if key else None
    done = intake.receive(system, city, wish, step=step)
    entry = {
        "service_request_id": done.body["ticket"],
        "service_notice": _notice(language, full_link(request, done.body["link"])),
        "account_id": None,
    }
    return answer(ending, table("service_requests", "request", [entry]), [entry], status=201)


def _wish(city: City, text: Callable[[str], str]) -> intake.Wish:
    if text("service_code") not in city.policy.services:
        missing = not text("service_code")
        words = "service_code was not provided." if missing else SAY["service_unknown"].en
        raise Invalid(words, field="service_code")
    lon, lat = _degrees(text("long"), "long"), _degrees(text("lat"), "lat")
    address = text("address_string") or text("address_id")
    if (lon is None or lat is None) and not address:
        raise Invalid(
            "Provide lat and long, or address_string: nobody can be sent without a place.",
            field="lat",
        )
    description = text("description") or city.policy.services[text("service_code")].name
    media = text("media_url")
    if media.startswith(("https://", "http://")) and len(media) <= 500:
        # Kept as words: this server opens no address that a stranger sends.
        description = f"{description}\n{media}"
    name = " ".join(part for part in (text("first_name"), text("last_name")) if part)
    return intake.tidy(
        intake.Wish(
            service_code=text("service_code"),
            description=description,
            channel="open311",
            place_typed=address,
            lon=lon if lat is not None else None,
            lat=lat if lon is not None else None,
            name=name,
            phone=text("phone"),
            email=text("email"),
        )
    )


def _degrees(text: str, name: str) -> float | None:
    if not text:
        return None
    try:
        degrees = float(text)
    except ValueError:
        degrees = math.nan
    if not math.isfinite(degrees):
        raise Invalid(f"{name} is not a number in degrees (WGS 84).", field=name)
    return degrees


def _check_key(request: Request, given: str) -> None:
    """Raises Problem 403 when the administrator set keys and this is none of them."""
    keys: Sequence[str] = the_settings(request).open311_keys
    if keys and not any(hmac.compare_digest(key.encode(), given.encode()) for key in keys):
        raise Problem(403, "key_wrong", sentence=SAY["key_wrong"])


def _notice(language: Language, link: str) -> str:
    if language == "id":
        return f"Laporan diterima. Pantau dan jawab lewat tautan pribadi ini: {link}"
    return f"Report received. Follow it and answer with this private link: {link}"
