"""How the files of a city lie on the disk, and the manifest that says what they are."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from geo.bundle_errors import BadCityId, BundleDamaged
from geo.point import BadPoint, Box, Point
from geo.progress import Progress

FORMAT = 2
"""Raised when a bundle written by this code can no longer be read by older code or vice versa.

1: no gangs, no restrictions over ways, gates stand open. 2: these are there; code that knows
nothing of them would send cars through gangs.
"""
OLDEST_FORMAT = 1
"""Older ones cannot be read; those in between can, without what they lack."""

MANIFEST = "manifest.json"
CURRENT = "current"
ROADS = "roads.npz"
ORDER = "order.npy"
GAZETTEER = "gazetteer.sqlite3"
AREAS = "areas.geojson"
BASEMAP = "basemap.pmtiles"
FILES = (ROADS, ORDER, GAZETTEER, AREAS, BASEMAP)

ATTRIBUTION = "© OpenStreetMap contributors"

CITY_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileEntry:
    """Size in bytes and SHA-256 (hex) of one file of the bundle."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the bundle is and what it was made of; written last, so a bundle with one is whole."""

    city_id: str
    name: str
    version: str
    created_at: str
    """UTC, ISO 8601."""
    box: Box
    center: Point
    source: dict[str, str]
    """kind (extract, place), name, and for an extract its sha256."""
    counts: dict[str, float]
    files: dict[str, FileEntry]
    attribution: str = ATTRIBUTION
    format: int = field(default=FORMAT)

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=2, sort_keys=True)
        path.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises BundleDamaged when it is missing, broken or of another format."""
        try:
            stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if not OLDEST_FORMAT <= int(stored["format"]) <= FORMAT:
                raise BundleDamaged(
                    f"The bundle {path.parent} has format {stored['format']}, this Sigap reads "
                    f"{OLDEST_FORMAT} to {FORMAT}; add the city again."
                )
            stored["box"] = Box(**stored["box"])
            stored["center"] = Point(**stored["center"])
            stored["files"] = {name: FileEntry(**f) for name, f in stored["files"].items()}
            return cls(**stored)
        except (OSError, ValueError, KeyError, TypeError, BadPoint) as e:
            raise BundleDamaged(
                f"The bundle {path.parent} has no readable manifest; add the city again."
            ) from e


def city_folder(root: Path, city_id: str) -> Path:
    """Where the versions of a city lie; raises BadCityId for what is no plain short name."""
    if not CITY_ID.fullmatch(city_id):
        raise BadCityId(
            f"“{city_id}” cannot be a city's short name; use up to 32 small letters, digits, "
            "- and _, beginning with a letter or digit."
        )
    return root / city_id


def current_version(home: Path) -> str | None:
    """The version the city's `current` file names, None when there is none."""
    pointer = home / CURRENT
    if not pointer.is_file():
        return None
    return pointer.read_text(encoding="utf-8").strip() or None


def file_entry(path: Path, *, progress: Progress) -> FileEntry:
    """Size and checksum of a file; progress is told the bytes."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as stored:
        while chunk := stored.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            progress.advance(len(chunk))
    return FileEntry(size, digest.hexdigest())
