"""Turns what restrictions say of ways into what may not follow what among edges, and forbids it.

A restriction over one node forbids a turn. One over a way forbids a *sequence* of edges: where
somebody came from decides where he may go on. So the edges of the way get copies that remember it:
a copy is the same road as its edge, but is driven onto only from where the sequence begins, and
the turns off it leave out the last one. How long a memory is needed is found as Aho and Corasick
(1975) find words in a text: the copies are the proper beginnings of the sequences, and a drive is
always in the longest one that it ends with.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from geo.osm_access import EVERYBODY, NOBODY
from geo.osm_restrictions import Restriction

_MOST_EDGES = 40
"""A restriction over more edges is a mistake."""

Edges = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """From edge to edge; `barred` are the vehicles that may not, as bits of VEHICLES."""

    a: int
    b: int
    ms: int
    barred: int = NOBODY


@dataclass(frozen=True, slots=True)
class Network:
    """Directed edges by the OSM node at their end and their way; `twin` is the way back, or -1.

    `leaving` and `arriving` are the edges by node, `of_way` by way.
    """

    head: Sequence[int]
    way: Sequence[int]
    twin: Sequence[int]
    leaving: Mapping[int, Sequence[int]]
    arriving: Mapping[int, Sequence[int]]
    of_way: Mapping[int, Sequence[int]]

    @classmethod
    def of(
        cls, nodes: Sequence[tuple[int, ...]], *, way: Sequence[int], twin: Sequence[int]
    ) -> Self:
        """`nodes` are the OSM nodes of each edge in driving direction."""
        leaving, arriving, of_way = defaultdict(list), defaultdict(list), defaultdict(list)
        for edge, along in enumerate(nodes):
            leaving[along[0]].append(edge)
            arriving[along[-1]].append(edge)
            of_way[way[edge]].append(edge)
        head = [along[-1] for along in nodes]
        return cls(head, way, twin, leaving, arriving, of_way)


@dataclass(slots=True)
class Bans:
    """What may not be driven: sequences of at least two edges, with whom they bind."""

    barred: dict[Edges, int] = field(default_factory=dict)
    over_nodes: int = 0
    over_ways: int = 0
    unread: int = 0
    """Restrictions that fit no place of the network, or more than one."""

    def add(self, edges: Edges, barred: int) -> None:
        """Forbid to drive these edges one after the other."""
        self.barred[edges] = self.barred.get(edges, NOBODY) | barred


def bans_of(restrictions: Sequence[Restriction], network: Network) -> Bans:
    """What the restrictions forbid in this network.

    Where a restriction has two readings it is not applied: a wrong ban is worse than none.
    """
    bans = Bans()
    for rule in restrictions:
        found = _over_node(rule, network) if rule.via_node is not None else _over(rule, network)
        if found is None:
            bans.unread += 1
            continue
        bans.over_nodes += rule.via_node is not None
        bans.over_ways += rule.via_node is None
        for edges in _forbidden(found, rule, network):
            bans.add(edges, rule.barred)
    return bans


def _forbidden(path: Edges, rule: Restriction, network: Network) -> Iterator[Edges]:
    """`no_`: the path itself. `only_`: whoever has begun it may not leave it."""
    if not rule.only:
        yield path
        return
    for n in range(1, len(path)):
        if n == 1 and len(path) > 2:
            # who comes from there need not enter the way at all
            continue
        for other in network.leaving.get(network.head[path[n - 1]], ()):
            if other != path[n]:
                yield (*path[:n], other)


def _over_node(rule: Restriction, network: Network) -> Edges | None:
    assert rule.via_node is not None
    way, node = network.way, rule.via_node
    sources = [e for e in network.arriving.get(node, ()) if way[e] == rule.from_way]
    targets = [e for e in network.leaving.get(node, ()) if way[e] == rule.to_way]
    # A way that runs through the junction leaves two readings.
    if len(sources) != 1 or len(targets) != 1:
        return None
    return sources[0], targets[0]


def _over(rule: Restriction, network: Network) -> Edges | None:
    """The one way to drive from the first over the others onto the last, None without or with two.

    Nobody turns round on it, and each way is left where the next begins.
    """
    ways = (rule.from_way, *rule.via_ways, rule.to_way)
    found: list[Edges] = []
    stack: list[tuple[Edges, int]] = [((edge,), 0) for edge in network.of_way.get(ways[0], ())]
    while stack and len(found) < 2:
        path, at = stack.pop()
        for edge in network.leaving.get(network.head[path[-1]], ()):
            if edge == network.twin[path[-1]] or edge in path or len(path) >= _MOST_EDGES:
                continue
            if network.way[edge] == ways[at + 1] and at + 1 == len(ways) - 1:
                found.append((*path, edge))
            elif network.way[edge] == ways[at + 1]:
                stack.append(((*path, edge), at + 1))
            elif at and network.way[edge] == ways[at]:
                stack.append(((*path, edge), at))
    return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Remembering:
    """The turns of a network in which some edges have copies, numbered after the edges."""

    turns: Sequence[Turn]
    copy_of: Sequence[int]
    """The edge that each copy is the same road as."""


def remembered(turns: Sequence[Turn], bans: Bans, *, edges: int) -> Remembering:
    """The same turns without what is forbidden."""
    singles = {pair: barred for pair, barred in bans.barred.items() if len(pair) == 2}
    longer = {path: barred for path, barred in bans.barred.items() if len(path) > 2}
    plain = [
        Turn(t.a, t.b, t.ms, t.barred | singles[t.a, t.b]) if (t.a, t.b) in singles else t
        for t in turns
    ]
    begun = sorted({path[:n] for path in longer for n in range(2, len(path))})
    number = {path: edges + n for n, path in enumerate(begun)}
    remembering = {path[-1] for path in begun}
    off: dict[int, list[Turn]] = defaultdict(list)
    for turn in plain:
        if turn.a in remembering:
            off[turn.a].append(turn)
    made = [
        replace(turn, b=number[turn.a, turn.b]) if (turn.a, turn.b) in number else turn
        for turn in plain
    ]
    for path in begun:
        made += [_onto(turn, path, longer, number) for turn in off[path[-1]]]
    kept = [turn for turn in made if turn.barred != EVERYBODY]
    return Remembering(kept, [path[-1] for path in begun])


def _onto(
    turn: Turn, path: Edges, longer: Mapping[Edges, int], number: Mapping[Edges, int]
) -> Turn:
    """The turn as it is taken by somebody who has driven `path`."""
    driven = (*path, turn.b)
    barred, onto = turn.barred, turn.b
    for n in range(len(driven) - 2, -1, -1):
        end = driven[n:]
        barred |= longer.get(end, NOBODY)
        # the longest that matches is the last one found
        onto = number.get(end, onto)
    return Turn(number[path], onto, turn.ms, barred)
