"""`sigap device`: the trackers that speak for crews."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

import segno
import typer
from rich.console import Console
from rich.table import Table

from dispatch.system import System
from dispatch.system.devices import Devices, Made
from web.api.devices import setup
from web.app import build_system
from web.cli.stop import Stop
from web.settings import Settings

app = typer.Typer(no_args_is_help=True)
console = Console(highlight=False)
SHELL = "administrator:shell"
Crew = Annotated[str | None, typer.Option(help="the crew it speaks for: its name or its id")]


@contextmanager
def _city(city: str) -> Iterator[tuple[System, Devices]]:
    system = build_system(Settings(cities=(city,)))
    try:
        yield system, system.devices(city)
    finally:
        system.stop()


@app.command("add")
def add(
    city: str,
    label: str,
    crew: Crew = None,
    device_id: Annotated[
        str | None, typer.Option("--id", help="what it calls itself; none: one is made")
    ] = None,
) -> None:
    """Register a device; its secret and its QR code are shown once."""
    with _city(city) as (system, devices):
        crew_id = _crew(system, city, crew)
        made = devices.register(label=label, by=SHELL, device_id=device_id, crew_id=crew_id)
    _show(made, city)


@app.command("secret")
def secret(city: str, device_id: str) -> None:
    """A new secret; the old one opens nothing any more."""
    with _city(city) as (_, devices):
        made = devices.rotate(device_id)
    _show(made, city)


@app.command("assign")
def assign(city: str, device_id: str, crew: Crew = None) -> None:
    """From now on it speaks for this crew; without one for nobody."""
    with _city(city) as (system, devices):
        devices.assign(device_id, _crew(system, city, crew))
    console.print(f"[green]✓[/] {device_id} speaks for {crew or 'nobody'}")


@app.command("retire")
def retire(city: str, device_id: str) -> None:
    """Let it in no more; what it sent stays."""
    with _city(city) as (_, devices):
        devices.retire(device_id)
    console.print(f"[green]✓[/] {device_id} is let in no more")


@app.command("list")
def list_devices(city: str) -> None:
    """Every device: for whom it speaks, when it was heard last, what was refused."""
    table = Table("id", "label", "crew", "last heard", "door", "accepted", "refused")
    with _city(city) as (system, devices):
        with system.looking(city) as world:
            names = {crew.id: crew.name for crew in world.crews()}
        for device, news in devices.every():
            told = news or {}
            refused = ", ".join(f"{why} {n}" for why, n in told.get("refused", {}).items())
            table.add_row(
                device.id,
                device.label,
                "retired" if device.retired_at else names.get(device.crew_id or UUID(int=0), "–"),
                f"{device.seen_at:%Y-%m-%d %H:%M:%S}Z" if device.seen_at else "never",
                told.get("door", ""),
                str(told.get("accepted", 0)),
                refused,
            )
    console.print(table)


def _crew(system: System, city: str, named: str | None) -> UUID | None:
    """The crew of this name or id. Raises Stop."""
    if named is None:
        return None
    with system.looking(city) as world:
        for crew in world.crews():
            if named in (str(crew.id), crew.name, crew.call_sign):
                return crew.id
        known = ", ".join(crew.name for crew in world.crews()) or "none yet"
    raise Stop(f"There is no crew “{named}” in {city}. Known are: {known}.")


def _show(made: Made, city: str) -> None:
    settings = Settings()
    origin = settings.public_url or f"http://{settings.host}:{settings.port}"
    ways = setup(made, origin, city)
    console.print(f"[green]✓[/] {made.device.id} ({made.device.label}); secret: {made.secret}")
    if settings.public_url is None:
        console.print(f"  Set SIGAP_PUBLIC_URL: phones cannot reach {origin}.")
    console.print(f"  Traccar Client scans this, or opens {ways['config_link']}", soft_wrap=True)
    segno.make(ways["config_link"], error="l", micro=False).terminal(compact=True)
    console.print(f"  OwnTracks (HTTP): {ways['owntracks_url']}, user {made.device.id}")
    console.print(f"  Traccar server: {ways['traccar_url']}", soft_wrap=True)
