"""Which crew goes where: the assignment of least expected lateness, and why.

The cost of sending crew j to incident i, with e = now − received, τ the promise,
η = turnout + road time, b = the time left of the promise and σ the spread of the ETA error:

    P_late = 1 if b ≤ 0 else 1 − Φ(ln(b/η)/σ)
    c_ij   = w_i·[A·P_late + B·max(η − b, 0)/τ] + α·η/τ + s·|skills beyond need|

Leaving incident i waiting costs its c at the η of the next crew to come free, plus M: it is never
held on purpose. The sum over incidents is minimised over [c | diag(u)] (Kuhn 1955; solved with
`scipy.optimize.linear_sum_assignment`). Symbols and defaults: `policy.toml`, table [matching].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.special import ndtr, ndtri

from dispatch.core.policy import Matching, Policy

INFEASIBLE = 1e7
SHOWN_CANDIDATES = 8
SHORTFALLS = (
    "unreachable",
    "declined",
    "busy",
    "stale",
    "no_position",
    "conditional",
    "shift",
    "rest",
    "short_staffed",
    "out_of_service",
    "off_duty",
)
"""Why skilled crews cannot go, what a dispatcher can change soonest first."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Need:
    """An incident that wants `wants` more crews. `paused` crews declined it lately."""

    incident_id: UUID
    due_at: datetime
    priority: int
    skills: frozenset[str]
    wants: int = 1
    paused: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A crew; `unfit` is None or why nobody may send it now: off_duty, busy, stale, no_position."""

    crew_id: UUID
    skills: frozenset[str]
    unfit: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the engine proposes for one incident; seconds and probabilities.

    `selection_reason`: nearest, only_suitable, keeps_skills, best_for_all.
    `shortfall_reason`: no_crews, skill, off_duty, busy, stale, no_position, unreachable,
    declined, more_urgent.
    """

    incident_id: UUID
    crew_id: UUID | None
    ete_s: float | None
    p90_ete_s: float | None
    p_on_time: float | None
    selection_reason: str | None
    shortfall_reason: str | None
    candidates: tuple[Mapping[str, Any], ...]

    def view(self, now: datetime) -> dict[str, Any]:
        """The proposal as the screens get it, made at `now`."""
        eta = now + timedelta(seconds=self.ete_s) if self.ete_s is not None else None
        return {
            "crew_id": str(self.crew_id) if self.crew_id else None,
            "eta": _moment(eta) if eta else None,
            "ete_s": self.ete_s,
            "p90_ete_s": self.p90_ete_s,
            "p_on_time": self.p_on_time,
            "selection_reason": self.selection_reason,
            "shortfall_reason": self.shortfall_reason,
            "made_at": _moment(now),
        }


def _moment(value: datetime) -> str:
    """As everywhere on the wire: ISO 8601, UTC, with Z."""
    return value.isoformat().replace("+00:00", "Z")


def p_on_time(left_s: Floats | float, ete_s: Floats | float, *, sigma: float) -> Floats:
    """Probability of arriving within the `left_s` seconds that remain, for a median ETE `ete_s`.

    Φ(ln(left/ete)/σ): the ETE error is lognormal. 0 where no time is left. Shapes broadcast.
    """
    left = np.asarray(left_s, dtype=np.float64)
    ete = np.maximum(np.asarray(ete_s, dtype=np.float64), 1.0)
    share = ndtr(np.log(np.maximum(left, 1e-9) / ete) / sigma)
    return np.where(left <= 0.0, 0.0, share)


def p90(ete_s: float, *, sigma: float) -> float:
    """The ETE that is kept in nine of ten trips: median · exp(σ·Φ⁻¹(0.9)), seconds."""
    return float(ete_s * np.exp(sigma * ndtri(0.9)))


