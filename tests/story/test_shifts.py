"""A crew's day: it signs on for a shift, breaks down, rests, and is never kept past its hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from dispatch import actions, dispatcher
from dispatch.core import events as ev
from dispatch.core.crews import Crew, Fix, Shift
from dispatch.core.errors import Conflict, Invalid
from dispatch.core.events import Actor
from dispatch.core.policy import Gates, Policy
from dispatch.core.world import Timer
from dispatch.simulator.memory import MemoryWorld
from tests.contract.worlds import POLICY as SHIPPED
from tests.contract.worlds import counted_ids

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DESK, CREW = Actor("dispatcher", "d1"), Actor("crew", "c1")
RULES = Gates(overtime_s=1800, longest_duty_h=12, rest_h=8)
POLICY: Policy = replace(SHIPPED, gates=RULES)


def hours(number: float) -> datetime:
    return NOON + timedelta(hours=number)


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld("kota", POLICY, ids=counted_ids())


@pytest.fixture
def crew(world: MemoryWorld) -> Crew:
    fact = ev.CrewRegistered("Regu 1", "R1", "dlh", (), "truck", 3, 111.5, -7.6)
    return actions.register_crew(world, NOON, DESK, fact)


def sign_on(world: MemoryWorld, crew: Crew, at: datetime, **shift: object) -> Crew:
    world.put_fix(Fix(crew.id, 111.5, -7.6, fix_time=at, server_time=at))
    return actions.set_crew_status(
        world,
        at,
        CREW,
        crew.id,
        status="available",
        shift=Shift(**shift),  # type: ignore[arg-type]
    )


def sign_off(world: MemoryWorld, crew: Crew, at: datetime) -> Crew:
    return actions.set_crew_status(world, at, CREW, crew.id, status="not_available")


def work(world: MemoryWorld, at: datetime) -> UUID:
    """An incident that waits."""
    wish = actions.NewReport("web", "waste", "Sampah menumpuk", lon=111.5, lat=-7.6)
    report = actions.receive_report(world, at, Actor("citizen"), wish)
    return actions.verify_report(world, at, DESK, report.id).id


def unfit(world: MemoryWorld, crew: Crew, at: datetime) -> str | None:
    world.put_fix(Fix(crew.id, 111.5, -7.6, fix_time=at, server_time=at))
    return dispatcher.unfit(
        world.crew(crew.id), world.fixes()[crew.id], now=at, policy=POLICY, work_s=600.0
    )


def run_due(world: MemoryWorld, at: datetime) -> list[str]:
    """What the timers of this moment are for; each is done and forgotten."""
    due = world.due(at)
    for timer in due:
        world.cancel_timer(timer.kind, timer.subject)
        dispatcher.run_timer(world, at, timer)
    return [timer.kind for timer in due]


def test_signing_on_says_until_when_and_with_whom(world: MemoryWorld, crew: Crew) -> None:
    on = sign_on(world, crew, NOON, ends_at=hours(8), members=2)
    assert (on.status, on.on_duty_since, on.shift_ends_at) == ("available", NOON, hours(8))
    assert (on.members, on.members_present) == (3, 2)
    off = sign_off(world, crew, hours(5))
    assert (off.off_duty_since, off.shift_ends_at, off.members_present) == (hours(5), None, None)
    assert off.rest_until is None


def test_signing_on_twice_says_nothing_new(world: MemoryWorld, crew: Crew) -> None:
    first = sign_on(world, crew, NOON, ends_at=hours(8))
    assert sign_on(world, crew, hours(1)) == first
    assert sign_on(world, crew, hours(1), ends_at=hours(8)) == first
    longer = sign_on(world, crew, hours(1), ends_at=hours(9))
    assert (longer.version, longer.shift_ends_at) == (first.version + 1, hours(9))
    assert longer.on_duty_since == NOON
    assert world.due(hours(9.4)) == []


def test_conditionally_available_keeps_the_shift(world: MemoryWorld, crew: Crew) -> None:
    on = sign_on(world, crew, NOON, ends_at=hours(8), members=2)
    lunch = actions.set_crew_status(
        world, hours(1), CREW, crew.id, status="conditionally_available", reason="makan"
    )
    assert lunch.status_reason == "makan"
    assert replace(
        lunch, status="available", status_reason=None, version=0, changed_at=NOON
    ) == replace(on, version=0, changed_at=NOON)


@pytest.mark.parametrize("ends_at", [hours(-1), NOON, hours(24.1)])
def test_a_shift_nobody_can_work_is_refused(
    world: MemoryWorld, crew: Crew, ends_at: datetime
) -> None:
    with pytest.raises(Invalid, match="within the next 24 hours"):
        sign_on(world, crew, NOON, ends_at=ends_at)
    assert world.crew(crew.id).status == "not_available"


def test_a_free_crew_is_signed_off_after_its_shift(world: MemoryWorld, crew: Crew) -> None:
    sign_on(world, crew, NOON, ends_at=hours(8))
    assert run_due(world, hours(8.4)) == []
    assert unfit(world, crew, hours(8.4)) == "shift"
    assert run_due(world, hours(8.5)) == [actions.SHIFT_ENDS]
    off = world.crew(crew.id)
    assert (off.status, off.status_reason) == ("not_available", "shift over")
    because = world.log[-1].event.because
    assert because is not None
    assert because["rule"] == "gates.overtime_s"
    assert world.due(hours(100)) == []


def test_nobody_is_signed_off_in_the_middle_of_work(world: MemoryWorld, crew: Crew) -> None:
    sign_on(world, crew, NOON, ends_at=hours(8))
    job = actions.send_crew(world, hours(7), DESK, work(world, hours(7)), crew_id=crew.id)
    actions.acknowledge(world, hours(7), CREW, job.id)
    assert actions.SHIFT_ENDS in run_due(world, hours(8.5))
    assert world.crew(crew.id).status == "available"
    actions.en_route(world, hours(8.6), CREW, job.id)
    actions.on_scene(world, hours(8.7), CREW, job.id)
    actions.clear(world, hours(9), CREW, job.id, disposition_code="05")
    assert world.crew(crew.id).status == "available"
    assert actions.SHIFT_ENDS in run_due(world, hours(9))
    assert world.crew(crew.id).status == "not_available"


def test_a_longer_shift_is_not_cut_by_the_old_end(world: MemoryWorld, crew: Crew) -> None:
    sign_on(world, crew, NOON, ends_at=hours(4))
    actions.set_shift(world, hours(3), DESK, crew.id, shift_ends_at=hours(6), rest_until=None)
    assert run_due(world, hours(4.5)) == []
    actions.set_shift(world, hours(5), DESK, crew.id, shift_ends_at=None, rest_until=None)
    assert run_due(world, hours(48)) == []
    # a timer that was claimed before the change signs nobody off either
    dispatcher.run_timer(world, hours(7), Timer(actions.SHIFT_ENDS, crew.id, hours(6.5)))
    assert world.crew(crew.id).status == "available"


def test_who_worked_too_long_rests(world: MemoryWorld, crew: Crew) -> None:
    sign_on(world, crew, NOON)
    assert unfit(world, crew, hours(12)) is None
    assert unfit(world, crew, hours(12.1)) == "rest"
    assert sign_off(world, crew, hours(13)).rest_until == hours(21)
    early = sign_on(world, crew, hours(15))
    assert early.on_duty_since == NOON
    assert unfit(world, crew, hours(15)) == "rest"
    sign_off(world, crew, hours(15.1))
    fresh = sign_on(world, crew, hours(24))
    assert (fresh.on_duty_since, fresh.rest_until) == (hours(24), None)
    assert unfit(world, crew, hours(24)) is None


def test_a_short_break_is_no_rest(world: MemoryWorld, crew: Crew) -> None:
    sign_on(world, crew, NOON)
    sign_off(world, crew, hours(7))
    again = sign_on(world, crew, hours(9))
    assert again.on_duty_since == NOON
    assert unfit(world, crew, hours(12.1)) == "rest"


def test_other_people_begin_with_all_their_hours(world: MemoryWorld, crew: Crew) -> None:
    sign_on(world, crew, NOON, ends_at=hours(12))
    sign_off(world, crew, hours(12.2))
    others = sign_on(world, crew, hours(12.3), relieved=True, ends_at=hours(20))
    assert (others.on_duty_since, others.rest_until) == (hours(12.3), None)
    assert unfit(world, crew, hours(13)) is None
    # the watch may also change without anybody signing off
    relief = sign_on(world, crew, hours(19), relieved=True, ends_at=hours(28))
    assert relief.on_duty_since == hours(19)


def test_a_supervisor_ends_or_orders_rest(world: MemoryWorld, crew: Crew) -> None:
    sign_on(world, crew, NOON, ends_at=hours(8))
    rest = actions.set_shift(
        world, hours(1), DESK, crew.id, shift_ends_at=hours(8), rest_until=hours(2)
    )
    assert rest.rest_until == hours(2)
    assert unfit(world, crew, hours(1.5)) == "rest"
    assert unfit(world, crew, hours(2)) is None
    sign_off(world, crew, hours(3))
    with pytest.raises(Invalid, match="off duty"):
        actions.set_shift(world, hours(3), DESK, crew.id, shift_ends_at=hours(8), rest_until=None)


def test_out_of_service_until_somebody_says_otherwise(world: MemoryWorld, crew: Crew) -> None:
    sign_on(world, crew, NOON)
    incident_id = work(world, NOON)
    offer = actions.send_crew(world, NOON, DESK, incident_id, crew_id=crew.id)
    broken = actions.take_out_of_service(world, NOON, DESK, crew.id, reason=" ban   pecah ")
    assert (broken.out_of_service_reason, broken.assignment_id) == ("ban pecah", None)
    assert world.assignment(offer.id).status == "withdrawn"
    assert unfit(world, crew, NOON) == "out_of_service"
    with pytest.raises(Invalid, match=r"out of service \(ban pecah\)"):
        actions.send_crew(world, NOON, DESK, incident_id, crew_id=crew.id)
    assert actions.take_out_of_service(world, NOON, DESK, crew.id, reason="ban pecah") == broken
    back = actions.put_back_in_service(world, hours(1), DESK, crew.id)
    assert back.out_of_service_reason is None
    assert actions.put_back_in_service(world, hours(1), DESK, crew.id) == back
    again = actions.send_crew(world, hours(1), DESK, incident_id, crew_id=crew.id)
    assert again.status == "offered"
    with pytest.raises(Invalid, match="Say why"):
        actions.take_out_of_service(world, hours(1), DESK, crew.id, reason=" ")


def test_work_that_was_taken_goes_on_out_of_service(world: MemoryWorld, crew: Crew) -> None:
    sign_on(world, crew, NOON)
    job = actions.send_crew(world, NOON, DESK, work(world, NOON), crew_id=crew.id)
    actions.acknowledge(world, NOON, CREW, job.id)
    actions.take_out_of_service(world, NOON, DESK, crew.id, reason="radio mati")
    assert world.assignment(job.id).status == "acknowledged"
    actions.on_scene(world, hours(0.2), CREW, job.id)
    actions.clear(world, hours(0.5), CREW, job.id, disposition_code="05")
    assert unfit(world, crew, hours(0.5)) == "out_of_service"


def test_too_few_people_stay(world: MemoryWorld, crew: Crew) -> None:
    sign_on(world, crew, NOON, members=1)
    assert unfit(world, crew, NOON) is None
    staffed = actions.staff_crew(world, NOON, DESK, crew.id, members_present=1, least_members=2)
    assert unfit(world, crew, NOON) == "short_staffed"
    again = actions.staff_crew(world, NOON, DESK, crew.id, members_present=1, least_members=2)
    assert again == staffed
    actions.staff_crew(world, NOON, DESK, crew.id, members_present=None, least_members=2)
    assert unfit(world, crew, NOON) is None
    with pytest.raises(Invalid, match="Between 0 and 50"):
        actions.staff_crew(world, NOON, DESK, crew.id, members_present=-1, least_members=None)


def test_tools_are_kept_once_and_sorted(world: MemoryWorld, crew: Crew) -> None:
    kit = actions.equip_crew(world, NOON, DESK, crew.id, equipment=["winch", " boat ", "winch", ""])
    assert kit.equipment == ("boat", "winch")
    assert actions.equip_crew(world, NOON, DESK, crew.id, equipment=["winch", "boat"]) == kit
    with pytest.raises(Invalid, match="at most 30 things"):
        actions.equip_crew(world, NOON, DESK, crew.id, equipment=[str(n) for n in range(31)])


def test_off_duty_people_are_offered_nothing(world: MemoryWorld, crew: Crew) -> None:
    """Neither by itself nor by hand, and what was offered is taken back when they leave."""
    incident_id = work(world, NOON)
    with pytest.raises(Invalid, match="off duty"):
        actions.send_crew(world, NOON, DESK, incident_id, crew_id=crew.id)
    sign_on(world, crew, NOON)
    offer = actions.send_crew(world, NOON, DESK, incident_id, crew_id=crew.id)
    sign_off(world, crew, hours(0.001))
    assert world.assignment(offer.id).status == "withdrawn"
    length = len(world.log)
    work(world, hours(0.002))
    asked = dispatcher.question(world, hours(0.002))
    assert all(crew_id != crew.id for crew_id, *_ in asked.crews)
    channels = {channel for entry in world.log[length:] for channel in entry.channels}
    assert channels
    assert f"crew/{crew.id}" not in channels


def test_who_is_at_work_cannot_leave(world: MemoryWorld, crew: Crew) -> None:
    sign_on(world, crew, NOON)
    job = actions.send_crew(world, NOON, DESK, work(world, NOON), crew_id=crew.id)
    actions.acknowledge(world, NOON, CREW, job.id)
    with pytest.raises(Conflict, match="Finish or decline"):
        sign_off(world, crew, NOON)
