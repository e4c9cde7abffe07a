"""The stored World: one step on one city inside one database transaction.

Longer than other files on purpose: it is one class, whose reading, writing and remembering know
the same few fields.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from uuid_utils.compat import uuid7

from dispatch.core import assignments, closures, incidents, rounds, tickets
from dispatch.core.assignments import Assignment
from dispatch.core.audience import channels_of
from dispatch.core.closures import Closure
from dispatch.core.crews import Crew, Fix
from dispatch.core.errors import Conflict, NotFound
from dispatch.core.events import Event, Kind
from dispatch.core.incidents import Incident
from dispatch.core.log import Entry, changes_of, plain, refuse_nul, settled
from dispatch.core.policy import Policy
from dispatch.core.referrals import Referral
from dispatch.core.reports import Report
from dispatch.core.rounds import Round
from dispatch.core.world import EVOLVE, Entity, Personal, Timer
from dispatch.storage import codec, fixes, tables
from dispatch.storage.roster import AtHand
from geo.sql import aside, breaks, upsert, within_metres, writing

E = TypeVar("E", Report, Incident, Assignment, Crew, Referral, Closure, Round)


@contextmanager
def step(
    engine: Engine,
    city_id: str,
    policy: Policy,
    *,
    ids: Callable[[], UUID] = uuid7,
    at_hand: AtHand | None = None,
) -> Iterator[StoredWorld]:
    """One step: all of it is committed at the end, or nothing. Raises NotFound for the city."""
    with writing(engine) as connection:
        world = StoredWorld(connection, city_id, policy, ids=ids, at_hand=at_hand)
        yield world
        world.finish()


class StoredWorld:
    """One city's state in the transaction of `connection`; satisfies `dispatch.core.world.World`.

    The city's row stays locked until the transaction ends, so steps of one city follow each
    other and offsets have no gaps. Call `finish` before the commit; `step` does. A World that
    only looks may leave the row unlocked.
    """

    def __init__(
        self,
        connection: Connection,
        city_id: str,
        policy: Policy,
        *,
        ids: Callable[[], UUID] = uuid7,
        locked: bool = True,
        at_hand: AtHand | None = None,
    ) -> None:
        self.connection = connection
        self.city_id = city_id
        self.policy = policy
        self.entries: list[Entry] = []
        """What this step has recorded so far."""
        self._ids = ids
        self._entities: dict[tuple[Kind, UUID], Entity] = {}
        self._of: dict[tuple[Kind, UUID], list[UUID]] = {}
        self._personal: dict[UUID, Personal | None] = {}
        self._at_hand = at_hand
        self._crew_ids: list[UUID] | None = None
        self._active_ids: list[UUID] | None = None
        self._fixes: Mapping[UUID, Fix] | None = None
        self._written = 0
        self._offset, self._tickets, self._ticket_prefix, self._epoch = self._enter(locked=locked)
        self._counters = self._offset, self._tickets

    def new_id(self) -> UUID:
        return self._ids()

    def new_ticket(self) -> str:
        self._tickets += 1
        return tickets.make(self._ticket_prefix, self._tickets)

    # --- reading ------------------------------------------------------------------

    def report(self, report_id: UUID) -> Report:
        return self._get(Report, report_id)

    def incident(self, incident_id: UUID) -> Incident:
        return self._get(Incident, incident_id)

    def assignment(self, assignment_id: UUID) -> Assignment:
        return self._get(Assignment, assignment_id)

    def crew(self, crew_id: UUID) -> Crew:
        return self._get(Crew, crew_id)

    def referral(self, referral_id: UUID) -> Referral:
        return self._get(Referral, referral_id)

    def closure(self, closure_id: UUID) -> Closure:
        return self._get(Closure, closure_id)

    def round(self, round_id: UUID) -> Round:
        return self._get(Round, round_id)

    def reports_of(self, incident_id: UUID) -> Sequence[Report]:
        return self._listed(Report, incident_id)

    def assignments_of(self, incident_id: UUID) -> Sequence[Assignment]:
        return self._listed(Assignment, incident_id)

    def referrals_of(self, incident_id: UUID) -> Sequence[Referral]:
        return self._listed(Referral, incident_id)

    def closures_of(self, incident_id: UUID) -> Sequence[Closure]:
        return self._listed(Closure, incident_id)

    def active_closures(self) -> Sequence[Closure]:
        return self._query(Closure, tables.closure.c.status.in_(closures.ACTIVE))

    def open_rounds(self) -> Sequence[Round]:
        return self._query(Round, tables.round_.c.status.in_(sorted(rounds.OPEN)))

    def history_of(self, incident_id: UUID) -> Sequence[Event]:
        subjects = {incident_id, *(a.id for a in self.assignments_of(incident_id))}
        line = tables.log.c
        found = (
            select(*(column for column in line if column.name != "changes"))
            .where(line.city_id == self.city_id, line.subject.in_(sorted(subjects)))
            .order_by(line.offset)
        )
        rows = self.connection.execute(found).mappings()
        written = [codec.read_event(dict(row)) for row in rows]
        news = [entry.event for entry in self.entries[self._written :]]
        return [*written, *(event for event in news if event.subject in subjects)]

    def last_arrivals(self, limit: int, *, since: datetime | None = None) -> Sequence[Assignment]:
        table = tables.assignment
        found = (
            select(table)
            .where(table.c.city_id == self.city_id, table.c.arrived_at.is_not(None))
            .order_by(table.c.arrived_at.desc(), table.c.id.desc())
            .limit(limit)
        )
        if since is not None:
            found = found.where(table.c.arrived_at > since)
        return [self._known(Assignment, row) for row in self.connection.execute(found).mappings()]

    def active_assignment(self, crew_id: UUID) -> Assignment | None:
        table = tables.assignment.c
        active = table.status.in_(sorted(assignments.ACTIVE))
        found = self._query(Assignment, table.crew_id == crew_id, active)
        return found[0] if found else None

    def active_incidents(self) -> Sequence[Incident]:
        # a plan asks again and again: what there is changes only by this step's own hand
        if self._active_ids is None:
            found = self._query(Incident, tables.incident.c.status.in_(incidents.ACTIVE))
            self._active_ids = [incident.id for incident in found]
        return [cast("Incident", self._entities["incident", each]) for each in self._active_ids]

    def crews(self) -> Sequence[Crew]:
        if self._crew_ids is None:
            self._crew_ids = self._every_crew()
            # whoever asks for all of them looks at what each is on: read together, not singly
            self._query(Assignment, tables.assignment.c.status.in_(sorted(assignments.ACTIVE)))
            self.active_incidents()
        return [cast("Crew", self._entities["crew", each]) for each in self._crew_ids]

    def fixes(self) -> Mapping[UUID, Fix]:
        if self._fixes is None:
            if self._at_hand is not None:
                self._fixes = self._at_hand.fixes()
            else:
                self._fixes = fixes.newest(self.connection, self.city_id)
        return self._fixes

    def reports_near(
        self, lon: float, lat: float, *, within_m: float, since: datetime
    ) -> Sequence[Report]:
        table = tables.report.c
        near = within_metres(table.geom, lon, lat, within_m)
        return self._query(Report, aside(table.received_at) >= since, near=near)

    def incidents_near(self, lon: float, lat: float, *, within_m: float) -> Sequence[Incident]:
        table = tables.incident.c
        near = within_metres(table.geom, lon, lat, within_m)
        return self._query(Incident, aside(table.status).in_(incidents.ACTIVE), near=near)

    def reports_from(self, *, phone: str | None, email: str | None) -> Sequence[Report]:
        kept = tables.personal.c
        given = [kept.phone == phone] * bool(phone) + [kept.email == email] * bool(email)
        if not given:
            return []
        same = select(kept.report_id).where(kept.city_id == self.city_id, or_(*given))
        return self._query(Report, tables.report.c.id.in_(same))

    def personal(self, report_id: UUID) -> Personal | None:
        if report_id not in self._personal:
            table = tables.personal
            found = select(table).where(
                table.c.city_id == self.city_id, table.c.report_id == report_id
            )
            row = self.connection.execute(found).mappings().one_or_none()
            self._personal[report_id] = codec.read_personal(dict(row)) if row else None
        return self._personal[report_id]

    # --- writing ------------------------------------------------------------------

    def keep_personal(self, personal: Personal) -> None:
        refuse_nul(plain(personal))
        values = {"city_id": self.city_id, **codec.personal_values(personal)}
        upsert(self.connection, tables.personal, [values], key=["city_id", "report_id"])
        self._personal[personal.report_id] = personal

    def record(self, event: Event) -> Entity:
        event = settled(event)
        before = self._find(event.kind, event.subject)
        if event.version != (before.version if before else 0) + 1:
            raise _moved_on()
        after = EVOLVE[event.kind](before, event)
        self._refuse_double_booking(before, after)
        self._write(before, after)
        self._offset += 1
        self.entries.append(
            Entry(
                offset=self._offset,
                id=self._ids(),
                event=event,
                changes=changes_of(before, after),
                channels=channels_of(self, before=before, after=after),
            )
        )
        return after

    def set_timer(self, timer: Timer) -> None:
        values = {
            "city_id": self.city_id,
            "kind": timer.kind,
            "subject": timer.subject,
            "run_at": timer.run_at,
            "attempts": timer.attempts,
            "locked_until": None,
        }
        upsert(self.connection, tables.due, [values], key=["city_id", "kind", "subject"])

    def cancel_timer(self, kind: str, subject: UUID) -> None:
        due = tables.due.c
        self.connection.execute(
            delete(tables.due).where(
                due.city_id == self.city_id, due.kind == kind, due.subject == subject
            )
        )

    def finish(self) -> None:
        """Write the log of this step and the city's counters."""
        news = self.entries[self._written :]
        if (self._offset, self._tickets) != self._counters:
            self.connection.execute(
                update(tables.city)
                .where(tables.city.c.city_id == self.city_id)
                .values(offset=self._offset, tickets=self._tickets)
            )
            self._counters = self._offset, self._tickets
        if news:
            city = {"city_id": self.city_id}
            lines = [{**city, **codec.entry_values(entry)} for entry in news]
            self.connection.execute(insert(tables.log), lines)
        heard = [
            {"city_id": self.city_id, "channel": channel, "offset": entry.offset}
            for entry in news
            for channel in entry.channels
        ]
        if heard:
            self.connection.execute(insert(tables.log_channel), heard)
        self._written = len(self.entries)

    # --- how it is kept -----------------------------------------------------------

    def _enter(self, *, locked: bool) -> tuple[int, int, str, str]:
        city = tables.city.c
        found = select(city.offset, city.tickets, city.ticket_prefix, city.epoch)
        found = found.where(city.city_id == self.city_id)
        if locked:
            found = found.with_for_update()
        row = self.connection.execute(found).one_or_none()
        if row is None:
            raise NotFound(f"There is no city “{self.city_id}” here.", kind="city")
        return int(row[0]), int(row[1]), str(row[2]), str(row[3])

    def _every_crew(self) -> list[UUID]:
        kept = None
        if self._at_hand is not None and not self.entries:
            kept = self._at_hand.roster.at(
                self.connection, self.city_id, epoch=self._epoch, offset=self._offset
            )
        if kept is None:
            return [crew.id for crew in self._query(Crew)]
        for crew_id, crew in kept.items():
            self._entities.setdefault(("crew", crew_id), crew)
        return list(kept)

    def _find(self, kind: Kind, subject: UUID) -> Entity | None:
        known = self._entities.get((kind, subject))
        if known is None:
            table = tables.ENTITIES[kind]
            found = select(table).where(table.c.city_id == self.city_id, table.c.id == subject)
            row = self.connection.execute(found).mappings().one_or_none()
            if row is None:
                return None
            known = self._entities[kind, subject] = codec.read_entity(kind, dict(row))
        return known

    def _get(self, type_: type[E], subject: UUID) -> E:
        kind = cast("Kind", type_.kind)
        found = self._find(kind, subject)
        if not isinstance(found, type_):
            raise NotFound(f"There is no {kind} {subject} in this city.", kind=kind)
        return found

    def _query(self, type_: type[E], *where: ColumnElement[Any], near: Any = None) -> list[E]:
        kind = cast("Kind", type_.kind)
        table = tables.ENTITIES[kind]
        found = select(table).where(*where).order_by(table.c.id)
        if near is None:
            found = found.where(table.c.city_id == self.city_id)
        else:
            found = found.where(aside(table.c.city_id) == self.city_id, near)
        return [self._known(type_, row) for row in self.connection.execute(found).mappings()]

    def _known(self, type_: type[E], row: Any) -> E:
        """The thing as this step knows it already, or as the row says."""
        key = (cast("Kind", type_.kind), cast("UUID", row["id"]))
        known = self._entities.get(key)
        if known is None:
            known = self._entities[key] = codec.read_entity(key[0], dict(row))
        return cast("E", known)

    def _listed(self, type_: type[E], incident_id: UUID) -> list[E]:
        kind = cast("Kind", type_.kind)
        ids = self._of.get((kind, incident_id))
        if ids is None:
            wanted = [incident_id]
            if kind in _PLANNED and incident_id in (self._active_ids or ()):
                # a plan asks this of each: all at once
                wanted = [each for each in self._active_ids or () if (kind, each) not in self._of]
            self._list(type_, wanted)
            ids = self._of[kind, incident_id]
        return [self._get(type_, subject) for subject in ids]

    def _list(self, type_: type[E], incident_ids: Sequence[UUID]) -> None:
        kind = cast("Kind", type_.kind)
        self._of.update({(kind, each): [] for each in incident_ids})
        column = tables.ENTITIES[kind].c.incident_id
        for start in range(0, len(incident_ids), AT_ONCE):
            for entity in self._query(type_, column.in_(incident_ids[start : start + AT_ONCE])):
                self._of[kind, cast("Any", entity).incident_id].append(entity.id)

    def _refuse_double_booking(self, before: Entity | None, after: Entity) -> None:
        if before is not None or not isinstance(after, Assignment):
            return
        if self.active_assignment(after.crew_id) is not None:
            raise _taken()

    def _write(self, before: Entity | None, after: Entity) -> None:
        kind = cast("Kind", after.kind)
        table = tables.ENTITIES[kind]
        values = codec.entity_values(after)
        try:
            if before is None:
                self.connection.execute(insert(table), {"city_id": self.city_id, **values})
            else:
                self._update(before, values)
        except IntegrityError as error:
            if breaks(error, tables.ONE_ACTIVE_PER_CREW):
                raise _taken() from error
            raise
        self._entities[kind, after.id] = after
        self._relist(kind, before, after)

    def _update(self, before: Entity, values: dict[str, Any]) -> None:
        table = tables.ENTITIES[cast("Kind", before.kind)]
        old = codec.entity_values(before)
        changed = {name: value for name, value in values.items() if value != old[name]}
        done = self.connection.execute(
            update(table)
            .where(
                table.c.city_id == self.city_id,
                table.c.id == before.id,
                table.c.version == before.version,
            )
            .values(changed)
        )
        if done.rowcount != 1:
            raise _moved_on()

    def _relist(self, kind: Kind, before: Entity | None, after: Entity) -> None:
        """Keep the lists of what belongs to an incident in step with what was written."""
        if before is None and isinstance(after, Crew) and self._crew_ids is not None:
            insort(self._crew_ids, after.id)
        if isinstance(after, Incident) and self._active_ids is not None:
            listed, active = after.id in self._active_ids, after.status in incidents.ACTIVE
            if active and not listed:
                insort(self._active_ids, after.id)
            elif listed and not active:
                self._active_ids.remove(after.id)
        if before is None and isinstance(after, Incident):
            self._of.update({(listed, after.id): [] for listed in _LISTED})
        was, now = getattr(before, "incident_id", None), getattr(after, "incident_id", None)
        if was == now:
            return
        if was is not None and (kind, was) in self._of:
            self._of[kind, was].remove(after.id)
        if now is not None and (kind, now) in self._of:
            insort(self._of[kind, now], after.id)


_LISTED: tuple[Kind, ...] = ("report", "assignment", "referral", "closure")
_PLANNED: tuple[Kind, ...] = ("assignment", "closure")
AT_ONCE = 500


def _moved_on() -> Conflict:
    return Conflict("Somebody else changed it meanwhile. Look again and repeat.")


def _taken() -> Conflict:
    return Conflict("The crew is taken: it already has an assignment.", field="crew_id")