def match(
    needs: Sequence[Need],
    candidates: Sequence[Candidate],
    road_s: Mapping[tuple[UUID, UUID], float],
    *,
    policy: Policy,
    now: datetime,
) -> list[Proposal]:
    """One proposal per need, ordered by incident id.

    `road_s` maps (crew_id, incident_id) to road seconds from the crew's present position;
    an infinite entry means unreachable, a missing one that the position was not known. The same
    world and the same `now` give the same answer, whatever the order of the arguments.
    """
    needs = sorted(needs, key=lambda need: need.incident_id)
    candidates = sorted(candidates, key=lambda candidate: candidate.crew_id)
    if not needs:
        return []
    board = _Board.of(needs, candidates, road_s, policy=policy, now=now)
    chosen = board.solve()
    return [board.proposal(i, chosen.get(i, [])) for i in range(len(needs))]


@dataclass(slots=True)
class _Board:
    needs: Sequence[Need]
    candidates: Sequence[Candidate]
    ete: Floats
    asked: NDArray[np.bool_]
    feasible: NDArray[np.bool_]
    left: Floats
    cost: Floats
    leave: Floats
    p: Floats
    parameters: Matching

    @classmethod
    def of(
        cls,
        needs: Sequence[Need],
        candidates: Sequence[Candidate],
        road_s: Mapping[tuple[UUID, UUID], float],
        *,
        policy: Policy,
        now: datetime,
    ) -> _Board:
        m = policy.matching
        road = np.array(
            [[road_s.get((c.crew_id, n.incident_id), np.nan) for c in candidates] for n in needs],
            dtype=np.float64,
        ).reshape(len(needs), len(candidates))
        asked = ~np.isnan(road)
        ete = np.where(asked, road, np.inf) + m.turnout_s
        feasible = np.array(
            [[_why_not(n, c) is None for c in candidates] for n in needs], dtype=bool
        ).reshape(ete.shape) & np.isfinite(ete)
        left = np.array([(n.due_at - now).total_seconds() for n in needs])
        weight = np.array([policy.weight(n.priority) for n in needs])
        reachable = np.where(np.isfinite(ete), ete, 86400.0)
        cost = _lateness(left, reachable, weight, policy) + _skill_price(needs, candidates, m)
        return cls(
            needs=needs,
            candidates=candidates,
            ete=ete,
            asked=asked,
            feasible=feasible,
            left=left,
            cost=np.where(feasible, cost, INFEASIBLE),
            leave=_leaving(needs, candidates, left, weight, policy),
            p=p_on_time(left[:, None], reachable, sigma=m.sigma),
            parameters=m,
        )

    def solve(self) -> dict[int, list[int]]:
        """Chosen candidate columns by need row."""
        rows = [i for i, need in enumerate(self.needs) for _ in range(max(1, need.wants))]
        n, m = len(rows), len(self.candidates)
        table = np.full((n, m + n), INFEASIBLE)
        table[:, :m] = self.cost[rows]
        table[np.arange(n), m + np.arange(n)] = self.leave[rows]
        chosen: dict[int, list[int]] = {}
        for row, column in zip(*linear_sum_assignment(table), strict=True):
            if column < m and table[row, column] < INFEASIBLE:
                chosen.setdefault(rows[row], []).append(int(column))
        return {i: sorted(js, key=lambda j: (self.ete[i, j], j)) for i, js in chosen.items()}

    def proposal(self, i: int, chosen: Sequence[int]) -> Proposal:
        """The proposal for need `i`: its fastest chosen crew, or why there is none."""
        need = self.needs[i]
        shown = self._shown(i)
        if not chosen:
            return Proposal(
                need.incident_id, None, None, None, None, None, self._shortfall(i), shown
            )
        j = chosen[0]
        ete = float(self.ete[i, j])
        return Proposal(
            incident_id=need.incident_id,
            crew_id=self.candidates[j].crew_id,
            ete_s=round(ete, 1),
            p90_ete_s=round(p90(ete, sigma=self.parameters.sigma), 1),
            p_on_time=round(float(self.p[i, j]), 4),
            selection_reason=self._reason(i, j),
            shortfall_reason="more_urgent" if len(chosen) < need.wants else None,
            candidates=shown,
        )

    def _shown(self, i: int) -> tuple[Mapping[str, Any], ...]:
        """The first candidates by fitness, then ETE, then id."""
        unfit = ~self.feasible[i]
        ranked = np.lexsort((self.ete[i], unfit))[:SHOWN_CANDIDATES]
        return tuple(self._entry(i, int(j)) for j in ranked)

    def _entry(self, i: int, j: int) -> Mapping[str, Any]:
        known = bool(np.isfinite(self.ete[i, j]))
        why_not = _why_not(self.needs[i], self.candidates[j])
        return {
            "crew_id": str(self.candidates[j].crew_id),
            "ete_s": round(float(self.ete[i, j]), 1) if known else None,
            "p_on_time": round(float(self.p[i, j]), 4) if known else None,
            "cost": round(float(self.cost[i, j]), 4) if self.feasible[i, j] else None,
            "why_not": why_not or (None if known else self._unknown(i, j)),
        }

    def _reason(self, i: int, j: int) -> str:
        fit = np.flatnonzero(self.feasible[i])
        if len(fit) == 1:
            return "only_suitable"
        faster = [k for k in fit if self.ete[i, k] < self.ete[i, j]]
        if not faster:
            return "nearest"
        if all(self.cost[i, k] > self.cost[i, j] for k in faster):
            return "keeps_skills"
        return "best_for_all"

    def _unknown(self, i: int, j: int) -> str:
        return "unreachable" if self.asked[i, j] else "no_position"

    def _shortfall(self, i: int) -> str:
        if not self.candidates:
            return "no_crews"
        if self.feasible[i].any():
            return "more_urgent"
        need = self.needs[i]
        if not any(need.skills <= c.skills for c in self.candidates):
            return "skill"
        reasons = {
            _why_not(need, c) or self._unknown(i, j)
            for j, c in enumerate(self.candidates)
            if need.skills <= c.skills
        }
        return next((reason for reason in SHORTFALLS if reason in reasons), "no_crews")


