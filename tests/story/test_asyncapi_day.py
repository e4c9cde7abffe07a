"""On the day in which everything happens, all that real sockets tell fits its own schema."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import connect

from dispatch.core.events import fact_types
from dispatch.core.world import ENTITY
from geo.sql import try_hold
from realtime.client import Channel, LiveClient
from tests.contract.watched import Watched
from tests.contract.whole_day import whole_day
from tests.contract.worlds import NOON, Stored
from tests.story.served import Served, served
from tests.story.small_city import small_city, small_system
from tests.story.test_asyncapi import Judge
from web import asyncapi

EVENING = NOON + timedelta(hours=6)
ON_A_SOCKET = 12
"""So many channels of one socket: there may be no more than a few."""

LIMIT_S = 300.0
"""A busy machine is slow."""
pytestmark = pytest.mark.timeout(900)

Message = dict[str, Any]


class Broadcast(Watched):
    """Every action is announced, and whoever appears in it is followed from then on."""

    def __init__(self, city: Served, follow: Callable[[str], object]) -> None:
        super().__init__(Stored(city.system.engine, there="kota"))
        self._announce, self._follow = city.system.bus.announce, follow

    def do(self, act: Callable[..., Any], seconds: float, *wish: Any, **wishes: Any) -> Any:
        result = super().do(act, seconds, *wish, **wishes)
        self._announce("kota")
        last = self.told[-1]
        for key in sorted(last.after.keys() - last.before.keys()):
            kind, _, id_ = key.partition("/")
            if kind == "crew":
                self._follow(f"crew/{id_}")
            elif kind == "report":
                self._follow(f"report/{last.after[key]['ticket']}")
        return result


@dataclass
class Ears:
    """Sockets enough for all channels; every message that any of them hears."""

    city: Served
    stack: AsyncExitStack
    heard: list[Message] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)
    _clients: list[LiveClient] = field(default_factory=list)

    async def follow(self, name: str) -> None:
        if len(self.channels) % ON_A_SOCKET == 0:
            client = LiveClient(self.city.url(), headers=self.city.cookie, watch=self._hear)
            self._clients.append(await self.stack.enter_async_context(client))
        self.channels.append(await self._clients[-1].follow(name))
        await self.channels[-1].until(lambda: self.channels[-1].started, within_s=LIMIT_S)

    def _hear(self, message: Mapping[str, Any]) -> None:
        self.heard.append(dict(message))


async def day(city: Served) -> list[Message]:
    """Let everything happen while dispatchers, crews, reporters and agencies listen."""
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        ears = Ears(city, stack)
        await ears.follow("city/kota")
        for agency in small_city().policy.agencies:
            await ears.follow(f"agency/{agency}")

        def follow(name: str) -> None:
            asyncio.run_coroutine_threadsafe(ears.follow(name), loop).result(LIMIT_S)

        await asyncio.to_thread(lambda: whole_day(Broadcast(city, follow)))
        head = city.system.offset("kota")
        own = ears.channels[0]
        await own.until(lambda: own.folded.offset >= head, within_s=LIMIT_S)
        names = [channel.name for channel in ears.channels]
        return [*ears.heard, *await asked_again(city, names, since=head // 2)]


async def asked_again(city: Served, names: list[str], *, since: int) -> list[Message]:
    """What is told to somebody who comes back after half of the day, and to somebody new."""
    heard: list[Message] = []
    epoch, _ = city.system.head("kota")
    wishes: tuple[Message, ...] = ({"since": {"epoch": epoch, "offset": since}}, {})
    for first in range(0, len(names), ON_A_SOCKET):
        async with connect(city.url(), additional_headers=city.cookie(), max_size=None) as socket:
            for name, wish in product(names[first : first + ON_A_SOCKET], wishes):
                await socket.send(orjson.dumps({"sub": name, **wish}).decode())
                answered = False
                while not answered:
                    heard.append(orjson.loads(await asyncio.wait_for(socket.recv(), LIMIT_S)))
                    answered = "recovered" in heard[-1] and not heard[-1].get("more")
    return heard


def events(heard: list[Message]) -> Iterator[Message]:
    """Every event told, live or to somebody who came back."""
    for message in heard:
        yield from [message] if "o" in message else message.get("events", [])


def things(heard: list[Message]) -> dict[str, Message]:
    """Every thing of every snapshot, by its key."""
    return {key: row for each in heard for key, row in each.get("state", {}).items()}


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Message]]:
    folder = tmp_path_factory.mktemp("day")
    system = small_system(folder, clock=lambda: EVENING)
    hold = try_hold(system.engine, "dispatcher/kota")  # nothing happens but what the day does
    assert hold is not None
    try:
        with served(folder, system=system) as city:
            yield asyncio.run(day(city))
    finally:
        hold.let_go()


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(asyncapi.document())


def test_all_that_is_told_fits_and_every_fact_is_told(heard: list[Message], judge: Judge) -> None:
    for message in heard:
        judge.sent(message)
    assert {"Durable", "Recovered", "Snapshot", "Positions"} <= set(judge.seen)
    assert {event["t"] for event in events(heard)} == set(fact_types())
    kinds = {key.partition("/")[0] for key in things(heard)}
    assert kinds == {*ENTITY, "crew_view", "report_view", "agency_view"}


Altered = tuple[str, Message]


def altered(row: Message, *, whole: bool) -> Iterator[Altered]:
    """The row with one thing about it wrong, and what that is."""
    yield "a field nobody knows", {**row, "unknown": 1}
    for name, value in row.items():
        yield f"{name} of another type", {**row, name: [{"unknown": value}]}
        if whole:
            yield f"{name} is missing", {key: each for key, each in row.items() if key != name}
        if isinstance(value, str) and value.endswith("Z") and name.endswith("_at"):
            yield f"{name} without its zone", {**row, name: value[:-1]}
    if "status" in row:
        yield "a status of something else", {**row, "status": "finnished"}


def test_an_altered_event_is_refused(heard: list[Message], judge: Judge) -> None:
    live = [
        each for each in heard if "o" in each and not each["k"].partition("/")[0].endswith("_view")
    ]
    one_of_each = {(each["t"], frozenset(each["d"])): each for each in live}
    assert {fact for fact, _ in one_of_each} == set(fact_types())
    for told in one_of_each.values():
        for wrong, row in altered(told["d"], whole="id" in told["d"]):
            # without its id it is a change like any other, unless the fact begins a life
            if wrong != "id is missing":
                assert not judge.fits({**told, "d": row}, ["Durable"]), (told["t"], wrong)
        for other in ({"t": "Nothing"}, {"k": "place/1"}, {"v": None}, {"unknown": 1}):
            assert not judge.fits({**told, **other}, ["Durable"]), (told["t"], other)


def test_a_status_that_does_not_follow_is_refused(heard: list[Message], judge: Judge) -> None:
    [told, *_] = [each for each in heard if each.get("t") == "AssignmentEnRoute" and each["d"]]
    assert judge.fits(told, ["Durable"])
    assert not judge.fits({**told, "d": {**told["d"], "status": "cleared"}}, ["Durable"])


def test_an_altered_thing_is_refused(heard: list[Message], judge: Judge) -> None:
    one_of_each = {key.partition("/")[0]: (key, row) for key, row in things(heard).items()}
    start = {"ch": "city/kota", "recovered": False, "epoch": "e", "offset": 1}
    for key, row in one_of_each.values():
        assert judge.fits({**start, "state": {key: row}}) == {"Snapshot"}
        for wrong, other in altered(row, whole=True):
            assert not judge.fits({**start, "state": {key: other}}), (key, wrong)


def test_an_altered_position_is_refused(heard: list[Message], judge: Judge) -> None:
    told = next(each for each in heard if each.get("pos"))
    (first, *_) = told["pos"]
    assert judge.fits(told) == {"Positions"}
    for column in range(len(first)):
        other = [*first[:column], {"unknown": 1}, *first[column + 1 :]]
        assert not judge.fits({**told, "pos": [other]}), column
    for other in (first[:-1], [*first, 1], [first[0], 181.0, *first[2:]]):
        assert not judge.fits({**told, "pos": [other]})
