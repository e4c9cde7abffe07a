"""How probably a report is genuine, with reasons; it orders and asks, it never drops."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dispatch.core.policy import Policy, Service

SHORT_TEXT = 12
NEAR_ENOUGH = 0.35


@dataclass(frozen=True, slots=True)
class Signs:
    """What triage looks at. `radius_m` is None when no place is known."""

    service_code: str
    channel: str
    description: str
    photos: int
    radius_m: float | None
    has_contact: bool
    anonymous: bool
    similar: int
    pranks_before: int


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another report or incident that may speak of the same thing."""

    id: UUID
    ticket: str
    service_code: str
    distance_m: float
    received_at: datetime
    description: str | None = None


def judge(signs: Signs, *, policy: Policy) -> tuple[float, tuple[Mapping[str, Any], ...]]:
    """P(genuine) and the signs with their weights in log odds, strongest first.

    A naive log-odds sum: p = 1/(1 + exp(−Σ weight)). Weights: `policy.toml`, table [triage].
    """
    t = policy.triage
    service = policy.services.get(signs.service_code)
    found = [("prior", t.prior)]
    if signs.photos:
        found.append(("photo", t.photo))
    if signs.radius_m is None:
        found.append(("no_place", t.no_place))
    elif signs.radius_m <= 50:
        found.append(("precise_place", t.precise_place))
    if signs.has_contact:
        found.append(("contact", t.contact))
    elif signs.anonymous:
        found.append(("anonymous", t.anonymous))
    if signs.similar:
        found.append(("similar", t.similar * min(signs.similar, 3)))
    if len(signs.description.strip()) < SHORT_TEXT:
        found.append(("short_text", t.short_text))
    if _shouts(signs.description):
        found.append(("shouting", t.shouting))
    if service is not None and mentions(signs.description, service):
        found.append(("keywords", t.keywords))
    if signs.pranks_before:
        found.append(("repeated", t.repeated * min(signs.pranks_before, 3)))
    if signs.channel == "call_112":
        found.append(("call_112", t.call_112))
    p = 1.0 / (1.0 + math.exp(-sum(weight for _, weight in found)))
    reasons = sorted(found, key=lambda sign: (-abs(sign[1]), sign[0]))
    return round(p, 4), tuple({"code": code, "weight": round(w, 3)} for code, w in reasons)


def after_verification(p_genuine: float | None, *, policy: Policy) -> float:
    """P(genuine) once a dispatcher judged the report real: the weight `verified` is added."""
    p = min(max(0.5 if p_genuine is None else p_genuine, 1e-6), 1.0 - 1e-6)
    logit = math.log(p / (1.0 - p)) + policy.triage.verified
    return round(1.0 / (1.0 + math.exp(-logit)), 4)


def either(p: float | None, q: float) -> float:
    """P(genuine) of an incident that two independent reports speak of."""
    return q if p is None else round(1.0 - (1.0 - p) * (1.0 - q), 4)


def mentions(text: str, service: Service) -> bool:
    """Whether the text uses a word of the service."""
    lowered = text.lower()
    return any(re.search(rf"\b{re.escape(word)}", lowered) for word in service.keywords)


def likeness(
    neighbour: Neighbour, *, service: Service, description: str, received_at: datetime
) -> float:
    """0…1: how alike a neighbour is by distance, time, category and words.

    Distance and time fall off linearly to the service's duplicate radius and window; shared
    words count by Jaccard's index. Outside radius or window it is 0.
    """
    near = 1.0 - neighbour.distance_m / service.duplicate_radius_m
    hours = abs((received_at - neighbour.received_at).total_seconds()) / 3600.0
    recent = 1.0 - hours / service.duplicate_window_h
    if near <= 0 or recent <= 0:
        return 0.0
    same = 1.0 if neighbour.service_code == service.service_code else 0.35
    words = _jaccard(_words(description), _words(neighbour.description or ""))
    return round(same * (0.45 * near + 0.25 * recent + 0.3 * max(words, 0.3 * near)), 4)


def similar_to(
    neighbours: Sequence[Neighbour], *, service: Service, description: str, received_at: datetime
) -> list[tuple[Neighbour, float]]:
    """Neighbours alike enough to show, most alike first, ties by id."""
    scored = [
        (n, likeness(n, service=service, description=description, received_at=received_at))
        for n in neighbours
    ]
    kept = [(n, score) for n, score in scored if score >= NEAR_ENOUGH]
    return sorted(kept, key=lambda pair: (-pair[1], pair[0].id))


def _shouts(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return len(letters) >= 12 and sum(c.isupper() for c in letters) > 0.8 * len(letters)


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in re.findall(r"\w+", text.lower()) if len(word) > 3)


def _jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a | b) if a or b else 0.0