def _why_not(need: Need, candidate: Candidate) -> str | None:
    if not need.skills <= candidate.skills:
        return "skill"
    if candidate.unfit is not None:
        return candidate.unfit
    if candidate.crew_id in need.paused:
        return "declined"
    return None


def _lateness(left: Floats, ete: Floats, weight: Floats, policy: Policy) -> Floats:
    """w·[A·P_late + B·max(η − b, 0)/τ] + α·η/τ, shape (needs, crews)."""
    m, target = policy.matching, policy.promise.target_s
    late = 1.0 - p_on_time(left[:, None], ete, sigma=m.sigma)
    tardy = np.maximum(ete - left[:, None], 0.0) / target
    return weight[:, None] * (m.late * late + m.tardiness * tardy) + m.travel * ete / target


def _skill_price(
    needs: Sequence[Need], candidates: Sequence[Candidate], parameters: Matching
) -> Floats:
    """S for each skill of a crew that the incident does not need."""
    spare = [[len(c.skills - n.skills) for c in candidates] for n in needs]
    shape = (len(needs), len(candidates))
    return parameters.skill_price * np.array(spare, dtype=np.float64).reshape(shape)


def _leaving(
    needs: Sequence[Need],
    candidates: Sequence[Candidate],
    left: Floats,
    weight: Floats,
    policy: Policy,
) -> Floats:
    """The price of leaving each incident to the next crew that comes free, shape (needs,)."""
    m = policy.matching
    busy = np.array(
        [
            max(1, sum(1 for c in candidates if c.unfit == "busy" and n.skills <= c.skills))
            for n in needs
        ]
    )
    ete = (m.mean_service_s + m.mean_travel_s) / busy + 600.0
    return _lateness(left, ete[:, None], weight, policy)[:, 0] + m.leave * weight
