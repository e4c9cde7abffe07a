"""What an incident needs: levels add up, and crews already there fill what they can."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.core import run_cards
from dispatch.core.crews import Crew
from dispatch.core.errors import Invalid
from dispatch.core.policy import CardSlot, Policy, RunCard, Slot
from tests.contract.worlds import POLICY as SHIPPED

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SAW, PUMP, WINCH = Slot(("chainsaw",)), Slot(("pump",)), Slot((), ("winch",))
BOTH = Slot(("chainsaw",), ("winch",))
CARDS = {
    ("flood", 1): RunCard("flood", (CardSlot(("pump",), crews=2),)),
    ("flood", 2): RunCard("flood", (CardSlot(("enforcement",)), CardSlot(("pump",), ("boat",))), 2),
    ("fallen_tree", 2): RunCard("fallen_tree", (CardSlot((), ("winch",)),), 2),
}
POLICY: Policy = replace(SHIPPED, run_cards=CARDS)


def crew(number: int, *skills: str, equipment: tuple[str, ...] = ()) -> Crew:
    return Crew(
        id=UUID(int=number),
        version=1,
        changed_at=NOON,
        name=f"Regu {number}",
        call_sign=f"R{number}",
        agency_id="bpbd",
        status="available",
        skills=skills,
        vehicle="truck",
        members=3,
        station_lon=111.5,
        station_lat=-7.6,
        equipment=equipment,
    )


def test_levels_add_to_those_below() -> None:
    assert run_cards.slots(POLICY, "flood", 1) == (PUMP, PUMP)
    assert run_cards.slots(POLICY, "flood", 2) == (
        PUMP,
        PUMP,
        Slot(("enforcement",)),
        Slot(("pump",), ("boat",)),
    )
    assert run_cards.highest_level(POLICY, "flood") == 2


def test_without_a_card_the_service_itself_says_it() -> None:
    tree = POLICY.service("fallen_tree")
    assert run_cards.slots(POLICY, "fallen_tree", 1) == (Slot(tree.skills),) * tree.crews
    assert run_cards.slots(POLICY, "fallen_tree", 2) == (Slot(tree.skills), WINCH)
    assert run_cards.highest_level(POLICY, "waste") == 1
    assert run_cards.slots(POLICY, "waste", 1) == (Slot(),)


def test_an_unknown_category_has_no_card() -> None:
    with pytest.raises(Invalid):
        run_cards.slots(POLICY, "ufo", 1)


def test_skills_are_named_once() -> None:
    assert run_cards.skills_of((PUMP, BOTH, PUMP, SAW)) == ("pump", "chainsaw")


def test_the_crews_there_fill_what_they_can() -> None:
    wanted = (SAW, PUMP, WINCH)
    assert run_cards.missing(wanted, []) == wanted
    assert run_cards.missing(wanted, [crew(1, "pump")]) == (SAW, WINCH)
    assert run_cards.missing(wanted, [crew(1, "pump"), crew(2, "chainsaw")]) == (WINCH,)


def test_who_can_do_both_takes_what_nobody_else_can() -> None:
    """Only a maximum matching sees it: the all-rounder must leave the saw to the other."""
    able, saw_only = crew(1, "chainsaw", "pump"), crew(2, "chainsaw")
    assert run_cards.missing((SAW, PUMP), [able, saw_only]) == ()
    assert run_cards.missing((PUMP, SAW), [saw_only, able]) == ()


def test_the_demanding_slot_is_filled_first() -> None:
    full = crew(1, "chainsaw", equipment=("winch",))
    assert run_cards.missing((SAW, BOTH), [full]) == (SAW,)


def test_who_was_sent_on_purpose_counts() -> None:
    """A dispatcher sent a crew that fits nothing: it takes the easiest slot."""
    assert run_cards.missing((BOTH, SAW), [crew(1, "pump")]) == (BOTH,)
    assert run_cards.missing((SAW,), [crew(1)]) == ()


def test_what_nobody_in_the_city_has() -> None:
    city = [crew(1, "chainsaw"), crew(2, "pump")]
    assert run_cards.nobody_has((SAW, PUMP, WINCH, BOTH), city) == (WINCH, BOTH)
    assert run_cards.nobody_has((Slot(),), city) == ()


words = st.sampled_from(["chainsaw", "pump", "electrical"])
tools = st.sampled_from(["winch", "boat"])
slots = st.builds(
    Slot,
    st.sets(words, max_size=2).map(lambda s: tuple(sorted(s))),
    st.sets(tools, max_size=1).map(lambda s: tuple(sorted(s))),
)
many_slots = st.lists(slots, max_size=5).map(tuple)
many_crews = st.lists(
    st.tuples(st.sets(words, max_size=3), st.sets(tools, max_size=2)), max_size=5
).map(
    lambda drawn: [
        crew(i, *sorted(skills), equipment=tuple(sorted(kit)))
        for i, (skills, kit) in enumerate(drawn, start=1)
    ]
)


def most_filled(wanted: tuple[Slot, ...], crews: list[Crew]) -> int:
    """By trying every order: how many slots can be filled by crews that fit."""
    padded: list[Crew | None] = [*crews, *[None] * len(wanted)]
    return max(
        sum(c is not None and run_cards.fits(s, c) for s, c in zip(wanted, order, strict=False))
        for order in permutations(padded, len(wanted))
    )


@given(wanted=st.lists(slots, max_size=3).map(tuple), crews=many_crews.map(lambda c: c[:3]))
def test_as_many_slots_are_filled_as_can_be(wanted: tuple[Slot, ...], crews: list[Crew]) -> None:
    """Those that are filled could not be filled better, whichever crew went where."""
    open_ = run_cards.missing(wanted, crews)
    assert len(open_) == max(0, len(wanted) - len(crews))
    filled = list(wanted)
    for slot in open_:
        filled.remove(slot)
    assert most_filled(tuple(filled), crews) == most_filled(wanted, crews)


@given(wanted=many_slots, crews=many_crews, chance=st.randoms())
def test_the_order_of_crews_does_not_matter(
    wanted: tuple[Slot, ...], crews: list[Crew], chance: object
) -> None:
    shuffled = list(crews)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert run_cards.missing(wanted, shuffled) == run_cards.missing(wanted, crews)


@given(wanted=many_slots, crews=many_crews)
def test_one_more_crew_never_opens_a_slot(wanted: tuple[Slot, ...], crews: list[Crew]) -> None:
    left = run_cards.missing(wanted, crews)
    able = crew(90, "chainsaw", "pump", "electrical", equipment=("boat", "winch"))
    after = run_cards.missing(wanted, [*crews, able])
    assert len(after) == max(0, len(left) - 1)
    assert all(after.count(slot) <= left.count(slot) for slot in after)


@given(wanted=many_slots, crews=many_crews)
def test_what_is_open_is_what_was_wanted(wanted: tuple[Slot, ...], crews: list[Crew]) -> None:
    """Open slots stand in the order of the card, each as often as the card has it."""
    remaining = iter(wanted)
    assert all(slot in remaining for slot in run_cards.missing(wanted, crews))
