"""Photos on disk: each kept once under the fingerprint of its content, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import Literal

from dispatch.core.errors import NotFound

Size = Literal["full", "thumb"]

_DIGEST = re.compile(r"[0-9a-f]{64}")
_CITY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Blobs:
    """A directory of photos, one folder for each city.

    A photo is addressed by the SHA-256 of its full picture (64 hexadecimal digits), so the same
    picture sent twice is kept once. Every file is written beside its place, synced, and renamed:
    after a power cut it is there whole or not at all.
    """

    def __init__(self, root: Path, /) -> None:
        self.root = root

    def put(self, city_id: str, *, full: bytes, thumb: bytes) -> str:
        """Keep both sizes durably and return the digest. Raises OSError when the disk refuses."""
        digest = hashlib.sha256(full).hexdigest()
        # The thumb first: whoever finds the full picture finds the small one too.
        self._write(self._place(city_id, digest, "thumb"), thumb)
        self._write(self._place(city_id, digest, "full"), full)
        return digest

    def path(self, city_id: str, digest: str, size: Size = "full") -> Path:
        """The file of one size. Raises NotFound when it was never kept or was deleted."""
        if not _DIGEST.fullmatch(digest):
            raise NotFound("There is no such photo.")
        place = self._place(city_id, digest, size)
        if not place.is_file():
            raise NotFound("There is no such photo.")
        return place

    def read(self, city_id: str, digest: str, size: Size = "full") -> bytes:
        """The bytes of one size. Raises NotFound as `path` does."""
        return self.path(city_id, digest, size).read_bytes()

    def delete(self, city_id: str, digest: str) -> None:
        """Forget both sizes; a photo that is not there is no error."""
        if _DIGEST.fullmatch(digest):
            self._place(city_id, digest, "full").unlink(missing_ok=True)
            self._place(city_id, digest, "thumb").unlink(missing_ok=True)

    def _place(self, city_id: str, digest: str, size: Size) -> Path:
        if not _CITY.fullmatch(city_id):
            raise NotFound("There is no such city.")
        suffix = ".jpg" if size == "full" else ".thumb.jpg"
        return self.root / city_id / digest[:2] / (digest + suffix)

    def _write(self, place: Path, data: bytes) -> None:
        if place.is_file() and place.stat().st_size == len(data):
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=".new-")
        beside = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(place)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        _sync_directory(place.parent)


def _sync_directory(folder: Path) -> None:
    """Make the new name durable too; Windows cannot open a directory and needs no such step."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
