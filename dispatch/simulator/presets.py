"""The policies that are compared: the baselines, the steps on the way, and the product's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dispatch.core.policy import Policy

DMEXCLP_S = 960.0
"""Covered within 0.8 of the promise."""


def _with(policy: Policy, **sections: Mapping[str, Any]) -> Policy:
    changed = {name: replace(getattr(policy, name), **values) for name, values in sections.items()}
    return replace(policy, **changed)


def _baseline(rule: str) -> Callable[[Policy], Policy]:
    def preset(policy: Policy) -> Policy:
        return _with(
            policy,
            matching={"rule": rule},
            diversion={"enabled": False},
            coverage={"move_up": "off"},
            offers={"parallel_below": 0.0},
            forecast={"enabled": False},
        )

    return preset


def _prototype(
    *, cover: bool, price: bool, switch: float = 0.05, lock_s: float = 180.0
) -> Callable[[Policy], Policy]:
    """Policy D, E or F of the first experiments, with the parameters they had there."""

    def preset(policy: Policy) -> Policy:
        return _with(
            policy,
            matching={
                "rule": "deadline",
                "weights": (4.0, 2.0, 1.0),
                "late": 1.0,
                "tardiness": 0.5,
                "travel": 0.3,
                "sigma": 0.25,
                "coverage_loss": 0.25 if price else 0.0,
                "skill_price": 0.2 if price else 0.0,
                "fair_after_s": 1e6,
            },
            diversion={
                "enabled": True,
                "switch": switch,
                "lock_s": lock_s,
                "most_per_incident": 100,
            },
            coverage={
                "move_up": "automatic" if cover else "off",
                "threshold_s": DMEXCLP_S,
                "busy_prior": 1e6,
                "moves_per_crew_h": 0.0,
                "travel_price": 0.003,
                "least_gain": 0.0,
            },
            offers={"parallel_below": 0.0},
            forecast={"enabled": False},
        )

    return preset


def own(policy: Policy) -> Policy:
    """The policy as the city wrote it, moving crews by itself."""
    return _with(policy, coverage={"move_up": "automatic"})


POLICIES: Mapping[str, Callable[[Policy], Policy]] = {
    "A0": _baseline("closest_first"),
    "A1": _baseline("closest_by_priority"),
    "A2": _baseline("nearest_pair"),
    "B": _baseline("least_travel"),
    "D": _prototype(cover=False, price=False),
    "E": _prototype(cover=True, price=False),
    "F": _prototype(cover=True, price=True),
    "F2": _prototype(cover=True, price=True, switch=0.3, lock_s=300.0),
    "sigap": own,
}
"""By name; each turns a city's policy into the one that is played."""
