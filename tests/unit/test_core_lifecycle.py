"""Every status can be reached, every step of a table can be taken, and no other step can."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from dispatch.core import assignments, closures, crews, incidents, referrals, reports, rounds
from dispatch.core.errors import WrongStatus
from dispatch.core.events import fact_types
from dispatch.core.lifecycle import ANY, SAME, Lifecycle
from dispatch.core.world import EVOLVE

TABLES: Mapping[str, Lifecycle] = {
    room.LIFECYCLE.kind: room.LIFECYCLE
    for room in (reports, incidents, assignments, crews, referrals, closures, rounds)
}
EVERY = pytest.mark.parametrize("lifecycle", TABLES.values(), ids=TABLES.keys())
# Facts that themselves name the status they lead to; the table keeps the one there was.
NAMED_BY_FACT = {
    "crew": {"available", "conditionally_available", "not_available"},
    "incident": {"pending"},
}


def facts(lifecycle: Lifecycle) -> set[str]:
    return {*lifecycle.first, *(fact for _, fact in lifecycle.table)}


def reached(lifecycle: Lifecycle) -> set[str]:
    """Every status that steps from a beginning lead to."""
    found = set(lifecycle.first.values()) | NAMED_BY_FACT.get(lifecycle.kind, set())
    todo = list(found)
    while todo:
        status = todo.pop()
        for fact in facts(lifecycle):
            if lifecycle.allows(status, fact):
                following = lifecycle.after(status, fact)
                if following not in found:
                    found.add(following)
                    todo.append(following)
    return found


def test_there_is_a_table_for_every_kind_of_thing() -> None:
    assert TABLES.keys() == EVOLVE.keys()


def test_every_fact_belongs_to_exactly_one_table() -> None:
    owners = [name for lifecycle in TABLES.values() for name in facts(lifecycle)]
    assert sorted(owners) == sorted(fact_types())


@EVERY
def test_every_status_and_every_step_can_be_reached(lifecycle: Lifecycle) -> None:
    can_be = reached(lifecycle)
    assert can_be == lifecycle.statuses()
    assert {status for status, _ in lifecycle.table if status != ANY} <= can_be


@EVERY
def test_every_step_is_the_one_the_table_says_and_no_other(lifecycle: Lifecycle) -> None:
    for status in lifecycle.statuses():
        for fact in facts(lifecycle):
            wanted = lifecycle.table.get((status, fact)) or lifecycle.table.get((ANY, fact))
            if wanted is None:
                with pytest.raises(WrongStatus, match=f"{lifecycle.kind} that is {status}") as no:
                    lifecycle.after(status, fact)
                assert no.value.fields == {
                    "kind": lifecycle.kind,
                    "status": status,
                    "fact": fact,
                }
            else:
                assert lifecycle.after(status, fact) == (status if wanted == SAME else wanted)


@EVERY
def test_a_life_begins_in_one_way_only(lifecycle: Lifecycle) -> None:
    for fact in facts(lifecycle):
        assert lifecycle.allows(None, fact) == (fact in lifecycle.first)
        if fact in lifecycle.first:
            for status in lifecycle.statuses():
                assert not lifecycle.allows(status, fact), "nothing begins twice"


@EVERY
def test_a_fact_of_another_kind_is_refused(lifecycle: Lifecycle) -> None:
    for other in set(fact_types()) - facts(lifecycle):
        assert not any(lifecycle.allows(status, other) for status in lifecycle.statuses())


def test_an_entry_of_a_status_goes_before_the_one_for_any() -> None:
    table = Lifecycle("thing", {"Made": "new"}, {(ANY, "Used"): SAME, ("new", "Used"): "used"})
    assert table.after("new", "Used") == "used"
    assert table.after("used", "Used") == "used"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("assignment", "cleared"),
        ("assignment", "declined"),
        ("assignment", "expired"),
        ("assignment", "withdrawn"),
        ("incident", "cancelled"),
    ],
)
def test_what_is_over_stays_over(kind: str, status: str) -> None:
    lifecycle = TABLES[kind]
    steps = {lifecycle.after(status, f) for f in facts(lifecycle) if lifecycle.allows(status, f)}
    assert steps <= {status}
