"""What is due: claimed by one, and coming back by itself when whoever claimed it died."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, update

from dispatch.core.world import Timer
from dispatch.storage import tables

LEASE_S = 30.0
_due = tables.due.c


def next_due(connection: Connection, city_id: str) -> datetime | None:
    """When the next timer wants to run, or a claimed one comes back; None when there is none."""
    free = select(func.min(_due.run_at)).where(_due.city_id == city_id, _due.locked_until.is_(None))
    claimed = select(func.min(_due.locked_until)).where(_due.city_id == city_id)
    moments: list[datetime | None] = [connection.scalar(free), connection.scalar(claimed)]
    return min((moment for moment in moments if moment is not None), default=None)


def claim_due(
    connection: Connection, city_id: str, *, now: datetime, limit: int, lease_s: float = LEASE_S
) -> list[Timer]:
    """Claim at most `limit` timers whose moment has come, oldest first.

    Nobody else gets them for `lease_s` seconds. Call `finish` when done, in a later transaction.
    `attempts` counts this claim.
    """
    ready = and_(
        _due.city_id == city_id,
        _due.run_at <= now,
        or_(_due.locked_until.is_(None), _due.locked_until <= now),
    )
    found = (
        select(_due.kind, _due.subject, _due.run_at, _due.attempts)
        .where(ready)
        .order_by(_due.run_at, _due.kind, _due.subject)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = [
        Timer(row.kind, row.subject, row.run_at, row.attempts + 1)
        for row in connection.execute(found)
    ]
    until = now + timedelta(seconds=lease_s)
    for timer in claimed:
        connection.execute(
            update(tables.due)
            .where(_is(city_id, timer))
            .values(locked_until=until, attempts=timer.attempts)
        )
    return claimed


def finish(connection: Connection, city_id: str, timer: Timer) -> None:
    """Forget a claimed timer; one that was set anew meanwhile stays."""
    same = and_(_due.run_at == timer.run_at, _due.attempts == timer.attempts)
    claimed = _due.locked_until.is_not(None)
    connection.execute(delete(tables.due).where(_is(city_id, timer), same, claimed))


def _is(city_id: str, timer: Timer) -> ColumnElement[bool]:
    return and_(_due.city_id == city_id, _due.kind == timer.kind, _due.subject == timer.subject)
