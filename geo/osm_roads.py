"""Reads what an OpenStreetMap extract says about driving: roads, barriers, signals, turns."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import osmium

from geo.bundle_errors import BadExtract, ExtractMissing
from geo.osm_access import CAR, EVERYBODY, NOBODY, barred_at_node, barred_from_way, delay_s
from geo.osm_restrictions import RESTRICTION_KEYS, Restrictions
from geo.osm_rules import Tags, directions, signals
from geo.progress import Progress

_REPORT_EVERY = 1_000
_KEPT_TAGS = (
    "highway",
    "name",
    "ref",
    "maxspeed",
    "maxspeed:forward",
    "maxspeed:backward",
    "junction",
    "service",
    "maxheight",
    "maxwidth",
    "width",
    "maxweight",
    "hgv",
)
_KEYS = (*RESTRICTION_KEYS, *(f"{key}:conditional" for key in RESTRICTION_KEYS))


@dataclass(frozen=True, slots=True)
class Road:
    """One OSM way that some vehicle may use; `nodes` are OSM ids in the order of the way.

    `barred` are the vehicles that may not, as bits of VEHICLES of geo.osm_access.
    """

    osm_id: int
    nodes: tuple[int, ...]
    tags: Tags
    along: bool
    against: bool
    barred: int = NOBODY

    @property
    def is_for_cars(self) -> bool:
        return not self.barred & CAR


@dataclass(slots=True)
class Roads:
    """What the extract says about driving."""

    roads: list[Road] = field(default_factory=list)
    places: dict[int, tuple[float, float]] = field(default_factory=dict)
    """Longitude and latitude of every node on a road, by OSM id."""
    blocked: dict[int, int] = field(default_factory=dict)
    """The vehicles that a barrier stops, as bits of VEHICLES, by the node it stands on."""
    gates: dict[int, float] = field(default_factory=dict)
    """The seconds that others lose at it, by the node it stands on."""
    signals: dict[int, tuple[bool, bool]] = field(default_factory=dict)
    restrictions: Restrictions = field(default_factory=Restrictions)


def read_roads(path: Path, *, progress: Progress) -> Roads:
    """Every way that can be driven or ridden, with its nodes, barriers, signals, restrictions."""
    found = Roads()
    keys = osmium.filter.KeyFilter("highway", "barrier", *_KEYS)
    with extract_errors(path):
        for n, thing in enumerate(osmium.FileProcessor(path).with_locations().with_filter(keys)):
            _take(thing, found)
            if n % _REPORT_EVERY == 0:
                progress.advance(_REPORT_EVERY)
    return found


@contextmanager
def extract_errors(path: Path) -> Iterator[None]:
    """Say what is wrong with an extract read inside; raises ExtractMissing or BadExtract."""
    if not path.is_file():
        raise ExtractMissing(f"There is no file {path}; give the path of an .osm.pbf extract.")
    try:
        yield
    except (RuntimeError, ValueError, osmium.InvalidLocationError) as e:
        # What osmium raises for a file that is cut, garbled or something else.
        if "file format" in str(e):
            raise BadExtract(
                f"{path.name} is no OpenStreetMap file; give an .osm.pbf, .osm or .osm.gz."
            ) from e
        raise BadExtract(
            f"{path.name} is cut off or damaged as an OpenStreetMap file ({e}); download it again."
        ) from e


def _take(thing: Any, found: Roads) -> None:
    if thing.is_way():
        found.roads.extend(_roads_of(thing, found.places))
    elif thing.is_node():
        tags = dict(thing.tags)
        _take_barrier(thing.id, tags, found)
        if any(signals(tags)):
            found.signals[thing.id] = signals(tags)
    elif thing.is_relation():
        found.restrictions.take(thing)


def _take_barrier(node: int, tags: Tags, found: Roads) -> None:
    barred, gate_s = barred_at_node(tags), delay_s(tags)
    if barred:
        found.blocked[node] = barred
    if gate_s and barred != EVERYBODY:
        found.gates[node] = gate_s


def _roads_of(way: Any, places: dict[int, tuple[float, float]]) -> Iterator[Road]:
    tags = dict(way.tags)
    barred = barred_from_way(tags)
    if barred == EVERYBODY:
        return
    along, against = directions(tags)
    kept = {key: tags[key] for key in _KEPT_TAGS if key in tags}
    for run in _located_runs(way.nodes, places):
        yield Road(way.id, tuple(run), kept, along, against, barred)


def _located_runs(nodes: Any, places: dict[int, tuple[float, float]]) -> Iterator[list[int]]:
    """The stretches of a way whose nodes are in the extract: clipped ones lack some."""
    run: list[int] = []
    for node in nodes:
        if node.location.valid():
            places[node.ref] = (node.lon, node.lat)
            if not run or run[-1] != node.ref:
                run.append(node.ref)
            continue
        if len(run) > 1:
            yield run
        run = []
    if len(run) > 1:
        yield run
