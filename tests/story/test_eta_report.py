"""`sigap eta report` and `sigap bench eta`, as an administrator types them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.unit.test_system_closures import EAST, WEST
from tests.unit.test_system_etas import Town
from web.api.evaluation import Books, _foretold
from web.cli.main import app


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database whose town drove four times, once without anybody vouching for it."""
    town = Town(tmp_path)
    crew = town.crew("Barat", WEST)
    for i in range(4):
        evidence = "button" if i == 3 else "geofence"
        town.drive(crew, "pothole", EAST, start=WEST, evidence=evidence)
        town.system.etas("kota").gather(town.now)
    town.system.stop()
    monkeypatch.setenv("SIGAP_DATABASE_URL", f"sqlite:///{tmp_path / 'sigap.sqlite3'}")
    monkeypatch.setenv("SIGAP_DATA_DIR", str(tmp_path))
    return tmp_path


def test_the_report_tells_how_true_the_times_were(told: Path) -> None:
    ran = CliRunner().invoke(app, ["eta", "report", "kota", "--json"])
    assert ran.exit_code == 0, ran.output
    head, whole, *parts = [json.loads(text) for text in ran.stdout.splitlines()]
    assert head == {
        "city": "kota",
        "left_out_button_only": 1,
        "calibration": "eta-0",
        "stage": 0,
        "trips": 0,
    }
    assert (whole["by"], whole["n"]) == ("all", 3)
    assert whole["bias_s"] > 0  # these robots are slower than the map
    assert whole["within_p50"] <= whole["within_p90"]
    assert sum(part["n"] for part in parts if part["by"] == "hour") == 3
    assert [part["part"] for part in parts if part["by"] == "distance"] == ["0–1 km"]


def test_the_evaluation_says_what_the_report_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, books = Town(tmp_path), Books()
    crew = town.crew("Barat", WEST)
    since, until = town.now - timedelta(days=1), town.now + timedelta(days=30)
    assert _foretold(books.read(town.system, "kota", None, since=since, until=until)[2]) == {
        "n": 0,
        "left_out": 0,
        "mae_s": None,
        "bias_s": None,
        "within_p50": None,
        "within_p90": None,
    }
    for evidence in ("geofence", "button", "geofence"):
        town.drive(crew, "pothole", EAST, start=WEST, evidence=evidence)
        # read on from where it was read before
        told = books.read(town.system, "kota", None, since=since, until=until)[2]
    late = books.read(town.system, "kota", None, since=until, until=until + timedelta(days=1))[2]
    town.system.stop()
    monkeypatch.setenv("SIGAP_DATABASE_URL", f"sqlite:///{tmp_path / 'sigap.sqlite3'}")
    monkeypatch.setenv("SIGAP_DATA_DIR", str(tmp_path))
    ran = CliRunner().invoke(app, ["eta", "report", "kota", "--json"])
    head, whole, *_ = [json.loads(text) for text in ran.stdout.splitlines()]
    shown = _foretold(told)
    assert (shown.pop("left_out"), shown["n"]) == (head["left_out_button_only"], 2) == (1, 2)
    assert shown == {name: whole[name] for name in shown}
    assert late == []


def test_the_table_is_for_people(told: Path) -> None:
    ran = CliRunner().invoke(app, ["eta", "report", "kota", "--every"])
    assert ran.exit_code == 0, ran.output
    assert "told by eta-0" in ran.stdout
    assert "≤p90" in ran.stdout
    assert "0–1 km" in ran.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["atlantis"], "There is no city"),
        (["kota", "--from", "2026-03-03", "--to", "2026-03-02"], "--from must be before --to"),
    ],
)
def test_what_cannot_be_reported_is_said(told: Path, words: list[str], sentence: str) -> None:
    ran = CliRunner().invoke(app, ["eta", "report", *words])
    assert ran.exit_code != 0
    assert sentence in str(ran.exception)


def test_a_time_without_arrivals_is_no_error(told: Path) -> None:
    ran = CliRunner().invoke(app, ["eta", "report", "kota", "--from", "2030-01-01"])
    assert ran.exit_code == 0
    assert "No arrival was foretold" in ran.stdout
