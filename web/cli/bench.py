"""`sigap bench`: figures as JSON lines, each beside a baseline of the same run."""

import typer

app = typer.Typer(no_args_is_help=True)


@app.command()
def path() -> None:
    """X"""


@app.command()
def match() -> None:
    """X"""
