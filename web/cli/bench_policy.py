"""`sigap bench policy`: the table that policies are judged by, as JSON lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

from dispatch.simulator import statistics
from dispatch.simulator.figures import Figures
from dispatch.simulator.results import Results
from dispatch.simulator.runs import cores
from dispatch.simulator.statistics import Comparison, Interval, Setting, Summary
from geo.bundle import open_bundle
from web.cli import played
from web.cli.city import folder
from web.cli.played import OWN, SYNTHETIC, Run, every_run, read_figures
from web.cli.simulate import BASELINE, baseline_name, loads_of, play_with_bars, policies_of
from web.cli.stop import Stop
from web.cli.up import DEMO_CITY, prepare_demo_city
from web.settings import Settings

COMPARED = ("A1", "A2", "B", "F", OWN)
LOADS = (0.25, 0.35, 0.45)
STORM_LOAD = 0.35
UNTUNED = 101
"""Seeds below were used to choose parameters."""

# lines are for other programs, the rest for people
console = Console(stderr=True, highlight=False)


def policy(
    city: Annotated[list[str] | None, typer.Option(help="cities with a bundle")] = None,
    policy: Annotated[
        list[str] | None, typer.Option(help=f"default: {' '.join(COMPARED)}; or files .toml")
    ] = None,
    baseline: Annotated[str, typer.Option(help="what it is compared with")] = BASELINE,
    load: Annotated[list[float] | None, typer.Option(help="default: .25 .35 .45")] = None,
    days: Annotated[float, typer.Option(min=0.5, max=366, help="days per seed")] = 3.0,
    seeds: Annotated[int, typer.Option(min=1, help="how many seeds")] = 20,
    first_seed: Annotated[int, typer.Option(min=0, help="the first of them")] = UNTUNED,
    storm: Annotated[bool, typer.Option(help="also the storm, at load .35")] = True,
    smooth: Annotated[bool, typer.Option(help="also everything with frictions off")] = False,
    crews: Annotated[int, typer.Option(min=1, help="how many crews")] = 20,
    pranks: Annotated[float, typer.Option(min=0, max=5, help="false reports per true one")] = 0.05,
    workers: Annotated[int | None, typer.Option(min=1, help="processes; default: cores")] = None,
    out: Annotated[Path | None, typer.Option(help="where runs are kept")] = None,
) -> None:
    """Policies under loads, storm and frictions, each beside the baseline on the same days."""
    if storm and days < 3:
        raise Stop("The storm comes on the second day: --days 3 or more, or --no-storm.")
    settings = Settings()
    root = folder(settings)
    named = policies_of(policy or list(COMPARED), baseline, settings.policy)
    kept = Results((out or settings.data_dir / "simulations" / "bench") / "runs")
    for one in city or [DEMO_CITY]:
        if one == DEMO_CITY:
            prepare_demo_city(root)
        template = Run(
            root=root,
            city=one,
            version=open_bundle(root, one).manifest.version,
            policy_path=settings.policy,
            preset=OWN,
            name=OWN,
            setting=played.Setting(STORM_LOAD, storm=False, frictions=True),
            days=days,
            seed=first_seed,
            crews=crews,
            fewer_crews=0,
            pranks=pranks,
            demand=SYNTHETIC,
            said=SYNTHETIC,
        )
        several = settings_of(loads_of(load or list(LOADS)), storm=storm, smooth=smooth)
        wanted = [
            (run.key(), run)
            for run in every_run(
                template,
                settings=several,
                policies=named,
                seeds=range(first_seed, first_seed + seeds),
            )
        ]
        try:
            play_with_bars(wanted, kept, workers=workers or cores(), console=console)
        except KeyboardInterrupt:
            console.print("Interrupted: the lines are of what is done.")
            write(read_figures(kept, wanted), baseline=baseline_name(baseline))
            raise typer.Exit(130) from None
        write(read_figures(kept, wanted), baseline=baseline_name(baseline))


def settings_of(loads: Sequence[float], *, storm: bool, smooth: bool) -> list[played.Setting]:
    """Each load, and the storm at its own; once more without frictions when asked for."""
    found = []
    for frictions in (True, False) if smooth else (True,):
        found += [played.Setting(load, storm=False, frictions=frictions) for load in loads]
        if storm:
            found.append(played.Setting(STORM_LOAD, storm=True, frictions=frictions))
    return found


def write(found: Sequence[Figures], *, baseline: str) -> None:
    """A JSON line for each policy in each setting."""
    for setting, policies in statistics.grouped(found).items():
        base = policies.get(baseline)
        for name, several in policies.items():
            against = statistics.compare(several, base) if base and name != baseline else None
            fields = dict(line(setting, statistics.summary(several), against))
            typer.echo(orjson.dumps(fields).decode())


def line(setting: Setting, one: Summary, against: Comparison | None) -> Iterator[tuple[str, Any]]:
    """The fields of a line: shares 0 to 1, minutes, kilometres, milliseconds."""
    city, load, scenario, frictions = setting
    yield "bench", "policy"
    yield "city", city
    yield "policy", one.policy
    yield "load", load
    yield "scenario", scenario
    yield "friction", "on" if frictions else "off"
    yield "seeds", one.seeds
    yield "incidents", one.incidents
    yield "on_time", round(one.on_time.estimate, 4)
    yield "late_cut", _number(against.late_cut.estimate if against else None, 3)
    yield "ci", _ends(against.late_cut, 3) if against else None
    yield "mean", _minutes(one.mean_s.estimate)
    yield "mean_difference_ci", _ends(against.mean_s, 2, 1 / 60) if against else None
    yield "p90", _minutes(one.p90_s)
    yield "p95", _minutes(one.p95_s)
    yield "max", _minutes(one.max_s)
    yield "high_on_time", round(one.high_on_time.estimate, 4)
    yield "high_on_time_difference_ci", _ends(against.high_on_time, 4) if against else None
    if one.storm.n:
        yield "storm_on_time", round(one.storm.on_time, 4)
        yield "storm_mean", _minutes(one.storm.mean_s)
    yield "diversions_per_job", round(one.diversions_per_job, 3)
    yield "km_per_job", round(one.km_per_job, 2)
    yield "moves_per_crew_h", round(one.moves_per_crew_h, 3)
    yield "workload", round(one.workload, 3)
    yield "decision_ms_p99", round(one.decision_p99_ms, 2)
    yield "decision_ms_mean", round(one.decision_mean_ms, 2)
    yield "days_per_cpu_minute", _number(one.days_per_cpu_minute, 2)
    yield "cpu", {part: round(share, 3) for part, share in one.cpu_share.items()}
    yield "little_gap", _number(one.law_gap, 6)


def _minutes(seconds: float) -> float | None:
    return _number(seconds / 60, 2)


def _ends(found: Interval, digits: int, factor: float = 1.0) -> list[float] | None:
    if found.low is None or found.high is None:
        return None
    return [round(factor * found.low, digits), round(factor * found.high, digits)]


def _number(value: float | None, digits: int) -> float | None:
    finite = value is not None and value - value == 0
    return round(value, digits) if finite and value is not None else None
