"""Fits the gazetteer's confidence to questions with known answers, and writes the coefficients.

    python -m tests.bench.fit_geocode jakarta baltimore --seeds 9001 9012

The questions are those of `sigap bench geocode` with other seeds: 9001 and above are for fitting,
those below for measuring. Each of the first candidates of a question is one observation: it is the
place meant (its point is within 30 m of it, so that "Mawar 2" beside "Mawar 3" is none) or not.
Logistic regression with a small ridge; absent places count more than their share, since a crew sent
astray costs more than a question asked. Then one scale and one shift (Platt) make it the chance
that the first candidate is right (within 150 m), where every second place asked for is absent.
"""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geo.bundle import open_bundle
from geo.gazetteer import Gazetteer
from geo.gazetteer_sure import confidence, features
from web.cli.bench_geocode import GAZETTEER, copied, is_hit
from web.cli.city import folder
from web.robots.place_questions import questions
from web.settings import Settings

FIRST_SEED = 9001
RIDGE = 1.0
SAME_M = 30.0
FIRST, BEHIND = 1.0, 0.25
ABSENT = 2.5
OUT = Path("geo/gazetteer_sure.json")


def observations(
    city: str, seeds: range, count: int
) -> tuple[list[dict[str, float]], list[bool], list[bool], list[float]]:
    """Of each candidate: features, is it the place meant, would it do, its weight."""
    rows: list[dict[str, float]] = []
    right: list[bool] = []
    near: list[bool] = []
    weights: list[float] = []
    source = open_bundle(folder(Settings()), city).path / GAZETTEER
    for seed in seeds:
        with copied(source) as copy:
            asked = questions(copy, seed=seed, count=count)
            gazetteer = Gazetteer.open(copy)
            for question in asked:
                weighed = gazetteer.weigh(question.text)
                by_sure = sorted(weighed, key=lambda pair: -confidence(pair[1]))
                for n, (found, evidence) in enumerate(by_sure[:5]):
                    rows.append(features(evidence))
                    right.append(is_hit(found.point, question.truth, within_m=SAME_M))
                    near.append(is_hit(found.point, question.truth))
                    place = 1.0 if question.is_present else ABSENT
                    weights.append(place * (FIRST if n == 0 else BEHIND))
            gazetteer.close()
    return rows, right, near, weights


def fitted(
    x: NDArray[np.float64], y: NDArray[np.float64], w: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weights of the columns of x by Newton's method (iteratively reweighted least squares)."""
    beta = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        gradient = x.T @ (w * (y - p)) - RIDGE * beta
        curvature = (x * (w * np.maximum(p * (1 - p), 1e-9))[:, None]).T @ x
        step = np.linalg.solve(curvature + RIDGE * np.eye(len(beta)), gradient)
        beta += step
        if np.abs(step).max() < 1e-6:
            break
    return beta


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cities", nargs="+")
    parser.add_argument("--seeds", nargs=2, type=int, default=(FIRST_SEED, FIRST_SEED + 7))
    parser.add_argument("--count", type=int, default=400)
    given = parser.parse_args()
    if given.seeds[0] < FIRST_SEED:
        parser.error(f"Seeds below {FIRST_SEED} are for measuring.")
    seeds = range(given.seeds[0], given.seeds[1] + 1)
    rows: list[dict[str, float]] = []
    right: list[bool] = []
    near: list[bool] = []
    weights: list[float] = []
    for city in given.cities:
        a, b, c, d = observations(city, seeds, given.count)
        rows, right, near, weights = rows + a, right + b, near + c, weights + d
    names = list(rows[0])
    x = np.array([[row[name] for name in names] for row in rows])
    y, w = np.array(right, dtype=float), np.array(weights)
    beta = fitted(x, y, w)
    first = np.array([weight in (FIRST, ABSENT * FIRST) for weight in weights])
    shift, scale = fitted(
        np.stack([np.ones(first.sum()), x[first] @ beta], axis=1),
        np.array(near, dtype=float)[first],
        np.ones(first.sum()),
    )
    beta = beta * scale
    beta[names.index("one")] += shift
    p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
    loss = float(-(w * (y * np.log(p + 1e-12) + (1 - y) * np.log(1 - p + 1e-12))).sum() / w.sum())
    about = {
        "fitted_by": "python -m tests.bench.fit_geocode",
        "fitted_on": f"{datetime.now(UTC):%Y-%m-%d}",
        "cities": given.cities,
        "seeds": list(given.seeds),
        "observations": len(rows),
        "right": round(float(y.mean()), 4),
        "log_loss": round(loss, 4),
        "ridge": RIDGE,
        "absent_counts": ABSENT,
    }
    coefficients = {name: round(float(b), 4) for name, b in zip(names, beta, strict=True)}
    OUT.write_text(json.dumps({**about, "weights": coefficients}, indent=2) + "\n")
    print(json.dumps(about))


if __name__ == "__main__":
    main()
