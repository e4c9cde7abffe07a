"""Reads what an OpenStreetMap extract says about driving: roads, barriers, signals, turns."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import osmium

from geo.bundle_errors import BadExtract, ExtractMissing
from geo.osm_rules import Tags, blocks, directions, is_drivable, signals
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
_RESTRICTION_KEYS = ("restriction:motorcar", "restriction:motor_vehicle", "restriction")


@dataclass(frozen=True, slots=True)
class Road:
    """One drivable OSM way; `nodes` are OSM ids in the order of the way."""

    osm_id: int
    nodes: tuple[int, ...]
    tags: Tags
    along: bool
    against: bool


@dataclass(frozen=True, slots=True)
class Restriction:
    """A turn restriction at a node: `only` = no other turn than this one is allowed."""

    from_way: int
    via_node: int
    to_way: int
    only: bool


@dataclass(slots=True)
class Roads:
    """What the extract says about driving."""

    roads: list[Road] = field(default_factory=list)
    places: dict[int, tuple[float, float]] = field(default_factory=dict)
    """Longitude and latitude of every node on a road, by OSM id."""
    blocked: set[int] = field(default_factory=set)
    signals: dict[int, tuple[bool, bool]] = field(default_factory=dict)
    restrictions: list[Restriction] = field(default_factory=list)


def read_roads(path: Path, *, progress: Progress) -> Roads:
    """Every drivable way with its nodes, barriers, signals and turn restrictions."""
    found = Roads()
    keys = osmium.filter.KeyFilter("highway", "barrier", *_RESTRICTION_KEYS)
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
        if blocks(tags):
            found.blocked.add(thing.id)
        if any(signals(tags)):
            found.signals[thing.id] = signals(tags)
    elif thing.is_relation():
        restriction = _restriction(thing)
        if restriction:
            found.restrictions.append(restriction)


def _roads_of(way: Any, places: dict[int, tuple[float, float]]) -> Iterator[Road]:
    tags = dict(way.tags)
    if not is_drivable(tags):
        return
    along, against = directions(tags)
    kept = {key: tags[key] for key in _KEPT_TAGS if key in tags}
    for run in _located_runs(way.nodes, places):
        yield Road(way.id, tuple(run), kept, along, against)


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


def _restriction(relation: Any) -> Restriction | None:
    """The restriction if it binds motorcars and is given at a single node."""
    tags = dict(relation.tags)
    kind = next((tags[key] for key in _RESTRICTION_KEYS if key in tags), "")
    exempt = set(tags.get("except", "").replace(" ", "").split(";"))
    if not kind.startswith(("no_", "only_")) or exempt & {"motorcar", "motor_vehicle"}:
        return None
    members = {(member.role, member.type): member.ref for member in relation.members}
    way_from, via, way_to = (members.get(key) for key in (("from", "w"), ("via", "n"), ("to", "w")))
    if way_from is None or via is None or way_to is None:
        return None
    return Restriction(way_from, via, way_to, kind.startswith("only_"))
