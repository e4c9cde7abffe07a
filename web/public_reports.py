"""What everybody may know of reports: kind, place, state and times; no secret one, no words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, select

from dispatch.storage.tables import incident, report
from geo.point import Box, Point, distance_m
from geo.sql import in_bbox, within_metres

OVER = ("closed", "not_our_authority", "archived", "duplicate")
"""Statuses that Open311 calls closed: nothing more will happen."""


@dataclass(frozen=True, slots=True)
class PublicReport:
    """One report without anything its reporter wrote. Degrees WGS 84; times UTC.

    `due_at` is known once it was verified. `distance_m` is from the place that was asked about.
    """

    ticket: str
    service_code: str
    status: str
    lon: float | None
    lat: float | None
    place_label: str | None
    ward: str | None
    district: str | None
    received_at: datetime
    changed_at: datetime
    closed_at: datetime | None
    reason: str | None
    due_at: datetime | None
    distance_m: float | None = None

    @property
    def open(self) -> bool:
        """Whether somebody still has to do something about it."""
        return self.status not in OVER


@dataclass(frozen=True, slots=True)
class Question:
    """Which reports: empty fields ask for all. Archived ones (pranks, tests) only by ticket."""

    service_codes: tuple[str, ...] = ()
    tickets: tuple[str, ...] = ()
    open: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    box: Box | None = None
    near: Point | None = None
    within_m: float = 150.0
    on_map: bool = False


def listed(
    connection: Connection, city_id: str, question: Question, *, limit: int, skip: int = 0
) -> list[PublicReport]:
    """The newest reports that match, or the nearest when a place was asked about."""
    r, i = report.c, incident.c
    wanted = (
        select(
            r.ticket,
            r.service_code,
            r.status,
            r.lon,
            r.lat,
            r.place_label,
            r.ward,
            r.district,
            r.received_at,
            r.changed_at,
            r.closed_at,
            r.reason,
            i.due_at,
        )
        .select_from(
            report.outerjoin(incident, and_(i.city_id == r.city_id, i.id == r.incident_id))
        )
        .where(r.city_id == city_id, *_conditions(question))
        .order_by(r.received_at.desc(), r.id.desc())
        .limit(limit)
        .offset(skip)
    )
    found = [PublicReport(**row) for row in connection.execute(wanted).mappings()]
    return _nearest(found, question.near) if question.near else found


def _conditions(question: Question) -> list[ColumnElement[bool]]:
    r = report.c
    # The one line that keeps secret reports out of every public door.
    found: list[ColumnElement[bool]] = [r.secret.is_(False)]
    if question.tickets:
        found.append(r.ticket.in_(question.tickets))
    else:
        found.append(r.status != "archived")
    if question.service_codes:
        found.append(r.service_code.in_(question.service_codes))
    if question.open is not None:
        found.append(r.status.not_in(OVER) if question.open else r.status.in_(OVER))
    if question.since is not None:
        found.append(r.received_at >= question.since)
    if question.until is not None:
        found.append(r.received_at <= question.until)
    if question.on_map:
        found.append(r.lon.is_not(None))
    if question.box is not None:
        found.append(in_bbox(r.geom, *question.box.bounds))
    if question.near is not None:
        near = question.near
        found.append(within_metres(r.geom, near.lon, near.lat, question.within_m))
    return found


def _nearest(found: Sequence[PublicReport], near: Point) -> list[PublicReport]:
    measured = [
        replace(each, distance_m=distance_m(near, Point(each.lon, each.lat)))
        for each in found
        if each.lon is not None and each.lat is not None
    ]
    return sorted(measured, key=lambda each: (each.distance_m or 0.0, each.ticket))
