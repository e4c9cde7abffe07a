"""The citizen's doors for programs: report, follow, answer, and what everybody may know."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import Field

from dispatch.core.log import plain
from geo.point import BadPoint, Box, Point
from web import intake, public_reports, shapes, tracking
from web.api.deeds import answered, json
from web.auth import DISPATCHING, MaybeStep, TheCity, TheSystem, TheViewers
from web.errors import Problem
from web.limits import door
from web.public_reports import PublicReport, Question

router = APIRouter(prefix="/api/{city}", tags=["citizens"])

OWN_CHANNELS = ("web", "android")
"""The channels citizens use themselves; on the others somebody signed in writes for them."""
SHOWN_DAYS = 30
MOST_SHOWN = 1000
SIMILAR_HOURS = 72.0


class Reporter(shapes.Wish):
    """Who reports; all of it optional, none of it kept for an anonymous report."""

    name: Annotated[str, Field(max_length=intake.MOST["name"])] | None = None
    phone: Annotated[str, Field(max_length=intake.MOST["phone"])] | None = None
    email: Annotated[str, Field(max_length=intake.MOST["email"])] | None = None


class ReportWish(shapes.Wish):
    """A report: what, where (a position, words, or the number on a pole), and what else helps."""

    service_code: shapes.Code
    description: Annotated[str, Field(min_length=1, max_length=intake.MOST["description"])]
    place_typed: Annotated[str, Field(max_length=intake.MOST["place_typed"])] | None = None
    lon: Annotated[float, Field(allow_inf_nan=False)] | None = None
    lat: Annotated[float, Field(allow_inf_nan=False)] | None = None
    accuracy_m: shapes.Metres | None = None
    asset_code: Annotated[str, Field(max_length=intake.MOST["asset_code"])] | None = None
    channel: shapes.Channel = "web"
    anonymous: bool = False
    secret: bool = False
    reporter: Annotated[Reporter, Field(default_factory=Reporter)]
    photo_ids: Annotated[list[UUID], Field(max_length=5, default_factory=list)]
    upload_token: Annotated[str, Field(min_length=8, max_length=100)] | None = None


class Received(shapes.Answer):
    """The report's number, and the private key that opens it; keep the link."""

    ticket: str
    token: str
    link: str


class Tracked(shapes.Answer):
    """A report as its reporter sees it."""

    ticket: str
    service_code: str
    status: str
    steps: list[shapes.Step]
    eta: datetime | None
    eta_latest: datetime | None
    can_answer: bool
    answer: str | None
    due_at: datetime | None
    overdue: bool


class AnswerWish(shapes.Wish):
    """Is it fixed? `k` is the private key of the link."""

    k: Annotated[str, Field(min_length=1, max_length=200)]
    answer: Literal["satisfied", "reopen"]
    text: Annotated[str, Field(max_length=2000)] | None = None


class PublicView(shapes.Answer):
    """What everybody may know of a report."""

    ticket: str
    service_code: str
    status: str
    open: bool
    lon: float | None
    lat: float | None
    place_label: str | None
    ward: str | None
    district: str | None
    received_at: datetime
    closed_at: datetime | None
    distance_m: float | None


class PublicList(shapes.Answer):
    reports: list[PublicView]


@router.post(
    "/reports",
    status_code=201,
    responses=shapes.answers(Received, status=201),
    dependencies=[Depends(door("report"))],
)
def send_report(
    city: TheCity, wish: ReportWish, step: MaybeStep, system: TheSystem, viewers: TheViewers
) -> Response:
    """Report something. A repeated Idempotency-Key gives the same ticket again.

    A dispatcher may write down what came by telephone, radio or letter, on its own channel.
    """
    if wish.channel not in OWN_CHANNELS and not viewers.having(*DISPATCHING, city_id=city.id):
        raise Problem(403, "forbidden")
    done = intake.receive(
        system,
        city,
        intake.Wish(
            service_code=wish.service_code,
            description=wish.description,
            channel=wish.channel,
            place_typed=wish.place_typed,
            lon=wish.lon,
            lat=wish.lat,
            accuracy_m=wish.accuracy_m,
            asset_code=wish.asset_code,
            anonymous=wish.anonymous,
            secret=wish.secret,
            name=wish.reporter.name,
            phone=wish.reporter.phone,
            email=wish.reporter.email,
            photo_ids=tuple(wish.photo_ids),
            upload_token=wish.upload_token,
        ),
        step=step if step.key else None,
    )
    return answered(done)


