"""A crew: people, a vehicle and skills that can be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dispatch.core import events as ev
from dispatch.core.errors import Invalid, WrongStatus
from dispatch.core.lifecycle import ANY, SAME, Lifecycle
from dispatch.core.policy import Gates


@dataclass(frozen=True, slots=True)
class Crew:
    """The dispatchable resource. Its position is telemetry and lives elsewhere (`Fix`).

    `members` belong to it, `members_present` are with it now (None: all of them); with fewer than
    `least_members` it is not sent. `on_duty_since` outlives a break too short to be rest, so that
    the hours of both sides add up. `shift_ends_at` is None when nobody said.
    `position_trouble` is why its phone cannot say where it is.
    """

    id: UUID
    version: int
    changed_at: datetime
    name: str
    call_sign: str
    agency_id: str
    status: str
    skills: tuple[str, ...]
    vehicle: str
    members: int
    station_lon: float
    station_lat: float
    assignment_id: UUID | None = None
    status_reason: str | None = None
    equipment: tuple[str, ...] = ()
    members_present: int | None = None
    least_members: int | None = None
    on_duty_since: datetime | None = None
    off_duty_since: datetime | None = None
    shift_ends_at: datetime | None = None
    rest_until: datetime | None = None
    out_of_service_reason: str | None = None
    move_up: Mapping[str, Any] | None = None
    moved_at: datetime | None = None
    position_trouble: str | None = None
    position_trouble_at: datetime | None = None

    kind = "crew"


@dataclass(frozen=True, slots=True)
class Fix:
    """A GPS position of a crew. Degrees, metres, m/s; three clocks kept apart.

    `lon` and `lat` stay as the device sent them. `shown_lon` and `shown_lat` are where it is
    drawn and reckoned from: smoothed, and on the road u → v (OSM node ids) when it is on one.
    `device` names the tracker, or is BROWSER for the crew's own screen. `battery` is 0 to 1.
    """

    crew_id: UUID
    lon: float
    lat: float
    fix_time: datetime
    server_time: datetime
    accuracy_m: float | None = None
    heading: float | None = None
    speed_ms: float | None = None
    battery: float | None = None
    mock: bool = False
    device_time: datetime | None = None
    device: str = "browser"
    shown_lon: float | None = None
    shown_lat: float | None = None
    road_u: int | None = None
    road_v: int | None = None

    @property
    def here(self) -> tuple[float, float]:
        """Where the crew is, as well as we know: lon, lat."""
        if self.shown_lon is None or self.shown_lat is None:
            return self.lon, self.lat
        return self.shown_lon, self.shown_lat


BROWSER = "browser"
"""The device of a fix that came from the crew's own screen."""


@dataclass(frozen=True, slots=True)
class Shift:
    """What a crew says when it signs on: until when, with how many people, whether new ones."""

    ends_at: datetime | None = None
    members: int | None = None
    relieved: bool = False


LIFECYCLE = Lifecycle(
    kind="crew",
    first={"CrewRegistered": "not_available"},
    table={
        # a crew signs itself on and off: the fact names the primary status it takes
        (ANY, "CrewStatusSet"): SAME,
        (ANY, "CrewCommitted"): SAME,
        (ANY, "CrewReleased"): SAME,
        (ANY, "CrewShiftSet"): SAME,
        (ANY, "CrewStaffed"): SAME,
        (ANY, "CrewEquipped"): SAME,
        (ANY, "CrewOutOfService"): SAME,
        (ANY, "CrewBackInService"): SAME,
        (ANY, "CrewPositionTrouble"): SAME,
        **{(ANY, f"MoveUp{word}"): SAME for word in ("Suggested", "Ordered", "Reached", "Ended")},
    },
    final=frozenset({"available", "conditionally_available", "not_available"}),
)

STATUSES = frozenset({"available", "conditionally_available", "not_available"})
LONGEST_SHIFT = timedelta(hours=24)


def sign(
    crew: Crew, now: datetime, *, status: str, reason: str | None, shift: Shift, gates: Gates
) -> ev.CrewStatusSet:
    """What the crew's status and shift are once it has this status.

    A break shorter than `rest_h` is no rest: the duty goes on where it was, unless other people
    took over. Whoever ends a duty of `longest_duty_h` or more rests for `rest_h` from then on.
    Raises Invalid when the shift would end in the past or after more than a day.
    """
    if status == "not_available":
        return _signed_off(crew, now, reason=reason, gates=gates)
    check_shift(shift, now)
    fact = ev.CrewStatusSet(
        status=status,
        reason=reason,
        on_duty_since=crew.on_duty_since or now,
        shift_ends_at=shift.ends_at or crew.shift_ends_at,
        rest_until=crew.rest_until,
        members_present=crew.members_present if shift.members is None else shift.members,
    )
    if crew.status == "not_available" and _rested(crew, now, gates):
        fact = replace(fact, on_duty_since=now, rest_until=None)
    return replace(fact, on_duty_since=now, rest_until=None) if shift.relieved else fact


