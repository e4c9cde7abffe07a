"""The tables; the city is the first column of every key, so that a city can move house whole.

The whole schema stands in one file, so that it can be read like a map.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from dispatch.core import assignments
from geo.sql import Moment, Place, big_number, document, unique_where

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "uq": "%(table_name)s_%(column_0_N_name)s_unique",
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "fk": "%(table_name)s_%(column_0_N_name)s_fk",
    }
)


def _table(name: str, *columns: Any, key: tuple[str, ...] = ("id",)) -> Table:
    """A table of the city's; every row belongs to one city."""
    return Table(
        name,
        metadata,
        Column("city_id", String(40), nullable=False),
        *columns,
        PrimaryKeyConstraint("city_id", *key),
    )


def _entity(name: str, *columns: Any) -> Table:
    return _table(
        name,
        Column("id", Uuid, nullable=False),
        Column("version", Integer, nullable=False),
        Column("changed_at", Moment, nullable=False),
        Column("status", String(40), nullable=False),
        *columns,
        _to_city(),
    )


def _to_city() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["city_id"], ["city.city_id"])


def _to(table: str, column: str) -> ForeignKeyConstraint:
    # A step may write in any order; what must hold is checked when it commits.
    return ForeignKeyConstraint(
        ["city_id", column],
        [f"{table}.city_id", f"{table}.id"],
        deferrable=True,
        initially="DEFERRED",
    )


def _text(name: str, *, required: bool = False) -> Column[Any]:
    return Column(name, Text, nullable=not required)


def _number(name: str, *, required: bool = False) -> Column[Any]:
    return Column(name, Float(53), nullable=not required)


def _moment(name: str, *, required: bool = False) -> Column[Any]:
    return Column(name, Moment, nullable=not required)


def _json(name: str, *, required: bool = False) -> Column[Any]:
    return Column(name, document(), nullable=not required)


def _uuid(name: str, *, required: bool = False) -> Column[Any]:
    return Column(name, Uuid, nullable=not required)


def _flag(name: str) -> Column[Any]:
    return Column(name, Boolean, nullable=False)


def _place() -> tuple[Column[Any], ...]:
    return (_number("lon"), _number("lat"), Column("geom", Place("POINT")))


city = _table(
    "city",
    _text("name", required=True),
    Column("ticket_prefix", String(8), nullable=False),
    _json("config", required=True),
    Column("epoch", String(16), nullable=False),
    Column("offset", big_number(), nullable=False),
    Column("tickets", big_number(), nullable=False),
    _moment("created_at", required=True),
    key=(),
)

log = _table(
    "log",
    Column("offset", big_number(), nullable=False),
    _uuid("id", required=True),
    Column("kind", String(20), nullable=False),
    _uuid("subject", required=True),
    Column("version", Integer, nullable=False),
    Column("type", String(60), nullable=False),
    _moment("at", required=True),
    _moment("recorded_at", required=True),
    _moment("device_time"),
    Column("actor_role", String(20), nullable=False),
    _text("actor_id", required=True),
    _json("fact", required=True),
    _json("changes", required=True),
    _json("because"),
    _to_city(),
    UniqueConstraint("city_id", "id"),
    # The fence below the fence: no version of a thing can be written twice.
    UniqueConstraint("city_id", "kind", "subject", "version"),
    key=("offset",),
)

log_channel = _table(
    "log_channel",
    Column("channel", String(120), nullable=False),
    Column("offset", big_number(), nullable=False),
    ForeignKeyConstraint(["city_id", "offset"], ["log.city_id", "log.offset"]),
    Index(None, "city_id", "offset"),
    key=("channel", "offset"),
)

