"""What requests of staff and crews ask for, field by field; anything else is refused."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from web.shapes import Code, Lat, Lon, Metres, Priority, Reason, Text, Wish

# --- sessions -----------------------------------------------------------------


class SignIn(Wish):
    username: Annotated[str, Field(min_length=1, max_length=100)]
    password: Annotated[str, Field(min_length=1, max_length=200)]
    city: Annotated[str, Field(min_length=1, max_length=64)]


class CrewSignIn(Wish):
    city: Annotated[str, Field(min_length=1, max_length=64)]
    code: Annotated[str, Field(min_length=4, max_length=40)]


# --- reports ------------------------------------------------------------------


class Verify(Wish):
    service_code: Code | None = None
    priority: Priority | None = None
    lon: Lon | None = None
    lat: Lat | None = None
    reason: Annotated[str, Field(max_length=500)] | None = None


class Join(Wish):
    incident_id: UUID
    reason: Annotated[str, Field(max_length=500)] | None = None


class Because(Wish):
    """A decision that somebody must be able to understand later."""

    reason: Reason


class MaybeBecause(Wish):
    reason: Annotated[str, Field(max_length=500)] | None = None


class Nothing(Wish):
    """No more than the wish itself."""


class Locate(Wish):
    lon: Lon
    lat: Lat
    remember: bool = Field(True, description="what was typed becomes a name of this place")
    reason: Annotated[str, Field(max_length=500)] | None = None


# --- incidents ----------------------------------------------------------------


class Send(Wish):
    crew_id: UUID | None = Field(None, description="none: the recommended crew")
    divert: bool = Field(False, description="take it off other work it is on its way to")


class MoveUp(Wish):
    """Order the suggested post, or the one given; or dismiss what was suggested or ordered."""

    verdict: Literal["order", "dismiss"]
    lon: Lon | None = None
    lat: Lat | None = None
    label: Annotated[str, Field(max_length=200)] | None = None
    reason: Annotated[str, Field(max_length=500)] | None = None


class Close(Wish):
    disposition_code: Code
    note: Text | None = None


class Alarm(Wish):
    alarm_level: Annotated[int, Field(ge=2, le=9)]
    reason: Reason


class Reprioritise(Wish):
    priority: Priority
    reason: Reason


# --- closures -----------------------------------------------------------------

CLOSURE_WIDTH_M = 12.0
ClosureWidth = Annotated[
    float,
    Field(ge=3, le=150, allow_inf_nan=False, description="how far beside the line roads count"),
]


class CloseRoad(Wish):
    """`points`: [lon, lat] along the road, or a single one."""

    points: Annotated[list[tuple[Lon, Lat]], Field(min_length=1, max_length=200)]
    width_m: ClosureWidth = CLOSURE_WIDTH_M
    reason: Reason
    service_code: Code | None = None
    incident_id: UUID | None = None
    note: Annotated[str, Field(max_length=500)] | None = None


# --- rounds -------------------------------------------------------------------


class PlanRounds(Wish):
    """Empty lists mean every crew that can, and every service that is driven in rounds."""

    crew_ids: Annotated[list[UUID], Field(max_length=200)] = Field(default_factory=list)
    services: Annotated[list[Code], Field(max_length=200)] = Field(default_factory=list)


# --- what a crew says ---------------------------------------------------------


class Deed(Wish):
    """`device_time`: when the crew pressed, by its phone; a late network changes no time."""

    device_time: AwareDatetime | None = None


class PostAnswer(Deed):
    """What a crew says of the post it was sent to."""

    answer: Literal["there", "cannot"]


class Decline(Deed):
    reason: Code
    text: Text | None = None


class OnScene(Deed):
    lon: Lon | None = None
    lat: Lat | None = None
    accuracy_m: Metres | None = None


class Note(Deed):
    text: Annotated[str, Field(min_length=1, max_length=2000)]


class Photo(Deed):
    photo_id: UUID
    kind: Literal["before", "after"]


class Clear(Deed):
    disposition_code: Code
    note: Text | None = None


Members = Annotated[int, Field(ge=0, le=50)]


class CrewStatus(Deed):
    """`relieved`: other people took over, so the hours on duty begin anew."""

    status: Literal["available", "conditionally_available", "not_available"]
    reason: Annotated[str, Field(max_length=500)] | None = None
    shift_ends_at: AwareDatetime | None = None
    members_present: Members | None = None
    relieved: bool = False


class CrewShift(Wish):
    """None: an open end, or no rest needed."""

    shift_ends_at: AwareDatetime | None
    rest_until: AwareDatetime | None


class CrewStaff(Wish):
    """None: as many as belong to the crew, or as the city asks of every crew."""

    members_present: Members | None
    least_members: Members | None


class CrewEquipment(Wish):
    equipment: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=60)]], Field(max_length=30)
    ]


class PositionTrouble(Deed):
    """Why the phone cannot say where it is; None: it can again."""

    trouble: Literal["denied", "unavailable", "unsupported", "insecure", "off"] | None


class NewDevice(Wish):
    label: Annotated[str, Field(min_length=1, max_length=80)]
    id: Annotated[str, Field(min_length=3, max_length=40)] | None = Field(
        None, description="what the device calls itself; none: one is made"
    )
    crew_id: UUID | None = None


class DeviceCrew(Wish):
    crew_id: UUID | None = Field(description="none: it speaks for nobody")


class FixWish(Wish):
    """As the phone sends it; impossible ones are refused one by one, not with their batch."""

    lon: float
    lat: float
    fix_time: AwareDatetime
    accuracy_m: float | None = None
    heading: float | None = None
    speed_ms: float | None = None
    battery: float | None = Field(None, description="0 to 1")
    mock: bool | None = None


class Fixes(Deed):
    fixes: Annotated[list[FixWish], Field(min_length=1, max_length=500)]
