"""The road bench prints what it promises, and its agreement is counted right."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from geo.osm_import import import_extract
from tests.maps import grid
from web.cli.bench import app
from web.cli.bench_road_osrm import agreement, free_flow


def test_every_line_is_there_and_exact(tmp_path: Path) -> None:
    extract = grid(12).write(tmp_path / "town.osm")
    words = ["road", str(extract), "--rounds", "3", "--load-s", "0.5", "--no-osrm"]
    ended = CliRunner().invoke(app, words)
    assert ended.exit_code == 0, ended.output
    lines = {line["what"]: line for line in map(json.loads, ended.stdout.splitlines())}
    assert list(lines) == [
        "import",
        "1 <- 200",
        "200 x 200",
        "closure",
        "swap under load",
        "agreement with scipy",
    ]
    assert lines["agreement with scipy"]["exact"] is True
    assert lines["agreement with scipy"]["pairs"] == 80_000
    load = lines["swap under load"]
    assert (load["failures"], load["neither_before_nor_after"]) == (0, 0)
    assert lines["1 <- 200"]["ratio_networkx"] > 0


@pytest.mark.needs("osrm")
def test_beside_osrm_free_flow_is_too_optimistic(tmp_path: Path) -> None:
    extract = grid(12).write(tmp_path / "town.osm")
    ended = CliRunner().invoke(app, ["road", str(extract), "--rounds", "3", "--load-s", "0.5"])
    assert ended.exit_code == 0, ended.output
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    agreed = [line for line in lines if line["what"] == "agreement with osrm"]
    assert [line["crews"] for line in agreed] == [20, 50, 200]
    assert all(0.9 <= line["ratio_p50"] <= 1.1 for line in agreed)
    assert all(line["free_flow_ratio_p50"] < line["ratio_p50"] for line in agreed)


def test_agreement_counts_columns_and_what_is_lost() -> None:
    theirs = np.array([[100.0, 300.0, np.inf], [200.0, 280.0, np.inf]])
    ours = np.array([[110.0, 250.0, np.inf], [220.0, 330.0, np.inf]])
    found = agreement(ours, theirs)
    assert found["same_nearest"] == 0.5
    assert found["lost_s_mean"] == 10.0
    assert found["ratio_p50"] == 1.1


def test_free_flow_is_length_and_limit_alone(tmp_path: Path) -> None:
    town = grid(3)
    town.ways[1_000] = (town.ways[1_000][0], {"highway": "primary", "maxspeed": "72"})
    path = town.write(tmp_path / "town.osm")
    arrays = free_flow(path)
    assert not arrays.turn_ms.any()
    # 72 km/h is the only limit there is: osmnx takes it for every road
    assert arrays.piece_ms.tolist() == pytest.approx(arrays.piece_m / 20 * 1_000, abs=1)
    assert import_extract(path).turn_ms.any()
