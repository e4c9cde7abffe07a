"""What one simulated run came to: every incident, every crew, and what it cost to decide."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Served:
    """One incident of the run. Seconds count from the start of the run; durations in seconds.

    `response_s` is received → first arrived. Incidents received before the warm-up ended, and
    false ones (`genuine` False), are kept but not counted.
    """

    received_s: float
    response_s: float
    processing_s: float
    turnout_s: float
    travel_s: float
    on_scene_s: float
    service_code: str
    priority: int
    district: str
    lon: float
    lat: float
    crew: int
    offers: int
    diverted: int
    genuine: bool = True
    storm: bool = False
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Worked:
    """One crew over the run: seconds bound to incidents, driving, on duty; kilometres; jobs."""

    crew: int
    skills: tuple[str, ...]
    bound_s: float
    driving_s: float
    duty_s: float
    km: float
    jobs: int
    move_ups: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run under one policy with one seed.

    `waiting_mean` and `in_system_mean` are time averages over the whole run, 0 to `ended_s` (for
    Little's law: L = lambda W): of incidents received and not yet reached, and of those received
    and not yet finished (`response_s + on_scene_s`). `decision_ms` are processor milliseconds of
    each decision; `cpu_s` splits the processor time of the run into rules, routing and the rest.
    """

    policy: str
    city: str
    seed: int
    load: float
    scenario: str
    frictions: bool
    days: float
    warm_up_s: float
    ended_s: float
    served: tuple[Served, ...]
    crews: tuple[Worked, ...]
    diversions: int
    declines: int
    expiries: int
    move_ups: int
    waiting_mean: float
    in_system_mean: float
    decision_ms: tuple[float, ...] = ()
    cpu_s: dict[str, float] = field(default_factory=dict)
