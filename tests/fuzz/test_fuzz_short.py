"""A short run of the coverage-guided fuzzer; longer ones are started by hand."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.needs("atheris")
@pytest.mark.timeout(180)
def test_nothing_that_can_be_pasted_breaks_a_reader() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.place_texts", "-runs=2000", "-seed=7"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done 2000 runs" in done.stderr
