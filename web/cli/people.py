"""`sigap staff` and `sigap crew`: who may sign in, and who can be sent."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dispatch import actions
from dispatch.core.events import Actor, CrewRegistered
from dispatch.system import System
from geo.point import BadPoint, Point
from web import accounts
from web.app import build_system
from web.cli.stop import Stop
from web.settings import Settings

app = typer.Typer(no_args_is_help=True)
crews = typer.Typer(no_args_is_help=True)
console = Console(highlight=False)
SHELL = Actor("administrator", "shell")


def _system(city: str) -> System:
    return build_system(Settings(cities=(city,)))


@app.command("add")
def add_staff(
    city: str,
    username: str,
    role: Annotated[str, typer.Option(help="dispatcher, officer, supervisor, administrator")],
    name: Annotated[str, typer.Option(help="what colleagues call them")] = "",
    agency: Annotated[str | None, typer.Option(help="an officer's agency")] = None,
    password: Annotated[
        str | None, typer.Option(prompt=False, envvar="SIGAP_NEW_PASSWORD", help="or made for you")
    ] = None,
) -> None:
    """Add a person, or give them a new password; a new one is printed once."""
    system = _system(city)
    chosen = password or secrets.token_urlsafe(9)
    accounts.add_staff(
        system,
        city,
        username=username,
        password=chosen,
        role=role,
        name=name or username,
        agency_id=agency,
    )
    shown = "as given" if password else chosen
    console.print(f"[green]✓[/] {username} may sign in as {role}; password: {shown}")
    system.stop()


@crews.command("add")
def add_crew(
    city: str,
    name: str,
    agency: Annotated[str, typer.Option(help="agency_id of the policy")],
    lon: Annotated[float, typer.Option(help="station, degrees east")],
    lat: Annotated[float, typer.Option(help="station, degrees north")],
    skills: Annotated[str, typer.Option(help="separated by commas, such as chainsaw,pump")] = "",
    equipment: Annotated[str, typer.Option(help="such as winch,aerial_lift")] = "",
    vehicle: str = "van",
    members: int = 2,
    call_sign: str = "",
) -> None:
    """Add a crew; it signs on with a one-time code from the dispatcher's console."""
    system = _system(city)
    try:
        station = Point(lon, lat)
    except BadPoint as error:
        raise Stop(f"The station cannot be there: {error}") from error
    if not system.city(city).box.padded(20_000).contains(station):
        raise Stop(f"The station {lat}, {lon} is far outside {city}.")
    fact = CrewRegistered(
        name=name,
        call_sign=call_sign or name[:6],
        agency_id=agency,
        skills=_parts(skills),
        vehicle=vehicle,
        members=members,
        station_lon=lon,
        station_lat=lat,
        equipment=_parts(equipment),
    )
    system.do(city, SHELL, lambda world, now: actions.register_crew(world, now, SHELL, fact))
    console.print(f"[green]✓[/] {name} can sign on.")
    system.stop()


def _parts(listed: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in listed.split(",") if part.strip())


@crews.command("list")
def list_crews(city: str) -> None:
    """Every crew of a city."""
    system = _system(city)
    table = Table("crew", "agency", "skills", "status")
    with system.looking(city) as world:
        for crew in world.crews():
            table.add_row(crew.name, crew.agency_id, ", ".join(crew.skills), crew.status)
    console.print(table)
    system.stop()
