"""`sigap audit`: prove that nothing of a city was lost, doubled or changed behind its log."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import orjson
import typer
from rich.console import Console

from dispatch.blobs import Blobs
from dispatch.core.audit import Finding
from dispatch.core.errors import NotFound
from dispatch.storage import migrations
from dispatch.storage.cities import cities
from dispatch.system.audit import Audit, audit_city
from geo.progress import Silent
from geo.sql import open_engine, reading
from web.cli.progress import Bars
from web.cli.stop import Stop
from web.settings import Settings

console = Console(highlight=False)


def audit(
    city: Annotated[str, typer.Argument(help="the city, as in `sigap city list`")],
    json: Annotated[
        bool, typer.Option("--json", help="one JSON object on standard output")
    ] = False,
    photos: Annotated[bool, typer.Option(help="read every photo's file, too")] = True,
) -> None:
    """Play a city's log from its first line and compare every row, key, timer and photo with it.

    It changes nothing and may run while Sigap serves. Ends with status 1 when something is wrong.
    """
    settings = Settings()
    engine = open_engine(settings.database)
    try:
        with reading(engine) as connection:
            _check_tables(migrations.current(connection))
            known = [row.city_id for row in cities(connection)]
        if city not in known:
            there = ", ".join(known) or "none"
            raise NotFound(f"There is no city “{city}” in this database; there is: {there}.")
        blobs = Blobs(settings.data_dir / "blobs") if photos else None
        now = datetime.now(UTC)
        if json:
            found = audit_city(engine, blobs, city, now, progress=Silent())
            typer.echo(orjson.dumps({"clean": found.clean, **asdict(found)}))
        else:
            with Bars(console) as bars:
                found = audit_city(engine, blobs, city, now, progress=bars)
            tell(found, photos=photos)
    finally:
        engine.dispose()
    if not found.clean:
        raise typer.Exit(1)


def _check_tables(revision: str | None) -> None:
    if revision is None:
        raise Stop("This database is empty. Is SIGAP_DATABASE_URL or SIGAP_DATA_DIR right?")
    if revision != migrations.newest():
        raise Stop(
            f"The database is of another version of Sigap ({revision}, not {migrations.newest()}). "
            "Start `sigap up` of this version once, then audit."
        )


def tell(found: Audit, *, photos: bool) -> None:
    """Say what was looked at and what is wrong."""
    things = ", ".join(f"{count:,} {kind}s" for kind, count in found.things.items()) or "nothing"
    read = f"; {found.photos:,} photos" if photos else "; photos not read"
    console.print(f"{found.city_id}: {found.offset:,} lines make {things}{read}.")
    for finding in found.findings:
        console.print(_line(finding), markup=False)
    for check, count in found.counts.items():
        told = sum(finding.check == check for finding in found.findings)
        if count > told:
            console.print(f"  {check}: {count - told:,} more")
    if found.clean:
        console.print("[green]✓[/] The log is whole, and everything kept is what it says.")
    else:
        console.print(f"[bold red]✗[/] {sum(found.counts.values()):,} things are not right.")


def _line(finding: Finding) -> str:
    where = "" if finding.offset is None else f"line {finding.offset}: "
    return f"  {finding.check}: {where}{finding.what}"
