"""Builds a city beside the one in use and switches over only when it is whole."""

import errno
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon

from geo.areas import Areas, BadAreas
from geo.basemap import BasemapError, build_basemap
from geo.bundle_diff import Side, changes_between
from geo.bundle_errors import (
    BadExtract,
    BadWards,
    BundleError,
    ExtractMissing,
    NoDiskSpace,
    NotWritable,
)
from geo.bundle_files import (
    AREAS,
    BASEMAP,
    FILES,
    GAZETTEER,
    MANIFEST,
    ORDER,
    ROADS,
    Manifest,
    city_folder,
    current_version,
    file_entry,
)
from geo.bundle_versions import DRAFT, only_builder, point_at, sweep, to_disk
from geo.gazetteer_build import build_gazetteer
from geo.gazetteer_sources import GazetteerError
from geo.import_limits import MOST_MEMORY_BYTES, bounded_memory, check_extract
from geo.osm_areas import find_areas
from geo.osm_clip import EDGE_M, clip
from geo.osm_import import import_counted
from geo.osm_place import fetch_place
from geo.point import Box, Point
from geo.progress import Progress
from geo.roadarrays import RoadArrays
from geo.roadengine import compute_order

# What a bundle and its drafts took at most, measured: 20 times the extract, and never under this.
_LEAST_FREE_BYTES = 64 << 20
_FREE_PER_EXTRACT_BYTE = 20


@dataclass(frozen=True, slots=True)
class Extract:
    """An OpenStreetMap file: .osm.pbf, .osm, .osm.gz or .osm.bz2."""

    path: Path


