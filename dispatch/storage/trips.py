"""The drives that times of arrival are learned from, and what was learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, delete, exists, func, insert, select

from dispatch.storage import tables
from geo.sql import upsert
from geo.trips import GROUPS, Trips, band_of

TRUSTED = ("geofence", "photo")
"""Only these arrivals teach: a button may be pressed anywhere."""
ROLLED_BY = ("button", "movement")
"""Who said that a crew left; a dispatcher hears it later."""
REFUSED_KEPT = 20

_assignment, _trip, _calibration = tables.assignment.c, tables.trip.c, tables.calibration.c


@dataclass(frozen=True, slots=True)
class Trip:
    """One drive: seconds by class of road as the roads said then, and its times."""

    assignment_id: UUID
    vehicle: str
    dispatched_at: datetime
    enroute_at: datetime
    arrived_at: datetime
    length_m: float
    drive_s: Mapping[str, float]
    graph: str


def untold(connection: Connection, city_id: str, *, since: datetime) -> list[Any]:
    """Arrivals after `since` with trustworthy evidence that are no trips yet, oldest first.

    Rows: id, crew_id, vehicle, dispatched_at, enroute_at, arrived_at, sources, lon, lat.
    """
    crew, incident = tables.crew.c, tables.incident.c
    here = (_trip.city_id == _assignment.city_id) & (_trip.assignment_id == _assignment.id)
    found = (
        select(
            _assignment.id,
            _assignment.crew_id,
            crew.vehicle,
            _assignment.dispatched_at,
            _assignment.enroute_at,
            _assignment.arrived_at,
            _assignment.sources,
            incident.lon,
            incident.lat,
        )
        .join(
            tables.crew,
            (crew.city_id == _assignment.city_id) & (crew.id == _assignment.crew_id),
        )
        .join(
            tables.incident,
            (incident.city_id == _assignment.city_id) & (incident.id == _assignment.incident_id),
        )
        .where(
            _assignment.city_id == city_id,
            _assignment.arrived_at >= since,
            _assignment.enroute_at.is_not(None),
            _assignment.evidence.in_(TRUSTED),
            ~exists().where(here),
        )
        .order_by(_assignment.arrived_at, _assignment.id)
    )
    rows: list[Any] = list(connection.execute(found))
    return [row for row in rows if row.sources.get("enroute_at") in ROLLED_BY]


def write(connection: Connection, city_id: str, trips: Sequence[Trip]) -> None:
    """Keep trips, each once."""
    rows = [
        {
            "city_id": city_id,
            "assignment_id": trip.assignment_id,
            "vehicle": trip.vehicle,
            "dispatched_at": trip.dispatched_at,
            "enroute_at": trip.enroute_at,
            "arrived_at": trip.arrived_at,
            "length_m": trip.length_m,
            "drive_s": {group: round(s, 2) for group, s in trip.drive_s.items()},
            "graph": trip.graph,
        }
        for trip in trips
    ]
    upsert(connection, tables.trip, rows, key=["city_id", "assignment_id"])


def count(connection: Connection, city_id: str, *, since: datetime | None = None) -> int:
    """How many trips there are, or ended after `since`."""
    found = select(func.count()).where(_trip.city_id == city_id)
    if since is not None:
        found = found.where(_trip.arrived_at > since)
    return int(connection.scalar(found) or 0)


def read(
    connection: Connection,
    city_id: str,
    *,
    lon: float,
    since: datetime | None = None,
    newest: int = 20_000,
) -> Trips:
    """The newest trips that ended after `since`, in the order in which they ended.

    `lon` is the city's, for the hour of day.
    """
    found = (
        select(tables.trip)
        .where(_trip.city_id == city_id)
        .order_by(_trip.arrived_at.desc(), _trip.assignment_id.desc())
        .limit(newest)
    )
    if since is not None:
        found = found.where(_trip.arrived_at > since)
    rows = list(reversed(connection.execute(found).all()))
    n = len(rows)
    drive_s = np.array([[row.drive_s.get(g, 0.0) for g in GROUPS] for row in rows])
    return Trips(
        drive_s=drive_s.reshape(n, len(GROUPS)).astype(np.float64),
        band=np.array([band_of(row.enroute_at, lon) for row in rows], dtype=np.int64),
        actual_s=_seconds([(row.enroute_at, row.arrived_at) for row in rows]),
        left_at=np.array([row.enroute_at.timestamp() for row in rows], dtype=np.float64),
        turnout_s=_seconds([(row.dispatched_at, row.enroute_at) for row in rows]),
        vehicle=tuple(row.vehicle for row in rows),
    )


def _seconds(pairs: Sequence[tuple[datetime, datetime]]) -> Any:
    return np.array([(end - start).total_seconds() for start, end in pairs], dtype=np.float64)


# --- what was learned -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Learned:
    """A fit that was tried: used when it was better on the trips held back."""

    number: int
    made_at: datetime
    trips: int
    used: bool
    score: float
    score_before: float
    document: Mapping[str, Any]


def keep(connection: Connection, city_id: str, learned: Learned) -> None:
    """Keep a fit under its number. The database refuses a number that is taken."""
    row = {
        "city_id": city_id,
        "number": learned.number,
        "made_at": learned.made_at,
        "trips": learned.trips,
        "used": learned.used,
        "score": learned.score,
        "score_before": learned.score_before,
        "document": dict(learned.document),
    }
    connection.execute(insert(tables.calibration), [row])
    # what was refused long ago explains nothing
    connection.execute(
        delete(tables.calibration).where(
            _calibration.city_id == city_id,
            _calibration.used.is_(False),
            _calibration.number <= learned.number - REFUSED_KEPT,
        )
    )


def in_use(connection: Connection, city_id: str) -> Learned | None:
    """The newest fit that is used."""
    return _one(connection, city_id, used_only=True)


def last_tried(connection: Connection, city_id: str) -> Learned | None:
    """The newest fit, used or not."""
    return _one(connection, city_id, used_only=False)


def number_in_use(connection: Connection, city_id: str) -> int:
    """The number of the fit that is used, 0 before the first."""
    found = select(func.max(_calibration.number)).where(
        _calibration.city_id == city_id, _calibration.used.is_(True)
    )
    return int(connection.scalar(found) or 0)


def _one(connection: Connection, city_id: str, *, used_only: bool) -> Learned | None:
    found = select(tables.calibration).where(_calibration.city_id == city_id)
    if used_only:
        found = found.where(_calibration.used.is_(True))
    row = connection.execute(found.order_by(_calibration.number.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    return Learned(
        row.number,
        row.made_at,
        row.trips,
        row.used,
        row.score,
        row.score_before,
        row.document,
    )


# --- for the report ---------------------------------------------------------------


def lengths(connection: Connection, city_id: str) -> dict[UUID, float]:
    """Metres of road of each trip, by assignment."""
    found = select(_trip.assignment_id, _trip.length_m).where(_trip.city_id == city_id)
    return {row.assignment_id: float(row.length_m) for row in connection.execute(found)}


def longitude(connection: Connection, city_id: str) -> float:
    """About where the city lies, from its incidents; 0 before the first."""
    incident = tables.incident.c
    found = select(func.avg(incident.lon)).where(incident.city_id == city_id)
    return float(connection.scalar(found) or 0.0)
