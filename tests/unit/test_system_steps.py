"""One step, one transaction: done once, told once, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from dispatch import actions
from dispatch.core.crews import Fix
from dispatch.core.errors import Invalid, NotFound
from dispatch.core.events import Actor
from dispatch.core.reports import Report
from dispatch.core.world import World
from dispatch.storage import fixes, journal
from dispatch.system import Step, System
from tests.story.small_city import MIDDLE, add_crew, small_system

CITIZEN, DESK, CREW = Actor("citizen"), Actor("dispatcher", "d"), Actor("crew", "c")
DEGREE_M = 111_195.08


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    made = small_system(tmp_path)
    yield made
    made.stop()


def receive(system: System, **changes: object) -> UUID:
    wish = {
        "channel": "web",
        "service_code": "fallen_tree",
        "description": "Pohon tumbang",
        "lon": MIDDLE[0],
        "lat": MIDDLE[1],
    }
    new = actions.NewReport(**{**wish, **changes})  # type: ignore[arg-type]
    made: list[Report] = []
    system.do(
        "kota", CITIZEN, lambda w, now: made.append(actions.receive_report(w, now, CITIZEN, new))
    )
    return made[0].id


def types(system: System) -> list[str]:
    with system.reading("kota") as connection:
        return [event.type for event in journal.events(connection, "kota")]


def on_its_way(system: System, crew_id: UUID) -> UUID:
    """An acknowledged assignment of the crew."""
    report_id, jobs = receive(system), []

    def send(world: World, now: object) -> None:
        moment = system.clock()
        incident = actions.verify_report(world, moment, DESK, report_id)
        job = actions.send_crew(world, moment, DESK, incident.id, crew_id=crew_id)
        jobs.append(actions.acknowledge(world, moment, CREW, job.id).id)

    system.do("kota", DESK, send)
    return jobs[0]


def at(system: System, crew_id: UUID, metres: float, seconds: float, speed: float = 0.0) -> Fix:
    moment = system.clock() + timedelta(seconds=seconds)
    lat = MIDDLE[1] + metres / DEGREE_M
    return Fix(crew_id, MIDDLE[0], lat, moment, system.clock(), accuracy_m=5.0, speed_ms=speed)


def test_a_timer_that_two_run_at_once_has_its_effect_once(system: System) -> None:
    report_id = receive(system)
    [timer] = system.claim_due("kota", 10)
    assert system.claim_due("kota", 10) == [], "claimed by one only"
    both = [threading.Thread(target=system.run_timer, args=("kota", timer)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(timeout=60)
    assert types(system).count("ReportTriaged") == 1
    with system.looking("kota") as world:
        assert world.report(report_id).status == "under_verification"
    assert system.claim_due("kota", 10) == []


def test_a_step_that_fails_leaves_nothing_and_tells_nobody(system: System) -> None:
    told: list[str] = []
    system.bus.watch(told.append)
    before = types(system)

    def half(world: World, now: object) -> None:
        new = actions.NewReport("web", "fallen_tree", "Pohon tumbang")
        actions.receive_report(world, system.clock(), CITIZEN, new)
        raise Invalid("in the middle")

    with pytest.raises(Invalid):
        system.do("kota", CITIZEN, half)
    assert types(system) == before
    assert told == []
    receive(system)
    assert told == ["kota"]


def test_a_repeated_step_gets_the_first_answer_and_happens_once(system: System) -> None:
    step = Step("key-1", "POST /reports", "hash")
    new = actions.NewReport("web", "fallen_tree", "Pohon tumbang")
    answers = [
        system.do(
            "kota",
            CITIZEN,
            lambda w, now: actions.receive_report(w, now, CITIZEN, new),
            step=step,
            render=lambda _, report: {"ticket": report.ticket},
            status=201,
        )
        for _ in range(2)
    ]
    assert [answer.replayed for answer in answers] == [False, True]
    assert answers[0].body == answers[1].body
    assert types(system).count("ReportReceived") == 1


def test_positions_move_a_job_along_and_late_ones_do_not(system: System) -> None:
    crew_id = add_crew(system, "kota", "Regu")
    job = on_its_way(system, crew_id)
    assert system.take_fixes("kota", crew_id, [at(system, crew_id, 20, 1, speed=9.0)]) == []
    with system.looking("kota") as world:
        assert world.assignment(job).status == "en_route"
    there = [at(system, crew_id, 5, 5), at(system, crew_id, 5, 26)]
    late = [at(system, crew_id, 5, -3000), at(system, crew_id, 5, -2000)]
    assert system.take_fixes("kota", crew_id, late) == []
    with system.looking("kota") as world:
        assert world.assignment(job).status == "en_route"
    assert system.take_fixes("kota", crew_id, there) == []
    with system.looking("kota") as world:
        arrived = world.assignment(job)
        assert (arrived.status, arrived.sources["arrived_at"]) == ("on_scene", "geofence")


def test_positions_wait_for_a_database_that_is_away(
    system: System, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    crew_id = add_crew(system, "kota", "Regu")
    system.flush_positions()
    system.take_fixes("kota", crew_id, [at(system, crew_id, 20, 1)])

    def away(*_: object) -> None:
        raise OSError("away")

    with monkeypatch.context() as broken:
        broken.setattr(fixes, "write", away)
        system.flush_positions()
    assert "wait for the database" in caplog.text
    system.flush_positions()
    with system.looking("kota") as world:
        kept, newest = world.fixes()[crew_id], system.newest_fix("kota", crew_id)
        assert newest is not None
        assert kept.fix_time == newest.fix_time


def test_a_city_that_is_not_here_is_not_found(system: System) -> None:
    with pytest.raises(NotFound):
        system.city("mana")
    with pytest.raises(NotFound), system.reading("mana"):
        pass
    with pytest.raises(NotFound):
        system.do("mana", DESK, lambda world, now: None)


def test_only_one_process_dispatches_for_a_city(system: System, tmp_path: Path) -> None:
    assert system.lead("kota")
    assert system.lead("kota"), "and goes on to"
    second = small_system(tmp_path)
    try:
        assert not second.lead("kota")
        assert second.lead("tetangga")
    finally:
        second.stop()


def test_other_numbers_are_served_at_once(system: System) -> None:
    policy = system.city("kota").policy
    other = replace(policy, promise=replace(policy.promise, target_s=600.0))
    system.replace_policy("kota", other)
    assert system.city("kota").policy.promise.target_s == 600.0
    assert system.city("tetangga").policy.promise.target_s == 1200.0


def test_the_newest_positions_are_known_after_a_restart(system: System, tmp_path: Path) -> None:
    crew_id = add_crew(system, "kota", "Regu")
    system.take_fixes("kota", crew_id, [at(system, crew_id, 50, 1)])
    system.flush_positions()
    again = small_system(tmp_path)
    try:
        one, two = system.newest_fix("kota", crew_id), again.newest_fix("kota", crew_id)
        assert one is not None
        assert two is not None
        assert (one.fix_time, one.lat) == (two.fix_time, two.lat)
    finally:
        again.stop()
