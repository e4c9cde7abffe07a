"""`sigap bench road`: the road engine beside scipy, networkx and OSRM, exact and in time."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import networkx as nx
import numpy as np
import orjson
import typer
from numpy.typing import NDArray
from rich.console import Console
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.bundle import Bundle, open_bundle
from geo.dijkstra import DijkstraNetwork
from geo.network import SegmentKey
from geo.osm_import import import_extract
from geo.osrm_tools import OsrmTools
from geo.point import Point
from geo.roadarrays import RoadArrays
from geo.roadengine import compute_order
from geo.roadgraph import RoadGraph
from web.cli.bench_road_osrm import beside_osrm, places
from web.cli.city import folder
from web.cli.stop import Stop
from web.cli.up import DEMO_CITY, prepare_demo_city
from web.settings import Settings

console = Console(stderr=True, highlight=False)

USUAL = ("portoalegre", "jakarta")
CREWS = 200
SLOWEST = 5
"""How many sweeps of a slow engine are measured; the figure is scaled to all."""

Table = NDArray[np.float64]


def road(
    extract: Annotated[
        list[Path] | None, typer.Argument(help="OpenStreetMap files, one for each city")
    ] = None,
    city: Annotated[
        list[str] | None,
        typer.Option(help="a city with a bundle, or an extract osm/NAME.osm.pbf in SIGAP_DATA"),
    ] = None,
    rounds: Annotated[int, typer.Option(min=3, help="how often each thing is done")] = 30,
    seed: int = 1,
    load_s: Annotated[float, typer.Option(min=0.5, help="seconds of swap under load")] = 5.0,
    osrm: Annotated[bool, typer.Option(help="also beside OSRM, where its programs are")] = True,
) -> None:
    """1 <- 200, 200 x 200, closures, swap under load; agreement with scipy, OSRM, free flow.

    Without a name: Porto Alegre and Jakarta from SIGAP_DATA, else the demo city.
    """
    tools = OsrmTools.find() if osrm else None
    if osrm and tools is None:
        console.print("OSRM's programs are not here (SIGAP_OSRM_BIN): its lines are left out.")
    for name, source in _sources(extract or [], city or []):
        console.print(f"{name} …")
        for figures in _measured(source, tools, rounds=rounds, seed=seed, load_s=load_s):
            line = {"bench": "road", "city": name, **figures}
            typer.echo(orjson.dumps(line, option=orjson.OPT_SERIALIZE_NUMPY).decode())


def _sources(extracts: Sequence[Path], cities: Sequence[str]) -> list[tuple[str, Path | Bundle]]:
    """(name, extract or bundle) of everything asked for."""
    data = os.environ.get("SIGAP_DATA")
    real = [Path(data) / f"osm/{name}.osm.pbf" for name in USUAL] if data else []
    if not extracts and not cities:
        extracts = [path for path in real if path.is_file()]
        cities = [] if extracts else [DEMO_CITY]
    for path in extracts:
        if not path.is_file():
            raise Stop(f"There is no file {path}; give the path of an .osm.pbf extract.")
    found: list[tuple[str, Path | Bundle]] = [(p.name.partition(".")[0], p) for p in extracts]
    for city in cities:
        path = Path(data or ".") / f"osm/{city}.osm.pbf"
        if data and path.is_file():
            found.append((city, path))
            continue
        root = folder(Settings())
        if city == DEMO_CITY:
            prepare_demo_city(root)
        found.append((city, open_bundle(root, city)))
    return found


def _measured(
    source: Path | Bundle, tools: OsrmTools | None, *, rounds: int, seed: int, load_s: float
) -> Iterator[dict[str, Any]]:
    if isinstance(source, Bundle):
        graph = source.roads()
        console.print("  A bundle keeps no extract: beside OSRM only with the extract itself.")
    else:
        begun = time.perf_counter()
        arrays = import_extract(source)
        imported = time.perf_counter()
        graph = RoadGraph(arrays, order=compute_order(arrays))
        yield {
            "what": "import",
            "nodes": arrays.node_count,
            "edges": arrays.edge_count,
            "turns": len(arrays.turn_from),
            "import_s": round(imported - begun, 2),
            "order_s": round(time.perf_counter() - imported, 2),
        }
    chance = np.random.default_rng(seed)
    crews = places(graph.arrays, CREWS, chance)
    incidents = places(graph.arrays, CREWS, chance)
    yield _few(graph, crews, incidents, rounds=rounds)
    yield _many(graph, crews, incidents)
    yield _closing(graph, chance, rounds=rounds)
    yield _swapping(graph, crews, incidents, chance, seconds=load_s)
    yield _exact(graph, crews, incidents, chance)
    if tools is not None and isinstance(source, Path):
        yield from beside_osrm(source, graph, tools, chance)


# --- speed ---------------------------------------------------------------------


def _few(
    graph: RoadGraph, crews: Sequence[Point], incidents: Sequence[Point], *, rounds: int
) -> dict[str, Any]:
    """All crews to one incident: snapping and search, and the search alone beside others'."""
    ours = [_cpu_s(partial(graph.travel_times, crews, [incidents[i]])) for i in range(rounds)]
    with graph.searching() as search:
        stands = [graph.ways(search.state, crew) for crew in crews]
        pinned = sorted({edge for starts, _ in stands for edge, _ in starts})
        ends = [graph.ways(search.state, place)[1] for place in incidents[:rounds]]
        alone = [_cpu_s(partial(search.to_each, pinned, [end])) for end in ends if end]
    slow = _sweeps(graph.arrays)
    found = {name: statistics.median(_cpu_s(sweep) for _ in range(SLOWEST)) for name, sweep in slow}
    mine = statistics.median(alone)
    return {
        "what": "1 <- 200",
        "cpu_ms": _ms(statistics.median(ours)),
        "p99_ms": _ms(float(np.quantile(ours, 0.99))),
        "search_ms": _ms(mine),
        **{f"{name}_ms": _ms(value) for name, value in found.items()},
        **{f"ratio_{name}": round(value / mine, 1) for name, value in found.items()},
    }


