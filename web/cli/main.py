"""What can be typed after `sigap`, and one clear sentence when it cannot be done."""

from __future__ import annotations

import errno
import sys

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.exc import OperationalError

from dispatch.core.errors import SigapError
from geo.bundle import BundleError
from web.cli import bench, city, people, replay, up
from web.cli.stop import Stop

console = Console(stderr=True, highlight=False)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Sigap: a citizen's report brings the right crew on scene within 20 minutes.",
)
app.command("up")(up.up)
app.add_typer(city.app, name="city", help="Make, list and check cities.")
app.add_typer(people.app, name="staff", help="People who sign in.")
app.add_typer(people.crews, name="crew", help="Crews that can be sent.")
app.command("replay")(replay.replay)
app.add_typer(bench.app, name="bench", help="Measure; JSON lines come out.")


def main() -> None:
    """Run the command; what a person must change ends with one sentence and status 1."""
    try:
        app()
    except (Stop, BundleError, SigapError) as error:
        console.print(f"[bold red]✗[/] {getattr(error, 'detail', error)}")
        sys.exit(1)
    except ValidationError as error:
        for wrong in error.errors():
            name = "_".join(str(part) for part in wrong["loc"]).upper()
            console.print(f"[bold red]✗[/] SIGAP_{name} = {wrong['input']!r}: {wrong['msg']}.")
        sys.exit(1)
    except OperationalError as error:
        console.print(f"[bold red]✗[/] The database cannot be reached: {error.orig}")
        sys.exit(1)
    except OSError as error:
        console.print(f"[bold red]✗[/] {_os_sentence(error)}")
        sys.exit(1)


def _os_sentence(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "The disk is full. Free some space and start again; nothing was damaged."
    where = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{where}."
