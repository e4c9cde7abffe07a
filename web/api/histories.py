"""Where crews were: replayed on a screen, or taken along as a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime
from sqlalchemy import Connection

from dispatch.core.crews import Crew, Fix
from dispatch.core.errors import Invalid
from dispatch.core.log import Entry, plain
from dispatch.storage import trails, views
from dispatch.storage.trails import Job
from web import shapes, trail_files
from web.api.deeds import json, moment
from web.auth import TheCity, TheSystem, Watcher
from web.errors import Problem
from web.trail_files import Trail

router = APIRouter(prefix="/api/{city}", tags=["positions"])

LONGEST = timedelta(days=31)
USUAL = timedelta(hours=24)
SHOWN = 5_000
"""So many points of a crew are enough for a screen."""
From = Annotated[AwareDatetime | None, Query(alias="from")]
Every = Annotated[
    float | None, Query(ge=0, le=3600, description="seconds between two points; none: as needed")
]
Ending = Literal["gpx", "geojson"]
MEDIA = {"gpx": "application/gpx+xml", "geojson": "application/geo+json"}
HISTORY = shapes.answers(shapes.History)


@router.get("/crews/{crew_id}/history", responses=HISTORY)
def crew_history(
    city: TheCity,
    crew_id: UUID,
    who: Watcher,
    system: TheSystem,
    from_: From = None,
    to: AwareDatetime | None = None,
    every_s: Every = None,
) -> Response:
    """Where a crew was and what it did (default: the last 24 hours)."""
    since, until = _span(from_, to, system.clock())
    every = _every(since, until, every_s)
    with system.looking(city.id) as world:
        crew, connection = world.crew(crew_id), world.connection
        jobs = trails.jobs_of_crew(connection, city.id, crew_id, since=since, until=until)
        found = trails.track(connection, city.id, crew_id, since=since, until=until, every=every)
        subjects = [crew_id, *(job.assignment_id for job in jobs)]
        happened = trails.moments(connection, city.id, subjects, since=since, until=until)
    return json(
        {
            "from": moment(since),
            "to": moment(until),
            "every_s": every.total_seconds(),
            "incident": None,
            "tracks": [_track(crew, found)],
            "moments": _moments(happened, jobs),
        }
    )


@router.get("/incidents/{incident_id}/history", responses=HISTORY)
def incident_history(
    city: TheCity,
    incident_id: UUID,
    who: Watcher,
    system: TheSystem,
    from_: From = None,
    to: AwareDatetime | None = None,
    every_s: Every = None,
) -> Response:
    """The crews of an incident while they were its crews (default: its whole life)."""
    with system.looking(city.id) as world:
        incident, connection = world.incident(incident_id), world.connection
        ended = incident.closed_at or system.clock()
        since, until = _span(from_ or incident.received_at, to or ended, system.clock())
        every = _every(since, until, every_s)
        jobs = trails.jobs_of_incident(connection, city.id, incident_id)
        tracks = [
            _track(world.crew(crew_id), _while(connection, city.id, own, since, until, every))
            for crew_id, own in _by_crew(jobs)
        ]
        happened = [
            entry
            for entry in views.log_of_incident(connection, city.id, incident_id)
            if since <= entry.event.at < until
        ]
    return json(
        {
            "from": moment(since),
            "to": moment(until),
            "every_s": every.total_seconds(),
            "incident": {
                "id": str(incident.id),
                "ticket": incident.ticket,
                "service_code": incident.service_code,
                "lon": incident.lon,
                "lat": incident.lat,
            },
            "tracks": tracks,
            "moments": _moments(sorted(happened, key=lambda e: (e.event.at, e.offset)), jobs),
        }
    )


@router.get("/crews/{crew_id}/history.{ending}")
def crew_history_file(
    city: TheCity,
    crew_id: UUID,
    ending: Ending,
    who: Watcher,
    system: TheSystem,
    from_: From = None,
    to: AwareDatetime | None = None,
) -> Response:
    """A crew's track as a file, without the hours in which it worked on secret reports."""
    since, until = _span(from_, to, system.clock())
    with system.looking(city.id) as world:
        crew, connection = world.crew(crew_id), world.connection
        jobs = trails.jobs_of_crew(connection, city.id, crew_id, since=since, until=until)
        found = trails.track(connection, city.id, crew_id, since=since, until=until)
    pieces = without(found, [job for job in jobs if job.secret])
    trail = Trail(str(crew_id), crew.name, pieces)
    return _file([trail], ending, title=f"{crew.name} {since:%Y-%m-%d}")


