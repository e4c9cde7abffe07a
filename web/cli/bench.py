"""`sigap bench`: figures as JSON lines, each beside a baseline of the same run."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import networkx as nx
import numpy as np
import orjson
import typer
from rich.console import Console

from dispatch.core.matching import Candidate, Need, match
from dispatch.core.road_times import RoadTimes
from dispatch.system.cities import read_policy
from geo.bundle import Bundle, open_bundle
from geo.point import Point
from geo.roadarrays import RoadArrays
from geo.roadgraph import RoadGraph
from web.cli.bench_boot import boots
from web.cli.bench_eta import eta
from web.cli.bench_fixes import fixes_
from web.cli.bench_geocode import geocode
from web.cli.bench_live import live
from web.cli.bench_path import measure_path
from web.cli.bench_policy import policy
from web.cli.bench_recover import recover
from web.cli.bench_road import road
from web.cli.city import folder
from web.cli.up import DEMO_CITY, prepare_demo_city
from web.robots.points import on_a_road
from web.settings import Settings

app = typer.Typer(no_args_is_help=True)
app.command("fixes")(fixes_)
app.command("policy")(policy)
app.command("road")(road)
app.command("eta")(eta)
app.command("live")(live)
app.command("recover")(recover)
app.command("geocode")(geocode)
console = Console(stderr=True, highlight=False)


def line(**figures: Any) -> None:
    """One result on standard output."""
    typer.echo(orjson.dumps(figures, option=orjson.OPT_SERIALIZE_NUMPY).decode())


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50 and p99 in milliseconds."""
    return {
        "p50_ms": round(1e3 * statistics.median(seconds), 3),
        "p99_ms": round(1e3 * float(np.quantile(seconds, 0.99)), 3),
    }


def timed(action: Callable[[], object]) -> float:
    """Seconds one call took."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


@app.command()
def path(
    database: Annotated[
        list[str] | None, typer.Option(help="URLs to measure; default: SQLite in a fresh folder")
    ] = None,
    reports: Annotated[int, typer.Option(min=5, help="reports one after the other")] = 100,
    seconds: Annotated[float, typer.Option(help="how long the sustained rate is measured")] = 15.0,
    lanes: Annotated[int, typer.Option(min=1, help="reports at once for the rate")] = 8,
) -> None:
    """Report → verified → the crew's socket, beside a bare durable insert."""
    root = folder(Settings())
    prepare_demo_city(root)
    with tempfile.TemporaryDirectory(prefix="sigap-bench-") as fresh:
        for url in database or [f"sqlite:///{fresh}/bench.sqlite3"]:
            console.print(f"path on {url.partition(':')[0]} …")
            figures = measure_path(
                url, Path(fresh), root, reports=reports, seconds=seconds, lanes=lanes
            )
            bare, whole = figures.pop("insert_s"), figures.pop("path_s")
            line(
                bench="path",
                database=url.partition(":")[0].partition("+")[0],
                n=len(whole),
                **quantiles(whole),
                **{f"insert_{name}": value for name, value in quantiles(bare).items()},
                ratio_p50=round(statistics.median(whole) / statistics.median(bare), 2),
                **figures,
            )


@app.command("match")
def match_(
    city: Annotated[str, typer.Option(help="a city with a bundle")] = DEMO_CITY,
    incidents: Annotated[int, typer.Option(min=1)] = 100,
    crews: Annotated[int, typer.Option(min=1)] = 200,
    rounds: Annotated[int, typer.Option(min=3)] = 30,
    seed: int = 1,
) -> None:
    """One decision: road times and assignment of many incidents, beside networkx."""
    root = folder(Settings())
    if city == DEMO_CITY:
        prepare_demo_city(root)
    bundle = open_bundle(root, city)
    chance = random.Random(seed)
    whole, roads, rules = [], [], []
    for _ in range(rounds):
        scene = _scene(bundle, chance, incidents=incidents, crews=crews)
        road, rule = _decide(bundle, scene)
        roads.append(road)
        rules.append(rule)
        whole.append(road + rule)
    baseline = _networkx_seconds(bundle.roads(), scene[0], chance)
    line(
        bench="match",
        city=city,
        incidents=incidents,
        crews=crews,
        rounds=rounds,
        **quantiles(whole),
        **{f"roads_{name}": value for name, value in quantiles(roads).items()},
        **{f"rules_{name}": value for name, value in quantiles(rules).items()},
        networkx_roads_ms=round(1e3 * baseline, 1),
        networkx_ratio=round(baseline / statistics.median(roads), 1),
    )