def _signed_off(crew: Crew, now: datetime, *, reason: str | None, gates: Gates) -> ev.CrewStatusSet:
    if crew.status == "not_available":
        off_since, rest_until = crew.off_duty_since, crew.rest_until
    else:
        off_since, rest_until = now, _resting(crew, now, gates)
    return ev.CrewStatusSet(
        status="not_available",
        reason=reason,
        on_duty_since=crew.on_duty_since,
        off_duty_since=off_since,
        rest_until=rest_until,
    )


def _rested(crew: Crew, now: datetime, gates: Gates) -> bool:
    if crew.off_duty_since is None:
        return True
    return now - crew.off_duty_since >= timedelta(hours=gates.rest_h)


def _resting(crew: Crew, now: datetime, gates: Gates) -> datetime | None:
    longest = timedelta(hours=gates.longest_duty_h)
    if crew.on_duty_since is not None and now - crew.on_duty_since >= longest:
        return now + timedelta(hours=gates.rest_h)
    return crew.rest_until


def check_shift(shift: Shift, now: datetime) -> None:
    """Raise Invalid for a shift that nobody can work."""
    if shift.ends_at is not None and not now < shift.ends_at <= now + LONGEST_SHIFT:
        raise Invalid("The shift must end within the next 24 hours.", field="shift_ends_at")
    if shift.members is not None and not 0 <= shift.members <= MOST_MEMBERS:
        raise Invalid(
            f"Between 0 and {MOST_MEMBERS} people can be with a crew.", field="members_present"
        )


MOST_MEMBERS = 50


def evolve(crew: Crew | None, event: ev.Event) -> Crew:
    """The crew after the event. Raises WrongStatus when the lifecycle forbids it."""
    status = LIFECYCLE.after(crew.status if crew else None, event.type)
    fact = event.fact
    if crew is None:
        assert isinstance(fact, ev.CrewRegistered)
        return Crew(
            id=event.subject,
            version=event.version,
            changed_at=event.recorded_at,
            name=fact.name,
            call_sign=fact.call_sign,
            agency_id=fact.agency_id,
            status=status,
            skills=fact.skills,
            vehicle=fact.vehicle,
            members=fact.members,
            station_lon=fact.station_lon,
            station_lat=fact.station_lat,
            equipment=fact.equipment,
        )
    new = replace(crew, version=event.version, changed_at=event.recorded_at, status=status)
    match fact:
        case ev.CrewStatusSet():
            return _signed(new, fact)
        case ev.CrewShiftSet():
            return replace(new, shift_ends_at=fact.shift_ends_at, rest_until=fact.rest_until)
        case ev.CrewStaffed():
            return replace(
                new, members_present=fact.members_present, least_members=fact.least_members
            )
        case ev.CrewEquipped():
            return replace(new, equipment=fact.equipment)
        case ev.CrewOutOfService():
            return replace(new, out_of_service_reason=fact.reason)
        case ev.CrewBackInService():
            return replace(new, out_of_service_reason=None)
        case ev.CrewPositionTrouble():
            since = event.at if fact.trouble else None
            return replace(new, position_trouble=fact.trouble, position_trouble_at=since)
        case ev.MoveUpSuggested() | ev.MoveUpOrdered() | ev.MoveUpReached() | ev.MoveUpEnded():
            return _moved_up(new, fact, event.at)
        case ev.CrewCommitted():
            return replace(new, assignment_id=fact.assignment_id, move_up=None)
        case ev.CrewReleased():
            if crew.assignment_id != fact.assignment_id:
                return new
            return replace(new, assignment_id=None, moved_at=None)
    raise WrongStatus(f"{event.type} says nothing about a crew.", kind="crew")


def _signed(crew: Crew, fact: ev.CrewStatusSet) -> Crew:
    """Signed on or off; whoever goes home has no post any more."""
    if fact.status == "not_available":
        crew = replace(crew, move_up=None, moved_at=None)
    return replace(
        crew,
        status=fact.status,
        status_reason=fact.reason,
        on_duty_since=fact.on_duty_since,
        off_duty_since=fact.off_duty_since,
        shift_ends_at=fact.shift_ends_at,
        rest_until=fact.rest_until,
        members_present=fact.members_present,
    )


def _moved_up(
    crew: Crew,
    fact: ev.MoveUpSuggested | ev.MoveUpOrdered | ev.MoveUpReached | ev.MoveUpEnded,
    at: datetime,
) -> Crew:
    match fact:
        case ev.MoveUpSuggested():
            return replace(crew, move_up=_move_up(fact, "suggested", at))
        case ev.MoveUpOrdered():
            return replace(crew, move_up=_move_up(fact, "ordered", at), moved_at=at)
        case ev.MoveUpReached() if crew.move_up is not None:
            return replace(crew, move_up={**crew.move_up, "status": "reached"})
    return replace(crew, move_up=None, moved_at=at)


def _move_up(
    fact: ev.MoveUpSuggested | ev.MoveUpOrdered, status: str, at: datetime
) -> Mapping[str, Any]:
    """The post as the screens get it."""
    return {
        "status": status,
        "lon": fact.lon,
        "lat": fact.lat,
        "gain": fact.gain,
        "ete_s": fact.ete_s,
        "p90_ete_s": fact.p90_ete_s,
        "label": fact.label,
        "at": at.isoformat().replace("+00:00", "Z"),
    }
