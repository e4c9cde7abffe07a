"""Whatever turns are forbidden to whom, the engine says what somebody says who reads the signs.

Towns of blocks, each block a way of its own, with restrictions over nodes and over ways drawn at
random. The judge drives the same town without restrictions, remembers every block it came over,
and looks at each turn whether a sign forbids it; it knows of no copies and of no bits.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.network import Route, SegmentKey
from geo.osm_import import import_counted, import_extract
from geo.point import Point
from geo.roadarrays import RoadArrays
from geo.roadclasses import access_of
from geo.roadgraph import RoadGraph
from tests.maps import SmallMap, metres

Leg = tuple[int, int]
SIDE, BLOCK_M = 4, 200.0
MEMORY = 6
VEHICLES: Mapping[str, frozenset[str]] = {
    "car": frozenset(),
    "motorbike": frozenset({"no_motorbikes"}),
    "truck": frozenset({"no_trucks"}),
}
WHOM: Mapping[str, tuple[Mapping[str, str], set[str]]] = {
    "all": ({}, {"car", "motorbike", "truck"}),
    "buses go on": ({"except": "psv"}, {"car", "motorbike", "truck"}),
    "not motorbikes": ({"except": "motorcycle"}, {"car", "truck"}),
    "trucks": ({"hgv": "only"}, {"truck"}),
    "not cars": ({"except": "motorcar;psv"}, {"motorbike", "truck"}),
}


@dataclass(frozen=True)
class Sign:
    """Whoever drives all `legs` but the last may not, or must, take the last; `whom` it binds.

    A leg is a block in driving direction, by its two nodes.
    """

    blocks: tuple[int, ...]
    legs: tuple[Leg, ...]
    only: bool
    whom: str

    def forbids(self, driven: Sequence[Leg], onto: Leg, vehicle: str) -> bool:
        """`driven` are the legs so far, back again where somebody turned round."""
        if vehicle not in WHOM[self.whom][1]:
            return False
        if not self.only:
            return (*driven[1 - len(self.legs) :], onto) == self.legs
        # over a way: whoever has turned onto it must follow it to its end
        first = 1 if len(self.legs) == 2 else 2
        return any(
            tuple(driven[-n:]) == self.legs[:n] and onto != self.legs[n]
            for n in range(first, len(self.legs))
        )


@dataclass
class Town:
    """Blocks by way id with their two nodes; `oneway` are driven from the first to the second."""

    blocks: dict[int, tuple[int, int]]
    oneway: set[int]
    signs: list[Sign]

    def written(self, folder: Path, *, signs: bool) -> Path:
        town = SmallMap()
        for row in range(SIDE):
            for column in range(SIDE):
                # no two turns alike, so that no two drives take equally long
                off = (7 * row + 3 * column) % 5
                town.node(node(row, column), column * BLOCK_M + off, row * BLOCK_M - 2 * off)
        for way, ends in self.blocks.items():
            more = {"oneway": "yes"} if way in self.oneway else {}
            town.way(way, ends, **more)
        for n, sign in enumerate(self.signs if signs else [], 1):
            kind = "only_straight_on" if sign.only else "no_left_turn"
            more = dict(WHOM[sign.whom][0])
            key = "restriction:hgv" if more.pop("hgv", None) else "restriction"
            first, *over, last = sign.blocks
            via = [("way", way, "via") for way in over]
            if not over:
                [shared] = set(self.blocks[first]) & set(self.blocks[last])
                via = [("node", shared, "via")]
            members = [("way", first, "from"), *via, ("way", last, "to")]
            town.relations[n] = (members, {"type": "restriction", key: kind, **more})
        return town.write(folder / ("signs.osm" if signs else "plain.osm"))


def node(row: int, column: int) -> int:
    return 100 * row + column + 1


def drawn(chance: Random) -> Town:
    blocks: dict[int, tuple[int, int]] = {}
    for row in range(SIDE):
        for column in range(SIDE):
            if column + 1 < SIDE:
                blocks[len(blocks) + 1] = (node(row, column), node(row, column + 1))
            if row + 1 < SIDE:
                blocks[len(blocks) + 1] = (node(row, column), node(row + 1, column))
    town = Town(blocks, {way for way in blocks if chance.random() < 0.1}, [])
    for _ in range(chance.randint(1, 9)):
        before = chance.choice(town.signs) if town.signs and chance.random() < 0.6 else None
        driven, legs = walk(town, chance, chance.choice([2, 3, 3, 3, 4, 4, 5]), before)
        if len(set(driven)) == len(driven) > 1:
            whom = chance.choice([*WHOM, "all", "all"])
            town.signs.append(Sign(driven, legs, chance.random() < 0.4, whom))
    return town


def walk(
    town: Town, chance: Random, length: int, before: Sign | None
) -> tuple[tuple[int, ...], tuple[Leg, ...]]:
    """Blocks that can be driven one after the other, without turning round.

    Some begin in the middle of an earlier sign, so that signs overlap.
    """
    way = chance.choice(list(town.blocks))
    driven, legs = [way], [town.blocks[way]]
    if before is not None:
        n = chance.randrange(len(before.legs))
        driven, legs = list(before.blocks[n:]), list(before.legs[n:])
    at = legs[-1][1]
    while len(driven) < length:
        onward = [
            (other, v if u == at else u)
            for other, (u, v) in town.blocks.items()
            if other != driven[-1] and (u == at or (v == at and other not in town.oneway))
        ]
        if not onward:
            break
        way, onto = chance.choice(onward)
        driven.append(way)
        legs.append((at, onto))
        at = onto
    return tuple(driven), tuple(legs)


class Judge:
    """Dijkstra over whole memories of drives, on the arrays of the town without signs."""

    def __init__(self, arrays: RoadArrays, town: Town) -> None:
        self.town = town
        nodes = arrays.node_osm_id
        ends = list(zip(nodes[arrays.tail].tolist(), nodes[arrays.head].tolist(), strict=True))
        self.leg = ends
        self.edge = {pair: edge for edge, pair in enumerate(ends)}
        self.ms = arrays.weight_ms.tolist()
        self.turns: dict[int, list[tuple[int, int]]] = {}
        for a, b, ms in zip(
            arrays.turn_from.tolist(),
            arrays.turn_to.tolist(),
            arrays.turn_ms.tolist(),
            strict=True,
        ):
            self.turns.setdefault(a, []).append((b, ms))

    def seconds(self, a: int, b: int, vehicle: str, usable: set[Leg]) -> float:
        """From the middle of block a to the middle of block b, over what is `usable`.

        Where nobody who drives in may drive out again nobody is sent.
        """
        goals = {edge: round(self.ms[edge] / 2) for edge in self._edges(b, usable)}
        queue: list[tuple[float, tuple[int, ...]]]
        queue = [(self.ms[e] - round(self.ms[e] / 2), (e,)) for e in self._edges(a, usable)]
        best = 0.0 if a == b else np.inf
        seen: set[tuple[int, ...]] = set()
        heapq.heapify(queue)
        while queue:
            ms, driven = heapq.heappop(queue)
            if ms >= best:
                break
            if driven in seen:
                continue
            seen.add(driven)
            came = [self.leg[edge] for edge in driven]
            for onto, turn_ms in self.turns.get(driven[-1], ()):
                if self.leg[onto] not in usable:
                    continue
                if any(s.forbids(came, self.leg[onto], vehicle) for s in self.town.signs):
                    continue
                if onto in goals:
                    best = min(best, ms + turn_ms + goals[onto])
                queue_at = ms + turn_ms + self.ms[onto]
                heapq.heappush(queue, (queue_at, (*driven, onto)[-MEMORY:]))
        return best / 1_000

    def _edges(self, block: int, usable: set[Leg]) -> list[int]:
        u, v = self.town.blocks[block]
        return [self.edge[leg] for leg in ((u, v), (v, u)) if leg in usable]


def middle(arrays: RoadArrays, pair: tuple[int, int]) -> Point:
    at = {int(osm): n for n, osm in enumerate(arrays.node_osm_id.tolist())}
    u, v = at[pair[0]], at[pair[1]]
    return Point(float(arrays.lon[u] + arrays.lon[v]) / 2, float(arrays.lat[u] + arrays.lat[v]) / 2)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_engine_obeys_every_sign_and_no_other(seed: int) -> None:
    chance = Random(seed)
    town = drawn(chance)
    with tempfile.TemporaryDirectory() as folder:
        plain = import_extract(town.written(Path(folder), signs=False))
        signed, counted = import_counted(town.written(Path(folder), signs=True))
    assert counted["turn_rules"] + counted["turn_rules_over_ways"] == len(town.signs)
    blocks = sorted(town.blocks)
    pairs = [(chance.choice(blocks), chance.choice(blocks)) for _ in range(12)]
    closed = chance.sample(blocks, 3) if chance.random() < 0.5 else []
    shut: set[SegmentKey] = {
        k for way in closed for k in (town.blocks[way], town.blocks[way][::-1])
    }
    network, judge = RoadGraph(signed), Judge(plain, town)
    network.update(dict.fromkeys(shut, None))
    for name, avoids in VEHICLES.items():
        roads, usable = network.for_vehicle(avoids), legs_of(signed, avoids) - shut
        for a, b in pairs:
            if not all({town.blocks[way], town.blocks[way][::-1]} & usable for way in (a, b)):
                continue
            here, goal = middle(signed, town.blocks[a]), middle(signed, town.blocks[b])
            said = float(roads.travel_times([here], [goal])[0, 0])
            wanted = judge.seconds(a, b, name, usable)
            assert said == pytest.approx(wanted, abs=0.004), (name, a, b)
            route = roads.route(here, goal)
            assert (route is None) == np.isinf(said)
            if route is not None:
                assert route.duration_s == said
                obeys(route, signed, town, name)


def legs_of(arrays: RoadArrays, avoids: frozenset[str]) -> set[Leg]:
    """What is no loose end to this vehicle."""
    nodes, open_ = arrays.node_osm_id, ~access_of(arrays, avoids).edges
    tail, head = nodes[arrays.tail[open_]].tolist(), nodes[arrays.head[open_]].tolist()
    return set(zip(tail, head, strict=True))


def obeys(route: Route, arrays: RoadArrays, town: Town, vehicle: str) -> None:
    """The blocks of the line, looked at one after the other."""
    at = {
        (float(x), float(y)): int(osm)
        for x, y, osm in zip(arrays.lon, arrays.lat, arrays.node_osm_id, strict=True)
    }
    nodes = [at[p.lon, p.lat] for p in route.points if (p.lon, p.lat) in at]
    driven = list(pairwise(nodes))
    for n in range(1, len(driven)):
        for sign in town.signs:
            assert not sign.forbids(driven[:n], driven[n], vehicle)


def test_copies_are_few_and_are_no_roads_of_their_own(tmp_path: Path) -> None:
    town = drawn(Random(5))
    plain = import_extract(town.written(tmp_path, signs=False))
    signed = import_extract(town.written(tmp_path, signs=True))
    copies = int(signed.is_copy.sum())
    assert 0 < copies <= sum(max(len(sign.blocks) - 2, 0) for sign in town.signs)
    assert signed.road_m.sum() == pytest.approx(plain.road_m.sum())
    place = metres(210, 210)
    ways = RoadGraph(plain).reachable(place, [3_600.0])[0]
    reached = RoadGraph(signed).reachable(place, [3_600.0])[0]
    assert 0.9 * ways.road_m <= reached.road_m <= ways.road_m + 0.01
