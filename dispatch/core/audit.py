"""Plays a city's log from its first line and notices whatever cannot be true."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast
from uuid import UUID

from dispatch.core.assignments import Assignment
from dispatch.core.audience import channels_of
from dispatch.core.crews import Crew
from dispatch.core.errors import SigapError
from dispatch.core.events import Event
from dispatch.core.incidents import Incident
from dispatch.core.log import Entry, changes_of, in_full
from dispatch.core.referrals import Referral
from dispatch.core.reports import Report
from dispatch.core.world import EVOLVE, Entity

Check = Literal[
    "offsets",
    "versions",
    "lifecycle",
    "double_booked",
    "changes",
    "channels",
    "together",
    "rows",
    "counters",
    "keys",
    "timers",
    "personal",
    "photos",
]
"""What is looked at, in this order."""

# What a log that was tampered with, or that an older rule wrote, makes of today's rules.
_NOT_POSSIBLE = (SigapError, AssertionError, AttributeError, KeyError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that cannot be true; `offset` is the line of the log it concerns, if one."""

    check: Check
    what: str
    offset: int | None = None


class Replay:
    """The state that a log makes, built line by line; satisfies `audience.Around`.

    Each thing is reported once for each kind of trouble: what follows from the first is not news.
    """

    def __init__(self) -> None:
        self.state: dict[str, Entity] = {}
        self.offset = 0
        self._of: dict[tuple[str, UUID], dict[UUID, None]] = defaultdict(dict)
        self._crews: dict[UUID, None] = {}
        self._busy: dict[UUID, dict[UUID, None]] = defaultdict(dict)
        self._broken: set[str] = set()

    # --- what an audience depends on ----------------------------------------------

    def incident(self, incident_id: UUID) -> Incident:
        return cast("Incident", self.state[f"incident/{incident_id}"])

    def reports_of(self, incident_id: UUID) -> Sequence[Report]:
        return cast("Sequence[Report]", self._listed("report", incident_id))

    def assignments_of(self, incident_id: UUID) -> Sequence[Assignment]:
        return cast("Sequence[Assignment]", self._listed("assignment", incident_id))

    def referrals_of(self, incident_id: UUID) -> Sequence[Referral]:
        return cast("Sequence[Referral]", self._listed("referral", incident_id))

    def crews(self) -> Sequence[Crew]:
        return [cast("Crew", self.state[f"crew/{crew_id}"]) for crew_id in self._crews]

    def _listed(self, kind: str, incident_id: UUID) -> list[Entity]:
        return [self.state[f"{kind}/{each}"] for each in self._of[kind, incident_id]]

    # --- line by line -------------------------------------------------------------

    def take(self, entry: Entry) -> Iterator[Finding]:
        """Play the next line and tell what is wrong with it."""
        if entry.offset != self.offset + 1:
            missing = f"after line {self.offset} comes line {entry.offset}"
            yield Finding("offsets", missing, entry.offset)
        self.offset = entry.offset
        event = entry.event
        if event.key in self._broken:
            return
        before = self.state.get(event.key)
        wrong = self._wrong_version(before, event)
        if wrong is not None:
            self._broken.add(event.key)
            yield Finding("versions", wrong, entry.offset)
            return
        try:
            after = EVOLVE[event.kind](before, event)
        except _NOT_POSSIBLE as error:
            self._broken.add(event.key)
            what = f"{event.type} of {event.key} is not possible: {error}"
            yield Finding("lifecycle", what, entry.offset)
            return
        self._put(before, after)
        yield from self._booked(after, entry.offset)
        yield from self._told(before, after, entry)

    def spoil(self, offset: int, key: str) -> None:
        """Pass over a line that cannot be read; nothing more is said of its thing."""
        self.offset = offset
        self._broken.add(key)

    @staticmethod
    def _wrong_version(before: Entity | None, event: Event) -> str | None:
        expected = (before.version if before else 0) + 1
        if event.version == expected:
            return None
        return f"{event.key} has version {event.version} where {expected} is due"

    def _put(self, before: Entity | None, after: Entity) -> None:
        self.state[f"{after.kind}/{after.id}"] = after
        was, now = getattr(before, "incident_id", None), getattr(after, "incident_id", None)
        if was is not None and was != now:
            self._of[after.kind, was].pop(after.id, None)
        if now is not None:
            self._of[after.kind, now][after.id] = None
        if isinstance(after, Crew):
            self._crews[after.id] = None

    def _booked(self, after: Entity, offset: int) -> Iterator[Finding]:
        if not isinstance(after, Assignment):
            return
        held = self._busy[after.crew_id]
        if not after.active:
            held.pop(after.id, None)
            return
        if after.id not in held and held:
            what = f"crew/{after.crew_id} got assignment/{after.id} and has another already"
            yield Finding("double_booked", what, offset)
        held[after.id] = None

    def _told(self, before: Entity | None, after: Entity, entry: Entry) -> Iterator[Finding]:
        expected = changes_of(before, after)
        if not _same_changes(expected, entry):
            names = sorted(
                name
                for name in {*expected, *entry.changes}
                if expected.get(name) != entry.changes.get(name)
            )
            what = f"screens were told other changes of {entry.event.key}: {', '.join(names)}"
            yield Finding("changes", what, entry.offset)
        try:
            heard = channels_of(self, before=before, after=after)
        except KeyError as missing:
            yield Finding("channels", f"{entry.event.key} names {missing}", entry.offset)
            return
        if heard != tuple(sorted(entry.channels)):
            odd = sorted({*heard} ^ {*entry.channels})
            yield Finding("channels", f"told or not told: {', '.join(odd)}", entry.offset)

    # --- at the end ---------------------------------------------------------------

    def together(self) -> Iterator[Finding]:
        """Whether the things name each other as they should."""
        for crew in self.crews():
            held = [*self._busy[crew.id]]
            named = [] if crew.assignment_id is None else [crew.assignment_id]
            if held != named:
                yield Finding("together", f"crew/{crew.id} names {named} and holds {held}")
        for key, thing in self.state.items():
            if isinstance(thing, Incident):
                odd = self._odd_parts(thing)
                if odd:
                    named_ids = ", ".join(sorted(str(each) for each in odd))
                    yield Finding("together", f"{key} and its parts disagree about {named_ids}")

    def _odd_parts(self, incident: Incident) -> set[UUID]:
        listed, joined = {*incident.report_ids}, {*self._of["report", incident.id]}
        at_work = {job.id for job in self.assignments_of(incident.id) if job.active}
        odd = (joined - listed) | (at_work - {*incident.assignment_ids})
        # an incident that ended because its verification was undone remembers whose it was
        ended = incident.status == "cancelled" or incident.reopened_at is not None
        return odd if ended else odd | (listed - joined)


def _same_changes(expected: Mapping[str, Any], entry: Entry) -> bool:
    told = entry.changes
    if any(name not in expected or expected[name] != value for name, value in told.items()):
        return False
    # A field that came with a later version of Sigap was not told when the thing began.
    return in_full(entry) or told.keys() == expected.keys()
