"""Which crew goes where: the assignment of least expected lateness, and why.

The cost of sending crew j to incident i, with e = now − received, τ the promise,
η = turnout + road time, b = the time left of the promise, σ the spread of the ETA error and F
its distribution (`geo.spread`; Φ until the city has learned its own):

    P_late = 1 if b ≤ 0 else 1 − F(ln(b/η)/σ)
    c_ij   = w_i·[A·P_late + B·max(η − b, 0)/τ] + α·η/τ + γ·Cov_j + s·|skills beyond need|
             + κ·[another crew is on its way to i]

w_i is the priority's weight, times P(genuine). Leaving an incident waiting costs its c at the η of
the next crew to come free, plus M: it is never held on purpose; past the fairness ceiling w_i is
added for every further hour. Crews on their way may be part of the plan, with the incidents they
are on their way to: then the plan may turn them round. The sum over incidents is minimised over
[c | diag(u)] (Kuhn 1955; solved with `scipy.optimize.linear_sum_assignment`). Symbols and defaults:
`policy.toml`, table [matching]; the rules it is measured against: `dispatch.core.baselines`.

A little longer than other files: the board, its prices and what is told of them are one thought.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from dispatch.core import baselines, suitability
from dispatch.core.policy import Policy
from dispatch.core.proposals import SHORTFALLS, Proposal
from dispatch.core.road_times import RoadTimes, outlook_of, road_table
from geo.spread import Spread

INFEASIBLE = 1e7
FAR_S = 86_400.0
HOUR_S = 3_600.0
SHOWN_CANDIDATES = 8
UNTIL_NEXT_S = 600.0
"""Added to the mean wait for the next free crew: nobody is at the door already."""

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Need:
    """A crew that an incident wants; an incident that wants several has a need for each slot.

    `paused` crews declined it lately. `held_by` is the crew on its way, when the plan may turn it
    round. `p_genuine` is the probability that there is anything at all.
    """

    incident_id: UUID
    due_at: datetime
    priority: int
    skills: frozenset[str] = frozenset()
    equipment: frozenset[str] = frozenset()
    slot: int = 0
    paused: frozenset[UUID] = frozenset()
    p_genuine: float = 1.0
    held_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A crew; `unfit` is None or why nobody may send it now (see `gates.REASONS`).

    `turnout_s` is how long until it moves, the outlook's when None; `holds` is the incident it is
    on its way to, `rolling` whether it has left, and `held_s` what to add to the road time to
    that one; `cover_loss` is what leaving its place costs the rest of the city.
    """

    crew_id: UUID
    skills: frozenset[str]
    unfit: str | None = None
    equipment: frozenset[str] = frozenset()
    turnout_s: float | None = None
    holds: UUID | None = None
    held_s: float = 0.0
    rolling: bool = False
    cover_loss: float = 0.0


def p_on_time(left_s: Floats | float, ete_s: Floats | float, *, sigma: float) -> Floats:
    """Probability of arriving within the `left_s` seconds that remain, for a median ETE `ete_s`.

    Φ(ln(left/ete)/σ): the ETE error is lognormal. 0 where no time is left. Shapes broadcast.
    """
    return Spread(sigma).p_within(left_s, ete_s)


def p90(ete_s: float, *, sigma: float) -> float:
    """The ETE that is kept in nine of ten trips: median · exp(σ·Φ⁻¹(0.9)), seconds."""
    return Spread(sigma).quantile_s(ete_s, 0.9)


def match(
    needs: Sequence[Need],
    candidates: Sequence[Candidate],
    road_s: Mapping[tuple[UUID, UUID], float],
    *,
    policy: Policy,
    now: datetime,
) -> list[Proposal]:
    """One proposal per need, ordered by incident id and slot.

    `road_s` maps (crew_id, incident_id) to road seconds from the crew's present position;
    an infinite entry means unreachable, a missing one that the position was not known. The same
    world and the same `now` give the same answer, whatever the order of the arguments.
    """
    needs = sorted(needs, key=lambda need: (need.incident_id, need.slot))
    candidates = sorted(candidates, key=lambda candidate: candidate.crew_id)
    if not needs:
        return []
    board = Board(needs, candidates, road_s, policy=policy, now=now)
    chosen = board.solve()
    return [board.proposal(i, chosen.get(i)) for i in range(len(needs))]


