"""A policy that cannot be used is refused with the line of its file and the reason."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dispatch
from dispatch.core.errors import BadPolicy
from dispatch.core.policy import line_of
from dispatch.system.cities import read_policy

SHIPPED = Path(dispatch.__file__).with_name("policy.toml").read_text(encoding="utf-8")


def refused(tmp_path: Path, text: str) -> tuple[int | None, str]:
    """The line and the reason that are given for a file with this text."""
    path = tmp_path / "policy.toml"
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.raises(BadPolicy) as error:
        read_policy(path)
    head, said = error.value.detail.removeprefix(str(path)).split(": ", 1)
    return (int(head[1:]) if head else None), said


def line_with(text: str, words: str, nth: int = 1) -> int:
    """The number of the nth line that holds the words."""
    found = [n for n, line in enumerate(text.split("\n"), start=1) if words in line]
    return found[nth - 1]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("sigma = 0.3 ", "sigma = 9 ", "[matching]: sigma is 9, but must be 0.01 to 2."),
        ("lock_s = 180 ", "lock_s = 1e9 ", "[diversion]: lock_s is 1e+09, but must be 0 to 86400."),
        ("least_members = 1", "least_members = 0", "[gates]: least_members is 0, but must be 1 to"),
        ("undo_s = 10", 'undo_s = "10"', "[offers]: undo_s is '10', but should be a number."),
        ("undo_s = 10", "undo_x = 10", "[offers]: unknown key “undo_x”"),
        ('rule = "deadline"', 'rule = "luck"', "[matching]: rule is “luck”, but must be"),
        ("weights = [4, 2, 1]", "weights = [4, 2]", "[matching]: weights must be three"),
        ("conditional_for = [1]", "conditional_for = [4]", "conditional_for may hold 1, 2 and 3"),
        ("most_stops = 25", "most_stops = 0", "[rounds]: most_stops is 0, but must be 1 to 500."),
        (
            'services = ["',
            'services = ["ufo", "',
            "services names “ufo”, which is not a [[service]]",
        ),
        ("[promise]", "[promises]", "Unknown table [promises]"),
        ('name_en = "Pothole"', "name_en = 7", "[[service]] pothole: name_en is 7"),
        ("[arrival]", "[[arrival]]", "[arrival] is [{"),
    ],
)
def test_the_line_is_that_of_the_mistake(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    text = SHIPPED.replace(before, after, 1)
    assert text != SHIPPED
    line, reason = refused(tmp_path, text)
    assert line == line_with(text, after)
    assert said in reason


def test_the_line_is_that_of_the_right_entry(tmp_path: Path) -> None:
    """Many entries look alike; the one with the mistake is named."""
    entry = SHIPPED.index('service_code = "waste"')
    at = SHIPPED.index("priority = 3", entry)
    text = SHIPPED[:at] + "priority = 7" + SHIPPED[at + len("priority = 3") :]
    assert refused(tmp_path, text) == (
        SHIPPED[:at].count("\n") + 1,
        "[[service]] waste: priority must be 1, 2 or 3.",
    )


def test_what_is_missing_points_to_its_table(tmp_path: Path) -> None:
    text = SHIPPED.replace('name = "Banjir atau genangan"\n', "", 1)
    line, said = refused(tmp_path, text)
    assert said == "[[service]] flood: missing name."
    assert line == line_with(text, 'service_code = "flood"') - 1


def test_what_is_there_twice_points_to_the_second(tmp_path: Path) -> None:
    text = SHIPPED + '\n[[decline]]\nname = "Jauh"\ncode = "too_far"\nname_en = "Far"\n'
    line, said = refused(tmp_path, text)
    assert said == "[[decline]] too_far is there twice."
    assert line == line_with(text, 'code = "too_far"', nth=2)


def test_a_file_without_a_needed_list_has_no_line(tmp_path: Path) -> None:
    text = SHIPPED[: SHIPPED.index("[[service]]")]
    assert refused(tmp_path, text)[0] is None


@pytest.mark.parametrize(
    ("broken", "line", "said"),
    [
        ("[promise\ntarget_s = 60\n", 1, "Expected ']' at the end of a table declaration"),
        ("[promise]\n\ntarget_s = \n", 3, "Invalid value"),
        ("[promise]\ntarget_s = 60\ntarget_s = 61\n", 3, "Cannot overwrite a value"),
        ('[promise]\nname = "open\n', 2, "Illegal character"),
    ],
)
def test_what_is_no_toml_has_its_line_too(
    tmp_path: Path, broken: str, line: int, said: str
) -> None:
    found, reason = refused(tmp_path, broken)
    assert found == line
    assert said in reason


CARD = """
[[run_card]]
service_code = "fallen_tree"
alarm_level = 2

