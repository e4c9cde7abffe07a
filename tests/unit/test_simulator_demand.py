"""What happens in simulated cities is drawn as it says: so often, there, of that kind."""

from __future__ import annotations

import numpy as np
import pytest

from dispatch.simulator import demand
from dispatch.simulator.demand import Job, synthetic


def _synthetic(seed: int = 1, **changes: float) -> list[Job]:
    given = {"load": 0.35, "crews": 20, "days": 30.0, "pranks": 0.05, **changes}
    sites = np.arange(1.0, 11.0)
    return synthetic(
        seed,
        load=given["load"],
        crews=int(given["crews"]),
        days=given["days"],
        weights=sites,
        xy=np.column_stack([sites, sites]),
        pranks=given["pranks"],
    )


def test_demand_is_what_the_load_says() -> None:
    jobs = [job for seed in range(6) for job in _synthetic(seed)]
    real = [job for job in jobs if job.genuine]
    wanted = demand.per_hour(0.35, 20) * 24 * 30 * 6
    assert abs(len(real) - wanted) < 4 * wanted**0.5
    bound_h = sum(job.on_scene_s + demand.TRAVEL_GUESS_S for job in real) / 3600
    assert bound_h / (20 * 24 * 30 * 6) == pytest.approx(0.35, rel=0.03)
    pranks = len(jobs) - len(real)
    assert pranks / len(real) == pytest.approx(0.05, abs=0.01)


def test_demand_follows_the_day_the_sites_and_the_shares() -> None:
    jobs = [job for seed in range(6) for job in _synthetic(seed, pranks=0.0)]
    hours = np.bincount([int(job.at_s // 3600) % 24 for job in jobs], minlength=24)
    share = hours / hours.sum() * 24
    assert share == pytest.approx(demand.BY_HOUR, abs=0.12)
    sites = np.bincount([job.site for job in jobs], minlength=10) / len(jobs)
    assert sites == pytest.approx(np.arange(1, 11) / 55, abs=0.01)
    for t in demand.TYPES:
        of_type = [job for job in jobs if job.service_code == t.service_code]
        assert len(of_type) / len(jobs) == pytest.approx(t.share, abs=0.015)
        assert np.mean([job.on_scene_s for job in of_type]) == pytest.approx(t.on_scene_s, rel=0.05)
    priorities = np.bincount([job.priority for job in jobs], minlength=4)[1:] / len(jobs)
    assert priorities == pytest.approx(demand.PRIORITY_SHARES, abs=0.015)
    logs = np.log([job.travel for job in jobs])
    assert np.std(logs) == pytest.approx(demand.TRAVEL_SIGMA, rel=0.05)
    assert [job.at_s for job in jobs[:50]] == sorted(job.at_s for job in jobs[:50])


def test_false_reports_look_a_little_different() -> None:
    jobs = [job for seed in range(4) for job in _synthetic(seed, pranks=0.5)]
    real = [job for job in jobs if job.genuine]
    false = [job for job in jobs if not job.genuine]
    assert np.mean([job.contact for job in real]) > np.mean([job.contact for job in false]) + 0.4
    assert any(job.contact for job in false)
    assert np.mean([j.on_scene_s for j in false]) == pytest.approx(480.0, rel=0.1)