@dataclass(frozen=True, slots=True)
class Place:
    """A place to download, as one would search it: "Kota Madiun, Indonesia".

    The addresses of the servers are osmnx's defaults unless given.
    """

    query: str
    nominatim_url: str | None = None
    overpass_url: str | None = None


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a city is built from: its map, and what is known of its areas beforehand."""

    extract: Path
    name: str
    outline: Polygon | MultiPolygon | None = None
    wards: Areas | None = None


def build_version(
    city_id: str,
    *,
    source: Extract | Place,
    root: Path,
    wards: Path | Areas | None,
    name: str | None,
    progress: Progress,
    now: datetime | None,
    most_memory: int = MOST_MEMORY_BYTES,
) -> str:
    """Build the city into `root` and make it the current one; returns the version.

    Raises a BundleError; then, or when the process is killed, what was current stays current.
    """
    home = city_folder(root, city_id)
    called = name or _usual_name(city_id, source)
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    version = f"{moment:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    with _plain_errors(root), only_builder(home):
        sweep(home)
        known = Areas.from_geojson(wards, city=called) if isinstance(wards, Path) else wards
        _check_space(source, home, is_clipped=known is not None)
        with _draft(home) as draft:
            room = draft / "work"
            room.mkdir()
            with bounded_memory(most_memory):
                ground = _ground(source, room, name=called, wards=known, progress=progress)
                roads, areas, counts = _fill(draft, ground, progress=progress)
            build_basemap(ground.extract, draft / BASEMAP, progress=progress)
            middle = areas.service_area.centroid
            progress.stage("Checksums", sum((draft / file).stat().st_size for file in FILES))
            manifest = Manifest(
                city_id=city_id,
                name=called,
                version=version,
                created_at=moment.isoformat(timespec="seconds"),
                box=Box(*areas.service_area.bounds),
                center=Point(middle.x, middle.y),
                source=_about(source, has_own_wards=known is not None),
                counts=counts,
                files={file: file_entry(draft / file, progress=progress) for file in FILES},
            )
            manifest.save(draft / MANIFEST)
            _compare(draft, home, Side(version, roads, areas, counts))
            shutil.rmtree(room)
            _switch(draft, home, version)
        sweep(home)
    return version


def _usual_name(city_id: str, source: Extract | Place) -> str:
    if isinstance(source, Place):
        return source.query.partition(",")[0].strip()
    return city_id.replace("-", " ").replace("_", " ").title()


def _about(source: Extract | Place, *, has_own_wards: bool) -> dict[str, str]:
    own = {"wards": "own"} if has_own_wards else {}
    if isinstance(source, Place):
        return {"kind": "place", "name": source.query, **own}
    return {"kind": "extract", "name": source.path.name, **own}


def _compare(draft: Path, home: Path, new: Side) -> None:
    """Keep with the new version what it changes; nothing where there is no readable one before."""
    before = current_version(home)
    if before is None:
        return
    try:
        manifest = Manifest.load(home / before / MANIFEST)
        roads, areas = RoadArrays.load(home / before / ROADS), Areas.load(home / before / AREAS)
    except (BundleError, BadAreas, OSError, ValueError, KeyError):
        return
    changes_between(Side(before, roads, areas, manifest.counts), new).save(draft)


def _ground(
    source: Extract | Place, room: Path, *, name: str, wards: Areas | None, progress: Progress
) -> _Ground:
    """The map of the city: downloaded, cut out of a larger one, or the extract as it is."""
    if isinstance(source, Place):
        found = fetch_place(
            source.query,
            room,
            progress=progress,
            nominatim_url=source.nominatim_url,
            overpass_url=source.overpass_url,
        )
        return _Ground(found.extract, name, found.outline, wards)
    if wards is None:
        return _Ground(source.path, name)
    progress.stage("Cutting out the city", None)
    box = Box(*wards.service_area.bounds).padded(EDGE_M)
    cut = room / f"{source.path.name.partition('.')[0]}.osm.pbf"
    if not clip(source.path, cut, box=box, progress=progress):
        raise BadWards(
            f"The wards lie outside the map of {source.path.name}; do both show one city?"
        )
    return _Ground(cut, name, None, wards)


def _fill(
    draft: Path, ground: _Ground, *, progress: Progress
) -> tuple[RoadArrays, Areas, dict[str, float]]:
    """Write every file but basemap and manifest; what fails soonest comes first."""
    roads, rules = import_counted(ground.extract, progress=progress)
    areas = ground.wards or find_areas(
        ground.extract, roads, city=ground.name, outline=ground.outline, progress=progress
    )
    if not shapely.intersects_xy(areas.service_area, roads.lon, roads.lat).any():
        raise BadWards("None of the wards has a road of this map; do both show one city?")
    areas.save(draft / AREAS)
    progress.stage("Preparing routes", None)
    roads.save(draft / ROADS)
    np.save(draft / ORDER, compute_order(roads), allow_pickle=False)
    gazetteer = build_gazetteer(ground.extract, areas, draft / GAZETTEER, progress=progress)
    counts = {
        "road_km": round(float(roads.road_m.sum()) / 1_000, 1),
        "no_cars_km": round(float(roads.road_m[~roads.for_cars].sum()) / 1_000, 1),
        "nodes": roads.node_count,
        "edges": int(np.count_nonzero(~roads.is_copy)),
        "turns": len(roads.turn_from),
        **rules,
        "wards": len(areas.wards),
        "districts": len(areas.districts),
        "streets": gazetteer.streets,
        "pois": gazetteer.pois,
        "houses": gazetteer.houses,
        "crossings": gazetteer.crossings,
    }
    return roads, areas, counts


@contextmanager
def _plain_errors(root: Path) -> Iterator[None]:
    """Turn whatever the parts raise into the sentence of a BundleError."""
    try:
        yield
    except BadAreas as e:
        raise BadWards(str(e)) from e
    except (BasemapError, GazetteerError) as e:
        if _is_full(e):
            raise _full(root) from e
        raise BadExtract(str(e)) from e
    except sqlite3.OperationalError as e:
        if _is_full(e):
            raise _full(root) from e
        raise
    except OSError as e:
        if e.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(root) from e
        if e.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            raise NotWritable(
                f"{e.filename or root} cannot be read or written ({e.strerror}); check the "
                "permissions or choose another folder."
            ) from e
        raise


def _is_full(error: Exception) -> bool:
    words = str(error).lower()
    return "disk is full" in words or "no space left" in words


def _full(root: Path) -> NoDiskSpace:
    return NoDiskSpace(f"The disk of {root} is full; free some space and add the city again.")


def _check_space(source: Extract | Place, home: Path, *, is_clipped: bool) -> None:
    needed = _LEAST_FREE_BYTES
    if isinstance(source, Extract):
        if not source.path.is_file():
            raise ExtractMissing(
                f"There is no file {source.path}; give the path of an .osm.pbf extract."
            )
        check_extract(source.path, is_cut=is_clipped)
        if not is_clipped:
            needed = max(needed, _FREE_PER_EXTRACT_BYTE * source.path.stat().st_size)
    free = shutil.disk_usage(home).free
    if free < needed:
        raise NoDiskSpace(
            f"Building this city takes about {needed >> 20} MB, but the disk of {home} has only "
            f"{free >> 20} MB left; free some space first."
        )


@contextmanager
def _draft(home: Path) -> Iterator[Path]:
    """A folder that is gone afterwards, unless it has become a version."""
    draft = home / f"{DRAFT}{secrets.token_hex(4)}"
    draft.mkdir()
    try:
        yield draft
    finally:
        if draft.exists():
            shutil.rmtree(draft)


def _switch(draft: Path, home: Path, version: str) -> None:
    """Make the draft a version and the version current: power may fail at any line."""
    for path in (*draft.iterdir(), draft):
        to_disk(path)
    draft.rename(home / version)
    point_at(home, version)
