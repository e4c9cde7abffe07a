"""How Alembic runs here: on the connection that `upgrade` and `downgrade` bring along."""

from alembic import context

from dispatch.storage.tables import metadata
from geo.sql import is_place_index

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_name=lambda name, _kind, _parents: not is_place_index(name),
)
context.run_migrations()
