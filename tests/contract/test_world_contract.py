"""What a step may rely on, whichever World it runs in."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from dispatch import actions
from dispatch.core import events as ev
from dispatch.core.crews import Crew, Fix
from dispatch.core.errors import Conflict, Invalid, NotFound, WrongStatus
from dispatch.core.events import SYSTEM, Actor, Event, Fact, Kind
from dispatch.core.incidents import Incident
from dispatch.core.log import TOLD_IN_FULL_AFTER
from dispatch.core.reports import Report
from dispatch.core.world import Personal, Timer, World, fold
from tests.contract.worlds import NOON, Place

CITIZEN, DISPATCHER = Actor("citizen"), Actor("dispatcher", "d1")
NOBODY = UUID(int=999)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def happened(kind: Kind, subject: UUID, version: int, fact: Fact, at: datetime = NOON) -> Event:
    return Event(kind, subject, version, at, at, SYSTEM, fact)


def report_at(world: World, lon: float, lat: float, now: datetime = NOON) -> Report:
    wish = actions.NewReport("web", "pothole", "Jalan berlubang dalam", lon=lon, lat=lat)
    return actions.receive_report(world, now, CITIZEN, wish)


def crew_of(world: World, agency_id: str = "pupr") -> Crew:
    fact = ev.CrewRegistered("Regu", "R1", agency_id, ("roadworks",), "truck", 3, 111.5, -7.6)
    crew = actions.register_crew(world, NOON, DISPATCHER, fact)
    return actions.set_crew_status(world, NOON, DISPATCHER, crew.id, status="available")


def incident_of(world: World, lon: float = 111.52, lat: float = -7.63) -> Incident:
    return actions.verify_report(world, NOON, DISPATCHER, report_at(world, lon, lat).id)


def offered(world: World, incident_id: UUID, crew_id: UUID) -> UUID:
    fact = ev.AssignmentOffered(
        incident_id, crew_id, later(60), later(300), 300.0, 400.0, 0.9, "dispatcher"
    )
    subject = world.new_id()
    world.record(happened("assignment", subject, 1, fact))
    return subject


def test_what_was_recorded_is_there_in_the_next_step(place: Place) -> None:
    with place.step() as world:
        report = report_at(world, 111.5, -7.6)
    with place.step() as world:
        assert world.report(report.id) == report
        assert world.personal(report.id) == Personal(report.id, "Jalan berlubang dalam")
        incident = actions.verify_report(world, later(5), DISPATCHER, report.id)
    with place.step() as world:
        assert world.incident(incident.id) == incident
        assert [found.id for found in world.reports_of(incident.id)] == [report.id]
        assert [found.agency_id for found in world.referrals_of(incident.id)] == ["pupr"]
        assert [found.id for found in world.active_incidents()] == [incident.id]


def test_what_is_not_there_is_said_to_be_missing(place: Place) -> None:
    with place.step() as world:
        for find in (world.report, world.incident, world.assignment, world.crew, world.referral):
            with pytest.raises(NotFound):
                find(NOBODY)
        assert world.personal(NOBODY) is None
        assert world.active_assignment(NOBODY) is None
        assert list(world.reports_of(NOBODY)) == []
        assert list(world.crews()) == []


def test_a_reporter_is_known_again_by_telephone_or_address(place: Place) -> None:
    with place.step() as world:
        ids = [report_at(world, 111.5, -7.6).id for _ in range(3)]
        world.keep_personal(Personal(ids[0], "Satu", phone="0812"))
        world.keep_personal(Personal(ids[1], "Dua", email="a@b.id"))
    with place.step() as world:
        found = world.reports_from(phone="0812", email="a@b.id")
        assert [report.id for report in found] == sorted(ids[:2])
        assert [report.id for report in world.reports_from(phone="0812", email=None)] == ids[:1]
        assert list(world.reports_from(phone=None, email=None)) == []


def test_a_refused_step_leaves_nothing_behind(place: Place) -> None:
    with place.step() as world:
        first = report_at(world, 111.5, -7.6)
    with pytest.raises(NotFound), place.step() as world:
        world.crew(report_at(world, 111.5, -7.6).id)
    with place.step() as world:
        second = report_at(world, 111.5, -7.6)
    assert {thing.id for thing in place.things().values()} == {first.id, second.id}
    assert [entry.offset for entry in place.log()] == [1, 2]
    assert len({first.ticket, second.ticket}) == 2
    assert len(place.due(later(1))) == 2


def test_offsets_count_from_one_without_gaps(place: Place) -> None:
    for _ in range(3):
        with place.step() as world:
            incident_of(world)
    offsets = [entry.offset for entry in place.log()]
    assert offsets == list(range(1, len(offsets) + 1))
    assert [entry.offset for entry in place.log(after=4)] == offsets[4:]


def test_a_step_that_is_out_of_date_is_refused(place: Place) -> None:
    with place.step() as world:
        report = report_at(world, 111.5, -7.6)
    stale = happened("report", report.id, 1, ev.ReportTriaged(0.5, (), ()))
    with pytest.raises(Conflict), place.step() as world:
        world.record(stale)
    early = happened("report", report.id, 3, ev.ReportTriaged(0.5, (), ()))
    with pytest.raises(Conflict), place.step() as world:
        world.record(early)
    assert len(place.log()) == 1


def test_the_lifecycle_decides_what_may_follow(place: Place) -> None:
    with place.step() as world:
        report = report_at(world, 111.5, -7.6)
    closed = happened("report", report.id, 2, ev.ReportClosed("05"))
    with pytest.raises(WrongStatus), place.step() as world:
        world.record(closed)
    assert place.things()[f"report/{report.id}"] == report


def test_a_crew_is_never_booked_twice(place: Place) -> None:
    with place.step() as world:
        crew, one, two = crew_of(world), incident_of(world), incident_of(world)
        first = offered(world, one.id, crew.id)
        with pytest.raises(Conflict):
            offered(world, two.id, crew.id)
    with pytest.raises(Conflict), place.step() as world:
        offered(world, two.id, crew.id)
    with place.step() as world:
        active = world.active_assignment(crew.id)
        assert active is not None
        assert active.id == first
        world.record(happened("assignment", first, 2, ev.AssignmentExpired()))
        assert world.active_assignment(crew.id) is None
        second = offered(world, two.id, crew.id)
    with place.step() as world:
        assert [found.id for found in world.assignments_of(two.id)] == [second]
        assert [found.status for found in world.assignments_of(one.id)] == ["expired"]


def test_lists_follow_what_the_step_itself_did(place: Place) -> None:
    with place.step() as world:
        report = report_at(world, 111.5, -7.6)
        incident = actions.verify_report(world, NOON, DISPATCHER, report.id)
        assert [found.id for found in world.reports_of(incident.id)] == [report.id]
        actions.undo_decision(world, later(3), DISPATCHER, report.id)
        assert list(world.reports_of(incident.id)) == []
        assert list(world.active_incidents()) == []
        assert world.report(report.id).status == "under_verification"


def test_near_means_metres_on_the_ground(place: Place) -> None:
    # Mean sphere: 0.0009° north are 100.08 m; 0.0018° east would be as far at 60° north.
    with place.step() as world:
        here = report_at(world, 24.9, 60.0)
        north = report_at(world, 24.9, 60.0009)
        east = report_at(world, 24.901799, 60.0)
        far = report_at(world, 24.9, 60.01)
    with place.step() as world:

        def within(metres: float) -> set[UUID]:
            found = world.reports_near(24.9, 60.0, within_m=metres, since=NOON)
            return {report.id for report in found}

        assert within(1.0) == {here.id}
        assert within(100.0) == {here.id}
        assert within(100.05) == {here.id, east.id}
        assert within(100.2) == {here.id, north.id, east.id}
        assert within(2000.0) == {here.id, north.id, east.id, far.id}
        assert list(world.reports_near(24.9, 60.0, within_m=50, since=later(1))) == []


def test_a_report_without_a_place_is_near_nothing(place: Place) -> None:
    with place.step() as world:
        wish = actions.NewReport("web", "waste", "Sampah menumpuk di jalan")
        report = actions.receive_report(world, NOON, CITIZEN, wish)
        assert list(world.reports_near(0.0, 0.0, within_m=1e6, since=NOON)) == []
        located = actions.locate_report(world, later(1), DISPATCHER, report.id, lon=111.5, lat=-7.6)
        near = world.reports_near(111.5, -7.6, within_m=5, since=NOON)
        assert [found.id for found in near] == [located.id]


def test_only_active_incidents_are_near(place: Place) -> None:
    with place.step() as world:
        one, two = incident_of(world, 111.52, -7.63), incident_of(world, 111.5201, -7.63)
        actions.cancel_incident(world, later(1), DISPATCHER, two.id, reason="salah")
        near = world.incidents_near(111.52, -7.63, within_m=100)
        assert [incident.id for incident in near] == [one.id]


def test_the_newest_fix_of_each_crew(place: Place) -> None:
    with place.step() as world:
        crew = crew_of(world)
    first = Fix(crew.id, 111.5, -7.6, fix_time=NOON, server_time=later(1), accuracy_m=5.0)
    newer = Fix(crew.id, 111.6, -7.7, fix_time=later(10), server_time=later(11), heading=90.0)
    place.put_fix(first)
    place.put_fix(newer)
    with place.step() as world:
        assert dict(world.fixes()) == {crew.id: newer}


def test_a_timer_is_one_per_kind_and_subject(place: Place) -> None:
    with place.step() as world:
        world.set_timer(Timer("offer_expires", NOBODY, later(60)))
        world.set_timer(Timer("offer_expires", NOBODY, later(30)))
        world.set_timer(Timer("triage", NOBODY, later(5)))
    assert [timer.kind for timer in place.due(later(20))] == ["triage"]
    assert [timer.kind for timer in place.due(later(40))] == ["triage", "offer_expires"]
    with place.step() as world:
        world.cancel_timer("triage", NOBODY)
        world.cancel_timer("triage", NOBODY)
    assert [timer.run_at for timer in place.due(later(40))] == [later(30)]


def test_personal_words_are_replaced_and_never_in_the_log(place: Place) -> None:
    with place.step() as world:
        report = report_at(world, 111.5, -7.6)
        kept = Personal(report.id, "Rahasia", "depan rumah", "Ani", "0812", "a@b.id", "ab", "ya")
        world.keep_personal(kept)
        assert world.personal(report.id) == kept
    with place.step() as world:
        assert world.personal(report.id) == kept
    facts = str([entry.event for entry in place.log()])
    assert not any(word in facts for word in ("Rahasia", "rumah", "Ani", "0812", "a@b.id"))


def test_a_text_that_no_log_can_keep_is_refused(place: Place) -> None:
    with place.step() as world:
        crew = crew_of(world)
    reason = ev.CrewStatusSet("available", "a\x00b")
    words = Personal(NOBODY, "a\x00b")
    with place.step() as world:
        with pytest.raises(Invalid, match="NUL"):
            world.record(happened("crew", crew.id, crew.version + 1, reason))
        with pytest.raises(Invalid, match="NUL"):
            world.keep_personal(words)
        # typed out, it is only text
        typed = ev.CrewStatusSet("available", r"a\u0000b")
        world.record(happened("crew", crew.id, crew.version + 1, typed))
    assert place.things()[f"crew/{crew.id}"].version == crew.version + 1


def test_channels_tell_those_concerned_and_nobody_else(place: Place) -> None:
    with place.step() as world:
        crew, other = crew_of(world), crew_of(world, "dlh")
        incident, elsewhere = incident_of(world), incident_of(world)
        assignment = offered(world, incident.id, crew.id)
    with place.step() as world:
        mine, theirs = world.reports_of(incident.id)[0], world.reports_of(elsewhere.id)[0]
        world.record(happened("assignment", assignment, 2, ev.AssignmentAcknowledged()))
    last = place.log()[-1]
    expected = ["agency/pupr", f"crew/{crew.id}", f"report/{mine.ticket}"]
    assert sorted(last.channels) == sorted(expected)
    assert last.offset not in [e.offset for e, _ in place.heard(f"report/{theirs.ticket}")]
    assert [e.event.kind for e, _ in place.heard(f"crew/{other.id}")] == ["crew", "crew"]


def test_a_narrow_channel_counts_its_own_offsets(place: Place) -> None:
    with place.step() as world:
        one = report_at(world, 111.5, -7.6)
        report_at(world, 111.6, -7.7)
        actions.verify_report(world, NOON, DISPATCHER, one.id)
    heard = place.heard(f"report/{one.ticket}")
    offsets = [entry.offset for entry, _ in heard]
    assert offsets[0] == 1
    assert 2 not in offsets
    assert [before for _, before in heard] == [0, *offsets[:-1]]
    tail = place.heard(f"report/{one.ticket}", after=offsets[1])
    assert [(entry.offset, before) for entry, before in tail] == list(
        zip(offsets[2:], offsets[1:-1], strict=True)
    )


def test_the_log_makes_the_state(place: Place) -> None:
    with place.step() as world:
        crew, incident = crew_of(world), incident_of(world)
        offered(world, incident.id, crew.id)
    assert fold([entry.event for entry in place.log()]) == place.things()


def test_what_comes_back_to_life_is_told_in_full(place: Place) -> None:
    with place.step() as world:
        report = report_at(world, 111.5, -7.6)
    with place.step() as world:
        triaged = ev.ReportTriaged(0.5, (), ())
        soon, late = later(60), later(60) + TOLD_IN_FULL_AFTER + timedelta(seconds=1)
        world.record(happened("report", report.id, 2, triaged, soon))
        world.record(happened("report", report.id, 3, triaged, late))
    _, told_soon, told_late = (entry.changes for entry in place.log())
    assert set(told_soon) == {"version", "changed_at", "status", "triage"}
    assert set(told_late) >= {"id", "ticket", "lon", "lat", "status", "received_at"}
