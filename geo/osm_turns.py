"""Which turns are allowed where roads meet, and what each of them costs in time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geo.osm_access import CAR, EVERYBODY, NOBODY
from geo.osm_bans import Network, Turn
from geo.osm_roads import Roads
from geo.point import METRES_PER_DEGREE

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
    """The directed edges by their OSM nodes; `barred` as in Road, `twin` the way back, or -1."""

    nodes: Sequence[tuple[int, ...]]
    way: Sequence[int]
    twin: Sequence[int]
    barred: Sequence[int]
    places: Mapping[int, tuple[float, float]]
    roads: Roads


def turns_at(junctions: Junctions, network: Network) -> list[Turn]:
    """Every turn that lies in the roads themselves, whatever restrictions say of it.

    Going straight on where only two roads meet costs nothing. Turning round is allowed at dead
    ends, at barriers and where at least three roads meet. What cars may not use is no road to a
    car, so that a lane beside a street changes nothing for it.
    """
    into, out_of = _bearings(junctions)
    left_hand = drives_on_the_left(next(iter(junctions.places.values()), (0.0, 0.0)))
    found: list[Turn] = []
    for node, edges in network.arriving.items():
        leaving = network.leaving.get(node, ())
        every, cars = _arms(edges, leaving, junctions)
        stopped = junctions.roads.blocked.get(node, NOBODY)
        gate_s = junctions.roads.gates.get(node, 0.0)
        for a in edges:
            for b in leaving:
                is_uturn = junctions.twin[a] == b
                barred = junctions.barred[a] | junctions.barred[b]
                arms = every if barred & CAR else cars
                if is_uturn and arms == 2:
                    # only who is stopped here turns round
                    barred |= EVERYBODY & ~stopped
                if not is_uturn:
                    barred |= stopped
                if barred == EVERYBODY:
                    continue
                seconds = 0.0 if is_uturn else gate_s
                if arms > 2 or is_uturn:
                    angle = _normal(out_of[b] - into[a])
                    seconds += turn_s(angle, is_uturn=is_uturn, left_hand=left_hand)
                found.append(Turn(a, b, round(seconds * 1_000), barred))
    return found


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


def _arms(arriving: Sequence[int], leaving: Sequence[int], junctions: Junctions) -> tuple[int, int]:
    """How many roads meet, and how many that cars may use: an edge and its twin are one."""
    twin, barred = junctions.twin, junctions.barred
    arms = {(min(e, twin[e]) if twin[e] >= 0 else e): barred[e] for e in (*arriving, *leaving)}
    return len(arms), sum(not each & CAR for each in arms.values())


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
