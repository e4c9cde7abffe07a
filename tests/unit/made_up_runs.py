"""Outcomes that nobody played, for tests of what is told about runs."""

import random
from dataclasses import replace

from dispatch.simulator.outcome import Outcome, Served, Worked

DISTRICTS = ("Kartoharjo", "Manguharjo", "Taman")
SERVICES = (("fallen_tree", 1), ("pothole", 2), ("street_light", 3))
DAY_S = 86_400.0


def made_up(
    *,
    policy: str = "A0",
    seed: int = 1,
    load: float = 0.35,
    speed: float = 1.0,
    jobs: int = 300,
    frictions: bool = True,
    scenario: str = "plain",
) -> Outcome:
    """A run in which a policy of this `speed` divides every travel time; demand by seed alone."""
    chance = random.Random(seed)
    served = []
    for _ in range(jobs):
        code, priority = SERVICES[chance.randrange(3)]
        received = round(chance.uniform(0, DAY_S), 3)
        travel = chance.lognormvariate(6.4, 0.6) * (0.7 + load) / speed
        served.append(
            Served(
                received_s=received,
                response_s=round(60 + 30 + travel, 3),
                processing_s=60.0,
                turnout_s=30.0,
                travel_s=round(travel, 3),
                on_scene_s=round(chance.lognormvariate(7, 0.5), 3),
                service_code=code,
                priority=priority,
                district=DISTRICTS[chance.randrange(3)],
                lon=round(111.49 + 0.06 * chance.random(), 6),
                lat=round(-7.66 + 0.06 * chance.random(), 6),
                crew=chance.randrange(6),
                offers=1 + (chance.random() < 0.1),
                diverted=0,
                storm=scenario == "storm" and received > DAY_S / 2,
                counted=received > 14_400,
            )
        )
    served.sort(key=lambda one: one.received_s)
    ended = max(one.received_s + one.response_s + one.on_scene_s for one in served)
    crews = tuple(
        Worked(
            crew=crew,
            skills=("chainsaw",) if crew % 2 else ("pump", "electrical"),
            bound_s=20_000 + 3_000 * crew,
            driving_s=9_000,
            duty_s=DAY_S,
            km=120.5,
            jobs=jobs // 6,
            move_ups=3 if policy == "F" else 0,
        )
        for crew in range(6)
    )
    return Outcome(
        policy=policy,
        city="madiun",
        seed=seed,
        load=load,
        scenario=scenario,
        frictions=frictions,
        days=1.0,
        warm_up_s=14_400.0,
        ended_s=ended,
        served=tuple(served),
        crews=crews,
        diversions=jobs // 10 if policy == "F" else 0,
        declines=jobs // 10,
        expiries=2,
        move_ups=18 if policy == "F" else 0,
        waiting_mean=sum(one.response_s for one in served) / ended,
        in_system_mean=sum(one.response_s + one.on_scene_s for one in served) / ended,
        decision_ms=tuple(round(0.5 + 0.01 * k, 3) for k in range(200)),
        cpu_s={"rules": 1.5, "routing": 0.5, "rest": 1.0},
    )


def unreached(outcome: Outcome) -> Outcome:
    """The same run, but nobody ever came to the last incident."""
    last = replace(outcome.served[-1], response_s=float("inf"))
    return replace(outcome, served=(*outcome.served[:-1], last))
