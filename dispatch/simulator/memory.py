"""The in-memory World: a whole city in dictionaries, with the same log as the stored one."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Any, TypeVar
from uuid import UUID

from uuid_utils.compat import uuid7

from dispatch.core import incidents, rounds, tickets
from dispatch.core.assignments import Assignment
from dispatch.core.audience import channels_of, city_channel
from dispatch.core.closures import Closure
from dispatch.core.crews import Crew, Fix
from dispatch.core.errors import Conflict, NotFound
from dispatch.core.events import Event, Kind
from dispatch.core.incidents import Incident
from dispatch.core.log import Entry, changes_of, plain, refuse_nul, settled, wire_view
from dispatch.core.policy import Policy
from dispatch.core.referrals import Referral
from dispatch.core.reports import Report
from dispatch.core.rounds import Round
from dispatch.core.world import EVOLVE, Entity, Personal, Timer
from geo.point import METRES_PER_DEGREE, Point, distance_m

K = TypeVar("K")
V = TypeVar("V")

CELL_DEGREES = 0.005
"""The side of a cell of the grid that reports are found by."""


@dataclass(slots=True)
class MemoryWorld:
    """One city's state; satisfies `dispatch.core.world.World`.

    Without `step()` every record stands at once. `ids` makes ids, so that a run can be repeated.
    A `quiet` World has no listeners: its log keeps the events without what screens would be told.
    """

    city_id: str
    policy: Policy
    ticket_prefix: str = "SGP"
    ids: Callable[[], UUID] = uuid7
    quiet: bool = False
    log: list[Entry] = field(default_factory=list)
    _entities: dict[tuple[Kind, UUID], Entity] = field(default_factory=dict)
    _by_kind: dict[Kind, dict[UUID, None]] = field(default_factory=dict)
    # incident id → the reports, assignments, referrals and closures of it
    _of: dict[tuple[Kind, UUID], dict[UUID, None]] = field(default_factory=dict)
    _taken: dict[UUID, UUID] = field(default_factory=dict)
    _active: dict[UUID, None] = field(default_factory=dict)
    _closed: dict[UUID, None] = field(default_factory=dict)
    _rounds: dict[UUID, None] = field(default_factory=dict)
    # incident id → what happened to it and its assignments
    _history: dict[UUID, list[Event]] = field(default_factory=dict)
    # (arrived at, assignment id), in order
    _arrived: list[tuple[datetime, UUID]] = field(default_factory=list)
    _personal: dict[UUID, Personal] = field(default_factory=dict)
    # telephone or e-mail → the reports that came from it
    _from: dict[str, dict[UUID, None]] = field(default_factory=dict)
    _timers: dict[tuple[str, UUID], Timer] = field(default_factory=dict)
    _fixes: dict[UUID, Fix] = field(default_factory=dict)
    _cells: dict[tuple[int, int], dict[UUID, None]] = field(default_factory=dict)
    # what is read again and again between two changes, in order
    _crews: list[Crew] | None = None
    _fixes_by_crew: dict[UUID, Fix] | None = None
    _tickets: int = 0
    _undo: list[Callable[[], object]] | None = None

    @contextmanager
    def step(self) -> Iterator[MemoryWorld]:
        """All or nothing: an error inside takes back what the step did."""
        tickets_before, length = self._tickets, len(self.log)
        self._undo = []
        try:
            yield self
        except BaseException:
            for take_back in reversed(self._undo):
                take_back()
            self._tickets = tickets_before
            self._crews = self._fixes_by_crew = None
            del self.log[length:]
            raise
        finally:
            self._undo = None

    def new_id(self) -> UUID:
        return self.ids()

    def new_ticket(self) -> str:
        self._tickets += 1
        return tickets.make(self.ticket_prefix, self._tickets)

    def report(self, report_id: UUID) -> Report:
        return self._get("report", report_id, Report)

    def incident(self, incident_id: UUID) -> Incident:
        return self._get("incident", incident_id, Incident)

    def assignment(self, assignment_id: UUID) -> Assignment:
        return self._get("assignment", assignment_id, Assignment)

    def crew(self, crew_id: UUID) -> Crew:
        return self._get("crew", crew_id, Crew)

    def referral(self, referral_id: UUID) -> Referral:
        return self._get("referral", referral_id, Referral)

    def closure(self, closure_id: UUID) -> Closure:
        return self._get("closure", closure_id, Closure)

    def round(self, round_id: UUID) -> Round:
        return self._get("round", round_id, Round)

    def reports_of(self, incident_id: UUID) -> Sequence[Report]:
        return self._listed("report", incident_id, Report)

    def assignments_of(self, incident_id: UUID) -> Sequence[Assignment]:
        return self._listed("assignment", incident_id, Assignment)

    def referrals_of(self, incident_id: UUID) -> Sequence[Referral]:
        return self._listed("referral", incident_id, Referral)

    def closures_of(self, incident_id: UUID) -> Sequence[Closure]:
        return self._listed("closure", incident_id, Closure)

    def active_closures(self) -> Sequence[Closure]:
        return [self.closure(closure_id) for closure_id in sorted(self._closed)]

    def open_rounds(self) -> Sequence[Round]:
        return [self.round(round_id) for round_id in sorted(self._rounds)]

    def history_of(self, incident_id: UUID) -> Sequence[Event]:
        return list(self._history.get(incident_id, ()))

    def last_arrivals(self, limit: int, *, since: datetime | None = None) -> Sequence[Assignment]:
        newest = self._arrived[: -limit - 1 : -1]
        if since is not None:
            newest = list(takewhile(lambda arrival: arrival[0] > since, newest))
        return [self.assignment(assignment_id) for _, assignment_id in newest]

    def active_assignment(self, crew_id: UUID) -> Assignment | None:
        taken = self._taken.get(crew_id)
        return None if taken is None else self.assignment(taken)

    def active_incidents(self) -> Sequence[Incident]:
        return [self.incident(incident_id) for incident_id in sorted(self._active)]

    def crews(self) -> Sequence[Crew]:
        if self._crews is None:
            self._crews = self._all("crew", Crew)
        return list(self._crews)

    def fixes(self) -> Mapping[UUID, Fix]:
        if self._fixes_by_crew is None:
            self._fixes_by_crew = {crew_id: self._fixes[crew_id] for crew_id in sorted(self._fixes)}
        return dict(self._fixes_by_crew)

    def put_fix(self, fix: Fix) -> None:
        """Take the fix as the crew's newest unless a newer one is known."""
        known = self._fixes.get(fix.crew_id)
        if known is None or fix.fix_time >= known.fix_time:
            self._put(self._fixes, fix.crew_id, fix)
            self._fixes_by_crew = None

    def reports_near(
        self, lon: float, lat: float, *, within_m: float, since: datetime
    ) -> Sequence[Report]:
        here = Point(lon, lat)
        return [
            report
            for report in self._reports_around(lon, lat, within_m)
            if report.received_at >= since
            and report.lon is not None
            and report.lat is not None
            and distance_m(here, Point(report.lon, report.lat)) <= within_m
        ]

    def incidents_near(self, lon: float, lat: float, *, within_m: float) -> Sequence[Incident]:
        here = Point(lon, lat)
        return [
            incident
            for incident in self.active_incidents()
            if distance_m(here, Point(incident.lon, incident.lat)) <= within_m
        ]

    def reports_from(self, *, phone: str | None, email: str | None) -> Sequence[Report]:
        same = {
            report_id
            for contact in (phone, email)
            if contact
            for report_id in self._from.get(contact, ())
        }
        known = self._by_kind.get("report", {})
        return [self.report(report_id) for report_id in sorted(same) if report_id in known]

    def personal(self, report_id: UUID) -> Personal | None:
        return self._personal.get(report_id)

    def keep_personal(self, personal: Personal) -> None:
        refuse_nul(plain(personal))
        known = self._personal.get(personal.report_id)
        for contact in (known.phone, known.email) if known else ():
            if contact and personal.report_id in self._from[contact]:
                self._drop(self._from[contact], personal.report_id)
        for contact in (personal.phone, personal.email):
            if contact:
                self._put(self._from.setdefault(contact, {}), personal.report_id, None)
        self._put(self._personal, personal.report_id, personal)

    def record(self, event: Event) -> Entity:
        if not self.quiet:
            event = settled(event)
        before = self._entities.get((event.kind, event.subject))
        if event.version != (before.version if before else 0) + 1:
            raise Conflict("Somebody else changed it meanwhile. Look again and repeat.")
        after = EVOLVE[event.kind](before, event)
        self._refuse_double_booking(after)
        self._put(self._entities, (event.kind, event.subject), after)
        if isinstance(after, Crew):
            self._crews = None
        if before is None:
            self._put(self._by_kind.setdefault(event.kind, {}), event.subject, None)
        self._index(before, after)
        self._remember(event, before, after)
        self.log.append(self._entry(event, before, after))
        return after

    def _entry(self, event: Event, before: Entity | None, after: Entity) -> Entry:
        offset = len(self.log) + 1
        if self.quiet:
            return Entry(offset=offset, id=event.subject, event=event, changes={})
        return Entry(
            offset=offset,
            id=self.ids(),
            event=event,
            changes=changes_of(before, after),
            channels=channels_of(self, before=before, after=after),
        )

    def set_timer(self, timer: Timer) -> None:
        self._put(self._timers, (timer.kind, timer.subject), timer)

    def cancel_timer(self, kind: str, subject: UUID) -> None:
        if (kind, subject) in self._timers:
            self._drop(self._timers, (kind, subject))

    # --- what only this World can do ------------------------------------------------

    def due(self, now: datetime) -> list[Timer]:
        """The timers whose moment has come, in order. They stay until cancelled."""
        ready = [timer for timer in self._timers.values() if timer.run_at <= now]
        return sorted(ready, key=lambda timer: (timer.run_at, timer.kind, timer.subject))

    def next_due(self) -> datetime | None:
        """When the next timer wants to run."""
        return min((timer.run_at for timer in self._timers.values()), default=None)

    def entities(self) -> dict[str, Entity]:
        """Everything there is, by wire key."""
        return {f"{kind}/{subject}": found for (kind, subject), found in self._entities.items()}

    def views(self) -> dict[str, dict[str, Any]]:
        """Everything there is, as the screens get it."""
        return {
            key: {"v": entity.version, **wire_view(entity)}
            for key, entity in self.entities().items()
        }

    def read(self, channel: str, *, after: int) -> list[tuple[int, Entry]]:
        """The entries of a channel after an offset, each with the channel's offset before it."""
        heard = [
            entry
            for entry in self.log
            if channel in entry.channels or channel == city_channel(self.city_id)
        ]
        befores = [0, *(entry.offset for entry in heard)]
        return [pair for pair in zip(befores, heard, strict=False) if pair[1].offset > after]

    # --- how it is kept -----------------------------------------------------------

    def _get(self, kind: Kind, subject: UUID, type_: type[V]) -> V:
        found = self._entities.get((kind, subject))
        if not isinstance(found, type_):
            raise NotFound(f"There is no {kind} {subject} in this city.", kind=kind)
        return found

    def _all(self, kind: Kind, type_: type[V]) -> list[V]:
        return [self._get(kind, subject, type_) for subject in sorted(self._by_kind.get(kind, ()))]

    def _listed(self, kind: Kind, incident_id: UUID, type_: type[V]) -> list[V]:
        ids = sorted(self._of.get((kind, incident_id), {}))
        return [self._get(kind, subject, type_) for subject in ids]

    def _reports_around(self, lon: float, lat: float, within_m: float) -> list[Report]:
        """Reports of the cells of the grid that the circle may touch, by id."""
        x, y = _cell(lon, lat)
        squeeze = max(math.cos(math.radians(lat)), 0.01)
        wide = math.ceil(within_m / (METRES_PER_DEGREE * CELL_DEGREES * squeeze))
        high = math.ceil(within_m / (METRES_PER_DEGREE * CELL_DEGREES))
        if (2 * wide + 1) * (2 * high + 1) > len(self._cells):
            return self._all("report", Report)
        ids = [
            report_id
            for i in range(x - wide, x + wide + 1)
            for j in range(y - high, y + high + 1)
            for report_id in self._cells.get((i, j), ())
        ]
        return [self.report(report_id) for report_id in sorted(ids)]

    def _refuse_double_booking(self, after: Entity) -> None:
        if not isinstance(after, Assignment) or not after.active:
            return
        if self._taken.get(after.crew_id, after.id) != after.id:
            raise Conflict("The crew is taken: it already has an assignment.", field="crew_id")

    def _index(self, before: Entity | None, after: Entity) -> None:
        if isinstance(after, Incident):
            self._list_while(after.status in incidents.ACTIVE, self._active, after.id)
        if isinstance(after, Closure):
            self._list_while(after.active, self._closed, after.id)
        if isinstance(after, Round):
            self._list_while(after.status in rounds.OPEN, self._rounds, after.id)
        if isinstance(after, Report):
            self._index_place(before, after)
        if isinstance(after, Assignment):
            if after.active:
                self._put(self._taken, after.crew_id, after.id)
            elif self._taken.get(after.crew_id) == after.id:
                self._drop(self._taken, after.crew_id)
        if isinstance(after, Report | Assignment | Referral | Closure):
            kind: Kind = after.kind  # type: ignore[assignment]
            was = getattr(before, "incident_id", None)
            if was is not None and was != after.incident_id:
                self._drop(self._of[kind, was], after.id)
            if after.incident_id is not None and was != after.incident_id:
                self._put(self._of.setdefault((kind, after.incident_id), {}), after.id, None)

    def _list_while(self, wanted: bool, listed: dict[UUID, None], subject: UUID) -> None:
        if wanted:
            self._put(listed, subject, None)
        elif subject in listed:
            self._drop(listed, subject)

    def _remember(self, event: Event, before: Entity | None, after: Entity) -> None:
        """Keep what an incident's history and the last arrivals are read from."""
        if not isinstance(after, Incident | Assignment):
            return
        incident_id = after.id if isinstance(after, Incident) else after.incident_id
        history = self._history.setdefault(incident_id, [])
        history.append(event)
        self._take_back_with(history.pop)
        if isinstance(after, Assignment) and after.arrived_at is not None:
            assert before is None or isinstance(before, Assignment)
            if before is None or before.arrived_at is None:
                arrival = (after.arrived_at, after.id)
                insort(self._arrived, arrival)
                self._take_back_with(lambda: self._arrived.remove(arrival))

    def _take_back_with(self, take_back: Callable[[], object]) -> None:
        if self._undo is not None:
            self._undo.append(take_back)

    def _index_place(self, before: Entity | None, after: Report) -> None:
        was = before if isinstance(before, Report) else None
        if was is not None and was.lon is not None and was.lat is not None:
            if (was.lon, was.lat) == (after.lon, after.lat):
                return
            self._drop(self._cells[_cell(was.lon, was.lat)], after.id)
        if after.lon is not None and after.lat is not None:
            cell = self._cells.setdefault(_cell(after.lon, after.lat), {})
            self._put(cell, after.id, None)

    def _put(self, where: dict[K, V], key: K, value: V) -> None:
        if self._undo is not None:
            if key in where:
                old = where[key]
                self._undo.append(lambda: where.update({key: old}))
            else:
                self._undo.append(lambda: where.pop(key))
        where[key] = value

    def _drop(self, where: dict[K, V], key: K) -> None:
        old = where.pop(key)
        if self._undo is not None:
            self._undo.append(lambda: where.update({key: old}))


def _cell(lon: float, lat: float) -> tuple[int, int]:
    return math.floor(lon / CELL_DEGREES), math.floor(lat / CELL_DEGREES)
