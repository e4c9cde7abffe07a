"""The versions of a city that lie side by side: which there are, which is in use, which may go."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from geo.bundle_errors import BundleBusy, BundleDamaged, BundleMissing
from geo.bundle_files import CURRENT, MANIFEST, Manifest, city_folder, current_version

DRAFT = ".building-"
NEXT = ".next"


@dataclass(frozen=True, slots=True)
class Version:
    """One version on the disk; `manifest` None when it cannot be read."""

    name: str
    path: Path
    manifest: Manifest | None
    size: int
    """Bytes."""
    is_current: bool


def versions_of(root: Path, city_id: str) -> list[Version]:
    """Every version of the city, oldest first; raises BundleMissing, BadCityId."""
    home = city_folder(root, city_id)
    current = current_version(home)
    if current is None:
        raise BundleMissing(
            f"There is no city “{city_id}” yet; make it with "
            f"`sigap city add {city_id} --extract FILE`."
        )
    return [_version(path, is_current=path.name == current) for path in _folders(home)]


def use_version(root: Path, city_id: str, name: str) -> None:
    """Go back (or forward) to a version that is there; raises BundleMissing, BundleBusy."""
    home = city_folder(root, city_id)
    with only_builder(home):
        known = {version.name: version for version in versions_of(root, city_id)}
        if name not in known or known[name].manifest is None:
            raise BundleMissing(
                f"The city {city_id} has no usable version “{name}”; "
                f"`sigap city versions {city_id}` lists them."
            )
        point_at(home, name)


def prune(root: Path, city_id: str, *, keep: int) -> list[Version]:
    """Delete all but the current and the `keep` newest versions; returns what went.

    Raises BundleMissing, BundleBusy.
    """
    with only_builder(city_folder(root, city_id)):
        found = versions_of(root, city_id)
        newest = {version.name for version in found[max(0, len(found) - keep) :]}
        going = [v for v in found if not v.is_current and v.name not in newest]
        for version in going:
            shutil.rmtree(version.path)
    return going


def sweep(home: Path) -> None:
    """Remove what killed builds left. Versions stay: old decisions name them."""
    for debris in home.glob(f"{DRAFT}*"):
        shutil.rmtree(debris)
    (home / NEXT).unlink(missing_ok=True)


def point_at(home: Path, version: str) -> None:
    """Make the version the current one: power may fail at any line."""
    pointer = home / NEXT
    pointer.write_text(version + "\n", encoding="utf-8")
    to_disk(pointer)
    to_disk(home)
    pointer.replace(home / CURRENT)
    to_disk(home)


def to_disk(path: Path) -> None:
    """Wait until the file or folder is on the disk."""
    # Windows has no handle on a folder, and syncs a file only through a writing one.
    if sys.platform == "win32":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def only_builder(home: Path) -> Iterator[None]:
    """Hold the city's folder against a second builder; leaves no folder where no city is."""
    made = [folder for folder in (home.parent, home) if not folder.exists()]
    home.mkdir(parents=True, exist_ok=True)
    handle = _lock(home)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)
        for folder in reversed(made):
            if not any(folder.iterdir()):
                folder.rmdir()


def _lock(home: Path) -> int | None:
    """A lock on the folder itself: it leaves no file, and dies with its process."""
    if sys.platform == "win32":
        return None
    import fcntl

    handle = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as e:
        os.close(handle)
        raise BundleBusy(
            f"The city {home.name} is being built by another process; wait until it is done."
        ) from e
    return handle


def _folders(home: Path) -> list[Path]:
    return sorted(p for p in home.iterdir() if p.is_dir() and not p.name.startswith("."))


def _version(path: Path, *, is_current: bool) -> Version:
    try:
        manifest = Manifest.load(path / MANIFEST)
    except BundleDamaged:
        manifest = None
    size = sum(file.stat().st_size for file in path.iterdir() if file.is_file())
    return Version(path.name, path, manifest, size, is_current)