@router.get(
    "/track/{ticket}",
    responses=shapes.answers(Tracked),
    dependencies=[Depends(door("track"))],
)
def track(
    city: TheCity,
    ticket: Annotated[str, Path(max_length=40)],
    system: TheSystem,
    k: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """The report's state, for whoever holds its private key."""
    opened = tracking.find(system, city, ticket, k)
    if opened is None:
        raise Problem(404, "not_found")
    return json(opened.view)


@router.post(
    "/track/{ticket}/answer",
    responses=shapes.answers(Tracked),
    dependencies=[Depends(door("answer"))],
)
def answer(
    city: TheCity,
    ticket: Annotated[str, Path(max_length=40)],
    wish: AnswerWish,
    step: MaybeStep,
    system: TheSystem,
) -> Response:
    """Say that it is fixed, or reopen it."""
    opened = tracking.find(system, city, ticket, wish.k)
    if opened is None:
        raise Problem(404, "not_found")
    done = tracking.answer(
        system,
        city,
        opened,
        answer=wish.answer,
        text=wish.text,
        step=step if step.key else None,
    )
    return answered(done)


@router.get(
    "/public/reports",
    responses=shapes.answers(PublicList),
    dependencies=[Depends(door("geocode"))],
)
def public_list(
    city: TheCity,
    system: TheSystem,
    service_code: Annotated[str, Query(max_length=60)] = "",
    status: Literal["", "open", "closed"] = "",
    bbox: Annotated[str, Query(max_length=100, description="west,south,east,north")] = "",
    lon: float | None = None,
    lat: float | None = None,
    within_m: Annotated[float, Query(gt=0, le=2000)] = 150.0,
) -> Response:
    """Reports of the last 30 days without secret ones; near a place: open ones, nearest first."""
    near = _near(lon, lat)
    since = system.clock() - (
        timedelta(hours=SIMILAR_HOURS) if near else timedelta(days=SHOWN_DAYS)
    )
    question = Question(
        service_codes=(service_code,) if service_code else (),
        open=True if near else {"open": True, "closed": False}.get(status),
        since=since,
        box=_box(bbox),
        near=near,
        within_m=within_m,
        on_map=True,
    )
    with system.reading(city.id) as connection:
        found = public_reports.listed(
            connection, city.id, question, limit=20 if near else MOST_SHOWN
        )
    return json({"reports": [_view(each) for each in found]})


def _near(lon: float | None, lat: float | None) -> Point | None:
    if lon is None or lat is None:
        return None
    try:
        return Point(lon, lat)
    except BadPoint:
        raise Problem(422, "bad_request") from None


def _box(text: str) -> Box | None:
    if not text:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
        return Box(west, south, east, north)
    except ValueError:
        raise Problem(422, "bad_request") from None


def _view(each: PublicReport) -> dict[str, Any]:
    return {
        "ticket": each.ticket,
        "service_code": each.service_code,
        "status": each.status,
        "open": each.open,
        "lon": each.lon,
        "lat": each.lat,
        "place_label": each.place_label,
        "ward": each.ward,
        "district": each.district,
        "received_at": plain(each.received_at),
        "closed_at": plain(each.closed_at),
        "distance_m": round(each.distance_m) if each.distance_m is not None else None,
    }