report = _entity(
    "report",
    _text("ticket", required=True),
    Column("channel", String(20), nullable=False),
    _text("service_code", required=True),
    _moment("received_at", required=True),
    Column("classification", String(40), nullable=False),
    _flag("oversight"),
    _flag("anonymous"),
    _flag("secret"),
    *_place(),
    _number("radius_m"),
    _text("place_label"),
    _number("place_confidence"),
    _text("ward"),
    _text("district"),
    _json("photo_ids", required=True),
    _text("external_id"),
    Column("priority", Integer),
    _text("reason"),
    _uuid("incident_id"),
    _moment("verified_at"),
    _moment("closed_at"),
    _moment("decided_at"),
    _moment("undo_until"),
    _json("triage"),
    _text("answer"),
    _uuid("alias_id"),
    _to("incident", "incident_id"),
    UniqueConstraint("city_id", "ticket"),
    Index(None, "city_id", "status"),
    Index(None, "city_id", "received_at"),
    Index(None, "city_id", "changed_at"),
    Index(None, "city_id", "incident_id"),
)

incident = _entity(
    "incident",
    _text("ticket", required=True),
    _text("service_code", required=True),
    Column("priority", Integer, nullable=False),
    *_place(),
    _moment("received_at", required=True),
    _moment("due_at", required=True),
    Column("channel", String(20), nullable=False),
    _text("place_label"),
    _text("ward"),
    _text("district"),
    _text("agency_id"),
    _json("required_skills", required=True),
    Column("required_crews", Integer, nullable=False),
    _moment("verified_at"),
    _moment("first_dispatched_at"),
    _moment("first_arrived_at"),
    _moment("cleared_at"),
    _moment("closed_at"),
    _moment("reopened_at"),
    _text("disposition_code"),
    _json("report_ids", required=True),
    _json("assignment_ids", required=True),
    _json("recommendation"),
    _number("p_on_time"),
    _text("note"),
    Column("alarm_level", Integer, nullable=False),
    _json("required_slots", required=True),
    _json("after_action"),
    _number("p_genuine"),
    _number("saves"),
    _moment("forecast_eta"),
    _flag("forecast_alarm"),
    _json("savers", required=True),
    Index(None, "city_id", "status"),
    Index(None, "city_id", "received_at"),
    Index(None, "city_id", "changed_at"),
)

crew = _entity(
    "crew",
    _text("name", required=True),
    _text("call_sign", required=True),
    _text("agency_id", required=True),
    _json("skills", required=True),
    _text("vehicle", required=True),
    Column("members", Integer, nullable=False),
    _number("station_lon", required=True),
    _number("station_lat", required=True),
    _uuid("assignment_id"),
    _text("status_reason"),
    _json("equipment", required=True),
    Column("members_present", Integer),
    Column("least_members", Integer),
    _moment("on_duty_since"),
    _moment("off_duty_since"),
    _moment("shift_ends_at"),
    _moment("rest_until"),
    _text("out_of_service_reason"),
    _json("move_up"),
    _moment("moved_at"),
    _text("position_trouble"),
    _moment("position_trouble_at"),
)

assignment = _entity(
    "assignment",
    _uuid("incident_id", required=True),
    _uuid("crew_id", required=True),
    _moment("dispatched_at", required=True),
    _moment("expires_at", required=True),
    _moment("acknowledged_at"),
    _moment("enroute_at"),
    _moment("arrived_at"),
    _moment("work_started_at"),
    _moment("cleared_at"),
    _moment("available_at"),
    _moment("ended_at"),
    _moment("eta"),
    _number("ete_s"),
    _number("p90_ete_s"),
    _number("p_on_time"),
    _json("sources", required=True),
    _text("evidence"),
    _number("arrival_distance_m"),
    _text("arrival_flag"),
    _text("disposition_code"),
    _text("decline_reason"),
    _text("note"),
    _uuid("diverted_from"),
    _json("photo_ids", required=True),
    _to("incident", "incident_id"),
    _to("crew", "crew_id"),
    Index(None, "city_id", "incident_id"),
    Index(None, "city_id", "crew_id"),
    Index(None, "city_id", "status"),
    Index(None, "city_id", "changed_at"),
    Index(None, "city_id", "arrived_at"),
)

