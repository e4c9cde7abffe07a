"""The command `sigap`: start it, make a city, replay a stream, measure."""

from web.cli.main import main

__all__ = ["main"]
