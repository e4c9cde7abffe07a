"""Hours of a made-up city, turn by turn: whatever people do, the dispatcher keeps its promises."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from dispatch import actions
from dispatch.core.assignments import DIVERTED, Assignment
from dispatch.core.crews import Shift
from dispatch.core.errors import SigapError
from tests.property.turning_town import DESK, POLICIES, SERVICES, SKILLS, Check, Town


def _never_flaps(town: Town) -> None:
    """An incident loses so many crews and no more; a crew turned round arrives at the next."""
    lost: dict[UUID, int] = {}
    of_crew: dict[UUID, list[Assignment]] = {}
    for entity in town.world.entities().values():
        if isinstance(entity, Assignment):
            turned = entity.status == "withdrawn" and entity.decline_reason == DIVERTED
            lost[entity.incident_id] = lost.get(entity.incident_id, 0) + turned
            of_crew.setdefault(entity.crew_id, []).append(entity)
    most = town.policy.diversion.most_per_incident
    assert all(n <= most for n in lost.values())
    for assignments in of_crew.values():
        for one, next_ in pairwise(sorted(assignments, key=lambda a: (a.dispatched_at, a.id))):
            assert not (one.decline_reason == DIVERTED == next_.decline_reason), "twice in a row"


@st.composite
def towns(draw: st.DrawFn) -> Town:
    policy = POLICIES[draw(st.sampled_from(sorted(POLICIES)))]
    town = Town(policy)
    for _ in range(draw(st.integers(1, 5))):
        skills = tuple(sorted(draw(st.sets(st.sampled_from(SKILLS), max_size=3))))
        equipment = ("boat",) if draw(st.booleans()) else ()
        town.crew(skills, equipment, draw(metres), draw(metres))
    return town


metres = st.integers(-6000, 6000)
HAPPENINGS = (
    *("report", "report", "report", "answer", "answer", "answer", "answer", "wait", "wait"),
    *("refuse", "sign", "break", "silence", "short"),
)


def live(town: Town, data: st.DataObject, steps: int) -> None:
    """Draw what happens, one thing after the other, with a turn of the dispatcher after each."""
    crews = sorted(town.places)
    for _ in range(steps):
        happening = data.draw(st.sampled_from(HAPPENINGS))
        crew_id = data.draw(st.sampled_from(crews))
        try:
            with town.world.step():
                _happen(town, data, happening, crew_id)
        except SigapError:
            # people press what cannot be done now, too
            event(f"refused: {happening}")
        town.turn()


def _happen(town: Town, data: st.DataObject, happening: str, crew_id: UUID) -> None:
    crew = town.world.crew(crew_id)
    match happening:
        case "report":
            town.report(
                data.draw(st.sampled_from(SERVICES)),
                data.draw(st.sampled_from((1, 2, 3))),
                data.draw(metres),
                data.draw(metres),
            )
        case "answer":
            for each in sorted(town.places):
                town.answer(each, yes=True)
        case "refuse":
            town.answer(crew_id, yes=False)
        case "wait":
            town.wait(data.draw(st.sampled_from((10, 30, 61, 240, 900))))
        case "sign":
            status = data.draw(
                st.sampled_from(("available", "conditionally_available", "not_available"))
            )
            shift = Shift()
            if status != "not_available" and data.draw(st.booleans()):
                shift = Shift(ends_at=town.now + timedelta(minutes=data.draw(st.integers(5, 200))))
            actions.set_crew_status(town.world, town.now, DESK, crew_id, status=status, shift=shift)
        case "break" if crew.out_of_service_reason is None:
            actions.take_out_of_service(town.world, town.now, DESK, crew_id, reason="mogok")
        case "break":
            actions.put_back_in_service(town.world, town.now, DESK, crew_id)
        case "silence":
            town.silent ^= {crew_id}
        case "short":
            few = None if crew.members_present == 0 else 0
            actions.staff_crew(
                town.world, town.now, DESK, crew_id, members_present=few, least_members=None
            )


@settings(max_examples=100, deadline=None)
@given(town=towns(), data=st.data())
def test_whatever_happens_no_rule_is_broken(town: Town, data: st.DataObject) -> None:
    live(town, data, data.draw(st.integers(3, 25)))
    _never_flaps(town)


@settings(max_examples=15, deadline=None)
@given(town=towns(), data=st.data())
def test_everybody_is_reached_when_nothing_new_comes(town: Town, data: st.DataObject) -> None:
    """However it began: with crews willing and work ending, the queue empties."""
    live(town, data, data.draw(st.integers(3, 12)))
    town.silent.clear()
    for crew in town.world.crews():
        actions.set_crew_status(
            town.world, town.now, DESK, crew.id, status="available", shift=Shift(relieved=True)
        )
        for act, wish in (
            (actions.put_back_in_service, {}),
            (actions.set_shift, {"shift_ends_at": None, "rest_until": None}),
            (actions.staff_crew, {"members_present": None, "least_members": None}),
        ):
            act(town.world, town.now, DESK, crew.id, **wish)
    for skills, equipment in ((SKILLS, ()), (SKILLS, ("boat",))):
        town.crew(skills, equipment, 0, 0)
    for _ in range(400):
        if not town.world.active_incidents():
            break
        for crew_id in sorted(town.places):
            town.answer(crew_id, yes=True)
            town.answer(crew_id, yes=True)
        town.wait(120)
        town.turn()
    assert [i.id for i in town.world.active_incidents()] == []
    _never_flaps(town)


@settings(max_examples=20, deadline=None)
@given(town=towns(), data=st.data())
def test_a_quiet_world_is_left_alone(town: Town, data: st.DataObject) -> None:
    """Asked again at the same moment, the dispatcher has nothing to add."""
    live(town, data, data.draw(st.integers(3, 15)))
    town.turn()
    length = len(town.world.log)
    town.turn()
    assert [e.event.type for e in town.world.log[length:]] == []


def test_the_checks_can_fail() -> None:
    """A crew that said no cannot be asked again at once: were it, the check would tell."""
    town = Town(POLICIES["own"])
    crew_id = town.crew((), (), 0, 0)
    town.report("waste", 3, 500, 0)
    town.turn()
    town.answer(crew_id, yes=False)
    (incident,) = town.world.active_incidents()
    before, held = {c.id: c for c in town.world.crews()}, dict[UUID, Assignment]()
    town.since = len(town.world.log)
    actions.send_crew(town.world, town.now, DESK, incident.id, crew_id=crew_id)
    with pytest.raises(AssertionError):
        Check(town, before, held, town.road()).all()
