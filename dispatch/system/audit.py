"""An administrator's question: is all that is kept of a city still true?"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

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

    def note(findings: Iterator[Finding]) -> None:
        for finding in findings:
            counts[finding.check] += 1
            if counts[finding.check] <= MOST:
                told.append(finding)

    with reading(engine) as connection:
        epoch, offset = journal.head(connection, city_id)
        note(_everything(connection, city_id, now, replay, progress))
        photos = list(audit.pictured(connection, city_id, replay))
    if blobs is not None:
        note(_photos(engine, blobs, city_id, photos, progress))
    things = Counter(thing.kind for thing in replay.state.values())
    return Audit(
        city_id=city_id,
        epoch=epoch,
        offset=offset,
        things=dict(sorted(things.items())),
        photos=len(photos),
        counts=dict(counts),
        findings=tuple(told),
    )


def _everything(
    connection: Connection,
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


def _photos(
    engine: Engine,
    blobs: Blobs,
    city_id: str,
    photos: Sequence[tuple[UUID, str | None]],
    progress: Progress,
) -> Iterator[Finding]:
    """Read every photo's file: outside any transaction, for there may be very many."""
    progress.stage("Photos", len(photos))
    for photo_id, digest in photos:
        if digest is None:
            yield Finding("photos", f"photo {photo_id} is spoken of and not kept")
        elif (wrong := _spoilt(blobs, city_id, digest)) and _kept(engine, city_id, photo_id):
            yield Finding("photos", f"photo {photo_id} {wrong}")
        progress.advance(1)


def _kept(engine: Engine, city_id: str, photo_id: UUID) -> bool:
    """Whether the photo was not forgotten meanwhile, as one that nobody claimed is."""
    with reading(engine) as connection:
        return audit.is_kept(connection, city_id, photo_id)


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
