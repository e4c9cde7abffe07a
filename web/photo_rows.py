"""Which photos are kept, whose they are, and who may look at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, and_, delete, insert, select, update
from uuid_utils.compat import uuid7

from dispatch.core.errors import Invalid
from dispatch.storage.tables import photo
from dispatch.system import System
from geo.sql import writing
from web.accounts import fingerprint
from web.photos import Picture

MOST = 5
UNCLAIMED = timedelta(hours=24)
"""How long a photo may wait for the report it was sent for."""
_SWEEP = 20


@dataclass(frozen=True, slots=True)
class Photo:
    """A kept photo; `owner_kind` is report, crew, or None while it waits for its report."""

    id: UUID
    sha256: str
    width: int
    height: int
    owner_kind: str | None
    owner_id: UUID | None
    uploader_token_hash: str | None


def keep(
    system: System,
    city_id: str,
    picture: Picture,
    *,
    upload_token: str | None = None,
    crew_id: UUID | None = None,
) -> Photo:
    """Keep a checked picture: a crew's own, or one that waits for its report.

    Whoever has the `upload_token` may look at it and claim it. Raises OSError on a full disk.
    """
    now = system.clock()
    digest = system.blobs.put(city_id, full=picture.full, thumb=picture.thumb)
    position = picture.position
    kept = Photo(
        id=uuid7(),
        sha256=digest,
        width=picture.width,
        height=picture.height,
        owner_kind="crew" if crew_id else None,
        owner_id=crew_id,
        uploader_token_hash=fingerprint(upload_token) if upload_token else None,
    )
    row = {
        **{name: getattr(kept, name) for name in Photo.__slots__},
        "media_type": "image/jpeg",
        "lon": position.point.lon if position else None,
        "lat": position.point.lat if position else None,
        "taken_at": position.fix_time if position else None,
        "created_at": now,
    }
    with writing(system.engine) as connection:
        connection.execute(insert(photo).values(city_id=city_id, **row))
        stale = _forget_unclaimed(connection, city_id, now)
    for forgotten in stale:
        system.blobs.delete(city_id, forgotten)
    return kept


def find(connection: Connection, city_id: str, photo_id: UUID) -> Photo | None:
    """The photo, or None."""
    known = [photo.c[name] for name in Photo.__slots__]
    row = connection.execute(
        select(*known).where(photo.c.city_id == city_id, photo.c.id == photo_id)
    ).one_or_none()
    return Photo(*row) if row else None


def sent_with(
    connection: Connection, city_id: str, photo_ids: Sequence[UUID], *, upload_token: str | None
) -> list[Photo]:
    """Those of the photos that open with this token, in the given order, whoever owns them."""
    found = (find(connection, city_id, photo_id) for photo_id in dict.fromkeys(photo_ids))
    return [each for each in found if each is not None and opens(each, upload_token)]


def opens(kept: Photo, upload_token: str | None) -> bool:
    """Whether a waiting photo opens with this token; one sent without a token opens by its id."""
    if kept.uploader_token_hash is None:
        return True
    return upload_token is not None and fingerprint(upload_token) == kept.uploader_token_hash


def claim(
    connection: Connection,
    city_id: str,
    photo_ids: Sequence[UUID],
    *,
    report_id: UUID,
    upload_token: str | None,
) -> None:
    """Give waiting photos to their report.

    Raises Invalid when one is not there, does not open with the token, or belongs to somebody.
    """
    known = sent_with(connection, city_id, photo_ids, upload_token=upload_token)
    for each in known:
        changed = connection.execute(
            update(photo)
            .where(photo.c.city_id == city_id, photo.c.id == each.id, photo.c.owner_kind.is_(None))
            .values(owner_kind="report", owner_id=report_id)
        )
        if changed.rowcount != 1:
            raise _gone()
    if len(known) != len(set(photo_ids)):
        raise _gone()


def _gone() -> Invalid:
    return Invalid(
        "One of the photos is not there any more. Send it again.",
        field="photo_ids",
        problem="gone",
    )


def _forget_unclaimed(connection: Connection, city_id: str, now: datetime) -> list[str]:
    """Drop some photos that nobody claimed; returns the digests that no photo uses any more."""
    old = and_(
        photo.c.city_id == city_id,
        photo.c.owner_kind.is_(None),
        photo.c.created_at < now - UNCLAIMED,
    )
    rows = connection.execute(select(photo.c.id, photo.c.sha256).where(old).limit(_SWEEP)).all()
    if not rows:
        return []
    gone = [row.id for row in rows]
    connection.execute(delete(photo).where(photo.c.city_id == city_id, photo.c.id.in_(gone)))
    digests = {row.sha256 for row in rows}
    used = connection.execute(
        select(photo.c.sha256).where(photo.c.city_id == city_id, photo.c.sha256.in_(digests))
    )
    return sorted(digests - set(used.scalars()))
