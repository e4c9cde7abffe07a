"""What is done with a crew: signed on and off, staffed, equipped, taken out of service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from dispatch.actions.assignments import SHIFT_ENDS, withdraw
from dispatch.actions.recording import begin, record
from dispatch.core import crews, gates
from dispatch.core import events as ev
from dispatch.core.crews import MOST_MEMBERS, Crew, Shift
from dispatch.core.errors import Conflict, Invalid
from dispatch.core.events import SYSTEM, Actor
from dispatch.core.world import Timer, World

MOST_EQUIPMENT = 30
LONGEST_NAME = 60


def register_crew(world: World, now: datetime, actor: Actor, fact: ev.CrewRegistered) -> Crew:
    """A new crew; it starts off duty."""
    if fact.agency_id not in world.policy.agencies:
        raise Invalid(f"There is no agency “{fact.agency_id}”.", field="agency_id")
    return cast(Crew, begin(world, now, actor, "crew", world.new_id(), fact))


def set_crew_status(
    world: World,
    now: datetime,
    actor: Actor,
    crew_id: UUID,
    *,
    status: str,
    reason: str | None = None,
    shift: Shift | None = None,
    because: Mapping[str, Any] | None = None,
) -> Crew:
    """Sign on or off. Signing off takes an unanswered offer back; other work must end first.

    What `shift` leaves open stays as it is; a crew that says no end works until it signs off.
    """
    if status not in crews.STATUSES:
        raise Invalid(f"A crew is one of: {', '.join(sorted(crews.STATUSES))}.", field="status")
    crew = world.crew(crew_id)
    if status == "not_available" and crew.assignment_id is not None:
        assignment = world.assignment(crew.assignment_id)
        if assignment.status != "offered":
            raise Conflict(
                "Finish or decline the current assignment before signing off.", crew=crew.name
            )
        withdraw(world, now, actor, assignment.id, reason="crew signed off", because=because)
        crew = world.crew(crew_id)
    fact = crews.sign(
        crew,
        now,
        status=status,
        reason=reason,
        shift=shift or Shift(),
        gates=world.policy.gates,
    )
    if replace(fact, reason=None) == _standing(crew):
        return crew
    return _timed(world, record(world, now, actor, crew, fact, because=because))


def _standing(crew: Crew) -> ev.CrewStatusSet:
    """What signing would say if it changed nothing."""
    return ev.CrewStatusSet(
        status=crew.status,
        reason=None,
        on_duty_since=crew.on_duty_since,
        off_duty_since=crew.off_duty_since,
        shift_ends_at=crew.shift_ends_at,
        rest_until=crew.rest_until,
        members_present=crew.members_present,
    )


def set_shift(
    world: World,
    now: datetime,
    actor: Actor,
    crew_id: UUID,
    *,
    shift_ends_at: datetime | None,
    rest_until: datetime | None,
) -> Crew:
    """Change until when a crew works or rests; None is an open end, or no rest needed."""
    crew = world.crew(crew_id)
    if shift_ends_at is not None and crew.status == "not_available":
        raise Invalid(f"{crew.name} is off duty: it has no shift to end.", field="shift_ends_at")
    if shift_ends_at is not None and shift_ends_at != crew.shift_ends_at:
        crews.check_shift(Shift(ends_at=shift_ends_at), now)
    if (crew.shift_ends_at, crew.rest_until) == (shift_ends_at, rest_until):
        return crew
    fact = ev.CrewShiftSet(shift_ends_at, rest_until)
    return _timed(world, record(world, now, actor, crew, fact))


def staff_crew(
    world: World,
    now: datetime,
    actor: Actor,
    crew_id: UUID,
    *,
    members_present: int | None,
    least_members: int | None,
) -> Crew:
    """How many people are with the crew, and how many it needs; None is the usual number."""
    for field, number in (("members_present", members_present), ("least_members", least_members)):
        if number is not None and not 0 <= number <= MOST_MEMBERS:
            raise Invalid(f"Between 0 and {MOST_MEMBERS} people can be with a crew.", field=field)
    crew = world.crew(crew_id)
    if (crew.members_present, crew.least_members) == (members_present, least_members):
        return crew
    return record(world, now, actor, crew, ev.CrewStaffed(members_present, least_members))


def equip_crew(
    world: World, now: datetime, actor: Actor, crew_id: UUID, *, equipment: Sequence[str]
) -> Crew:
    """What the crew has on its vehicle, each thing once, by name."""
    named = tuple(sorted({name.strip() for name in equipment} - {""}))
    if len(named) > MOST_EQUIPMENT or any(len(name) > LONGEST_NAME for name in named):
        raise Invalid(
            f"Name at most {MOST_EQUIPMENT} things, each in at most {LONGEST_NAME} letters.",
            field="equipment",
        )
    crew = world.crew(crew_id)
    if crew.equipment == named:
        return crew
    return record(world, now, actor, crew, ev.CrewEquipped(named))


def take_out_of_service(
    world: World, now: datetime, actor: Actor, crew_id: UUID, *, reason: str
) -> Crew:
    """The crew is sent nowhere until it is back; work it has begun goes on."""
    reason = " ".join(reason.split())
    if not reason:
        raise Invalid("Say why the crew cannot work: dispatchers will read it.", field="reason")
    crew = world.crew(crew_id)
    if crew.assignment_id is not None:
        assignment = world.assignment(crew.assignment_id)
        if assignment.status == "offered":
            withdraw(world, now, actor, assignment.id, reason="crew out of service")
            crew = world.crew(crew_id)
    if crew.out_of_service_reason == reason:
        return crew
    return record(world, now, actor, crew, ev.CrewOutOfService(reason))


def put_back_in_service(world: World, now: datetime, actor: Actor, crew_id: UUID) -> Crew:
    """What kept the crew from work is over."""
    crew = world.crew(crew_id)
    if crew.out_of_service_reason is None:
        return crew
    return record(world, now, actor, crew, ev.CrewBackInService())


POSITION_TROUBLES = ("denied", "unavailable", "unsupported", "insecure", "off")
"""Why a phone cannot say where it is: not allowed, no signal, no such device, no HTTPS, or off."""


def tell_position_trouble(
    world: World, now: datetime, actor: Actor, crew_id: UUID, *, trouble: str | None
) -> Crew:
    """The crew's phone cannot say where it is any more, or (None) knows again."""
    if trouble is not None and trouble not in POSITION_TROUBLES:
        raise Invalid(f"A trouble is one of: {', '.join(POSITION_TROUBLES)}.", field="trouble")
    crew = world.crew(crew_id)
    if crew.position_trouble == trouble:
        return crew
    return record(world, now, actor, crew, ev.CrewPositionTrouble(trouble))


def end_shift(world: World, now: datetime, crew_id: UUID) -> Crew:
    """Sign off a crew whose shift and overtime are over and that is free.

    One that is at work is let finish; the timer comes again when it is free.
    """
    crew = world.crew(crew_id)
    over = crew.shift_ends_at is not None and now >= gates.last_end(
        crew.shift_ends_at, world.policy.gates
    )
    if crew.status == "not_available" or crew.assignment_id is not None or not over:
        return crew
    because = {"rule": "gates.overtime_s", "overtime_s": world.policy.gates.overtime_s}
    return set_crew_status(
        world,
        now,
        SYSTEM,
        crew_id,
        status="not_available",
        reason="shift over",
        because=because,
    )


def _timed(world: World, crew: Crew) -> Crew:
    """Keep the timer of the crew's shift in step with it."""
    if crew.status == "not_available" or crew.shift_ends_at is None:
        world.cancel_timer(SHIFT_ENDS, crew.id)
    else:
        run_at = gates.last_end(crew.shift_ends_at, world.policy.gates)
        world.set_timer(Timer(SHIFT_ENDS, crew.id, run_at))
    return crew
