"""What the roads answered before a plan: seconds from each crew to each incident, how surely."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from dispatch.core.policy import Policy
from geo.spread import Outlook

Floats = NDArray[np.float64]


class RoadTimes(Mapping[tuple[UUID, UUID], float]):
    """Road seconds by (crew, incident), kept as the table they came in.

    `seconds` has shape (crews, incidents); inf = no road leads there. `barred` are the pairs of
    which only the crew's vehicle is in the way. `outlook` says how sure they are; without one
    that is the policy's to say.
    """

    def __init__(
        self,
        crew_ids: Sequence[UUID],
        incident_ids: Sequence[UUID],
        seconds: Floats,
        *,
        barred: AbstractSet[tuple[UUID, UUID]] = frozenset(),
        outlook: Outlook | None = None,
    ) -> None:
        self.barred, self.outlook = barred, outlook
        self._crews = {crew_id: i for i, crew_id in enumerate(crew_ids)}
        self._incidents = {incident_id: i for i, incident_id in enumerate(incident_ids)}
        self._seconds = seconds

    def __getitem__(self, pair: tuple[UUID, UUID]) -> float:
        return float(self._seconds[self._crews[pair[0]], self._incidents[pair[1]]])

    def __iter__(self) -> Iterator[tuple[UUID, UUID]]:
        return ((crew, incident) for crew in self._crews for incident in self._incidents)

    def __len__(self) -> int:
        return len(self._crews) * len(self._incidents)

    def table(self, crew_ids: Sequence[UUID], incident_ids: Sequence[UUID]) -> Floats:
        """Shape (incidents, crews); nan where the roads were not asked."""
        row = np.array([self._incidents.get(i, -1) for i in incident_ids], dtype=np.int64)
        column = np.array([self._crews.get(c, -1) for c in crew_ids], dtype=np.int64)
        padded = np.full((len(self._crews) + 1, len(self._incidents) + 1), np.nan)
        padded[:-1, :-1] = self._seconds
        found: Floats = padded[np.ix_(column, row)].T
        return found


def outlook_of(road_s: Mapping[tuple[UUID, UUID], float], policy: Policy) -> Outlook:
    """How sure these seconds are: as their calibration says, else as the policy does."""
    known = road_s.outlook if isinstance(road_s, RoadTimes) else None
    return known or outlook_by(policy)


def outlook_by(policy: Policy) -> Outlook:
    """The policy's own numbers: a lognormal error of `sigma`, one turnout for all."""
    return Outlook.fixed(sigma=policy.matching.sigma, turnout_s=policy.matching.turnout_s)


def road_table(
    road_s: Mapping[tuple[UUID, UUID], float],
    *,
    crew_ids: Sequence[UUID],
    incident_ids: Sequence[UUID],
) -> Floats:
    """Road seconds, shape (incidents, crews); nan where the roads were not asked."""
    if isinstance(road_s, RoadTimes):
        return road_s.table(crew_ids, incident_ids)
    return np.array(
        [[road_s.get((crew, incident), np.nan) for crew in crew_ids] for incident in incident_ids],
        dtype=np.float64,
    ).reshape(len(incident_ids), len(crew_ids))
