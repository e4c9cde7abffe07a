"""The crews of a simulated run: where each is, what it drives to, when it will be there."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from dispatch.simulator.scene import CrewSetup
from dispatch.simulator.streets import Spot, Streets, Trip


@dataclass(slots=True)
class Robot:
    """A crew's people and vehicle. `episode` rises whenever earlier plans no longer hold."""

    number: int
    crew_id: UUID
    setup: CrewSetup
    spot: Spot
    phase_s: float
    trip: Trip | None = None
    began_s: float = 0.0
    slower: float = 1.0
    assignment_id: UUID | None = None
    episode: int = 0
    off_at_s: float = float("inf")
    off: bool = False
    metres: float = 0.0
    driving_s: float = 0.0
    bound_s: float = 0.0
    bound_since_s: float = 0.0
    off_s: float = 0.0
    jobs: int = 0
    move_ups: int = 0
    declined: set[UUID] = field(default_factory=set)

    @property
    def driving(self) -> bool:
        """Whether it is on the move."""
        return self.trip is not None

    def where(self, now_s: float) -> Spot:
        """Where the crew is."""
        if self.trip is None:
            return self.spot
        return self.trip.at(max(now_s - self.began_s, 0.0) / self.slower)

    def seen_at(self, now_s: float, every_s: float) -> float:
        """When its last position was taken: one each `every_s` seconds."""
        if every_s <= 0:
            return now_s
        return max(now_s - (now_s - self.phase_s) % every_s, 0.0)

    def drive(self, streets: Streets, now_s: float, site: int, *, slower: float) -> float | None:
        """Set out for a site; seconds until it is there, None without a way."""
        spot = self.where(now_s)
        self.stop(now_s)
        trip = streets.trip(spot, site)
        if trip is None:
            return None
        self.spot, self.trip, self.began_s, self.slower = spot, trip, now_s, slower
        return trip.duration_s * slower

    def stop(self, now_s: float) -> None:
        """Stand still where it is, and count what was driven."""
        if self.trip is None:
            return
        spent = max(now_s - self.began_s, 0.0)
        whole = max(self.trip.duration_s * self.slower, 1e-9)
        share = min(spent / whole, 1.0)
        self.spot = self.where(now_s)
        self.metres += self.trip.length_m * share
        self.driving_s += whole * share
        self.trip = None
