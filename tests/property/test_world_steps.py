"""Random lives of a city: every World tells the same story, and the story makes the state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from dispatch.core import assignments, closures, crews, incidents, referrals, reports, rounds
from dispatch.core import events as ev
from dispatch.core.errors import SigapError, WrongStatus
from dispatch.core.events import Actor, Event, Fact, Kind, fact_types
from dispatch.core.lifecycle import ANY, SAME, Lifecycle
from dispatch.core.log import Entry
from dispatch.core.world import EVOLVE, Entity, World, fold
from dispatch.storage import migrations
from geo.sql import open_engine
from realtime.wire import Folded
from tests.contract.worlds import NOON, InMemory, Place, Stored

LIFECYCLES: dict[Kind, Lifecycle] = {
    "report": reports.LIFECYCLE,
    "incident": incidents.LIFECYCLE,
    "assignment": assignments.LIFECYCLE,
    "crew": crews.LIFECYCLE,
    "referral": referrals.LIFECYCLE,
    "closure": closures.LIFECYCLE,
    "round": rounds.LIFECYCLE,
}
STATUSES = {kind: sorted(table.statuses()) for kind, table in LIFECYCLES.items()}
FACTS: dict[Kind, list[str]] = {
    kind: sorted({*table.first, *(fact for _, fact in table.table)})
    for kind, table in LIFECYCLES.items()
}
CODES: dict[str, list[str]] = {"status": sorted(crews.STATUSES), "answer": ["satisfied"]}
# In the order in which they can begin; the first of each has its number here as its id.
REFERS: dict[str, Kind] = {
    "incident_id": "incident",
    "crew_id": "crew",
    "assignment_id": "assignment",
    "report_id": "report",
}
FIRST = {name: UUID(int=number) for number, name in enumerate(REFERS, start=1)}

# PostgreSQL keeps no NUL in a text; the doors refuse it.
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
numbers = st.floats(-1e6, 1e6)
moments = st.integers(0, 10**11).map(lambda micros: NOON + timedelta(microseconds=micros))
papers = st.dictionaries(words, st.one_of(words, numbers, st.none(), st.booleans()), max_size=3)

OF_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    str: words,
    float: numbers,
    int: st.integers(1, 1000),
    bool: st.booleans(),
    datetime: moments,
    UUID: st.uuids(),
}
degrees = st.floats(-10, 10)
OF_TYPE[ev.Stretch] = st.builds(
    ev.Stretch,
    u=st.integers(1, 2**40),
    v=st.integers(1, 2**40),
    u_lon=degrees,
    u_lat=degrees,
    v_lon=degrees,
    v_lat=degrees,
    name=words,
)


class Life:
    """Draws one step after the other, knowing only what the city's own state says."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.now = NOON
        self.tickets = 0

    def event(self, things: dict[str, Entity]) -> Event:
        """An event that may be lawful: a beginning, or one more of a thing that is there."""
        self.now += timedelta(seconds=self.data.draw(st.sampled_from([0, 1, 60, 40_000])))
        kind: Kind = self.data.draw(st.sampled_from(list(LIFECYCLES)))
        known = [thing for thing in things.values() if thing.kind == kind]
        thing: Entity | None = self.data.draw(st.sampled_from([None, *known, *known]))
        name = self._name(kind, thing)
        fact = self._fact(fact_types()[name], things)
        subject = thing.id if thing else UUID(int=self.data.draw(st.integers(10**9, 10**12)))
        version = (thing.version if thing else 0) + 1
        because = self.data.draw(st.none() | papers)
        actor = Actor(self.data.draw(st.sampled_from(["system", "dispatcher"])), "d1")
        return Event(kind, subject, version, self.now, self.now, actor, fact, because)

    def _name(self, kind: Kind, thing: Entity | None) -> str:
        lifecycle = LIFECYCLES[kind]
        lawful = [
            fact for fact in FACTS[kind] if lifecycle.allows(thing.status if thing else None, fact)
        ]
        one_in_thirty: int = self.data.draw(st.integers(0, 29))
        chosen: str = self.data.draw(
            st.sampled_from(lawful if lawful and one_in_thirty else FACTS[kind])
        )
        return chosen

    def _fact(self, type_: type[Fact], things: dict[str, Entity]) -> Fact:
        values: dict[str, Any] = {}
        for name, hint in get_type_hints(type_).items():
            values[name] = self._value(name, hint, things)
        if type_ is ev.ReportReceived:
            self.tickets += 1
            values["ticket"] = f"TST-{self.tickets}"
        return type_(**values)

    def _value(self, name: str, hint: Any, things: dict[str, Entity]) -> Any:
        if name in REFERS:
            known = [thing.id for thing in things.values() if thing.kind == REFERS[name]]
            return self.data.draw(st.sampled_from(known))
        if name in CODES:
            return self.data.draw(st.sampled_from(CODES[name]))
        if name in ("lon", "lat"):
            return self.data.draw(st.floats(-10, 10))
        return self.data.draw(_of(hint))


