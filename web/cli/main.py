"""What can be typed after `sigap`, and one clear sentence when it cannot be done."""

from __future__ import annotations

import errno
import sys
from typing import NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text
from sqlalchemy.exc import ArgumentError, OperationalError

from dispatch.core.errors import SigapError
from geo.bundle import BundleError
from web.cli import (
    assets,
    audit,
    bench,
    city,
    devices,
    eta,
    osrm,
    people,
    replay,
    simulate,
    up,
)
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
app.add_typer(osrm.app, name="osrm", help="Serve roads by OSRM instead of in this process.")
app.add_typer(assets.app, name="assets", help="Numbered lamp poles, trees and the like.")
app.add_typer(people.app, name="staff", help="People who sign in.")
app.add_typer(people.crews, name="crew", help="Crews that can be sent.")
app.add_typer(devices.app, name="device", help="Phones and trackers that speak for crews.")
app.command("audit")(audit.audit)
app.add_typer(eta.app, name="eta")
app.command("replay")(replay.replay)
app.command("simulate")(simulate.simulate)
app.add_typer(bench.app, name="bench", help="Measure; JSON lines come out.")


def main() -> None:
    """Run the command; what a person must change ends with one sentence and status 1."""
    try:
        app()
    except (Stop, BundleError, SigapError) as error:
        _end(str(getattr(error, "detail", error)))
    except ValidationError as error:
        _end(
            "\n".join(
                f"SIGAP_{'_'.join(str(part) for part in wrong['loc']).upper()}"
                f" = {wrong['input']!r}: {wrong['msg']}."
                for wrong in error.errors()
            )
        )
    except ArgumentError as error:
        _end(
            f"SIGAP_DATABASE_URL cannot be used: {error}. "
            "It looks like postgresql+psycopg://user@host/name or sqlite:///file."
        )
    except OperationalError as error:
        _end(f"The database cannot be reached: {error.orig}")
    except OSError as error:
        _end(_os_sentence(error))


def _end(sentence: str) -> NoReturn:
    # as text: what a sentence has in brackets is no markup, and addresses stay whole
    console.print(Text.assemble(("✗ ", "bold red"), sentence), soft_wrap=True)
    sys.exit(1)


def _os_sentence(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "The disk is full. Free some space and start again; nothing was damaged."
    where = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{where}."
