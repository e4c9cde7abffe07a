"""What a writing request was answered, kept with what it wrote: asking twice changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from dispatch.core.errors import Conflict
from dispatch.storage.tables import idempotency


@dataclass(frozen=True, slots=True)
class Request:
    """A writing request: its key, what it asked for, and a hash of what it said."""

    key: str
    method_path: str
    body_hash: str


def find(
    connection: Connection, city_id: str, actor: str, request: Request
) -> tuple[int, dict[str, Any]] | None:
    """The status and body it was answered before, None at first sight.

    Raises Conflict when the key was used for something else. Keys belong to their actor: nobody
    sees another's answers.
    """
    c = idempotency.c
    row = connection.execute(
        select(c.method_path, c.request_hash, c.status, c.answer).where(
            c.city_id == city_id, c.actor == actor, c.key == request.key
        )
    ).one_or_none()
    if row is None:
        return None
    if (row.method_path, row.request_hash) != (request.method_path, request.body_hash):
        raise Conflict(
            "This Idempotency-Key was already used for a different request. Use a new one.",
            reason="idempotency_mismatch",
        )
    return row.status, row.answer


def keep(
    connection: Connection,
    city_id: str,
    actor: str,
    request: Request,
    *,
    status: int,
    body: Mapping[str, Any],
    now: datetime,
) -> None:
    """Keep the answer in the transaction of the step it answers."""
    connection.execute(
        insert(idempotency).values(
            city_id=city_id,
            actor=actor,
            key=request.key,
            method_path=request.method_path,
            request_hash=request.body_hash,
            status=status,
            answer=dict(body),
            created_at=now,
        )
    )


def forget(connection: Connection, city_id: str, *, before: datetime) -> int:
    """Delete answers older than `before`; returns how many."""
    c = idempotency.c
    done = connection.execute(
        delete(idempotency).where(c.city_id == city_id, c.created_at < before)
    )
    return done.rowcount
