"""A city's numbers: what cannot be used is refused with its table, its key and the reason."""

from __future__ import annotations

import copy
import tomllib
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

import dispatch
from dispatch.core.errors import BadPolicy, Invalid
from dispatch.core.policy import Policy, parse_policy
from dispatch.system.cities import read_policy

SHIPPED = Path(dispatch.__file__).with_name("policy.toml")


def document() -> dict[str, Any]:
    return tomllib.loads(SHIPPED.read_text(encoding="utf-8"))


def refusal(changed: dict[str, Any]) -> str:
    with pytest.raises(BadPolicy) as refused:
        parse_policy(changed)
    return refused.value.detail


def test_the_numbers_that_come_with_sigap_are_good() -> None:
    policy = parse_policy(document())
    assert policy.promise.target_s == 1200
    assert {service.agency_id for service in policy.services.values()} <= set(policy.agencies)
    assert {"05", "10", "13", "14", "15", "17", "18", "21", "22", "32", "35"} <= set(
        policy.dispositions
    )
    assert {"prank", "ghost"} <= set(policy.dispositions)
    assert all(service.name and service.name_en for service in policy.services.values())


def test_the_file_names_every_number_there_is() -> None:
    """A number that can be set but is not in the file would never be found."""
    written, policy = document(), parse_policy(document())
    tables = [field.name for field in fields(Policy) if field.default is not MISSING]
    for table in tables:
        known = set(getattr(policy, table).__slots__)
        assert set(written[table]) == known, table


def test_what_the_file_leaves_out_has_a_default() -> None:
    tables = ("service", "agency", "disposition", "decline")
    short = {key: value for key, value in document().items() if key in tables}
    assert parse_policy(short).promise.target_s == 1200


@pytest.mark.parametrize(
    ("table", "key", "value", "reason"),
    [
        ("promise", "target_s", 0, "60 to 86400"),
        ("promise", "target_s", "1200", "a number"),
        ("promise", "target_s", True, "a number"),
        ("promise", "target_s", float("nan"), "a number"),
        ("promise", "target_s", float("inf"), "a number"),
        ("offers", "expires_s", 1, "5 to 3600"),
        ("offers", "undo_s", -1, "0 to 600"),
        ("offers", "decline_pause_s", -5, "0 to 86400"),
        ("offers", "automatic_priorities", 1, "a list in brackets"),
        ("offers", "automatic_priorities", [1.5], "a whole number"),
        ("offers", "automatic_priorities", [0], "1, 2 and 3"),
        ("matching", "weights", [10, 3], "three positive numbers"),
        ("matching", "weights", [10, 3, 0], "three positive numbers"),
        ("matching", "weights", [10, 3, float("nan")], "a number"),
        ("matching", "sigma", 0, "0.01 to 2"),
        ("matching", "late", -1, "0 to 100"),
        ("matching", "tardiness", 101, "0 to 100"),
        ("matching", "travel", -0.1, "0 to 100"),
        ("matching", "skill_price", -1, "0 to 100"),
        ("matching", "leave", 0, "1 to 1e+06"),
        ("matching", "turnout_s", 4000, "0 to 3600"),
        ("matching", "mean_service_s", 0, "1 to 86400"),
        ("matching", "mean_travel_s", 0, "1 to 86400"),
        ("matching", "stale_fix_s", 1, "10 to 86400"),
        ("matching", "eta_slip_s", 0, "1 to 86400"),
        ("arrival", "radius_m", 0, "5 to 1000"),
        ("arrival", "dwell_s", 700, "0 to 600"),
        ("arrival", "far_m", 0, "5 to 10000"),
        ("arrival", "moving_ms", 0, "0.1 to 50"),
        ("closing", "automatic", "yes", "true or false"),
        ("closing", "reopen_within_h", -1, "0 to 87600"),
        ("triage", "photo", "much", "a number"),
    ],
)
def test_a_bad_number_is_named(table: str, key: str, value: object, reason: str) -> None:
    changed = document()
    changed[table][key] = value
    said = refusal(changed)
    assert f"[{table}]" in said
    assert key in said
    assert reason in said


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("agency_id", "nobody", "is not an [[agency]]"),
        ("priority", 4, "1, 2 or 3"),
        ("priority", "high", "a whole number"),
        ("skills", "chainsaw", "a list in brackets"),
        ("skills", [1], "a text in quotes"),
        ("crews", 0, "1 to 50"),
        ("duplicate_radius_m", 0, "1 to 10000"),
        ("duplicate_window_h", 0, "0.1 to 8760"),
        ("name", 7, "a text in quotes"),
        ("colour", "red", "unknown key “colour”"),
    ],
)
def test_a_bad_service_is_named(key: str, value: object, reason: str) -> None:
    changed = document()
    changed["service"][0][key] = value
    said = refusal(changed)
    assert "[[service]] fallen_tree" in said
    assert key in said
    assert reason in said


