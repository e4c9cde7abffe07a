"""Open311 GeoReport v2: the door for other cities' programs (wiki.open311.org/GeoReport_v2)."""

from __future__ import annotations

import hmac
import math
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from dispatch.core import tickets
from dispatch.core.errors import Invalid, SigapError
from dispatch.core.policy import Service
from dispatch.system import City, System
from web import errors, intake, public_reports
from web.auth import TheSystem, the_settings, the_system
from web.errors import Problem
from web.limits import door
from web.open311_format import Element, Format, answer, faults
from web.pages.rendering import full_link
from web.public_reports import PublicReport, Question
from web.sentences import Language, Sentence

MOST = 1000
MOST_A_PAGE = 200
DEFAULT_SPAN = timedelta(days=90)

Ending = Literal["xml", "json"]
Jurisdiction = Annotated[str, Query(max_length=100)]


class Open311Route(APIRoute):
    """Refuses in the protocol's own shape: a list of code and description, XML or JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def spoken(request: Request) -> Response:
            language = errors.language(request)
            try:
                return await handle(request)
            except SigapError as error:
                status = {404: 404}.get(errors.STATUS_OF.get(error.code, 400), 400)
                words = errors.sentence_of(error, language)
                return faults(_format(request), status, [words])
            except RequestValidationError as error:
                named = sorted({str(found["loc"][-1]) for found in error.errors()})
                return faults(_format(request), 400, [f"{name} is not valid" for name in named])
            except HTTPException as error:
                words = error.say(language) if isinstance(error, Problem) else str(error.detail)
                response = faults(_format(request), error.status_code, [words])
                response.headers.update(error.headers or {})
                return response

        return spoken


router = APIRouter(prefix="/open311/v2", tags=["open311"], route_class=Open311Route)


def _format(request: Request) -> Format:
    return "json" if request.url.path.endswith(".json") else "xml"


def _city(system: System, jurisdiction_id: str) -> City:
    """The jurisdiction; a server of one city needs none named."""
    cities = system.cities()
    if not jurisdiction_id:
        if len(cities) == 1:
            return cities[0]
        raise Problem(400, "jurisdiction_missing", sentence=_SAY["jurisdiction_missing"])
    wanted = jurisdiction_id.strip().lower()
    for city in cities:
        if wanted in (city.id, city.name.lower()):
            return city
    raise Problem(404, "jurisdiction_unknown", sentence=_SAY["jurisdiction_unknown"])


_SAY = {
    "jurisdiction_missing": Sentence(
        "jurisdiction_id was not provided: name the city.",
        "jurisdiction_id belum diisi: sebutkan kotanya.",
    ),
    "jurisdiction_unknown": Sentence(
        "jurisdiction_id was not found: no such city is served here.",
        "jurisdiction_id tidak ditemukan: kota itu tidak dilayani di sini.",
    ),
    "service_unknown": Sentence(
        "service_code was not found: ask for /services for the known ones.",
        "service_code tidak ditemukan: lihat /services untuk yang dikenal.",
    ),
    "request_unknown": Sentence(
        "service_request_id was not found.", "service_request_id tidak ditemukan."
    ),
    "key_wrong": Sentence(
        "api_key was not provided or is not valid: ask the city for one.",
        "api_key belum diisi atau tidak berlaku: minta ke kota.",
    ),
}


# --- what can be reported ---------------------------------------------------------


@router.get("/discovery.{ending}")
def discovery(request: Request, ending: Ending) -> Response:
    """Where this service is and what it speaks (Open311 service discovery)."""
    formats = ["text/xml", "application/json"]
    endpoint = {
        "specification": "http://wiki.open311.org/GeoReport_v2",
        "url": full_link(request, "/open311/v2"),
        "changeset": "2026-11-22T00:00:00Z",
        "type": "production",
        "formats": formats,
    }
    body = {
        "changeset": "2026-11-22T00:00:00Z",
        "contact": "",
        "key_service": "",
        "endpoints": [endpoint],
    }
    tree = Element("discovery", fields={k: v for k, v in body.items() if k != "endpoints"})
    tree.children.append(
        Element(
            "endpoints",
            children=[
                Element(
                    "endpoint",
                    fields={k: v for k, v in endpoint.items() if k != "formats"},
                    children=[
                        Element(
                            "formats", children=[Element("format", text=each) for each in formats]
                        )
                    ],
                )
            ],
        )
    )
    return answer(ending, tree, body)


@router.get("/services.{ending}")
def services(
    request: Request, ending: Ending, system: TheSystem, jurisdiction_id: Jurisdiction = ""
) -> Response:
    """The kinds of problem that can be reported."""
    city = _city(system, jurisdiction_id)
    language = errors.language(request)
    listed = [_service(each, language) for each in city.policy.services.values()]
    return answer(ending, _tree("services", "service", listed), listed)


@router.get("/services/{service_code}.{ending}")
def service_definition(
    request: Request,
    service_code: str,
    ending: Ending,
    system: TheSystem,
    jurisdiction_id: Jurisdiction = "",
) -> Response:
    """What one kind of problem asks beside the usual; here none asks more."""
    city = _city(system, jurisdiction_id)
    if service_code not in city.policy.services:
        raise Problem(404, "service_unknown", sentence=_SAY["service_unknown"])
    tree = Element(
        "service_definition",
        fields={"service_code": service_code},
        children=[Element("attributes")],
    )
    return answer(ending, tree, {"service_code": service_code, "attributes": []})


def _service(service: Service, language: Language) -> dict[str, Any]:
    name = service.name_en if language == "en" else service.name
    return {
        "service_code": service.service_code,
        "service_name": name,
        "description": name,
        "metadata": False,
        "type": "realtime",
        "keywords": ",".join(service.keywords),
        "group": service.group,
    }


# --- reporting --------------------------------------------------------------------


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
    city = _city(system, text("jurisdiction_id") or jurisdiction_id)
    wish = _wish(city, text)
    key = request.headers.get("idempotency-key", "")
    step = intake.step_of(wish, key=key[:100], door="POST /open311/v2/requests") if key else None
    done = intake.receive(system, city, wish, step=step)
    entry = {
        "service_request_id": done.body["ticket"],
        "service_notice": _notice(language, full_link(request, done.body["link"])),
        "account_id": None,
    }
    return answer(ending, _tree("service_requests", "request", [entry]), [entry], status=201)


def _wish(city: City, text: Callable[[str], str]) -> intake.Wish:
    if text("service_code") not in city.policy.services:
        missing = not text("service_code")
        words = "service_code was not provided." if missing else _SAY["service_unknown"].en
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
        raise Problem(403, "key_wrong", sentence=_SAY["key_wrong"])


def _notice(language: Language, link: str) -> str:
    if language == "id":
        return f"Laporan diterima. Pantau dan jawab lewat tautan pribadi ini: {link}"
    return f"Report received. Follow it and answer with this private link: {link}"


# --- what was reported ------------------------------------------------------------


@router.get("/requests.{ending}", dependencies=[Depends(door("open311"))])
def requests(
    request: Request,
    ending: Ending,
    system: TheSystem,
    jurisdiction_id: Jurisdiction = "",
    service_request_id: Annotated[str, Query(max_length=4000)] = "",
    service_code: Annotated[str, Query(max_length=1000)] = "",
    start_date: Annotated[str, Query(max_length=40)] = "",
    end_date: Annotated[str, Query(max_length=40)] = "",
    status: Annotated[str, Query(max_length=40)] = "",
    page: Annotated[int, Query(ge=1, le=1000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=MOST_A_PAGE)] = MOST_A_PAGE,
) -> Response:
    """Public requests, newest first: by default of the last 90 days; secret ones never."""
    city = _city(system, jurisdiction_id)
    question = _question(
        system.clock(),
        ids=service_request_id,
        codes=service_code,
        start=start_date,
        end=end_date,
        status=status,
    )
    with system.reading(city.id) as connection:
        found = public_reports.listed(
            connection,
            city.id,
            question,
            limit=min(page_size, MOST),
            skip=(page - 1) * page_size,
        )
    listed = [_request(city, each, errors.language(request)) for each in found]
    return answer(ending, _tree("service_requests", "request", listed), listed)


@router.get("/requests/{service_request_id}.{ending}", dependencies=[Depends(door("open311"))])
def one_request(
    request: Request,
    service_request_id: str,
    ending: Ending,
    system: TheSystem,
    jurisdiction_id: Jurisdiction = "",
) -> Response:
    """One public request; a secret one is as unknown as one that never was."""
    city = _city(system, jurisdiction_id)
    found = _by_ticket(system, city, service_request_id)
    listed = [_request(city, found, errors.language(request))]
    return answer(ending, _tree("service_requests", "request", listed), listed)


@router.get("/tokens/{token}.{ending}", dependencies=[Depends(door("open311"))])
def request_of_token(
    token: str, ending: Ending, system: TheSystem, jurisdiction_id: Jurisdiction = ""
) -> Response:
    """The request of a token. Numbers are given at once here, so a token is its own number."""
    city = _city(system, jurisdiction_id)
    found = _by_ticket(system, city, token)
    listed = [{"service_request_id": found.ticket, "token": token}]
    return answer(ending, _tree("service_requests", "request", listed), listed)


def _by_ticket(system: System, city: City, text: str) -> PublicReport:
    try:
        ticket = tickets.parse(text)
    except Invalid:
        raise Problem(404, "request_unknown", sentence=_SAY["request_unknown"]) from None
    with system.reading(city.id) as connection:
        found = public_reports.listed(connection, city.id, Question(tickets=(ticket,)), limit=1)
    if not found:
        raise Problem(404, "request_unknown", sentence=_SAY["request_unknown"])
    return found[0]


def _question(
    now: datetime, *, ids: str, codes: str, start: str, end: str, status: str
) -> Question:
    if ids:
        return Question(tickets=tuple(_printed(part) for part in ids.split(",")[:MOST_A_PAGE]))
    wanted = {part.strip().lower() for part in status.split(",") if part.strip()}
    if wanted - {"open", "closed"}:
        raise Invalid("status is open or closed.", field="status")
    until = _moment(end, "end_date") if end else now
    since = _moment(start, "start_date") if start else until - DEFAULT_SPAN
    if until - since > DEFAULT_SPAN:
        # The protocol's own bound: at most 90 days in one question.
        since = until - DEFAULT_SPAN
    return Question(
        service_codes=tuple(part.strip() for part in codes.split(",") if part.strip()),
        open=None if len(wanted) != 1 else wanted == {"open"},
        since=since,
        until=until,
    )


def _printed(text: str) -> str:
    """The ticket in its printed form; what is none matches nothing."""
    try:
        return tickets.parse(text)
    except Invalid:
        return text.strip()


def _moment(text: str, name: str) -> datetime:
    """W3C date and time; one without a zone is UTC."""
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise Invalid(f"{name} must look like 2026-11-22T00:00:00Z.", field=name) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _request(city: City, each: PublicReport, language: Language) -> dict[str, Any]:
    """A request without anything its reporter wrote; `expected_datetime` is the promise."""
    service = city.policy.services.get(each.service_code)
    agency = city.policy.agencies.get(service.agency_id) if service else None
    english = language == "en"
    due = each.due_at or each.received_at + timedelta(seconds=city.policy.promise.target_s)
    return {
        "service_request_id": each.ticket,
        "status": "open" if each.open else "closed",
        "status_notes": each.reason if each.status in _TOLD else None,
        "service_name": (service.name_en if english else service.name) if service else None,
        "service_code": each.service_code,
        "description": None,
        "agency_responsible": (agency.name_en if english else agency.name) if agency else None,
        "service_notice": None,
        "requested_datetime": _w3c(each.received_at),
        "updated_datetime": _w3c(each.changed_at),
        "expected_datetime": _w3c(due),
        "address": each.place_label,
        "address_id": None,
        "zipcode": None,
        "lat": each.lat,
        "long": each.lon,
        "media_url": None,
    }


_TOLD = frozenset({"postponed", "not_our_authority"})


def _w3c(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _tree(name: str, each: str, rows: Sequence[dict[str, Any]]) -> Element:
    return Element(name, children=[Element(each, fields=row) for row in rows])
