"""Reads what an OSRM server says: tables, nearest roads, and a drive street by street."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.network import Route, SegmentKey, Step, Turn
from geo.point import BadPoint, Point

_TURNS: Mapping[str, Turn] = {
    "uturn": "uturn",
    "sharp right": "sharp_right",
    "right": "right",
    "slight right": "slight_right",
    "straight": "straight",
    "slight left": "slight_left",
    "left": "left",
    "sharp left": "sharp_left",
}
_ROUND = ("roundabout", "rotary", "roundabout turn")


class BadAnswer(ValueError):
    """The server answered, but not what OSRM's documents promise."""


def durations(answer: Mapping[str, Any], *, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Seconds of a table answer, inf where the server found no way; raises BadAnswer."""
    try:
        rows = [[np.inf if s is None else float(s) for s in row] for row in answer["durations"]]
        found = np.array(rows, dtype=np.float64).reshape(shape)
    except (KeyError, TypeError, ValueError) as e:
        raise BadAnswer(f"no table of {shape[0]} × {shape[1]} durations") from e
    return found


def nearest(answer: Mapping[str, Any]) -> tuple[Point, SegmentKey]:
    """(position, OSM nodes of its segment) of a nearest answer; raises BadAnswer."""
    try:
        spot = answer["waypoints"][0]
        lon, lat = spot["location"]
        u, v = spot["nodes"]
        return Point(float(lon), float(lat)), (int(u), int(v))
    except (KeyError, IndexError, TypeError, ValueError, BadPoint) as e:
        raise BadAnswer("no nearest road") from e


def driven(answer: Mapping[str, Any]) -> tuple[Route, list[SegmentKey]]:
    """The drive of a route answer and the segments it uses; raises BadAnswer."""
    try:
        found = answer["routes"][0]
        legs = found["legs"]
        nodes = [node for leg in legs for node in leg["annotation"]["nodes"]]
        points = tuple(Point(float(x), float(y)) for x, y in found["geometry"]["coordinates"])
        steps = tuple(_steps(legs))
    except (KeyError, IndexError, TypeError, ValueError, BadPoint) as e:
        raise BadAnswer("no route") from e
    if not points or not steps:
        raise BadAnswer("a route without steps")
    route = Route(points, float(found["distance"]), float(found["duration"]), steps)
    return route, [(int(u), int(v)) for u, v in pairwise(nodes)]


def _steps(legs: Sequence[Mapping[str, Any]]) -> Iterator[Step]:
    """Streets one after the other; what OSRM says twice of one street is said once."""
    last: Step | None = None
    for told in (step for leg in legs for step in leg["steps"]):
        step, kind = _step(told), told["maneuver"]["type"]
        if kind == "arrive":
            continue
        if last is not None and _continues(last, step, kind):
            last = Step(
                last.name,
                last.length_m + step.length_m,
                last.duration_s + step.duration_s,
                last.turn,
                last.point,
            )
            continue
        if last is not None:
            yield last
        last = step
    if last is not None:
        yield last


def _continues(last: Step, step: Step, kind: str) -> bool:
    if kind.startswith("exit"):
        # the roundabout and the street after it are one instruction, named by the street
        return last.turn == "roundabout" and last.name == step.name
    return kind in ("new name", "continue", "notification") and last.name == step.name


def _step(told: Mapping[str, Any]) -> Step:
    maneuver = told["maneuver"]
    lon, lat = maneuver["location"]
    return Step(
        name=told.get("name") or told.get("ref") or "",
        length_m=float(told["distance"]),
        duration_s=float(told["duration"]),
        turn=_turn(maneuver),
        point=Point(float(lon), float(lat)),
    )


def _turn(maneuver: Mapping[str, Any]) -> Turn:
    if maneuver["type"] == "depart":
        return "depart"
    if maneuver["type"] in _ROUND:
        return "roundabout"
    return _TURNS.get(maneuver.get("modifier", "straight"), "straight")
