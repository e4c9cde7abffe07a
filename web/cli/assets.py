"""`sigap assets`: numbered things of the city, so that "lamp pole 12" is a place."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from dispatch.storage import known
from dispatch.storage.known import Asset
from geo.assets_file import AssetRow, BadAssets, BadRow, read_assets
from geo.sql import writing
from web.app import build_system
from web.cli.progress import Bars
from web.cli.stop import Stop
from web.settings import Settings

app = typer.Typer(no_args_is_help=True)
console = Console(highlight=False)
SHOWN = 20


@app.callback()
def assets() -> None:
    """Lamp poles, trees, hydrants: whatever carries a number."""


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="a .csv with a head line, or a .geojson")],
    city: Annotated[str, typer.Argument(help="a city with a bundle")],
    sort: Annotated[
        str | None, typer.Option(help="what they are, such as lamp_pole, if no column says it")
    ] = None,
    skip_bad: Annotated[bool, typer.Option(help="import the good rows, leave out the bad")] = False,
    replace: Annotated[bool, typer.Option(help="forget those of the same sort not listed")] = False,
) -> None:
    """Read a list of assets; a row that is wrong is named, and then nothing is imported."""
    system = build_system(Settings(cities=(city,)))
    try:
        areas = system.city(city).areas
        good: list[Asset] = []
        bad: list[BadRow] = []
        with Bars(console) as bars:
            bars.stage(f"Reading {file.name}", None)
            try:
                for row in read_assets(file, areas, sort=sort):
                    if isinstance(row, AssetRow):
                        ward = areas.attribute(row.point)
                        names = (ward.ward, ward.district) if ward else (None, None)
                        good.append(Asset(row.code, row.sort, row.label, row.point, *names))
                    else:
                        bad.append(row)
                    bars.advance(1)
            except BadAssets as error:
                raise Stop(str(error)) from error
        for row in bad[:SHOWN]:
            column = f", column {row.column}" if row.column else ""
            console.print(f"[red]✗[/] {escape(row.where + column)}: {escape(row.why)}")
        if len(bad) > SHOWN:
            console.print(f"  … and {len(bad) - SHOWN:,} more.")
        if bad and not skip_bad:
            raise Stop(
                f"{len(bad):,} of {len(good) + len(bad):,} rows are wrong; nothing was imported. "
                "Mend them, or import the others with --skip-bad."
            )
        if not good:
            raise Stop(f"{file.name} lists nothing; nothing was imported.")
        sorts = sorted({asset.sort for asset in good}) if replace else []
        with Bars(console) as bars, writing(system.engine) as connection:
            bars.stage("Writing", len(good))
            done = known.import_assets(
                connection,
                city,
                good,
                now=system.clock(),
                replace_sorts=sorts,
                progress=bars.advance,
            )
        counts = Counter(asset.sort for asset in good)
        listed = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
        left = f", {done.forgotten:,} forgotten" if replace else ""
        console.print(
            f"[green]✓[/] {city}: {listed}: "
            f"{done.new:,} new, {done.changed:,} changed, {done.same:,} as before{left}"
        )
    except KeyboardInterrupt:
        console.print("Stopped. Nothing was imported; the list is as it was before.")
        raise
    finally:
        system.stop()
