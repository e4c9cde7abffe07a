"""`python -m tests.chaos`: faults under load until there were enough; JSON lines, and a summary."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests import services
from tests.chaos.run import Outcome, Run, Wanted
from tests.chaos.sabotage import SABOTAGE
from tests.chaos.servers import mount_apart
from tests.chaos.site import SETUPS

console = Console(stderr=True, highlight=False)
ARTEFACTS = Path(__file__).parents[2] / "artefacts" / "chaos"


def chaos(
    setups: Annotated[str, typer.Option(help="separated by commas")] = ",".join(SETUPS),
    faults: Annotated[int, typer.Option(min=1, help="stop after so many")] = 500,
    minutes: Annotated[float, typer.Option(min=0.1, help="stop after so long")] = 60.0,
    seed: Annotated[int, typer.Option(help="the chance of everything")] = 1,
    sockets: Annotated[int, typer.Option(min=1, help="how many a storm is")] = 2000,
    kinds: Annotated[str, typer.Option(help="only these faults, separated by commas")] = "",
    sabotage: Annotated[str, typer.Option(help=f"break Sigap: {', '.join(SABOTAGE)}")] = "",
    out: Annotated[Path | None, typer.Option(help="where the lines of JSON go")] = None,
) -> None:
    """Kill, cut, fill and skew under steady load; audit after each round. Ctrl-C ends it early."""
    chosen = [name.strip() for name in setups.split(",") if name.strip()]
    unknown = sorted({*chosen} - {*SETUPS})
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}; known are {', '.join(SETUPS)}")
    if sabotage and sabotage not in SABOTAGE:
        raise typer.BadParameter(f"{sabotage}; known are {', '.join(SABOTAGE)}")
    there = [SETUPS[name] for name in chosen if not (_missing(name))]
    for name in chosen:
        if _missing(name):
            console.print(f"[yellow]{name} is skipped: {_missing(name)}[/]")
    if not there:
        raise typer.Exit(2)
    wanted = Wanted(
        setups=there,
        faults=faults,
        minutes=minutes,
        seed=seed,
        sockets=sockets,
        sabotage=sabotage,
        kinds=frozenset(kind.strip() for kind in kinds.split(",") if kind.strip()),
    )
    mount_apart()
    outcome = _watched(wanted, out or ARTEFACTS / f"{time.strftime('%Y%m%d-%H%M%S')}.jsonl")
    for name, found in outcome.found.items():
        for each in found[:20]:
            console.print(f"[red]{name}[/] {each}", markup=True, soft_wrap=True)
    sys.stdout.write(orjson.dumps(outcome.summary(), option=orjson.OPT_INDENT_2).decode() + "\n")
    raise typer.Exit(0 if outcome.clean() else 1)


def _missing(name: str) -> str:
    """What this machine lacks for a set-up, empty when it lacks nothing."""
    setup = SETUPS[name]
    needs = ["postgis"] * (setup.database == "postgis") + ["nats"] * setup.bus
    absent = [services.SERVICES[need] for need in needs if not services.SERVICES[need].found()]
    return "; ".join(service.advice for service in absent)


def _watched(wanted: Wanted, path: Path) -> Outcome:
    """Run it, with a bar on the terminal and every line in a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with (
        path.open("ab") as lines,
        Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bars,
    ):
        task = bars.add_task("starting", total=wanted.faults)

        def say(line: Mapping[str, Any]) -> None:
            lines.write(orjson.dumps({"at": time.time(), **line}) + b"\n")
            lines.flush()
            if "fault" in line:
                what = f"{line['setup']}: {line['fault']}"
                bars.update(task, completed=line["n"], description=what)
            elif "round" in line:
                _tell_round(line)
            else:
                console.print(line["broken_off"], style="red", markup=False)

        run = Run(wanted, say, path.with_suffix(""))
        outcome = asyncio.run(_interruptible(run))
        lines.write(orjson.dumps({"summary": outcome.summary()}) + b"\n")
    console.print(f"lines: {path}")
    return outcome


def _tell_round(line: Mapping[str, Any]) -> None:
    found = line["found"]
    mark = "[red]✗[/]" if found else "[green]✓[/]"
    console.print(
        f"{mark} round {line['round']} {line['setup']}: {line['lines']:,} lines, "
        f"{line['acknowledged']:,} acknowledged, {line['took_s']:.1f} s"
    )
    for name, each in found.items():
        for one in each:
            console.print(f"    {name}: {one}", markup=False, soft_wrap=True)


async def _interruptible(run: Run) -> Outcome:
    """The first Ctrl-C ends after the round at hand, the second at once."""

    def stop() -> None:
        console.print("Ending after an audit; once more to end at once.")
        run.stopped = True
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)

    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop)
    return await run.all()


if __name__ == "__main__":
    typer.run(chaos)
