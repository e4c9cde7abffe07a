"""Finds the line of a city's file on which a number stands, for whoever must mend it."""

from __future__ import annotations

import tomllib
from bisect import bisect_left
from collections.abc import Sequence
from itertools import product
from typing import Any

DEEPEST = 4
CLOSERS = (
    *("".join(brackets) for deep in range(DEEPEST + 1) for brackets in product("]}", repeat=deep)),
    *(quotes + brackets for quotes in ('"""', "'''") for brackets in ("", "]", "}", "}]", "]}]")),
)
"""What may end a value that is cut off behind one of its lines."""


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The line, from 1, on which the value at `path` of a TOML document begins.

    A path that is not there (a missing key) gives the line of what holds it, or None for the
    document itself. Python's own parser judges: the line is the first one with which the text
    up to it holds the path. So nothing here knows TOML's grammar, and the two cannot disagree.
    """
    whole = tomllib.loads(text)
    while path and not _holds(whole, path):
        path = path[:-1]
    if not path:
        return None
    lines = text.split("\n")
    numbers = range(1, len(lines) + 1)
    return numbers[bisect_left(numbers, True, key=lambda n: _holds(_beginning(lines, n), path))]


def _beginning(lines: Sequence[str], number: int) -> Any:
    """What the first lines say so far; a line that ends inside of something is left out."""
    while number:
        text = "\n".join(lines[:number])
        for closer in CLOSERS:
            try:
                return tomllib.loads(f"{text}\n{closer}")
            except tomllib.TOMLDecodeError:
                continue
        number -= 1
    return {}


def _holds(document: Any, path: Sequence[str | int]) -> bool:
    for step in path:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True
