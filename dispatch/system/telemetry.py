"""What operators are told of a running Sigap, as Prometheus metrics.

Several processes write into one folder (PROMETHEUS_MULTIPROC_DIR, made by `sigap up`); whoever is
asked adds them up. Sums and the worst of all processes, as each metric says.
"""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    multiprocess,
)

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
disable_created_metrics()  # type: ignore[no-untyped-call]  # a second line for each counter

TAIL_LAG = Gauge(
    "sigap_tail_lag_events",
    "Events that are in the log and not told yet; the worst process.",
    ["city"],
    multiprocess_mode="livemax",
)
TAIL_AGE = Gauge(
    "sigap_tail_age_seconds",
    "How long ago the log was looked at or its lines came; the worst process.",
    ["city"],
    multiprocess_mode="livemax",
)
SOCKETS = Gauge("sigap_sockets_open", "Open sockets.", multiprocess_mode="livesum")
WAITING = Gauge(
    "sigap_outbox_messages", "Messages that wait for slow clients.", multiprocess_mode="livesum"
)
SENT = Counter("sigap_deliveries", "Events handed to sockets, each once for each socket.")
SLOW = Counter("sigap_slow_clients", "Clients that were too slow and told to resync.")
DEAD = Counter("sigap_dead_clients", "Clients that were hung up on for their silence.")
FIXES = Counter("sigap_fixes", "Positions of crews: taken, or why not.", ["city", "outcome"])
UNTOLD = Histogram(
    "sigap_fix_untold_seconds",
    "Of each second's frame the oldest position taken and not told to screens until then.",
    ["city"],
    buckets=(0.25, 0.5, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0),
)
DECISION = Histogram(
    "sigap_decision_seconds",
    "One plan of the dispatcher, from the question to the end of its step.",
    ["city"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
FORECAST_MISSES = Counter(
    "sigap_forecast_misses", "Incidents that were foretold to miss their promise.", ["city"]
)
DISPATCHES = Gauge(
    "sigap_dispatches",
    "Processes that dispatch for the city: 1, or for a moment 0.",
    ["city"],
    multiprocess_mode="livesum",
)
BUS = Gauge(
    "sigap_bus_reachable",
    "1 while all processes reach the others, else 0.",
    multiprocess_mode="livemin",
)
TIMERS_LATE = Gauge(
    "sigap_timers_late_seconds",
    "How late the oldest timer is that is due and not run yet.",
    ["city"],
    multiprocess_mode="livemax",
)


def exposition() -> bytes:
    """All metrics of all processes, in Prometheus's text format."""
    if FOLDER not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def forget_process(pid: int) -> None:
    """A process ended: what it held open is no longer counted, what it did still is."""
    if FOLDER in os.environ:
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]


def several_processes(folder: Path) -> dict[str, str]:
    """The environment in which the metrics of many processes add up in this empty folder."""
    return {FOLDER: str(folder)}
