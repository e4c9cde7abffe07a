"""A night of runs that breaks off loses at most the run that was being written."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from dispatch.simulator.results import Results, code_digest, decode, encode, key_of
from dispatch.system.cities import read_policy
from tests.unit.made_up_runs import made_up, unreached

PARAMETERS = {"city": "madiun", "policy": "F", "load": 0.35, "seed": 1, "days": 30}


def test_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    kept, outcome = Results(tmp_path), unreached(made_up(policy="F"))
    path = kept.append("k1", PARAMETERS, outcome)
    assert path.name == "F-madiun-0.35-plain-frictions.jsonl"
    [found] = kept.runs()
    assert found.key == "k1"
    assert found.parameters == PARAMETERS
    assert found.outcome == outcome


def test_one_file_for_each_setting_one_line_for_each_seed(tmp_path: Path) -> None:
    kept = Results(tmp_path)
    for seed in (1, 2):
        for policy in ("A0", "F"):
            kept.append(f"{policy}{seed}", PARAMETERS, made_up(policy=policy, seed=seed))
    assert [len(path.read_bytes().splitlines()) for path in sorted(tmp_path.iterdir())] == [2, 2]
    assert kept.keys() == {"A01", "A02", "F1", "F2"}
    assert {run.outcome.seed for run in kept.runs({"F1", "F2"})} == {1, 2}


@pytest.mark.parametrize("cut", [1, 40, 20_000])
def test_a_torn_line_is_played_again_and_harms_no_other(tmp_path: Path, cut: int) -> None:
    kept = Results(tmp_path)
    kept.append("k1", PARAMETERS, made_up(seed=1))
    path = kept.append("k2", PARAMETERS, made_up(seed=2))
    path.write_bytes(path.read_bytes()[:-cut])
    assert kept.keys() == {"k1"}
    kept.append("k2", PARAMETERS, made_up(seed=2))
    assert kept.keys() == {"k1", "k2"}
    assert [run.outcome.seed for run in kept.runs()] == [1, 2]


def test_the_same_run_twice_counts_once(tmp_path: Path) -> None:
    kept = Results(tmp_path)
    kept.append("k1", PARAMETERS, made_up(seed=1))
    kept.append("k1", PARAMETERS, made_up(seed=1))
    assert len(list(kept.runs())) == 1


def test_the_key_changes_with_what_the_run_depends_on() -> None:
    policy = read_policy(None)
    other = replace(policy, matching=replace(policy.matching, coverage_loss=0.2))
    keys = {
        key_of(PARAMETERS, policy=policy, code="a"),
        key_of(PARAMETERS | {"seed": 2}, policy=policy, code="a"),
        key_of(PARAMETERS, policy=other, code="a"),
        key_of(PARAMETERS, policy=policy, code="b"),
    }
    assert len(keys) == 4
    skilled = frozenset("abcdefgh")
    assert key_of({"skills": skilled}, policy=None, code="") == "e92ba131346dc758"
    turned = dict(reversed(PARAMETERS.items()))
    assert key_of(turned, policy=policy, code="a") in keys


def test_the_code_has_one_name_for_as_long_as_it_stays() -> None:
    assert len(code_digest()) == 16
    assert code_digest() == code_digest()


@pytest.mark.parametrize("line", [b"", b"{}", b'{"key": "k", "parameters": {}, "outcome": 3}'])
def test_what_is_no_run_is_said_to_be_none(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(line)


def test_a_line_is_json_that_anybody_reads() -> None:
    said = msgspec.json.decode(encode("k", PARAMETERS, made_up(jobs=5)))
    assert len(said["outcome"]["served"]["lon"]) == 5
