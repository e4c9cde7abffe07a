"""What a city forgets in time, and what it never does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import insert

from dispatch import actions
from dispatch.core.crews import Fix
from dispatch.storage import answers, fixes, tables
from dispatch.storage.answers import Request
from dispatch.storage.retention import Kept, forget
from geo.sql import writing
from tests.contract.test_world_contract import DISPATCHER, crew_of, later, report_at
from tests.contract.worlds import NOON, Stored

KEPT = Kept(answers=timedelta(hours=1), positions=timedelta(hours=2), personal=timedelta(hours=3))


def forgotten(stored: Stored, now: datetime) -> Mapping[str, int]:
    with writing(stored.engine) as connection:
        counts = forget(connection, stored.city_id, now, kept=KEPT)
    return {name: count for name, count in counts.items() if count}


def test_everything_has_its_time(stored: Stored) -> None:
    other = Stored(stored.engine)
    with stored.step() as world:
        crew = crew_of(world)
        report = report_at(world, 111.5, -7.6)
        waiting = report_at(world, 111.5, -7.6)
        actions.put_aside_report(
            world, NOON, DISPATCHER, report.id, verdict="archived", reason="uji coba"
        )
    with other.step() as world:
        report_at(world, 111.5, -7.6)
    city = {"city_id": stored.city_id, "crew_id": crew.id}
    ends = {"expires_at": later(60)}
    with writing(stored.engine) as connection:
        here = Fix(crew.id, 111.5, -7.6, fix_time=NOON, server_time=NOON)
        fixes.write(connection, stored.city_id, [here], [here])
        request = Request("k", "POST /", "aa")
        answers.keep(connection, stored.city_id, "crew:1", request, status=200, body={}, now=NOON)
        connection.execute(insert(tables.pairing_code), [{**city, **ends, "code_hash": "c"}])
        begun = {"token_hash": "s", "created_at": NOON}
        connection.execute(insert(tables.session), [{**city, **ends, **begun}])
    assert forgotten(stored, later(60)) == {}
    assert forgotten(stored, later(61)) == {"session": 1, "pairing_code": 1}
    assert forgotten(stored, later(3601)) == {"idempotency": 1}
    assert forgotten(stored, later(7201)) == {"fix": 1}
    assert forgotten(stored, later(10801)) == {"personal": 1}
    assert forgotten(stored, NOON + timedelta(days=3000)) == {}
    with stored.step() as world:
        assert world.personal(report.id) is None
        assert world.personal(waiting.id) is not None
        assert world.report(report.id).status == "archived"
        assert crew.id in world.fixes()
    assert len(stored.log()) == 5


def test_old_positions_are_thinned_and_doing_it_twice_takes_no_more(stored: Stored) -> None:
    with stored.step() as world:
        crew, other = crew_of(world), crew_of(world)
    with writing(stored.engine) as connection:
        trail = [
            Fix(each.id, 111.5, -7.6, fix_time=later(n), server_time=later(n), device=device)
            for each in (crew, other)
            for n in range(0, 120, 5)
            for device in ("a", "b")
        ]
        fixes.write(connection, stored.city_id, trail)
    kept = Kept(thin_after=timedelta(seconds=60), thin_to=timedelta(seconds=15))
    now = later(120)
    for expected in (2 * (24 - 4), 0):
        with writing(stored.engine) as connection:
            assert forget(connection, stored.city_id, now, kept=kept)["thinned"] == expected
    with writing(stored.engine) as connection:
        left = fixes.between(connection, stored.city_id, crew.id, since=later(0), until=later(120))
    young = [fix for fix in left if fix.fix_time >= later(60)]
    old = [fix for fix in left if fix.fix_time < later(60)]
    assert len(young) == 24, "younger ones stay as they are"
    assert [fix.fix_time for fix in old] == [later(n) for n in (0, 15, 30, 45)]
    assert {fix.device for fix in old} == {"a"}
