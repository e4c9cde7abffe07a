"""`sigap replay`: a real stream of requests through the public door, judged at its end."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
import uvicorn
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from dispatch.core import evaluation
from dispatch.core.policy import Policy
from dispatch.storage import journal
from dispatch.system import Settings as SystemSettings
from dispatch.system import System
from dispatch.system import build as build_system
from web.app import create_app
from web.cli.stop import Stop
from web.cli.up import listen
from web.robots import demo
from web.robots.stream311 import BadStream, Request311, folded, read_stream
from web.settings import Settings

console = Console(highlight=False)
LEAD = timedelta(minutes=30)
SPARSE = timedelta(days=60)


def replay(
    file: Annotated[Path, typer.Argument(help="published 311 requests, CSV")],
    city: Annotated[str, typer.Option(help="the city they belong to")] = "baltimore",
    speed: Annotated[float, typer.Option(min=1, max=3600, help="times faster than life")] = 600.0,
    fold: Annotated[
        str, typer.Option(help="week: years laid on one week; none: as published; auto")
    ] = "auto",
    limit: Annotated[int, typer.Option(min=1, help="only the first so many")] = 1_000_000,
    crews: Annotated[int, typer.Option(min=1, max=200, help="how many crews")] = 36,
    work_min: Annotated[float, typer.Option(help="mean minutes of work on scene")] = 15.0,
    seed: Annotated[int, typer.Option(help="the robots' chance")] = 1,
) -> None:
    """Drive a real stream of requests through the public door, then print the evaluation.

    The run has a database of its own under the data folder; the city's own log stays as it is.
    """
    try:
        requests = read_stream(file)
    except BadStream as error:
        raise Stop(str(error)) from error
    if fold not in ("auto", "week", "none"):
        raise Stop("--fold is one of: auto, week, none.")
    if fold == "auto":
        fold = "week" if requests[-1].at - requests[0].at > SPARSE else "none"
    requests = folded(requests, fold)[:limit]
    start = requests[0].at - LEAD
    settings = Settings(cities=(city,), rate_factor=0.0)
    system = build_replay_system(settings, city, start=start, speed=speed)
    people = demo.prepare(system, system.city(city), data_dir=settings.data_dir, crews=crews)
    describe(requests, fold=fold, speed=speed, policy=system.city(city).policy)
    orders: dict[str, Any] = {
        "file": str(file),
        "fold": fold,
        "limit": limit,
        "speed": speed,
        "seed": seed,
        "work_s": work_min * 60,
        "city": city,
        "username": "robot",
        "password": people.account("robot").password,
        "crews": [{"id": str(i), "lon": lon, "lat": lat} for i, lon, lat in people.crews],
    }
    with serving(system, settings) as base:
        last = watch({**orders, "base": base}, system, total=len(requests))
    report(system, city, last, requests)
    if not last.get("done"):
        raise Stop("The replay ended before its time: the figures are of what happened so far.")


def build_replay_system(settings: Settings, city: str, *, start: datetime, speed: float) -> System:
    """A system with a database of its own and a fast clock.

    What must answer within real time (offers, positions) is given that time on the fast clock.
    """
    runs = settings.data_dir / "replays"
    runs.mkdir(parents=True, exist_ok=True)
    name = f"{city}-{datetime.now(UTC):%Y%m%dT%H%M%S}.sqlite3"
    system = build_system(
        SystemSettings(
            database_url=f"sqlite:///{runs / name}",
            data_dir=settings.data_dir,
            policy_path=settings.policy,
            cities=(city,),
            clock_start=start,
            clock_speed=speed,
        )
    )
    policy = system.city(city).policy
    system.replace_policy(city, for_real_time(policy, speed=speed))
    return system


def for_real_time(policy: Policy, *, speed: float) -> Policy:
    """The policy with a second of real time for an answer and four for a position."""
    return replace(
        policy,
        offers=replace(policy.offers, expires_s=max(policy.offers.expires_s, 2.0 * speed)),
        matching=replace(
            policy.matching, stale_fix_s=max(policy.matching.stale_fix_s, 6.0 * speed)
        ),
    )


def describe(requests: list[Request311], *, fold: str, speed: float, policy: Policy) -> None:
    """Say what will be replayed and what a fast clock bends."""
    first, last = requests[0].at, requests[-1].at
    console.print(
        f"{len(requests):,} requests from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"
        + (", years laid on one week" if fold == "week" else "")
        + f"; {speed:g} times as fast as life."
    )
    if speed > 30:
        console.print(
            f"[dim]Robots answer in real time, so on this clock offers last "
            f"{policy.offers.expires_s:g} s and positions stay fresh "
            f"{policy.matching.stale_fix_s:g} s."
        )


@contextlib.contextmanager
def serving(system: System, settings: Settings) -> Iterator[str]:
    """Serve the system on a free port of the loopback address, for the length of the block."""
    listener = listen("127.0.0.1", 0)
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        create_app(settings, system=system),
        log_config=None,
        access_log=False,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise Stop("The server for the replay did not start.")
            time.sleep(0.05)
        yield base
    finally:
        server.should_exit = True
        thread.join(timeout=15)


def watch(orders: dict[str, Any], system: System, *, total: int) -> dict[str, Any]:
    """Let the robots play and show how far they are; returns their last words."""
    orders = {**orders, "start": system.clock().isoformat()}
    last: dict[str, Any] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f}"))
    with (
        subprocess.Popen(
            [sys.executable, "-m", "web.robots.replaying"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        ) as process,
        Progress(*columns, TimeRemainingColumn(), console=console) as bars,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        task = bars.add_task("Requests", total=total)
        told = 0
        try:
            process.stdin.write(orjson.dumps(orders) + b"\n")
            process.stdin.flush()
            for line in process.stdout:
                last.update(orjson.loads(line))
                sent = last.get("accepted", 0) + sum(last.get("refused", {}).values())
                waiting = last.get("waiting")
                doing = "Requests" if waiting is None else f"{waiting} still open"
                bars.update(task, completed=sent, description=doing)
                if not console.is_terminal and sent - told >= total / 20:
                    told = sent
                    console.print(f"  {sent:,} of {total:,} requests sent")
        except KeyboardInterrupt:
            console.print("Interrupted: judging what happened so far.")
        finally:
            process.terminate()
    return last


def report(system: System, city: str, last: dict[str, Any], requests: list[Request311]) -> None:
    """Print what was refused and why, and the evaluation of the run."""
    console.print(f"\nAccepted {last.get('accepted', 0):,} reports.")
    for reason, count in sorted(last.get("refused", {}).items()):
        sentence = last.get("sentences", {}).get(reason, "")
        console.print(f"Refused {count:,} ({reason}): {sentence}")
    console.print(f"[dim]The latest request was sent {last.get('latest_s', 0):,.0f} s late.")
    policy = system.city(city).policy
    since, until = requests[0].at - LEAD, requests[-1].at + timedelta(days=2)
    with system.reading(city) as connection:
        events = list(journal.events(connection, city, kinds=("incident", "assignment")))
    found = evaluation.cases(events, since=since, until=until)
    target = policy.promise.target_s
    interval = Column("interval", overflow="fold", min_width=14)
    table = Table(interval, "n", "missing", "P50", "P90", "mean", "within 20 min")
    for name, figure in evaluation.summary(found, target_s=target).items():
        share = f"{100 * figure.within_target:.1f} %" if figure.within_target is not None else ""
        table.add_row(
            f"{name} ({' → '.join(evaluation.DEFINITIONS[name])})",
            f"{figure.n:,}",
            f"{figure.missing:,}",
            *(minutes(value) for value in (figure.p50_s, figure.p90_s, figure.mean_s)),
            share,
        )
    console.print(table)
    by_service = Table("category", "n", "missing", "P50", "P90", "within 20 min")
    for group in evaluation.grouped(found, "service", target_s=target):
        total = group["total_response"]
        share = f"{100 * total.within_target:.1f} %" if total.within_target is not None else ""
        by_service.add_row(
            group["key"],
            f"{total.n:,}",
            f"{total.missing:,}",
            minutes(total.p50_s),
            minutes(total.p90_s),
            share,
        )
    console.print(by_service)
    console.print(f"[dim]Kept in {system.engine.url.database}", soft_wrap=True)


def minutes(seconds: float | None) -> str:
    """Seconds as minutes for a table."""
    return "–" if seconds is None else f"{seconds / 60:.1f} min"
