"""Reads what a replay logged, to be held against what a simulation foretells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from dispatch.core import evaluation
from dispatch.core.events import AssignmentOffered, AssignmentOnScene, CrewRegistered, Event
from dispatch.simulator.calibration import (
    INTERVALS,
    QUANTILES,
    Calibration,
    Foretold,
    calibrate,
    foretold,
    intervals_of,
)
from dispatch.simulator.outcome import Outcome
from dispatch.storage import journal
from web.cli.stop import Stop

console = Console(highlight=False)
Floats = NDArray[np.float64]
EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """A replay's intervals in seconds, and how good its foretold arrivals were.

    `busy_share` is the share of all crews' time that was bound to incidents.
    """

    source: str
    intervals: dict[str, Floats]
    told: Foretold | None
    crews: int
    busy_share: float


def read_replay(path: Path, city: str) -> Replayed:
    """Read a finished replay's database without changing it. Raises Stop."""
    if not path.is_file():
        raise Stop(f"There is no replay database {path}.")
    engine = sa.create_engine(f"sqlite:///file:{path.resolve()}?mode=ro&uri=true")
    try:
        with engine.connect() as connection:
            events = list(journal.events(connection, city, kinds=("incident", "assignment")))
            crews = sum(
                isinstance(event.fact, CrewRegistered)
                for event in journal.events(connection, city, types=("CrewRegistered",))
            )
    except SQLAlchemyError as error:
        raise Stop(f"{path} is no database of a replay: {error}.") from error
    finally:
        engine.dispose()
    cases = evaluation.cases(events, since=EVER[0], until=EVER[1])
    if not cases:
        raise Stop(f"{path} holds no incident of “{city}”; name its city with --city.")
    intervals = {
        name: np.array(
            [value for case in cases if (value := case.intervals[name]) is not None],
            dtype=np.float64,
        )
        for name in INTERVALS
    }
    bound = sum(value for case in cases if (value := case.intervals["commitment"]) is not None)
    span = (events[-1].at - events[0].at).total_seconds()
    return Replayed(
        source=f"{path.name}, {len(cases)} incidents, {crews} crews",
        intervals=intervals,
        told=_foretold(events),
        crews=crews,
        busy_share=bound / (span * crews) if span and crews else 0.0,
    )


class Intervals:
    """The intervals of one policy's simulated runs, gathered one run at a time."""

    def __init__(self, policy: str) -> None:
        self._policy = policy
        self._found: dict[str, list[Floats]] = {name: [] for name in INTERVALS}

    def take(self, outcome: Outcome) -> None:
        """Add a run, if it is of the policy."""
        if outcome.policy == self._policy:
            for name, values in intervals_of(outcome).items():
                self._found[name].append(values)

    def compare(self, replayed: Replayed) -> Calibration:
        """Hold them against the replay."""
        simulated = {
            name: np.concatenate(several) for name, several in self._found.items() if several
        }
        return calibrate(replayed.intervals, simulated, source=replayed.source, told=replayed.told)


def print_calibration(found: Calibration) -> None:
    """Foretold and logged times side by side, minutes."""
    table = Table(title=f"Foretold against logged: {found.source}", title_justify="left")
    shown = [k for k, q in enumerate(QUANTILES) if q in (0.5, 0.9, 0.95)]
    names = ("interval", "from", "n", "mean", *(f"P{100 * QUANTILES[k]:.0f}" for k in shown), "KS")
    for name in names:
        left = name in ("interval", "from")
        table.add_column(name, justify="left" if left else "right", no_wrap=True)
    for one in found.intervals:
        for name, side in (("simulated", one.simulated), ("logged", one.logged)):
            table.add_row(
                one.interval,
                name,
                f"{side.n:,}",
                *(f"{s / 60:.1f}" for s in (side.mean_s, *(side.quantiles[k] for k in shown))),
                f"{one.ks:.3f}",
            )
    console.print(table)
    told = found.foretold
    if told is not None:
        within = "" if told.covered is None else f", {100 * told.covered:.0f} % within the p90"
        console.print(
            f"{told.n:,} arrivals foretold: mean absolute error {told.mae_s / 60:.2f} min, "
            f"median of actual over foretold {told.ratio:.2f}{within}."
        )


def _foretold(events: Iterable[Event]) -> Foretold | None:
    """What each crew that arrived was foretold when it was asked, beside what it took."""
    offered: dict[object, tuple[datetime, AssignmentOffered]] = {}
    pairs: list[tuple[float, float, float]] = []
    for event in events:
        if isinstance(event.fact, AssignmentOffered):
            offered[event.subject] = (event.at, event.fact)
        elif isinstance(event.fact, AssignmentOnScene) and event.subject in offered:
            asked_at, fact = offered[event.subject]
            if fact.ete_s is not None:
                took = (event.at - asked_at).total_seconds()
                pairs.append((fact.ete_s, took, fact.p90_ete_s or 0.0))
    if not pairs:
        return None
    columns = np.array(pairs)
    return foretold(columns[:, 0], columns[:, 1], p90_s=columns[:, 2])
