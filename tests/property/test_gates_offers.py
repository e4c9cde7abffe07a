"""Whatever crews there are: nobody is offered work that a gate or the run card forbids."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatch import actions, dispatcher
from dispatch.core import events as ev
from dispatch.core import run_cards
from dispatch.core.crews import Crew, Fix, Shift
from dispatch.core.events import Actor
from dispatch.core.gates import unfit
from dispatch.core.policy import CardSlot, Policy, RunCard
from dispatch.simulator.memory import MemoryWorld
from tests.contract.worlds import POLICY as SHIPPED
from tests.contract.worlds import counted_ids

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NOW = NOON + timedelta(hours=2)
DESK = Actor("dispatcher", "d1")
CARDS = {
    ("flood", 1): RunCard("flood", (CardSlot(("pump",)), CardSlot(("pump",), ("boat",)))),
    ("fallen_tree", 2): RunCard("fallen_tree", (CardSlot((), ("winch",)),), 2),
}
POLICY: Policy = replace(SHIPPED, run_cards=CARDS)

some_crews = st.lists(
    st.fixed_dictionaries(
        {
            "skills": st.sets(st.sampled_from(["pump", "chainsaw", "electrical"])),
            "equipment": st.sets(st.sampled_from(["boat", "winch"])),
            "status": st.sampled_from(["available"] * 3 + ["conditionally_available", "off"]),
            "ends_h": st.sampled_from([None, 2.1, 3.0, 8.0]),
            "members": st.sampled_from([None, 0, 1, 3]),
            "broken": st.sampled_from([False] * 4 + [True]),
            "rest_h": st.sampled_from([None, None, 1.0, 3.0]),
            "age_s": st.sampled_from([0.0, 30.0, 299.0, 301.0, None]),
        }
    ),
    min_size=1,
    max_size=6,
)
some_work = st.lists(
    st.tuples(st.sampled_from(["flood", "fallen_tree", "waste", "other"]), st.booleans()),
    min_size=1,
    max_size=3,
)


def sign_on(world: MemoryWorld, drawn: dict[str, Any]) -> Crew:
    skills, equipment = tuple(sorted(drawn["skills"])), tuple(sorted(drawn["equipment"]))
    fact = ev.CrewRegistered("R", "R", "bpbd", skills, "truck", 3, 111.5, -7.6, equipment)
    crew = actions.register_crew(world, NOON, DESK, fact)
    if drawn["status"] != "off":
        ends_at = NOON + timedelta(hours=drawn["ends_h"]) if drawn["ends_h"] else None
        shift = Shift(ends_at, drawn["members"])
        status = {"status": drawn["status"], "shift": shift}
        crew = actions.set_crew_status(world, NOON, DESK, crew.id, **status)
    if drawn["rest_h"] is not None:
        rest = NOON + timedelta(hours=drawn["rest_h"])
        hours = {"shift_ends_at": crew.shift_ends_at, "rest_until": rest}
        actions.set_shift(world, NOON, DESK, crew.id, **hours)
    if drawn["broken"]:
        actions.take_out_of_service(world, NOON, DESK, crew.id, reason="rusak")
    if drawn["age_s"] is not None:
        seen = NOW - timedelta(seconds=drawn["age_s"])
        world.put_fix(Fix(crew.id, 111.5, -7.6, fix_time=seen, server_time=seen))
    return world.crew(crew.id)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=some_crews, work=some_work)
def test_only_those_who_may_and_can_are_offered_work(
    drawn: list[dict[str, Any]], work: list[tuple[str, bool]]
) -> None:
    world = MemoryWorld("kota", POLICY, ids=counted_ids())
    for each in drawn:
        sign_on(world, each)
    for service_code, raised in work:
        wish = actions.NewReport("web", service_code, "uji", lon=111.5, lat=-7.6)
        report = actions.receive_report(world, NOW, Actor("citizen"), wish)
        incident = actions.verify_report(world, NOW, DESK, report.id)
        if raised and service_code == "fallen_tree":
            actions.raise_alarm(world, NOW, DESK, incident.id, alarm_level=2, reason="uji")
    before = {crew.id: crew for crew in world.crews()}
    fixes = world.fixes()
    asked = dispatcher.question(world, NOW)
    road_s = {(c, i): 300.0 for c, *_ in asked.crews for i, *_ in asked.incidents}
    dispatcher.act(world, NOW, road_s, graph="uji")
    taken: dict[Any, list[Crew]] = {}
    for entry in world.log:
        fact = entry.event.fact
        if isinstance(fact, ev.AssignmentOffered):
            crew, to = before[fact.crew_id], world.incident(fact.incident_id)
            shut = unfit(crew, fixes.get(crew.id), now=NOW, policy=POLICY, priority=to.priority)
            assert shut is None
            assert any(run_cards.fits(slot, crew) for slot in run_cards.slots_of(to))
            taken.setdefault(to.id, []).append(crew)
    for incident_id, crews in taken.items():
        slots = run_cards.slots_of(world.incident(incident_id))
        assert len(crews) <= len(slots)
        # each fills a slot of its own: what is left open is what the others would have filled
        for at in range(len(crews)):
            without = run_cards.missing(slots, crews[:at] + crews[at + 1 :])
            assert any(run_cards.fits(slot, crews[at]) for slot in without)
    everybody = [crew.id for crews in taken.values() for crew in crews]
    assert len(everybody) == len(set(everybody))
