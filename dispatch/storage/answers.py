"""A wish that is sent twice is fulfilled once: the answer is kept with the step that gave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from dispatch.core.errors import Conflict
from dispatch.storage import tables


@dataclass(frozen=True, slots=True)
class Request:
    """A writing request: its Idempotency-Key, `POST /api/…`, and a SHA-256 of its body (hex)."""

    key: str | None
    method_path: str
    body_hash: str


def find(
    connection: Connection, city_id: str, actor: str, request: Request
) -> tuple[int, dict[str, Any]] | None:
    """The answer this actor got for this key, None when it is new.

    Raises Conflict when the key belongs to another request. Nobody sees another actor's answer.
    """
    if request.key is None:
        return None
    kept = tables.idempotency.c
    found = select(kept.method_path, kept.request_hash, kept.status, kept.answer).where(
        kept.city_id == city_id, kept.actor == actor, kept.key == request.key
    )
    row = connection.execute(found).one_or_none()
    if row is None:
        return None
    if (row.method_path, row.request_hash) != (request.method_path, request.body_hash):
        raise Conflict(
            "This Idempotency-Key was used for another request. Send a fresh key.",
            reason="idempotency_mismatch",
            field="Idempotency-Key",
        )
    return int(row.status), dict(row.answer)


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
    """Keep the answer, in the transaction of the step."""
    if request.key is None:
        return
    connection.execute(
        insert(tables.idempotency).values(
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
