"""What the routes take and answer, field by field, for the programs that talk to Sigap.

The file is long because it is a list: the whole contract, to be read beside `openapi.json`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Lon = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False, description="degrees, WGS 84")]
Lat = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False, description="degrees, WGS 84")]
Metres = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]
Reason = Annotated[str, Field(min_length=1, max_length=500)]
Text = Annotated[str, Field(max_length=2000)]
Code = Annotated[str, Field(min_length=1, max_length=60)]
Priority = Annotated[int, Field(ge=1, le=3, description="1 = most urgent")]
Channel = Literal[
    "web",
    "android",
    "sms",
    "whatsapp",
    "instagram",
    "telegram",
    "email",
    "call_112",
    "radio",
    "mayor",
    "counter",
    "sp4n_lapor",
    "ulpim",
    "mrk",
    "ppid",
    "field",
]
Role = Literal["dispatcher", "officer", "supervisor", "administrator", "crew"]


class Wish(BaseModel):
    """What a request asks for; a field nobody knows is refused rather than ignored."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """What a request gets; more fields may come with later versions."""

    model_config = ConfigDict(extra="allow")


class ProblemDetails(BaseModel):
    """RFC 9457. `detail` is a sentence in the reader's language; `code` never changes."""

    class FieldError(BaseModel):
        field: str
        message: str

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError] | None = None


# --- sessions ---------------------------------------------------------------------


class User(Answer):
    id: UUID
    name: str
    role: Role
    city: str
    crew_id: UUID | None
    agency_id: str | None
    language: Literal["id", "en"] | None


class SignedIn(Answer):
    user: User


class PairingCode(Answer):
    code: str
    link: str
    qr_svg: str
    expires_at: datetime


# --- cities -----------------------------------------------------------------------


class CityName(Answer):
    id: str
    name: str


class Place(Answer):
    lon: float
    lat: float


class SlotView(Answer):
    skills: list[str]
    equipment: list[str]


class AlarmLevelView(Answer):
    """What an alarm level asks for in all: one slot for each crew."""

    alarm_level: int
    slots: list[SlotView]


class ServiceView(Answer):
    service_code: str
    name: str
    name_en: str
    icon: str
    priority: int
    agency_id: str
    group: str
    alarm_levels: list[AlarmLevelView]
    closes_road_m: float
    assets: list[str]


class GatesView(Answer):
    """Who may be sent at all: hours, seconds and people."""

    shift_h: float
    overtime_s: float
    longest_duty_h: float
    rest_h: float
    least_members: int


class PositionLimits(Answer):
    """Ages in seconds: live up to live_s, then old, stale after stale_s, lost after lost_s."""

    live_s: float
    stale_s: float
    lost_s: float
    low_battery: float


class DiversionView(Answer):
    """What a crew on its way may be turned round from, and until how many seconds before."""

    enabled: bool
    lock_s: float
    priorities: list[int]


class AgencyName(Answer):
    id: str
    name: str
    name_en: str


class ChoiceView(Answer):
    code: str
    name: str
    name_en: str


class VehicleView(Answer):
    """A kind of vehicle; `avoids` are classes of roads it cannot use."""

    kind: str
    name: str
    name_en: str
    keywords: list[str]
    avoids: list[str]


class DispositionView(ChoiceView):
    outcome: str


class DemoAccount(Answer):
    role: Role
    username: str
    password: str


class Demo(Answer):
    """Sign-ins of a demonstration, made at its start; never there in earnest."""

    accounts: list[DemoAccount]


class CityView(Answer):
    id: str
    name: str
    languages: list[str]
    center: Place
    bbox: tuple[float, float, float, float]
    basemap: str | None
    target_s: float
    undo_s: float
    stale_fix_s: float
    positions: PositionLimits
    gates: GatesView
    diversion: DiversionView
    services: list[ServiceView]
    agencies: list[AgencyName]
    disposition_codes: list[DispositionView]
    decline_reasons: list[ChoiceView]
    vehicles: list[VehicleView]
    routine_services: list[str]
    attribution: str
    demo: Demo | None


# --- reports ----------------------------------------------------------------------


class Told(Answer):
    """What was recorded: one durable message each, as the sockets tell them."""

    o: int
    t: str
    k: str
    v: int


class Decided(Answer):
    events: list[Told]
    undo_until: datetime | None


class Happened(Answer):
    events: list[Told]


class CrewSent(Happened):
    warning: str | None = Field(
        description="why the crew would not have been sent by itself, such as stale or rest"
    )