ONE_ACTIVE_PER_CREW = unique_where(
    "assignment_one_active_per_crew",
    assignment.c.city_id,
    assignment.c.crew_id,
    where=assignment.c.status.in_(sorted(assignments.ACTIVE)),
)
"""Double booking is impossible, whatever the code above does."""

referral = _entity(
    "referral",
    _uuid("incident_id", required=True),
    _text("agency_id", required=True),
    _moment("referred_at", required=True),
    _moment("accepted_at"),
    _moment("finished_at"),
    _text("reason"),
    _to("incident", "incident_id"),
    Index(None, "city_id", "incident_id"),
    Index(None, "city_id", "agency_id", "status"),
    Index(None, "city_id", "changed_at"),
)

closure = _entity(
    "closure",
    _text("reason", required=True),
    _moment("made_at", required=True),
    _text("made_by", required=True),
    _json("stretches", required=True),
    _text("service_code"),
    _uuid("incident_id"),
    _text("note"),
    _moment("lifted_at"),
    _text("lifted_by"),
    _text("lift_reason"),
    _to("incident", "incident_id"),
    Index(None, "city_id", "status"),
    Index(None, "city_id", "incident_id"),
    Index(None, "city_id", "changed_at"),
)

round_ = _entity(
    "round",
    _uuid("crew_id", required=True),
    _json("stops", required=True),
    _moment("made_at", required=True),
    _number("planned_s", required=True),
    _number("planned_m", required=True),
    _text("graph", required=True),
    _moment("started_at"),
    _moment("ended_at"),
    _text("pause_reason"),
    _uuid("paused_for"),
    _moment("paused_at"),
    _text("reason"),
    _to("crew", "crew_id"),
    Index(None, "city_id", "status"),
    Index(None, "city_id", "changed_at"),
)

personal = _table(
    "personal",
    _uuid("report_id", required=True),
    _text("description", required=True),
    _text("place_typed"),
    _text("name"),
    _text("phone"),
    _text("email"),
    _text("token_hash"),
    _text("answer_text"),
    _to("report", "report_id"),
    Index(None, "city_id", "token_hash"),
    Index(None, "city_id", "phone"),
    Index(None, "city_id", "email"),
    key=("report_id",),
)

