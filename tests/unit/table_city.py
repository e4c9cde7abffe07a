"""A city whose roads are a table, and a dispatcher that takes turns in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from dispatch import actions, dispatcher
from dispatch.core import events as ev
from dispatch.core.coverage import Terrain
from dispatch.core.crews import Fix
from dispatch.core.events import Actor
from dispatch.core.incidents import Incident
from dispatch.core.policy import Policy
from dispatch.core.proposals import Proposal
from dispatch.simulator.memory import MemoryWorld
from tests.contract.worlds import NOON, POLICY, counted_ids

DESK, CITIZEN, CREW = Actor("dispatcher", "d1"), Actor("citizen"), Actor("crew", "c1")
PLACE = (111.5, -7.6)


def tuned(**sections: dict[str, Any]) -> Policy:
    changed: dict[str, Any] = {
        name: replace(getattr(POLICY, name), **values) for name, values in sections.items()
    }
    return replace(POLICY, **changed)


class City:
    """A city whose roads are a table: seconds from a crew to an incident."""

    def __init__(self, policy: Policy = POLICY, *, crews: int = 2) -> None:
        self.world = MemoryWorld("plan", policy, ids=counted_ids())
        self.now = NOON
        self.road: dict[tuple[UUID, UUID], float] = {}
        self.crews = [self._crew() for _ in range(crews)]

    def _crew(self) -> UUID:
        fact = ev.CrewRegistered("Regu", "R", "pupr", (), "car", 3, *PLACE)
        crew = actions.register_crew(self.world, self.now, DESK, fact)
        actions.set_crew_status(self.world, self.now, DESK, crew.id, status="available")
        return crew.id

    def incident(self, *seconds: float, priority: int = 3, contact: bool = True) -> UUID:
        """Something for any crew, so many seconds of road from each."""
        wish = actions.NewReport(
            "web",
            "waste",
            "Sampah menumpuk di pinggir jalan",
            lon=PLACE[0] + 0.01 * len(self.road),
            lat=PLACE[1],
            phone=f"0812{len(self.road)}" if contact else None,
            anonymous=not contact,
        )
        report = actions.receive_report(self.world, self.now, CITIZEN, wish)
        dispatcher.triage_report(self.world, self.now, report.id)
        incident = actions.verify_report(self.world, self.now, DESK, report.id, priority=priority)
        for crew, each in zip(self.crews, seconds, strict=False):
            self.road[crew, incident.id] = each
        return incident.id

    def turn(self, seconds: float = 0.0, terrain: Terrain | None = None) -> list[Proposal]:
        self.now += timedelta(seconds=seconds)
        for crew in self.crews:
            self.world.put_fix(Fix(crew, *PLACE, fix_time=self.now, server_time=self.now))
        return dispatcher.act(self.world, self.now, self.road, graph="table", terrain=terrain)

    def job(self, number: int) -> Any:
        return self.world.active_assignment(self.crews[number])

    def it(self, incident_id: UUID) -> Incident:
        return self.world.incident(incident_id)

    def told(self, type_: str) -> list[Any]:
        return [entry.event for entry in self.world.log if entry.event.type == type_]

    def take(self, number: int) -> None:
        actions.acknowledge(self.world, self.now, CREW, self.job(number).id)

    def roll(self, number: int) -> None:
        self.take(number)
        actions.en_route(self.world, self.now, CREW, self.job(number).id)

    def be_there(self, number: int) -> None:
        actions.on_scene(self.world, self.now, CREW, self.job(number).id)
