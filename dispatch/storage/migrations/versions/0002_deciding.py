"""What deciding well needs to know: shifts, rest, equipment, alarm levels, closures."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from geo.sql import Moment, document

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _columns() -> Sequence[tuple[str, sa.Column[Any]]]:
    """The columns added to tables that may hold rows: what is required has a default."""
    return (
        ("crew", sa.Column("equipment", document(), nullable=False, server_default="[]")),
        ("crew", sa.Column("members_present", sa.Integer())),
        ("crew", sa.Column("least_members", sa.Integer())),
        ("crew", sa.Column("on_duty_since", Moment())),
        ("crew", sa.Column("off_duty_since", Moment())),
        ("crew", sa.Column("shift_ends_at", Moment())),
        ("crew", sa.Column("rest_until", Moment())),
        ("crew", sa.Column("out_of_service_reason", sa.Text())),
        ("incident", sa.Column("alarm_level", sa.Integer(), nullable=False, server_default="1")),
        ("incident", sa.Column("required_slots", document(), nullable=False, server_default="[]")),
        ("incident", sa.Column("after_action", document())),
        ("incident", sa.Column("p_genuine", sa.Float(53))),
        ("incident", sa.Column("saves", sa.Float(53))),
        ("incident", sa.Column("forecast_eta", Moment())),
        (
            "incident",
            sa.Column("forecast_alarm", sa.Boolean(), nullable=False, server_default=sa.false()),
        ),
        ("incident", sa.Column("savers", document(), nullable=False, server_default="[]")),
        ("crew", sa.Column("move_up", document())),
        ("crew", sa.Column("moved_at", Moment())),
        ("assignment", sa.Column("diverted_from", sa.Uuid())),
    )


def _create_closure() -> None:
    """Roads that cannot be driven until somebody lifts the closure."""
    op.create_table(
        "closure",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("stretches", document(), nullable=False),
        sa.Column("service_code", sa.Text()),
        sa.Column("incident_id", sa.Uuid()),
        sa.Column("note", sa.Text()),
        sa.Column("lifted_at", Moment()),
        sa.Column("lifted_by", sa.Text()),
        sa.Column("lift_reason", sa.Text()),
        sa.ForeignKeyConstraint(["city_id"], ["city.city_id"], name="closure_city_id_fk"),
        sa.ForeignKeyConstraint(
            ["city_id", "incident_id"],
            ["incident.city_id", "incident.id"],
            name="closure_city_id_incident_id_fk",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("city_id", "id", name="closure_pk"),
    )
    op.create_index("closure_city_id_status", "closure", ["city_id", "status"])
    op.create_index("closure_city_id_incident_id", "closure", ["city_id", "incident_id"])
    op.create_index("closure_city_id_changed_at", "closure", ["city_id", "changed_at"])


def _create_round() -> None:
    """Routine work that a crew drives stop by stop."""
    op.create_table(
        "round",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("crew_id", sa.Uuid(), nullable=False),
        sa.Column("stops", document(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("planned_s", sa.Float(53), nullable=False),
        sa.Column("planned_m", sa.Float(53), nullable=False),
        sa.Column("graph", sa.Text(), nullable=False),
        sa.Column("started_at", Moment()),
        sa.Column("ended_at", Moment()),
        sa.Column("pause_reason", sa.Text()),
        sa.Column("paused_for", sa.Uuid()),
        sa.Column("paused_at", Moment()),
        sa.Column("reason", sa.Text()),
        sa.ForeignKeyConstraint(["city_id"], ["city.city_id"], name="round_city_id_fk"),
        sa.ForeignKeyConstraint(
            ["city_id", "crew_id"],
            ["crew.city_id", "crew.id"],
            name="round_city_id_crew_id_fk",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("city_id", "id", name="round_pk"),
    )
    op.create_index("round_city_id_status", "round", ["city_id", "status"])
    op.create_index("round_city_id_changed_at", "round", ["city_id", "changed_at"])


def upgrade() -> None:
    for table, column in _columns():
        op.add_column(table, column)
    op.create_index("assignment_city_id_arrived_at", "assignment", ["city_id", "arrived_at"])
    _create_closure()
    _create_round()


def downgrade() -> None:
    op.drop_index("assignment_city_id_arrived_at", "assignment")
    op.drop_table("round")
    op.drop_table("closure")
    for table, column in reversed(_columns()):
        op.drop_column(table, column.name)
