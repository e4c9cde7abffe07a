"""Turns an OpenStreetMap extract into the road arrays of a city."""

from pathlib import Path

from geo.bundle_errors import NoRoads
from geo.osm_graph import connected
from geo.osm_roads import read_roads
from geo.progress import Progress, Silent
from geo.roadarrays import RoadArrays


def import_extract(path: Path, *, progress: Progress | None = None) -> RoadArrays:
    """The road arrays of an extract (.osm.pbf, .osm, .osm.gz …).

    Raises ExtractMissing, BadExtract when it is truncated or something else, and NoRoads when
    nothing in it can be driven.
    """
    return import_counted(path, progress=progress)[0]


def import_counted(
    path: Path, *, progress: Progress | None = None
) -> tuple[RoadArrays, dict[str, int]]:
    """`import_extract`, and how many turn restrictions there were, by what became of them.

    Those in force at times only are left aside, like those that fit no place of the network.
    """
    watcher = progress or Silent()
    watcher.stage("Reading roads", None)
    roads = read_roads(path, progress=watcher)
    if not roads.roads:
        raise NoRoads(
            f"{path.name} holds no road that a vehicle may drive; is it the right extract?"
        )
    watcher.stage("Connecting roads", None)
    network = connected(roads)
    if not network.arrays.edge_count:
        raise NoRoads(f"{path.name} holds only loose ends of roads, no network to drive on.")
    aside, bans = roads.restrictions.aside, network.bans
    return network.arrays, {
        "turn_rules": bans.over_nodes,
        "turn_rules_over_ways": bans.over_ways,
        "turn_rules_unread": bans.unread + aside["incomplete"],
        "turn_rules_at_times": aside["conditional"],
        "barriers": len(roads.blocked.keys() & roads.places.keys()),
        "gates": len(roads.gates.keys() & roads.places.keys()),
    }
