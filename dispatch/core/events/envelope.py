"""The envelope of everything that can happen: who, when, why, to what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

Kind = Literal["report", "incident", "assignment", "crew", "referral", "closure", "round"]
Source = Literal["button", "geofence", "movement", "dispatcher", "automatic", "import"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it.

    `role` is citizen, crew, dispatcher, officer, supervisor, administrator or system.
    """

    role: str
    id: str = ""

    def __str__(self) -> str:
        return f"{self.role}:{self.id}" if self.id else self.role


SYSTEM = Actor("system")


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened to one thing; `at` of the envelope says when."""


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a city's log before it has an offset.

    `version` is the version of the thing after it; `because` is the rule, its numbers and
    the candidates it considered, for every automatic event; `recorded_at` is when the server
    learned of it while `at` is when it happened; `device_time` is what the crew's phone said.
    """

    kind: Kind
    subject: UUID
    version: int
    at: datetime
    recorded_at: datetime
    actor: Actor
    fact: Fact
    because: Mapping[str, Any] | None = None
    device_time: datetime | None = None

    @property
    def type(self) -> str:
        """The name of the fact, as it stands in the log and on the wire."""
        return type(self.fact).__name__

    @property
    def key(self) -> str:
        """`kind/id`, as it stands on the wire."""
        return f"{self.kind}/{self.subject}"
