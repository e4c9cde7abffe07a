"""What may travel on a socket, and the one rule that folds it."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime import messages, wire
from realtime.wire import Durable, Folded, Recovered, Since, Snapshot, Subscribe, Unsubscribe


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ('"city/k"', "not an object"),
        ("[1]", "not an object"),
        ("null", "not an object"),
        ("{}", "expected"),
        ('{"sub":7}', "expected"),
        ('{"unsub":7}', "expected"),
        ('{"sub":"' + "x" * 201 + '"}', "expected"),
        ('{"sub":"a","token":1}', "token must be text"),
        ('{"sub":"a","since":5}', "since must be"),
        ('{"sub":"a","since":{}}', "since must be"),
        ('{"sub":"a","since":{"epoch":"e"}}', "since must be"),
        ('{"sub":"a","since":{"epoch":"e","offset":"1"}}', "since must be"),
        ('{"sub":"a","since":{"epoch":"e","offset":1.5}}', "since must be"),
        ('{"sub":"a","since":{"epoch":"e","offset":true}}', "since must be"),
        ('{"sub":"a","since":{"epoch":7,"offset":1}}', "since must be"),
        (b"\xff\xfe", "not JSON"),
    ],
)
def test_what_is_not_of_the_protocol_is_refused_with_its_fault(
    text: str | bytes, wrong: str
) -> None:
    with pytest.raises(wire.BadMessage, match=wrong):
        wire.decode(text)


def test_what_is_of_the_protocol_is_read() -> None:
    assert wire.decode('{"sub":"city/k"}') == Subscribe("city/k")
    asked = '{"sub":"report/T","token":"t","since":{"epoch":"e","offset":9}}'
    assert wire.decode(asked) == Subscribe("report/T", Since("e", 9), "t")
    assert wire.decode('{"sub":"city/k","since":null,"token":null}') == Subscribe("city/k")
    assert wire.decode('{"unsub":"city/k"}') == Unsubscribe("city/k")
    assert wire.decode('{"pong":1}') == messages.Pong(1)


@given(st.text() | st.binary())
def test_no_message_breaks_the_reader(text: str | bytes) -> None:
    try:
        message = wire.decode(text)
    except wire.BadMessage:
        return
    assert isinstance(message, Subscribe | wire.View | Unsubscribe | messages.Ping | messages.Pong)


def test_each_message_has_the_shape_of_the_protocol() -> None:
    event = Durable(o=5, p=3, t="CrewStatusSet", k="crew/7", v=2, d={"status": "available"})
    told = orjson.loads(wire.durable("city/k", event))
    assert told == {
        "ch": "city/k",
        "o": 5,
        "p": 3,
        "t": "CrewStatusSet",
        "k": "crew/7",
        "v": 2,
        "d": {"status": "available"},
    }
    recovered = orjson.loads(wire.answer("a", Recovered("e", 5, (event,))))
    assert recovered["recovered"] is True
    assert recovered["events"] == [{key: told[key] for key in told if key != "ch"}]
    snapshot = orjson.loads(wire.answer("a", Snapshot("e", 5, {"crew/7": {"v": 2}})))
    assert snapshot == {
        "ch": "a",
        "recovered": False,
        "epoch": "e",
        "offset": 5,
        "state": {"crew/7": {"v": 2}},
    }
    assert orjson.loads(wire.positions("a", [("7", 1.0, 2.0, None, 3)])) == {
        "ch": "a",
        "pos": [["7", 1.0, 2.0, None, 3]],
    }
    refused = orjson.loads(wire.error(None, "bad_message", "not JSON"))
    assert refused == {"ch": None, "error": {"code": "bad_message", "detail": "not JSON"}}


def event_of(offset: int, *, previous: int, key: str, version: int, **told: Any) -> dict[str, Any]:
    return {"o": offset, "p": previous, "t": "X", "k": key, "v": version, "d": told}


def snapshot_of(offset: int, state: dict[str, Any]) -> dict[str, Any]:
    return {"recovered": False, "epoch": "e", "offset": offset, "state": state}


def test_an_event_changes_only_the_fields_it_tells() -> None:
    copy = Folded()
    copy.start(snapshot_of(4, {"crew/7": {"v": 1, "status": "off", "name": "R"}}))
    assert copy.take(event_of(5, previous=4, key="crew/7", version=2, status="on"))
    assert copy.state == {"crew/7": {"v": 2, "status": "on", "name": "R"}}
    assert copy.offset == 5


def test_a_gap_is_noticed_and_nothing_is_taken_in() -> None:
    copy = Folded()
    copy.start(snapshot_of(4, {}))
    assert not copy.take(event_of(7, previous=6, key="crew/7", version=2, status="on"))
    assert (copy.offset, copy.state) == (4, {})


def test_what_came_twice_counts_once() -> None:
    copy = Folded()
    copy.start(snapshot_of(4, {"crew/7": {"v": 3, "status": "on"}}))
    assert copy.take(event_of(4, previous=3, key="crew/7", version=2, status="off"))
    assert copy.take(event_of(5, previous=4, key="crew/7", version=3, status="off"))
    assert copy.state["crew/7"]["status"] == "on"
    assert copy.offset == 5


def test_a_snapshot_between_two_events_of_a_narrow_channel_is_no_gap() -> None:
    copy = Folded()
    copy.start(snapshot_of(10, {}))
    assert copy.take(event_of(14, previous=8, key="crew_view/7", version=14, crew="R"))
    assert copy.offset == 14


def test_a_snapshot_replaces_and_a_recovery_adds() -> None:
    copy = Folded()
    copy.start(snapshot_of(4, {"old": {"v": 1}, "kept": {"v": 1, "a": 1}}))
    missed = [event_of(5, previous=4, key="kept", version=2, b=2)]
    copy.start({"recovered": True, "epoch": "e", "offset": 5, "events": missed})
    assert copy.state == {"old": {"v": 1}, "kept": {"v": 2, "a": 1, "b": 2}}
    copy.start(snapshot_of(9, {"new": {"v": 1}}))
    assert copy.state == {"new": {"v": 1}}


def test_a_copy_keeps_no_hands_on_the_message() -> None:
    message = snapshot_of(4, {"crew/7": {"v": 1, "status": "off"}})
    copy = Folded()
    copy.start(message)
    copy.take(event_of(5, previous=4, key="crew/7", version=2, status="on"))
    assert message["state"]["crew/7"]["status"] == "off"


@given(st.integers(1, 30), st.integers(0, 29), st.randoms(use_true_random=False))
def test_snapshot_and_events_make_the_fresh_snapshot(
    length: int, at: int, chance: random.Random
) -> None:
    """Wherever the snapshot was taken, and with however much told twice."""
    versions: dict[str, int] = {}
    log = []
    for offset in range(1, length + 1):
        key = f"crew/{chance.randrange(3)}"
        versions[key] = versions.get(key, 0) + 1
        field = chance.choice("abc")
        log.append(
            event_of(offset, previous=offset - 1, key=key, version=versions[key], **{field: offset})
        )
    fresh, stale = Folded(), Folded()
    fresh.start(snapshot_of(0, {}))
    for event in log:
        assert fresh.take(event)
    cut = min(at, length)
    early = Folded()
    early.start(snapshot_of(0, {}))
    for event in log[:cut]:
        early.take(event)
    stale.start(snapshot_of(cut, early.state))
    for event in log[max(0, cut - chance.randrange(5)) :]:
        assert stale.take(event)
    assert stale.state == fresh.state
    assert stale.offset == fresh.offset
