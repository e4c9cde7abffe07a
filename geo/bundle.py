"""A city in a folder: its roads, addresses, wards and map, made together and switched at once."""

import threading
from datetime import datetime
from pathlib import Path

from geo.areas import Areas, BadAreas
from geo.bundle_build import Extract, Place, build_version
from geo.bundle_diff import Changes
from geo.bundle_errors import BundleDamaged, BundleError, BundleMissing
from geo.bundle_files import (
    AREAS,
    BASEMAP,
    CITY_ID,
    GAZETTEER,
    MANIFEST,
    ORDER,
    ROADS,
    Manifest,
    city_folder,
    current_version,
    file_entry,
)
from geo.gazetteer import Gazetteer, GazetteerError
from geo.import_limits import MOST_MEMORY_BYTES
from geo.progress import Progress, Silent
from geo.roadarrays import RoadArrays
from geo.roadgraph import RoadGraph

__all__ = [
    "Bundle",
    "BundleError",
    "Extract",
    "Manifest",
    "Place",
    "build_bundle",
    "installed_cities",
    "open_bundle",
]


def build_bundle(
    city_id: str,
    *,
    source: Extract | Place,
    root: Path,
    wards: Path | Areas | None = None,
    name: str | None = None,
    progress: Progress | None = None,
    now: datetime | None = None,
    most_memory: int = MOST_MEMORY_BYTES,
) -> "Bundle":
    """Build the city into a fresh folder of `root`, switch to it at once, and open it.

    `wards` is a GeoJSON file of polygons, or what is known already; without it the wards are those
    of the map. `name` is
    what people call the city; without it the place's name or the id. Reading the map may take
    `most_memory` bytes. Raises a BundleError that
    says what to do, and then leaves the bundle there was as it was.
    """
    build_version(
        city_id,
        source=source,
        root=root,
        wards=wards,
        name=name,
        progress=progress or Silent(),
        now=now,
        most_memory=most_memory,
    )
    return open_bundle(root, city_id)


class Bundle:
    """One version of a city, read-only; keep it and what it opens for the life of the process."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._opening = threading.Lock()
        self._roads: RoadGraph | None = None
        self._arrays: RoadArrays | None = None
        self._areas: Areas | None = None
        self._gazetteer: Gazetteer | None = None

    @property
    def basemap(self) -> Path:
        """The PMTiles archive."""
        return self.path / BASEMAP

    def arrays(self) -> RoadArrays:
        """The roads as arrays, without an engine over them; raises BundleDamaged."""
        with self._opening:
            if self._roads is not None:
                return self._roads.arrays
            if self._arrays is None:
                try:
                    self._arrays = RoadArrays.load(self.path / ROADS)
                except (OSError, ValueError, KeyError, EOFError) as e:
                    raise self._damaged(ROADS) from e
            return self._arrays

    def roads(self) -> RoadGraph:
        """The road network, the same one at each call; raises BundleDamaged."""
        with self._opening:
            if self._roads is None:
                try:
                    self._roads = RoadGraph.open(
                        self.path / ROADS, self.path / ORDER, version=self.manifest.version
                    )
                except (OSError, ValueError, KeyError, EOFError) as e:
                    raise self._damaged(ROADS) from e
            return self._roads

    def areas(self) -> Areas:
        """Wards, districts and the service area; raises BundleDamaged."""
        with self._opening:
            if self._areas is None:
                try:
                    self._areas = Areas.load(self.path / AREAS)
                except (BadAreas, KeyError) as e:
                    raise self._damaged(AREAS) from e
            return self._areas

    def gazetteer(self) -> Gazetteer:
        """The addresses and places of the city; raises BundleDamaged."""
        with self._opening:
            if self._gazetteer is None:
                path = self.path / GAZETTEER
                try:
                    self._gazetteer = Gazetteer.open(path)
                except GazetteerError as e:
                    raise self._damaged(GAZETTEER) from e
            return self._gazetteer

    def changes(self) -> Changes | None:
        """What this version changed against the one before; None where there was none."""
        return Changes.load(self.path)

    def verify(self, *, progress: Progress | None = None) -> None:
        """Compare every file with its checksum; raises BundleDamaged naming the first bad one."""
        watcher = progress or Silent()
        watcher.stage("Checking files", sum(f.size for f in self.manifest.files.values()))
        for name, entry in self.manifest.files.items():
            path = self.path / name
            if not path.is_file() or file_entry(path, progress=watcher) != entry:
                raise self._damaged(name)

    def _damaged(self, name: str) -> BundleError:
        return BundleDamaged(
            f"The file {name} of the city {self.manifest.city_id} is damaged; add the city again."
        )


def open_bundle(root: Path, city_id: str) -> Bundle:
    """The current bundle of the city; raises BundleMissing, BundleDamaged, BadCityId."""
    home = city_folder(root, city_id)
    version = current_version(home)
    if version is None:
        raise BundleMissing(
            f"There is no city “{city_id}” yet; make it with "
            f"`sigap city add {city_id} --extract FILE`."
        )
    return Bundle(home / version, Manifest.load(home / version / MANIFEST))


def installed_cities(root: Path) -> list[str]:
    """The ids of the cities that have a bundle, in order."""
    if not root.is_dir():
        return []
    homes = (p for p in root.iterdir() if p.is_dir() and CITY_ID.fullmatch(p.name))
    return sorted(home.name for home in homes if current_version(home))
