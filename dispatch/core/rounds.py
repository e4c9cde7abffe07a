"""A round: routine work that one crew drives stop by stop, when nothing urgent wants it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from dispatch.core import events as ev
from dispatch.core.errors import WrongStatus
from dispatch.core.events import Stop
from dispatch.core.incidents import Incident
from dispatch.core.lifecycle import SAME, Lifecycle
from dispatch.core.policy import Policy
from geo.spread import Spread


@dataclass(frozen=True, slots=True)
class Round:
    """An ordered list of stops for one crew. Times are UTC; `_s` ends seconds, `_m` metres.

    `pause_reason` and `paused_for` tell why it waits, and for which incident; `paused_at` is when
    it last did.
    """

    id: UUID
    version: int
    changed_at: datetime
    status: str
    crew_id: UUID
    stops: tuple[Stop, ...]
    made_at: datetime
    planned_s: float
    planned_m: float
    graph: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    pause_reason: str | None = None
    paused_for: UUID | None = None
    paused_at: datetime | None = None
    reason: str | None = None

    kind = "round"

    @property
    def running(self) -> bool:
        """Whether the crew drives it, or will go on with it."""
        return self.status in RUNNING

    @property
    def waiting(self) -> tuple[UUID, ...]:
        """The incidents still to be reached, in order."""
        return tuple(stop.incident_id for stop in self.stops if stop.state == "waiting")

    def stop(self, incident_id: UUID) -> Stop | None:
        """The stop at this incident, if it is one of the round's."""
        return next((stop for stop in self.stops if stop.incident_id == incident_id), None)


OPEN = frozenset({"proposed", "active", "paused"})
RUNNING = frozenset({"active", "paused"})

LIFECYCLE = Lifecycle(
    kind="round",
    first={"RoundProposed": "proposed"},
    table={
        ("proposed", "RoundStarted"): "active",
        ("active", "RoundPaused"): "paused",
        ("paused", "RoundResumed"): "active",
        **{
            (status, fact): SAME
            for status in ("active", "paused")
            for fact in ("RoundStopDone", "RoundRevised")
        },
        ("active", "RoundDone"): "done",
        ("paused", "RoundDone"): "done",
        **{(status, "RoundCancelled"): "cancelled" for status in ("proposed", "active", "paused")},
    },
    final=frozenset({"done", "cancelled"}),
)


def evolve(round_: Round | None, event: ev.Event) -> Round:
    """The round after the event. Raises WrongStatus when the lifecycle forbids it."""
    status = LIFECYCLE.after(round_.status if round_ else None, event.type)
    fact = event.fact
    if round_ is None:
        assert isinstance(fact, ev.RoundProposed)
        return Round(
            id=event.subject,
            version=event.version,
            changed_at=event.recorded_at,
            status=status,
            crew_id=fact.crew_id,
            stops=fact.stops,
            made_at=event.at,
            planned_s=fact.planned_s,
            planned_m=fact.planned_m,
            graph=fact.graph,
        )
    new = replace(round_, version=event.version, changed_at=event.recorded_at, status=status)
    match fact:
        case ev.RoundStarted():
            return replace(new, stops=fact.stops, started_at=event.at)
        case ev.RoundStopDone():
            return replace(new, stops=_marked(round_.stops, fact.incident_id))
        case ev.RoundRevised():
            return replace(new, stops=fact.stops, graph=fact.graph)
        case ev.RoundPaused():
            return replace(
                new,
                pause_reason=fact.reason,
                paused_for=fact.incident_id,
                paused_at=event.at,
            )
        case ev.RoundResumed():
            return replace(_going_on(new), stops=fact.stops, graph=fact.graph)
        case ev.RoundDone():
            return replace(_going_on(new), ended_at=event.at)
        case ev.RoundCancelled():
            return replace(_going_on(new), ended_at=event.at, reason=fact.reason)
    raise WrongStatus(f"{event.type} says nothing about a round.", kind="round")


def _marked(stops: Iterable[Stop], incident_id: UUID) -> tuple[Stop, ...]:
    return tuple(
        replace(stop, state="done", reason=None) if stop.incident_id == incident_id else stop
        for stop in stops
    )


def _going_on(round_: Round) -> Round:
    # when it last paused stays known: what a crew let pass before that is settled
    return replace(round_, pause_reason=None, paused_for=None)


def is_routine(policy: Policy, incident: Incident) -> bool:
    """Whether the incident waits for a round instead of being sent by itself.

    Raised above the priority of its service, or wanting a second crew, it is no routine.
    """
    service = policy.services.get(incident.service_code)
    return (
        incident.service_code in policy.rounds.services
        and service is not None
        and incident.priority >= service.priority
        and incident.required_crews == 1
    )


def may_join(policy: Policy, incident: Incident) -> bool:
    """Whether the incident can become a stop of a new round now: routine, and nobody is on it."""
    return (
        incident.status == "pending"
        and not incident.assignment_ids
        and is_routine(policy, incident)
    )


def begun(round_: Round, now: datetime) -> tuple[Stop, ...]:
    """The stops with their arrivals counted from `now` instead of from when they were planned."""
    late = now - round_.made_at
    return tuple(
        replace(stop, eta=_later(stop.eta, late), eta_latest=_later(stop.eta_latest, late))
        for stop in round_.stops
    )


def _later(at: datetime | None, by: timedelta) -> datetime | None:
    return at + by if at is not None else None


def planned_stop(
    incident_id: UUID, now: datetime, *, driven_s: float, worked_s: float, sure: Spread
) -> Stop:
    """A stop reached after `driven_s` seconds of driving and `worked_s` at the stops before it.

    Its latest arrival is the p90 of all that driving as one drive, as sure as `sure` says. Errors
    of one day go together more than they cancel; work counts as planned, its own spread is not
    known.
    """
    start = now + timedelta(seconds=worked_s)
    latest_s = sure.quantile_s(driven_s, 0.9)
    eta, eta_latest = (start + timedelta(seconds=s) for s in (driven_s, latest_s))
    return Stop(incident_id, eta, eta_latest=eta_latest)


def reordered(
    round_: Round,
    order: Iterable[UUID],
    drive_s: Iterable[float],
    *,
    work_s: float,
    now: datetime,
    sure: Spread,
) -> tuple[Stop, ...]:
    """The stops with those still waiting in this order and timed anew.

    `drive_s` are the seconds of each leg, the first from where the crew is now; every stop takes
    `work_s` seconds. `sure` spreads drives. What is done or dropped stays in front, as it was.
    """
    timed: list[Stop] = []
    driven_s = 0.0
    for incident_id, seconds in zip(order, drive_s, strict=True):
        driven_s += seconds
        worked_s = len(timed) * work_s
        timed.append(
            planned_stop(incident_id, now, driven_s=driven_s, worked_s=worked_s, sure=sure)
        )
    behind = [stop for stop in round_.stops if stop.state != "waiting"]
    return (*behind, *timed)
