"""`sigap bench eta`: are nine in ten within the p90, on hidden speeds and on GPS traces?"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import orjson
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from geo import speeds
from geo.bundle import open_bundle
from geo.foretelling import replay
from geo.network import RoadNetwork, StraightLineNetwork
from geo.point import Point, distance_m
from geo.refit import pinball
from geo.roadgraph import RoadGraph
from geo.roadmix import mixes
from geo.spread import Spread
from geo.trips import GROUPS, Trips, band_of
from web.cli.city import folder
from web.cli.stop import Stop
from web.cli.up import DEMO_CITY, prepare_demo_city
from web.settings import Settings

console = Console(stderr=True, highlight=False)

Floats = NDArray[np.float64]

TAUGHT = (0, 60, 200, 600, 2000)
ASKED, SLOW = 1000, 1.3
DAYS, DAY_S = 60.0, 86_400.0
PLACES = 60
POLICY_SIGMA, POLICY_TURNOUT_S = 0.3, 60.0

TRACES = Path("replay/geolife_beijing.csv")
NEAREST_M, FARTHEST_M = 120.0, 500.0
HELD_SHARE = 1 / 3
LONGEST_S = 1_800.0
GAP_S = 60.0
DRIVEN_KMH = 12.0


def eta(
    city: Annotated[str, typer.Option(help="a city with a bundle")] = DEMO_CITY,
    seeds: Annotated[int, typer.Option(min=1)] = 5,
    geolife: Annotated[
        bool, typer.Option(help="also GPS traces, where SIGAP_DATA has them")
    ] = True,
) -> None:
    """Coverage of p50 and p90, steady and when everything takes 1.3 times as long.

    Drives on the city's roads with hidden speeds by road, hour, day and part of town; then pieces
    of real GPS traces that the fit has not seen, by great circle times a detour, for there is no
    map of that city here. The baselines: the policy's constants, and a fit that adapts to nothing.
    """
    root = folder(Settings())
    if city == DEMO_CITY:
        prepare_demo_city(root)
    bundle = open_bundle(root, city)
    for seed in track(range(1, seeds + 1), description="simulated trips", console=console):
        for figures in simulated(bundle.roads(), seed):
            _line(bench="eta", city=city, seed=seed, **figures)
    data = os.environ.get("SIGAP_DATA")
    if geolife and data:
        for seed in track(range(1, seeds + 1), description="GPS traces", console=console):
            for figures in traced(Path(data) / TRACES, seed):
                _line(bench="eta", data="geolife", seed=seed, **figures)


def _line(**figures: Any) -> None:
    typer.echo(orjson.dumps(figures, option=orjson.OPT_SERIALIZE_NUMPY).decode())


# --- drives with hidden speeds ----------------------------------------------------


def simulated(roads: RoadNetwork, seed: int) -> Iterator[dict[str, Any]]:
    """Figures for each number of trips that taught; last those of the policy's constants."""
    if not isinstance(roads, RoadGraph):
        raise Stop("This bench needs the roads of a city's own bundle (SIGAP_ROADS=embedded).")
    chance = np.random.default_rng(seed)
    most = max(TAUGHT)
    trips = _drives(roads, chance, most + 2 * ASKED)
    cold = speeds.cold(turnout_s=POLICY_TURNOUT_S, sigma=POLICY_SIGMA)
    slow = trips.actual_s.copy()
    slow[most + ASKED :] *= SLOW
    after = replace(trips, actual_s=slow).only(slice(most, None)).in_order()
    for n in TAUGHT:
        learned = speeds.fit(trips.only(slice(most - n, most)), before=cold, number=1)
        _, told = replay(learned, after, float(after.ended_at[-1]))
        figures: dict[str, Any] = {"taught": n, "stage": learned.stage}
        for name, part in (("steady", slice(0, ASKED)), ("slow", slice(ASKED, None))):
            figures |= _named(
                name, after.actual_s[part], told.drive_s[part], told.drive_p90_s[part]
            )
        whole = after.turnout_s + after.actual_s
        figures |= _named("offered", whole[:ASKED], told.whole_s[:ASKED], told.whole_p90_s[:ASKED])
        first = slice(ASKED, ASKED + 100)
        within = after.actual_s[first] <= told.drive_p90_s[first]
        figures["slow_first_100_within_p90"] = round(float(within.mean()), 4)
        figures |= _still(learned, after)
        yield figures
    yield _constants(after)


