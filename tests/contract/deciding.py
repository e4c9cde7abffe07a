"""What crews and plans do when there is more than one way: posts, turning round, asking two."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import numpy as np

from dispatch import actions, dispatcher
from dispatch.core.coverage import Kind, Terrain
from dispatch.core.crews import Crew, Fix
from dispatch.core.events import SYSTEM
from dispatch.core.world import World
from tests.contract.watched import CREW, DISPATCHER, HERE, Watched, new_crew, new_incident
from tests.contract.worlds import NOON


def posts(city: Watched) -> None:
    """A free crew is asked to wait elsewhere: suggested, dismissed, ordered, there, called away."""
    crew = new_crew(city, 20000)
    post = actions.Post(HERE[0] + 0.01, HERE[1], 0.02, 120.0, "Alun-alun")
    city.do(actions.suggest_move_up, 20001, DISPATCHER, crew.id, post=post)
    city.do(actions.end_move_up, 20002, DISPATCHER, crew.id, reason="tidak perlu")
    city.do(actions.suggest_move_up, 20003, DISPATCHER, crew.id, post=post)
    city.do(actions.order_move_up, 20004, DISPATCHER, crew.id)
    city.do(actions.reach_post, 20100, CREW, crew.id)
    city.do(actions.end_move_up, 20150, CREW, crew.id, reason="declined")
    look_for_posts(city, 20160, crew)
    city.do(actions.order_move_up, 20200, DISPATCHER, crew.id, post=post)
    pothole = new_incident(city, 20210)
    city.do(actions.send_crew, 20211, DISPATCHER, pothole.id, crew_id=crew.id)


def look_for_posts(city: Watched, seconds: float, crew: Crew) -> None:
    """Half an hour's drive from the only incidents there are, a crew is asked to come nearer."""
    other = new_crew(city, seconds)
    with city.stored.step() as world:
        moved_at = world.crew(crew.id).moved_at
    assert moved_at is not None
    later = moved_at.timestamp() - NOON.timestamp() + 3700
    for each, lon in ((crew, HERE[0]), (other, HERE[0])):
        now = datetime.fromtimestamp(NOON.timestamp() + later, NOON.tzinfo)
        city.stored.put_fix(Fix(each.id, lon, HERE[1], fix_time=now, server_time=now))
    terrain = Terrain(
        lon=np.array([HERE[0], HERE[0] + 0.2]),
        lat=np.array([HERE[1], HERE[1]]),
        demand=np.array([0.5, 0.5]),
        seconds=np.array([[0.0, 1800.0], [1800.0, 0.0]]),
        kinds=(Kind(frozenset({"roadworks"}), 1.0),),
        per_hour=np.ones(24),
    )
    changed = city.do(dispatcher.move_up, later, terrain)
    assert len(changed) == 1
    city.do(actions.end_move_up, later + 1, DISPATCHER, changed[0].id, reason="tidak perlu")
    city.do(actions.set_crew_status, later + 2, CREW, other.id, status="not_available")


def turned_round(city: Watched) -> None:
    """A crew is turned round by a dispatcher; another one by the plan."""
    crew = new_crew(city, 30000)
    first, second = new_incident(city, 30001), new_incident(city, 30002)
    city.do(actions.send_crew, 30003, DISPATCHER, first.id, crew_id=crew.id)
    city.do(actions.divert_crew, 30010, DISPATCHER, second.id, crew_id=crew.id)
    city.do(actions.withdraw, 30011, DISPATCHER, job(city, crew), reason="pindah")
    city.do(actions.set_crew_status, 30012, CREW, crew.id, status="not_available")
    crew = new_crew(city, 30015)
    city.do(actions.send_crew, 30020, DISPATCHER, second.id, crew_id=crew.id)
    city.do(actions.acknowledge, 30021, CREW, job(city, crew))
    urgent = new_incident(city, 30022)
    city.do(actions.reprioritise, 30023, DISPATCHER, urgent.id, priority=1, reason="bahaya")
    now = datetime.fromtimestamp(NOON.timestamp() + 30024, NOON.tzinfo)
    city.stored.put_fix(Fix(crew.id, *HERE, fix_time=now, server_time=now))

    def plan(world: World, now: datetime) -> None:
        seconds = {(crew.id, second.id): 1100.0, (crew.id, urgent.id): 60.0}
        dispatcher.act(world, now, seconds, graph="test")

    city.do(plan, 30025)
    with city.stored.step() as world:
        held = world.active_assignment(crew.id)
        assert held is not None
        assert (held.incident_id, held.diverted_from) == (urgent.id, second.id)
        assert world.incident(second.id).status == "pending"
    city.do(actions.set_crew_status, 30026, CREW, crew.id, status="not_available")


def asked_together(city: Watched) -> None:
    """Two crews are asked at once; who would be later is let go when the first takes it."""
    near, far, incident = new_crew(city, 40000), new_crew(city, 40000), new_incident(city, 40001)
    for crew, ete_s in ((near, 300.0), (far, 400.0)):
        estimate = actions.Estimate(ete_s, ete_s * 1.4, 0.9)
        because = {"rule": "offers.parallel_below"}
        sending = {"crew_id": crew.id, "estimate": estimate, "because": because}
        city.do(actions.send_crew, 40002, SYSTEM, incident.id, **sending)
    city.do(actions.acknowledge, 40010, CREW, job(city, near))
    with city.stored.step() as world:
        assert world.active_assignment(far.id) is None


def job(city: Watched, crew: Crew) -> UUID:
    with city.stored.step() as world:
        job = world.active_assignment(crew.id)
    assert job is not None
    return job.id
