"""The figures that judge the city: every interval with its definition, computed from the log."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime
from sqlalchemy import Connection

from dispatch.core import evaluation as figures
from dispatch.core.evaluation import Case, Figure
from dispatch.core.foretold import Tally, Told, truth_of
from dispatch.core.log import write_fact
from dispatch.core.policy import Policy
from dispatch.storage import journal
from dispatch.system import System
from geo.sql import reading
from web import shapes
from web.api.deeds import json, moment
from web.auth import TheCity, TheSystem, Watcher

router = APIRouter(tags=["evaluation"])

By = Literal["service", "district", "channel", "priority", "evidence"]
DEFAULT_DAYS = 30


@router.get("/api/{city}/evaluation", responses=shapes.answers(shapes.Evaluation))
def evaluation(
    request: Request,
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
    books: Books = request.app.state.books
    upto, cases, told, log_hash = books.read(system, city.id, offset, since=since, until=until)
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
            "arrivals": figures.arrivals(cases, target_s=target_s),
            "foretold": _foretold(told),
            "groups": [_group(group, by, city.policy) for group in groups],
            "log_hash": log_hash,
        }
    )


@dataclass(slots=True)
class Page:
    """A city's log as far as it was read: what it says, and the fingerprint of what was read."""

    epoch: str
    offset: int = 0
    ledger: figures.Ledger = field(default_factory=figures.Ledger)
    tally: Tally = field(default_factory=Tally)
    digest: Any = field(default_factory=hashlib.sha256)

    def read(self, connection: Connection, city_id: str, upto: int) -> None:
        """Go on to this offset."""
        types = sorted(figures.TYPES)
        news = journal.events(connection, city_id, types=types, after=self.offset, upto=upto)
        for event in news:
            line = [event.key, event.version, event.type, moment(event.at), write_fact(event.fact)]
            self.digest.update(orjson.dumps(line, option=orjson.OPT_SORT_KEYS))
            self.ledger.take(event)
            self.tally.take(event)
        self.offset = upto


class Books:
    """Remembers each city's newest page, so that asking again reads only what is new."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: dict[str, Page] = {}

    def read(
        self, system: System, city_id: str, offset: int | None, *, since: datetime, until: datetime
    ) -> tuple[int, list[Case], list[Told], str]:
        """Offset, cases, arrivals foretold and fingerprint at the offset, at most the log's end.

        None: at its end. Arrivals count by when their crew was asked.
        """
        with self._lock, reading(system.engine) as connection:
            epoch, head = journal.head(connection, city_id)
            upto = head if offset is None else min(offset, head)
            page = self._newest.get(city_id)
            if page is None or page.epoch != epoch or page.offset > upto:
                page = Page(epoch)
            page.read(connection, city_id, upto)
            if upto == head:
                self._newest[city_id] = page
            cases = page.ledger.cases(since=since, until=until)
            told = [each for each in page.tally.told() if since <= each.asked_at < until]
            return upto, cases, told, page.digest.hexdigest()


def _shown(summary: Mapping[str, Figure]) -> dict[str, dict[str, Any]]:
    shown = {}
    for name, figure in summary.items():
        fields = asdict(figure)
        if name != "total_response":
            del fields["within_target"]
        shown[name] = fields
    return shown


def _foretold(told: Sequence[Told]) -> dict[str, Any]:
    """How true the times of arrival were, as `sigap eta report` reckons it."""
    vouched = [each for each in told if each.vouched]
    truth = truth_of(vouched)
    return {
        "n": len(vouched),
        "left_out": len(told) - len(vouched),
        **{
            name: getattr(truth, name) if truth else None
            for name in ("mae_s", "bias_s", "within_p50", "within_p90")
        },
    }


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
