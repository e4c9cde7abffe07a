"""Plays simulated days in processes, keeps each, and hands back what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from dispatch.core.policy import Policy
from dispatch.simulator import arrivals, recorded, results, runs
from dispatch.simulator.day import play
from dispatch.simulator.figures import Figures, figures
from dispatch.simulator.outcome import Outcome
from dispatch.simulator.presets import POLICIES
from dispatch.simulator.results import Results
from dispatch.simulator.scene import FRICTIONS, SMOOTH, Scene
from dispatch.simulator.stage import Stage, set_stage
from dispatch.system.cities import read_policy
from geo.bundle import open_bundle
from web.cli.stop import Stop

SYNTHETIC = "synthetic"
OWN = "sigap"


@dataclass(frozen=True, slots=True)
class Setting:
    """What is played whatever the policy and the seed."""

    load: float
    storm: bool
    frictions: bool


@dataclass(frozen=True, slots=True)
class Run:
    """One run to play: everything it depends on that a process needs to be told.

    `policy_path` is the city's policy file; `preset` turns it into the policy `name`. `demand` is
    "synthetic", or a file of arrivals; `said` says what was asked for, for the record. A
    `followed` run is checked as screens would see it, which changes nothing of its outcome.
    """

    root: Path
    city: str
    version: str
    policy_path: Path | None
    preset: str
    name: str
    setting: Setting
    days: float
    seed: int
    crews: int
    fewer_crews: int
    pranks: float
    demand: str
    said: str
    followed: bool = False

    def __str__(self) -> str:
        return f"{self.name}, load {self.setting.load:g}, seed {self.seed}"

    def parameters(self) -> dict[str, Any]:
        """What the run depends on beside the policy's numbers and the code, in plain values."""
        given = asdict(self)
        for name in ("root", "policy_path", "demand", "preset", "name", "followed"):
            del given[name]
        return given

    def policy(self) -> Policy:
        """The policy it is played under. Raises BadPolicy."""
        return preset_of(self.preset, self.policy_path)

    def key(self) -> str:
        """What it is kept under."""
        return results.key_of(self.parameters(), policy=self.policy(), code=results.code_digest())


@cache
def preset_of(preset: str, path: Path | None) -> Policy:
    """The policy in a file, or the one that comes with Sigap, as the preset changes it."""
    return POLICIES[preset](read_policy(path))


def play_run(run: Run, tick: Callable[[float], None]) -> Outcome:
    """Play it, in whatever process this is."""
    policy = run.policy()
    scene = scene_of(run, policy)
    return play(
        scene,
        policy,
        name=run.name,
        seed=run.seed,
        frictions=FRICTIONS if run.setting.frictions else SMOOTH,
        tick=tick,
        followed=run.followed,
    )


def scene_of(run: Run, policy: Policy) -> Scene:
    """The stage of the city with the run's demand and crews."""
    stage = stage_of(run.root, run.city)
    if run.demand == SYNTHETIC:
        return stage.scene(
            run.seed,
            load=run.setting.load,
            crews=run.crews,
            days=run.days,
            storm=run.setting.storm,
            pranks=run.pranks,
            fewer_crews=run.fewer_crews,
        )
    return recorded.scene_of(
        stage,
        arrivals.load(Path(run.demand)),
        policy,
        run.seed,
        load=run.setting.load,
        crews=run.crews,
        days=run.days,
        fewer_crews=run.fewer_crews,
    )


@lru_cache(maxsize=1)
def stage_of(root: Path, city: str) -> Stage:
    """The city's stage, computed once in each process. Raises Stop."""
    bundle = open_bundle(root, city)
    try:
        return set_stage(city, bundle.roads(), bundle.areas())
    except ValueError as error:
        raise Stop(str(error)) from error


def every_run(
    template: Run,
    *,
    settings: Iterable[Setting],
    policies: Iterable[tuple[str, str, Path | None]],
    seeds: Iterable[int],
) -> list[Run]:
    """Each policy (name, preset, file) in each setting with each seed.

    Seeds come first, so that what is played before an interrupt can be compared. The runs of the
    first seed are followed: for all of them that would cost a sixth of the time.
    """
    several, named = list(settings), list(policies)
    return [
        replace(
            template,
            setting=setting,
            name=name,
            preset=preset,
            policy_path=path,
            seed=seed,
            followed=nth == 0,
        )
        for nth, seed in enumerate(seeds)
        for setting in several
        for name, preset, path in named
    ]


def play_missing(
    wanted: Sequence[tuple[str, Run]],
    kept: Results,
    *,
    workers: int,
    done: Callable[[Run], None],
    tick: Callable[[Run, float], None],
) -> None:
    """Play the (key, run) that are not kept yet, keeping each as it ends. Raises Stop."""
    there = kept.keys()
    key_of = {run: key for key, run in wanted}
    missing = [run for key, run in wanted if key not in there]

    def keep(run: Run, outcome: Outcome) -> None:
        kept.append(key_of[run], run.parameters() | {"policy": run.name}, outcome)
        done(run)

    try:
        runs.play_all(missing, play_run, workers=workers, done=keep, tick=tick)
    except runs.RunFailed as error:
        raise Stop(str(error)) from error


def read_figures(
    kept: Results,
    wanted: Sequence[tuple[str, Run]],
    *,
    also: Callable[[Outcome], None] | None = None,
) -> list[Figures]:
    """The figures of the wanted runs that are there, in the order in which they are wanted.

    `also` is shown each outcome; they are too large to be kept in memory together.
    """
    found = {}
    for run in kept.runs({key for key, _ in wanted}):
        found[run.key] = figures(run.outcome)
        if also is not None:
            also(run.outcome)
    return [found[key] for key, _ in wanted if key in found]
