"""Answers that are kept and timers that are due: once, and again when somebody died."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection

from dispatch.core.errors import Conflict
from dispatch.core.world import Timer
from dispatch.storage import answers, timers
from dispatch.storage.answers import Request
from geo.sql import reading, writing
from tests.contract.test_world_contract import later
from tests.contract.worlds import NOON, Stored

# --- answers ---------------------------------------------------------------------

REQUEST = Request("key-1", "POST /api/x/reports", "aa")


def keep(connection: Connection, stored: Stored, actor: str, request: Request) -> None:
    answers.keep(
        connection, stored.city_id, actor, request, status=201, body={"ticket": actor}, now=NOON
    )


def test_a_repeated_key_gets_the_first_answer(stored: Stored) -> None:
    with writing(stored.engine) as connection:
        assert answers.find(connection, stored.city_id, "crew:1", REQUEST) is None
        keep(connection, stored, "crew:1", REQUEST)
    with writing(stored.engine) as connection:
        found = answers.find(connection, stored.city_id, "crew:1", REQUEST)
        assert found == (201, {"ticket": "crew:1"})


@pytest.mark.parametrize(
    "other",
    [Request("key-1", "POST /api/x/other", "aa"), Request("key-1", REQUEST.method_path, "b")],
)
def test_a_key_belongs_to_one_request(stored: Stored, other: Request) -> None:
    with writing(stored.engine) as connection:
        keep(connection, stored, "crew:1", REQUEST)
    with writing(stored.engine) as connection, pytest.raises(Conflict) as refused:
        answers.find(connection, stored.city_id, "crew:1", other)
    assert refused.value.fields["reason"] == "idempotency_mismatch"


def test_nobody_sees_the_answer_of_another(stored: Stored) -> None:
    elsewhere = Stored(stored.engine)
    with writing(stored.engine) as connection:
        keep(connection, stored, "crew:1", REQUEST)
        assert answers.find(connection, stored.city_id, "crew:2", REQUEST) is None
        assert answers.find(connection, elsewhere.city_id, "crew:1", REQUEST) is None
        keep(connection, stored, "crew:2", REQUEST)
        found = answers.find(connection, stored.city_id, "crew:2", REQUEST)
        assert found == (201, {"ticket": "crew:2"})


def test_without_a_key_nothing_is_kept(stored: Stored) -> None:
    request = Request(None, REQUEST.method_path, "aa")
    with writing(stored.engine) as connection:
        keep(connection, stored, "crew:1", request)
        keep(connection, stored, "crew:1", request)
        assert answers.find(connection, stored.city_id, "crew:1", request) is None


# --- timers ----------------------------------------------------------------------

SUBJECT = UUID(int=5)


def set_timer(stored: Stored, seconds: float) -> None:
    with stored.step() as world:
        world.set_timer(Timer("triage", SUBJECT, later(seconds)))


def claim(stored: Stored, seconds: float) -> list[Timer]:
    with writing(stored.engine) as connection:
        return timers.claim_due(connection, stored.city_id, now=later(seconds), limit=10)


def next_due(stored: Stored) -> Any:
    with reading(stored.engine) as connection:
        return timers.next_due(connection, stored.city_id)


def test_a_timer_is_claimed_by_one_and_comes_back_when_that_one_dies(stored: Stored) -> None:
    assert next_due(stored) is None
    set_timer(stored, 10)
    assert next_due(stored) == later(10)
    assert claim(stored, 9) == []
    assert claim(stored, 10) == [Timer("triage", SUBJECT, later(10), attempts=1)]
    assert claim(stored, 11) == []
    back = 10 + timers.LEASE_S
    assert next_due(stored) == later(back)
    assert claim(stored, back) == [Timer("triage", SUBJECT, later(10), attempts=2)]


def test_a_finished_timer_is_gone_but_not_one_set_anew(stored: Stored) -> None:
    set_timer(stored, 10)
    (timer,) = claim(stored, 10)
    set_timer(stored, 50)
    with writing(stored.engine) as connection:
        timers.finish(connection, stored.city_id, timer)
    assert next_due(stored) == later(50)
    (timer,) = claim(stored, 50)
    with writing(stored.engine) as connection:
        timers.finish(connection, stored.city_id, timer)
    assert next_due(stored) is None
