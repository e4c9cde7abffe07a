"""Each baseline is the plain rule that its name says, on tables small enough to see it."""

from __future__ import annotations

import numpy as np
import pytest

from dispatch.core.baselines import choose

INF = float("inf")
# rows: incidents in the order of waiting; columns: crews
CROSSED = np.array(
    [
        [100.0, 110.0, 900.0],
        [50.0, 700.0, 800.0],
        [300.0, 120.0, 130.0],
    ]
)
ALL = np.ones((3, 3), dtype=bool)
FIRST_COME = ["a", "b", "c"]


def chosen(
    rule: str,
    ete: np.ndarray = CROSSED,
    feasible: np.ndarray = ALL,
    *,
    waited: list[str] | None = None,
    priority: tuple[int, ...] = (3, 3, 3),
) -> dict[int, int]:
    return choose(rule, ete, feasible, waited=waited or FIRST_COME, priority=priority)


def test_a0_serves_in_turn_and_takes_the_closest() -> None:
    assert chosen("closest_first") == {0: 0, 1: 1, 2: 2}
    assert chosen("closest_first", waited=["c", "b", "a"]) == {2: 1, 1: 0, 0: 2}
    assert chosen("closest_first", priority=(3, 1, 1)) == {0: 0, 1: 1, 2: 2}


def test_a1_serves_the_most_urgent_first_then_in_turn() -> None:
    assert chosen("closest_by_priority", priority=(3, 1, 3)) == {1: 0, 0: 1, 2: 2}
    assert chosen("closest_by_priority", priority=(2, 2, 1)) == {2: 1, 0: 0, 1: 2}
    assert chosen("closest_by_priority") == chosen("closest_first")


def test_a2_takes_the_nearest_pair_again_and_again() -> None:
    # 50 (1, 0), then 110 (0, 1), then what is left
    assert chosen("nearest_pair") == {1: 0, 0: 1, 2: 2}
    assert chosen("nearest_pair", priority=(1, 3, 3)) == {1: 0, 0: 1, 2: 2}


def test_a2_breaks_ties_by_who_waited_longer() -> None:
    same = np.full((2, 1), 60.0)
    both = np.ones((2, 1), dtype=bool)
    assert chosen("nearest_pair", same, both, waited=["a", "b"], priority=(3, 3)) == {0: 0}
    assert chosen("nearest_pair", same, both, waited=["b", "a"], priority=(3, 3)) == {1: 0}


def test_b_is_the_least_travel_of_all_plans() -> None:
    found = chosen("least_travel")
    assert found == {0: 1, 1: 0, 2: 2}
    greedy = sum(CROSSED[i, j] for i, j in chosen("closest_first").items())
    assert sum(CROSSED[i, j] for i, j in found.items()) < greedy


def test_b_serves_as_many_as_it_can() -> None:
    """One crew can go to both, one only to the first: the near one is given away for it."""
    ete = np.array([[10.0, 5000.0], [20.0, INF]])
    found = chosen("least_travel", ete, np.isfinite(ete), waited=["a", "b"], priority=(3, 3))
    assert found == {0: 1, 1: 0}


@pytest.mark.parametrize(
    "rule", ["closest_first", "closest_by_priority", "nearest_pair", "least_travel"]
)
def test_no_rule_sends_who_cannot_go_or_goes_already(rule: str) -> None:
    feasible = np.array([[True, False, False], [True, False, False], [False, False, True]])
    found = chosen(rule, feasible=feasible)
    assert found[2] == 2
    assert len(found) == 2
    assert {i: j for i, j in found.items() if i != 2}.popitem()[1] == 0
    nobody = np.zeros((3, 3), dtype=bool)
    assert chosen(rule, feasible=nobody) == {}
    empty = np.zeros((0, 3))
    assert choose(rule, empty, empty.astype(bool), waited=[], priority=[]) == {}


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="guess"):
        chosen("guess")
