"""A stored city in which every action is watched by somebody who knew the city before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dispatch import actions, dispatcher
from dispatch.core import events as ev
from dispatch.core.crews import Crew, Fix
from dispatch.core.events import Actor
from dispatch.core.incidents import Incident
from dispatch.core.reports import Report
from dispatch.relay import city_message
from tests.contract.worlds import NOON, Stored

CITIZEN, DISPATCHER, CREW = Actor("citizen"), Actor("dispatcher", "d1"), Actor("crew", "c1")
HERE = (111.52, -7.63)
ESTIMATE = actions.Estimate(300.0, 420.0, 0.97)

State = dict[str, dict[str, Any]]


@dataclass
class Told:
    """One action: the city before, the messages of it, the city after."""

    name: str
    before: State
    messages: list[dict[str, Any]]
    after: State


@dataclass
class Watched:
    """A stored city in which every action is watched by somebody with a snapshot."""

    stored: Stored
    told: list[Told] = field(default_factory=list)

    def do(self, act: Callable[..., Any], seconds: float, *wish: Any, **wishes: Any) -> Any:
        now = datetime.fromtimestamp(NOON.timestamp() + seconds, NOON.tzinfo)
        offset, before = self.stored.snapshot(now)
        with self.stored.step() as world:
            result = act(world, now, *wish, **wishes)
        messages = [city_message(entry).body() for entry in self.stored.log(after=offset)]
        _, after = self.stored.snapshot(now)
        self.told.append(Told(act.__name__, before, messages, after))
        return result


def new_report(city: Watched, seconds: float, **changes: Any) -> Report:
    lon, lat = HERE
    wish = {"channel": "web", "service_code": "pothole", "description": "Jalan berlubang dalam"}
    given = {**wish, "lon": lon, "lat": lat, "place_typed": "depan pasar", **changes}
    report: Report = city.do(actions.receive_report, seconds, CITIZEN, actions.NewReport(**given))
    city.do(dispatcher.triage_report, seconds, report.id)
    return report


def new_incident(city: Watched, seconds: float, **changes: Any) -> Incident:
    report = new_report(city, seconds, **changes)
    found: Incident = city.do(actions.verify_report, seconds, DISPATCHER, report.id)
    return found


def new_crew(city: Watched, seconds: float, *, skills: tuple[str, ...] = ("roadworks",)) -> Crew:
    fact = ev.CrewRegistered("Regu", "R1", "pupr", skills, "truck", 3, *HERE)
    crew: Crew = city.do(actions.register_crew, seconds, DISPATCHER, fact)
    city.do(actions.set_crew_status, seconds, DISPATCHER, crew.id, status="available")
    city.stored.put_fix(Fix(crew.id, *HERE, fix_time=NOON, server_time=NOON))
    return crew
