"""Public reports of a city, as a list and on a map; secret ones are in neither."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from web import public_reports
from web.auth import TheCity, TheSystem
from web.pages import moments
from web.pages.rendering import PageRoute, render, texts_for
from web.public_reports import Question

router = APIRouter(include_in_schema=False, route_class=PageRoute)

SHOWN_DAYS = 30
MOST = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One public report in words."""

    ticket: str
    icon: str
    service: str
    place: str
    status: str
    tone: str
    received: moments.Moment


@router.get("/{city}/map")
def city_map(
    request: Request, city: TheCity, system: TheSystem, service: str = "", status: str = ""
) -> Response:
    t, now = texts_for(request), system.clock()
    services = city.policy.services
    chosen = {
        "service": service if service in services else "",
        "status": status if status in ("open", "closed") else "",
    }
    question = Question(
        service_codes=(chosen["service"],) if chosen["service"] else (),
        open={"open": True, "closed": False}.get(chosen["status"]),
        since=now - timedelta(days=SHOWN_DAYS),
    )
    with system.reading(city.id) as connection:
        found = public_reports.listed(connection, city.id, question, limit=MOST)
    lines = [
        Line(
            ticket=each.ticket,
            icon=kind.icon if (kind := services.get(each.service_code)) else "other",
            service=t.name(kind) if kind else each.service_code,
            place=t.place(each.place_label) or each.ward or t("map.place_unknown"),
            status=t(f"status.{each.status}"),
            tone=_tone(each.status),
            received=moments.ago(each.received_at, now=now, t=t),
        )
        for each in found
    ]
    values: dict[str, Any] = {
        "reports": lines,
        "capped": len(lines) == MOST,
        "services": list(services.values()),
        "chosen": chosen,
        "days": SHOWN_DAYS,
        "script_texts": t.for_scripts(),
    }
    return render(request, "map.html", city=city, tab="map", **values)


def _tone(status: str) -> str:
    if status == "closed":
        return "ok"
    return "quiet" if status in public_reports.OVER or status == "postponed" else "info"
