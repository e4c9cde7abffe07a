"""One frame of positions a second: for each listener who moved on its part of the map."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from realtime.wire import Bbox

PADDING = 0.1
"""So much of its width and height a box is widened: who leaves the screen is seen to leave it."""

WHOLE_EVERY = 10
"""Every so many frames each crew is told, wherever it is."""

_ENCODER = msgspec.json.Encoder()


@dataclass(slots=True, eq=False)
class View:
    """What a listener looks at; `fresh` until it got every position of it once."""

    bbox: Bbox | None = None
    fresh: bool = True


P = TypeVar("P")


class Frame(Generic[P]):
    """The rows of one second, [crew, lon, lat, …]; `moved` are the crews with a newer fix.

    A `whole` frame tells every crew to everybody, so that no age on a screen is older than that.
    """

    def __init__(
        self,
        rows: Sequence[Sequence[Any]],
        moved: Collection[str],
        *,
        whole: bool,
        pack: Callable[[str], P],
    ) -> None:
        self._rows, self._moved, self.whole, self._pack = rows, moved, whole, pack
        self._parts: dict[int, str] = {}
        self._packets: dict[tuple[str, bool, Bbox | None], P | None] = {}

    def packet(self, name: str, view: View) -> P | None:
        """What a listener with this view is sent, None when there is nothing to tell it.

        Made once for all listeners that look at the same.
        """
        bbox = None if self.whole else view.bbox
        key = (name, self.whole or view.fresh, bbox)
        if key not in self._packets:
            self._packets[key] = self._make(*key)
        return self._packets[key]

    def _make(self, name: str, everybody: bool, bbox: Bbox | None) -> P | None:
        wanted = [
            index
            for index, row in enumerate(self._rows)
            if (everybody or row[0] in self._moved) and (bbox is None or inside(row, bbox))
        ]
        if not wanted:
            return None
        channel = _ENCODER.encode(name).decode()
        return self._pack(f'{{"ch":{channel},"pos":[{",".join(map(self._part, wanted))}]}}')

    def _part(self, index: int) -> str:
        part = self._parts.get(index)
        if part is None:
            part = self._parts[index] = _ENCODER.encode(self._rows[index]).decode()
        return part


class Moment:
    """What the last frame of a city told."""

    def __init__(self) -> None:
        self._told: Mapping[str, datetime] = {}
        self._frames = 0

    def moved(self, times: Mapping[str, datetime]) -> set[str]:
        """The crews whose fix has another time than in the frame before."""
        before, self._told = self._told, times
        return {crew_id for crew_id, at in times.items() if before.get(crew_id) != at}

    def whole(self) -> bool:
        """Whether this frame tells every crew to everybody; each `WHOLE_EVERY`th does."""
        self._frames += 1
        return self._frames % WHOLE_EVERY == 0


def inside(row: Sequence[Any], bbox: Bbox) -> bool:
    """Whether a row's place is in the widened box, which may lie across 180°."""
    west, south, east, north = bbox
    high = (north - south) * PADDING
    lon, lat = row[1], row[2]
    if not south - high <= lat <= north + high:
        return False
    if west <= east:
        wide = (east - west) * PADDING
        return bool(west - wide <= lon <= east + wide)
    wide = (360.0 + east - west) * PADDING
    return bool(lon >= west - wide or lon <= east + wide)
