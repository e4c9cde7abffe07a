"""What a city received, as plain columns: from its own log, or from published requests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """Incidents by time. `t_s` counts from a Monday, 00:00 local time, at or before the first.

    Every column has shape (n,): seconds, degrees WGS 84, Open311 service codes, priority 1 to 3.
    """

    t_s: Floats
    lon: Floats
    lat: Floats
    service_code: tuple[str, ...]
    priority: NDArray[np.int64]

    def __post_init__(self) -> None:
        lengths = {len(column) for column in (self.t_s, self.lon, self.lat, self.priority)}
        if lengths != {len(self.service_code)}:
            raise ValueError("The columns of arrivals differ in length.")
        if (np.diff(self.t_s) < 0).any():
            raise ValueError("Arrivals are not in order of time.")

    def __len__(self) -> int:
        return len(self.t_s)

    @property
    def days(self) -> float:
        """From the first Monday to the last arrival, in days."""
        return float(self.t_s[-1]) / 86_400.0 if len(self) else 0.0


def save(arrivals: Arrivals, path: Path) -> None:
    """Keep the columns for processes that play them. Raises OSError."""
    np.savez(
        path,
        t_s=arrivals.t_s,
        lon=arrivals.lon,
        lat=arrivals.lat,
        service_code=np.array(arrivals.service_code, dtype=np.str_),
        priority=arrivals.priority,
    )


def load(path: Path) -> Arrivals:
    """What `save` kept. Raises OSError."""
    with np.load(path, allow_pickle=False) as kept:
        return Arrivals(
            t_s=kept["t_s"],
            lon=kept["lon"],
            lat=kept["lat"],
            service_code=tuple(kept["service_code"].tolist()),
            priority=kept["priority"],
        )