@pytest.mark.parametrize("table", ["service", "disposition", "decline"])
def test_lists_that_people_choose_from_may_not_be_empty(table: str) -> None:
    changed = document()
    changed[table] = []
    assert f"[[{table}]]" in refusal(changed)


@pytest.mark.parametrize("table", ["service", "agency", "disposition", "decline"])
@pytest.mark.parametrize("value", [7, "x", {"code": "x"}, [7]])
def test_a_list_of_another_shape_is_named(table: str, value: object) -> None:
    changed = document()
    changed[table] = value
    assert f"[[{table}]]" in refusal(changed)


@pytest.mark.parametrize("table", ["promise", "offers", "matching", "arrival", "closing", "triage"])
def test_a_table_of_another_shape_is_named(table: str) -> None:
    changed = document()
    changed[table] = 7
    assert f"[{table}]" in refusal(changed)


def test_what_is_missing_or_there_twice_is_named() -> None:
    nameless = document()
    del nameless["service"][0]["name"]
    assert refusal(nameless) == "[[service]] fallen_tree: missing name."
    codeless = document()
    del codeless["disposition"][0]["code"]
    assert "missing code" in refusal(codeless)
    twice = document()
    twice["decline"].append(copy.deepcopy(twice["decline"][0]))
    assert refusal(twice) == "[[decline]] too_far is there twice."


def test_what_nobody_knows_is_named_with_what_is_known() -> None:
    table = document() | {"promises": {}}
    assert refusal(table).startswith("Unknown table [promises]; known are agency, arrival,")
    key = document()
    key["promise"]["target_min"] = 20
    assert refusal(key) == "[promise]: unknown key “target_min”; known are target_s."


def test_an_outcome_is_one_of_four() -> None:
    changed = document()
    changed["disposition"][0]["outcome"] = "done"
    assert "fixed, not_fixed, false, other" in refusal(changed)


def test_an_unknown_category_gets_the_list() -> None:
    policy: Policy = parse_policy(document())
    with pytest.raises(Invalid, match="Choose one of: billboard") as refused:
        policy.service("ufo")
    assert refused.value.fields["field"] == "service_code"


def test_a_priority_beyond_the_scale_counts_as_the_last() -> None:
    policy = parse_policy(document())
    assert [policy.weight(priority) for priority in (0, 1, 2, 3, 9)] == [4, 4, 2, 1, 1]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    absent, broken, wrong = (tmp_path / name for name in ("absent", "broken", "wrong"))
    broken.write_text("[promise\n")
    wrong.write_text("[promise]\ntarget_s = 1\n")
    for path in (absent, broken, wrong):
        with pytest.raises(BadPolicy, match=str(path)):
            read_policy(path)


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes("# café\n".encode("latin-1"))
    with pytest.raises(BadPolicy, match="UTF-8"):
        read_policy(path)