Scene = tuple[list[tuple[UUID, float, float]], list[tuple[UUID, float, float]]]


def _scene(bundle: Bundle, chance: random.Random, *, incidents: int, crews: int) -> Scene:
    def places(n: int, first: int) -> list[tuple[UUID, float, float]]:
        return [
            (
                UUID(int=first + i),
                *on_a_road(
                    chance, box=bundle.manifest.box, areas=bundle.areas(), roads=bundle.roads()
                ),
            )
            for i in range(n)
        ]

    return places(incidents, 1), places(crews, 1_000_000)


def _decide(bundle: Bundle, scene: Scene) -> tuple[float, float]:
    """Seconds for the road times and for the assignment of one decision."""
    policy, now = read_policy(None), datetime.now(UTC)
    wanting, there = scene
    skills = ("chainsaw", "pump", "electrical")
    needs = [
        Need(
            incident_id=incident,
            due_at=now + timedelta(seconds=1200 - 10 * i),
            priority=1 + i % 3,
            skills=frozenset({skills[i % 3]}),
        )
        for i, (incident, _, _) in enumerate(wanting)
    ]
    candidates = [
        Candidate(crew, frozenset({skills[j % 3], skills[(j + 1) % 3]}))
        for j, (crew, _, _) in enumerate(there)
    ]
    begun = time.perf_counter()
    table = bundle.roads().travel_times(
        [Point(lon, lat) for _, lon, lat in there], [Point(lon, lat) for _, lon, lat in wanting]
    )
    asked = time.perf_counter()
    seconds = RoadTimes([crew[0] for crew in there], [i[0] for i in wanting], table)
    match(needs, candidates, seconds, policy=policy, now=now)
    return asked - begun, time.perf_counter() - asked


def _networkx_seconds(
    roads: RoadGraph, wanting: Sequence[tuple[UUID, float, float]], chance: random.Random
) -> float:
    """What the road times of one decision cost with networkx: a reverse sweep per incident.

    Measured on a few incidents and scaled to all, since it takes minutes otherwise.
    """
    graph = _turn_graph(roads.arrays)
    backwards = graph.reverse(copy=False)
    sample = [chance.randrange(roads.arrays.edge_count) for _ in range(min(5, len(wanting)))]
    spent = [
        timed(partial(nx.single_source_dijkstra_path_length, backwards, edge)) for edge in sample
    ]
    return statistics.mean(spent) * len(wanting)


def _turn_graph(arrays: RoadArrays) -> nx.DiGraph[int]:
    """Edges as nodes, turns as arcs, weighted by the turn and the edge it leads onto (ms)."""
    edge_ms = np.add.reduceat(arrays.piece_ms, arrays.edge_start[:-1])
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(arrays.edge_count))
    weights = arrays.turn_ms + edge_ms[arrays.turn_to]
    graph.add_weighted_edges_from(
        zip(arrays.turn_from.tolist(), arrays.turn_to.tolist(), weights.tolist(), strict=True)
    )
    return graph


@app.command()
def boot() -> None:
    """From nothing to a listening server with its demo city, and once more when all is there."""
    for kind, seconds in boots():
        line(bench="boot", start=kind, seconds=round(seconds, 2))
