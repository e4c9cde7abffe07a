"""The collector looks once through what lives long, and still frees what does not."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from dispatch.system.memory import settle, settle_again


class Thing:
    """Something in a circle, which only the collector frees."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    before = gc.get_threshold()
    gc.unfreeze()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_is_there_is_not_looked_through_again() -> None:
    kept = Thing()
    settle()
    settled = weakref.ref(kept)
    del kept
    later = weakref.ref(Thing())
    gc.collect()
    assert later() is None, "what came after it is freed as ever"
    assert settled() is not None
    settle_again()
    assert settled() is None, "a newer map looks once more"


def test_where_it_was_never_done_it_is_not_done_again() -> None:
    settle_again()
    assert gc.get_freeze_count() == 0
