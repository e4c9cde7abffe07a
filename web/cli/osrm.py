"""`sigap osrm`: prepare a map for OSRM servers, and have them take closures and speeds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console

from geo.osrm_tools import OsrmTools, OsrmToolsError
from web.cli.progress import Bars
from web.cli.stop import Stop

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True)
console = Console(highlight=False)

ABSENT = (
    "OSRM's programs are not on this machine: install OSRM 6 or newer, or name the folder of "
    "osrm-extract and osrm-routed with SIGAP_OSRM_BIN."
)


@app.command()
def prepare(
    extract: Annotated[Path, typer.Argument(help="the extract the city was made from")],
    folder: Annotated[Path, typer.Argument(help="where the server's files go")],
) -> None:
    """Make an OSRM server's files of a map, ready for `osrm-routed --algorithm mld`."""
    if not extract.is_file():
        raise Stop(f"There is no file {extract}; give the path of an .osm.pbf extract.")
    folder.mkdir(parents=True, exist_ok=True)
    with Bars(console) as bars:
        bars.stage("Preparing OSRM", None)
        base = _tried(lambda tools: tools.prepare(extract, folder))
    console.print(f"[green]✓[/] {base}", soft_wrap=True)


@app.command()
def take(
    base: Annotated[Path, typer.Argument(help="the server's files, ….osrm")],
    speeds: Annotated[Path, typer.Argument(help="the segment-speed file Sigap wrote")],
    dataset: Annotated[
        str | None, typer.Option(help="a server's shared memory, as in osrm-routed --dataset-name")
    ] = None,
) -> None:
    """Bring closures and speeds into a server: the command for SIGAP_OSRM_RELOAD."""
    if not speeds.is_file():
        raise Stop(f"There is no file {speeds}.")

    def work(tools: OsrmTools) -> None:
        tools.customize(base, speeds)
        if dataset:
            tools.publish(base, dataset)

    _tried(work)


def _tried(work: Callable[[OsrmTools], T]) -> T:
    tools = OsrmTools.find()
    if tools is None:
        raise Stop(ABSENT)
    try:
        return work(tools)
    except OsrmToolsError as e:
        raise Stop(str(e)) from e
