"""A day in which everything happens that somebody can do, or that follows by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import numpy as np

from dispatch import actions, dispatcher
from dispatch.core import events as ev
from dispatch.core.arrival import Approach
from dispatch.core.crews import Crew, Fix
from dispatch.core.events import Actor
from dispatch.core.incidents import Incident
from dispatch.core.world import World
from geo.network import Segment
from geo.point import Point
from tests.contract.deciding import asked_together, posts, turned_round
from tests.contract.watched import (
    CITIZEN,
    CREW,
    DISPATCHER,
    ESTIMATE,
    HERE,
    Watched,
    new_crew,
    new_incident,
    new_report,
)
from tests.contract.worlds import NOON


def _shift(city: Watched) -> None:
    """A crew's hours, people and tools, and what keeps it from work."""
    crew, ends_at = (
        new_crew(city, 5000),
        datetime.fromtimestamp(NOON.timestamp() + 9000, NOON.tzinfo),
    )
    city.do(actions.staff_crew, 5001, DISPATCHER, crew.id, members_present=2, least_members=2)
    city.do(actions.equip_crew, 5002, DISPATCHER, crew.id, equipment=["winch"])
    city.do(actions.take_out_of_service, 5003, DISPATCHER, crew.id, reason="ban pecah")
    city.do(actions.put_back_in_service, 5004, DISPATCHER, crew.id)
    city.do(actions.tell_position_trouble, 5004, CREW, crew.id, trouble="denied")
    hours = {"shift_ends_at": ends_at, "rest_until": None}
    city.do(actions.set_shift, 5005, DISPATCHER, crew.id, **hours)
    city.do(actions.end_shift, 12000, crew.id)


def _desk(city: Watched) -> None:
    """What dispatchers do about reports."""
    incident = new_incident(city, 0)
    joined, aside = new_report(city, 10), new_report(city, 20, lon=None, lat=None)
    city.do(actions.join_report, 30, DISPATCHER, joined.id, incident_id=incident.id)
    city.do(actions.undo_decision, 35, DISPATCHER, joined.id)
    city.do(actions.locate_report, 40, DISPATCHER, aside.id, lon=111.53, lat=-7.64)
    city.do(actions.remember_place, 41, DISPATCHER, aside.id)
    city.do(actions.forget_place, 42, DISPATCHER, aside.id, reason="salah letak")
    for verdict in ("postponed", "not_our_authority", "archived"):
        late = new_report(city, 50)
        put_aside = {"verdict": verdict, "reason": "alasan"}
        city.do(actions.put_aside_report, 51, DISPATCHER, late.id, **put_aside)
        city.do(actions.undo_decision, 55, DISPATCHER, late.id)
    unreal = new_report(city, 56)
    city.do(actions.verify_report, 57, DISPATCHER, unreal.id)
    city.do(actions.undo_decision, 58, DISPATCHER, unreal.id)
    again = new_incident(city, 60)
    city.do(actions.reprioritise, 61, DISPATCHER, again.id, priority=1, reason="dekat sekolah")
    city.do(actions.cancel_incident, 70, DISPATCHER, again.id, reason="salah")
    tree = new_incident(city, 75, service_code="fallen_tree")
    alarm = {"alarm_level": 2, "reason": "menutup dua jalan"}
    city.do(actions.raise_alarm, 76, DISPATCHER, tree.id, **alarm)
    other = new_incident(city, 80)
    city.do(actions.close_incident, 90, DISPATCHER, other.id, disposition_code="22", note="aman")


def _roads(city: Watched) -> None:
    """A dispatcher closes a road; a fallen tree closes another until it is cleared."""
    road = [ev.Stretch(7, 8, *HERE, *HERE, "Jalan Pahlawan")]
    drawn = city.do(actions.close_road, 100, DISPATCHER, road, reason="pawai")
    city.do(actions.lift_closure, 101, DISPATCHER, drawn.id, reason="selesai")
    tree = new_incident(city, 102, service_code="fallen_tree", radius_m=10.0)
    start, end = Point(*HERE), Point(HERE[0] + 0.001, HERE[1])
    segment = Segment(8, 9, "Jalan Pahlawan", start, end, 100.0, 4.0, 1.0)
    city.do(dispatcher.close_roads, 103, {tree.id: (segment,)})
    city.do(actions.cancel_incident, 104, DISPATCHER, tree.id, reason="salah")


