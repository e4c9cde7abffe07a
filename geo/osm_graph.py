"""Joins the roads of the map into a network: edges between junctions, turns between edges."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from geo.osm_access import closed_to
from geo.osm_bans import Bans, Network, Remembering, bans_of, remembered
from geo.osm_roads import Road, Roads
from geo.osm_rules import is_roundabout, limits_of, road_class, speeds_kmh, street_name
from geo.osm_turns import Junctions, turns_at
from geo.point import EARTH_RADIUS_M
from geo.roadarrays import Floats, Ints, RoadArrays, pack_names
from geo.roadclasses import usable_edges

SIGNAL_MS = 3_000
"""Mean wait at one mapped traffic light; a big junction has one for each road it is made of.

Chosen so that drives take 1.45 (Porto Alegre) to 1.53 (Helsinki) times the free flow of length
and limit alone; OSRM's car profile, with 2 s, was measured at 1.48.
"""


@dataclass(frozen=True, slots=True)
class _Chain:
    """The stretch of a road between two junctions, as positions in the node list."""

    road: Road
    nodes: tuple[int, ...]


@dataclass(slots=True)
class _Edges:
    """Directed edges under construction."""

    nodes: list[tuple[int, ...]] = field(default_factory=list)
    kmh: list[float] = field(default_factory=list)
    against: list[bool] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    roundabout: list[bool] = field(default_factory=list)
    road_class: list[int] = field(default_factory=list)
    limit: list[int] = field(default_factory=list)
    barred: list[int] = field(default_factory=list)
    way: list[int] = field(default_factory=list)
    twin: list[int] = field(default_factory=list)

    def copy(self, edge: int) -> None:
        """Append an edge that is the same road as this one."""
        for each in fields(self):
            column = getattr(self, each.name)
            column.append(column[edge])


@dataclass(frozen=True, slots=True)
class Connected:
    """The network, and what became of the turn restrictions."""

    arrays: RoadArrays
    bans: Bans


def connect(roads: Roads) -> RoadArrays:
    """Cut the ways at junctions, join them by the turns allowed, drop loose ends."""
    return connected(roads).arrays


def connected(roads: Roads) -> Connected:
    """`connect`, and what became of the turn restrictions."""
    edges = _directed(_chains(roads))
    network = Network.of(edges.nodes, way=edges.way, twin=edges.twin)
    junctions = Junctions(
        nodes=edges.nodes,
        way=edges.way,
        twin=edges.twin,
        barred=edges.barred,
        places=roads.places,
        roads=roads,
    )
    bans = bans_of(roads.restrictions.found, network)
    driven = remembered(turns_at(junctions, network), bans, edges=len(edges.nodes))
    for edge in driven.copy_of:
        edges.copy(edge)
    whole = _arrays(edges, roads, driven)
    return Connected(keep_edges(*usable_edges(whole)), bans)


def _arrays(edges: _Edges, roads: Roads, driven: Remembering) -> RoadArrays:
    """All of it, loose ends too; the last edges are the copies."""
    index = {osm_id: n for n, osm_id in enumerate(roads.places)}
    places = np.array(list(roads.places.values()), dtype=np.float64).reshape(-1, 2)
    counts = np.array([len(nodes) - 1 for nodes in edges.nodes], dtype=np.int64)
    u = np.array([index[n] for nodes in edges.nodes for n in nodes[:-1]], dtype=np.int64)
    v = np.array([index[n] for nodes in edges.nodes for n in nodes[1:]], dtype=np.int64)
    metres = lengths_m(places[u], places[v])
    ms = metres / np.repeat(np.array(edges.kmh), counts) * 3_600.0
    lit = _is_signalled(v, np.repeat(edges.against, counts), index=index, roads=roads)
    ends = np.cumsum(counts) - 1
    # A light or gate at a junction belongs to the turn: who stops before it does not wait for it.
    lit_ends = lit[ends]
    lit[ends] = False
    ms += SIGNAL_MS * lit
    wait_ms = _gate_ms(v, index=index, roads=roads)
    wait_ms[ends] = 0
    turns = np.array([(t.a, t.b, t.ms, t.barred) for t in driven.turns], dtype=np.int64)
    turn_from, turn_to, turn_ms, turn_barred = turns.reshape(-1, 4).T.copy()
    turn_ms += SIGNAL_MS * lit_ends[turn_from]
    names = ["", *sorted(set(edges.name) - {""})]
    number = {name: n for n, name in enumerate(names)}
    name_bytes, name_end = pack_names(names)
    plain = np.arange(len(edges.nodes) - len(driven.copy_of))
    return RoadArrays(
        node_osm_id=np.fromiter(roads.places, dtype=np.int64, count=len(places)),
        lon=places[:, 0].copy(),
        lat=places[:, 1].copy(),
        piece_u=u,
        piece_v=v,
        piece_m=metres,
        piece_ms=np.maximum(np.rint(ms), 1).astype(np.int64) + wait_ms,
        piece_wait_ms=wait_ms,
        edge_start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        edge_name=np.array([number[name] for name in edges.name], dtype=np.int64),
        edge_way=np.array(edges.way, dtype=np.int64),
        edge_roundabout=np.array(edges.roundabout, dtype=np.bool_),
        edge_class=np.array(edges.road_class, dtype=np.int64),
        edge_limit=np.array(edges.limit, dtype=np.int64),
        edge_same=np.concatenate([plain, np.array(driven.copy_of, dtype=np.int64)]),
        turn_from=turn_from,
        turn_to=turn_to,
        turn_ms=turn_ms,
        turn_barred=turn_barred,
        name_bytes=name_bytes,
        name_end=name_end,
    )


def lengths_m(a: Floats, b: Floats) -> Floats:
    """Great-circle metres between rows of (lon, lat) degrees, shape (n, 2) each."""
    a, b = np.radians(a), np.radians(b)
    d_lon, d_lat = (b - a).T / 2
    h = np.sin(d_lat) ** 2 + np.cos(a[:, 1]) * np.cos(b[:, 1]) * np.sin(d_lon) ** 2
    metres: Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(h))
    return metres


def keep_edges(arrays: RoadArrays, kept: NDArray[np.bool_]) -> RoadArrays:
    """The network of the kept edges only; their order stays. A copy stays with its edge."""
    counts = np.diff(arrays.edge_start)
    pieces = np.repeat(kept, counts)
    edge_number = np.cumsum(kept) - 1
    turns = kept[arrays.turn_from] & kept[arrays.turn_to]
    nodes = np.zeros(arrays.node_count, dtype=np.bool_)
    nodes[arrays.piece_u[pieces]] = True
    nodes[arrays.piece_v[pieces]] = True
    node_number = np.cumsum(nodes) - 1
    return replace(
        arrays,
        node_osm_id=arrays.node_osm_id[nodes],
        lon=arrays.lon[nodes],
        lat=arrays.lat[nodes],
        piece_u=node_number[arrays.piece_u[pieces]],
        piece_v=node_number[arrays.piece_v[pieces]],
        piece_m=arrays.piece_m[pieces],
        piece_ms=arrays.piece_ms[pieces],
        piece_wait_ms=arrays.piece_wait_ms[pieces],
        edge_start=np.concatenate([[0], np.cumsum(counts[kept])]).astype(np.int64),
        edge_name=arrays.edge_name[kept],
        edge_way=arrays.edge_way[kept],
        edge_roundabout=arrays.edge_roundabout[kept],
        edge_class=arrays.edge_class[kept],
        edge_limit=arrays.edge_limit[kept],
        edge_same=edge_number[arrays.edge_same[kept]],
        turn_from=edge_number[arrays.turn_from[turns]],
        turn_to=edge_number[arrays.turn_to[turns]],
        turn_ms=arrays.turn_ms[turns],
        turn_barred=arrays.turn_barred[turns],
    )


def _chains(roads: Roads) -> Iterator[_Chain]:
    uses: Counter[int] = Counter()
    for road in roads.roads:
        uses.update(road.nodes)
        # An end always ends a chain, even where nothing else meets it.
        uses.update((road.nodes[0], road.nodes[-1]))
    for road in roads.roads:
        start = 0
        for i in range(1, len(road.nodes)):
            if uses[road.nodes[i]] > 1 or road.nodes[i] in roads.blocked:
                yield _Chain(road, road.nodes[start : i + 1])
                start = i


def _directed(chains: Iterator[_Chain]) -> _Edges:
    edges = _Edges()
    for chain in chains:
        road = chain.road
        along_kmh, against_kmh = speeds_kmh(road.tags)
        both = road.along and road.against
        first = len(edges.nodes)
        if road.along:
            _add(edges, road, chain.nodes, kmh=along_kmh, twin=first + 1 if both else -1)
        if road.against:
            _add(edges, road, chain.nodes[::-1], kmh=against_kmh, twin=first if both else -1)
            edges.against[-1] = True
    return edges


def _add(edges: _Edges, road: Road, nodes: Sequence[int], *, kmh: float, twin: int) -> None:
    edges.nodes.append(tuple(nodes))
    edges.kmh.append(kmh)
    edges.against.append(False)
    edges.name.append(street_name(road.tags))
    edges.roundabout.append(is_roundabout(road.tags))
    edges.road_class.append(road_class(road.tags))
    edges.limit.append(limits_of(road.tags) | closed_to(road.barred))
    edges.barred.append(road.barred)
    edges.way.append(road.osm_id)
    edges.twin.append(twin)


def _gate_ms(v: Ints, *, index: dict[int, int], roads: Roads) -> Ints:
    """What the gate at the end of each piece costs."""
    at = np.zeros(len(index), dtype=np.int64)
    for osm_id, seconds in roads.gates.items():
        if osm_id in index:
            at[index[osm_id]] = round(1_000 * seconds)
    waits: Ints = at[v]
    return waits


def _is_signalled(
    v: Ints, against: NDArray[np.bool_], *, index: dict[int, int], roads: Roads
) -> NDArray[np.bool_]:
    """Does each piece end at a light that faces its direction?"""
    facing = np.zeros((2, len(index)), dtype=np.bool_)
    for osm_id, (along, backward) in roads.signals.items():
        if osm_id in index:
            facing[:, index[osm_id]] = along, backward
    lit: NDArray[np.bool_] = np.where(against, facing[1][v], facing[0][v])
    return lit
