"""Who may be sent: each gate alone, and the order in which they are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.core import gates
from dispatch.core.crews import STATUSES, Crew, Fix
from dispatch.core.gates import unfit
from dispatch.core.policy import Diversion, Gates, Policy
from tests.contract.worlds import POLICY as SHIPPED

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
RULES = Gates(overtime_s=1800, longest_duty_h=12, rest_h=8, least_members=2)
POLICY: Policy = replace(SHIPPED, gates=RULES, diversion=Diversion(conditional_for=(1,)))
WORK_S = 2400.0
READY = Crew(
    id=UUID(int=1),
    version=3,
    changed_at=NOON,
    name="Regu 1",
    call_sign="R1",
    agency_id="bpbd",
    status="available",
    skills=("chainsaw",),
    vehicle="truck",
    members=3,
    station_lon=111.5,
    station_lat=-7.6,
    on_duty_since=NOON - timedelta(hours=2),
)
HERE = Fix(READY.id, 111.5, -7.6, fix_time=NOON, server_time=NOON)


def ask(
    fix: Fix | None = HERE, *, priority: int | None = 2, work_s: float = WORK_S, **changes: object
) -> str | None:
    crew = replace(READY, **changes)  # type: ignore[arg-type]
    return unfit(crew, fix, now=NOON, policy=POLICY, priority=priority, work_s=work_s)


def hours(number: float) -> datetime:
    return NOON + timedelta(hours=number)


def seconds(number: float) -> datetime:
    return NOON + timedelta(seconds=number)


def test_a_ready_crew_may_be_sent() -> None:
    assert ask() is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "not_available"}, "off_duty"),
        ({"out_of_service_reason": "ban pecah"}, "out_of_service"),
        ({"assignment_id": UUID(int=5)}, "busy"),
        ({"status": "conditionally_available"}, "conditional"),
        ({"rest_until": hours(1)}, "rest"),
        ({"rest_until": hours(-1)}, None),
        ({"on_duty_since": hours(-12)}, None),
        ({"on_duty_since": hours(-12.01)}, "rest"),
        ({"on_duty_since": None}, None),
        ({"shift_ends_at": hours(4)}, None),
        # work of 2400 s from now ends 600 s after a shift that ends in 1800 s: overtime allows it
        ({"shift_ends_at": seconds(1800)}, None),
        ({"shift_ends_at": seconds(600)}, None),
        ({"shift_ends_at": seconds(599)}, "shift"),
        ({"shift_ends_at": hours(-1)}, "shift"),
        ({"members_present": 2}, None),
        ({"members_present": 1}, "short_staffed"),
        ({"members_present": 0}, "short_staffed"),
        ({"members": 1}, "short_staffed"),
        ({"least_members": 4}, "short_staffed"),
        ({"least_members": 3}, None),
        # the city's own number stands when the crew's is lower
        ({"least_members": 1, "members_present": 1}, "short_staffed"),
    ],
)
def test_each_gate(changes: dict[str, object], reason: str | None) -> None:
    assert ask(**changes) == reason  # type: ignore[arg-type]


def test_a_crew_that_nobody_sees_is_not_sent() -> None:
    stale_s = POLICY.matching.stale_fix_s
    assert ask(None) == "no_position"
    assert ask(replace(HERE, fix_time=seconds(-stale_s))) is None
    assert ask(replace(HERE, fix_time=seconds(-stale_s - 1))) == "stale"


@pytest.mark.parametrize(
    ("priority", "reason"), [(1, None), (2, "conditional"), (None, "conditional")]
)
def test_conditionally_available_is_asked_for_the_urgent_only(
    priority: int | None, reason: str | None
) -> None:
    assert ask(priority=priority, status="conditionally_available") == reason


def test_without_a_length_the_usual_one_counts() -> None:
    m = POLICY.matching
    usual_s = m.turnout_s + m.mean_travel_s + m.mean_service_s
    for spare_s, late in ((0, False), (-1, True)):
        ends_at = seconds(usual_s - RULES.overtime_s + spare_s)
        crew = replace(READY, shift_ends_at=ends_at)
        assert gates.ends_too_late(crew, NOON, POLICY) is late


def test_a_crew_on_its_way_is_asked_as_if_it_were_free() -> None:
    busy = replace(READY, assignment_id=UUID(int=5))
    for changes, reason in (
        ({}, None),
        ({"out_of_service_reason": "mogok"}, "out_of_service"),
        ({"rest_until": hours(1)}, "rest"),
    ):
        crew = replace(busy, **changes)
        assert unfit(crew, HERE, now=NOON, policy=POLICY, on_the_way=True) == reason


def test_conditional_is_told_only_when_nothing_else_is_wrong() -> None:
    assert ask(None, status="conditionally_available") == "no_position"
    assert ask(status="conditionally_available", rest_until=hours(1)) == "rest"


def test_the_first_gate_that_shuts_is_told() -> None:
    """Whatever else is wrong: the order is that of REASONS."""
    shut: dict[str, dict[str, object]] = {
        "off_duty": {"status": "not_available"},
        "out_of_service": {"out_of_service_reason": "x"},
        "busy": {"assignment_id": UUID(int=5)},
        "rest": {"rest_until": hours(1)},
        "shift": {"shift_ends_at": hours(-1)},
        "short_staffed": {"members_present": 0},
    }
    names = [name for name in gates.REASONS if name in shut]
    for i, name in enumerate(names):
        changes: dict[str, object] = {}
        for other in names[i:]:
            changes |= shut[other]
        assert ask(None, **changes) == name  # type: ignore[arg-type]


crews = st.builds(
    replace,
    st.just(READY),
    status=st.sampled_from(sorted(STATUSES)),
    assignment_id=st.none() | st.just(UUID(int=5)),
    members_present=st.none() | st.integers(0, 5),
    least_members=st.none() | st.integers(0, 5),
    on_duty_since=st.none() | st.floats(-30, 0).map(hours),
    shift_ends_at=st.none() | st.floats(-2, 12).map(hours),
    rest_until=st.none() | st.floats(-2, 12).map(hours),
    out_of_service_reason=st.none() | st.just("rusak"),
)
fixes = st.none() | st.floats(0, 2000).map(lambda age_s: replace(HERE, fix_time=seconds(-age_s)))


@given(crew=crews, fix=fixes, priority=st.sampled_from([None, 1, 2, 3]), work_s=st.floats(0, 9000))
def test_who_passes_could_really_go(
    crew: Crew, fix: Fix | None, priority: int | None, work_s: float
) -> None:
    """Nobody off duty, resting, broken down, alone or unseen passes, whatever else is true."""
    reason = unfit(crew, fix, now=NOON, policy=POLICY, priority=priority, work_s=work_s)
    if reason is not None:
        assert reason in gates.REASONS
        return
    assert crew.status in {"available", "conditionally_available"}
    assert crew.status == "available" or priority == 1
    assert crew.assignment_id is None
    assert crew.out_of_service_reason is None
    assert fix is not None
    assert (NOON - fix.fix_time).total_seconds() <= POLICY.matching.stale_fix_s
    present = crew.members if crew.members_present is None else crew.members_present
    assert present >= max(2, crew.least_members or 0)
    assert crew.rest_until is None or crew.rest_until <= NOON
    assert crew.on_duty_since is None or NOON - crew.on_duty_since <= timedelta(hours=12)
    if crew.shift_ends_at is not None:
        end = NOON + timedelta(seconds=work_s)
        assert end <= crew.shift_ends_at + timedelta(seconds=RULES.overtime_s)


@given(crew=crews, fix=fixes, work_s=st.floats(0, 9000), more_s=st.floats(0, 9000))
def test_longer_work_opens_no_gate(
    crew: Crew, fix: Fix | None, work_s: float, more_s: float
) -> None:
    def asked(length_s: float) -> str | None:
        return unfit(crew, fix, now=NOON, policy=POLICY, priority=1, work_s=length_s)

    if asked(work_s) is not None:
        assert asked(work_s + more_s) is not None
