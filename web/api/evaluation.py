"""The figures that judge the city: every interval with its definition, computed from the log."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from dispatch.core import evaluation as figures
from dispatch.core.evaluation import Figure
from dispatch.core.events import Event
from dispatch.core.log import write_fact
from dispatch.core.policy import Policy
from dispatch.storage import journal
from geo.sql import reading
from web import shapes
from web.api.deeds import json, moment
from web.auth import TheCity, TheSystem, Watcher

router = APIRouter(tags=["evaluation"])

By = Literal["service", "district", "channel", "priority"]
DEFAULT_DAYS = 30
KINDS = ("incident", "assignment")


@router.get("/api/{city}/evaluation", responses=shapes.answers(shapes.Evaluation))
def evaluation(
    city: TheCity,
    who: Watcher,
    system: TheSystem,
    from_: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    to: AwareDatetime | None = None,
    by: By = "service",
    offset: Annotated[int | None, Query(ge=0, le=2**62)] = None,
) -> Response:
    """Incidents received from `from` until before `to` (default: the last 30 days).

    The log is read up to `offset` (default: its present end). The same three give the same
    figures and the same `log_hash`, today and in a year.
    """
    until = to or system.clock()
    since = from_ or until - timedelta(days=DEFAULT_DAYS)
    digest = hashlib.sha256()
    with reading(system.engine) as connection:
        _, head = journal.head(connection, city.id)
        upto = head if offset is None else min(offset, head)
        log = journal.events(connection, city.id, kinds=KINDS, upto=upto)
        cases = figures.cases(_hashed(log, digest.update), since=since, until=until)
    target_s = city.policy.promise.target_s
    groups = figures.grouped(cases, by, target_s=target_s)
    return json(
        {
            "from": moment(since),
            "to": moment(until),
            "offset": upto,
            "target_s": target_s,
            "by": by,
            "definitions": [
                {"name": name, "from": start, "to": end}
                for name, (start, end) in figures.DEFINITIONS.items()
            ],
            "overall": _shown(figures.summary(cases, target_s=target_s)),
            "groups": [_group(group, by, city.policy) for group in groups],
            "log_hash": digest.hexdigest(),
        }
    )


def _hashed(events: Iterable[Event], take: Any) -> Iterator[Event]:
    """The events as they pass, each told to the digest in one fixed form."""
    for event in events:
        line = [event.key, event.version, event.type, moment(event.at), write_fact(event.fact)]
        take(orjson.dumps(line, option=orjson.OPT_SORT_KEYS))
        yield event


def _shown(summary: Mapping[str, Figure]) -> dict[str, dict[str, Any]]:
    shown = {}
    for name, figure in summary.items():
        fields = asdict(figure)
        if name != "total_response":
            del fields["within_target"]
        shown[name] = fields
    return shown


def _group(group: Mapping[str, Any], by: By, policy: Policy) -> dict[str, Any]:
    key = str(group["key"])
    figures_only = {name: group[name] for name in figures.DEFINITIONS}
    return {"key": key, **_label(key, by, policy), **_shown(figures_only)}


def _label(key: str, by: By, policy: Policy) -> dict[str, str]:
    """What people call the group; channels and priorities are codes that screens translate."""
    service = policy.services.get(key) if by == "service" else None
    if service is not None:
        return {"label": service.name, "label_en": service.name_en}
    return {"label": key, "label_en": key}
