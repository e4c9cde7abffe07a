"""An administrator's question: is all that is kept of a city still true?"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from dispatch.blobs import Blobs
from dispatch.core.audit import Finding, Replay
from dispatch.core.errors import NotFound
from dispatch.storage import audit, journal
from dispatch.storage.retention import Kept
from geo.progress import Progress, Silent
from geo.sql import reading

MOST = 100
"""So many findings of each check are told; the others are counted."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What was looked at and what was found; `counts` are all findings by check."""

    city_id: str
    epoch: str
    offset: int
    things: Mapping[str, int]
    photos: int
    counts: Mapping[str, int]
    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.counts


def audit_city(
    engine: Engine,
    blobs: Blobs | None,
    city_id: str,
    now: datetime,
    *,
    progress: Progress | None = None,
) -> Audit:
    """Play the city's log from its first line and compare all that is kept with it.

    It sees one moment and writes nothing; the city may work meanwhile. Without `blobs` photos
    are not read. Raises NotFound for the city.
    """
    progress = progress or Silent()
    counts: Counter[str] = Counter()
    told: list[Finding] = []
    replay = Replay()
    with reading(engine) as connection:
        epoch, offset = journal.head(connection, city_id)
        photos = audit.how_many(connection, city_id)
        for finding in _everything(connection, blobs, city_id, now, replay, progress):
            counts[finding.check] += 1
            if counts[finding.check] <= MOST:
                told.append(finding)
    things = Counter(thing.kind for thing in replay.state.values())
    return Audit(
        city_id=city_id,
        epoch=epoch,
        offset=offset,
        things=dict(sorted(things.items())),
        photos=photos,
        counts=dict(counts),
        findings=tuple(told),
    )


def _everything(
    connection: Connection,
    blobs: Blobs | None,
    city_id: str,
    now: datetime,
    replay: Replay,
    progress: Progress,
) -> Iterator[Finding]:
    yield from audit.replayed(connection, city_id, replay, progress=progress)
    yield from audit.compared(connection, city_id, replay, progress=progress)
    progress.stage("Counters, keys, timers, words", None)
    yield from audit.counted(connection, city_id, replay)
    yield from audit.answered(connection, city_id)
    yield from audit.timed(connection, city_id, replay)
    yield from audit.remembered(connection, city_id, replay, now=now, kept=Kept())
    if blobs is not None:
        progress.stage("Photos", audit.how_many(connection, city_id))
        for photo_id, digest in audit.pictured(connection, city_id, replay):
            wrong = (
                "is spoken of and not kept" if digest is None else _spoilt(blobs, city_id, digest)
            )
            if wrong is not None:
                yield Finding("photos", f"photo {photo_id} {wrong}")
            progress.advance(1)


def _spoilt(blobs: Blobs, city_id: str, digest: str) -> str | None:
    """What is wrong with a kept photo's files, None when they are as they were made."""
    try:
        full = blobs.read(city_id, digest)
        blobs.path(city_id, digest, "thumb")
    except NotFound:
        return f"has lost its file {digest}"
    if hashlib.sha256(full).hexdigest() != digest:
        return f"has another content than when it was kept ({digest})"
    return None
