"""Rounds of faults under load, each ended by an audit, until there were enough."""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.exc import SQLAlchemyError

from geo.sql import reading
from tests.chaos.door import AGAIN, Door
from tests.chaos.faults import Fault, Scene, impossible, possible
from tests.chaos.ledger import Held, Ledger, Wish, held
from tests.chaos.people import Town
from tests.chaos.servers import Room
from tests.chaos.site import CITY, Setup, Site, make
from tests.chaos.watch import Watcher, alike
from tests.services import ServiceError

PER_ROUND = 8
PER_SITE = 48
"""After so many faults a set-up begins with an empty city again."""
ALIKE_WITHIN_S = 45.0
REPEATED = 6
TRIES = 10
TWO_AT_ONCE = 0.15


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much is wanted; whichever bound comes first ends it."""

    setups: Sequence[Setup]
    faults: int
    minutes: float
    seed: int = 1
    sockets: int = 2000
    per_round: int = PER_ROUND
    per_site: int = PER_SITE
    sabotage: str = ""
    kinds: frozenset[str] = frozenset()
    """Only these kinds of fault; empty: all."""


@dataclass
class Outcome:
    """What happened and what was found."""

    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    rounds: int = 0
    acknowledged: int = 0
    refused: int = 0
    repeated: int = 0
    events: int = 0
    connections: int = 0
    gaps: int = 0
    found: dict[str, list[str]] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)
    taken_over_s: list[float] = field(default_factory=list)

    def add(self, what: str, findings: Sequence[str]) -> None:
        if findings:
            self.found.setdefault(what, []).extend(findings)

    def clean(self) -> bool:
        return not self.found

    def summary(self) -> dict[str, Any]:
        """The counts, by kind and by set-up."""
        by_kind: Counter[str] = Counter()
        by_setup: Counter[str] = Counter()
        for (setup, kind), times in self.faults.items():
            by_setup[setup] += times
            by_kind[kind] += times
        return {
            "faults": sum(by_kind.values()),
            "by_kind": dict(sorted(by_kind.items())),
            "by_setup": dict(sorted(by_setup.items())),
            "rounds": self.rounds,
            "acknowledged": self.acknowledged,
            "refused": self.refused,
            "repeated": self.repeated,
            "events_watched": self.events,
            "connections": self.connections,
            "gaps_healed": self.gaps,
            **{name: len(self.found.get(name, [])) for name in NAMES},
            "other": {k: len(v) for k, v in self.found.items() if k not in NAMES},
            "slowest_takeover_s": max(self.taken_over_s, default=None),
            "skipped": sorted(self.skipped),
        }


NAMES = ("lost", "doubled", "double_booked", "diverged")
Say = Callable[[Mapping[str, Any]], None]


class Run:
    """One run over all set-ups."""

    def __init__(self, wanted: Wanted, say: Say, keep: Path) -> None:
        self.wanted, self.outcome = wanted, Outcome()
        self._say, self._keep = say, keep
        self._ends_at = time.monotonic() + wanted.minutes * 60
        self.stopped = False

    def done(self) -> int:
        return sum(self.outcome.faults.values())

    def over(self) -> bool:
        return self.stopped or self.done() >= self.wanted.faults or time.monotonic() > self._ends_at

    async def all(self) -> Outcome:
        """Every set-up in turn, again and again, until there was enough."""
        session = 0
        while not self.over():
            for setup in self.wanted.setups:
                if not self.over():
                    await self._guarded(setup, session)
            session += 1
        return self.outcome

    async def _guarded(self, setup: Setup, session: int) -> None:
        """A session that the harness itself breaks off is told, and the others still play."""
        try:
            await self._session(setup, session)
        except (AssertionError, OSError, SQLAlchemyError, ServiceError) as error:
            what = f"{setup.name}: {type(error).__name__}: {str(error)[-2000:]}"
            self.outcome.add("broken_off", [what])
            self._say({"broken_off": what, "setup": setup.name})

    async def _session(self, setup: Setup, session: int) -> None:
        chance = random.Random(f"{self.wanted.seed}/{setup.name}/{session}")
        share = -(-self.wanted.faults // len(self.wanted.setups))
        left = min(self.wanted.per_site, share, self.wanted.faults - self.done())
        room = Room()
        try:
            site = await make(setup, room, sabotage=self.wanted.sabotage)
            try:
                await self._play(site, chance, left)
            finally:
                await site.stop()
        finally:
            room.close()

    async def _play(self, site: Site, chance: random.Random, left: int) -> None:
        self.outcome.skipped.update(f"{kind} ({site.setup.name})" for kind in impossible(site))
        await asyncio.gather(*(site.start(server) for server in site.servers))
        town = Town(site, chance)
        scene = Scene(site, town, chance, self.wanted.sockets)
        try:
            await town.arrive()
            await asyncio.sleep(3.0)
            while left > 0 and not self.over():
                count = min(self.wanted.per_round, left)
                await self._faults(scene, count)
                left -= count
                await self._audit(site, town)
        finally:
            watchers = town.watchers
            self.outcome.events += sum(w.events for w in watchers)
            self.outcome.connections += sum(w.connections for w in watchers)
            self.outcome.gaps += sum(w.gaps for w in watchers)
            self.outcome.acknowledged += len(town.ledger.acknowledged())
            self.outcome.refused += sum(
                w.status is not None and not w.acknowledged for w in town.ledger.wishes
            )
            await town.leave()

    # --- faults -------------------------------------------------------------------

    async def _faults(self, scene: Scene, count: int) -> None:
        wanted = self.wanted.kinds
        known = [fault for fault in possible(scene.site) if not wanted or fault.kind in wanted]
        while count > 0 and not self.over():
            await asyncio.sleep(scene.chance.expovariate(1.2))
            first = _draw(known, scene.chance)
            drawn = [first]
            others = [fault for fault in known if fault.domain != first.domain]
            if count > 1 and others and scene.chance.random() < TWO_AT_ONCE:
                drawn.append(_draw(others, scene.chance))
            await asyncio.gather(*(self._one(scene, fault) for fault in drawn))
            count -= len(drawn)

    async def _one(self, scene: Scene, fault: Fault) -> None:
        begun = time.monotonic()
        setup = scene.site.setup.name
        told = await fault.act(scene)
        if told.get("taken_over_s") is not None:
            self.outcome.taken_over_s.append(told["taken_over_s"])
        self.outcome.faults[setup, fault.kind] += 1
        took = round(time.monotonic() - begun, 2)
        self._say({"fault": fault.kind, "setup": setup, "n": self.done(), "took_s": took, **told})

    # --- the audit ----------------------------------------------------------------

    async def _audit(self, site: Site, town: Town) -> None:
        begun = time.monotonic()
        found: dict[str, list[str]] = {}
        await site.whole()
        unanswered = await town.pause()
        await site.whole()
        found["unanswered"] = [f"{wish.path} after {wish.tries} tries" for wish in unanswered]
        found["diverged"] = await self._screens(town)
        found["stopped"] = town.failed()
        found["strange"] = [f"{n} × {what}" for what, n in town.ledger.strange.items()]
        town.ledger.strange.clear()
        found["not_repeated"] = await self._repeat(town)
        said = await asyncio.to_thread(_held, site, town.ledger)
        found["lost"] = [*said.lost]
        found["doubled"] = [*said.doubled]
        found["refused_but_done"] = [*said.refused_but_done]
        audit = await asyncio.to_thread(site.audit)
        for finding in audit.findings:
            name = "double_booked" if finding.check == "double_booked" else f"audit_{finding.check}"
            found.setdefault(name, []).append(f"{finding.offset or ''} {finding.what}")
        found = {name: each for name, each in found.items() if each}
        for name, each in found.items():
            self.outcome.add(name, [f"{site.setup.name}: {one}" for one in each])
        self.outcome.rounds += 1
        self._say(
            {
                "round": self.outcome.rounds,
                "setup": site.setup.name,
                "lines": audit.offset,
                "acknowledged": len(town.ledger.acknowledged()),
                "fixes": town.fixes_taken,
                "took_s": round(time.monotonic() - begun, 2),
                "found": {name: each[:5] for name, each in found.items()},
            }
        )
        if found:
            self._keep_logs(site)
        town.going.set()

    async def _screens(self, town: Town) -> list[str]:
        """Every screen that stayed shows what a fresh one shows."""
        wrong = [each for watcher in town.watchers for each in watcher.wrong]
        fresh: list[Watcher] = []
        for n, old in enumerate(town.watchers):
            old.wrong.clear()
            fresh.append(town.fresh(old, n + 1))
        try:
            differ = await asyncio.gather(
                *(
                    alike(old, new, within_s=ALIKE_WITHIN_S)
                    for old, new in zip(list(town.watchers), fresh, strict=True)
                )
            )
        finally:
            for new in fresh:
                await new.end()
        return [*wrong, *(each for each in differ if each is not None)]

    async def _repeat(self, town: Town) -> list[str]:
        """What was acknowledged and is sent once more gets the same answer."""
        reports = [w for w in town.ledger.acknowledged() if w.path == "/reports"]
        door, wrong = town.doors[-1], []
        for wish in town.chance.sample(reports, min(REPEATED, len(reports))):
            answer = await _answered(door, wish)
            if answer is None:
                wrong.append(f"{wish.path}: nobody answered {wish.key} again")
                continue
            self.outcome.repeated += 1
            same = (answer.status_code, answer.json()) == (wish.status, wish.answer)
            if not same or "Idempotency-Replayed" not in answer.headers:
                wrong.append(f"{wish.path}: {wish.key} was answered otherwise the second time")
        return wrong

    def _keep_logs(self, site: Site) -> None:
        folder = self._keep / f"{site.setup.name}-{self.outcome.rounds}"
        folder.mkdir(parents=True, exist_ok=True)
        for log in site.folder.glob("*.log"):
            shutil.copy(log, folder)


async def _answered(door: Door, wish: Wish) -> httpx.Response | None:
    """The answer to a repeated wish; a busy machine may need several tries."""
    for _ in range(TRIES):
        answer = await door.once(wish)
        if answer is not None and answer.status_code not in AGAIN:
            return answer
        await asyncio.sleep(1.0)
    return None


def _held(site: Site, ledger: Ledger) -> Held:
    with reading(site.engine) as connection:
        return held(connection, CITY, ledger)


def _draw(faults: Sequence[Fault], chance: random.Random) -> Fault:
    return chance.choices(faults, [fault.weight for fault in faults])[0]
