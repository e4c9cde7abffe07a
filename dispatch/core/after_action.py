"""Why a promise was missed: where the minutes went, and who would have been there sooner.

The time from the first report to the first crew on scene is cut into pieces without gaps:

    verification  received → the incident opened
    queue         nobody is asked and nobody is on the way
    declined, expired, withdrawn, diverted  a crew was asked, but another had to be found
    turnout       the crew that arrived was asked → it rolls
    travel        it rolls → it would be there, by the estimate at the offer
    slip          the road took longer than that estimate

The cause is the kind of piece with the most seconds beyond the usual.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any
from uuid import UUID

from dispatch.core import events as ev
from dispatch.core.assignments import DIVERTED, Assignment
from dispatch.core.events import Event
from dispatch.core.incidents import Incident

KINDS = (
    "verification",
    "queue",
    "declined",
    "expired",
    "withdrawn",
    "diverted",
    "turnout",
    "travel",
    "slip",
)
"""The pieces, in the order in which they can come; the first wins a tie."""

ENOUGH = 10
"""From so many arrivals on, their median is the usual; before, the policy's numbers are."""

SOONER_S = 60.0
SHOWN = 6
UNABLE = frozenset({"skill", "equipment", "vehicle", "off_duty", "rest", "shift", "unreachable"})


@dataclass(frozen=True, slots=True)
class Usual:
    """What each kind of piece usually takes, seconds; `n` arrivals say so, 0: the policy."""

    seconds: Mapping[str, float]
    n: int


def starts_at(incident: Incident) -> datetime:
    """When the clock that was missed began: at the first report, or when it was reopened."""
    return incident.reopened_at or incident.received_at


def missed(incident: Incident) -> bool:
    """Whether the promise is known to be broken: a crew came late, or it ended without one."""
    ended_at = incident.first_arrived_at or incident.closed_at
    return ended_at is not None and ended_at > incident.due_at


def usual(
    arrivals: Sequence[tuple[Incident, Assignment]], *, turnout_s: float, travel_s: float
) -> Usual:
    """The medians over these arrivals, or the policy's two numbers while there are too few."""
    times: dict[str, list[float]] = {}
    for incident, assignment in arrivals:
        if incident.reopened_at is None:
            for kind, seconds in _plain_times(incident, assignment):
                times.setdefault(kind, []).append(seconds)
    counted = len(times.get("travel", ()))
    if counted < ENOUGH:
        return Usual({"turnout": turnout_s, "travel": travel_s}, 0)
    return Usual({kind: round(median(found), 1) for kind, found in times.items()}, counted)


def _plain_times(incident: Incident, assignment: Assignment) -> Iterator[tuple[str, float]]:
    spans = {
        "verification": (incident.received_at, incident.verified_at),
        "queue": (incident.verified_at, incident.first_dispatched_at),
        "turnout": (assignment.dispatched_at, assignment.enroute_at),
        "travel": (assignment.enroute_at, assignment.arrived_at),
    }
    for kind, (start, end) in spans.items():
        if start is not None and end is not None:
            yield kind, max(0.0, (end - start).total_seconds())


def review(
    incident: Incident,
    sent: Sequence[Assignment],
    history: Sequence[Event],
    *,
    usual: Usual,
    turnout_s: float,
) -> ev.AfterActionRecorded:
    """The record of a missed promise, from what happened in this life of the incident.

    `sent` are its assignments, `history` its events and theirs in order; `turnout_s` is the part
    of an estimate that is not road. Raises ValueError when the promise was not missed.
    """
    if not missed(incident):
        raise ValueError(f"the promise of {incident.ticket} was not missed")
    start = starts_at(incident)
    end = incident.first_arrived_at or incident.closed_at
    assert end is not None
    sent = sorted(
        (a for a in sent if a.dispatched_at >= start), key=lambda a: (a.dispatched_at, a.id)
    )
    first = _first_there(sent) if incident.first_arrived_at else None
    course = _Course(start, end, incident.verified_at, sent, first, turnout_s)
    segments = course.segments()
    cause, beyond_s = _cause(segments, usual)
    decisions = list(_decisions([e for e in history if e.at >= start]))
    return ev.AfterActionRecorded(
        starts_at=start,
        due_at=incident.due_at,
        arrived_at=incident.first_arrived_at,
        ended_at=end,
        late_s=round((end - incident.due_at).total_seconds(), 1),
        cause=cause,
        beyond_s=beyond_s,
        assignment_id=first.id if first else None,
        crew_id=first.crew_id if first else None,
        intervals=_intervals(start, sent, first),
        segments=tuple(segments),
        usual=dict(usual.seconds),
        usual_n=usual.n,
        asked=len(sent),
        declined=sum(a.status == "declined" for a in sent),
        expired=sum(a.status == "expired" for a in sent),
        arrival_distance_m=first.arrival_distance_m if first else None,
        nearest_s=_nearest(decisions),
        sooner=tuple(_sooner(decisions, sent, first, end=end, due_at=incident.due_at)),
    )


