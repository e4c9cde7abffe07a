"""The roads of a city as plain arrays: made once from the map, opened in a moment."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geo.arraysfile import map_arrays, write_arrays
from geo.osm_rules import LIMITS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RoadArrays:
    """Nodes, directed edges, the pieces they consist of, and the turns between them.

    A *piece* runs between two consecutive OSM nodes, in driving direction. An *edge* is a chain
    of pieces between two junctions of one way. A *turn* leads from the end of an edge onto the
    next; where there is no turn, none is allowed. All indices are positions in these arrays.
    Times are whole milliseconds, at least 1 for a piece; lengths are metres.
    """

    node_osm_id: Ints
    """OSM id of each node, shape (nodes,)."""
    lon: Floats
    lat: Floats
    """Degrees WGS 84, shape (nodes,)."""
    piece_u: Ints
    piece_v: Ints
    """First and last node of each piece, shape (pieces,); pieces of an edge lie side by side."""
    piece_m: Floats
    piece_ms: Ints
    """Length, and time as usual, signals and gates at its end included; shape (pieces,)."""
    piece_wait_ms: Ints
    """What of it is lost at a gate at its end, however fast one drives; shape (pieces,)."""
    edge_start: Ints
    """First piece of each edge and one past the last, shape (edges + 1,)."""
    edge_name: Ints
    """Index into the street names; 0 is the empty name. Shape (edges,)."""
    edge_way: Ints
    """OSM id of the way that each edge is a stretch of, 0 where it was not kept; shape (edges,)."""
    edge_roundabout: NDArray[np.bool_]
    """Is the edge part of one? Shape (edges,)."""
    edge_class: Ints
    """Index into ROAD_CLASSES of geo.osm_rules; 0 is unknown. Shape (edges,)."""
    edge_limit: Ints
    """The bits of LIMITS of geo.osm_rules that hold on it. Shape (edges,)."""
    edge_same: Ints
    """The edge that each is the same road as: itself, or for a copy, one before. Shape (edges,).

    A copy is driven onto only from where a turn restriction over a way begins, so that the turns
    off it can obey it. It has pieces of its own between the same nodes; nobody stands on them.
    """
    turn_from: Ints
    turn_to: Ints
    turn_ms: Ints
    """Allowed turns: from edge, to edge, cost; shape (turns,)."""
    turn_barred: Ints
    """Who may not turn so, bits of VEHICLES of geo.osm_access; shape (turns,)."""
    name_bytes: NDArray[np.uint8]
    name_end: Ints
    """The street names as UTF-8, each ending at name_end; shape (names,)."""

    @property
    def node_count(self) -> int:
        return len(self.lon)

    @property
    def edge_count(self) -> int:
        return len(self.edge_name)

    @property
    def tail(self) -> Ints:
        """The node where each edge begins, shape (edges,)."""
        return self.piece_u[self.edge_start[:-1]]

    @property
    def head(self) -> Ints:
        """The node where each edge ends, shape (edges,)."""
        return self.piece_v[self.edge_start[1:] - 1]

    @property
    def length_m(self) -> Floats:
        """Metres of each edge, shape (edges,)."""
        return np.add.reduceat(self.piece_m, self.edge_start[:-1])

    @property
    def is_copy(self) -> NDArray[np.bool_]:
        """Is the edge the same road as another one before it? Shape (edges,)."""
        copies: NDArray[np.bool_] = self.edge_same != np.arange(self.edge_count)
        return copies

    @property
    def for_cars(self) -> NDArray[np.bool_]:
        """May cars use the edge, or only motorbikes? Shape (edges,)."""
        open_: NDArray[np.bool_] = (self.edge_limit & (1 << LIMITS.index("no_cars"))) == 0
        return open_

    @property
    def road_m(self) -> Floats:
        """Metres of each edge, 0 for a copy: their sum is the length of the network."""
        return np.where(self.is_copy, 0.0, self.length_m)

    @property
    def weight_ms(self) -> Ints:
        """Usual milliseconds of each edge without turns, shape (edges,)."""
        return np.add.reduceat(self.piece_ms, self.edge_start[:-1])

    @property
    def turn_weight_ms(self) -> Ints:
        """Usual milliseconds of each turn and the whole edge after it, shape (turns,).

        With turn_from and turn_to it is the graph that every engine here searches.
        """
        weights: Ints = self.turn_ms + self.weight_ms[self.turn_to]
        return weights

    @property
    def piece_edge(self) -> Ints:
        """The edge of each piece, shape (pieces,)."""
        return np.repeat(np.arange(self.edge_count), np.diff(self.edge_start))

    def names(self) -> list[str]:
        """The street names; `edge_name` points into them."""
        text = self.name_bytes.tobytes()
        starts = [0, *self.name_end[:-1].tolist()]
        ends = self.name_end.tolist()
        return [text[a:b].decode() for a, b in zip(starts, ends, strict=True)]

    def save(self, path: Path) -> None:
        """Write an .npz of plain arrays (nothing in it is ever executed when it is read)."""
        write_arrays(path, {f.name: getattr(self, f.name) for f in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `save` wrote, mapped into memory and read-only.

        Raises OSError, ValueError or KeyError when it is not that.
        """
        stored = map_arrays(path)
        # A city imported before these were kept: every road is of an unknown class, without limits,
        # open to all or not there at all; gates stand open, no restriction leads over a way.
        unknown = np.zeros(len(stored["edge_name"]), dtype=np.int64)
        older = {
            "edge_way": unknown,
            "edge_class": unknown,
            "edge_limit": unknown,
            "edge_same": np.arange(len(unknown)),
            "piece_wait_ms": np.zeros(len(stored["piece_ms"]), dtype=np.int64),
            "turn_barred": np.zeros(len(stored["turn_from"]), dtype=np.int64),
        }
        return cls(**{f.name: (older | stored)[f.name] for f in fields(cls)})


def pack_names(names: list[str]) -> tuple[NDArray[np.uint8], Ints]:
    """The names as (name_bytes, name_end) of RoadArrays."""
    encoded = [name.encode() for name in names]
    ends = np.cumsum([len(e) for e in encoded], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), dtype=np.uint8).copy(), ends
