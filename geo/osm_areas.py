"""Finds a city's wards and districts in the map: its boundaries, else what people call places."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon

from geo.areas import Area, Areas, Kind, closed_union, plain_name, polygonal
from geo.osm_roads import extract_errors
from geo.point import METRES_PER_DEGREE
from geo.progress import Progress, Silent
from geo.roadarrays import Floats, RoadArrays

COVERAGE = 0.6
"""Boundaries of one level serve as wards when they hold at least this share of the road nodes."""

ROADSIDE_M = 250.0
"""Without boundaries the city reaches this far from its roads."""

_LEVELS = range(5, 12)
_PLACE_KINDS = (("suburb",), ("quarter",), ("neighbourhood",), ("village", "hamlet"))
_ENOUGH_PLACES = 3


@dataclass(frozen=True, slots=True)
class _Boundary:
    osm_id: int
    name: str
    code: str | None
    shape: Polygon | MultiPolygon


@dataclass(slots=True)
class _Found:
    """What the extract says about areas."""

    by_level: dict[int, list[_Boundary]] = field(default_factory=lambda: defaultdict(list))
    places: dict[str, list[tuple[str, float, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )


def find_areas(
    extract: Path,
    roads: RoadArrays,
    *,
    city: str,
    outline: Polygon | MultiPolygon | None = None,
    progress: Progress | None = None,
) -> Areas:
    """The areas of the city named `city`, within its `outline`; there is always a ward.

    Wards are the finest administrative boundaries that hold most of the roads, districts the next
    coarser ones. Without such: the surroundings of each suburb or neighbourhood on the map.
    Without these: the whole city. Raises BadExtract.
    """
    (progress or Silent()).stage("Reading wards", None)
    found = _read(extract, within=outline)
    levels = _serving_levels(found, roads)
    if levels:
        wards = found.by_level[levels[0]]
        districts = found.by_level[levels[1]] if len(levels) > 1 else []
        return _from_boundaries(wards, districts, roads=roads, city=city, outline=outline)
    land = outline or roadside(roads)
    cells = _cells(_named_places(found), land) or [(city, land)]
    wards_of_places = [
        Area(f"ward/{n + 1}", name, "ward", "city", None, shape)
        for n, (name, shape) in enumerate(sorted(cells, key=lambda cell: cell[0]))
    ]
    return Areas([Area("city", city, "city", None, None, land), *wards_of_places])


def roadside(roads: RoadArrays) -> Polygon | MultiPolygon:
    """The land within about ROADSIDE_M of the roads, without holes."""
    scale = _metres_per_degree(roads)
    spots = _sampled_along(roads, every_m=ROADSIDE_M / 2) * scale
    cells = np.unique(np.floor(spots / ROADSIDE_M), axis=0) * ROADSIDE_M
    squares = shapely.box(
        cells[:, 0], cells[:, 1], cells[:, 0] + ROADSIDE_M, cells[:, 1] + ROADSIDE_M
    )
    land = shapely.union_all(squares).buffer(ROADSIDE_M, join_style="mitre")
    filled = shapely.union_all([Polygon(part.exterior) for part in shapely.get_parts(land)])
    outline = polygonal(shapely.transform(filled.simplify(20.0), lambda xy: xy / scale))
    assert outline is not None, "a buffer around roads encloses land"
    return outline


def _read(extract: Path, *, within: Polygon | MultiPolygon | None) -> _Found:
    found = _Found()
    polygons = osmium.geom.WKBFactory()
    with extract_errors(extract):
        administrative = osmium.filter.TagFilter(("boundary", "administrative"))
        things = osmium.FileProcessor(extract).with_areas(administrative)
        for thing in things.with_filter(osmium.filter.KeyFilter("admin_level", "place")):
            _take(thing, polygons, found)
    if within is not None:
        # The map of a place comes with the neighbours that its border touches.
        found.by_level = {
            level: [b for b in boundaries if within.covers(b.shape.representative_point())]
            for level, boundaries in found.by_level.items()
        }
    return found


def _take(thing: Any, polygons: Any, found: _Found) -> None:
    name = thing.tags.get("name")
    if not name:
        return
    if thing.is_area():
        _take_boundary(thing, name, polygons, found)
    elif thing.is_node() and thing.tags.get("place"):
        place = (name, thing.location.lon, thing.location.lat)
        found.places[thing.tags["place"]].append(place)


def _take_boundary(area: Any, name: str, polygons: Any, found: _Found) -> None:
    level = area.tags.get("admin_level", "")
    if area.tags.get("boundary") != "administrative" or not level.isdigit():
        return
    shape = polygonal(shapely.from_wkb(polygons.create_multipolygon(area)))
    if shape is None:
        return
    code = area.tags.get("ref") or area.tags.get("ref:kemendagri")
    boundary = _Boundary(area.orig_id(), plain_name(name), code, shape)
    found.by_level[int(level)].append(boundary)


def _serving_levels(found: _Found, roads: RoadArrays) -> list[int]:
    """The levels whose boundaries divide the roads, finest first."""
    serving: list[int] = []
    most = roads.node_count
    for level in reversed(_LEVELS):
        holders, covered = _holding(found.by_level.get(level, []), roads)
        if 1 < len(holders) < most and covered >= COVERAGE:
            serving.append(level)
            most = len(holders)
    return serving


def _holding(boundaries: Sequence[_Boundary], roads: RoadArrays) -> tuple[set[int], float]:
    """Which boundaries hold a road node, and the share of the nodes that they hold together."""
    if not boundaries:
        return set(), 0.0
    nodes = shapely.points(np.column_stack([roads.lon, roads.lat]))
    tree = shapely.STRtree(np.asarray(nodes, dtype=object))
    holder, node = tree.query([b.shape for b in boundaries], predicate="contains")
    return set(holder.tolist()), len(np.unique(node)) / len(tree)


def _from_boundaries(
    wards: Sequence[_Boundary],
    districts: Sequence[_Boundary],
    *,
    roads: RoadArrays,
    city: str,
    outline: Polygon | MultiPolygon | None,
) -> Areas:
    """A district with roads is served whole, with the wards in it that have none."""
    holders, _ = _holding(wards, roads)
    parents = _parents(wards, districts)
    served = {parents[i] for i in holders} - {"city"}
    kept = [i for i in range(len(wards)) if i in holders or parents[i] in served]
    land = outline or closed_union([wards[i].shape for i in kept])
    return Areas(
        [
            Area("city", city, "city", None, None, land),
            *(
                area
                for area in (_area(district, "district", parent="city") for district in districts)
                if area.id in served
            ),
            *(_area(wards[i], "ward", parent=parents[i]) for i in kept),
        ]
    )


def _area(boundary: _Boundary, kind: Kind, *, parent: str) -> Area:
    area_id = f"{kind}/r{boundary.osm_id}"
    return Area(area_id, boundary.name, kind, parent, boundary.code, boundary.shape)


def _parents(wards: Sequence[_Boundary], districts: Sequence[_Boundary]) -> list[str]:
    """The id of the district in which the middle of each ward lies, else the city's."""
    parents = ["city"] * len(wards)
    if not districts:
        return parents
    tree = shapely.STRtree([district.shape for district in districts])
    middles = [ward.shape.representative_point() for ward in wards]
    for ward, district in tree.query(middles, predicate="within").T.tolist():
        parents[ward] = f"district/r{districts[district].osm_id}"
    return parents


