"""How a round goes on: urgent work first, then the next stop, and what is left ordered anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from dispatch import actions
from dispatch.actions.recording import record
from dispatch.core import events as ev
from dispatch.core import gates, rounds, tours
from dispatch.core.assignments import Assignment
from dispatch.core.crews import Crew
from dispatch.core.events import SYSTEM, Fact, Stop
from dispatch.core.incidents import ACTIVE, Incident
from dispatch.core.policy import Vehicle
from dispatch.core.road_times import outlook_by
from dispatch.core.rounds import Round
from dispatch.core.world import World
from dispatch.dispatcher.planning import estimate_of
from geo.spread import Outlook

SHORTER_S = 60.0
"""Another order is worth telling from so many seconds of driving on."""
SLIP_S = 300.0
"""Arrivals at stops are told anew when one moved by more than this."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rest:
    """What the roads are asked for one round: from the crew and every stop to every stop.

    `here` is the crew's newest position, degrees; None when it never sent one. `vehicle` is what it
    drives, when that cannot use every road; `kinds` names its kind.
    """

    round_id: UUID
    here: tuple[float, float] | None
    stops: tuple[tuple[UUID, float, float], ...]
    vehicle: Vehicle | None = None
    kinds: Mapping[UUID, str] = field(default_factory=dict)


def running_rounds(world: World, now: datetime) -> tuple[Rest, ...]:
    """The rounds on their way, each with what is left of it, ordered by id."""
    fixes = world.fixes()
    found = []
    for round_ in world.open_rounds():
        if not round_.running:
            continue
        fix = fixes.get(round_.crew_id)
        incidents = [world.incident(incident_id) for incident_id in round_.waiting]
        stops = tuple((incident.id, incident.lon, incident.lat) for incident in incidents)
        vehicle = world.policy.vehicle_of(world.crew(round_.crew_id).vehicle)
        here = fix.here if fix else None
        kinds = {round_.crew_id: vehicle.kind if vehicle else ""}
        found.append(Rest(round_.id, here, stops, vehicle, kinds))
    return tuple(found)


def tend_round(
    world: World,
    now: datetime,
    rest: Rest,
    seconds: Floats,
    *,
    graph: str,
    outlook: Outlook | None = None,
) -> Round:
    """Mark what is done, drop what fell away, pause, go on, send the crew to its next stop.

    `seconds` has shape (n + 1, n) for the n stops of `rest`: row 0 leaves the crew's position,
    row i + 1 leaves stop i; infinite where no road leads. `outlook` says how sure they are, else
    the policy does.
    """
    round_ = _settled(world, now, world.round(rest.round_id), graph=graph)
    if not round_.running:
        return round_
    crew = world.crew(round_.crew_id)
    working = world.active_assignment(crew.id)
    if working is not None:
        return _beside(world, now, round_, working, graph=graph)
    if not round_.waiting:
        return _record(world, now, round_, ev.RoundDone(), "rounds.done")
    held = _held(world, now, round_, crew)
    if held is not None:
        if round_.status == "active" and held not in ("stale", "no_position"):
            paused = ev.RoundPaused(held, None)
            return _record(world, now, round_, paused, "rounds.pause", reason=held)
        return round_
    sure = outlook or outlook_by(world.policy)
    return _onward(world, now, round_, rest, seconds, graph=graph, outlook=sure)


def _settled(world: World, now: datetime, round_: Round, *, graph: str) -> Round:
    """The round with its finished stops marked and those that fell away dropped."""
    dropped: dict[UUID, str] = {}
    if not round_.running:
        return round_
    for incident_id in round_.waiting:
        incident = world.incident(incident_id)
        mine, others = _assignments(world, round_, incident)
        if any(assignment.active for assignment in mine):
            continue
        if incident.status not in ACTIVE and any(a.status == "cleared" for a in mine):
            done = ev.RoundStopDone(incident_id)
            round_ = _record(world, now, round_, done, "rounds.stop_done")
            continue
        why = _why_dropped(world, round_, incident, mine=mine, others=others)
        if why is not None:
            dropped[incident_id] = why
    return _dropped(world, now, round_, dropped, graph=graph) if dropped else round_


def _dropped(
    world: World, now: datetime, round_: Round, dropped: Mapping[UUID, str], *, graph: str
) -> Round:
    stops = tuple(
        replace(stop, state="dropped", reason=dropped[stop.incident_id])
        if stop.incident_id in dropped
        else stop
        for stop in round_.stops
    )
    told = {str(incident_id): why for incident_id, why in dropped.items()}
    revised = ev.RoundRevised(stops, graph)
    return _record(world, now, round_, revised, "rounds.dropped", dropped=told)


def _assignments(
    world: World, round_: Round, incident: Incident
) -> tuple[list[Assignment], list[Assignment]]:
    """The crew's own assignments to the stop since the round began, and those of others."""
    found = world.assignments_of(incident.id)
    mine = [
        a
        for a in found
        if a.crew_id == round_.crew_id
        and round_.started_at is not None
        and a.dispatched_at >= round_.started_at
    ]
    return mine, [a for a in found if a.crew_id != round_.crew_id]


