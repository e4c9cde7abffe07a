"""Every sentence the rules say exists in Indonesian too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import dispatch
import web
from dispatch.core.errors import SigapError
from dispatch.system import places
from web.sentences import FROM_BELOW, OWN, STATUSES, THINGS, translated

ROOMS = [Path(dispatch.__file__).parent, Path(web.__file__).parent]
# What only administrators and programmers meet: policy files, commands, broken programs.
NOT_FOR_SCREENS = {"BadPolicy"}


def refusals() -> Iterator[tuple[str, str]]:
    """(place, sentence) of every SigapError made in the source; `{}` stands for a value."""
    names = {cls.__name__ for cls in subclasses(SigapError)} - NOT_FOR_SCREENS
    for path in (path for room in ROOMS for path in sorted(room.rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = _name(node.func)
            said = {"_invalid": 1, **dict.fromkeys(names, 0)}.get(called, len(node.args))
            sentence = _template(node.args[said]) if said < len(node.args) else None
            if sentence is not None:
                yield f"{path.name}:{node.lineno}", sentence
    for sentence in places.SENTENCES.values():
        yield "places.py", sentence


def subclasses(cls: type[SigapError]) -> Iterator[type[SigapError]]:
    for child in cls.__subclasses__():
        yield child
        yield from subclasses(child)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _template(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
    return None


# How `geo.point.BadPoint` continues a sentence.
OF_POINTS = {
    "A coordinate must be a finite number.",
    "Longitude {} is outside -180 to 180 degrees.",
    "Latitude {} is outside -90 to 90 degrees.",
}

# Said by code that no wish of a person can reach, or shown by another sentence of the same code.
INTERNAL = {
    "{} is not possible for a {} that is {}.",
    "There is no {} {} in this city.",
    "{} says nothing about a report.",
    "{} says nothing about an incident.",
    "{} says nothing about an assignment.",
    "{} says nothing about a crew.",
    "{} says nothing about a round.",
    "{} says nothing about a closure.",
    "{} says nothing about a referral.",
}


def test_every_refusal_of_the_rules_is_translated() -> None:
    missing = {
        sentence: place
        for place, sentence in refusals()
        if sentence not in FROM_BELOW and sentence not in INTERNAL
    }
    assert missing == {}


def test_no_translation_is_left_over() -> None:
    said = {sentence for _, sentence in refusals()}
    assert set(FROM_BELOW) - said - OF_POINTS == set()


def test_values_are_carried_over() -> None:
    said = translated("Regu 1 is off duty and cannot be sent.", "id")
    assert said == "Regu 1 sedang tidak bertugas dan tidak bisa dikirim."
    assert translated("Nobody translated this.", "id") == "Nobody translated this."


@pytest.mark.parametrize("table", [OWN, THINGS, STATUSES])
def test_both_languages_hold_the_same_values(table: dict[str, object]) -> None:
    import string

    for code, sentence in table.items():
        fields = [
            {name for _, name, _, _ in string.Formatter().parse(text) if name}
            for text in (sentence.en, sentence.id)  # type: ignore[attr-defined]
        ]
        assert fields[0] == fields[1], code
    for english, indonesian in FROM_BELOW.items():
        assert english.count("{}") == indonesian.count("{}"), english
