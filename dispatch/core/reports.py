"""A report: one submission by one reporter on one channel, with its own ticket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dispatch.core import events as ev
from dispatch.core.errors import Invalid, TooLate, WrongStatus
from dispatch.core.lifecycle import SAME, Lifecycle


@dataclass(frozen=True, slots=True)
class Report:
    """What one person told us. Times are UTC; positions WGS 84 degrees; `radius_m` metres."""

    id: UUID
    version: int
    changed_at: datetime
    ticket: str
    channel: str
    service_code: str
    status: str
    received_at: datetime
    classification: str = "complaint"
    oversight: bool = False
    anonymous: bool = False
    secret: bool = False
    lon: float | None = None
    lat: float | None = None
    radius_m: float | None = None
    place_label: str | None = None
    place_confidence: float | None = None
    ward: str | None = None
    district: str | None = None
    photo_ids: tuple[UUID, ...] = ()
    external_id: str | None = None
    priority: int | None = None
    reason: str | None = None
    incident_id: UUID | None = None
    verified_at: datetime | None = None
    closed_at: datetime | None = None
    decided_at: datetime | None = None
    undo_until: datetime | None = None
    triage: Mapping[str, Any] | None = None
    answer: str | None = None
    alias_id: UUID | None = None
    """The name of a place that this report taught, while it is remembered."""

    kind = "report"

    @property
    def waiting(self) -> bool:
        """Whether a dispatcher still has to decide about it."""
        return self.status in WAITING


WAITING = frozenset({"received", "under_verification", "postponed"})

_ALL = (
    *("received", "under_verification", "postponed", "verified", "duplicate", "linked"),
    *("closed", "archived", "not_our_authority"),
)

LIFECYCLE = Lifecycle(
    kind="report",
    first={"ReportReceived": "received"},
    table={
        ("received", "ReportTriaged"): "under_verification",
        ("under_verification", "ReportTriaged"): SAME,
        **{
            (status, fact): following
            for status in ("received", "under_verification", "postponed")
            for fact, following in (
                ("ReportVerified", "verified"),
                ("ReportMarkedDuplicate", "duplicate"),
                ("ReportRefused", "not_our_authority"),
                ("ReportArchived", "archived"),
                ("ReportPostponed", "postponed"),
                ("ReportLocated", SAME),
            )
        },
        ("verified", "ReportLinked"): "linked",
        ("duplicate", "ReportLinked"): "linked",
        ("linked", "ReportClosed"): "closed",
        ("closed", "ReportReopened"): "linked",
        **{
            (status, "ReportRestored"): "under_verification"
            for status in ("linked", "postponed", "not_our_authority", "archived")
        },
        ("closed", "ReporterAnswered"): SAME,
        # A place's name outlives the report that taught it.
        **{
            (status, fact): SAME
            for status in _ALL
            for fact in ("ReportPlaceRemembered", "ReportPlaceForgotten")
        },
    },
    final=frozenset({"closed", "not_our_authority", "archived"}),
)

VERDICTS: Mapping[
    str, type[ev.ReportPostponed] | type[ev.ReportRefused] | type[ev.ReportArchived]
] = {
    "postponed": ev.ReportPostponed,
    "not_our_authority": ev.ReportRefused,
    "archived": ev.ReportArchived,
}

DECISIONS = {
    "linked": "verification",
    "postponed": "postponement",
    "not_our_authority": "refusal",
    "archived": "archiving",
}


def evolve(report: Report | None, event: ev.Event) -> Report:
    """The report after the event. Raises WrongStatus when the lifecycle forbids it."""
    status = LIFECYCLE.after(report.status if report else None, event.type)
    fact = event.fact
    if report is None:
        assert isinstance(fact, ev.ReportReceived)
        return _received(event, fact, status)
    new = replace(report, version=event.version, changed_at=event.recorded_at, status=status)
    match fact:
        case ev.ReportTriaged():
            triage = {
                "p_genuine": fact.p_genuine,
                "reasons": list(fact.reasons),
                "similar": list(fact.similar),
            }
            return replace(new, triage=triage)
        case ev.ReportLocated():
            return replace(
                new,
                lon=fact.lon,
                lat=fact.lat,
                radius_m=fact.radius_m,
                place_label=fact.place_label,
                place_confidence=1.0,
                ward=fact.ward,
                district=fact.district,
            )
        case ev.ReportVerified():
            # the category the reporter chose stays theirs; the incident has the judged one
            return replace(
                new,
                priority=fact.priority,
                reason=fact.reason,
                verified_at=event.at,
                decided_at=event.at,
                undo_until=fact.undo_until,
            )
        case ev.ReportMarkedDuplicate():
            return replace(
                new,
                reason=fact.reason,
                verified_at=event.at,
                decided_at=event.at,
                undo_until=fact.undo_until,
            )
        case ev.ReportPostponed() | ev.ReportRefused() | ev.ReportArchived():
            return replace(new, reason=fact.reason, decided_at=event.at, undo_until=fact.undo_until)
        case ev.ReportLinked():
            return replace(new, incident_id=fact.incident_id)
        case ev.ReportRestored():
            return replace(
                new,
                incident_id=None,
                reason=None,
                verified_at=None,
                decided_at=None,
                undo_until=None,
                priority=None,
            )
        case ev.ReportClosed():
            return replace(new, closed_at=event.at)
        case ev.ReportReopened():
            return replace(new, closed_at=None)
        case ev.ReporterAnswered():
            return replace(new, answer=fact.answer)
        case ev.ReportPlaceRemembered():
            return replace(new, alias_id=fact.alias_id)
        case ev.ReportPlaceForgotten():
            return replace(new, alias_id=None)
    raise WrongStatus(f"{event.type} says nothing about a report.", kind="report")


def _received(event: ev.Event, fact: ev.ReportReceived, status: str) -> Report:
    return Report(
        id=event.subject,
        version=event.version,
        changed_at=event.recorded_at,
        status=status,
        ticket=fact.ticket,
        channel=fact.channel,
        service_code=fact.service_code,
        received_at=fact.received_at,
        classification=fact.classification,
        oversight=fact.oversight,
        anonymous=fact.anonymous,
        secret=fact.secret,
        lon=fact.lon,
        lat=fact.lat,
        radius_m=fact.radius_m,
        place_label=fact.place_label,
        place_confidence=fact.place_confidence,
        ward=fact.ward,
        district=fact.district,
        photo_ids=fact.photo_ids,
        external_id=fact.external_id,
    )


def remember_place(report: Report, alias_id: UUID) -> ev.ReportPlaceRemembered:
    """Its words name its place. Raises Invalid without a place or when they do already."""
    LIFECYCLE.after(report.status, "ReportPlaceRemembered")
    if report.lon is None or report.lat is None:
        raise Invalid("Set the place on the map first: a name needs a place.", field="place")
    if report.alias_id is not None:
        raise Invalid("This name is remembered already.", field="alias_id")
    return ev.ReportPlaceRemembered(alias_id, report.lon, report.lat)


def forget_place(report: Report, *, reason: str | None) -> ev.ReportPlaceForgotten:
    """Take the name back. Raises Invalid where none is remembered."""
    LIFECYCLE.after(report.status, "ReportPlaceForgotten")
    if report.alias_id is None:
        raise Invalid("No name is remembered from this report.", field="alias_id")
    return ev.ReportPlaceForgotten(report.alias_id, reason)


def verify(
    report: Report,
    now: datetime,
    *,
    service_code: str,
    priority: int,
    reason: str | None,
    undo_s: float,
) -> ev.ReportVerified:
    """It is real and ours. Raises Invalid without a place, WrongStatus when already decided."""
    LIFECYCLE.after(report.status, "ReportVerified")
    if report.lon is None or report.lat is None:
        raise Invalid(
            "Set the place on the map before verifying: a crew cannot be sent without one.",
            field="place",
        )
    return ev.ReportVerified(service_code, priority, reason, now + timedelta(seconds=undo_s))


def mark_duplicate(
    report: Report, now: datetime, *, incident_id: UUID, reason: str | None, undo_s: float
) -> ev.ReportMarkedDuplicate:
    """It speaks of an incident we know. Raises WrongStatus when already decided."""
    LIFECYCLE.after(report.status, "ReportMarkedDuplicate")
    return ev.ReportMarkedDuplicate(incident_id, reason, now + timedelta(seconds=undo_s))


def put_aside(
    report: Report, now: datetime, *, verdict: str, reason: str, undo_s: float
) -> ev.ReportPostponed | ev.ReportRefused | ev.ReportArchived:
    """Postpone, refuse (not our authority) or archive it, always with a reason.

    `verdict` is "postponed", "not_our_authority" or "archived".
    Raises Invalid without a reason, WrongStatus when already decided.
    """
    fact = VERDICTS[verdict]
    LIFECYCLE.after(report.status, fact.__name__)
    return fact(required_reason(reason), now + timedelta(seconds=undo_s))


def restore(report: Report, now: datetime) -> ev.ReportRestored:
    """Undo the last decision while `undo_until` allows. Raises TooLate or WrongStatus."""
    LIFECYCLE.after(report.status, "ReportRestored")
    if report.undo_until is None or now > report.undo_until:
        raise TooLate(
            "The time to undo this decision is over. Decide anew instead.",
            undo_until=report.undo_until,
        )
    return ev.ReportRestored(DECISIONS[report.status])


def required_reason(reason: str | None) -> str:
    """The reason, trimmed. Raises Invalid when there is none."""
    if reason is None or not reason.strip():
        raise Invalid("Say why: a reason is needed, the reporter will read it.", field="reason")
    return reason.strip()