def _first_there(sent: Sequence[Assignment]) -> Assignment | None:
    there = [a for a in sent if a.arrived_at is not None]
    return min(there, key=lambda a: (a.arrived_at, a.id), default=None)


def _intervals(
    start: datetime, sent: Sequence[Assignment], first: Assignment | None
) -> dict[str, float | None]:
    """Processing, turnout, travel and total response as the evaluation defines them, seconds."""
    dispatched_at = min((a.dispatched_at for a in sent), default=None)
    return {
        "processing": _between(start, dispatched_at),
        "turnout": _between(first.dispatched_at, first.enroute_at) if first else None,
        "travel": _between(first.enroute_at, first.arrived_at) if first else None,
        "total_response": _between(start, first.arrived_at) if first else None,
    }


def _between(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else round((end - start).total_seconds(), 1)


@dataclass(frozen=True, slots=True)
class _Course:
    """The time of one miss, cut where something changed."""

    start: datetime
    end: datetime
    verified_at: datetime | None
    sent: Sequence[Assignment]
    first: Assignment | None
    turnout_s: float

    def segments(self) -> list[dict[str, Any]]:
        pieces: list[tuple[str, Assignment | None, datetime, datetime]] = []
        for here, there in pairwise(self._cuts()):
            kind, whose = self._at(here)
            if pieces and pieces[-1][0] == kind and pieces[-1][1] is whose:
                pieces[-1] = (kind, whose, pieces[-1][2], there)
            else:
                pieces.append((kind, whose, here, there))
        return [_segment(*piece) for piece in pieces]

    def _cuts(self) -> list[datetime]:
        moments = {self.start, self.end, self.verified_at, self._expected_at()}
        for a in self.sent:
            moments |= {a.dispatched_at, a.acknowledged_at, a.enroute_at, a.ended_at}
        return sorted(m for m in moments if m is not None and self.start <= m <= self.end)

    def _at(self, moment: datetime) -> tuple[str, Assignment | None]:
        """What the piece that begins here is, and whose."""
        first = self.first
        if first is not None and moment >= first.dispatched_at:
            expected_at = self._expected_at()
            if moment < _rolls_at(first):
                return "turnout", first
            slipped = expected_at is not None and moment >= expected_at
            return ("slip" if slipped else "travel"), first
        for a in self.sent:
            if a.dispatched_at <= moment and (a.ended_at is None or moment < a.ended_at):
                return _kind_of(a, moment), a
        if self.verified_at is not None and moment < self.verified_at:
            return "verification", None
        return "queue", None

    def _expected_at(self) -> datetime | None:
        """When the crew that came should have been there, by the estimate at its offer."""
        if self.first is None or self.first.ete_s is None:
            return None
        road_s = max(0.0, self.first.ete_s - self.turnout_s)
        return _rolls_at(self.first) + timedelta(seconds=road_s)


def _rolls_at(assignment: Assignment) -> datetime:
    return assignment.enroute_at or assignment.acknowledged_at or assignment.dispatched_at


def _ended(assignment: Assignment) -> str | None:
    """How an assignment ended without the crew arriving; None when it did not."""
    if assignment.status == "withdrawn" and assignment.decline_reason == DIVERTED:
        return "diverted"
    status = assignment.status
    return status if status in ("declined", "expired", "withdrawn") else None


def _kind_of(assignment: Assignment, moment: datetime) -> str:
    ended = _ended(assignment)
    if ended is not None:
        return ended
    rolling = assignment.enroute_at is not None and moment >= assignment.enroute_at
    return "travel" if rolling else "turnout"


def _segment(kind: str, whose: Assignment | None, start: datetime, end: datetime) -> dict[str, Any]:
    return {
        "kind": kind,
        "from": moment(start),
        "to": moment(end),
        "s": round((end - start).total_seconds(), 1),
        "crew_id": str(whose.crew_id) if whose else None,
    }


def _cause(segments: Sequence[Mapping[str, Any]], usual: Usual) -> tuple[str, float]:
    """The kind with the most seconds beyond the usual, and how many those are."""
    took = dict.fromkeys(KINDS, 0.0)
    for segment in segments:
        took[segment["kind"]] += segment["s"]
    beyond = {kind: took[kind] - usual.seconds.get(kind, 0.0) for kind in KINDS if took[kind] > 0}
    cause = max(beyond, key=lambda kind: (beyond[kind], -KINDS.index(kind)))
    return cause, round(beyond[cause], 1)


@dataclass(frozen=True, slots=True)
class _Decision:
    """The crews that were weighed at one moment; `reason` is why one was taken."""

    at: datetime
    crew_id: UUID | None
    reason: str | None
    candidates: Sequence[Mapping[str, Any]]


def _decisions(history: Sequence[Event]) -> Iterator[_Decision]:
    """What was weighed and when; an offer by hand saw what was recommended before it."""
    shown: Sequence[Mapping[str, Any]] = ()
    for event in history:
        fact, because = event.fact, event.because or {}
        if isinstance(fact, ev.RecommendationMade):
            shown = fact.candidates
            yield _Decision(event.at, fact.crew_id, fact.selection_reason, shown)
        elif isinstance(fact, ev.AssignmentOffered):
            by_hand = fact.source == "dispatcher"
            reason = "by_hand" if by_hand else because.get("selection_reason")
            weighed = because.get("candidates") or shown
            yield _Decision(event.at, fact.crew_id, reason, weighed)


def _nearest(decisions: Sequence[_Decision]) -> float | None:
    """The least seconds that any crew able to do the work needed when it was first weighed."""
    if not decisions:
        return None
    able = [
        float(c["ete_s"])
        for c in decisions[0].candidates
        if c.get("ete_s") is not None and c.get("why_not") not in UNABLE
    ]
    return min(able, default=None)


def _sooner(
    decisions: Sequence[_Decision],
    sent: Sequence[Assignment],
    first: Assignment | None,
    *,
    end: datetime,
    due_at: datetime,
) -> list[dict[str, Any]]:
    """Crews that would have been there at least a minute sooner, with why they did not go."""
    ends = {a.crew_id: _ended(a) for a in sent}
    best: dict[str, dict[str, Any]] = {}
    for decision in decisions:
        for c in decision.candidates:
            if c.get("ete_s") is None or (first and c["crew_id"] == str(first.crew_id)):
                continue
            would = decision.at + timedelta(seconds=float(c["ete_s"]))
            sooner_s = (end - would).total_seconds()
            known = best.get(c["crew_id"])
            if sooner_s < SOONER_S or (known and known["sooner_s"] >= sooner_s):
                continue
            best[c["crew_id"]] = {
                "crew_id": c["crew_id"],
                "at": moment(decision.at),
                "ete_s": c["ete_s"],
                "would_arrive_at": moment(would),
                "sooner_s": round(sooner_s, 1),
                "in_time": would <= due_at,
                "why_not": c.get("why_not") or ends.get(UUID(c["crew_id"])) or decision.reason,
            }
    ranked = sorted(
        best.values(), key=lambda c: (c["why_not"] in UNABLE, -c["sooner_s"], c["crew_id"])
    )
    return ranked[:SHOWN]


def moment(value: datetime) -> str:
    """As everywhere on the wire: ISO 8601, UTC, with Z."""
    return value.isoformat().replace("+00:00", "Z")
