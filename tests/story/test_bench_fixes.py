"""`sigap bench fixes` from an empty folder: lines of JSON and nothing else, and nobody left out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def test_a_small_city_is_measured_and_held(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from web.cli import main; main()", "bench", "fixes"]
    options = ["--crews", "30", "--rounds", "3", "--hold", "4"]
    ended = subprocess.run(
        [*command, *options],
        env={**os.environ, "SIGAP_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=570,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Preparing the demo city" in ended.stderr
    whole, held = (json.loads(line) for line in ended.stdout.splitlines())
    assert (whole["bench"], whole["n"], whole["written"]) == ("fixes", 90, 90)
    assert whole["matched_share"] > 0.5
    assert whole["ratio"] > 0
    assert (held["bench"], held["refused"], held["hung_up"]) == ("fixes_hold", 0, 0)
    assert held["accepted"] + held["unanswered"] == 30 * 4, "no position is left out"
    assert held["kept"] >= held["accepted"], "what was accepted is in the history"
    assert held["server_cpu_share"] > 0
    assert held["frames"] > 0
    told = held["oldest_unpublished_s"]
    assert told["frames"] > 0
    assert told["p50_at_most"] is not None
