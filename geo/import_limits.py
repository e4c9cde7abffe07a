"""What a map may cost to read: files too large, or made to fill the memory, end in a sentence."""

from __future__ import annotations

import bz2
import gzip
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geo.bundle_errors import BadExtract, TooLarge

MOST_BYTES = 1 << 30
"""A larger extract holds a country; it is read only to cut a city out of it."""

MOST_TO_CUT_BYTES = 16 << 30

MOST_MEMORY_BYTES = 4 << 30
"""A large city (Jakarta) takes a twelfth of this."""

MOST_TEXT_BYTES = 4 << 30
"""What a compressed text may grow to."""

LONGEST_WORD_BYTES = 1 << 20
"""So much text without the end of an element is no map: values of OpenStreetMap end at 255."""

_CHUNK = 1 << 20
_LEAST_MB = 256


def check_extract(path: Path, *, is_cut: bool = False) -> None:
    """Raises TooLarge for a file that cannot be a city's, BadExtract for one made to hurt.

    `is_cut`: only a city is cut out of it.
    """
    size = path.stat().st_size
    most = MOST_TO_CUT_BYTES if is_cut else MOST_BYTES
    if size > most:
        raise TooLarge(
            f"{path.name} has {size >> 20:,} MB, more than a city's map ever has "
            f"({most >> 20:,} MB); cut the city out of it first, for example with "
            "`osmium extract --bbox`"
            + ("." if is_cut else ", or give its wards with --wards and Sigap cuts it out.")
        )
    if path.suffix in (".gz", ".bz2"):
        _check_text(path)


def _check_text(path: Path) -> None:
    """Unpack a compressed text once, keeping nothing."""
    opened = gzip.open if path.suffix == ".gz" else bz2.open
    total = run = 0
    try:
        with opened(path, "rb") as text:
            while chunk := text.read(_CHUNK):
                total += len(chunk)
                at = chunk.rfind(b">")
                run = run + len(chunk) if at < 0 else len(chunk) - at
                if total > MOST_TEXT_BYTES:
                    raise TooLarge(
                        f"{path.name} unpacks to more than {MOST_TEXT_BYTES >> 20:,} MB; "
                        "that is no city. Give its .osm.pbf instead."
                    )
                if run > LONGEST_WORD_BYTES:
                    raise BadExtract(
                        f"{path.name} is no map: it holds a value of more than "
                        f"{LONGEST_WORD_BYTES >> 20} MB; download it again."
                    )
    except (OSError, EOFError, zlib.error) as e:
        raise BadExtract(
            f"{path.name} is cut off or damaged as a compressed file ({e}); download it again."
        ) from e


@contextmanager
def bounded_memory(most: int = MOST_MEMORY_BYTES) -> Iterator[None]:
    """Let the block take at most so many bytes more than are in use; raises TooLarge beyond.

    By the limit on the address space, on Linux; elsewhere the block runs unbounded.
    """
    if sys.platform != "linux":
        yield
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    wanted = pages * os.sysconf("SC_PAGE_SIZE") + max(most, _LEAST_MB << 20)
    before = resource.getrlimit(resource.RLIMIT_AS)
    lowest = min(limit for limit in (wanted, *before) if limit != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_AS, (lowest, before[1]))
    try:
        yield
    except MemoryError as e:
        raise TooLarge(
            f"This map takes more than {most >> 20:,} MB of memory to read: more than a city. Cut "
            "the city out of it first, for example with `osmium extract --bbox`."
        ) from e
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