def _agency(city: Watched) -> None:
    """What an agency's officer does."""
    officer = Actor("officer", "o1")
    for seconds, answer in ((100, "accept"), (110, "refuse")):
        incident = new_incident(city, seconds)
        referral_id = _first_referral(city, incident.id)
        if answer == "accept":
            city.do(actions.accept_referral, seconds + 1, officer, referral_id)
            city.do(actions.finish_referral, seconds + 2, officer, referral_id)
        else:
            city.do(actions.refuse_referral, seconds + 1, officer, referral_id, reason="bukan")


def _first_referral(city: Watched, incident_id: UUID) -> UUID:
    with city.stored.step() as world:
        return world.referrals_of(incident_id)[0].id


def _work(city: Watched) -> None:
    """What a crew does, and what follows when it does not."""
    crew = new_crew(city, 200)
    incident = new_incident(city, 210)
    sending = {"crew_id": crew.id, "estimate": ESTIMATE}
    offer = city.do(actions.send_crew, 220, DISPATCHER, incident.id, **sending)
    city.do(actions.expire_offer, 290, offer.id)
    offer = city.do(actions.send_crew, 300, DISPATCHER, incident.id, **sending)
    city.do(actions.decline, 310, CREW, offer.id, reason="vehicle", text="ban bocor")
    offer = city.do(actions.send_crew, 320, DISPATCHER, incident.id, **sending)
    city.do(actions.acknowledge, 325, CREW, offer.id)
    city.do(actions.withdraw, 330, DISPATCHER, offer.id, reason="pindah")
    job = city.do(actions.send_crew, 340, DISPATCHER, incident.id, **sending)
    city.do(actions.acknowledge, 345, CREW, job.id)
    city.do(actions.en_route, 350, CREW, job.id)
    city.do(actions.on_scene, 700, CREW, job.id)
    city.do(actions.grade_evidence, 701, CREW, job.id, evidence="photo")
    city.do(actions.write_note, 710, CREW, job.id, text="lubang besar")
    city.do(actions.add_photo, 720, CREW, job.id, photo_id=UUID(int=77), moment="before")
    city.do(actions.clear, 900, CREW, job.id, disposition_code="05", note="ditambal")
    with city.stored.step() as world:
        (report,) = world.reports_of(incident.id)
    city.do(actions.answer_report, 1000, CITIZEN, report.id, answer="satisfied")
    city.do(actions.answer_report, 1100, CITIZEN, report.id, answer="reopened", text="belum")
    _late(city, crew, incident)


def _late(city: Watched, crew: Crew, incident: Incident) -> None:
    """The second promise to the same reporter is missed, and looked back at."""
    job = city.do(actions.send_crew, 1200, DISPATCHER, incident.id, crew_id=crew.id)
    city.do(actions.acknowledge, 1205, CREW, job.id)
    city.do(actions.en_route, 1210, CREW, job.id)
    city.do(actions.on_scene, 3000, CREW, job.id)
    city.do(dispatcher.record_after_action, 3001, incident.id)


