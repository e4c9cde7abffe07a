"""What a road server must know of our closures and speeds: OSRM's segment-speed file."""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from geo.network import SegmentKey
from geo.roadmap import RoadMap

logger = logging.getLogger("sigap.roads")

Reload = Callable[[Path], None]
"""Has the server take the segment-speed file; raises OSError or ReloadFailed."""


class ReloadFailed(Exception):
    """The command that brings new speeds into the server did not end well."""


def speed_lines(factors: Mapping[SegmentKey, float | None], roads: RoadMap) -> list[str]:
    """A line `from,to,km/h` for each segment that is not driven as usual; 0 closes it.

    The usual speed is that of our own arrays: OSRM's file knows no factors.
    """
    arrays, lines = roads.arrays, []
    for key in sorted(factors):
        factor, pieces = factors[key], roads.pieces(key)
        if factor == 1.0 or not len(pieces):
            continue
        # OSRM has gates of its own
        driven_ms = arrays.piece_ms[pieces] - arrays.piece_wait_ms[pieces]
        usual_kmh = 3_600.0 * arrays.piece_m[pieces] / driven_ms
        kmh = 0.0 if factor is None else float(np.max(usual_kmh)) * factor
        # OSRM reads 0 as closed; whoever crawls still moves
        lines.append(f"{key[0]},{key[1]},{kmh if factor is None else max(kmh, 0.1):.2f}")
    return lines


def write_speeds(path: Path, lines: Sequence[str]) -> bool:
    """Write the file in one move; returns whether it says anything new."""
    text = "".join(f"{line}\n" for line in lines)
    if path.is_file() and path.read_text(encoding="ascii") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="ascii")
    draft.replace(path)
    return True


def command_reload(words: Sequence[str], *, within_s: float = 120.0) -> Reload:
    """A reload by a command; `{speeds}` in its words is the path of the file."""

    def reload(speeds: Path) -> None:
        command = [word.replace("{speeds}", str(speeds)) for word in words]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=within_s
            )
        except (OSError, subprocess.TimeoutExpired) as e:
            raise ReloadFailed(f"{words[0]} could not run: {e}") from e
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["nothing"]
            raise ReloadFailed(f"{words[0]} ended with {done.returncode}: {said[0]}")

    return reload
