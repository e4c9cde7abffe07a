"""Tells a drive as a person drives it: street by street, with the turn that begins each."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from geo.network import Route, Step, Turn
from geo.point import Point, bearing_deg, distance_m
from geo.roadarrays import RoadArrays
from geo.roadstate import RoadState, Stand

# Where a road bends, its direction is read this far from the junction.
_BEARING_M = 12.0

_TURNS: tuple[tuple[float, Turn], ...] = (
    (20.0, "straight"),
    (55.0, "slight_right"),
    (125.0, "right"),
    (170.0, "sharp_right"),
)
_MIRRORED: dict[Turn, Turn] = {
    "straight": "straight",
    "slight_right": "slight_left",
    "right": "left",
    "sharp_right": "sharp_left",
    "uturn": "uturn",
}


@dataclass(frozen=True, slots=True)
class Drive:
    """From a stand over edges driven to their end (empty: straight on) to another stand."""

    ms: int
    origin: Stand
    edges: list[int]
    goal: Stand


@dataclass(slots=True)
class _Leg:
    """What is driven of one edge."""

    name: str
    roundabout: bool
    points: list[Point]
    ms: int

    @property
    def length_m(self) -> float:
        return sum(distance_m(a, b) for a, b in pairwise(self.points))


def describe(
    drive: Drive, state: RoadState, *, names: Sequence[str], start: Point, end: Point
) -> Route:
    """The route with its points from `start` to `end` and its steps."""
    legs = _legs(drive, state, names=names, start=start, end=end)
    steps = tuple(_step(group, before) for group, before in _grouped(legs))
    points = [legs[0].points[0]]
    for leg in legs:
        points.extend(p for p in leg.points if p != points[-1])
    return Route(
        points=tuple(points),
        length_m=sum(step.length_m for step in steps),
        duration_s=drive.ms / 1_000,
        steps=steps,
    )


def turn_of(angle_deg: float) -> Turn:
    """The word for a change of direction; positive = right, ±180 = back."""
    size = abs(angle_deg)
    word: Turn = next((word for limit, word in _TURNS if size <= limit), "uturn")
    return word if angle_deg >= 0 else _MIRRORED[word]


def _legs(
    drive: Drive, state: RoadState, *, names: Sequence[str], start: Point, end: Point
) -> list[_Leg]:
    arrays = state.layout.arrays
    if not drive.edges:
        inner = _nodes(arrays, drive.origin.piece, drive.goal.piece)
        return [_leg(arrays, drive.goal.edge, names, [start, *inner, end], drive.ms)]
    first = drive.edges[0]
    last_piece = int(arrays.edge_start[first + 1])
    points = [start, *_nodes(arrays, drive.origin.piece, last_piece)]
    spent = state.departure(drive.origin) or 0
    legs = [_leg(arrays, first, names, points, spent)]
    turn_ms = {(a, b): ms for a, b, ms in _turns(state, drive.edges)}
    for before, edge in pairwise(drive.edges):
        first_piece, end_piece = int(arrays.edge_start[edge]), int(arrays.edge_start[edge + 1])
        points = [_place(arrays, int(arrays.piece_u[first_piece]))]
        points += _nodes(arrays, first_piece, end_piece)
        ms = turn_ms[before, edge] + int(state.piece_ms[first_piece:end_piece].sum())
        legs.append(_leg(arrays, edge, names, points, ms))
    goal = drive.goal
    first_piece = int(arrays.edge_start[goal.edge])
    points = [_place(arrays, int(arrays.piece_u[first_piece]))]
    points += [*_nodes(arrays, first_piece, goal.piece), end]
    # The last leg takes what is left, so that the legs add up to the drive exactly.
    rest = drive.ms - sum(leg.ms for leg in legs)
    return [*legs, _leg(arrays, goal.edge, names, points, rest)]


def _turns(state: RoadState, edges: Sequence[int]) -> list[tuple[int, int, int]]:
    arrays = state.layout.arrays
    found = []
    for before, edge in pairwise(edges):
        onto = state.layout.turns_onto(edge)
        ms = int(arrays.turn_ms[onto[arrays.turn_from[onto] == before]].min())
        found.append((before, edge, ms))
    return found


def _leg(arrays: RoadArrays, edge: int, names: Sequence[str], points: list[Point], ms: int) -> _Leg:
    return _Leg(names[arrays.edge_name[edge]], bool(arrays.edge_roundabout[edge]), points, ms)


def _nodes(arrays: RoadArrays, first: int, end: int) -> list[Point]:
    """Where the pieces first … end − 1 end."""
    return [_place(arrays, int(node)) for node in arrays.piece_v[first:end]]


def _place(arrays: RoadArrays, node: int) -> Point:
    return Point(float(arrays.lon[node]), float(arrays.lat[node]))


def _grouped(legs: Sequence[_Leg]) -> list[tuple[list[_Leg], _Leg | None]]:
    """Legs along one street together, each group with the leg before it."""
    groups: list[tuple[list[_Leg], _Leg | None]] = []
    for leg in legs:
        last = groups[-1][0][-1] if groups else None
        if last and _continues(last, leg):
            groups[-1][0].append(leg)
        else:
            groups.append(([leg], last))
    return groups


def _continues(last: _Leg, leg: _Leg) -> bool:
    if last.roundabout or leg.roundabout:
        return last.roundabout and leg.roundabout
    if last.name != leg.name:
        return False
    # Unnamed roads are one step only while nobody has to turn.
    return (bool(leg.name) and _turn(last, leg) != "uturn") or _turn(last, leg) == "straight"


def _step(group: Sequence[_Leg], before: _Leg | None) -> Step:
    return Step(
        name=group[0].name,
        length_m=sum(leg.length_m for leg in group),
        duration_s=sum(leg.ms for leg in group) / 1_000,
        turn=_turn(before, group[0]) if before else "depart",
        point=group[0].points[0],
    )


def _turn(before: _Leg, leg: _Leg) -> Turn:
    if leg.roundabout and not before.roundabout:
        return "roundabout"
    into = _bearing(before.points[::-1])
    out_of = _bearing(leg.points)
    if into is None or out_of is None:
        return "straight"
    # `into` was read backwards, from the junction.
    change = (out_of - (into + 180.0) + 180.0) % 360.0 - 180.0
    return turn_of(change)


def _bearing(points: Sequence[Point]) -> float | None:
    origin = points[0]
    far = next((p for p in points if distance_m(origin, p) >= _BEARING_M), points[-1])
    return None if far == origin else bearing_deg(origin, far)