def _many(graph: RoadGraph, crews: Sequence[Point], incidents: Sequence[Point]) -> dict[str, Any]:
    mine = statistics.median(
        _cpu_s(partial(graph.travel_times, crews, incidents)) for _ in range(SLOWEST)
    )
    slow = {
        name: len(incidents) * statistics.median(_cpu_s(sweep) for _ in range(SLOWEST))
        for name, sweep in _sweeps(graph.arrays)
    }
    return {
        "what": "200 x 200",
        "cpu_ms": _ms(mine),
        **{f"{name}_ms": _ms(value) for name, value in slow.items()},
        **{f"ratio_{name}": round(value / mine, 1) for name, value in slow.items()},
    }


def _sweeps(arrays: RoadArrays) -> list[tuple[str, Callable[[], object]]]:
    """One reverse sweep over the same graph by each of the slow engines."""
    weights = arrays.turn_weight_ms
    order = np.lexsort((weights, arrays.turn_to, arrays.turn_from))
    pairs = np.stack([arrays.turn_from[order], arrays.turn_to[order]])
    # scipy would add up doubles
    fresh = np.concatenate([[True], (pairs[:, 1:] != pairs[:, :-1]).any(axis=0)])
    tail, head = pairs[:, fresh]
    ms = weights[order][fresh].astype(np.float64)
    size = arrays.edge_count
    backwards = csr_array((ms, (head, tail)), shape=(size, size))
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_weighted_edges_from(zip(head.tolist(), tail.tolist(), ms.tolist(), strict=True))
    target = int(head[len(head) // 2])
    return [
        ("scipy", lambda: dijkstra(backwards, indices=[target])),
        ("networkx", lambda: nx.single_source_dijkstra_path_length(graph, target)),
    ]


def _closing(graph: RoadGraph, chance: np.random.Generator, *, rounds: int) -> dict[str, Any]:
    keys = _keys(graph.arrays)
    picked = [[keys[i] for i in chance.choice(len(keys), 5, replace=False)] for _ in range(rounds)]
    graph.update(dict.fromkeys(picked[0], None))
    graph.update(dict.fromkeys(picked[0], 1.0))
    shut = [_cpu_s(partial(graph.update, dict.fromkeys(five, None))) for five in picked]
    every = [key for five in picked for key in five]
    opened = _cpu_s(partial(graph.update, dict.fromkeys(every, 1.0)))
    whole = _cpu_s(partial(graph.update, dict.fromkeys(keys, 0.9)))
    graph.update(dict.fromkeys(keys, 1.0))
    return {
        "what": "closure",
        "segments": 5,
        "cpu_ms": _ms(statistics.median(shut)),
        "p99_ms": _ms(float(np.quantile(shut, 0.99))),
        "open_again_ms": _ms(opened),
        "every_speed_ms": _ms(whole),
    }


def _swapping(
    graph: RoadGraph,
    crews: Sequence[Point],
    incidents: Sequence[Point],
    chance: np.random.Generator,
    *,
    seconds: float,
) -> dict[str, Any]:
    """Two readers ask while the roads change all the time: how long they wait, what they see."""
    keys = _keys(graph.arrays)
    shut = dict.fromkeys([keys[i] for i in chance.choice(len(keys), 50, replace=False)], None)
    opened: Mapping[SegmentKey, float | None] = dict.fromkeys(shut, 1.0)
    asked = partial(graph.travel_times, crews, incidents[:5])
    truths = {asked().tobytes()}
    graph.update(shut)
    truths.add(asked().tobytes())
    graph.update(opened)
    quiet = _read(asked, seconds=seconds / 2, truths=truths)
    stop, updates = threading.Event(), [0]

    def change() -> None:
        while not stop.is_set():
            graph.update(shut)
            graph.update(opened)
            updates[0] += 2

    changing = threading.Thread(target=change)
    changing.start()
    try:
        loaded = _read(asked, seconds=seconds, truths=truths)
    finally:
        stop.set()
        changing.join()
    return {
        "what": "swap under load",
        "readers": 2,
        "updates_per_s": round(updates[0] / seconds, 1),
        "reads_per_s": round(len(loaded[0]) / seconds, 1),
        "quiet_p50_ms": _ms(statistics.median(quiet[0])),
        "quiet_p99_ms": _ms(float(np.quantile(quiet[0], 0.99))),
        "loaded_p50_ms": _ms(statistics.median(loaded[0])),
        "loaded_p99_ms": _ms(float(np.quantile(loaded[0], 0.99))),
        "loaded_max_ms": _ms(max(loaded[0])),
        "neither_before_nor_after": quiet[1] + loaded[1],
        "failures": quiet[2] + loaded[2],
    }


def _read(
    asked: Callable[[], Table], *, seconds: float, truths: set[bytes]
) -> tuple[list[float], int, int]:
    """(seconds of each answer, answers that are no truth, failures) of two readers."""
    until = time.perf_counter() + seconds
    taken: list[float] = []
    wrong, failures = [0], [0]

    def read() -> None:
        while time.perf_counter() < until:
            begun = time.perf_counter()
            try:
                wrong[0] += asked().tobytes() not in truths
            except BaseException as e:  # noqa: BLE001 - a panic of the library is no Exception
                console.print(f"a reader failed: {e!r}")
                failures[0] += 1
                return
            taken.append(time.perf_counter() - begun)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    return taken, wrong[0], failures[0]


# --- agreement -----------------------------------------------------------------


def _exact(
    graph: RoadGraph,
    crews: Sequence[Point],
    incidents: Sequence[Point],
    chance: np.random.Generator,
) -> dict[str, Any]:
    """Every pair by the engine and by scipy, as usual and with closed and slow roads."""
    keys = _keys(graph.arrays)
    some = chance.choice(len(keys), 400, replace=False)
    changed: dict[SegmentKey, float | None] = {
        keys[i]: None if n % 2 else float(chance.uniform(0.2, 1.5)) for n, i in enumerate(some)
    }
    apart, pairs, unlike = 0.0, 0, 0
    for changes in ({}, changed):
        graph.update(changes)
        with graph.searching() as search:
            factor = search.state.factor.copy()
        judge = DijkstraNetwork(graph.arrays, factor=factor)
        mine, theirs = graph.travel_times(crews, incidents), judge.travel_times(crews, incidents)
        both = np.isfinite(mine) & np.isfinite(theirs)
        pairs += mine.size
        unlike += int((np.isfinite(mine) != np.isfinite(theirs)).sum())
        apart = max(apart, float(np.abs(mine[both] - theirs[both]).max(initial=0.0)))
    graph.update(dict.fromkeys(changed, 1.0))
    return {
        "what": "agreement with scipy",
        "pairs": pairs,
        "closed_or_slow": len(changed),
        "largest_difference_ms": round(apart * 1_000, 3),
        "reached_by_one_only": unlike,
        "exact": apart == 0 and unlike == 0,
    }


def _keys(arrays: RoadArrays) -> list[SegmentKey]:
    u, v = arrays.node_osm_id[arrays.piece_u], arrays.node_osm_id[arrays.piece_v]
    return list(zip(u.tolist(), v.tolist(), strict=True))


def _cpu_s(action: Callable[[], object]) -> float:
    begun = time.process_time()
    action()
    return time.process_time() - begun


def _ms(seconds: float) -> float:
    return round(1e3 * seconds, 3)
