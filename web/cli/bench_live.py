"""Measures how events reach sockets: beside bare `websockets.broadcast` of the same bytes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import orjson
import typer
from rich.console import Console

from web.cli.city import folder
from web.cli.up import DEMO_CITY, prepare_demo_city
from web.settings import Settings

console = Console(stderr=True, highlight=False)

SOCKETS = (100, 1_000, 5_000)
DELIVERIES = 100_000
MESSAGES_LEAST = 20
EVENT_BYTES = 600
COMMITS, COMMITS_PER_S = 100, 20.0


def line(**figures: Any) -> None:
    """One result on standard output."""
    typer.echo(orjson.dumps(figures).decode())


def live(
    sockets: Annotated[list[int] | None, typer.Option(help="how many sockets at once")] = None,
    database: Annotated[
        str | None, typer.Option(help="a database to measure; default: SQLite in a fresh folder")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="how often each is measured")] = 3,
) -> None:
    """Deliveries per server CPU-second, commit → client, and memory per socket.

    Servers and clients are processes of their own; the clients only count what arrives.
    """
    with prepared(database) as settings:
        for count in sockets or SOCKETS:
            figures: dict[str, list[dict[str, float]]] = {"sigap": [], "broadcast": []}
            for turn in range(rounds):
                console.print(f"{count} sockets, round {turn + 1} of {rounds} …")
                for kind, found in figures.items():
                    found.append(measure(kind, settings, count))
            line(bench="live", sockets=count, rounds=rounds, **_summary(figures))


def _summary(figures: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    def median(kind: str, name: str) -> float:
        return float(np.median([each[name] for each in figures[kind]]))

    ours, bare = median("sigap", "per_cpu_s"), median("broadcast", "per_cpu_s")
    pairs = zip(figures["sigap"], figures["broadcast"], strict=True)
    return {
        "sigap_per_cpu_s": round(ours),
        "broadcast_per_cpu_s": round(bare),
        "ratio": round(ours / bare, 2),
        "ratios": [round(one["per_cpu_s"] / other["per_cpu_s"], 2) for one, other in pairs],
        "commit_to_client_p50_ms": round(median("sigap", "p50_ms"), 1),
        "commit_to_client_p99_ms": round(median("sigap", "p99_ms"), 1),
        "sigap_kib_per_socket": round(median("sigap", "kib_per_socket"), 1),
        "broadcast_kib_per_socket": round(median("broadcast", "kib_per_socket"), 1),
        "message_bytes": EVENT_BYTES,
    }


@contextmanager
def prepared(database: str | None) -> Iterator[dict[str, Any]]:
    """The demo city, on the database named or a fresh one: what a measured server serves."""
    root = folder(Settings())
    prepare_demo_city(root)
    with tempfile.TemporaryDirectory(prefix="sigap-bench-") as fresh:
        Path(fresh, "cities").symlink_to(root.resolve(), target_is_directory=True)
        url = database or f"sqlite:///{fresh}/bench.sqlite3"
        yield {"data_dir": fresh, "database_url": url, "city": DEMO_CITY}


class Child:
    """A process that takes orders and answers, a line of JSON each."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, **order: Any) -> Any:
        """Give an order and wait for the answer."""
        self.tell(**order)
        return self.answer()

    def tell(self, **order: Any) -> None:
        """Give an order."""
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps(order) + b"\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        """Wait for the answer to the oldest order."""
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            raise RuntimeError("a process of the measurement ended; the lines above say why")
        return orjson.loads(said)

    def end(self) -> None:
        """Let it go."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@contextmanager
def child(module: str, *arguments: str) -> Iterator[Child]:
    """A process for as long as the block lasts."""
    made = Child(module, *arguments)
    try:
        yield made
    finally:
        made.end()


SERVER, CLIENTS = "web.cli.bench_live_server", "web.cli.bench_live_clients"


def measure(kind: str, settings: dict[str, Any], count: int) -> dict[str, float]:
    """One round of one server."""
    with child(SERVER, kind) as server, child(CLIENTS) as clients:
        up = server.ask(do="start", **settings, sockets=count)
        begun = server.ask(do="usage")
        clients.ask(do="connect", port=up["port"], cookies=up["cookies"], city=settings["city"])
        there = server.ask(do="usage")
        messages = max(MESSAGES_LEAST, DELIVERIES // count)
        clients.ask(do="count", messages=messages)
        before = server.ask(do="usage")
        server.ask(do="send", messages=messages, size=EVENT_BYTES)
        heard = clients.answer()
        after = server.ask(do="usage")
        assert heard["deliveries"] == messages * count, heard
        figures = {
            "per_cpu_s": heard["deliveries"] / (after["cpu_s"] - before["cpu_s"]),
            "kib_per_socket": (there["rss"] - begun["rss"]) / 1024 / count,
        }
        if kind == "sigap":
            clients.ask(do="watch", events=COMMITS)
            commits = server.ask(do="commit", events=COMMITS, per_s=COMMITS_PER_S)["at"]
            figures |= _latency(commits, clients.answer()["at"])
        return figures


def _latency(commits: dict[str, float], arrived: Sequence[tuple[int, float]]) -> dict[str, float]:
    """From the commit to each watched socket, p50 and p99 in milliseconds."""
    found = [1e3 * (at - commits[str(o)]) for o, at in arrived if str(o) in commits]
    return {"p50_ms": float(np.median(found)), "p99_ms": float(np.quantile(found, 0.99))}