def _of(hint: Any) -> st.SearchStrategy[Any]:
    if hint in OF_TYPE:
        return OF_TYPE[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        return st.lists(_of(arguments[0]), max_size=2).map(tuple)
    if "Mapping" in str(origin):
        return papers if arguments[1] is Any else st.dictionaries(words, _of(arguments[1]))
    if "Literal" in str(hint):
        return st.sampled_from(arguments)
    if isinstance(hint, type) and is_dataclass(hint):
        return st.builds(hint, **{k: _of(v) for k, v in get_type_hints(hint).items()})
    if type(None) in arguments:
        return st.none() | _of(next(a for a in arguments if a is not type(None)))
    raise AssertionError(f"no strategy for {hint}")


Seen = tuple[int, dict[str, dict[str, Any]]]


def _lives(place: Place, steps: list[list[Event]]) -> tuple[list[str], list[Seen]]:
    """Run the steps: how each ended, and what somebody saw who looked after it."""
    ends, seen = [], []
    for step in steps:
        try:
            with place.step() as world:
                _record(world, step)
            ends.append("done")
        except SigapError as error:
            ends.append(error.code)
        seen.append(place.snapshot(step[-1].at))
    return ends, seen


def _record(world: World, events: list[Event]) -> None:
    for one in events:
        world.record(one)


def _draw_life(data: st.DataObject) -> list[list[Event]]:
    """Steps of one to four events, drawn against a city that lives them as they come."""
    life, city = Life(data), InMemory()
    first = [_begin(kind, number) for number, kind in enumerate(REFERS.values(), start=1)]
    steps = [first]
    with city.step() as world:
        _record(world, first)
    for _ in range(data.draw(st.integers(1, 8))):
        step: list[Event] = []
        try:
            with city.step() as world:
                for _ in range(data.draw(st.integers(1, 4))):
                    step.append(life.event(city.things()))
                    world.record(step[-1])
        except SigapError as error:
            event(error.code)
        steps.append(step)
    return steps


@pytest.fixture(scope="module")
def sqlite_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('lives') / 'lives.sqlite3'}")
    migrations.upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def postgis_engine(fresh_postgis_database: Callable[[], str]) -> Iterator[Engine]:
    engine = open_engine(fresh_postgis_database())
    migrations.upgrade(engine)
    yield engine
    engine.dispose()


ONE_STORY = settings(
    max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)


@ONE_STORY
@given(data=st.data())
def test_sqlite_tells_the_same_story_as_memory(sqlite_engine: Engine, data: st.DataObject) -> None:
    _compare(Stored(sqlite_engine), _draw_life(data))


