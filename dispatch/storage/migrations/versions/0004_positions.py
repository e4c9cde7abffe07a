"""Positions that can be believed: devices, roads under the fixes, evidence of arrivals."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from geo.sql import Moment, Place, big_number, create_place_index, document, drop_place_index

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

FIXES = ("fix", "crew_fix")


def _of_fixes() -> Sequence[sa.Column[Any]]:
    return (
        sa.Column("device", sa.String(40), nullable=False, server_default="browser"),
        sa.Column("shown_lon", sa.Float(53)),
        sa.Column("shown_lat", sa.Float(53)),
        sa.Column("road_u", big_number()),
        sa.Column("road_v", big_number()),
    )


def _columns() -> Sequence[tuple[str, sa.Column[Any]]]:
    return (
        ("assignment", sa.Column("arrival_flag", sa.Text())),
        ("crew", sa.Column("position_trouble", sa.Text())),
        ("crew", sa.Column("position_trouble_at", Moment())),
    )


def upgrade() -> None:
    for table, column in _columns():
        op.add_column(table, column)
    for column in _of_fixes():
        op.add_column("crew_fix", column)
    drop_place_index(op.get_bind(), "crew_fix", "geom")
    op.drop_column("crew_fix", "geom")
    with op.batch_alter_table("fix") as fix:
        for column in _of_fixes():
            fix.add_column(column)
        fix.drop_constraint("fix_pk", type_="primary")
        fix.create_primary_key("fix_pk", ["city_id", "crew_id", "fix_time", "device"])
    op.create_table(
        "device",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("crew_id", sa.Uuid()),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("secret_at", Moment(), nullable=False),
        sa.Column("retired_at", Moment()),
        sa.Column("seen_at", Moment()),
        sa.Column("news", document()),
        sa.ForeignKeyConstraint(["city_id"], ["city.city_id"], name="device_city_id_fk"),
        sa.ForeignKeyConstraint(
            ["city_id", "crew_id"],
            ["crew.city_id", "crew.id"],
            name="device_city_id_crew_id_fk",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("city_id", "id", name="device_pk"),
    )


def downgrade() -> None:
    op.drop_table("device")
    # of what two devices of a crew sent in one moment, one remains
    op.execute(
        "DELETE FROM fix WHERE EXISTS (SELECT 1 FROM fix AS other"
        " WHERE other.city_id = fix.city_id AND other.crew_id = fix.crew_id"
        " AND other.fix_time = fix.fix_time AND other.device < fix.device)"
    )
    with op.batch_alter_table("fix") as fix:
        fix.drop_constraint("fix_pk", type_="primary")
        fix.create_primary_key("fix_pk", ["city_id", "crew_id", "fix_time"])
        for column in reversed(_of_fixes()):
            fix.drop_column(column.name)
    for column in reversed(_of_fixes()):
        op.drop_column("crew_fix", column.name)
    op.add_column("crew_fix", sa.Column("geom", Place("POINT")))
    create_place_index(op.get_bind(), "crew_fix", "geom")
    for table, column in reversed(_columns()):
        op.drop_column(table, column.name)
