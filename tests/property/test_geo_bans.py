"""A drive is possible on the copies exactly when no forbidden sequence of edges is in it."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from geo.osm_access import CAR, EVERYBODY, MOTORBIKE, TRUCK
from geo.osm_bans import Bans, Turn, remembered

EDGES, LONGEST = 4, 6

sequences = st.lists(st.integers(0, EDGES - 1), min_size=2, max_size=5).map(tuple)
bindings = st.sampled_from([EVERYBODY, EVERYBODY, CAR | TRUCK, TRUCK, MOTORBIKE])


@settings(max_examples=150, deadline=None)
@given(banned=st.dictionaries(sequences, bindings, min_size=1, max_size=5))
def test_what_can_be_driven_is_what_holds_no_forbidden_sequence(
    banned: dict[tuple[int, ...], int],
) -> None:
    """On a network where every edge leads to every other, for every drive of six edges."""
    turns = [Turn(a, b, 10 * a + b) for a, b in product(range(EDGES), repeat=2)]
    bans = Bans()
    for edges, barred in banned.items():
        bans.add(edges, barred)
    made = remembered(turns, bans, edges=EDGES)
    same = [*range(EDGES), *made.copy_of]
    for vehicle in (CAR, MOTORBIKE, TRUCK):
        onto = {(turn.a, same[turn.b]): turn for turn in made.turns if not turn.barred & vehicle}
        assert all(turn.ms == 10 * same[turn.a] + same[turn.b] for turn in onto.values())
        binding = [edges for edges, barred in banned.items() if barred & vehicle]
        for drive in product(range(EDGES), repeat=LONGEST):
            state: int | None = drive[0]
            for edge in drive[1:]:
                turn = onto.get((state, edge)) if state is not None else None
                state = None if turn is None else turn.b
            forbidden = any(
                drive[n : n + len(edges)] == edges
                for edges in binding
                for n in range(LONGEST - len(edges) + 1)
            )
            assert (state is None) == forbidden, drive
