"""What times of arrival are learned from: the crews' drives, and what was learned from them."""

import sqlalchemy as sa
from alembic import op

from geo.sql import Moment, document

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trip",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("assignment_id", sa.Uuid(), nullable=False),
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("dispatched_at", Moment(), nullable=False),
        sa.Column("enroute_at", Moment(), nullable=False),
        sa.Column("arrived_at", Moment(), nullable=False),
        sa.Column("length_m", sa.Float(53), nullable=False),
        sa.Column("drive_s", document(), nullable=False),
        sa.Column("graph", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "assignment_id"],
            ["assignment.city_id", "assignment.id"],
            name="trip_city_id_assignment_id_fk",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("city_id", "assignment_id", name="trip_pk"),
    )
    op.create_index("trip_city_id_arrived_at", "trip", ["city_id", "arrived_at"])
    op.create_table(
        "calibration",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("trips", sa.Integer(), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.Column("score", sa.Float(53), nullable=False),
        sa.Column("score_before", sa.Float(53), nullable=False),
        sa.Column("document", document(), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.city_id"], name="calibration_city_id_fk"),
        sa.PrimaryKeyConstraint("city_id", "number", name="calibration_pk"),
    )


def downgrade() -> None:
    op.drop_table("calibration")
    op.drop_table("trip")
