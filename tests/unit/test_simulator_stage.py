"""What is simulated where does not depend on gangs that no simulated crew rides."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dispatch.simulator.stage import _junctions
from geo.osm_import import import_extract
from tests.maps import SmallMap, grid


def town() -> SmallMap:
    """A grid with a dead end, two one-ways that cross, and nodes in the middle of streets."""
    map_ = grid(4)
    map_.node(600, -100, 0)
    map_.way(3_000, [600, 1], name="Buntu")
    for middle, (east, north) in {700: (300, 0), 701: (0, 300)}.items():
        map_.node(middle, east, north)
    map_.ways[1_000] = ([1, 2, 700, 3, 4], {"highway": "residential"})
    map_.ways[2_000] = ([1, 101, 701, 201, 301], {"highway": "residential", "oneway": "yes"})
    for way in (1_001, 2_001):
        map_.ways[way] = (map_.ways[way][0], {"highway": "residential", "oneway": "yes"})
    return map_


def junctions(map_: SmallMap, folder: Path) -> set[int]:
    arrays = import_extract(map_.write(folder / "town.osm"))
    return set(arrays.node_osm_id[_junctions(arrays)].tolist())


def test_a_gang_more_moves_no_site(tmp_path: Path) -> None:
    plain, laned = town(), town()
    for n, ends in enumerate([(700, 102), (701, 102), (600, 701), (203, 4), (2, 700)]):
        laned.way(9_000 + n, ends, highway="path", motorcycle="yes")
    without = junctions(plain, tmp_path)
    assert junctions(laned, tmp_path) == without
    assert {600, 102} <= without
    assert not {700, 701} & without
    arrays = import_extract(plain.write(tmp_path / "plain.osm"))
    assert without == set(arrays.node_osm_id[np.unique(arrays.head)].tolist())
