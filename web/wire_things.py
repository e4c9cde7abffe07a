"""What sockets tell of each thing, field by field: the things' own types, and what is in them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, get_args, get_type_hints
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.json_schema import models_json_schema

from dispatch.actions.crews import POSITION_TROUBLES
from dispatch.core import arrival, assignments, closures, crews, incidents, referrals, reports
from dispatch.core import rounds as tours
from dispatch.core.events import Kind, Source
from dispatch.core.lifecycle import Lifecycle
from dispatch.core.world import ENTITY
from web.shapes import (
    AgencyName,
    Channel,
    Lat,
    Lon,
    PositionView,
    Priority,
    SlotView,
    Step,
    StretchView,
)
from web.why import AfterAction, WeighedCrew

LIFECYCLES: Mapping[Kind, Lifecycle] = {
    "report": reports.LIFECYCLE,
    "incident": incidents.LIFECYCLE,
    "assignment": assignments.LIFECYCLE,
    "crew": crews.LIFECYCLE,
    "referral": referrals.LIFECYCLE,
    "closure": closures.LIFECYCLE,
    "round": tours.LIFECYCLE,
}

Share = Annotated[float, Field(ge=0, le=1)]
Version = Annotated[int, Field(ge=1, description="grows by one with every event of the thing")]
Evidence = Literal["button", "crossing", "geofence", "photo"]


def one_of(values: Any) -> Any:
    """One of these words."""
    return Literal[tuple(sorted(values))]


class Told(BaseModel):
    """A part of what is told; it has these fields and no others."""

    model_config = ConfigDict(extra="forbid")


# --- what is written inside a thing -----------------------------------------------------


class Sign(Told):
    """What speaks for or against a report, in log odds."""

    code: str
    weight: float


class SimilarTold(Told):
    """An earlier report of the same kind nearby."""

    report_id: UUID
    ticket: str
    score: float
    distance_m: float


class Triage(Told):
    """How probably a report is genuine, why, and what looks like it."""

    p_genuine: Share
    reasons: list[Sign]
    similar: list[SimilarTold]


class Recommendation(Told):
    """Whom the engine would send, or why it can send nobody."""

    crew_id: UUID | None
    eta: datetime | None
    ete_s: float | None
    p90_ete_s: float | None
    p_on_time: Share | None
    selection_reason: str | None
    shortfall_reason: str | None
    auto: bool
    made_at: datetime
    candidates: list[WeighedCrew]
    weight: float | None = None
    p_genuine: Share | None = None
    false_cost_min: Annotated[
        float | None, Field(description="minutes of lateness for others if nothing is there")
    ] = None
    saves: Annotated[
        Share | None, Field(description="what sending now adds to the chance of arriving in time")
    ] = None
    graph: Annotated[str | None, Field(description="the version of the roads")] = None


class Saver(Told):
    """A crew that could still keep a promise that is likely to be missed."""

    crew_id: UUID
    p_on_time: Share
    ete_s: float | None
    p90_ete_s: float | None = None
    how: Literal["send", "divert"]


class RoundStop(Told):
    """A stop of a round; `reason` says why it was dropped."""

    incident_id: UUID
    eta: datetime | None
    state: Literal["waiting", "done", "dropped"]
    reason: str | None
    eta_latest: datetime | None


class CrewStop(RoundStop):
    """A stop of a round, with where it is."""

    ticket: str
    service_code: str
    place_label: str | None
    lon: Lon
    lat: Lat


class Post(Told):
    """Where a crew is asked to wait; `gain` is what that adds to the cover of the city."""

    status: Literal["suggested", "ordered", "reached"]
    lon: Lon
    lat: Lat
    gain: float | None
    ete_s: float | None
    p90_ete_s: float | None = None
    label: str | None
    at: datetime


# --- the things ----------------------------------------------------------------------------

_CLOSER: Mapping[Kind, Mapping[str, Any]] = {
    "report": {
        "channel": one_of((*get_args(Channel), "open311")),
        "classification": Literal["complaint", "aspiration", "information_request"],
        "priority": Priority | None,
        "lon": Lon | None,
        "lat": Lat | None,
        "place_confidence": Share | None,
        "triage": Triage | None,
        "answer": Literal["satisfied", "reopened"] | None,
    },
    "incident": {
        "channel": one_of((*get_args(Channel), "open311")),
        "priority": Priority,
        "lon": Lon,
        "lat": Lat,
        "recommendation": Recommendation | None,
        "p_on_time": Share | None,
        "p_genuine": Share | None,
        "saves": Share | None,
        "after_action": Annotated[
            AfterAction | None, Field(description="present once the promise was missed")
        ],
        "savers": list[Saver],
        "required_slots": list[SlotView],
    },
    "assignment": {
        "p_on_time": Share | None,
        "sources": Annotated[
            dict[str, Source], Field(description="how each time is known: enroute_at → movement")
        ],
        "evidence": Annotated[
            Evidence | None, Field(description="how the arrival is known, the weakest first")
        ],
        "arrival_flag": Annotated[
            one_of(arrival.FLAGS) | None,
            Field(description="what speaks against an arrival that only a button tells"),
        ],
    },
    "crew": {
        "station_lon": Lon,
        "station_lat": Lat,
        "move_up": Post | None,
        "position_trouble": Annotated[
            one_of(POSITION_TROUBLES) | None,
            Field(description="why the crew's phone cannot say where it is"),
        ],
    },
    "referral": {},
    "closure": {"stretches": list[StretchView]},
    "round": {"stops": list[RoundStop]},
}
"""Where the types of the rules are wider than what the rules write."""

_WORDS = {
    "description": Annotated[str | None, Field(description="null once retention deleted it")],
    "place_typed": Annotated[str | None, Field(description="where, in the reporter's own words")],
}


def fields_of(kind: Kind) -> dict[str, Any]:
    """Every field of a thing with its type, as `dispatch.core.log.wire_view` writes it."""
    own = get_type_hints(ENTITY[kind])
    closer = {
        "version": Version,
        "status": one_of(LIFECYCLES[kind].statuses()),
        **_CLOSER[kind],
    }
    assert closer.keys() <= own.keys(), f"{kind}: {closer.keys() - own.keys()}"
    return {**own, **closer, **(_WORDS if kind == "report" else {})}


def _model(name: str, about: str, fields: Mapping[str, Any], *, partly: bool = False) -> Any:
    """A closed shape; with `partly` any of the fields may be absent, but never `version`."""
    filled: dict[str, Any] = {
        each: (type_, None if partly and each != "version" else ...)
        for each, type_ in fields.items()
    }
    return create_model(name, __base__=Told, __doc__=about, **filled)


def whole(kind: Kind) -> Any:
    """A thing in a snapshot."""
    about = inspect.getdoc(ENTITY[kind]) or ""
    return _model(kind.title(), about, {**fields_of(kind), "v": Version})


def changed(kind: Kind) -> Any:
    """The fields of a thing that an event tells: those that differ, or all of them."""
    about = f"What changed of {article(kind)}; with `id`, all of it."
    return _model(f"{kind.title()}Change", about, fields_of(kind), partly=True)


def article(kind: str) -> str:
    """The kind as it stands in a sentence."""
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


# --- the one document of each narrow channel ---------------------------------------------------


def _without(fields: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: type_ for name, type_ in fields.items() if name not in names}


class ReportHandled(Told):
    """What those who handle it may know of a report; of a secret one only where it is."""

    id: UUID
    ticket: str
    description: str | None
    place_typed: str | None
    place_label: str | None
    photo_ids: list[UUID]
    received_at: datetime


_HANDLED = _model(
    "IncidentHandled",
    "An incident without what only dispatchers weigh: other crews, and why it was late.",
    {
        **fields_of("incident"),
        "recommendation": None,
        "after_action": None,
        "reports": list[ReportHandled],
    },
)
_CREW = _model("CrewItself", "A crew, as its own phone shows it.", fields_of("crew"))
_JOB = _model(
    "CrewJob",
    "What a crew is sent to, with what the reporters wrote.",
    {**fields_of("assignment"), "incident": _HANDLED},
)
_ROUND = _model(
    "CrewRound", "The round that a crew drives.", {**fields_of("round"), "stops": list[CrewStop]}
)
_CLOSED = _model(
    "ClosedRoad",
    "What whoever drives must know of a closure: where and why.",
    {
        name: type_
        for name, type_ in fields_of("closure").items()
        if name in ("id", "reason", "service_code", "made_at", "stretches")
    },
)
_HANDED = _model(
    "ReferralHanded",
    "A referral with the incident that was handed over.",
    {**fields_of("referral"), "incident": _HANDLED},
)


class CrewFix(PositionView):
    """The newest position of the crew as the server knows it, with how far to believe it."""

    model_config = ConfigDict(extra="forbid")


class CrewDone(Told):
    """Something the crew finished lately."""

    ticket: str
    service_code: str
    cleared_at: datetime
    disposition_code: str | None


class ComingCrew(Told):
    """The crew on its way to a reporter; where it is, until it is there."""

    id: UUID
    name: str
    lon: Lon | None
    lat: Lat | None
    fix_time: datetime | None


class Result(Told):
    """How it ended."""

    disposition_code: str | None
    note: str | None
    photo_ids: list[UUID]


_CREW_VIEW = {
    "crew": _CREW,
    "fix": CrewFix | None,
    "assignment": _JOB | None,
    "round": _ROUND | None,
    "recent": list[CrewDone],
    "closures": list[_CLOSED],  # type: ignore[valid-type]
}
_REPORT_VIEW = {
    "ticket": str,
    "service_code": str,
    "status": one_of(
        {
            *LIFECYCLES["report"].statuses(),
            *LIFECYCLES["incident"].statuses(),
            *("acknowledged", "en_route"),
        }
        - {"pending", "dispatched"}
    ),
    "steps": list[Step],
    "received_at": datetime,
    "eta": datetime | None,
    "eta_latest": datetime | None,
    "crew": ComingCrew | None,
    "place_label": str | None,
    "place_typed": str | None,
    "lon": Lon | None,
    "lat": Lat | None,
    "description": str | None,
    "photo_ids": list[UUID],
    "anonymous": bool,
    "secret": bool,
    "result": Result | None,
    "can_answer": bool,
    "answer": Literal["satisfied", "reopened"] | None,
    "due_at": datetime | None,
    "overdue": bool,
}
_AGENCY_VIEW = {
    "agency": AgencyName,
    "referrals": list[_HANDED],  # type: ignore[valid-type]
    "numbers": Annotated[dict[str, int], Field(description="referrals by status, and in total")],
}

VIEWS: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "crew_view": ("CrewView", "The document of a crew's channel.", _CREW_VIEW),
    "report_view": ("ReportView", "The document of a reporter's channel.", _REPORT_VIEW),
    "agency_view": ("AgencyView", "The document of an agency's channel.", _AGENCY_VIEW),
}
"""By the kind in its key: the name, a sentence and the fields of a narrow channel's document."""


def schemas(template: str) -> dict[str, dict[str, Any]]:
    """The JSON schema of every thing, of its changes and of the documents, by name."""
    models = list(_models())
    _, made = models_json_schema(
        [(each, "serialization") for each in models], ref_template=template
    )
    return {name: _plain(schema) for name, schema in made["$defs"].items()}


def _models() -> Iterator[Any]:
    for kind in ENTITY:
        yield whole(kind)
        yield changed(kind)
    for name, about, fields in VIEWS.values():
        yield _model(name, about, fields)
        yield _model(f"{name}State", f"{about[:-1]}, in a snapshot.", {**fields, "v": int})


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Without titles, closed, and with each moment in UTC."""
    return {**_written(schema), "additionalProperties": False}


def _written(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_written(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {
        name: _written(each)
        for name, each in schema.items()
        if not (name == "title" and isinstance(each, str)) and name != "default"
    }
    if "enum" in plain:
        # typing remembers a Literal by its words, in the order in which they were first seen
        plain["enum"] = sorted(plain["enum"])
    if plain.get("format") == "date-time":
        plain["pattern"] = "Z$"
    return plain
