"""A short night of faults; the long one is `make chaos`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

ROOT = Path(__file__).parents[2]
NOTHING = {"lost": 0, "doubled": 0, "double_booked": 0, "diverged": 0, "other": {}}


def chaos(out: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    """Exit status, summary, and what was said."""
    fixed = ("--seed", "7", "--sockets", "100", "--minutes", "6", "--out", str(out / "lines.jsonl"))
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *words, *fixed],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=560,
    )
    assert done.stdout, done.stderr
    return done.returncode, orjson.loads(done.stdout), done.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.needs("postgis")
@pytest.mark.needs("nats")
def test_servers_that_are_killed_and_cut_off_lose_and_double_nothing(tmp_path: Path) -> None:
    kinds = "kill_process,kill_dispatcher,kill_database,kill_messages,cut_database,storm"
    status, told, said = chaos(tmp_path, "--setups", "nats", "--faults", "6", "--kinds", kinds)
    assert {name: told[name] for name in NOTHING} == NOTHING, said
    assert status == 0, said
    assert told["faults"] == 6
    assert told["acknowledged"] > 20, "it was busy"
    assert told["events_watched"] > 100
    lines = [orjson.loads(line) for line in (tmp_path / "lines.jsonl").read_bytes().splitlines()]
    assert sum("fault" in line for line in lines) == 6
    assert lines[-1]["summary"] == told


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_server_that_says_yes_before_it_has_committed_is_found_out(tmp_path: Path) -> None:
    broken = ("--sabotage", "early_answer", "--kinds", "kill_process", "--faults", "2")
    status, told, said = chaos(tmp_path, "--setups", "sqlite", *broken)
    assert status == 1, said
    assert told["lost"] > 0, said
