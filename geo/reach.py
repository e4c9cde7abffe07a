"""How far a vehicle comes in five, ten or twenty minutes: the reached streets as polygons."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from shapely.geometry import MultiPolygon, Polygon

from geo.network import Reached
from geo.point import METRES_PER_DEGREE
from geo.roadarrays import Floats, Ints, RoadArrays
from geo.roadmap import RoadMap
from geo.roadstate import CLOSED_MS, RoadLayout, RoadState, Stand

CELL_M = 20.0
"""The side of a cell of the raster; large areas are drawn with larger ones."""

MOST_CELLS = 256
"""At most so many cells along a side, which bounds time and size of an answer."""

BESIDE_M = 90.0
"""A place this near to a reached street is reached: a house, a yard, a field."""

LEAST_HOLE_CELLS = 6
"""Smaller holes are gaps of the drawing; larger ones are places that cannot be reached."""


class ReachGraph:
    """The turns of a city as scipy searches them; safe for many threads."""

    def __init__(self, arrays: RoadArrays) -> None:
        # Of several turns between the same two edges only one is kept: scipy would add them up.
        order = np.lexsort((arrays.turn_ms, arrays.turn_to, arrays.turn_from))
        tail, head = arrays.turn_from[order], arrays.turn_to[order]
        fresh = np.ones(len(order), dtype=np.bool_)
        fresh[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
        self._turns: Ints = order[fresh]
        size = arrays.edge_count
        self._heads = head[fresh].astype(np.int32)
        counts = np.bincount(tail[fresh], minlength=size)
        self._starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        self._size = size
        self._lock = threading.Lock()
        self._of: RoadState | None = None
        self._weights: csr_array | None = None

    def weights(self, state: RoadState) -> csr_array:
        """Milliseconds of each turn and the edge after it, as the roads are in `state`."""
        with self._lock:
            if self._weights is None or self._of is not state:
                ms = state.turn_weights(self._turns).astype(np.float64)
                ms[ms >= CLOSED_MS] = np.inf
                shape = (self._size, self._size)
                self._weights = csr_array((ms, self._heads, self._starts), shape=shape)
                self._of = state
            return self._weights


def reachable(
    roads: RoadMap,
    graph: ReachGraph,
    state: RoadState,
    stands: Sequence[Stand],
    limits_s: Sequence[float],
) -> list[Reached]:
    """The areas within each limit, in the order of the limits, from where somebody stands."""
    arrays, layout = roads.arrays, state.layout
    if not stands or not limits_s:
        return [Reached(limit, MultiPolygon(), 0.0) for limit in limits_s]
    begin_ms = _begins(arrays, layout, graph, state, stands, most_ms=max(limits_s) * 1_000)
    return [_reached(roads, state, begin_ms, stands, limit) for limit in limits_s]


def _begins(
    arrays: RoadArrays,
    layout: RoadLayout,
    graph: ReachGraph,
    state: RoadState,
    stands: Sequence[Stand],
    *,
    most_ms: float,
) -> Floats:
    """Milliseconds until each piece is begun, shape (pieces,); inf = later, or not at all."""
    ends = np.full(arrays.edge_count, np.inf)
    for edge, ms in state.starts(stands):
        sweep = dijkstra(graph.weights(state), indices=[edge], limit=most_ms)[0] + ms
        np.minimum(ends, sweep, out=ends)
    # Onto an edge that is closed half way one still drives: up to the closure.
    onto = np.full(arrays.edge_count, np.inf)
    arriving = ends[arrays.turn_from] + arrays.turn_ms
    arriving[layout.is_shut(slice(None))] = np.inf
    timely = np.flatnonzero(arriving <= most_ms)
    np.minimum.at(onto, arrays.turn_to[timely], arriving[timely])
    begin = onto[layout.piece_edge] + _before_ms(arrays, layout, state)
    for stand in stands:
        begin[stand.piece] = min(begin[stand.piece], 0.0)
        last = int(arrays.edge_start[stand.edge + 1])
        spent = int(state.piece_ms[stand.piece]) - stand.offset_ms
        for piece in range(stand.piece + 1, last):
            if state.closed[piece]:
                break
            begin[piece] = min(begin[piece], spent)
            spent += int(state.piece_ms[piece])
    begin[state.closed] = np.inf
    # What is driven on a copy is driven on its road, and drawn there once.
    copies, pieces = layout.copied_pieces()
    np.minimum.at(begin, pieces, begin[copies])
    begin[copies] = np.inf
    return begin


def _before_ms(arrays: RoadArrays, layout: RoadLayout, state: RoadState) -> Floats:
    """Milliseconds from the begin of its edge to each piece; inf behind a closure."""
    first = arrays.edge_start[:-1][layout.piece_edge]
    ms = np.concatenate([[0], np.cumsum(state.piece_ms)])
    shut = np.concatenate([[0], np.cumsum(state.closed)])
    pieces = np.arange(len(state.piece_ms))
    before: Floats = np.where(shut[pieces] > shut[first], np.inf, ms[pieces] - ms[first])
    return before


def _reached(
    roads: RoadMap, state: RoadState, begin_ms: Floats, stands: Sequence[Stand], limit_s: float
) -> Reached:
    arrays = roads.arrays
    pieces = np.flatnonzero(begin_ms <= limit_s * 1_000)
    ms = np.maximum(state.piece_ms[pieces], 1)
    share = np.clip((limit_s * 1_000 - begin_ms[pieces]) / ms, 0.0, 1.0)
    u, v = arrays.piece_u[pieces], arrays.piece_v[pieces]
    start = np.column_stack([arrays.lon[u], arrays.lat[u]])
    run = np.column_stack([arrays.lon[v], arrays.lat[v]]) - start
    skipped = np.zeros(len(pieces))
    offsets = {stand.piece: stand.offset_ms for stand in stands}
    for n in np.flatnonzero(np.isin(pieces, list(offsets))).tolist():
        if begin_ms[pieces[n]] == 0.0:
            skipped[n] = offsets[int(pieces[n])] / int(ms[n])
            share[n] = min(1.0, skipped[n] + limit_s * 1_000 / int(ms[n]))
    lines = np.stack(
        [start + run * skipped[:, np.newaxis], start + run * share[:, np.newaxis]], axis=1
    )
    road_m = float((arrays.piece_m[pieces] * (share - skipped)).sum())
    return Reached(limit_s, outline(lines), road_m)


def outline(lines: Floats) -> MultiPolygon:
    """The area within BESIDE_M of straight lines, shape (lines, 2, lon and lat); holes are kept.

    The lines are drawn on a raster, widened, and the cells of the raster joined row by row.
    """
    if not len(lines):
        return MultiPolygon()
    middle = lines.reshape(-1, 2).mean(axis=0)
    scale = np.array(
        [METRES_PER_DEGREE * math.cos(math.radians(float(middle[1]))), METRES_PER_DEGREE]
    )
    flat = (lines - middle) * scale
    low = flat.reshape(-1, 2).min(axis=0) - 2 * BESIDE_M
    size = flat.reshape(-1, 2).max(axis=0) + 2 * BESIDE_M - low
    cell = max(CELL_M, float(size.max()) / MOST_CELLS)
    drawn = _drawn((flat - low) / cell, shape=np.ceil(size / cell).astype(np.int64) + 1)
    radius = BESIDE_M / cell
    wide = ndimage.distance_transform_edt(~drawn) <= max(radius, 1.0)
    filled = _without_small_holes(wide)
    area = shapely.simplify(_joined(filled), 0.75, preserve_topology=True)
    placed = shapely.transform(area, lambda xy: (xy * cell + low) / scale + middle)
    return _polygons(placed)


def _drawn(lines: Floats, *, shape: Ints) -> NDArray[np.bool_]:
    """Cells (row, column) that the lines run through, sampled twice per cell."""
    columns, rows = int(shape[0]), int(shape[1])
    drawn = np.zeros((rows, columns), dtype=np.bool_)
    run = lines[:, 1] - lines[:, 0]
    steps = np.maximum(np.ceil(2 * np.hypot(run[:, 0], run[:, 1])).astype(np.int64), 1) + 1
    line = np.repeat(np.arange(len(lines)), steps)
    first = np.cumsum(steps) - steps
    along = (np.arange(len(line)) - first[line]) / (steps[line] - 1)
    at = (lines[line, 0] + run[line] * along[:, np.newaxis]).astype(np.int64)
    drawn[at[:, 1], at[:, 0]] = True
    return drawn


def _without_small_holes(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    holes, count = ndimage.label(~cells)
    if count == 0:
        return cells
    sizes = np.bincount(holes.ravel(), minlength=count + 1)
    small = sizes < LEAST_HOLE_CELLS
    small[0] = False
    filled: NDArray[np.bool_] = cells | small[holes]
    return filled


def _joined(cells: NDArray[np.bool_]) -> shapely.Geometry:
    """The cells as one shape, in units of cells."""
    padded = np.pad(cells, ((0, 0), (1, 1))).astype(np.int8)
    turns = np.diff(padded, axis=1)
    row, begin = np.nonzero(turns == 1)
    _, end = np.nonzero(turns == -1)
    boxes = shapely.box(begin, row, end, row + 1)
    return shapely.union_all(boxes)


def _polygons(shape: shapely.Geometry) -> MultiPolygon:
    valid = shape if shapely.is_valid(shape) else shapely.make_valid(shape)
    parts = [part for part in shapely.get_parts(valid) if isinstance(part, Polygon)]
    return MultiPolygon([part for part in parts if part.area > 0])