photo = _table(
    "photo",
    _uuid("id", required=True),
    # report, assignment, or nobody yet: a photo is sent before the report it belongs to
    Column("owner_kind", String(20)),
    _uuid("owner_id"),
    Column("sha256", String(64), nullable=False),
    _text("media_type", required=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    _number("lon"),
    _number("lat"),
    _moment("taken_at"),
    _moment("created_at", required=True),
    _text("uploader_token_hash"),
    _to_city(),
    Index(None, "city_id", "owner_kind", "owner_id"),
    Index(None, "city_id", "sha256"),
)

due = _table(
    "due",
    Column("kind", String(40), nullable=False),
    _uuid("subject", required=True),
    _moment("run_at", required=True),
    Column("attempts", Integer, nullable=False),
    _moment("locked_until"),
    _to_city(),
    Index(None, "city_id", "run_at"),
    key=("kind", "subject"),
)

idempotency = _table(
    "idempotency",
    _text("actor", required=True),
    Column("key", String(200), nullable=False),
    _text("method_path", required=True),
    Column("request_hash", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    _json("answer", required=True),
    _moment("created_at", required=True),
    _to_city(),
    Index(None, "city_id", "created_at"),
    key=("actor", "key"),
)

staff = _table(
    "staff",
    _uuid("id", required=True),
    Column("username", String(80), nullable=False),
    _text("name", required=True),
    Column("role", String(20), nullable=False),
    _text("agency_id"),
    _text("password_hash", required=True),
    Column("language", String(8), nullable=False),
    _flag("disabled"),
    _to_city(),
    UniqueConstraint("city_id", "username"),
)

session = _table(
    "session",
    Column("token_hash", String(64), nullable=False),
    _uuid("staff_id"),
    _uuid("crew_id"),
    _text("device_label"),
    _moment("created_at", required=True),
    _moment("expires_at", required=True),
    _to("staff", "staff_id"),
    _to("crew", "crew_id"),
    Index(None, "city_id", "expires_at"),
    key=("token_hash",),
)

pairing_code = _table(
    "pairing_code",
    Column("code_hash", String(64), nullable=False),
    _uuid("crew_id", required=True),
    _moment("expires_at", required=True),
    _moment("used_at"),
    _to("crew", "crew_id"),
    key=("code_hash",),
)


place_alias = _table(
    "place_alias",
    _uuid("id", required=True),
    _uuid("report_id", required=True),
    _text("typed", required=True),
    _text("label", required=True),
    _number("lon", required=True),
    _number("lat", required=True),
    _number("radius_m", required=True),
    _text("ward"),
    _text("district"),
    _moment("made_at", required=True),
    _text("made_by", required=True),
    _moment("forgotten_at"),
    _text("forgotten_by"),
    _to("report", "report_id"),
    Index(None, "city_id", "forgotten_at"),
)

asset = _table(
    "asset",
    _text("code", required=True),
    Column("sort", String(40), nullable=False),
    _text("label", required=True),
    _number("lon", required=True),
    _number("lat", required=True),
    _text("ward"),
    _text("district"),
    _moment("imported_at", required=True),
    _to_city(),
    Index(None, "city_id", "lat", "lon"),
    key=("code",),
)


def _fix_columns() -> tuple[Column[Any], ...]:
    return (
        _moment("fix_time", required=True),
        _moment("device_time"),
        _moment("server_time", required=True),
        _number("lon", required=True),
        _number("lat", required=True),
        _number("accuracy_m"),
        _number("heading"),
        _number("speed_ms"),
        _number("battery"),
        _flag("mock"),
        Column("device", String(40), nullable=False),
        _number("shown_lon"),
        _number("shown_lat"),
        Column("road_u", big_number()),
        Column("road_v", big_number()),
    )


fix = _table(
    "fix",
    _uuid("crew_id", required=True),
    *_fix_columns(),
    _to("crew", "crew_id"),
    # two devices of one crew may know where they are in the same second
    key=("crew_id", "fix_time", "device"),
)

crew_fix = _table(
    "crew_fix",
    _uuid("crew_id", required=True),
    *_fix_columns(),
    _to("crew", "crew_id"),
    key=("crew_id",),
)

trip = _table(
    "trip",
    _uuid("assignment_id", required=True),
    _text("vehicle", required=True),
    _moment("dispatched_at", required=True),
    _moment("enroute_at", required=True),
    _moment("arrived_at", required=True),
    _number("length_m", required=True),
    _json("drive_s", required=True),
    _text("graph", required=True),
    _to("assignment", "assignment_id"),
    Index(None, "city_id", "arrived_at"),
    key=("assignment_id",),
)

calibration = _table(
    "calibration",
    Column("number", Integer, nullable=False),
    _moment("made_at", required=True),
    Column("trips", Integer, nullable=False),
    Column("used", Boolean, nullable=False),
    _number("score", required=True),
    _number("score_before", required=True),
    _json("document", required=True),
    _to_city(),
    key=("number",),
)

device = _table(
    "device",
    Column("id", String(40), nullable=False),
    _text("label", required=True),
    _uuid("crew_id"),
    Column("secret_hash", String(64), nullable=False),
    _moment("created_at", required=True),
    _text("created_by", required=True),
    _moment("secret_at", required=True),
    _moment("retired_at"),
    _moment("seen_at"),
    _json("news"),
    _to_city(),
    _to("crew", "crew_id"),
)

ENTITIES = {
    "report": report,
    "incident": incident,
    "assignment": assignment,
    "crew": crew,
    "referral": referral,
    "closure": closure,
    "round": round_,
}

PLACES = (("report", "geom"), ("incident", "geom"))
"""The columns that `geo.sql` indexes."""
