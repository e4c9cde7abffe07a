"""A night of simulation from the shell: played, broken off, gone on with, and told."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dispatch.simulator.results import Results
from dispatch.system.cities import read_policy
from geo.bundle import Extract, build_bundle
from tests.maps import grid, metres
from web.cli import main
from web.cli.demand import from_file

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from web.cli import main; main()"]
SHORT = ("--city", "kotak", "--days", "0.5", "--crews", "6", "--workers", "2")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one small city."""
    folder = tmp_path_factory.mktemp("data")
    extract = grid(12).write(folder / "kotak.osm")
    build_bundle("kotak", source=Extract(extract), root=folder / "cities", name="Kotak")
    return folder


def environment(data: Path) -> dict[str, str]:
    return {
        **os.environ,
        "SIGAP_DATA_DIR": str(data),
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "120",
        "NO_COLOR": "1",
    }


def typed(data: Path, *words: str, status: int = 0) -> str:
    done = subprocess.run(
        [*COMMAND, *words],
        cwd=data,
        env=environment(data),
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout if status == 0 else done.stderr


@pytest.mark.slow
def test_a_night_is_played_kept_and_told(data: Path) -> None:
    night = ("simulate", *SHORT, "--policy", "F", "--seeds", "2", "--load", ".3")
    said = typed(data, *night, "--out", "night")
    assert "4 of 4" in said
    lines = {path.name: path.read_text().splitlines() for path in (data / "night/runs").iterdir()}
    assert {name: len(several) for name, several in lines.items()} == {
        "A0-kotak-0.3-plain-frictions.jsonl": 2,
        "F-kotak-0.3-plain-frictions.jsonl": 2,
    }
    first = json.loads(lines["F-kotak-0.3-plain-frictions.jsonl"][0])
    assert first["parameters"]["crews"] == 6
    assert len(first["outcome"]["served"]["response_s"]) > 5
    page = (data / "night/report.html").read_text("utf-8")
    assert "sigap" in page
    assert "Kotak" in page
    assert "OpenStreetMap" in page
    again = typed(data, *night, "--out", "night")
    assert "4 of 4 runs are kept from before." in again
    wider = typed(data, *night, "--out", "night", "--what-if", "minus-crew=2")
    assert "kept from before" not in wider, "another experiment is another run"
    runs = list(Results(data / "night/runs").runs())
    crews = {len(run.outcome.crews) for run in runs}
    assert crews == {6, 4}
    same = {
        seed: {
            tuple(one.received_s for one in run.outcome.served)
            for run in runs
            if run.outcome.seed == seed
        }
        for seed in (1, 2)
    }
    assert all(len(days) == 1 for days in same.values()), "the same days under every policy"


@pytest.mark.slow
def test_an_interrupt_keeps_what_is_done_and_the_same_command_goes_on(data: Path) -> None:
    night = [*COMMAND, "simulate", *SHORT, "--policy", "B", "--seeds", "4", "--out", "broken"]
    with subprocess.Popen(
        night,
        cwd=data,
        env=environment(data),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "1 of 8" in line:
                break
        os.killpg(process.pid, signal.SIGINT)
        said = process.stdout.read()
        assert process.wait(timeout=60) == 130, said
    assert "Interrupted" in said
    kept = len(Results(data / "broken/runs").keys())
    assert 1 <= kept < 8
    assert f"{kept} of 8 runs are done" in (data / "broken/report.html").read_text("utf-8")
    said = typed(data, *night[len(COMMAND) :])
    assert f"{kept} of 8 runs are kept from before." in said
    assert len(Results(data / "broken/runs").keys()) == 8


@pytest.mark.slow
def test_policies_are_judged_as_json_lines(data: Path) -> None:
    said = typed(
        data,
        *("bench", "policy", "--city", "kotak", "--policy", "D", "--load", ".3", "--days", "0.5"),
        *("--seeds", "2", "--crews", "6", "--no-storm", "--smooth", "--out", "bench"),
    )
    lines = [json.loads(line) for line in said.splitlines()]
    assert [(line["policy"], line["friction"]) for line in lines] == [
        *(("A0", "on"), ("D", "on")),
        *(("A0", "off"), ("D", "off")),
    ]
    wanted = {"policy", "load", "scenario", "friction", "on_time", "late_cut", "ci", "mean", "p95"}
    for line in lines:
        assert wanted | {"diversions_per_job", "decision_ms_p99"} <= set(line)
        assert 0 <= line["on_time"] <= 1
        assert line["little_gap"] < 1e-3


@pytest.fixture(scope="module")
def published(data: Path) -> Path:
    """Requests as cities publish them: potholes by day in one corner, trees by night in another."""
    path = data / "requests.csv"
    fields = ("SRRecordID", "SRType", "MethodReceived", "CreatedDate", "Latitude", "Longitude")
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(fields)
        for k in range(300):
            night = k % 3 == 0
            at = datetime(2024, 1, 1, 2 if night else 14) + timedelta(days=k % 28, minutes=k % 60)  # noqa: DTZ001 - as published
            place = metres(150, 150) if night else metres(900, 900)
            kind = "FOR-Tree Fallen" if night else "TRM-Potholes"
            when = at.strftime("%m/%d/%Y %I:%M:%S %p")
            rows.writerow((f"R{k}", kind, "Phone", when, place.lat, place.lon))
    return path


@pytest.mark.slow
def test_published_requests_become_days(data: Path, published: Path) -> None:
    found = from_file(published, read_policy(None))
    assert len(found) == 300
    assert set(found.service_code) == {"fallen_tree", "pothole"}
    words = ("simulate", *SHORT, "--policy", "F", "--seeds", "1", "--demand", str(published))
    typed(data, *words, "--out", "published")
    for run in Results(data / "published/runs").runs():
        served = run.outcome.served
        hours = {
            code: {
                int(one.received_s // 3600)
                for one in run.outcome.served
                if one.service_code == code
            }
            for code in ("fallen_tree", "pothole")
        }
        assert hours["fallen_tree"] <= {2}
        assert {skill for crew in run.outcome.crews for skill in crew.skills} == {
            "chainsaw",
            "roadworks",
        }
        north = {one.service_code: one.lat for one in served}
        assert north.get("fallen_tree", 0) < metres(0, 500).lat


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--policy", "Z"), "There is no policy “Z”. Choose A0"),
        (("--policy", "mine.toml"), "There is no policy file mine.toml"),
        (("--what-if", "minus-crew=6"), "at least one must stay"),
        (("--what-if", "more-luck=1"), "write minus-crew=3 or plus-crew=2"),
        (("--load", "1.5"), "--load 1.5 is not between"),
        (("--storm",), "--storm goes with synthetic demand and at least --days 3"),
        (("--demand", "none.csv"), "none.csv cannot be read"),
        (("--demand", "guess"), "--demand is synthetic, log, or a file"),
        (("--demand", "log"), "There are only 0 incidents in the log of kotak"),
        (("--calibrate", "none.sqlite3"), "There is no replay database none.sqlite3"),
        (("--city", "atlantis"), "There is no city “atlantis”"),
        (("--language", "fr"), "--language is id or en"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    data: Path,
    words: tuple[str, ...],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SIGAP_DATA_DIR", str(data))
    monkeypatch.chdir(data)
    monkeypatch.setattr(sys, "argv", ["sigap", "simulate", *SHORT, *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    [said] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("✗ ")]
    assert sentence in said
