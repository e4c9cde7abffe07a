"""Who finds the ways of a city: the engine inside this process, or an OSRM server."""

from __future__ import annotations

import logging
import shlex
from dataclasses import dataclass
from pathlib import Path

from geo.bundle import Bundle
from geo.network import RoadNetwork, RoadsUnavailable
from geo.osrm import OsrmNetwork
from geo.osrm_speeds import command_reload

logger = logging.getLogger("sigap.roads")


@dataclass(frozen=True, slots=True)
class RoadChoice:
    """`osrm_url` None is the embedded engine; `{city}` in it is the city's id.

    `reload` is the command that has the server take new speeds, with `{city}` and `{speeds}` (the
    segment-speed file) in it. With `stands_in` the embedded engine answers while the server is
    away; without, asking fails with RoadsUnavailable.
    """

    osrm_url: str | None = None
    reload: str = ""
    stands_in: bool = True


def open_roads(bundle: Bundle, choice: RoadChoice, *, data_dir: Path) -> RoadNetwork:
    """The city's roads as chosen; a server that is away now may come back later."""
    if choice.osrm_url is None:
        return bundle.roads()
    city_id = bundle.manifest.city_id
    words = [word.replace("{city}", city_id) for word in shlex.split(choice.reload)]
    roads = OsrmNetwork(
        choice.osrm_url.replace("{city}", city_id),
        bundle.arrays(),
        version=bundle.manifest.version,
        speeds=_speeds_file(bundle, data_dir / "osrm" / city_id),
        reload=command_reload(words) if words else None,
        embedded=bundle.roads if choice.stands_in else None,
    )
    try:
        if not roads.serves_this_map():
            logger.error(
                "OSRM serves another map of %s: prepare it from the extract of %s",
                city_id,
                bundle.manifest.version,
            )
    except RoadsUnavailable as away:
        logger.error("%s", away)
    return roads


def _speeds_file(bundle: Bundle, folder: Path) -> Path:
    """Each version of a city has its own: while a newer map is swapped in, both write.

    Those of versions that were pruned go.
    """
    for file in folder.glob("*.csv"):
        if not (bundle.path.parent / file.stem).is_dir():
            file.unlink(missing_ok=True)
    return folder / f"{bundle.manifest.version}.csv"