@dataclass(frozen=True, slots=True)
class Prices:
    """The terms of c_ij, each of shape (needs, crews); `total` is their sum."""

    late: Floats
    tardy: Floats
    travel: Floats
    coverage: Floats
    skill: Floats
    switch: Floats

    @property
    def total(self) -> Floats:
        """c, shape (needs, crews)."""
        sum_: Floats = (
            self.late + self.tardy + self.travel + self.coverage + self.skill + self.switch
        )
        return sum_

    def terms(self, i: int, j: int) -> dict[str, float]:
        """The terms of one pair."""
        return {
            "late": round(float(self.late[i, j]), 4),
            "tardy": round(float(self.tardy[i, j]), 4),
            "travel": round(float(self.travel[i, j]), 4),
            "coverage": round(float(self.coverage[i, j]), 4),
            "skill": round(float(self.skill[i, j]), 4),
            "switch": round(float(self.switch[i, j]), 4),
        }


class Board:
    """Needs against candidates, with every price. Both must be sorted."""

    def __init__(
        self,
        needs: Sequence[Need],
        candidates: Sequence[Candidate],
        road_s: Mapping[tuple[UUID, UUID], float],
        *,
        policy: Policy,
        now: datetime,
    ) -> None:
        self.needs, self.candidates, self.policy = needs, candidates, policy
        road = road_table(
            road_s,
            crew_ids=[c.crew_id for c in candidates],
            incident_ids=[n.incident_id for n in needs],
        )
        self.asked: Truths = ~np.isnan(road)
        self._barred = road_s.barred if isinstance(road_s, RoadTimes) else frozenset()
        self.outlook = outlook_of(road_s, policy)
        turnout = np.array(
            [
                self.outlook.turnout_of(c.crew_id) if c.turnout_s is None else c.turnout_s
                for c in candidates
            ]
        )
        self.ete: Floats = np.where(self.asked, road, np.inf) + turnout
        self._keep_way(road)
        self.skilled = suitability.skilled(needs, candidates)
        self.feasible: Truths = self.skilled & self._free() & np.isfinite(self.ete)
        self.left = np.array([(n.due_at - now).total_seconds() for n in needs])
        self.weight = self._weights()
        reachable = np.where(np.isfinite(self.ete), self.ete, FAR_S)
        self.p = self.outlook.offered.p_within(self.left[:, None], reachable)
        self._p_on_the_way(reachable)
        self.prices = self._prices(reachable)
        self.cost: Floats = np.where(self.feasible, self.prices.total, INFEASIBLE)
        self._leave_ete = self._next_free()

    def _keep_way(self, road: Floats) -> None:
        """A crew on its way needs no turnout to where it goes already."""
        column = {c.crew_id: j for j, c in enumerate(self.candidates)}
        for i, need in enumerate(self.needs):
            j = column.get(need.held_by) if need.held_by else None
            if j is not None and self.asked[i, j]:
                self.ete[i, j] = max(road[i, j] + self.candidates[j].held_s, 0.0)

    def _p_on_the_way(self, ete: Floats) -> None:
        """Whoever rolls already is surer to arrive: only the drive is left."""
        column = {c.crew_id: j for j, c in enumerate(self.candidates)}
        for i, need in enumerate(self.needs):
            j = column.get(need.held_by) if need.held_by else None
            if j is not None:
                spread = self._spread_of(i, j)
                self.p[i, j] = float(spread.p_within(float(self.left[i]), float(ete[i, j])))

    def _spread_of(self, i: int, j: int) -> Spread:
        """How sure the time of this crew to this incident is."""
        keeps = self.needs[i].held_by == self.candidates[j].crew_id
        rolling = keeps and self.candidates[j].rolling
        return self.outlook.rolling if rolling else self.outlook.offered

    # --- what it costs -------------------------------------------------------

    def _free(self) -> Truths:
        """Whether gates and pauses let the crew go there, shape (needs, crews)."""
        conditional = self.policy.diversion.conditional_for
        fit = np.array([c.unfit is None for c in self.candidates], dtype=bool)
        on_call = np.array([c.unfit == "conditional" for c in self.candidates], dtype=bool)
        urgent = np.array([n.priority in conditional for n in self.needs], dtype=bool)
        free: Truths = fit[None, :] | (on_call[None, :] & urgent[:, None])
        column = {c.crew_id: j for j, c in enumerate(self.candidates)}
        for i, need in enumerate(self.needs):
            for crew_id in need.paused:
                if crew_id in column and need.held_by != crew_id:
                    free[i, column[crew_id]] = False
        return free

    def _weights(self) -> Floats:
        """w·P(genuine) of each need, shape (needs,)."""
        return np.array([self.policy.weight(n.priority) * n.p_genuine for n in self.needs])

    def _fairness(self) -> Floats:
        """What is added to leaving each need for every hour past `fair_after_s`, shape (needs,).

        Without it fresh incidents that can still be saved would go first for ever.
        """
        waited = self.policy.promise.target_s - self.left
        past = np.maximum(waited - self.policy.matching.fair_after_s, 0.0)
        added: Floats = self.weight * past / HOUR_S
        return added

    def _prices(self, ete: Floats) -> Prices:
        m, target = self.policy.matching, self.policy.promise.target_s
        w = self.weight[:, None]
        shape = ete.shape
        crews = [c.crew_id for c in self.candidates]
        held = np.array(
            [[n.held_by not in (None, crew_id) for crew_id in crews] for n in self.needs],
            dtype=np.float64,
        ).reshape(shape)
        loss = np.array([c.cover_loss for c in self.candidates])
        # nobody waits uncovered for incidents to come while one is there without a crew
        spare = m.coverage_loss if self._enough() else 0.0
        return Prices(
            late=w * m.late * (1.0 - self.p),
            tardy=w * m.tardiness * np.maximum(ete - self.left[:, None], 0.0) / target,
            travel=m.travel * ete / target,
            coverage=np.broadcast_to(spare * loss[None, :], shape),
            skill=m.skill_price * suitability.spare(self.needs, self.candidates),
            switch=self.policy.diversion.switch * held,
        )

    def _enough(self) -> bool:
        free = sum(c.unfit is None and c.holds is None for c in self.candidates)
        return free >= sum(n.held_by is None for n in self.needs)

    def _next_free(self) -> Floats:
        """Seconds until another crew with the skills may be there, shape (needs,)."""
        m = self.policy.matching
        bound = np.array(
            [c.unfit == "busy" or c.holds is not None for c in self.candidates], dtype=bool
        )
        count = np.maximum((self.skilled & bound[None, :]).sum(axis=1), 1)
        ete: Floats = (m.mean_service_s + m.mean_travel_s) / count + UNTIL_NEXT_S
        return ete

    def _if_left(self) -> Floats:
        """Seconds until somebody is there when nobody is sent now, shape (needs,).

        Past the fairness ceiling waiting is never cheap, or who lives farther away than the next
        crew is expected to drive would be passed over for ever.
        """
        best = np.where(self.feasible, self.ete, np.inf).min(axis=1, initial=np.inf)
        later = np.where(np.isfinite(best), best, 0.0) + UNTIL_NEXT_S
        waited = self.policy.promise.target_s - self.left
        unfair = waited > self.policy.matching.fair_after_s
        return np.where(unfair, np.maximum(self._leave_ete, later), self._leave_ete)

    def leave(self) -> Floats:
        """u: the price of leaving each need without a crew for now, shape (needs,)."""
        m, target = self.policy.matching, self.policy.promise.target_s
        ete = self._if_left()
        late = 1.0 - self.outlook.offered.p_within(self.left, ete)
        tardy = np.maximum(ete - self.left, 0.0) / target
        held = np.array([n.held_by is not None for n in self.needs], dtype=np.float64)
        price = self.weight * (m.late * late + m.tardiness * tardy) + m.travel * ete / target
        # never held on purpose: dearer than every crew that could go
        dearest = float(self.prices.total[self.feasible].max(initial=0.0))
        barrier = max(m.leave, 1.0 + dearest)
        prices: Floats = price + barrier + self.policy.diversion.switch * held
        return prices + self._fairness()

    # --- who goes ------------------------------------------------------------

    def solve(self) -> dict[int, int]:
        """The chosen candidate of each need that gets one, by position."""
        rule = self.policy.matching.rule
        if rule != "deadline":
            waited = [(need.due_at, need.incident_id, need.slot) for need in self.needs]
            priority = [need.priority for need in self.needs]
            return baselines.choose(rule, self.ete, self.feasible, waited=waited, priority=priority)
        columns = np.flatnonzero(self.feasible.any(axis=0))
        n, m = len(self.needs), len(columns)
        table = np.full((n, m + n), INFEASIBLE)
        table[:, :m] = self.cost[:, columns]
        table[np.arange(n), m + np.arange(n)] = self.leave()
        return {
            int(row): int(columns[column])
            for row, column in zip(*linear_sum_assignment(table), strict=True)
            if column < m and table[row, column] < INFEASIBLE
        }

    # --- what is told --------------------------------------------------------

    def proposal(self, i: int, chosen: int | None) -> Proposal:
        """The proposal for need `i`: the chosen crew, or why there is none."""
        need = self.needs[i]
        common: dict[str, Any] = {
            "incident_id": need.incident_id,
            "slot": need.slot,
            "candidates": self._shown(i, chosen),
            "weight": round(float(self.weight[i]), 4),
            "p_genuine": need.p_genuine,
            "held_by": need.held_by,
            "calibration": self.outlook.version,
        }
        wait_s = float(self._leave_ete[i])
        later = float(self.outlook.offered.p_within(float(self.left[i]), wait_s))
        if chosen is None:
            return Proposal(
                shortfall_reason=self._shortfall(i),
                p_otherwise=round(later, 4),
                saves=self._could_save(i, later),
                **common,
            )
        ete = float(self.ete[i, chosen])
        p = float(self.p[i, chosen])
        return Proposal(
            crew_id=self.candidates[chosen].crew_id,
            ete_s=round(ete, 1),
            p90_ete_s=round(self._spread_of(i, chosen).quantile_s(ete, 0.9), 1),
            p_on_time=round(p, 4),
            selection_reason=self._reason(i, chosen),
            cover_loss=round(self.candidates[chosen].cover_loss, 4),
            p_otherwise=round(later, 4),
            saves=round(max(p - later, 0.0), 4),
            **common,
        )

    def _could_save(self, i: int, later: float) -> float:
        """What the best crew would add if it came free for this need."""
        able = self.feasible[i]
        return round(max(float(self.p[i][able].max(initial=0.0)) - later, 0.0), 4)

    def _shown(self, i: int, chosen: int | None) -> tuple[Mapping[str, Any], ...]:
        """The chosen crew and the first others by fitness, then ETE, then id."""
        ranked = np.lexsort((self.ete[i], ~self.feasible[i]))[:SHOWN_CANDIDATES].tolist()
        if chosen is not None and chosen not in ranked:
            ranked = [*ranked[:-1], chosen]
        return tuple(self._entry(i, int(j)) for j in ranked)

    def _entry(self, i: int, j: int) -> Mapping[str, Any]:
        known = bool(np.isfinite(self.ete[i, j]))
        able = bool(self.feasible[i, j])
        holds = self.candidates[j].holds
        return {
            "crew_id": str(self.candidates[j].crew_id),
            "ete_s": round(float(self.ete[i, j]), 1) if known else None,
            "p90_ete_s": round(self._spread_of(i, j).quantile_s(float(self.ete[i, j]), 0.9), 1)
            if known
            else None,
            "p_on_time": round(float(self.p[i, j]), 4) if known else None,
            "cost": round(float(self.cost[i, j]), 4) if able else None,
            "terms": self.prices.terms(i, j) if able else None,
            "holds": str(holds) if holds else None,
            "why_not": None if able else self._why_not(i, j),
        }

    def _why_not(self, i: int, j: int) -> str:
        need, candidate = self.needs[i], self.candidates[j]
        if not self.skilled[i, j]:
            return "skill" if not need.skills <= candidate.skills else "equipment"
        if candidate.unfit is not None and not self._on_call(i, j):
            return candidate.unfit
        if candidate.crew_id in need.paused:
            return "declined"
        if (candidate.crew_id, need.incident_id) in self._barred:
            return "vehicle"
        return "unreachable" if self.asked[i, j] else "no_position"

    def _on_call(self, i: int, j: int) -> bool:
        urgent = self.needs[i].priority in self.policy.diversion.conditional_for
        return urgent and self.candidates[j].unfit == "conditional"

    def _reason(self, i: int, j: int) -> str:
        if self.candidates[j].holds not in (None, self.needs[i].incident_id):
            return "diverted"
        able = np.flatnonzero(self.feasible[i])
        if len(able) == 1:
            return "only_suitable"
        faster = [k for k in able if self.ete[i, k] < self.ete[i, j]]
        if not faster:
            return "nearest"
        if all(self.cost[i, k] > self.cost[i, j] for k in faster):
            nearest = min(faster, key=lambda k: float(self.ete[i, k]))
            skill = self.prices.skill[i, nearest] - self.prices.skill[i, j]
            cover = self.prices.coverage[i, nearest] - self.prices.coverage[i, j]
            return "keeps_skills" if skill >= cover else "keeps_cover"
        return "best_for_all"

    def _shortfall(self, i: int) -> str:
        if not self.candidates:
            return "no_crews"
        if self.feasible[i].any():
            return "more_urgent"
        skilled = np.flatnonzero(self.skilled[i])
        if not len(skilled):
            some = any(self.needs[i].skills <= c.skills for c in self.candidates)
            return "equipment" if some else "skill"
        reasons = {self._why_not(i, int(j)) for j in skilled}
        return next((reason for reason in SHORTFALLS if reason in reasons), "no_crews")
