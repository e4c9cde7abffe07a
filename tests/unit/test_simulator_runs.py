"""Runs in many processes come to what they would come to in one, and an interrupt keeps them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dispatch.simulator.outcome import Outcome
from dispatch.simulator.results import Results
from dispatch.simulator.runs import RunFailed, Tick, cores, play_all
from tests.unit.made_up_runs import made_up

ROOT = Path(__file__).parents[2]


def play_a_seed(seed: int, tick: Tick) -> Outcome:
    """What a worker plays here."""
    tick(0.5)
    if seed == 13:
        raise ValueError("thirteen is no seed")
    if seed == 666:
        os._exit(9)
    while seed >= 1000:
        time.sleep(0.01)
        tick(0.1)
    return made_up(seed=seed, jobs=20)


def test_every_seed_is_played_once_by_whomever() -> None:
    found: dict[int, Outcome] = {}
    shares: list[tuple[int, float]] = []
    play_all(
        [1, 2, 3, 4, 5],
        play_a_seed,
        workers=2,
        done=found.__setitem__,
        tick=lambda seed, share: shares.append((seed, share)),
    )
    assert found == {seed: made_up(seed=seed, jobs=20) for seed in range(1, 6)}
    assert {share for _, share in shares} == {0.5}
    assert cores() >= 1


@pytest.mark.parametrize(("seed", "why"), [(13, "thirteen is no seed"), (666, "code 9")])
def test_a_run_that_fails_says_which_and_why(seed: int, why: str) -> None:
    kept: list[int] = []
    with pytest.raises(RunFailed, match=why):
        play_all(
            [1, seed],
            play_a_seed,
            workers=1,
            done=lambda done, _: kept.append(done),
            tick=lambda *_: None,
        )
    assert kept == [1]


NIGHT = """
import sys
from pathlib import Path
from dispatch.simulator.results import Results
from dispatch.simulator.runs import play_all
from tests.unit.test_simulator_runs import play_a_seed

kept = Results(Path(sys.argv[1]))
def done(seed, outcome):
    kept.append(str(seed), {"seed": seed}, outcome)
    print("kept", flush=True)
if __name__ == "__main__":
    try:
        play_all([1, 2, 1000], play_a_seed, workers=2, done=done, tick=lambda *_: None)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def test_an_interrupt_keeps_what_is_done_and_leaves_nobody_behind(tmp_path: Path) -> None:
    script = tmp_path / "night.py"
    script.write_text(NIGHT, "utf-8")
    with subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "kept")],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    ) as night:
        assert night.stdout is not None
        assert [night.stdout.readline() for _ in range(2)] == [b"kept\n", b"kept\n"]
        # as the terminal does it: to the parent and to its workers
        os.killpg(night.pid, signal.SIGINT)
        assert night.stdout.read() == b"interrupted\n"
        assert night.wait(timeout=20) == 0
    assert Results(tmp_path / "kept").keys() == {"1", "2"}
    deadline = time.monotonic() + 20
    while alive(night.pid):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.05)


BIRTH = """
import sys, time
from pathlib import Path
from dispatch.simulator.runs import play_all
from tests.unit.test_simulator_runs import play_a_seed

if __name__ == "__mp_main__":
    print("born", flush=True)
    time.sleep(60)
if __name__ == "__main__":
    try:
        play_all([1], play_a_seed, workers=1, done=lambda *_: None, tick=lambda *_: None)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def test_an_interrupt_that_meets_a_worker_at_its_birth_says_nothing_more(tmp_path: Path) -> None:
    script = tmp_path / "birth.py"
    script.write_text(BIRTH, "utf-8")
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    ) as birth:
        assert birth.stdout is not None
        assert birth.stdout.readline() == b"born\n"
        os.killpg(birth.pid, signal.SIGINT)
        told, complaint = birth.communicate()
    assert (told, complaint, birth.returncode) == (b"interrupted\n", b"", 0)


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
