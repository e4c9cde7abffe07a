"""What a city received, read from its own log or from published requests, for the simulator."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from dispatch.core.events import IncidentOpened
from dispatch.core.policy import Policy
from dispatch.simulator import arrivals
from dispatch.simulator.arrivals import Arrivals
from dispatch.storage import journal
from dispatch.system import System
from dispatch.system.cities import read_policy
from web.app import build_system
from web.cli.played import SYNTHETIC
from web.cli.stop import Stop
from web.robots.stream311 import BadStream, Request311, folded, read_stream
from web.settings import Settings

LOG = "log"
LEAST = 50
"""A record of fewer incidents says too little about a city."""
Row = tuple[datetime, float, float, str, int]


def arrivals_file(demand: str, *, city: str, settings: Settings, out: Path) -> tuple[str, str]:
    """("synthetic", "synthetic"), or a file that processes read and what it says of itself.

    The file is named after what is in it, so that the same record is the same experiment.
    """
    if demand == SYNTHETIC:
        return SYNTHETIC, SYNTHETIC
    if demand == LOG:
        system = build_system(settings.model_copy(update={"cities": (city,)}))
        found, source = from_log(system, city), f"the log of {city}"
        system.stop()
    elif demand.endswith(".csv"):
        found, source = from_file(Path(demand), read_policy(settings.policy)), Path(demand).name
    else:
        raise Stop("--demand is synthetic, log, or a file of published requests (.csv).")
    if len(found) < LEAST:
        raise Stop(
            f"There are only {len(found)} incidents in {source}; a simulation needs {LEAST}."
        )
    out.mkdir(parents=True, exist_ok=True)
    digest = hashlib.blake2b(digest_size=5)
    for column in (found.t_s, found.lon, found.lat, found.priority):
        digest.update(np.ascontiguousarray(column).tobytes())
    digest.update("\n".join(found.service_code).encode())
    path = out / f"demand-{digest.hexdigest()}.npz"
    arrivals.save(found, path)
    return str(path), f"{source}, {len(found)} incidents ({digest.hexdigest()})"


def from_file(path: Path, policy: Policy) -> Arrivals:
    """Published 311 requests, laid on one week; duplicates and those without a place left out.

    Raises Stop.
    """
    try:
        requests = read_stream(path)
    except BadStream as error:
        raise Stop(str(error)) from error
    return columns(_published(folded(requests, "week"), policy))


def _published(requests: Iterable[Request311], policy: Policy) -> Iterable[Row]:
    for request in requests:
        if request.duplicate or request.lon is None or request.lat is None:
            continue
        code = request.service_code if request.service_code in policy.services else "other"
        if code in policy.services:
            priority = policy.services[code].priority
            # published times are local already
            yield request.at, request.lon, request.lat, code, priority


def from_log(system: System, city: str) -> Arrivals:
    """Every incident that was opened in the city, at its hours by the sun."""
    with system.reading(city) as connection:
        opened = [
            event.fact
            for event in journal.events(connection, city, types=("IncidentOpened",))
            if isinstance(event.fact, IncidentOpened)
        ]
    if not opened:
        return columns([])
    # no city says its time zone; fifteen degrees are an hour
    ahead = timedelta(hours=round(float(np.mean([fact.lon for fact in opened])) / 15))
    return columns(
        (fact.received_at + ahead, fact.lon, fact.lat, fact.service_code, fact.priority)
        for fact in opened
    )


def columns(rows: Iterable[Row]) -> Arrivals:
    """Rows (local time, lon, lat, service, priority) as columns by time, from a Monday on."""
    ordered = sorted(rows, key=lambda row: row[0])
    if not ordered:
        return Arrivals(np.zeros(0), np.zeros(0), np.zeros(0), (), np.zeros(0, np.int64))
    first = ordered[0][0]
    monday = first.replace(hour=0, minute=0, second=0, microsecond=0)
    monday -= timedelta(days=monday.weekday())
    return Arrivals(
        t_s=np.array([(at - monday).total_seconds() for at, *_ in ordered]),
        lon=np.array([row[1] for row in ordered]),
        lat=np.array([row[2] for row in ordered]),
        service_code=tuple(row[3] for row in ordered),
        priority=np.array([row[4] for row in ordered], dtype=np.int64),
    )