class Thing(Answer):
    id: UUID
    version: int
    changed_at: datetime


class ReportView(Thing):
    ticket: str
    status: str
    service_code: str
    secret: bool


class IncidentView(Thing):
    ticket: str
    status: str
    service_code: str
    priority: int


class AssignmentView(Thing):
    incident_id: UUID
    crew_id: UUID
    status: str


class ReferralView(Thing):
    incident_id: UUID
    agency_id: str
    status: str


class SimilarReport(ReportView):
    score: float
    distance_m: float


class SimilarIncident(IncidentView):
    score: float
    distance_m: float


class Similar(Answer):
    reports: list[SimilarReport]
    incidents: list[SimilarIncident]


class Step(Answer):
    code: str
    at: datetime
    text: str | None


# --- incidents --------------------------------------------------------------------


class LogLine(Answer):
    o: int
    t: str
    k: str
    at: datetime
    recorded_at: datetime
    actor: str
    summary: dict[str, Any]
    because: dict[str, Any] | None


class IncidentFile(Answer):
    incident: IncidentView
    reports: list[ReportView]
    assignments: list[AssignmentView]
    referrals: list[ReferralView]
    log: list[LogLine]


class Candidate(Answer):
    crew_id: UUID
    ete_s: float | None
    p90_ete_s: float | None = None
    p_on_time: float | None
    cost: float | None
    why_not: str | None


class Candidates(Answer):
    recommendation: dict[str, Any] | None
    candidates: list[Candidate]


# --- closures ---------------------------------------------------------------------


class StretchView(Answer):
    """A piece of road between two neighbouring nodes of the map (OSM ids), degrees WGS 84."""

    u: int
    v: int
    u_lon: float
    u_lat: float
    v_lon: float
    v_lat: float
    name: str


class ClosureView(Thing):
    status: Literal["closed", "lifted"]
    reason: str
    note: str | None
    service_code: str | None
    incident_id: UUID | None
    stretches: list[StretchView]
    made_at: datetime
    made_by: str
    lifted_at: datetime | None
    lifted_by: str | None
    lift_reason: str | None


class Closures(Answer):
    closures: list[ClosureView]


class ClosurePreview(Answer):
    stretches: list[StretchView]
    names: list[str]
    length_m: float


# --- what a crew does -------------------------------------------------------------


class RefusedFix(Answer):
    index: int
    reason: str


class FixesTaken(Answer):
    accepted: int
    refused: list[RefusedFix]


class RouteStep(Answer):
    name: str
    length_m: float
    duration_s: float
    turn: str
    lon: float
    lat: float


class RouteView(Answer):
    points: list[tuple[float, float]]
    length_m: float
    duration_s: float
    p90_duration_s: float
    steps: list[RouteStep]


# --- places -----------------------------------------------------------------------


class FoundPlace(Answer):
    lon: float
    lat: float
    label: str
    kind: str
    radius_m: float
    confidence: float
    reason: str
    ward: str | None
    district: str | None


class FoundPlaces(Answer):
    candidates: list[FoundPlace]


class Named(Answer):
    events: list[Told]
    alias_id: UUID | None


class AssetView(Answer):
    code: str
    sort: str
    label: str
    lon: float
    lat: float


class Assets(Answer):
    assets: list[AssetView]
    more: bool


class Phrase(Answer):
    label: str | None
    ward: str | None
    district: str | None
    covered: bool


# --- rounds -----------------------------------------------------------------------


class StopView(Answer):
    """Half of such drives arrive by `eta`, 9 of 10 by `eta_latest`, if work goes as planned."""

    incident_id: UUID
    eta: datetime | None
    eta_latest: datetime | None = None
    state: Literal["waiting", "done", "dropped"]
    reason: str | None


class RoundView(Thing):
    crew_id: UUID
    status: Literal["proposed", "active", "paused", "done", "cancelled"]
    stops: list[StopView]
    made_at: datetime
    planned_s: float
    planned_m: float
    graph: str
    started_at: datetime | None
    ended_at: datetime | None
    pause_reason: str | None
    paused_for: UUID | None


class Rounds(Answer):
    rounds: list[RoundView]


class RoundFile(Answer):
    round: RoundView
    incidents: list[IncidentView]
    points: list[tuple[float, float]]


class PlanBegun(Answer):
    plan_id: UUID
    stops: int
    crews: int


class PlanView(Answer):
    """`share` 0 to 1; `detail` says why it failed and what to do."""

    id: UUID
    phase: Literal["roads", "searching", "recording", "done", "failed", "cancelled"]
    share: float
    stops: int
    crews: int
    left_out: int
    drive_s: float | None
    round_ids: list[UUID]
    problem: str | None
    ended: bool
    detail: str | None


