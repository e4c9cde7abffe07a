"""How facts and things are written down, and who hears of a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
import numpy as np
import pytest

from dispatch.core import events as ev
from dispatch.core.audience import city_channel
from dispatch.core.crews import Crew
from dispatch.core.events import SYSTEM, Event, fact_types
from dispatch.core.log import (
    TOLD_IN_FULL_AFTER,
    changes_of,
    plain,
    read_fact,
    settled,
    wire_view,
    write_fact,
)
from dispatch.core.reports import Report
from dispatch.storage import codec, tables
from geo.point import Point
from tests.contract.worlds import InMemory

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CREW = Crew(UUID(int=1), 3, NOON, "Regu", "R1", "dlh", "available", ("pump",), "truck", 3, 1.0, 2.0)
TRIAGED = ev.ReportTriaged(0.5, ({"code": "photo", "weight": np.float64(0.9)},), ())


def test_moments_are_told_in_utc_with_z() -> None:
    view = wire_view(replace(CREW, changed_at=NOON.replace(microsecond=5000)))
    assert view["changed_at"] == "2026-03-02T12:00:00.005000Z"
    assert view["id"] == "00000000-0000-0000-0000-000000000001"
    assert view["skills"] == ["pump"]


def test_numbers_of_numpy_are_numbers() -> None:
    assert plain({"a": np.float64(0.5), "b": np.int64(3)}) == {"a": 0.5, "b": 3}
    with pytest.raises(TypeError, match="object"):
        plain(object())


def test_a_settled_event_is_what_the_log_gives_back() -> None:
    event = Event("report", UUID(int=2), 2, NOON, NOON, SYSTEM, TRIAGED, {"ids": (UUID(int=3),)})
    kept = settled(event)
    assert kept.because == {"ids": ["00000000-0000-0000-0000-000000000003"]}
    assert read_fact(kept.type, write_fact(kept.fact)) == kept.fact
    assert settled(kept) == kept


def test_only_what_differs_is_told() -> None:
    after = replace(CREW, version=4, status="not_available")
    assert changes_of(CREW, after) == {"version": 4, "status": "not_available"}
    assert changes_of(None, after) == wire_view(after)


@pytest.mark.parametrize(("late_s", "full"), [(0, False), (1, True)])
def test_after_hours_everything_is_told(late_s: int, full: bool) -> None:
    changed_at = CREW.changed_at + TOLD_IN_FULL_AFTER + timedelta(seconds=late_s)
    after = replace(CREW, version=4, changed_at=changed_at)
    assert ("name" in changes_of(CREW, after)) is full


@pytest.mark.parametrize("name", sorted(fact_types()))
def test_every_fact_can_be_written_and_read(name: str) -> None:
    type_ = fact_types()[name]
    values: dict[str, Any] = {
        field: _example(hint) for field, hint in get_type_hints(type_).items()
    }
    fact = type_(**values)
    assert read_fact(name, write_fact(fact)) == fact


def _example(hint: Any) -> Any:
    examples: dict[Any, Any] = {str: "x", float: 1.5, int: 2, bool: True, datetime: NOON}
    if hint is UUID:
        return UUID(int=9)
    if hint in examples:
        return examples[hint]
    arguments = get_args(hint)
    if get_origin(hint) is tuple:
        return (_example(arguments[0]),)
    if get_origin(hint) is Mapping and arguments[1] is not Any:
        return {"x": _example(arguments[1])}
    if "Literal" in str(hint):
        return arguments[0]
    if isinstance(hint, type) and is_dataclass(hint):
        return hint(**{name: _example(kind) for name, kind in get_type_hints(hint).items()})
    if type(None) in arguments:
        return _example(arguments[0])
    return {"code": "x", "weight": 0.5}


def test_a_fact_that_does_not_fit_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        read_fact("CrewStatusSet", {"status": 3})


def test_things_survive_their_row() -> None:
    values = codec.entity_values(CREW)
    assert set(values) | {"city_id"} == {column.name for column in tables.crew.c}
    assert codec.read_entity("crew", values) == CREW


def test_a_thing_without_a_place_has_no_point() -> None:
    report = Report(UUID(int=1), 1, NOON, "TST-1", "web", "waste", "received", NOON)
    assert codec.entity_values(report)["geom"] is None
    there = codec.entity_values(replace(report, lon=111.5, lat=-7.6))
    assert there["geom"] == Point(111.5, -7.6)


def test_everything_is_heard_in_the_city() -> None:
    memory = InMemory()
    with memory.step() as world:
        fact = ev.CrewRegistered("Regu", "R1", "dlh", (), "truck", 3, 1.0, 2.0)
        world.record(Event("crew", UUID(int=50), 1, NOON, NOON, SYSTEM, fact))
    ((entry, before),) = memory.heard(city_channel(memory.city_id))
    assert (entry.offset, before) == (1, 0)
    assert entry.channels == ("agency/dlh", f"crew/{UUID(int=50)}")
    assert memory.heard(city_channel(memory.city_id), after=1) == []
