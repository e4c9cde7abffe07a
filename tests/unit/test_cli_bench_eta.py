"""Nine in ten arrive within the p90: on hidden speeds, and on GPS traces held back from the fit."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from geo.osm_import import import_extract
from geo.roadgraph import RoadGraph
from tests.unit.test_system_closures import town
from web.cli.bench_eta import TAUGHT, TRACES, simulated, traced


@pytest.fixture(scope="module")
def roads(tmp_path_factory: pytest.TempPathFactory) -> RoadGraph:
    folder = tmp_path_factory.mktemp("roads")
    return RoadGraph(import_extract(town().write(folder / "town.osm")), version="town")


def test_coverage_on_hidden_speeds_steady_and_slow(roads: RoadGraph) -> None:
    found = list(simulated(roads, 1))
    assert [each["taught"] for each in found] == [*TAUGHT, "policy"]
    for each in found[:-1]:
        assert 0.88 <= each["steady_within_p90"] <= 0.92
        assert each["slow_within_p90"] >= 0.86
        assert 0.88 <= each["offered_within_p90"] <= 0.92
    *_, most, policy = found
    assert most["still_slow_within_p90"] < 0.8  # a fit that adapts to nothing
    assert most["steady_mae_min"] < policy["steady_mae_min"]


@pytest.mark.needs("data")
def test_coverage_on_traces_held_back() -> None:
    path = Path(os.environ["SIGAP_DATA"]) / TRACES
    found = [each for seed in range(1, 31) for each in traced(path, seed)]
    random = [each for each in found if each["split"] == "random"]
    n = np.array([each["held_back"] for each in random])
    assert n.sum() > 1_000

    def within(name: str) -> float:
        return float(np.array([each[name] for each in random]) @ n / n.sum())

    assert 0.88 <= within("steady_within_p90") <= 0.92
    assert within("slow_within_p90") >= 0.86