# --- devices and positions -----------------------------------------------------------


class SentFix(Answer):
    """A position as the device sent it. Degrees, metres, m/s, battery 0 to 1."""

    lon: float | None
    lat: float | None
    fix_time: datetime
    device_time: datetime | None
    server_time: datetime
    accuracy_m: float | None
    heading: float | None
    speed_ms: float | None
    battery: float | None
    mock: bool


class PositionView(SentFix):
    """Where a crew is. `lon` and `lat` are where to draw it, on its road when it is on one.

    `raw_lon` and `raw_lat` are what the device sent; `freshness` is by the city's limits.
    """

    crew_id: UUID
    raw_lon: float
    raw_lat: float
    on_road: bool
    device: str
    age_s: float
    freshness: Literal["live", "old", "stale", "lost"]


class Positions(Answer):
    at: datetime
    positions: list[PositionView]


class CrewTrack(Answer):
    """Each fix: time, lon, lat, heading, m/s, accuracy in metres (or null), mock 0 or 1."""

    crew_id: UUID
    name: str
    call_sign: str
    fixes: list[tuple[datetime, float, float, float | None, float | None, float | None, int]]


class TrackMoment(Answer):
    at: datetime
    recorded_at: datetime
    device_time: datetime | None
    t: str
    k: str
    crew_id: UUID | None
    incident_id: UUID | None
    actor: str


class TrackIncident(Answer):
    id: UUID
    ticket: str
    service_code: str
    lon: float
    lat: float


class History(Answer):
    """Where crews were and what happened meanwhile, oldest first; `every_s` 0: every fix."""

    from_: datetime = Field(alias="from")
    to: datetime
    every_s: float
    incident: TrackIncident | None
    tracks: list[CrewTrack]
    moments: list[TrackMoment]


class Refusal(Answer):
    reason: str
    at: datetime
    fix: SentFix


class DeviceNews(Answer):
    """What a device sent: counts since it was registered, its last position, refusals newest first.

    `refused` counts by reason: one of `geo.locate.REASONS`, no_place, no_satellites or no_crew.
    """

    door: str
    fix: SentFix | None
    accepted: int
    late: int
    repeated: int
    refused: dict[str, int]
    refusals: list[Refusal]


class DeviceView(Answer):
    """A tracker or phone. `crew_id` None: it speaks for nobody."""

    id: str
    label: str
    crew_id: UUID | None
    created_at: datetime
    created_by: str
    secret_at: datetime
    retired_at: datetime | None
    seen_at: datetime | None
    news: DeviceNews | None


class DeviceList(Answer):
    devices: list[DeviceView]


class DeviceFile(Answer):
    device: DeviceView


class DeviceMade(DeviceFile):
    """The secret is shown once; `config_link` and its QR set up Traccar Client."""

    secret: str
    config_link: str
    qr_svg: str
    osmand_url: str
    owntracks_url: str
    traccar_url: str


# --- evaluation -------------------------------------------------------------------


class Definition(Answer):
    name: str
    from_: str = Field(alias="from")
    to: str


class Figure(Answer):
    n: int
    missing: int
    p50_s: float | None
    p90_s: float | None
    mean_s: float | None


class Intervals(Answer):
    processing: Figure
    turnout: Figure
    travel: Figure
    on_scene: Figure
    commitment: Figure
    total_response: Figure


class Group(Intervals):
    key: str
    label: str


class Arrivals(Answer):
    """First arrivals of one grade of evidence; shares are 0 to 1, of all first arrivals."""

    evidence: str
    n: int
    share: float | None
    within_target: float | None


class Foretold(Answer):
    """How true times of arrival were, from asked to arrived, over the `n` arrivals vouched for.

    `mae_s` mean absolute error, `bias_s` above 0: later than told. Shares, 0 to 1, that came by
    the p50 and the p90 told. `left_out` arrivals only a button tells of.
    """

    n: int
    left_out: int
    mae_s: float | None
    bias_s: float | None
    within_p50: float | None
    within_p90: float | None


class Evaluation(Answer):
    from_: datetime = Field(alias="from")
    to: datetime
    offset: int
    target_s: float
    definitions: list[Definition]
    overall: Intervals
    arrivals: list[Arrivals]
    foretold: Foretold
    groups: list[Group]
    log_hash: str


def answers(model: Any, *, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """What a route documents for its success; answers are written without a second check."""
    return {status: {"model": model}}
