"""Everything a city keeps: its state, its log, its people.

One long list on purpose: what a migration makes must never change with the code around it.
"""

import sqlalchemy as sa
from alembic import op

from geo.sql import (
    Moment,
    Place,
    big_number,
    create_place_index,
    document,
    drop_place_index,
    prepare,
    unique_where,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "city",
    "crew",
    "due",
    "idempotency",
    "incident",
    "log",
    "photo",
    "staff",
    "assignment",
    "crew_fix",
    "fix",
    "log_channel",
    "pairing_code",
    "referral",
    "report",
    "session",
    "personal",
)
PLACES = (("report", "geom"), ("incident", "geom"), ("crew_fix", "geom"))


def upgrade() -> None:
    prepare(op.get_bind())
    op.create_table(
        "city",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ticket_prefix", sa.String(8), nullable=False),
        sa.Column("config", document(), nullable=False),
        sa.Column("epoch", sa.String(16), nullable=False),
        sa.Column("offset", big_number(), nullable=False),
        sa.Column("tickets", big_number(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("city_id", name="city_pk"),
    )
    op.create_table(
        "crew",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("call_sign", sa.Text(), nullable=False),
        sa.Column("agency_id", sa.Text(), nullable=False),
        sa.Column("skills", document(), nullable=False),
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("station_lon", sa.Float(53), nullable=False),
        sa.Column("station_lat", sa.Float(53), nullable=False),
        sa.Column("assignment_id", sa.Uuid()),
        sa.Column("status_reason", sa.Text()),
        sa.ForeignKeyConstraint(["city_id"], ["city.city_id"], name="crew_city_id_fk"),
        sa.PrimaryKeyConstraint("city_id", "id", name="crew_pk"),
    )
    op.create_table(
        "due",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("run_at", Moment(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("locked_until", Moment()),
        sa.ForeignKeyConstraint(["city_id"], ["city.city_id"], name="due_city_id_fk"),
        sa.PrimaryKeyConstraint("city_id", "kind", "subject", name="due_pk"),
    )
    op.create_index("due_city_id_run_at", "due", ["city_id", "run_at"])
    op.create_table(
        "idempotency",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("method_path", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", document(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.city_id"], name="idempotency_city_id_fk"),
        sa.PrimaryKeyConstraint("city_id", "actor", "key", name="idempotency_pk"),
    )
    op.create_index("idempotency_city_id_created_at", "idempotency", ["city_id", "created_at"])
    op.create_table(
        "incident",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("service_code", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("lon", sa.Float(53)),
        sa.Column("lat", sa.Float(53)),
        sa.Column("geom", Place("POINT")),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("place_label", sa.Text()),
        sa.Column("ward", sa.Text()),
        sa.Column("district", sa.Text()),
        sa.Column("agency_id", sa.Text()),
        sa.Column("required_skills", document(), nullable=False),
        sa.Column("required_crews", sa.Integer(), nullable=False),
        sa.Column("verified_at", Moment()),
        sa.Column("first_dispatched_at", Moment()),
        sa.Column("first_arrived_at", Moment()),
        sa.Column("cleared_at", Moment()),
        sa.Column("closed_at", Moment()),
        sa.Column("reopened_at", Moment()),
        sa.Column("disposition_code", sa.Text()),
        sa.Column("report_ids", document(), nullable=False),
        sa.Column("assignment_ids", document(), nullable=False),
        sa.Column("recommendation", document()),
        sa.Column("p_on_time", sa.Float(53)),
        sa.Column("note", sa.Text()),
        sa.ForeignKeyConstraint(["city_id"], ["city.city_id"], name="incident_city_id_fk"),
        sa.PrimaryKeyConstraint("city_id", "id", name="incident_pk"),
    )
    op.create_index("incident_city_id_changed_at", "incident", ["city_id", "changed_at"])
    op.create_index("incident_city_id_received_at", "incident", ["city_id", "received_at"])
    op.create_index("incident_city_id_status", "incident", ["city_id", "status"])
    op.create_table(
        "log",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("offset", big_number(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(60), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.Column("device_time", Moment()),
        sa.Column("actor_role", sa.String(20), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("fact", document(), nullable=False),
        sa.Column("changes", document(), nullable=False),
        sa.Column("because", document()),
        sa.ForeignKeyConstraint(["city_id"], ["city.city_id"], name="log_city_id_fk"),
        sa.PrimaryKeyConstraint("city_id", "offset", name="log_pk"),
        sa.UniqueConstraint("city_id", "id", name="log_city_id_id_unique"),
        sa.UniqueConstraint(
            "city_id", "kind", "subject", "version", name="log_city_id_kind_subject_version_unique"
        ),
    )
    op.create_table(
        "photo",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_kind", sa.String(20)),
        sa.Column("owner_id", sa.Uuid()),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("lon", sa.Float(53)),
        sa.Column("lat", sa.Float(53)),
        sa.Column("taken_at", Moment()),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("uploader_token_hash", sa.Text()),
        sa.ForeignKeyConstraint(["city_id"], ["city.city_id"], name="photo_city_id_fk"),
        sa.PrimaryKeyConstraint("city_id", "id", name="photo_pk"),
    )
    op.create_index(
        "photo_city_id_owner_kind_owner_id", "photo", ["city_id", "owner_kind", "owner_id"]
    )
    op.create_index("photo_city_id_sha256", "photo", ["city_id", "sha256"])
    op.create_table(
        "staff",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(80), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("agency_id", sa.Text()),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.city_id"], name="staff_city_id_fk"),
        sa.PrimaryKeyConstraint("city_id", "id", name="staff_pk"),
        sa.UniqueConstraint("city_id", "username", name="staff_city_id_username_unique"),
    )
    assignment = op.create_table(
        "assignment",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("crew_id", sa.Uuid(), nullable=False),
        sa.Column("dispatched_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("acknowledged_at", Moment()),
        sa.Column("enroute_at", Moment()),
        sa.Column("arrived_at", Moment()),
        sa.Column("work_started_at", Moment()),
        sa.Column("cleared_at", Moment()),
        sa.Column("available_at", Moment()),
        sa.Column("ended_at", Moment()),
        sa.Column("eta", Moment()),
        sa.Column("ete_s", sa.Float(53)),
        sa.Column("p90_ete_s", sa.Float(53)),
        sa.Column("p_on_time", sa.Float(53)),
        sa.Column("sources", document(), nullable=False),
        sa.Column("evidence", sa.Text()),
        sa.Column("arrival_distance_m", sa.Float(53)),
        sa.Column("disposition_code", sa.Text()),
        sa.Column("decline_reason", sa.Text()),
        sa.Column("note", sa.Text()),
        sa.Column("photo_ids", document(), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "crew_id"],
            ["crew.city_id", "crew.id"],
            name="assignment_city_id_crew_id_fk",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "incident_id"],
            ["incident.city_id", "incident.id"],
            name="assignment_city_id_incident_id_fk",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.city_id"], name="assignment_city_id_fk"),
        sa.PrimaryKeyConstraint("city_id", "id", name="assignment_pk"),
    )
    unique_where(
        "assignment_one_active_per_crew",
        assignment.c.city_id,
        assignment.c.crew_id,
        where=assignment.c.status.in_(["acknowledged", "en_route", "offered", "on_scene"]),
    ).create(op.get_bind())
    op.create_index("assignment_city_id_changed_at", "assignment", ["city_id", "changed_at"])
    op.create_index("assignment_city_id_crew_id", "assignment", ["city_id", "crew_id"])
    op.create_index("assignment_city_id_incident_id", "assignment", ["city_id", "incident_id"])
    op.create_index("assignment_city_id_status", "assignment", ["city_id", "status"])
    op.create_table(
        "crew_fix",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("crew_id", sa.Uuid(), nullable=False),
        sa.Column("fix_time", Moment(), nullable=False),
        sa.Column("device_time", Moment()),
        sa.Column("server_time", Moment(), nullable=False),
        sa.Column("lon", sa.Float(53), nullable=False),
        sa.Column("lat", sa.Float(53), nullable=False),
        sa.Column("accuracy_m", sa.Float(53)),
        sa.Column("heading", sa.Float(53)),
        sa.Column("speed_ms", sa.Float(53)),
        sa.Column("battery", sa.Float(53)),
        sa.Column("mock", sa.Boolean(), nullable=False),
        sa.Column("geom", Place("POINT")),
        sa.ForeignKeyConstraint(
            ["city_id", "crew_id"],
            ["crew.city_id", "crew.id"],
            name="crew_fix_city_id_crew_id_fk",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("city_id", "crew_id", name="crew_fix_pk"),
    )
    op.create_table(
        "fix",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("crew_id", sa.Uuid(), nullable=False),
        sa.Column("fix_time", Moment(), nullable=False),
        sa.Column("device_time", Moment()),
        sa.Column("server_time", Moment(), nullable=False),
        sa.Column("lon", sa.Float(53), nullable=False),
        sa.Column("lat", sa.Float(53), nullable=False),
        sa.Column("accuracy_m", sa.Float(53)),
        sa.Column("heading", sa.Float(53)),
        sa.Column("speed_ms", sa.Float(53)),
        sa.Column("battery", sa.Float(53)),
        sa.Column("mock", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "crew_id"],
            ["crew.city_id", "crew.id"],
            name="fix_city_id_crew_id_fk",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("city_id", "crew_id", "fix_time", name="fix_pk"),
    )
    op.create_table(
        "log_channel",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("channel", sa.String(120), nullable=False),
        sa.Column("offset", big_number(), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "offset"],
            ["log.city_id", "log.offset"],
            name="log_channel_city_id_offset_fk",
        ),
        sa.PrimaryKeyConstraint("city_id", "channel", "offset", name="log_channel_pk"),
    )
    op.create_index("log_channel_city_id_offset", "log_channel", ["city_id", "offset"])
    op.create_table(
        "pairing_code",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("crew_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("used_at", Moment()),
        sa.ForeignKeyConstraint(
            ["city_id", "crew_id"],
            ["crew.city_id", "crew.id"],
            name="pairing_code_city_id_crew_id_fk",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("city_id", "code_hash", name="pairing_code_pk"),
    )
    op.create_table(
        "referral",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Text(), nullable=False),
        sa.Column("referred_at", Moment(), nullable=False),
        sa.Column("accepted_at", Moment()),
        sa.Column("finished_at", Moment()),
        sa.Column("reason", sa.Text()),
        sa.ForeignKeyConstraint(
            ["city_id", "incident_id"],
            ["incident.city_id", "incident.id"],
            name="referral_city_id_incident_id_fk",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.city_id"], name="referral_city_id_fk"),
        sa.PrimaryKeyConstraint("city_id", "id", name="referral_pk"),
    )
    op.create_index(
        "referral_city_id_agency_id_status", "referral", ["city_id", "agency_id", "status"]
    )
    op.create_index("referral_city_id_changed_at", "referral", ["city_id", "changed_at"])
    op.create_index("referral_city_id_incident_id", "referral", ["city_id", "incident_id"])
    op.create_table(
        "report",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("service_code", sa.Text(), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("classification", sa.String(40), nullable=False),
        sa.Column("oversight", sa.Boolean(), nullable=False),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("secret", sa.Boolean(), nullable=False),
        sa.Column("lon", sa.Float(53)),
        sa.Column("lat", sa.Float(53)),
        sa.Column("geom", Place("POINT")),
        sa.Column("radius_m", sa.Float(53)),
        sa.Column("place_label", sa.Text()),
        sa.Column("place_confidence", sa.Float(53)),
        sa.Column("ward", sa.Text()),
        sa.Column("district", sa.Text()),
        sa.Column("photo_ids", document(), nullable=False),
        sa.Column("external_id", sa.Text()),
        sa.Column("priority", sa.Integer()),
        sa.Column("reason", sa.Text()),
        sa.Column("incident_id", sa.Uuid()),
        sa.Column("verified_at", Moment()),
        sa.Column("closed_at", Moment()),
        sa.Column("decided_at", Moment()),
        sa.Column("undo_until", Moment()),
        sa.Column("triage", document()),
        sa.Column("answer", sa.Text()),
        sa.ForeignKeyConstraint(
            ["city_id", "incident_id"],
            ["incident.city_id", "incident.id"],
            name="report_city_id_incident_id_fk",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.city_id"], name="report_city_id_fk"),
        sa.PrimaryKeyConstraint("city_id", "id", name="report_pk"),
        sa.UniqueConstraint("city_id", "ticket", name="report_city_id_ticket_unique"),
    )
    op.create_index("report_city_id_changed_at", "report", ["city_id", "changed_at"])
    op.create_index("report_city_id_incident_id", "report", ["city_id", "incident_id"])
    op.create_index("report_city_id_received_at", "report", ["city_id", "received_at"])
    op.create_index("report_city_id_status", "report", ["city_id", "status"])
    op.create_table(
        "session",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("staff_id", sa.Uuid()),
        sa.Column("crew_id", sa.Uuid()),
        sa.Column("device_label", sa.Text()),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "crew_id"],
            ["crew.city_id", "crew.id"],
            name="session_city_id_crew_id_fk",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "staff_id"],
            ["staff.city_id", "staff.id"],
            name="session_city_id_staff_id_fk",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("city_id", "token_hash", name="session_pk"),
    )
    op.create_index("session_city_id_expires_at", "session", ["city_id", "expires_at"])
    op.create_table(
        "personal",
        sa.Column("city_id", sa.String(40), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("place_typed", sa.Text()),
        sa.Column("name", sa.Text()),
        sa.Column("phone", sa.Text()),
        sa.Column("email", sa.Text()),
        sa.Column("token_hash", sa.Text()),
        sa.Column("answer_text", sa.Text()),
        sa.ForeignKeyConstraint(
            ["city_id", "report_id"],
            ["report.city_id", "report.id"],
            name="personal_city_id_report_id_fk",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("city_id", "report_id", name="personal_pk"),
    )
    op.create_index("personal_city_id_token_hash", "personal", ["city_id", "token_hash"])
    op.create_index("personal_city_id_phone", "personal", ["city_id", "phone"])
    op.create_index("personal_city_id_email", "personal", ["city_id", "email"])
    for table, column in PLACES:
        create_place_index(op.get_bind(), table, column)


def downgrade() -> None:
    for table, column in PLACES:
        drop_place_index(op.get_bind(), table, column)
    for table in reversed(TABLES):
        op.drop_table(table)