@router.get("/incidents/{incident_id}/history.{ending}")
def incident_history_file(
    city: TheCity, incident_id: UUID, ending: Ending, who: Watcher, system: TheSystem
) -> Response:
    """The tracks of an incident's crews as a file; of a secret one there is none."""
    with system.looking(city.id) as world:
        incident, connection = world.incident(incident_id), world.connection
        if trails.is_secret(connection, city.id, incident_id):
            raise Problem(403, "secret_incident")
        since, until = incident.received_at, incident.closed_at or system.clock()
        jobs = trails.jobs_of_incident(connection, city.id, incident_id)
        nothing = timedelta(0)
        found = [
            Trail(
                str(crew_id),
                world.crew(crew_id).name,
                [_while(connection, city.id, [job], since, until, nothing) for job in own],
            )
            for crew_id, own in _by_crew(jobs)
        ]
    return _file(found, ending, title=incident.ticket)


def without(found: Sequence[Fix], hidden: Sequence[Job]) -> list[list[Fix]]:
    """The track in pieces, cut where a hidden job lasted."""
    pieces: list[list[Fix]] = [[]]
    for fix in found:
        if any(_during(job, fix.fix_time) for job in hidden):
            if pieces[-1]:
                pieces.append([])
        else:
            pieces[-1].append(fix)
    return [piece for piece in pieces if piece]


def _during(job: Job, at: datetime) -> bool:
    return job.since <= at and (job.until is None or at <= job.until)


def _span(
    since: datetime | None, until: datetime | None, now: datetime
) -> tuple[datetime, datetime]:
    last = until or now
    first = since or last - USUAL
    if first >= last:
        raise Invalid("“to” must be later than “from”.", field="to")
    if last - first > LONGEST:
        raise Invalid("Ask for at most 31 days at once.", field="from")
    return first, last


def _every(since: datetime, until: datetime, asked: float | None) -> timedelta:
    """As far apart as a screen needs, unless the asker knows better."""
    if asked is not None:
        return timedelta(seconds=asked)
    return timedelta(seconds=int((until - since).total_seconds() // SHOWN))


def _by_crew(jobs: Sequence[Job]) -> list[tuple[UUID, list[Job]]]:
    found: dict[UUID, list[Job]] = {}
    for job in jobs:
        found.setdefault(job.crew_id, []).append(job)
    return sorted(found.items())


def _while(
    connection: Connection,
    city_id: str,
    jobs: Sequence[Job],
    since: datetime,
    until: datetime,
    every: timedelta,
) -> list[Fix]:
    """Where their crew was while these jobs lasted."""
    found: list[Fix] = []
    for job in jobs:
        first, last = max(job.since, since), min(job.until or until, until)
        if first < last:
            found += trails.track(
                connection, city_id, job.crew_id, since=first, until=last, every=every
            )
    return found


def _track(crew: Crew, found: Sequence[Fix]) -> dict[str, Any]:
    return {
        "crew_id": str(crew.id),
        "name": crew.name,
        "call_sign": crew.call_sign,
        "fixes": [_row(fix) for fix in found],
    }


def _row(fix: Fix) -> list[Any]:
    lon, lat = fix.here
    place = (round(lon, 6), round(lat, 6))
    return [
        moment(fix.fix_time),
        *place,
        fix.heading,
        fix.speed_ms,
        fix.accuracy_m,
        int(fix.mock),
    ]


def _moments(happened: Sequence[Entry], jobs: Sequence[Job]) -> list[dict[str, Any]]:
    of_job = {job.assignment_id: job for job in jobs}
    return [_moment(entry, of_job.get(entry.event.subject)) for entry in happened]


def _moment(entry: Entry, job: Job | None) -> dict[str, Any]:
    event = entry.event
    crew_id = event.subject if event.kind == "crew" else job.crew_id if job else None
    incident_id = event.subject if event.kind == "incident" else job.incident_id if job else None
    return {
        "at": moment(event.at),
        "recorded_at": moment(event.recorded_at),
        "device_time": moment(event.device_time),
        "t": event.type,
        "k": event.key,
        "crew_id": plain(crew_id),
        "incident_id": plain(incident_id),
        "actor": event.actor.role,
    }


def _file(found: Sequence[Trail], ending: Ending, *, title: str) -> Response:
    make = trail_files.gpx if ending == "gpx" else trail_files.geojson
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in title)
    return Response(
        make(found, title=title),
        media_type=MEDIA[ending],
        headers={"Content-Disposition": f'attachment; filename="sigap-{name}.{ending}"'},
    )
