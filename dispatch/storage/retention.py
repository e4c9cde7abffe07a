"""What a city forgets, and when; the log forgets nothing, because it holds nothing personal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Delete, bindparam, delete, select

from dispatch.core import reports
from dispatch.core.policy import Policy
from dispatch.storage import tables


@dataclass(frozen=True, slots=True)
class Kept:
    """How long things are kept after their last use; personal words after the report's end.

    Positions older than `thin_after` are thinned to one per crew and `thin_to`; 0: none is.
    """

    answers: timedelta = timedelta(days=2)
    positions: timedelta = timedelta(days=30)
    personal: timedelta = timedelta(days=365)
    thin_after: timedelta = timedelta(days=30)
    thin_to: timedelta = timedelta(0)

    @classmethod
    def of(cls, policy: Policy) -> Kept:
        """As a city wants it."""
        p = policy.positions
        return cls(
            positions=timedelta(days=p.keep_days),
            thin_after=timedelta(hours=p.thin_after_h),
            thin_to=timedelta(seconds=p.thin_s),
        )

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
    gone = {name: connection.execute(each).rowcount for name, each in statements.items()}
    gone["thinned"] = thin(connection, city_id, before=now - kept.thin_after, apart=kept.thin_to)
    return gone


WINDOW = timedelta(hours=26)
"""So far back the hourly thinning looks: a day's hours, and some that it may have missed."""


def thin(
    connection: Connection,
    city_id: str,
    *,
    before: datetime,
    apart: timedelta,
    window: timedelta = WINDOW,
) -> int:
    """Of each crew's positions in the window before, keep the first in every `apart`.

    Which one stays depends on the times alone, so doing it twice takes nothing more.
    """
    if apart <= timedelta(0):
        return 0
    fix = tables.fix.c
    span = (fix.city_id == city_id, fix.fix_time >= before - window, fix.fix_time < before)
    found = (
        select(fix.crew_id, fix.fix_time, fix.device)
        .where(*span)
        .order_by(fix.crew_id, fix.fix_time, fix.device)
    )
    surplus, last = [], None
    for crew_id, moment, device in connection.execute(found):
        slot = (crew_id, int(moment.timestamp() // apart.total_seconds()))
        if slot == last:
            surplus.append({"crew": crew_id, "moment": moment, "named": device})
        last = slot
    if surplus:
        each = (
            fix.city_id == city_id,
            fix.crew_id == bindparam("crew"),
            fix.fix_time == bindparam("moment"),
            fix.device == bindparam("named"),
        )
        connection.execute(delete(tables.fix).where(*each), surplus)
    return len(surplus)


def _old_words(city_id: str, before: datetime) -> Delete:
    report, personal = tables.report.c, tables.personal.c
    ended = report.status.in_(sorted(reports.LIFECYCLE.final))
    old = select(report.id).where(report.city_id == city_id, ended, report.changed_at < before)
    return delete(tables.personal).where(personal.city_id == city_id, personal.report_id.in_(old))
