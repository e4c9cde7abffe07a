"""A ticket survives being typed, read aloud and swapped; no two reports share one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.core import tickets
from dispatch.core.errors import Invalid
from dispatch.core.tickets import ALPHABET, make, parse

FIRST_ROUND = 31**4
numbers = st.integers(1, 2 * FIRST_ROUND)


def halves(ticket: str) -> tuple[str, str]:
    """The city's letters and the characters that the last one checks."""
    prefix, body, check = ticket.split("-")
    return prefix, body + check


@given(numbers)
def test_every_wrong_character_is_found(number: int) -> None:
    prefix, right = halves(make("MDN", number))
    for place, character in enumerate(right):
        for other in ALPHABET:
            if other == character:
                continue
            wrong = right[:place] + other + right[place + 1 :]
            with pytest.raises(Invalid):
                parse(prefix + wrong)


@given(numbers)
def test_every_swap_of_two_characters_is_found(number: int) -> None:
    prefix, right = halves(make("MDN", number))
    for one in range(len(right)):
        for two in range(one + 1, len(right)):
            if right[one] == right[two]:
                continue
            swapped = list(right)
            swapped[one], swapped[two] = swapped[two], swapped[one]
            with pytest.raises(Invalid):
                parse(prefix + "".join(swapped))


@given(numbers, st.randoms(use_true_random=False))
def test_it_may_be_written_in_many_ways(number: int, chance: random.Random) -> None:
    ticket = make("mdn", number)
    prefix, rest = halves(ticket)
    spoken = "".join(chance.choice((c.lower(), c)) for c in rest)
    for one in ("1", "I", "i", "l", "L"):
        typed = chance.choice((" ", "", "-", " - ", ".")).join((prefix.lower(), spoken))
        assert parse(f"  {typed.replace('1', one)}\n") == ticket


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MDN",
        "MDN-7K3Q",
        "M1N-7K3Q-4",
        "12-34",
        "MDN-7K3O-4",
        "MDN-7K30-4",
        "MDN-7U3Q-4",
        "MDN-7²3Q-4",
        "📷📷📷",
        "selamat pagi",
        "MDN-" + "7" * 5000,
    ],
)
def test_what_is_no_ticket_gets_a_sentence(text: str) -> None:
    with pytest.raises(Invalid, match="ticket") as refusal:
        parse(text)
    assert refusal.value.fields["field"] == "ticket"


@given(st.text(max_size=30))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        read = parse(text)
    except Invalid:
        return
    assert parse(read) == read


def test_numbers_and_tickets_are_one_to_one_through_the_roll_over() -> None:
    bodies = {(index * tickets._SPREAD + tickets._SHIFT) % FIRST_ROUND for index in range(5000)}
    assert len(bodies) == 5000
    # an affine map is one-to-one exactly when its factor shares no divisor with the modulus
    assert tickets._SPREAD % 31 != 0
    around = [make("MDN", number) for number in range(FIRST_ROUND - 500, FIRST_ROUND + 500)]
    assert len(set(around)) == len(around)


def test_after_the_last_short_ticket_comes_a_longer_one() -> None:
    assert len(make("MDN", FIRST_ROUND)) == len("MDN-7K3Q-4")
    longer = make("MDN", FIRST_ROUND + 1)
    assert len(longer) == len("MDN-7K3Q2-4")
    assert parse(longer.lower().replace("-", " ")) == longer


def test_neighbours_look_unlike_each_other() -> None:
    for number in range(1, 2000):
        one, two = halves(make("MDN", number))[1], halves(make("MDN", number + 1))[1]
        assert sum(a != b for a, b in zip(one, two, strict=True)) >= 2


def test_nothing_in_it_reads_like_something_else() -> None:
    assert not set("0OILU") & set(ALPHABET)
    assert len(set(ALPHABET)) == 31


@pytest.mark.parametrize("number", [0, -1])
def test_tickets_begin_at_one(number: int) -> None:
    with pytest.raises(ValueError, match="from 1"):
        make("MDN", number)
