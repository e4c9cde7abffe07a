"""What a city forgets, and when; the log forgets nothing, because it holds nothing personal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Delete, delete, select

from dispatch.core import reports
from dispatch.storage import tables


@dataclass(frozen=True, slots=True)
class Kept:
    """How long things are kept after their last use; personal words after the report's end."""

    answers: timedelta = timedelta(days=2)
    positions: timedelta = timedelta(days=30)
    personal: timedelta = timedelta(days=365)
    trips: timedelta = timedelta(days=400)


def forget(
    connection: Connection, city_id: str, now: datetime, *, kept: Kept | None = None
) -> Mapping[str, int]:
    """Delete what is past its time; returns how many rows, by table.

    Kept answers hold private links, so they go as soon as no client repeats its request.
    """
    kept = kept or Kept()
    session, code = tables.session.c, tables.pairing_code.c
    answer, fix, trip = tables.idempotency.c, tables.fix.c, tables.trip.c
    statements: Mapping[str, Delete] = {
        "idempotency": delete(tables.idempotency).where(
            answer.city_id == city_id, answer.created_at < now - kept.answers
        ),
        "fix": delete(tables.fix).where(
            fix.city_id == city_id, fix.fix_time < now - kept.positions
        ),
        "session": delete(tables.session).where(
            session.city_id == city_id, session.expires_at < now
        ),
        "pairing_code": delete(tables.pairing_code).where(
            code.city_id == city_id, code.expires_at < now
        ),
        "trip": delete(tables.trip).where(
            trip.city_id == city_id, trip.arrived_at < now - kept.trips
        ),
        "personal": _old_words(city_id, now - kept.personal),
    }
    return {name: connection.execute(gone).rowcount for name, gone in statements.items()}


def _old_words(city_id: str, before: datetime) -> Delete:
    report, personal = tables.report.c, tables.personal.c
    ended = report.status.in_(sorted(reports.LIFECYCLE.final))
    old = select(report.id).where(report.city_id == city_id, ended, report.changed_at < before)
    return delete(tables.personal).where(personal.city_id == city_id, personal.report_id.in_(old))