@pytest.mark.needs("postgis")
@ONE_STORY
@given(data=st.data())
def test_postgis_tells_the_same_story_as_memory(
    postgis_engine: Engine, data: st.DataObject
) -> None:
    _compare(Stored(postgis_engine), _draw_life(data))


def _compare(stored: Stored, steps: list[list[Event]]) -> None:
    memory = InMemory()
    ends, seen = _lives(stored, steps)
    assert ends == _lives(memory, steps)[0]
    told, kept = memory.log(), stored.log()
    assert [entry.event for entry in kept] == [entry.event for entry in told]
    assert [_public(entry.changes) for entry in kept] == [entry.changes for entry in told]
    assert [entry.channels for entry in kept] == [entry.channels for entry in told]
    assert [entry.offset for entry in kept] == list(range(1, len(kept) + 1))
    assert stored.things() == memory.things()
    assert fold([entry.event for entry in kept]) == stored.things()
    for offset, state in [(0, {}), *seen]:
        _check_stale_client(offset, state, kept, fresh=seen[-1])


def _public(changes: Any) -> dict[str, Any]:
    return {k: v for k, v in changes.items() if k not in ("description", "place_typed")}


def _check_stale_client(
    offset: int, state: dict[str, dict[str, Any]], entries: list[Entry], *, fresh: Seen
) -> None:
    """Whoever saw the city at some offset and hears the rest knows what a newcomer sees."""
    client = Folded()
    client.start({"recovered": False, "epoch": "e", "offset": offset, "state": state})
    for entry in entries[offset:]:
        assert client.take(
            {
                "o": entry.offset,
                "p": entry.offset - 1,
                "k": entry.event.key,
                "v": entry.event.version,
                "d": entry.changes,
            }
        )
    assert client.offset == fresh[0]
    assert {key: client.state.get(key) for key in fresh[1]} == fresh[1]


@pytest.mark.parametrize("kind", list(LIFECYCLES))
def test_evolve_allows_exactly_what_the_table_says(kind: Kind) -> None:
    """Every status × every fact: the thing moves where the table says, or refuses."""
    lifecycle = LIFECYCLES[kind]
    thing = EVOLVE[kind](None, _begin(kind, 1))
    for status in STATUSES[kind]:
        from_here = replace(thing, status=status)
        for name in FACTS[kind]:
            happened = Event(kind, thing.id, 2, NOON, NOON, Actor("system"), _plain(name))
            if not lifecycle.allows(status, name):
                with pytest.raises(WrongStatus):
                    EVOLVE[kind](from_here, happened)
                continue
            after = EVOLVE[kind](from_here, happened)
            wanted = lifecycle.table.get((status, name)) or lifecycle.table[ANY, name]
            if name == "CrewStatusSet":
                wanted = "available"
            assert after.status == (status if wanted == SAME else wanted), (status, name)
            assert (after.version, after.changed_at) == (2, NOON)


def _begin(kind: Kind, number: int) -> Event:
    """The plainest beginning; what it refers to are the firsts."""
    (name,) = LIFECYCLES[kind].first
    return Event(kind, UUID(int=number), 1, NOON, NOON, Actor("system"), _plain(name))


PLAIN: dict[Any, Any] = {
    str: "x",
    float: 1.0,
    int: 1,
    bool: False,
    datetime: NOON,
    UUID: UUID(int=2),
}


def _empty(hint: Any) -> Any:
    """What a field of this type is when it holds nothing."""
    origin = get_origin(hint)
    if "Mapping" in str(origin):
        return {}
    return () if origin is tuple else None


def _plain(name: str) -> Fact:
    """The simplest fact of this name."""
    type_ = fact_types()[name]
    values = {}
    for field, hint in get_type_hints(type_).items():
        values[field] = PLAIN.get(hint, _empty(hint))
        if field in CODES:
            values[field] = CODES[field][0]
        if field in FIRST:
            values[field] = FIRST[field]
        if field == "moment":
            values[field] = "before"
    return type_(**values)
