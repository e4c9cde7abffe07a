"""`sigap simulate`: the same days under several policies, and a report of who came late."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from dispatch.simulator import statistics
from dispatch.simulator.figures import Figures
from dispatch.simulator.presets import POLICIES
from dispatch.simulator.report import Asked, render, title_of
from dispatch.simulator.report_words import Words
from dispatch.simulator.results import Results
from dispatch.simulator.runs import cores
from geo.bundle import Bundle, open_bundle
from web.app import installed_version
from web.cli.city import folder
from web.cli.city_map import city_map
from web.cli.demand import arrivals_file
from web.cli.played import (
    OWN,
    SYNTHETIC,
    Run,
    Setting,
    every_run,
    play_missing,
    read_figures,
)
from web.cli.replayed import Intervals, print_calibration, read_replay
from web.cli.stop import Stop
from web.cli.up import DEMO_CITY, prepare_demo_city
from web.settings import Settings

console = Console(highlight=False)
BASELINE = "A0"
MINUS_CREW = "minus-crew"
PLUS_CREW = "plus-crew"
Policies = list[tuple[str, str, Path | None]]


def simulate(
    city: Annotated[str, typer.Option(help="a city with a bundle")] = DEMO_CITY,
    policy: Annotated[
        list[str] | None, typer.Option(help="A0 A1 A2 B D E F F2 sigap, or a policy file .toml")
    ] = None,
    baseline: Annotated[str, typer.Option(help="what it is compared with")] = BASELINE,
    days: Annotated[float, typer.Option(min=0.5, max=366, help="days per seed")] = 30.0,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="how many seeds")] = 20,
    first_seed: Annotated[int, typer.Option(min=0, help="the first of them")] = 1,
    load: Annotated[
        list[float] | None, typer.Option(help="share of crew time that is bound; may be repeated")
    ] = None,
    storm: Annotated[bool, typer.Option("--storm", help="sixty trees within two hours")] = False,
    what_if: Annotated[
        list[str] | None, typer.Option(help="minus-crew=3 or plus-crew=2, with the same demand")
    ] = None,
    crews: Annotated[int, typer.Option(min=1, max=500, help="how many crews")] = 20,
    demand: Annotated[
        str, typer.Option(help="synthetic; log: the city's own; or a 311 file .csv")
    ] = SYNTHETIC,
    frictions: Annotated[
        bool, typer.Option(help="declines, time to accept, old positions, rest")
    ] = True,
    pranks: Annotated[float, typer.Option(min=0, max=5, help="false reports per true one")] = 0.05,
    workers: Annotated[int | None, typer.Option(min=1, help="processes; default: cores")] = None,
    calibrate: Annotated[
        Path | None, typer.Option(help="a finished replay (.sqlite3) whose times are compared")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="where runs and report are kept")] = None,
    language: Annotated[str, typer.Option(help="which the report shows first: id or en")] = "id",
) -> None:
    """Play days under policies with common random numbers; ends with JSON lines and a report.

    An interrupt keeps what is done: the same command goes on where it stopped.
    """
    if language not in ("id", "en"):
        raise Stop("--language is id or en.")
    settings = Settings()
    root = folder(settings)
    if city == DEMO_CITY:
        prepare_demo_city(root)
    bundle = open_bundle(root, city)
    fewer = fewer_crews(what_if or [], crews)
    if storm and (demand != SYNTHETIC or days < 3):
        raise Stop("--storm goes with synthetic demand and at least --days 3.")
    named = policies_of(policy or [OWN], baseline, settings.policy)
    several = [Setting(share, storm, frictions) for share in loads_of(load or [0.35])]
    kept_in = out or settings.data_dir / "simulations" / city
    demand_file, demand_said = arrivals_file(demand, city=city, settings=settings, out=kept_in)
    template = Run(
        root=root,
        city=city,
        version=bundle.manifest.version,
        policy_path=settings.policy,
        preset=OWN,
        name=OWN,
        setting=several[0],
        days=days,
        seed=first_seed,
        crews=crews,
        fewer_crews=fewer,
        pranks=pranks if demand == SYNTHETIC else 0.0,
        demand=demand_file,
        said=demand_said,
    )
    wanted = [
        (run.key(), run)
        for run in every_run(
            template,
            settings=several,
            policies=named,
            seeds=range(first_seed, first_seed + seeds),
        )
    ]
    kept = Results(kept_in / "runs")
    replayed = read_replay(calibrate, city) if calibrate else None
    try:
        play_with_bars(wanted, kept, workers=workers or cores())
    except KeyboardInterrupt:
        console.print("\nInterrupted: what is done is kept; the same command goes on from there.")
    base = baseline_name(baseline)
    subject = subject_of(named, base)
    intervals = Intervals(subject)
    found = read_figures(kept, wanted, also=intervals.take if replayed else None)
    if not found:
        raise Stop("No run was finished, so there is nothing to report.")
    print_table(found, baseline=base)
    calibration = intervals.compare(replayed) if replayed else None
    if calibration is not None:
        print_calibration(calibration)
        (kept_in / "calibration.json").write_bytes(orjson.dumps(calibration))
    asked = Asked(
        city_name=bundle.manifest.name,
        baseline=base,
        subject=subject,
        facts=facts(template, bundle, seeds=seeds, what_if=what_if or []),
        made_at=datetime.now(UTC),
        version=installed_version(),
        partial=(len(found), len(wanted)) if len(found) < len(wanted) else None,
    )
    page = kept_in / "report.html"
    page.write_text(
        render(found, asked, city_map=city_map(bundle), calibration=calibration, language=language),
        encoding="utf-8",
    )
    console.print(f"Runs, a line for each seed: {kept.folder}", soft_wrap=True)
    console.print(f"Report: {page}", soft_wrap=True)
    if len(found) < len(wanted):
        sys.exit(130)


def policies_of(asked: list[str], baseline: str, city_policy: Path | None) -> Policies:
    """(name, preset, policy file) of each policy, the baseline first. Raises Stop."""
    found: Policies = []
    one: tuple[str, str, Path | None]
    for text in [baseline, *asked]:
        path = Path(text)
        if path.suffix == ".toml":
            if not path.is_file():
                raise Stop(f"There is no policy file {text}.")
            one = (path.stem, OWN, path.resolve())
        elif text in POLICIES:
            one = (text, text, city_policy)
        else:
            known = ", ".join(POLICIES)
            raise Stop(f"There is no policy “{text}”. Choose {known}, or a policy file (.toml).")
        if one not in found:
            found.append(one)
    names = [name for name, _, _ in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise Stop(f"Two policies are called {', '.join(sorted(twice))}; rename a file.")
    return found


def baseline_name(text: str) -> str:
    """What the baseline is called: a preset's name, or its file's."""
    return Path(text).stem if text.endswith(".toml") else text


def subject_of(named: Policies, baseline: str) -> str:
    """The first policy that was asked for beside the baseline, or that alone."""
    return next((name for name, _, _ in named if name != baseline), baseline)


def loads_of(loads: list[float]) -> list[float]:
    """The loads, each once. Raises Stop for one that no city can bear."""
    for load in loads:
        if not 0.01 <= load <= 0.95:
            raise Stop(f"--load {load:g} is not between 0.01 and 0.95.")
    return list(dict.fromkeys(loads))


def fewer_crews(what_if: list[str], crews: int) -> int:
    """How many crews are missing (negative: more of them). Raises Stop."""
    fewer = 0
    for text in what_if:
        name, _, number = text.partition("=")
        if name not in (MINUS_CREW, PLUS_CREW) or not number.isdigit():
            raise Stop(f"--what-if {text} is unknown; write minus-crew=3 or plus-crew=2.")
        fewer += int(number) if name == MINUS_CREW else -int(number)
    if fewer >= crews:
        raise Stop(f"With {crews} crews, {fewer} cannot be missing: at least one must stay.")
    return fewer


def play_with_bars(
    wanted: list[tuple[str, Run]], kept: Results, *, workers: int, console: Console = console
) -> None:
    """Play what is missing and show how far it is."""
    there = kept.keys()
    done_before = sum(key in there for key, _ in wanted)
    if done_before:
        console.print(f"{done_before} of {len(wanted)} runs are kept from before.")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[told]}"),
        TimeRemainingColumn(),
    )
    under_way: dict[Run, float] = {}
    done = done_before
    with Progress(*columns, console=console) as bars:
        task: TaskID = bars.add_task(
            "Runs", total=len(wanted), completed=done_before, told=f"{done_before}/{len(wanted)}"
        )

        def show() -> None:
            bars.update(
                task, completed=done + sum(under_way.values()), told=f"{done}/{len(wanted)}"
            )

        def tick(run: Run, share: float) -> None:
            under_way[run] = share
            show()

        def finished(run: Run) -> None:
            nonlocal done
            under_way.pop(run, None)
            done += 1
            show()
            if not console.is_terminal:
                console.print(f"  {done} of {len(wanted)}: {run}")

        play_missing(wanted, kept, workers=workers, done=finished, tick=tick)


def print_table(found: list[Figures], *, baseline: str) -> None:
    """The figures in short; the report has them all."""
    w = Words("en")
    for setting, policies in statistics.grouped(found).items():
        table = Table(title=title_of(w, setting), title_justify="left")
        for name in ("policy", "on time", "late cut [95 %]", "mean", "P95", "div./job", "p99 ms"):
            table.add_column(name, justify="left" if name == "policy" else "right")
        base = policies.get(baseline)
        for name, runs in policies.items():
            one = statistics.summary(runs)
            against = statistics.compare(runs, base) if base and name != baseline else None
            table.add_row(
                name,
                w.percent(one.on_time.estimate),
                w.cut(against.late_cut) if against else "",
                f"{w.minutes(one.mean_s.estimate)} min",
                f"{w.minutes(one.p95_s)} min",
                w.number(one.diversions_per_job, 2),
                w.number(one.decision_p99_ms),
            )
        console.print(table)


def facts(template: Run, bundle: Bundle, *, seeds: int, what_if: list[str]) -> dict[str, str]:
    """What the head of the report says was played."""
    last = template.seed + seeds - 1
    return {
        "city": f"{bundle.manifest.name} ({bundle.manifest.version})",
        "crews": str(template.crews - template.fewer_crews),
        "days": f"{template.days:g}",
        "seeds": f"{template.seed}–{last}" if seeds > 1 else str(template.seed),
        "demand": template.said,
        "pranks": f"{100 * template.pranks:g} %",
        "what_if": ", ".join(what_if) or "–",
        "asked": shlex.join(["sigap", *sys.argv[1:]]),
    }
