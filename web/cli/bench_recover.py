"""Measures how screens catch up: one that missed very much, and very many at once."""

from __future__ import annotations

import time
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

from web.cli.bench_live import CLIENTS, SERVER, child, line, prepared

console = Console(stderr=True, highlight=False)

MISSED = (100, 1_000, 5_000, 20_000, 100_000)
REPEATS = 5


def recover(
    missed: Annotated[int, typer.Option(min=1_000, help="events in the log")] = 100_000,
    clients: Annotated[int, typer.Option(min=1, help="how many come back at once")] = 1_000,
    database: Annotated[
        str | None, typer.Option(help="a database to measure; default: SQLite in a fresh folder")
    ] = None,
) -> None:
    """Catching up so many missed events, by pages and by the whole state; and a storm of clients.

    `pages` is measured whatever the server would choose; `chosen` says what it does choose.
    """
    with prepared(database) as settings, child(SERVER, "sigap") as server:
        console.print(f"writing a log of {missed:,} events …")
        up = server.ask(do="start", **settings, sockets=clients, events=missed)
        for count in [each for each in MISSED if each < missed] + [missed]:
            found = server.ask(do="catch_up", missed=count, repeats=REPEATS)
            line(bench="recover", missed=count, **found)
        for kind in ("snapshot", "since"):
            line(bench="storm", clients=clients, asking=kind, **storm(settings, up, server, kind))


def storm(settings: dict[str, Any], up: dict[str, Any], server: Any, kind: str) -> dict[str, Any]:
    """All clients connect at once and ask for everything, or for what they missed."""
    with child(CLIENTS) as clients:
        since = server.ask(do="since", behind=50) if kind == "since" else None
        server.ask(do="empty")
        before, begun = server.ask(do="usage"), time.monotonic()
        came = clients.ask(
            do="connect",
            port=up["port"],
            cookies=up["cookies"],
            city=settings["city"],
            at_once=len(up["cookies"]),
            since=since,
        )
        took, after = time.monotonic() - begun, server.ask(do="usage")
        waits = [1e3 * each for each in came["waits"]]
        return {
            "all_live_s": round(took, 2),
            "p50_ms": round(float(np.median(waits)), 1),
            "p99_ms": round(float(np.quantile(waits, 0.99)), 1),
            "server_cpu_s": round(after["cpu_s"] - before["cpu_s"], 2),
            "cpu_ms_per_client": round(1e3 * (after["cpu_s"] - before["cpu_s"]) / len(waits), 2),
            "recovered": came["recovered"],
        }
