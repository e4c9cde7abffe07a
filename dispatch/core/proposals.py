"""What the engine proposes for one crew that an incident wants, with its reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

SHORTFALLS = (
    "unreachable",
    "vehicle",
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


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the engine proposes for one need; seconds and probabilities.

    `selection_reason`: nearest, only_suitable, keeps_skills, keeps_cover, diverted, best_for_all.
    `shortfall_reason`: no_crews, skill, equipment, more_urgent or one of `SHORTFALLS`.
    `held_by` is the crew already on its way; when the proposal names another one, or none, that
    crew is wanted elsewhere. `p_otherwise` is the chance to keep the promise when nobody is sent
    now, `saves` what sending now adds to it. `calibration` names what the times come from.
    """

    incident_id: UUID
    crew_id: UUID | None = None
    ete_s: float | None = None
    p90_ete_s: float | None = None
    p_on_time: float | None = None
    selection_reason: str | None = None
    shortfall_reason: str | None = None
    candidates: tuple[Mapping[str, Any], ...] = ()
    slot: int = 0
    weight: float = 1.0
    p_genuine: float = 1.0
    held_by: UUID | None = None
    cover_loss: float = 0.0
    p_otherwise: float | None = None
    saves: float | None = None
    calibration: str = "policy"

    @property
    def kept(self) -> bool:
        """Whether the crew on its way stays on it."""
        return self.held_by is not None and self.crew_id == self.held_by

    def view(self, now: datetime) -> dict[str, Any]:
        """The proposal as the screens get it, made at `now`."""
        eta = now + timedelta(seconds=self.ete_s) if self.ete_s is not None else None
        return {
            "crew_id": str(self.crew_id) if self.crew_id else None,
            "eta": eta.isoformat().replace("+00:00", "Z") if eta else None,
            "ete_s": self.ete_s,
            "p90_ete_s": self.p90_ete_s,
            "p_on_time": self.p_on_time,
            "selection_reason": self.selection_reason,
            "shortfall_reason": self.shortfall_reason,
            "calibration": self.calibration,
            "made_at": now.isoformat().replace("+00:00", "Z"),
        }