[[run_card.slot]]
skills = ["chainsaw"]

[[run_card.slot]]
skills = ["enforcement"]
crews = 2
"""


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"fallen_tree"', '"fallen_trees"', "service_code “fallen_trees” is not a [[service]]."),
        ("alarm_level = 2", "alarm_level = 10", "alarm_level is 10, but must be 1 to 9."),
        ("alarm_level = 2", "alarm_level = 4", "alarm level 4 has no level 3 below it."),
        ("crews = 2", "crews = 0", "slot: crews is 0, but must be 1 to 50."),
        ("crews = 2", 'crews = "two"', "should be a whole number"),
        ('["enforcement"]', "[3]", "should be a text in quotes"),
        ('skills = ["enforcement"]', "tools = []", "unknown key “tools”"),
    ],
)
def test_a_mistake_in_a_run_card_has_its_line(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    base = SHIPPED[: SHIPPED.index("[[run_card]]")] + SHIPPED[SHIPPED.index("[[disposition]]") :]
    text = base + CARD.replace(before, after, 1)
    line, reason = refused(tmp_path, text)
    assert line == len(base.split("\n")) - 1 + line_with(CARD.replace(before, after, 1), after)
    assert said in reason


DOCUMENT = '''# weights = [1] is only a remark
top = 1
a.b.c = "dotted"
long = [
  1,
  # 2,
  [3,
   4],
  { x = 5, y = [
    6,
  ] },
]
text = """
[matching]
sigma = 9
"""
quoted."k [1] = 2" = true

[table]        # [other]
key = '''
DOCUMENT += "'''\nraw\n[not.a.table]\n'''"
DOCUMENT += """
last = "a # b"
[[list]]
n = 1
[list.inner]
deep = { one = { two = 2 } }
[[list.more]]
m = 1
[[list.more]]
m = 2
[[list]]
n = 2
[[list.more]]
m = 3
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("a",), 3),
        (("a", "b", "c"), 3),
        (("long",), 4),
        (("long", 0), 5),
        (("long", 1), 7),
        (("long", 1, 1), 8),
        (("long", 2, "x"), 9),
        (("long", 2, "y", 0), 10),
        (("text",), 13),
        (("quoted", "k [1] = 2"), 17),
        (("table",), 19),
        (("table", "key"), 20),
        (("table", "last"), 24),
        (("list", 0), 25),
        (("list", 0, "n"), 26),
        (("list", 0, "inner", "deep", "one", "two"), 28),
        (("list", 0, "more", 1, "m"), 32),
        (("list", 1), 33),
        (("list", 1, "n"), 34),
        (("list", 1, "more", 0, "m"), 36),
        (("list", 1, "more", 0, "absent"), 35),
        (("table", "absent"), 19),
        (("matching", "sigma"), None),
        ((), None),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_way_of_writing_a_value_has_a_line(
    path: tuple[str | int, ...], line: int | None, newline: str
) -> None:
    assert line_of(DOCUMENT.replace("\n", newline), path) == line


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, item in enumerate(value):
            yield from _leaves(item, (*path, number))
    else:
        yield path


def test_every_value_of_the_file_that_comes_with_sigap_is_found() -> None:
    """Each line that is told begins with the key that it is told for."""
    lines = SHIPPED.split("\n")
    paths = list(_leaves(tomllib.loads(SHIPPED)))
    assert len(paths) > 200
    for path in paths[::7]:
        line = line_of(SHIPPED, path)
        assert line is not None
        assert lines[line - 1].startswith(f"{path[-1]} = "), path
