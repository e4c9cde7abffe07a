"""What a newer map of a city changes: streets gained, lost and renamed, roads and wards."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from geo.areas import Areas
from geo.roadarrays import RoadArrays
from geo.roadspots import stretches

CHANGES = "changes.json"
RENAMED_SHARE = 0.5
"""A street has another name when so much of it that is on both maps has that name now."""


@dataclass(frozen=True, slots=True)
class Street:
    """A street by its name, with its metres of road (both directions counted once)."""

    name: str
    metres: float


@dataclass(frozen=True, slots=True)
class Renamed:
    """A street that has another name now, with the metres that have it."""

    before: str
    after: str
    metres: float


@dataclass(frozen=True, slots=True)
class Changes:
    """From one version of a city to the next. Stretches are pairs of neighbouring OSM nodes."""

    before: str
    after: str
    gained: tuple[Street, ...]
    lost: tuple[Street, ...]
    renamed: tuple[Renamed, ...]
    stretches_gained: int
    stretches_lost: int
    stretches_kept: int
    wards_gained: tuple[str, ...]
    wards_lost: tuple[str, ...]
    counts_before: Mapping[str, float]
    counts_after: Mapping[str, float]

    def save(self, folder: Path) -> None:
        """Write it beside the files of the newer version."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1)
        (folder / CHANGES).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """What `save` wrote there; None where there was no version before, or it is unreadable."""
        try:
            stored: dict[str, Any] = json.loads((folder / CHANGES).read_text(encoding="utf-8"))
            stored["gained"] = tuple(Street(**street) for street in stored["gained"])
            stored["lost"] = tuple(Street(**street) for street in stored["lost"])
            stored["renamed"] = tuple(Renamed(**street) for street in stored["renamed"])
            stored["wards_gained"] = tuple(stored["wards_gained"])
            stored["wards_lost"] = tuple(stored["wards_lost"])
            return cls(**stored)
        except (OSError, ValueError, KeyError, TypeError):
            return None


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two versions."""

    version: str
    roads: RoadArrays
    areas: Areas
    counts: Mapping[str, float]


def changes_between(old: Side, new: Side) -> Changes:
    """What is different, streets by length, longest first."""
    before, after = _Named.of(old.roads), _Named.of(new.roads)
    metres_before, metres_after = before.by_name(), after.by_name()
    renamed = _renamed(before, after)
    moved_from, moved_to = {each.before for each in renamed}, {each.after for each in renamed}
    gone = metres_before.keys() - metres_after.keys() - moved_from
    come = metres_after.keys() - metres_before.keys() - moved_to
    kept = before.where.keys() & after.where.keys()
    wards_before = {ward.name for ward in old.areas.wards}
    wards_after = {ward.name for ward in new.areas.wards}
    return Changes(
        before=old.version,
        after=new.version,
        gained=_longest({name: metres_after[name] for name in come}),
        lost=_longest({name: metres_before[name] for name in gone}),
        renamed=renamed,
        stretches_gained=len(after.where) - len(kept),
        stretches_lost=len(before.where) - len(kept),
        stretches_kept=len(kept),
        wards_gained=tuple(sorted(wards_after - wards_before)),
        wards_lost=tuple(sorted(wards_before - wards_after)),
        counts_before=dict(old.counts),
        counts_after=dict(new.counts),
    )


@dataclass(frozen=True, slots=True)
class _Named:
    """Each stretch of road (lower OSM node first) with its place in `names` and `metres`."""

    where: Mapping[tuple[int, int], int]
    names: Sequence[str]
    metres: Sequence[float]

    @classmethod
    def of(cls, arrays: RoadArrays) -> Self:
        forth, back = stretches(arrays)
        piece = np.where(forth >= 0, forth, back)
        u = arrays.node_osm_id[arrays.piece_u[piece]]
        v = arrays.node_osm_id[arrays.piece_v[piece]]
        keys = zip(np.minimum(u, v).tolist(), np.maximum(u, v).tolist(), strict=True)
        names = arrays.names()
        of_piece = arrays.edge_name[arrays.piece_edge[piece]].tolist()
        return cls(
            {key: n for n, key in enumerate(keys)},
            [names[n] for n in of_piece],
            arrays.piece_m[piece].tolist(),
        )

    def by_name(self) -> dict[str, float]:
        """Metres of each named street."""
        total: dict[str, float] = {}
        for name, metres in zip(self.names, self.metres, strict=True):
            if name:
                total[name] = total.get(name, 0.0) + metres
        return total


def _renamed(before: _Named, after: _Named) -> tuple[Renamed, ...]:
    """Streets of which most of what is on both maps has one other name now."""
    shared: dict[str, float] = {}
    moved: dict[tuple[str, str], float] = {}
    for key in before.where.keys() & after.where.keys():
        old, new = before.names[before.where[key]], after.names[after.where[key]]
        metres = before.metres[before.where[key]]
        shared[old] = shared.get(old, 0.0) + metres
        if old and new and old != new:
            moved[old, new] = moved.get((old, new), 0.0) + metres
    found = [
        Renamed(old, new, round(metres, 1))
        for (old, new), metres in moved.items()
        if metres >= RENAMED_SHARE * shared[old]
    ]
    return tuple(sorted(found, key=lambda each: (-each.metres, each.before, each.after)))


def _longest(streets: Mapping[str, float]) -> tuple[Street, ...]:
    found = [Street(name, round(metres, 1)) for name, metres in streets.items()]
    return tuple(sorted(found, key=lambda each: (-each.metres, each.name)))
