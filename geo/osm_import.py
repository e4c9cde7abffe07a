"""Turns an OpenStreetMap extract into the road arrays of a city."""

from pathlib import Path

from geo.bundle_errors import NoRoads
from geo.osm_graph import connect
from geo.osm_roads import read_roads
from geo.progress import Progress, Silent
from geo.roadarrays import RoadArrays


def import_extract(path: Path, *, progress: Progress | None = None) -> RoadArrays:
    """The road arrays of an extract (.osm.pbf, .osm, .osm.gz …).

    Raises ExtractMissing, BadExtract when it is truncated or something else, and NoRoads when
    nothing in it can be driven.
    """
    watcher = progress or Silent()
    watcher.stage("Reading roads", None)
    roads = read_roads(path, progress=watcher)
    if not roads.roads:
        raise NoRoads(
            f"{path.name} holds no road that a vehicle may drive; is it the right extract?"
        )
    watcher.stage("Connecting roads", None)
    arrays = connect(roads)
    if not arrays.edge_count:
        raise NoRoads(f"{path.name} holds only loose ends of roads, no network to drive on.")
    return arrays