def _named_places(found: _Found) -> list[tuple[str, float, float]]:
    """The places of the coarsest kind that there are enough of, else all of them."""
    by_kind = [[p for kind in kinds for p in found.places.get(kind, [])] for kinds in _PLACE_KINDS]
    enough = next((places for places in by_kind if len(places) >= _ENOUGH_PLACES), None)
    places = enough if enough is not None else [p for kind in by_kind for p in kind]
    # Two cells of one name would be two wards nobody can tell apart.
    return list({place[0]: place for place in places}.values())


def _cells(
    places: Sequence[tuple[str, float, float]], outline: Polygon | MultiPolygon
) -> list[tuple[str, Polygon | MultiPolygon]]:
    """To each place the part of the outline that is nearer to it than to any other."""
    inside = [p for p in places if shapely.intersects_xy(outline, p[1], p[2])]
    if len(inside) < 2:
        return []
    middles = shapely.points([(lon, lat) for _, lon, lat in inside])
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(middles), extend_to=outline)
    )
    owner = shapely.STRtree(cells).query(middles, predicate="intersects")
    found = []
    for place, cell in owner.T.tolist():
        shape = polygonal(shapely.intersection(cells[cell], outline))
        if shape is not None:
            found.append((inside[place][0], shape))
    return found


def _sampled_along(roads: RoadArrays, *, every_m: float) -> Floats:
    """Points (lon, lat) along every piece, no farther apart than `every_m`."""
    counts = np.ceil(roads.piece_m / every_m).astype(np.int64) + 1
    piece = np.repeat(np.arange(len(counts)), counts)
    nth = np.arange(len(piece)) - np.repeat(np.cumsum(counts) - counts, counts)
    share = (nth / np.maximum(counts[piece] - 1, 1))[:, np.newaxis]
    nodes = np.column_stack([roads.lon, roads.lat])
    start, end = nodes[roads.piece_u[piece]], nodes[roads.piece_v[piece]]
    spots: Floats = start + share * (end - start)
    return spots


def _metres_per_degree(roads: RoadArrays) -> NDArray[np.float64]:
    shrink = np.cos(np.radians(float(np.mean(roads.lat))))
    return np.array([METRES_PER_DEGREE * shrink, METRES_PER_DEGREE])
