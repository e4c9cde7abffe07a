"""`sigap city`: make a city from OpenStreetMap, list what is there, check its files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from geo.bundle import Bundle, Extract, Place, build_bundle, installed_cities, open_bundle
from web.cli.progress import Bars
from web.cli.stop import Stop
from web.settings import Settings

app = typer.Typer(no_args_is_help=True)
console = Console(highlight=False)


def folder(settings: Settings) -> Path:
    """Where the bundles are."""
    return settings.data_dir / "cities"


@app.command()
def add(
    city_id: Annotated[str, typer.Argument(help="a short name for addresses, such as madiun")],
    extract: Annotated[Path | None, typer.Option(help="an OpenStreetMap file, .osm.pbf")] = None,
    place: Annotated[str | None, typer.Option(help="what to fetch, such as “Kota Madiun”")] = None,
    wards: Annotated[Path | None, typer.Option(help="kelurahan polygons, GeoJSON")] = None,
    name: Annotated[str | None, typer.Option(help="what people call the city")] = None,
) -> None:
    """Make a city, or make it anew from newer data; the old one serves until the switch."""
    if (extract is None) == (place is None):
        raise Stop("Say where the roads come from: either --extract FILE or --place NAME.")
    source = Extract(extract) if extract is not None else Place(place or "")
    with Bars(console) as bars:
        bundle = build_bundle(
            city_id,
            source=source,
            wards=wards,
            name=name,
            root=folder(Settings()),
            progress=bars,
        )
    describe(bundle)


@app.command("list")
def list_() -> None:
    """Every city that has a bundle."""
    root = folder(Settings())
    table = Table("city", "name", "version", "made")
    for city_id in installed_cities(root):
        manifest = open_bundle(root, city_id).manifest
        table.add_row(city_id, manifest.name, manifest.version, manifest.created_at)
    console.print(table)


@app.command()
def check(city_id: str) -> None:
    """Compare every file of a city with its checksum."""
    bundle = open_bundle(folder(Settings()), city_id)
    with Bars(console) as bars:
        bundle.verify(progress=bars)
    console.print(f"[green]✓[/] {city_id}: every file is as it was made.")


def describe(bundle: Bundle) -> None:
    """Say what was made."""
    counts = ", ".join(
        f"{name} {value:,.0f}" for name, value in sorted(bundle.manifest.counts.items())
    )
    console.print(f"[green]✓[/] {bundle.manifest.name} ({bundle.manifest.version}): {counts}")
    console.print(f"  {bundle.manifest.attribution}")