def _by_itself(city: Watched) -> None:
    """What the dispatcher loop does."""
    crew = new_crew(city, 2000)
    incident = new_incident(city, 2010)
    lon, lat = HERE
    fresh = datetime.fromtimestamp(NOON.timestamp() + 2005, NOON.tzinfo)
    city.stored.put_fix(Fix(crew.id, lon, lat, fix_time=fresh, server_time=fresh))

    def plan(seconds: float) -> Callable[[World, datetime], object]:
        def act(world: World, now: datetime) -> None:
            asked = dispatcher.question(world, now)
            road_s = {(c[0], i[0]): seconds for c in asked.crews for i in asked.incidents}
            dispatcher.act(world, now, road_s, graph="test")
            dispatcher.revise_etas(world, now, road_s)

        return act

    city.do(plan(240.0), 2020)
    city.do(plan(1400.0), 2030)
    with city.stored.step() as world:
        assignments = [a for a in world.assignments_of(incident.id) if a.active]
    for assignment in assignments:
        city.do(actions.acknowledge, 2040, CREW, assignment.id)
        far = {(assignment.crew_id, assignment.incident_id): 1400.0}
        city.do(dispatcher.revise_etas, 2045, far)
        here = Fix(assignment.crew_id, lon, lat, fix_time=fresh, server_time=fresh, speed_ms=9.0)
        city.do(dispatcher.follow_fix, 2050, Approach(), here)
    closed = new_incident(city, 2100)
    city.do(actions.close_incident, 2110, DISPATCHER, closed.id, disposition_code="05")
    city.do(actions.reopen_incident, 2120, DISPATCHER, closed.id, reason="masih")


def _rounds(city: Watched) -> None:
    """Lamps in a round: interrupted, healed, driven to its end; another one not driven."""
    crew = new_crew(city, 13000, skills=("electrical", "roadworks"))
    lamps = [new_incident(city, 13010 + i, service_code="street_light") for i in range(3)]
    stops = [ev.Stop(lamp.id) for lamp in lamps]
    tour = {"planned_s": 2700.0, "planned_m": 900.0, "graph": "test"}
    unwanted = city.do(actions.propose_round, 13020, DISPATCHER, crew.id, stops=stops[:1], **tour)
    city.do(actions.cancel_round, 13021, DISPATCHER, unwanted.id, reason="hujan")
    made = city.do(actions.propose_round, 13022, DISPATCHER, crew.id, stops=stops, **tour)
    city.do(actions.start_round, 13030, DISPATCHER, made.id)
    _stop(city, 13040, crew)
    pothole = new_incident(city, 13100)
    job = city.do(actions.send_crew, 13110, DISPATCHER, pothole.id, crew_id=crew.id)
    _tend(city, 13111, crew)
    city.do(actions.withdraw, 13112, DISPATCHER, job.id, reason="pindah")
    city.do(actions.close_incident, 13113, DISPATCHER, lamps[1].id, disposition_code="22")
    _stop(city, 13120, crew)
    _tend(city, 13200, crew)
    with city.stored.step() as world:
        assert world.round(made.id).status == "done"


def _stop(city: Watched, seconds: float, crew: Crew) -> None:
    """The crew is sent to the next stop and works there."""
    _tend(city, seconds, crew)
    with city.stored.step() as world:
        job = world.active_assignment(crew.id)
    if job is not None:
        city.do(actions.acknowledge, seconds + 1, CREW, job.id)
        city.do(actions.on_scene, seconds + 2, CREW, job.id)
        city.do(actions.clear, seconds + 3, CREW, job.id, disposition_code="05")


def _tend(city: Watched, seconds: float, crew: Crew) -> None:
    now = datetime.fromtimestamp(NOON.timestamp() + seconds, NOON.tzinfo)
    city.stored.put_fix(Fix(crew.id, *HERE, fix_time=now, server_time=now))
    with city.stored.step() as world:
        found = dispatcher.running_rounds(world, now)
    for rest in found:
        road_s = np.full((len(rest.stops) + 1, len(rest.stops)), 60.0)
        city.do(dispatcher.tend_round, seconds, rest, road_s, graph="test")


BY_ITSELF = (_by_itself, _work, posts, turned_round, asked_together)
PARTS = (
    *(_desk, _shift, _roads, _agency, _work, _by_itself, _rounds),
    *(posts, turned_round, asked_together),
)


def whole_day(city: Watched) -> None:
    """Let all of it happen."""
    for part in PARTS:
        part(city)
