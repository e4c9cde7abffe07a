"""A closure: pieces of road that cannot be driven until somebody lifts it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from dispatch.core import events as ev
from dispatch.core.errors import Invalid, WrongStatus
from dispatch.core.events import Stretch
from dispatch.core.lifecycle import Lifecycle

SegmentKey = tuple[int, int]
"""The OSM ids of two neighbouring nodes of a road, in driving direction."""

MOST_STRETCHES = 2_000
"""One closure holds at most so many pieces; more is a district, not a road."""


@dataclass(frozen=True, slots=True)
class Closure:
    """Times are UTC. `made_by` and `lifted_by` are actors as the log writes them: role:id."""

    id: UUID
    version: int
    changed_at: datetime
    status: str
    reason: str
    made_at: datetime
    made_by: str
    stretches: tuple[Stretch, ...]
    service_code: str | None = None
    incident_id: UUID | None = None
    note: str | None = None
    lifted_at: datetime | None = None
    lifted_by: str | None = None
    lift_reason: str | None = None

    kind = "closure"

    @property
    def active(self) -> bool:
        """Whether it still keeps everybody out."""
        return self.status in ACTIVE

    @property
    def segments(self) -> frozenset[SegmentKey]:
        """What it closes, both directions of each stretch."""
        return frozenset(
            key for each in self.stretches for key in ((each.u, each.v), (each.v, each.u))
        )


ACTIVE = ("closed",)

LIFECYCLE = Lifecycle(
    kind="closure",
    first={"ClosureMade": "closed"},
    table={("closed", "ClosureLifted"): "lifted"},
    final=frozenset({"lifted"}),
)


def evolve(closure: Closure | None, event: ev.Event) -> Closure:
    """The closure after the event. Raises WrongStatus when the lifecycle forbids it."""
    status = LIFECYCLE.after(closure.status if closure else None, event.type)
    fact = event.fact
    if closure is None:
        assert isinstance(fact, ev.ClosureMade)
        return Closure(
            id=event.subject,
            version=event.version,
            changed_at=event.recorded_at,
            status=status,
            reason=fact.reason,
            made_at=event.at,
            made_by=str(event.actor),
            stretches=fact.stretches,
            service_code=fact.service_code,
            incident_id=fact.incident_id,
            note=fact.note,
        )
    if not isinstance(fact, ev.ClosureLifted):
        raise WrongStatus(f"{event.type} says nothing about a closure.", kind="closure")
    return replace(
        closure,
        version=event.version,
        changed_at=event.recorded_at,
        status=status,
        lifted_at=event.at,
        lifted_by=str(event.actor),
        lift_reason=fact.reason,
    )


def closed_segments(closures: Iterable[Closure]) -> frozenset[SegmentKey]:
    """Everything the active ones close; what two of them close stays closed when one is lifted."""
    return frozenset().union(*(each.segments for each in closures if each.active))


def to_change(
    before: frozenset[SegmentKey], after: frozenset[SegmentKey]
) -> Mapping[SegmentKey, float | None]:
    """What the roads must be told to go from these closed segments to those: None = closed."""
    opened: dict[SegmentKey, float | None] = dict.fromkeys(sorted(before - after), 1.0)
    return {**opened, **dict.fromkeys(sorted(after - before))}


def checked(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Each stretch once, in order of its nodes, whichever way it was driven.

    Raises Invalid when there is none, or too many to be meant.
    """
    known: dict[SegmentKey, Stretch] = {}
    for each in stretches:
        known.setdefault((min(each.u, each.v), max(each.u, each.v)), each)
    if not known:
        raise Invalid("There is no road here. Draw along a road of the map.", field="points")
    if len(known) > MOST_STRETCHES:
        raise Invalid(
            f"This closes more than {MOST_STRETCHES} pieces of road at once. Draw less of it.",
            field="points",
        )
    return tuple(known[key] for key in sorted(known))
