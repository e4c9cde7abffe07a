"""How much a position of some age still says."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from dispatch.core.crews import Fix
from dispatch.core.policy import Policy

Freshness = Literal["live", "old", "stale", "lost"]


def freshness(fix: Fix, now: datetime, policy: Policy) -> Freshness:
    """live, then old; stale once the crew is not sent by itself any more; at last lost."""
    age_s = (now - fix.fix_time).total_seconds()
    if age_s <= policy.positions.live_s:
        return "live"
    if age_s <= policy.matching.stale_fix_s:
        return "old"
    return "stale" if age_s <= policy.positions.lost_s else "lost"