def _drives(roads: RoadGraph, chance: np.random.Generator, n: int) -> Trips:
    """Drives between random junctions with speeds that nobody is told."""
    arrays = roads.arrays
    nodes = chance.integers(0, arrays.node_count, PLACES)
    places = [Point(float(arrays.lon[k]), float(arrays.lat[k])) for k in nodes]
    base = roads.travel_times(places, places)
    pairs = [
        (i, j)
        for i in range(PLACES)
        for j in range(PLACES)
        if np.isfinite(base[i, j]) and 60.0 <= base[i, j] <= 1800.0
    ]
    share = mixes(roads, [(places[i], places[j]) for i, j in pairs])
    drive_s = share * np.array([base[pair] for pair in pairs])[:, None]
    hidden = np.exp(chance.normal(0.0, 0.1, (len(GROUPS), 5))) * _rush(chance)
    town = np.exp(chance.normal(0.0, 0.08, PLACES))
    day = np.exp(chance.normal(0.0, 0.07, int(DAYS) + 1))
    left_at = np.sort(chance.uniform(0.0, DAYS * DAY_S, n))
    band = np.array([band_of(datetime.fromtimestamp(at, tz=UTC), 0.0) for at in left_at])
    chosen = chance.integers(0, len(pairs), n)
    drive = drive_s[chosen]
    actual = (drive * hidden[:, band].T).sum(axis=1)
    actual *= town[np.array([pairs[k][1] for k in chosen])]
    actual *= day[(left_at // DAY_S).astype(int)] * np.exp(chance.standard_t(5, n) * 0.16)
    actual += chance.gamma(2.0, 30.0, n)
    turnout = np.exp(chance.normal(np.log(80.0), 0.4, n))
    return Trips(drive, band, actual, left_at, turnout, ("",) * n).in_order()


def _rush(chance: np.random.Generator) -> Floats:
    """How slow each kind of road is by hour: other numbers than the cold start's."""
    usual = np.array([1.05, 1.35, 1.15, 1.5, 1.1])
    main = np.array([0.6, 1.0, 1.0, 1.2, 1.0, 0.6])
    slow: Floats = 1.0 + (usual - 1.0)[None, :] * (main * chance.uniform(0.7, 1.3, 6))[:, None]
    return slow


# --- real traces ------------------------------------------------------------------


def traced(path: Path, seed: int) -> Iterator[dict[str, Any]]:
    """Some pieces of traces teach, the others are held back.

    A random third is like those that taught, which is what conformal prediction promises for;
    the later part is the end of the last trace, told by its beginning and the four before it.
    """
    if not path.is_file():
        raise Stop(f"There are no GPS traces at {path}.")
    chance = np.random.default_rng(seed)
    trips = _pieces(_fixes(path), chance)
    later = np.arange(len(trips)) >= len(trips) * (1.0 - HELD_SHARE)
    for split, held in (("random", chance.random(len(trips)) < HELD_SHARE), ("later", later)):
        yield {"split": split, **_held_back(trips.only(~held), trips.only(held))}


def _held_back(taught: Trips, held: Trips) -> dict[str, Any]:
    """Figures of the pieces held back, as they are and when they take SLOW times as long."""
    cold = speeds.cold(turnout_s=POLICY_TURNOUT_S, sigma=POLICY_SIGMA)
    learned = speeds.fit(taught, before=cold, number=1)
    # what was slow just before is not known: pieces that taught may be of later days
    learned = replace(learned, recent=())
    figures: dict[str, Any] = {"taught": len(taught), "held_back": len(held)}
    figures |= {"stage": learned.stage}
    for name, times in (("steady", 1.0), ("slow", SLOW)):
        asked = replace(held, actual_s=held.actual_s * times).in_order()
        _, told = replay(learned, asked, float(asked.ended_at[-1]))
        figures |= _named(name, asked.actual_s, told.drive_s, told.drive_p90_s)
    return figures | {f"policy_{k}": v for k, v in _constants(held).items() if k != "taught"}


Fixes = list[tuple[float, Point]]


def _fixes(path: Path) -> list[Fixes]:
    """The fixes of each trace, (POSIX seconds, place), in order."""
    found: dict[str, Fixes] = {}
    with path.open(encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text, delimiter=";"):
            at = datetime.fromisoformat(row["t"]).timestamp()
            place = Point(float(row["X"]), float(row["Y"]))
            found.setdefault(row["trajectory_id"], []).append((at, place))
    return [sorted(each, key=lambda fix: fix[0]) for each in found.values()]


def _pieces(traces: Sequence[Fixes], chance: np.random.Generator) -> Trips:
    """Drives to places a random distance away, with all their stops and turns.

    They do not overlap, have no gap, and are faster than walking.
    """
    plain = StraightLineNetwork()
    found: list[tuple[float, float, float, float]] = []
    for trace in traces:
        piece: Fixes = []
        away_m = chance.uniform(NEAREST_M, FARTHEST_M)
        for fix in trace:
            if piece and fix[0] - piece[-1][0] > GAP_S:
                piece = []
            piece.append(fix)
            took_s = fix[0] - piece[0][0]
            if distance_m(piece[0][1], fix[1]) < away_m and took_s < LONGEST_S:
                continue
            metres = sum(distance_m(a[1], b[1]) for a, b in pairwise(piece))
            if metres / took_s * 3.6 >= DRIVEN_KMH and took_s < LONGEST_S:
                base_s = float(plain.travel_times([piece[0][1]], [fix[1]])[0, 0])
                found.append((piece[0][0], took_s, base_s, piece[0][1].lon))
            piece, away_m = [fix], chance.uniform(NEAREST_M, FARTHEST_M)
    found.sort()
    drive = np.zeros((len(found), len(GROUPS)))
    drive[:, GROUPS.index("unknown")] = [base for _, _, base, _ in found]
    left = np.array([at for at, _, _, _ in found])
    band = [band_of(datetime.fromtimestamp(at, tz=UTC), lon) for at, _, _, lon in found]
    trips = Trips(
        drive,
        np.array(band, dtype=np.int64),
        np.array([took for _, took, _, _ in found]),
        left,
        np.full(len(found), np.nan),
        ("",) * len(found),
    )
    return trips.in_order()


# --- figures ----------------------------------------------------------------------


def _named(name: str, actual: Floats, half: Floats, most: Floats) -> dict[str, float]:
    off = actual - half
    figures = {
        "mae_min": np.abs(off).mean() / 60.0,
        "bias_min": off.mean() / 60.0,
        "pinball_p50_min": pinball(actual, half, 0.5) / 60.0,
        "pinball_p90_min": pinball(actual, most, 0.9) / 60.0,
        "within_p50": (actual <= half).mean(),
        "within_p90": (actual <= most).mean(),
    }
    return {f"{name}_{key}": round(float(value), 4) for key, value in figures.items()}


def _still(learned: speeds.Calibration, after: Trips) -> dict[str, float]:
    """The same fit when nothing adapts: what was learned, once and for all."""
    half = learned.drive_of(after.drive_s, after.band)
    scores = np.array(learned.rolling.scores)
    q90 = np.quantile(scores, 0.9) if len(scores) else 1.28
    most = half * np.exp(learned.rolling.of(half) * q90)
    within = after.actual_s <= most
    return {
        "still_steady_within_p90": round(float(within[:ASKED].mean()), 4),
        "still_slow_within_p90": round(float(within[ASKED:].mean()), 4),
    }


def _constants(after: Trips) -> dict[str, Any]:
    """What the roads and the policy's sigma say, as before anything was learned or believed."""
    base, plain = after.base_s, Spread(POLICY_SIGMA)
    most = np.array([plain.quantile_s(float(each), 0.9) for each in base])
    figures: dict[str, Any] = {"taught": "policy"}
    figures |= _named("steady", after.actual_s[:ASKED], base[:ASKED], most[:ASKED])
    if len(after) > ASKED:
        figures |= _named("slow", after.actual_s[ASKED:], base[ASKED:], most[ASKED:])
    return figures
