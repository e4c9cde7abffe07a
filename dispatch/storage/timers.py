"""Timers are rows: written with the step that wants them, claimed by one worker at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, or_, select, update

from dispatch.core.world import Timer
from dispatch.storage.tables import due

CLAIM = timedelta(seconds=30)


def claim_due(connection: Connection, city_id: str, *, now: datetime, limit: int) -> list[Timer]:
    """Lock what is due for half a minute; what its worker does not finish comes up again."""
    c = due.c
    rows = connection.execute(
        select(c.kind, c.subject, c.run_at, c.attempts)
        .where(
            c.city_id == city_id,
            c.run_at <= now,
            or_(c.locked_until.is_(None), c.locked_until <= now),
        )
        .order_by(c.run_at, c.kind, c.subject)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    timers = [Timer(row.kind, row.subject, row.run_at, row.attempts + 1) for row in rows]
    for timer in timers:
        connection.execute(
            update(due)
            .where(c.city_id == city_id, c.kind == timer.kind, c.subject == timer.subject)
            .values(locked_until=now + CLAIM, attempts=timer.attempts)
        )
    return timers


def finish(connection: Connection, city_id: str, timer: Timer) -> None:
    """It is done; a timer set anew meanwhile stays."""
    c = due.c
    connection.execute(
        delete(due).where(
            c.city_id == city_id,
            c.kind == timer.kind,
            c.subject == timer.subject,
            c.run_at == timer.run_at,
        )
    )


def next_due(connection: Connection, city_id: str) -> datetime | None:
    """When the next timer runs."""
    found: datetime | None = connection.scalar(
        select(func.min(due.c.run_at)).where(due.c.city_id == city_id)
    )
    return found
