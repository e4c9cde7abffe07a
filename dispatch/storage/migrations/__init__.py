"""Bring a database to the tables of this version, or back; on both kinds of database."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from geo.sql import take_turn, writing


def upgrade(engine: Engine, to: str = "head") -> None:
    """Bring the database up to a revision, in one transaction; several processes may try."""
    with writing(engine) as connection:
        take_turn(connection, "migrations")
        command.upgrade(_config(connection), to)


def downgrade(engine: Engine, to: str = "base") -> None:
    """Take the database back to a revision; `base` leaves nothing, the log included."""
    with writing(engine) as connection:
        take_turn(connection, "migrations")
        command.downgrade(_config(connection), to)


def current(connection: Connection) -> str | None:
    """The revision of the database, None when it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """The revision this version wants."""
    return ScriptDirectory.from_config(_config(None)).get_current_head()


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
