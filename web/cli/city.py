"""`sigap city`: make a city from OpenStreetMap, list what is there, check its files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from dispatch.storage import migrations
from dispatch.storage.cities import begin_epoch, find_city
from geo.bundle import Bundle, Extract, Place, build_bundle, installed_cities, open_bundle
from geo.bundle_diff import Changes
from geo.bundle_versions import prune, use_version, versions_of
from geo.sql import open_engine, writing
from web.cli.progress import Bars, peak_mb
from web.cli.stop import Stop
from web.settings import Settings

MOST_STREETS = 12

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


@app.command()
def refresh(
    city_id: str,
    extract: Annotated[Path | None, typer.Option(help="a newer OpenStreetMap file")] = None,
    place: Annotated[str | None, typer.Option(help="what to fetch anew")] = None,
    wards: Annotated[Path | None, typer.Option(help="other kelurahan polygons, GeoJSON")] = None,
) -> None:
    """Make a city anew from a newer map, keeping its name and its own wards; say what changed.

    A running Sigap goes on with it within seconds. The version before is kept.
    """
    root = folder(Settings())
    before = open_bundle(root, city_id)
    source_before = before.manifest.source
    if extract is None and place is None and source_before["kind"] == "place":
        place = source_before["name"]
    if (extract is None) == (place is None):
        raise Stop("Say where the newer map comes from: either --extract FILE or --place NAME.")
    own = before.areas() if source_before.get("wards") == "own" else None
    with Bars(console) as bars:
        bundle = build_bundle(
            city_id,
            source=Extract(extract) if extract is not None else Place(place or ""),
            wards=wards or own,
            name=before.manifest.name,
            root=root,
            progress=bars,
        )
    describe(bundle)


@app.command()
def changes(
    city_id: str,
    version: Annotated[str | None, typer.Argument(help="default: the one in use")] = None,
    every: Annotated[bool, typer.Option("--all", help="every street, not the longest")] = False,
) -> None:
    """What a version changed: streets gained, lost and renamed, roads, wards."""
    home = open_bundle(folder(Settings()), city_id).path.parent
    names = [each.name for each in versions_of(folder(Settings()), city_id)]
    if version is not None and version not in names:
        raise Stop(f"The city {city_id} has no version “{version}”; it has {', '.join(names)}.")
    found = Changes.load(home / version if version else home / _current(city_id))
    if found is None:
        console.print(f"Nothing is known of what was before this version of {city_id}.")
        return
    tell_changes(found, most=None if every else MOST_STREETS)


@app.command()
def versions(city_id: str) -> None:
    """Every version of a city that is kept: old decisions name the version of their roads."""
    # a version must be whole to be typed
    table = Table(Column("version", no_wrap=True), "made", "from", "MB", "")
    for each in versions_of(folder(Settings()), city_id):
        manifest = each.manifest
        table.add_row(
            each.name,
            manifest.created_at if manifest else "?",
            manifest.source.get("name", "?") if manifest else "unreadable",
            f"{each.size / 1e6:,.1f}",
            "in use" if each.is_current else "",
        )
    console.print(table)


@app.command()
def use(city_id: str, version: str) -> None:
    """Go back to an older version, or forward again; a running Sigap follows within seconds."""
    use_version(folder(Settings()), city_id, version)
    console.print(f"[green]✓[/] {city_id} is {version} now.")


@app.command("prune")
def prune_(
    city_id: str,
    keep: Annotated[int, typer.Option(min=1, help="how many of the newest stay")] = 2,
) -> None:
    """Delete old versions of a city; the one in use always stays."""
    gone = prune(folder(Settings()), city_id, keep=keep)
    freed = sum(each.size for each in gone) / 1e6
    for each in gone:
        console.print(f"  {each.name}")
    console.print(f"[green]✓[/] {city_id}: {freed:,.1f} MB freed, versions deleted: {len(gone)}.")


def _current(city_id: str) -> str:
    return open_bundle(folder(Settings()), city_id).manifest.version


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


@app.command()
def restored(city_id: str) -> None:
    """Say that the city's database was put back from a copy: every screen begins anew.

    What a screen knows may never have happened in the copy. Servers that run notice in a second.
    """
    engine = open_engine(Settings().database)
    try:
        migrations.upgrade(engine)
        with writing(engine) as connection:
            find_city(connection, city_id)
            epoch = begin_epoch(connection, city_id)
    finally:
        engine.dispose()
    console.print(f"[green]✓[/] {city_id}: epoch {epoch}; every screen begins anew.")


def describe(bundle: Bundle, *, say: Console = console) -> None:
    """Say what was made."""
    counts = ", ".join(
        f"{name} {value:,.0f}" for name, value in sorted(bundle.manifest.counts.items())
    )
    say.print(f"[green]✓[/] {bundle.manifest.name} ({bundle.manifest.version}): {counts}")
    if peak := peak_mb():
        say.print(f"  at most {peak:,.0f} MB of memory")
    say.print(f"  {bundle.manifest.attribution}")
    if found := bundle.changes():
        tell_changes(found, most=MOST_STREETS, say=say)


def tell_changes(found: Changes, *, most: int | None, say: Console = console) -> None:
    """Print what a newer map changed, the longest streets first."""
    counts = " ".join(
        f"{name} {found.counts_before.get(name, 0):,.0f} → {value:,.0f};"
        for name, value in sorted(found.counts_after.items())
        if value != found.counts_before.get(name, 0)
    )
    say.print(f"Against {found.before}: {counts or 'the counts are the same.'}")
    say.print(
        f"  stretches of road: {found.stretches_gained:,} gained, {found.stretches_lost:,} lost, "
        f"{found.stretches_kept:,} kept"
    )
    renamed = [f"{each.before} → {each.after} ({each.metres:,.0f} m)" for each in found.renamed]
    told = {
        "streets gained": [f"{each.name} ({each.metres:,.0f} m)" for each in found.gained],
        "streets lost": [f"{each.name} ({each.metres:,.0f} m)" for each in found.lost],
        "streets renamed": renamed,
        "wards gained": list(found.wards_gained),
        "wards lost": list(found.wards_lost),
    }
    for title, names in told.items():
        if names:
            shown = names if most is None else names[:most]
            more = f" and {len(names) - len(shown):,} more" if len(shown) < len(names) else ""
            say.print(f"  {title} ({len(names):,}): {', '.join(shown)}{more}", markup=False)
