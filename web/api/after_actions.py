"""Why promises were missed and why crews were chosen, as the city's log kept it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from dispatch.core import events as ev
from dispatch.core.events import Event
from dispatch.core.log import wire_view, write_fact
from dispatch.storage import views
from dispatch.storage.views import Wanted
from web import shapes
from web import why as told
from web.api.deeds import json, moment
from web.auth import TheCity, TheSystem, Watcher

router = APIRouter(tags=["evaluation"])

DEFAULT_DAYS = 30
MOST = 1000


@router.get("/api/{city}/after-actions", responses=shapes.answers(told.AfterActions))
def after_actions(
    city: TheCity,
    who: Watcher,
    system: TheSystem,
    from_: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    to: AwareDatetime | None = None,
    cause: Annotated[told.Cause | None, Query()] = None,
    service_code: Annotated[str | None, Query(max_length=60)] = None,
    district: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """The missed promises of incidents received from `from` until before `to`, newest first.

    Default: the last 30 days. `causes` counts all of them, whatever `cause` asks for; at most
    1,000 are listed, and `more` says whether there are others.
    """
    until = to or system.clock()
    since = from_ or until - timedelta(days=DEFAULT_DAYS)
    wanted = Wanted(
        service_codes=[service_code] if service_code else None,
        since=since,
        until=until,
        limit=MOST + 1,
    )
    with system.looking(city.id) as world:
        found = views.list_missed(world.connection, city.id, wanted, district=district)
        crews = {
            str(crew.id): {"call_sign": crew.call_sign, "name": crew.name} for crew in world.crews()
        }
    listed = found[:MOST]
    return json(
        {
            "from": moment(since),
            "to": moment(until),
            "target_s": city.policy.promise.target_s,
            "causes": _causes(listed),
            "after_actions": [_line(i) for i in listed if cause in (None, _record(i)["cause"])],
            "more": len(found) > MOST,
            "crews": crews,
        }
    )


def _record(incident: Mapping[str, Any]) -> Mapping[str, Any]:
    record: Mapping[str, Any] = incident["after_action"]
    return record


def _causes(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """How often each cause, and how many seconds beyond the usual it took, the worst first."""
    count = Counter(_record(incident)["cause"] for incident in found)
    beyond: Counter[str] = Counter()
    for incident in found:
        beyond[_record(incident)["cause"]] += _record(incident)["beyond_s"]
    return [
        {"cause": cause, "n": n, "beyond_s": round(beyond[cause], 1)}
        for cause, n in count.most_common()
    ]


SHOWN = (
    "ticket",
    "service_code",
    "priority",
    "status",
    "channel",
    "received_at",
    "district",
    "ward",
    "place_label",
    "lon",
    "lat",
)


def _line(incident: Mapping[str, Any]) -> dict[str, Any]:
    """One missed promise: what it was, and its record."""
    about = {name: incident[name] for name in SHOWN}
    return {"incident_id": incident["id"], **about, "after_action": _record(incident)}


@router.get(
    "/api/{city}/incidents/{incident_id}/why",
    responses=shapes.answers(told.Decisions),
    tags=["incidents"],
)
def why(city: TheCity, incident_id: UUID, who: Watcher, system: TheSystem) -> Response:
    """Every decision about who goes, as it was taken: who was weighed, by which terms and roads."""
    with system.looking(city.id) as world:
        incident = world.incident(incident_id)
        history = world.history_of(incident_id)
        crews = {str(crew.id): wire_view(crew)["call_sign"] for crew in world.crews()}
    return json(
        {
            "incident_id": str(incident.id),
            "decisions": [_decision(event) for event in history if isinstance(event.fact, WEIGHED)],
            "crews": crews,
        }
    )


WEIGHED = (ev.RecommendationMade, ev.AssignmentOffered)


def _decision(event: Event) -> dict[str, Any]:
    """The record of one decision; what the rule noted (`because`) goes before the fact."""
    fact, because = write_fact(event.fact), dict(event.because or {})
    noted = {**fact, **{name: value for name, value in because.items() if value is not None}}
    offered = isinstance(event.fact, ev.AssignmentOffered)
    return {
        "t": event.type,
        "at": moment(event.at),
        "actor": str(event.actor),
        "assignment_id": str(event.subject) if offered else None,
        "crew_id": fact["crew_id"],
        "ete_s": fact["ete_s"],
        "p90_ete_s": fact["p90_ete_s"],
        "p_on_time": fact["p_on_time"],
        "rule": noted.get("rule"),
        "proposed": noted.get("proposed"),
        "selection_reason": noted.get("selection_reason"),
        "shortfall_reason": noted.get("shortfall_reason"),
        "graph": noted.get("graph"),
        "calibration": noted.get("calibration"),
        "weight": noted.get("weight"),
        "p_genuine": noted.get("p_genuine"),
        "false_cost_min": noted.get("false_cost_min"),
        "candidates": noted.get("candidates") or [],
    }
