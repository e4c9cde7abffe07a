"""What stands on the board when a plan is made: what is wanted, and who could go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from dispatch.core import coverage, matching, run_cards
from dispatch.core.assignments import DIVERTED, TAKEN, Assignment
from dispatch.core.coverage import Cover, Placed, Rule, Terrain
from dispatch.core.crews import Crew, Fix
from dispatch.core.gates import unfit
from dispatch.core.incidents import Incident
from dispatch.core.matching import Candidate, Need
from dispatch.core.policy import Policy, Slot, Vehicle
from dispatch.core.proposals import Proposal
from dispatch.core.road_times import outlook_of
from dispatch.core.rounds import is_routine
from dispatch.core.world import World

ON_THE_WAY = ("acknowledged", "en_route")
HOUR_S = 3600.0
ARRIVALS_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Question:
    """What the roads are asked before a plan: from each crew to each incident, WGS 84 degrees.

    `vehicles` names what those crews drive that cannot use every road; `sent` are the pairs of
    crews and incidents of which people are told a time of arrival. `kinds` says what every crew
    drives, "" for what no table names.
    """

    crews: tuple[tuple[UUID, float, float], ...]
    incidents: tuple[tuple[UUID, float, float], ...]
    vehicles: Mapping[UUID, Vehicle] = field(default_factory=dict)
    sent: frozenset[tuple[UUID, UUID]] = frozenset()
    kinds: Mapping[UUID, str] = field(default_factory=dict)


def question(world: World, now: datetime) -> Question:
    """What a plan needs to know from the roads; empty lists when there is nothing to plan."""
    active, everybody = world.active_incidents(), world.crews()
    wanting = any(i.wants_crews > 0 for i in active)
    if not wanting and all(crew.assignment_id is None for crew in everybody):
        return Question((), ())
    fixes = world.fixes()
    crews = tuple(
        (crew.id, *fixes[crew.id].here)
        for crew in everybody
        if crew.id in fixes and crew.status != "not_available"
    )
    incidents = tuple(
        (incident.id, incident.lon, incident.lat)
        for incident in active
        if (incident.status != "on_scene" or incident.wants_crews > 0)
        # what waits for a round is asked about when a round is planned
        and not (incident.status == "pending" and is_routine(world.policy, incident))
    )
    sent = frozenset(
        (crew.id, world.assignment(crew.assignment_id).incident_id)
        for crew in everybody
        if crew.assignment_id is not None
    )
    vehicles = vehicles_of(everybody, policy=world.policy)
    return Question(crews, incidents, vehicles, sent, kinds_of(everybody, policy=world.policy))


def vehicles_of(crews: Iterable[Crew], *, policy: Policy) -> dict[UUID, Vehicle]:
    """What crews drive that cannot use every road, by crew."""
    found = {crew.id: policy.vehicle_of(crew.vehicle) for crew in crews}
    return {crew_id: each for crew_id, each in found.items() if each and each.avoids}


def kinds_of(crews: Iterable[Crew], *, policy: Policy) -> dict[UUID, str]:
    """The kind of vehicle of each crew, "" for one that no table names."""
    found = {crew.id: policy.vehicle_of(crew.vehicle) for crew in crews}
    return {crew_id: each.kind if each else "" for crew_id, each in found.items()}


@dataclass(frozen=True, slots=True)
class OnTheWay:
    """A crew that the plan may turn round, and how much of its way is left."""

    crew: Crew
    assignment: Assignment
    incident: Incident
    left_s: float
    correction_s: float
    """What the road time from its last position says too much (negative) or too little."""


def needs(world: World, now: datetime) -> list[Need]:
    """The crews that incidents want, one need for each open slot of their run cards."""
    found: list[Need] = []
    for incident in world.active_incidents():
        if incident.wants_crews <= 0 or is_routine(world.policy, incident):
            continue
        assigned = [world.crew(world.assignment(a).crew_id) for a in incident.assignment_ids]
        paused = paused_for(world, now, incident)
        for at, slot in enumerate(run_cards.missing(run_cards.slots_of(incident), assigned)):
            found.append(_need(incident, slot, at=at, paused=paused))
    return found


def need_of(world: World, now: datetime, incident: Incident) -> Need:
    """What the incident would want if nobody were sent, for a dispatcher who asks."""
    slot = run_cards.slots_of(incident)[0]
    return _need(incident, slot, paused=paused_for(world, now, incident))


def held_need(world: World, now: datetime, held: OnTheWay) -> Need:
    """The need that a crew on its way already answers; who declined it does not replace it."""
    return replace(need_of(world, now, held.incident), held_by=held.crew.id)


def _need(incident: Incident, slot: Slot, *, at: int = 0, paused: frozenset[UUID]) -> Need:
    return Need(
        incident_id=incident.id,
        due_at=incident.due_at,
        priority=incident.priority,
        skills=frozenset(slot.skills),
        equipment=frozenset(slot.equipment),
        slot=at,
        paused=paused,
        p_genuine=1.0 if incident.p_genuine is None else incident.p_genuine,
    )


def paused_for(world: World, now: datetime, incident: Incident) -> frozenset[UUID]:
    """The crews that should not be asked for this incident again yet.

    Those that declined, did not answer, or were called back by somebody; not those that the plan
    itself took off it.
    """
    pause = timedelta(seconds=world.policy.offers.decline_pause_s)
    return frozenset(
        assignment.crew_id
        for assignment in world.assignments_of(incident.id)
        if assignment.status in ("declined", "expired", "withdrawn")
        and assignment.decline_reason not in (DIVERTED, TAKEN)
        and assignment.ended_at is not None
        and now - assignment.ended_at < pause
    )


def on_the_way(
    world: World, now: datetime, road_s: Mapping[tuple[UUID, UUID], float]
) -> dict[UUID, OnTheWay]:
    """The crews that the diversion rules let the plan turn round, by crew.

    Never one that was turned round just before, never one whose incident lost as many crews as
    it may, never one that is nearly there.
    """
    rule = world.policy.diversion
    if not rule.enabled or world.policy.matching.rule != "deadline":
        return {}
    fixes, outlook = world.fixes(), outlook_of(road_s, world.policy)
    found: dict[UUID, OnTheWay] = {}
    for crew in world.crews():
        if crew.assignment_id is None or crew.id not in fixes:
            continue
        assignment = world.assignment(crew.assignment_id)
        incident = world.incident(assignment.incident_id)
        seconds = road_s.get((crew.id, incident.id))
        if seconds is None or not _divertible(world, assignment, incident):
            continue
        # one that broke down, or whose people must rest, does no more than it has begun
        if unfit(crew, fixes[crew.id], now=now, policy=world.policy, on_the_way=True):
            continue
        turnout_s = outlook.turnout_of(crew.id)
        correction = _correction(
            assignment, fixes[crew.id], now, policy=world.policy, turnout_s=turnout_s
        )
        left_s = max(seconds + correction, 0.0)
        if left_s > rule.lock_s or is_routine(world.policy, incident):
            found[crew.id] = OnTheWay(crew, assignment, incident, left_s, correction)
    turned = _turned_before(world) if found else frozenset()
    return {
        crew_id: held
        for crew_id, held in found.items()
        if crew_id not in turned or is_routine(world.policy, held.incident)
    }


def _turned_before(world: World) -> frozenset[UUID]:
    """The crews that were turned round and have arrived nowhere since.

    Known from incidents that are not yet over and the newest arrivals.
    """
    turned: dict[UUID, datetime] = {}
    for incident in world.active_incidents():
        for one in world.assignments_of(incident.id):
            if one.decline_reason == DIVERTED and one.ended_at is not None:
                turned[one.crew_id] = max(one.ended_at, turned.get(one.crew_id, one.ended_at))
    if not turned:
        return frozenset()
    arrivals = world.last_arrivals(ARRIVALS_LOOKED_AT, since=min(turned.values()))
    there = {
        one.crew_id
        for one in arrivals
        if one.arrived_at and one.arrived_at > turned.get(one.crew_id, one.arrived_at)
    }
    return frozenset(turned.keys() - there)


def _divertible(world: World, assignment: Assignment, incident: Incident) -> bool:
    if assignment.status not in ON_THE_WAY or assignment.diverted_from is not None:
        return False
    if is_routine(world.policy, incident):
        return True
    if incident.priority not in world.policy.diversion.priorities:
        return False
    # an incident with several crews keeps what it has
    if incident.required_crews > 1 or len(incident.assignment_ids) != 1:
        return False
    lost = sum(
        other.status == "withdrawn" and other.decline_reason == DIVERTED
        for other in world.assignments_of(incident.id)
    )
    return lost < world.policy.diversion.most_per_incident


def _correction(
    assignment: Assignment, fix: Fix, now: datetime, *, policy: Policy, turnout_s: float
) -> float:
    """Seconds to add to the road time from the last position of a crew that keeps its job."""
    if assignment.status == "en_route":
        # it drove on since that position was taken
        rolling = assignment.enroute_at or now
        return -(now - max(fix.fix_time, rolling)).total_seconds()
    since = (now - (assignment.acknowledged_at or now)).total_seconds()
    return max(turnout_s - policy.offers.accept_s - since, 0.0)


def candidates(
    world: World,
    now: datetime,
    *,
    moving: Mapping[UUID, OnTheWay] | None = None,
    terrain: Terrain | None = None,
) -> list[Candidate]:
    """All crews, each with what speaks against sending it now.

    `moving` are those that may be turned round; with a `terrain`, each free crew is priced by
    what the rest of the city loses when it goes.
    """
    moving = moving or {}
    fixes = world.fixes()
    reasons = {
        crew.id: None
        if crew.id in moving
        else unfit(crew, fixes.get(crew.id), now=now, policy=world.policy)
        for crew in world.crews()
    }
    losses: Mapping[UUID, float] = {}
    if terrain is not None and world.policy.matching.coverage_loss > 0:
        free = [c for c in world.crews() if c.id not in moving and reasons[c.id] is None]
        losses = cover_losses(world, now, terrain, free=free)
    found = []
    for crew in world.crews():
        held = moving.get(crew.id)
        rolling = held is not None or (crew.move_up or {}).get("status") == "ordered"
        found.append(
            Candidate(
                crew_id=crew.id,
                skills=frozenset(crew.skills),
                equipment=frozenset(crew.equipment),
                unfit=reasons[crew.id],
                turnout_s=world.policy.offers.accept_s if rolling else None,
                holds=held.incident.id if held else None,
                held_s=held.correction_s if held else 0.0,
                rolling=held is not None and held.assignment.status == "en_route",
                cover_loss=losses.get(crew.id, 0.0),
            )
        )
    return found


def plan_for(
    world: World,
    now: datetime,
    incident: Incident,
    road_s: Mapping[tuple[UUID, UUID], float],
    *,
    terrain: Terrain | None = None,
    able: Sequence[Candidate] | None = None,
) -> Proposal:
    """The proposal for one incident as if it stood alone, for a dispatcher who asks.

    `able` are the candidates where they are known already.
    """
    wanted = need_of(world, now, incident)
    if able is None:
        able = candidates(world, now, terrain=terrain)
    [proposal] = matching.match([wanted], able, road_s, policy=world.policy, now=now)
    return proposal


def placed(world: World, now: datetime, terrain: Terrain) -> list[Placed]:
    """The crews that are free now, each in the zone it stands in or was asked to wait in."""
    fixes = world.fixes()
    free = [
        crew
        for crew in world.crews()
        if unfit(crew, fixes.get(crew.id), now=now, policy=world.policy) is None
    ]
    return _placed(free, fixes, terrain)


def _placed(free: Sequence[Crew], fixes: Mapping[UUID, Fix], terrain: Terrain) -> list[Placed]:
    zones = terrain.zones_of([_counts_at(crew, fixes[crew.id]) for crew in free])
    return [
        Placed(crew.id, frozenset(crew.skills), zone)
        for crew, zone in zip(free, zones, strict=True)
    ]


def _counts_at(crew: Crew, fix: Fix) -> tuple[float, float]:
    """Its post when it was asked to wait at one, else where it is."""
    post = crew.move_up
    if post is not None and post["status"] in ("ordered", "reached"):
        return post["lon"], post["lat"]
    return fix.lon, fix.lat


def cover_rule(world: World, terrain: Terrain) -> Rule:
    """The numbers of the cover: the policy's, with the share of crews that are bound now.

    q is the mean of `busy_share`, worth `busy_prior` crews, and of what the crews on duty do.
    """
    policy = world.policy
    m, prior = policy.matching, policy.coverage.busy_prior
    duty = [crew for crew in world.crews() if crew.status != "not_available"]
    bound = sum(crew.assignment_id is not None for crew in duty)
    busy = (bound + policy.coverage.busy_share * prior) / (len(duty) + prior)
    return Rule(
        drive_s=policy.promise.target_s - turnout_of(world, terrain),
        sigma=m.sigma if terrain.sigma is None else terrain.sigma,
        busy_share=min(max(busy, 0.05), 0.9),
        threshold=policy.coverage.threshold_s,
    )


def turnout_of(world: World, terrain: Terrain) -> float:
    """Seconds from asked to rolling of an ordinary crew."""
    known = terrain.turnout_s
    return world.policy.matching.turnout_s if known is None else known


def cover_of(world: World, now: datetime, terrain: Terrain) -> Cover:
    """The cover that the free crews give now."""
    rule = cover_rule(world, terrain)
    return Cover(terrain, placed(world, now, terrain), rule=rule, hour=now.hour)


def cover_losses(
    world: World, now: datetime, terrain: Terrain, *, free: Sequence[Crew]
) -> Mapping[UUID, float]:
    """The incidents (weighted) that will be late because the crew is away, by free crew.

    What E of `coverage` loses, times the incidents expected while the crew is bound.
    """
    m = world.policy.matching
    standing = _placed(free, world.fixes(), terrain)
    cover = Cover(terrain, standing, rule=cover_rule(world, terrain), hour=now.hour)
    away_h = (m.mean_service_s + m.mean_travel_s) / HOUR_S
    calls = float(terrain.per_hour[now.hour % coverage.HOURS]) * away_h
    lost = cover.losses() * calls
    return {crew.crew_id: float(loss) for crew, loss in zip(cover.placed, lost, strict=True)}
