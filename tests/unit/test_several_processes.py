"""What a process keeps in memory stays right when others serve the same city beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from dispatch.core.errors import Conflict
from dispatch.system.positions import Positions
from dispatch.system.round_tours import Ask
from dispatch.system.rounds import RoundPlans
from realtime.bus import LocalBus
from tests.unit.test_system_positions import CITY, CREW, NOON, fix, north
from tests.unit.test_system_rounds import DESK, Desk, ended
from web.accounts import Principal
from web.limits import DOORS, Buckets
from web.stream import Sockets


class Beside(LocalBus):
    """The bus of one of two processes: what it tells, the other hears."""

    other: Beside

    def tell(self, topic: str, text: str) -> None:
        super().tell(topic, text)
        self.other._listeners.call(f"told {topic}", text)


def pair() -> tuple[Beside, Beside]:
    one, two = Beside(), Beside()
    one.other, two.other = two, one
    return one, two


# --- positions ----------------------------------------------------------------------


def test_a_fix_is_held_against_what_came_to_the_other_process() -> None:
    here, there = Positions({}), Positions({})
    assert here.take(CITY, [fix(0), north(20, 10)]).said == [None, None]
    _, markers = here.unwritten()
    moved = there.learn({one.crew_id: one for one in markers})
    assert [one.fix_time for one in moved] == [NOON + timedelta(seconds=10)]
    again, late, far, fine = north(20, 10), fix(5), north(9000, 11), north(40, 20)
    assert there.take(CITY, [again]).said == ["repeated"]
    assert there.take(CITY, [late]).said == ["late"]
    assert there.take(CITY, [far]).said == ["jump"]
    assert there.take(CITY, [fine]).said == [None]


def test_what_is_older_than_the_own_marker_is_not_learned() -> None:
    positions = Positions({CREW: fix(10)})
    assert positions.learn({CREW: fix(5)}) == []
    assert positions.of(CREW) == fix(10)


# --- plans of rounds ------------------------------------------------------------------


def test_any_process_tells_how_far_a_plan_is_and_may_cancel_it() -> None:
    bus, other_bus = pair()
    desk = Desk()
    here, there = RoundPlans(desk, bus), RoundPlans(desk, other_bus)
    for plans in (here, there):
        plans.start()
    plan_id = uuid4()
    here.begin("kota", plan_id, DESK, Ask())
    with pytest.raises(Conflict):
        there.begin("kota", uuid4(), DESK, Ask())
    assert there.busy("kota")
    assert ended(there, plan_id) == here.find("kota", plan_id)
    assert not there.busy("kota")
    second = uuid4()
    there.begin("kota", second, DESK, Ask())
    assert here.cancel("kota", second).ended
    assert ended(there, second).ended


# --- doors ------------------------------------------------------------------------------


def shared(scene: Callable[[Buckets, Buckets], None]) -> list[Buckets]:
    async def both() -> list[Buckets]:
        bus, other_bus = pair()
        one, two = Buckets(clock=lambda: 0.0), Buckets(clock=lambda: 0.0)
        tasks = [
            asyncio.create_task(one.share(bus)),
            asyncio.create_task(two.share(other_bus)),
        ]
        await asyncio.sleep(0)
        scene(one, two)
        await asyncio.sleep(0.5)
        for task in tasks:
            task.cancel()
        return [one, two]

    return asyncio.run(both())


def left(buckets: Buckets, door: str, client: str) -> int:
    taken = 0
    while buckets.take(door, client) == 0:
        taken += 1
    return taken


def test_a_client_has_one_rate_whichever_process_it_knocks_at() -> None:
    def knock(one: Buckets, two: Buckets) -> None:
        for _ in range(5):
            assert one.take("account", "a") == 0
        for _ in range(2):
            assert two.take("account", "a") == 0

    burst = int(DOORS["account"].burst)
    assert [left(each, "account", "a") for each in shared(knock)] == [burst - 7, burst - 7]


def test_what_is_given_back_is_given_back_everywhere() -> None:
    def knock(one: Buckets, two: Buckets) -> None:
        assert one.take("account", "a") == 0
        one.give_back("account", "a")

    burst = int(DOORS["account"].burst)
    assert [left(each, "account", "a") for each in shared(knock)] == [burst, burst]


# --- sessions -----------------------------------------------------------------------------


def test_signing_out_closes_the_sockets_in_every_process() -> None:
    class System:
        def __init__(self, bus: LocalBus) -> None:
            self.bus = bus

    bus, other_bus = pair()
    here, there = Sockets(), Sockets()
    other_bus.hear("session-ended", there.end)
    person = Principal("kota", UUID(int=1), "dispatcher", "Meja", "hash")
    closed: list[str] = []
    assert there.add(person, lambda reason: closed.append(f"there {reason}"))
    assert there.add(replace(person, session_hash="another"), closed.append)
    assert here.add(person, lambda reason: closed.append(f"here {reason}"))
    here.end_everywhere(System(bus), "hash")  # type: ignore[arg-type]
    assert sorted(closed) == ["here signed_out", "there signed_out"]
