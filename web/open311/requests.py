"""What was reported, as far as everybody may know it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from dispatch.core import tickets
from dispatch.core.errors import Invalid
from dispatch.system import City, System
from web import errors, public_reports
from web.auth import TheSystem
from web.errors import Problem
from web.limits import door
from web.open311.doors import SAY, Ending, Jurisdiction, Open311Route, jurisdiction
from web.open311.format import answer, table
from web.public_reports import PublicReport, Question
from web.sentences import Language

MOST_A_PAGE = 200
DEFAULT_SPAN = timedelta(days=90)

router = APIRouter(route_class=Open311Route)


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
    city = jurisdiction(system, jurisdiction_id)
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
            limit=page_size,
            skip=(page - 1) * page_size,
        )
    listed = [_request(city, each, errors.language(request)) for each in found]
    return answer(ending, table("service_requests", "request", listed), listed)


@router.get("/requests/{service_request_id}.{ending}", dependencies=[Depends(door("open311"))])
def one_request(
    request: Request,
    service_request_id: str,
    ending: Ending,
    system: TheSystem,
    jurisdiction_id: Jurisdiction = "",
) -> Response:
    """One public request; a secret one is as unknown as one that never was."""
    city = jurisdiction(system, jurisdiction_id)
    found = _by_ticket(system, city, service_request_id)
    listed = [_request(city, found, errors.language(request))]
    return answer(ending, table("service_requests", "request", listed), listed)


@router.get("/tokens/{token}.{ending}", dependencies=[Depends(door("open311"))])
def request_of_token(
    token: str, ending: Ending, system: TheSystem, jurisdiction_id: Jurisdiction = ""
) -> Response:
    """The request of a token. Numbers are given at once here, so a token is its own number."""
    city = jurisdiction(system, jurisdiction_id)
    found = _by_ticket(system, city, token)
    listed = [{"service_request_id": found.ticket, "token": token}]
    return answer(ending, table("service_requests", "request", listed), listed)


def _by_ticket(system: System, city: City, text: str) -> PublicReport:
    try:
        ticket = tickets.parse(text)
    except Invalid:
        raise Problem(404, "request_unknown", sentence=SAY["request_unknown"]) from None
    with system.reading(city.id) as connection:
        found = public_reports.listed(connection, city.id, Question(tickets=(ticket,)), limit=1)
    if not found:
        raise Problem(404, "request_unknown", sentence=SAY["request_unknown"])
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
