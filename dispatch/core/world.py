"""All a step may see and do: the door between the rules and whatever keeps the city's state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from dispatch.core import assignments, closures, crews, incidents, referrals, reports, rounds
from dispatch.core.assignments import Assignment
from dispatch.core.closures import Closure
from dispatch.core.crews import Crew, Fix
from dispatch.core.events import Event, Kind
from dispatch.core.incidents import Incident
from dispatch.core.policy import Policy
from dispatch.core.referrals import Referral
from dispatch.core.reports import Report
from dispatch.core.rounds import Round

Entity = Report | Incident | Assignment | Crew | Referral | Closure | Round


@dataclass(frozen=True, slots=True)
class Personal:
    """What a citizen wrote or told about themselves: kept apart, deleted by retention."""

    report_id: UUID
    description: str
    place_typed: str | None = None
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    token_hash: str | None = None
    answer_text: str | None = None


@dataclass(frozen=True, slots=True)
class Timer:
    """Something to do at `run_at`, written with the step that wants it. One per (kind, subject)."""

    kind: str
    subject: UUID
    run_at: datetime
    attempts: int = 0


class World(Protocol):
    """The state of one city, as a step sees it.

    `get`-like methods raise NotFound; lists are ordered by id so that steps are deterministic.
    """

    @property
    def city_id(self) -> str: ...
    @property
    def policy(self) -> Policy: ...

    def new_id(self) -> UUID:
        """A fresh UUIDv7 (chance stays outside the rules)."""

    def new_ticket(self) -> str:
        """The next speakable ticket of the city."""

    def report(self, report_id: UUID) -> Report: ...
    def incident(self, incident_id: UUID) -> Incident: ...
    def assignment(self, assignment_id: UUID) -> Assignment: ...
    def crew(self, crew_id: UUID) -> Crew: ...
    def referral(self, referral_id: UUID) -> Referral: ...
    def closure(self, closure_id: UUID) -> Closure: ...
    def round(self, round_id: UUID) -> Round: ...

    def reports_of(self, incident_id: UUID) -> Sequence[Report]: ...
    def assignments_of(self, incident_id: UUID) -> Sequence[Assignment]:
        """All assignments of the incident, ended ones too."""

    def referrals_of(self, incident_id: UUID) -> Sequence[Referral]: ...
    def closures_of(self, incident_id: UUID) -> Sequence[Closure]:
        """All closures of the incident, lifted ones too."""

    def active_closures(self) -> Sequence[Closure]:
        """The closures that still keep everybody out."""

    def open_rounds(self) -> Sequence[Round]:
        """The rounds that are proposed, active or paused."""

    def history_of(self, incident_id: UUID) -> Sequence[Event]:
        """What happened to the incident and to its assignments, in order."""

    def last_arrivals(self, limit: int, *, since: datetime | None = None) -> Sequence[Assignment]:
        """The assignments whose crews arrived last, at most `limit`, the newest first.

        With `since`, only those whose crews arrived after it.
        """

    def active_assignment(self, crew_id: UUID) -> Assignment | None: ...
    def active_incidents(self) -> Sequence[Incident]:
        """Incidents that are pending, dispatched or on scene."""

    def crews(self) -> Sequence[Crew]: ...
    def fixes(self) -> Mapping[UUID, Fix]:
        """The newest fix of each crew that ever sent one."""

    def reports_near(
        self, lon: float, lat: float, *, within_m: float, since: datetime
    ) -> Sequence[Report]:
        """Reports received at or after `since` within `within_m` metres."""

    def incidents_near(self, lon: float, lat: float, *, within_m: float) -> Sequence[Incident]:
        """Active incidents within `within_m` metres."""

    def reports_from(self, *, phone: str | None, email: str | None) -> Sequence[Report]:
        """Reports whose reporter left this telephone number or this e-mail address."""

    def personal(self, report_id: UUID) -> Personal | None:
        """What the citizen wrote, unless retention deleted it."""

    def keep_personal(self, personal: Personal) -> None: ...

    def record(self, event: Event) -> Entity:
        """Append the event to the log and take its subject to the next state.

        Raises WrongStatus when the lifecycle forbids it, Conflict when the crew is taken.
        """

    def set_timer(self, timer: Timer) -> None:
        """Replace the timer of this kind and subject."""

    def cancel_timer(self, kind: str, subject: UUID) -> None: ...


EVOLVE: Mapping[Kind, Callable[[Any, Event], Entity]] = {
    "report": reports.evolve,
    "incident": incidents.evolve,
    "assignment": assignments.evolve,
    "crew": crews.evolve,
    "referral": referrals.evolve,
    "closure": closures.evolve,
    "round": rounds.evolve,
}

ENTITY: Mapping[Kind, type[Entity]] = {
    "report": Report,
    "incident": Incident,
    "assignment": Assignment,
    "crew": Crew,
    "referral": Referral,
    "closure": Closure,
    "round": Round,
}


def fold(events: Sequence[Event]) -> dict[str, Entity]:
    """The state that a log makes: wire key → entity."""
    state: dict[str, Entity] = {}
    for event in events:
        state[event.key] = EVOLVE[event.kind](state.get(event.key), event)
    return state