def _why_dropped(
    world: World,
    round_: Round,
    incident: Incident,
    *,
    mine: list[Assignment],
    others: list[Assignment],
) -> str | None:
    if incident.status not in ACTIVE:
        return "closed"
    if any(assignment.active for assignment in others):
        return "taken"
    if not rounds.is_routine(world.policy, incident):
        return "urgent"
    if any(assignment.status == "declined" for assignment in mine):
        return "declined"
    crew = world.crew(round_.crew_id)
    return None if set(incident.required_skills) <= set(crew.skills) else "skill"


def _beside(
    world: World, now: datetime, round_: Round, working: Assignment, *, graph: str
) -> Round:
    """The crew is at work: at a stop of the round, or at something that came first."""
    on_round = working.incident_id in round_.waiting
    if on_round and round_.status == "paused":
        resumed = ev.RoundResumed(round_.stops, graph)
        return _record(world, now, round_, resumed, "rounds.resume")
    if not on_round and round_.status == "active":
        paused = ev.RoundPaused("interrupted", working.incident_id)
        incident = str(working.incident_id)
        return _record(world, now, round_, paused, "rounds.interrupted", incident=incident)
    return round_


def _held(world: World, now: datetime, round_: Round, crew: Crew) -> str | None:
    """Why the free crew is not sent to its next stop now."""
    pause = timedelta(seconds=world.policy.offers.decline_pause_s)
    paused_at = round_.paused_at
    if round_.pause_reason in ("unanswered", "withdrawn"):
        assert paused_at is not None
        if now - paused_at < pause:
            return round_.pause_reason
    elif round_.status == "active":
        let_pass = _let_pass(world, round_)
        if let_pass is not None:
            return let_pass
    fix = world.fixes().get(crew.id)
    work_s = world.policy.rounds.work_s
    return gates.unfit(crew, fix, now=now, policy=world.policy, work_s=work_s)


def _let_pass(world: World, round_: Round) -> str | None:
    """Whether the crew's last offer of a stop ended without an answer, or was taken back."""
    for incident_id in round_.waiting:
        mine, _ = _assignments(world, round_, world.incident(incident_id))
        for assignment in mine:
            ended = assignment.ended_at
            if ended is None or (round_.paused_at is not None and ended <= round_.paused_at):
                continue
            if assignment.status == "expired":
                return "unanswered"
            if assignment.status == "withdrawn":
                return "withdrawn"
    return None


def _onward(
    world: World,
    now: datetime,
    round_: Round,
    rest: Rest,
    seconds: Floats,
    *,
    graph: str,
    outlook: Outlook,
) -> Round:
    """Put what is left in order from where the crew is, tell what changed, send it on."""
    waiting = set(round_.waiting)
    columns = [i for i, stop in enumerate(rest.stops) if stop[0] in waiting]
    lost = {rest.stops[i][0]: "unreachable" for i in columns if not np.isfinite(seconds[0, i])}
    if lost:
        round_ = _dropped(world, now, round_, lost, graph=graph)
        columns = [i for i in columns if rest.stops[i][0] not in lost]
    if not columns:
        return round_
    table = seconds[np.ix_([0, *(i + 1 for i in columns)], columns)]
    given = list(range(len(columns)))
    order = tours.shortest(table)
    if tours.driven_s(table, given) - tours.driven_s(table, order) < SHORTER_S:
        order = given
    ids = [rest.stops[columns[i]][0] for i in order]
    legs = tours.legs(table, order)
    work_s = world.policy.rounds.work_s
    stops = rounds.reordered(round_, ids, legs, work_s=work_s, now=now, sure=outlook.rolling)
    if round_.status == "paused":
        resumed = ev.RoundResumed(stops, graph)
        round_ = _record(world, now, round_, resumed, "rounds.resume", drive_s=round(sum(legs)))
    elif order != given or _slipped(round_.stops, stops):
        revised = ev.RoundRevised(stops, graph)
        round_ = _record(world, now, round_, revised, "rounds.heal", drive_s=round(sum(legs)))
    _send(world, now, round_, legs[0], graph=graph, outlook=outlook)
    return round_


def _slipped(known: tuple[Stop, ...], fresh: tuple[Stop, ...]) -> bool:
    """Whether an arrival moved by more than people should not be told of."""
    before = {stop.incident_id: stop.eta for stop in known if stop.state == "waiting"}
    return any(
        was is None or abs((stop.eta - was).total_seconds()) > SLIP_S
        for stop in fresh
        if stop.state == "waiting" and stop.eta is not None
        for was in [before.get(stop.incident_id)]
    )


def _send(
    world: World, now: datetime, round_: Round, road_s: float, *, graph: str, outlook: Outlook
) -> None:
    incident = world.incident(round_.waiting[0])
    done = sum(1 for stop in round_.stops if stop.state == "done")
    actions.send_crew(
        world,
        now,
        SYSTEM,
        incident.id,
        crew_id=round_.crew_id,
        estimate=estimate_of(road_s, incident, crew_id=round_.crew_id, outlook=outlook, now=now),
        because={
            "rule": "rounds.next_stop",
            "round": str(round_.id),
            "stop": done + 1,
            "of": done + len(round_.waiting),
            "graph": graph,
            "calibration": outlook.version,
        },
    )


def _record(
    world: World, now: datetime, round_: Round, fact: Fact, rule: str, **numbers: Any
) -> Round:
    return record(world, now, SYSTEM, round_, fact, because={"rule": rule, **numbers})
