"""What the doors answer about decisions and missed promises, field by field."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from web.shapes import Answer, Candidate

Cause = Literal[
    "verification",
    "queue",
    "declined",
    "expired",
    "withdrawn",
    "diverted",
    "turnout",
    "travel",
    "slip",
]
"""The kinds of `dispatch.core.after_action`, as a program reads them."""


class Segment(Answer):
    """A piece of the time between the first report and the first arrival."""

    kind: Cause
    from_: datetime = Field(alias="from")
    to: datetime
    s: float
    crew_id: UUID | None


class SoonerCrew(Answer):
    """A crew that would have been there sooner, and why it did not go."""

    crew_id: UUID
    at: datetime
    ete_s: float
    would_arrive_at: datetime
    sooner_s: float
    in_time: bool
    why_not: str | None


class AfterAction(Answer):
    """Why a promise was missed; `usual` is the median of `usual_n` arrivals (0: the policy)."""

    starts_at: datetime
    due_at: datetime
    arrived_at: datetime | None
    ended_at: datetime
    late_s: float
    cause: Cause
    beyond_s: float
    assignment_id: UUID | None
    crew_id: UUID | None
    intervals: dict[str, float | None]
    segments: list[Segment]
    usual: dict[str, float]
    usual_n: int
    asked: int
    declined: int
    expired: int
    arrival_distance_m: float | None
    nearest_s: float | None
    sooner: list[SoonerCrew]


class CauseCount(Answer):
    cause: Cause
    n: int
    beyond_s: float


class MissedPromise(Answer):
    incident_id: UUID
    ticket: str
    service_code: str
    priority: int
    status: str
    channel: str
    received_at: datetime
    district: str | None
    ward: str | None
    place_label: str | None
    lon: float
    lat: float
    after_action: AfterAction


class CrewName(Answer):
    call_sign: str
    name: str


class AfterActions(Answer):
    from_: datetime = Field(alias="from")
    to: datetime
    target_s: float
    causes: list[CauseCount]
    after_actions: list[MissedPromise]
    more: bool
    crews: dict[str, CrewName]


class CostTerms(Answer):
    """What a candidate costs, by term of the matching's cost; a missing term is not counted."""

    late: float | None = None
    tardy: float | None = None
    travel: float | None = None
    coverage: float | None = None
    skill: float | None = None
    switch: float | None = None


class WeighedCrew(Candidate):
    """`holds`: the incident it is on its way to, when the plan may turn it round."""

    holds: UUID | None = None
    terms: CostTerms | None = None


class Decision(Answer):
    """A decision about who goes, as it was taken.

    `graph` names the roads of that moment, `calibration` what their times were read by.
    """

    t: str
    at: datetime
    actor: str
    assignment_id: UUID | None
    crew_id: UUID | None
    ete_s: float | None
    p90_ete_s: float | None
    p_on_time: float | None
    rule: str | None
    proposed: UUID | None
    selection_reason: str | None
    shortfall_reason: str | None
    graph: str | None
    calibration: str | None
    weight: float | None
    p_genuine: float | None
    false_cost_min: float | None
    candidates: list[WeighedCrew]


class Decisions(Answer):
    incident_id: UUID
    decisions: list[Decision]
    crews: dict[str, str]


# --- coverage ---------------------------------------------------------------------


class CoverageZone(Answer):
    """A zone: its post, its outline, its share of incidents, its chance and fastest crew."""

    id: int
    lon: float
    lat: float
    ring: list[tuple[float, float]]
    weight: float
    p_on_time: float
    eta_s: float | None
    p90_eta_s: float | None


class BestPost(Answer):
    lon: float
    lat: float
    change: float


class Coverage(Answer):
    """`reached`: the share of expected incidents that free crews reach in time now; `expected`:
    with crews that become busy counted in; changes are of `expected`.
    """

    zones: list[CoverageZone]
    reached: float
    expected: float
    crews: int
    delta_minus: dict[str, float]
    delta_plus: BestPost | None


class ReachedArea(Answer):
    """Reached in so many minutes; the first ring of a polygon is its outline, the rest holes."""

    minutes: float
    road_km: float
    polygons: list[list[list[tuple[float, float]]]]


class Reach(Answer):
    """From where, on which version of the roads, and how far; smallest area first.

    `slow`: how many times longer than the roads say a drive is expected to take now.
    """

    crew_id: UUID | None
    lon: float
    lat: float
    graph: str
    slow: float
    areas: list[ReachedArea]
