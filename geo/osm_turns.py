"""Which turns are allowed where roads meet, and what each of them costs in time."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from geo.osm_roads import Roads
from geo.point import METRES_PER_DEGREE
from geo.roadarrays import Ints

TURN_S = 7.5
"""A full turn at a junction, seconds (OSRM's car profile: `turn_penalty`)."""

UTURN_S = 20.0
"""Turning round, on top of the turn (OSRM's car profile: `u_turn_penalty`)."""

_EASY_SIDE = 1.075
# The direction of a road at a junction is read this far along it: the first metres are often kerbs.
_BEARING_M = 12.0

# Rough boxes (west, south, east, north) of the countries that drive on the left.
_LEFT_HAND = (
    (95.0, -11.5, 141.1, 7.4),  # Indonesia, Malaysia, Singapore, Brunei, Timor
    (97.3, 5.6, 105.7, 20.5),  # Thailand
    (61.0, 5.0, 92.5, 30.0),  # South Asia
    (110.0, -48.0, 180.0, -10.0),  # Australia, New Zealand
    (123.0, 24.0, 146.0, 46.0),  # Japan
    (-10.7, 49.8, 1.8, 61.0),  # Great Britain, Ireland
    (11.5, -35.0, 41.0, 5.0),  # southern and eastern Africa
)


@dataclass(frozen=True, slots=True)
class Junctions:
    """The directed edges by their OSM nodes; `twin` is the same road driven back, or -1."""

    nodes: Sequence[tuple[int, ...]]
    way: Sequence[int]
    twin: Sequence[int]
    places: Mapping[int, tuple[float, float]]
    roads: Roads


def turns_at(junctions: Junctions) -> tuple[Ints, Ints, Ints]:
    """Every allowed turn: from edge, to edge, milliseconds.

    Going straight on where only two roads meet costs nothing. Turning round is allowed at dead
    ends, at barriers and where at least three roads meet.
    """
    arriving: dict[int, list[int]] = defaultdict(list)
    leaving: dict[int, list[int]] = defaultdict(list)
    for edge, nodes in enumerate(junctions.nodes):
        leaving[nodes[0]].append(edge)
        arriving[nodes[-1]].append(edge)
    into, out_of = _bearings(junctions)
    banned = _banned(junctions, arriving=arriving, leaving=leaving)
    left_hand = drives_on_the_left(next(iter(junctions.places.values()), (0.0, 0.0)))
    found: list[tuple[int, int, int]] = []
    for node, edges in arriving.items():
        arms = _arms(edges, leaving[node], twin=junctions.twin)
        blocked = node in junctions.roads.blocked
        for a in edges:
            for b in leaving[node]:
                is_uturn = junctions.twin[a] == b
                if (a, b) in banned or (is_uturn and arms == 2 and not blocked):
                    continue
                if blocked and not is_uturn:
                    continue
                seconds = 0.0
                if arms > 2 or is_uturn:
                    angle = _normal(out_of[b] - into[a])
                    seconds = turn_s(angle, is_uturn=is_uturn, left_hand=left_hand)
                found.append((a, b, round(seconds * 1_000)))
    turns = np.array(found, dtype=np.int64).reshape(-1, 3)
    return turns[:, 0].copy(), turns[:, 1].copy(), turns[:, 2].copy()


def turn_s(angle_deg: float, *, is_uturn: bool, left_hand: bool) -> float:
    """Seconds lost by a turn of this angle (positive = right) where three or more roads meet.

    The sigmoid of OSRM's car profile (`process_turn`): nothing straight on, TURN_S for a full
    turn, dearer across the oncoming traffic.
    """
    bias = 1 / _EASY_SIDE if left_hand else _EASY_SIDE
    # Which way round somebody turns back follows the side of the road, not the last degree.
    if is_uturn:
        angle_deg = 180.0 if left_hand else -180.0
    steepness, middle = (13 / bias, 6.5 * bias) if angle_deg >= 0 else (13 * bias, 6.5 / bias)
    seconds = TURN_S / (1 + math.exp(-(steepness * abs(angle_deg) / 180 - middle)))
    return seconds + UTURN_S if is_uturn else seconds


def drives_on_the_left(place: tuple[float, float]) -> bool:
    """Is traffic on the left where this (lon, lat) lies? By rough boxes of countries."""
    lon, lat = place
    return any(w <= lon <= e and s <= lat <= n for w, s, e, n in _LEFT_HAND)


def _arms(arriving: Sequence[int], leaving: Sequence[int], *, twin: Sequence[int]) -> int:
    """How many roads meet: an edge and its twin are one."""
    return len({min(e, twin[e]) if twin[e] >= 0 else e for e in (*arriving, *leaving)})


def _banned(
    junctions: Junctions,
    *,
    arriving: Mapping[int, list[int]],
    leaving: Mapping[int, list[int]],
) -> set[tuple[int, int]]:
    """The pairs of edges that turn restrictions forbid."""
    pairs: set[tuple[int, int]] = set()
    for rule in junctions.roads.restrictions:
        sources = [e for e in arriving.get(rule.via_node, ()) if junctions.way[e] == rule.from_way]
        exits = leaving.get(rule.via_node, [])
        targets = {e for e in exits if junctions.way[e] == rule.to_way}
        # A way that runs through the junction leaves two readings: a wrong ban is worse than none.
        if len(sources) != 1 or len(targets) != 1:
            continue
        refused = set(exits) - targets if rule.only else targets
        pairs.update((sources[0], e) for e in refused)
    return pairs


def _bearings(junctions: Junctions) -> tuple[list[float], list[float]]:
    """Degrees from north in which each edge (arrives at its head, leaves its tail)."""
    into, out_of = [], []
    for nodes in junctions.nodes:
        line = [junctions.places[n] for n in nodes]
        out_of.append(_bearing(line[0], _some_way_along(line)))
        into.append(_bearing(_some_way_along(line[::-1]), line[-1]))
    return into, out_of


def _some_way_along(line: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return next((p for p in line[1:] if _metres(line[0], p) >= _BEARING_M), line[-1])


def _metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    return math.hypot(*_offset(a, b))


def _bearing(a: tuple[float, float], b: tuple[float, float]) -> float:
    return math.degrees(math.atan2(*_offset(a, b)))


def _offset(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    """Metres east and north from a to b; flat, for the few metres around a junction."""
    east = (b[0] - a[0]) * math.cos(math.radians(a[1]))
    return east * METRES_PER_DEGREE, (b[1] - a[1]) * METRES_PER_DEGREE


def _normal(angle_deg: float) -> float:
    return (angle_deg + 180.0) % 360.0 - 180.0
