"""The short number a citizen can read aloud: city, four characters, one that checks them."""

from __future__ import annotations

from dispatch.core.errors import Invalid

# 31 symbols, a prime: a weighted sum modulo 31 finds every wrong and every swapped character.
# 0, O, I, L and U are not in it, so that nothing reads like something else.
ALPHABET = "123456789ABCDEFGHJKMNPQRSTVWXYZ"
BASE = len(ALPHABET)
WIDTH = 4
_SPREAD, _SHIFT = 411_931, 271_828


def make(prefix: str, number: int) -> str:
    """The ticket of the city's `number`-th report (from 1), such as MDN-7K3Q-4.

    Consecutive numbers look unlike each other (an affine map modulo 31^4); after 31^4 tickets
    a fifth character is added. Raises ValueError below 1.
    """
    if number < 1:
        raise ValueError("tickets are numbered from 1")
    width, index = WIDTH, number - 1
    while index >= BASE**width:
        index -= BASE**width
        width += 1
    mixed = (index * _SPREAD + _SHIFT) % BASE**width
    body = ""
    for _ in range(width):
        mixed, digit = divmod(mixed, BASE)
        body = ALPHABET[digit] + body
    return f"{prefix.upper()}-{body}-{_check(body)}"


def parse(text: str) -> str:
    """The ticket a person typed or said, in its printed form.

    Forgives lower case, spaces, missing dashes and I or L for 1. Raises Invalid otherwise.
    """
    letters = "".join(c for c in text.upper() if c.isalnum())
    prefix, rest = letters[:3], letters[3:].replace("I", "1").replace("L", "1")
    if len(prefix) < 3 or not prefix.isalpha() or len(rest) < WIDTH + 1:
        raise Invalid("A ticket looks like MDN-7K3Q-4.", field="ticket")
    body, check = rest[:-1], rest[-1]
    if any(c not in ALPHABET for c in rest) or _check(body) != check:
        raise Invalid(
            "This ticket has a typing error: one character is wrong or two are swapped.",
            field="ticket",
        )
    return f"{prefix}-{body}-{check}"


def _check(body: str) -> str:
    return ALPHABET[sum((i + 2) * ALPHABET.index(c) for i, c in enumerate(body)) % BASE]
