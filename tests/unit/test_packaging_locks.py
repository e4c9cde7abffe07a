"""The locks say exactly what is installed: packages pinned, files hashed, no index named."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = {path.stem: path.read_text("utf-8") for path in (ROOT / ".ci/locks").glob("*.txt")}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PIN = re.compile(r"^([a-z0-9][a-z0-9-]*)(?:\[[\w,-]+\])?==(\S+)((?: ;.*)?) \\$", re.MULTILINE)


def pins(lock: str) -> set[tuple[str, str, str]]:
    return {(match[1], match[2], match[3].strip()) for match in PIN.finditer(lock)}


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", text, maxsplit=1)[0] for text in requirements}


def test_there_is_a_lock_for_each_purpose() -> None:
    assert set(LOCKS) == {"bootstrap", "run", "up", "test"}


@pytest.mark.parametrize("purpose", sorted(LOCKS))
def test_every_line_is_a_pin_or_a_hash(purpose: str) -> None:
    for line in LOCKS[purpose].splitlines():
        assert (
            line.startswith("#")
            or PIN.match(line)
            or re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?", line)
        ), line


def test_the_locks_agree() -> None:
    everything = pins(LOCKS["test"])
    for purpose in ("bootstrap", "run", "up"):
        assert pins(LOCKS[purpose]) <= everything, purpose
    assert pins(LOCKS["run"]) <= pins(LOCKS["up"])


def test_the_locks_hold_what_the_project_asks_for() -> None:
    groups = PROJECT["dependency-groups"]
    run = names(PROJECT["project"]["dependencies"])
    up = run | names(PROJECT["project"]["optional-dependencies"]["demo"])
    up |= names(groups["build"]) | names(groups["bootstrap"])
    asked = {"bootstrap": names(groups["bootstrap"]), "run": run, "up": up}
    asked["test"] = up | names(groups["dev"])
    for purpose, wanted in asked.items():
        assert wanted <= {name for name, *_ in pins(LOCKS[purpose])}, purpose


def test_what_builds_the_wheel_is_what_is_locked() -> None:
    assert PROJECT["build-system"]["requires"] == PROJECT["dependency-groups"]["build"]
