"""What goes wrong: each fault is done, lasts a while, and is healed again."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from tests.chaos.people import Town
from tests.chaos.proxy import Wire
from tests.chaos.servers import aside, fill
from tests.chaos.site import CITY, Server, Site

TAKEN_OVER_WITHIN_S = 30.0
LOOK_S = 0.1


@dataclass(eq=False)
class Scene:
    """Where a fault happens, and its chance."""

    site: Site
    town: Town
    chance: random.Random
    sockets: int = 2000

    def server(self) -> Server:
        return self.chance.choice(self.site.servers)


Act = Callable[[Scene], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault; two of one domain do not happen at once."""

    kind: str
    domain: str
    act: Act
    possible: Callable[[Site], bool] = lambda site: True
    weight: float = 1.0


# --- processes ----------------------------------------------------------------------


async def kill_process(scene: Scene) -> Mapping[str, Any]:
    """A whole server, with all its workers."""
    server = scene.server()
    await aside(server.kill)
    away_s = scene.chance.uniform(0.0, 1.5)
    await asyncio.sleep(away_s)
    await scene.site.start(server)
    return {"server": server.number, "away_s": round(away_s, 2)}


async def vanish(scene: Scene) -> Mapping[str, Any]:
    """A host that is gone without a word: the database still believes in its sessions."""
    server = scene.server()
    assert server.database is not None
    server.database.orphan()
    await aside(server.kill)
    await scene.site.start(server)
    return {"server": server.number}


async def kill_worker(scene: Scene) -> Mapping[str, Any]:
    """One of several workers; the others go on and its parent starts another."""
    server = scene.server()
    pid = scene.chance.choice(server.workers())
    server.signal(signal.SIGKILL, pid)
    await asyncio.sleep(scene.chance.uniform(0.2, 3.0))
    return {"server": server.number}


async def kill_dispatcher(scene: Scene) -> Mapping[str, Any]:
    """The process that dispatches; with others, one of them takes over."""
    if scene.site.setup.workers > 1:
        await _all_serve(scene.site)
    found = await asyncio.to_thread(scene.site.leader)
    if found is None:
        return {"leader": None, **await kill_process(scene)}
    server, pid = found
    begun = asyncio.get_running_loop().time()
    if scene.site.setup.workers > 1:
        server.signal(signal.SIGKILL, pid)
    else:
        await aside(server.kill)
    told: dict[str, Any] = {"server": server.number}
    if scene.site.setup.workers > 1 or len(scene.site.servers) > 1:
        told["taken_over_s"] = await _taken_over(scene.site, pid, since=begun)
    if not server.alive():
        await scene.site.start(server)
    return told


async def _all_serve(site: Site) -> None:
    """Wait until there is somebody to take over: a worker that only starts cannot."""
    for _ in range(int(TAKEN_OVER_WITHIN_S / LOOK_S)):
        if all(len(server.serving()) >= site.setup.workers for server in site.servers):
            return
        await asyncio.sleep(LOOK_S)


async def _taken_over(site: Site, was: int, *, since: float) -> float | None:
    """Seconds until another process dispatches, None when none did."""
    loop = asyncio.get_running_loop()
    while loop.time() - since < TAKEN_OVER_WITHIN_S:
        found = await asyncio.to_thread(site.leader)
        if found is not None and found[1] != was:
            return round(loop.time() - since, 2)
        await asyncio.sleep(0.05)
    return None


async def freeze_process(scene: Scene) -> Mapping[str, Any]:
    """A process that stands still and wakes as if nothing had been."""
    server = scene.server()
    pid = scene.chance.choice(server.workers())
    frozen_s = scene.chance.uniform(0.5, 7.0)
    server.signal(signal.SIGSTOP, pid)
    try:
        await asyncio.sleep(frozen_s)
    finally:
        server.signal(signal.SIGCONT, pid)
    return {"server": server.number, "frozen_s": round(frozen_s, 2)}


# --- the database, messages and wires -------------------------------------------------


async def kill_database(scene: Scene) -> Mapping[str, Any]:
    """The database server and every backend, as in a power cut."""
    database = scene.site.database
    assert database is not None
    await aside(database.kill)
    away_s = scene.chance.uniform(0.0, 2.0)
    await asyncio.sleep(away_s)
    await aside(database.start)
    return {"away_s": round(away_s, 2)}


async def drop_sessions(scene: Scene) -> Mapping[str, Any]:
    """Every session of the servers with the database ends, in the middle of whatever it does."""

    def drop() -> int:
        with contextlib.suppress(DBAPIError), scene.site.engine.connect() as connection:
            gone = connection.scalars(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            ).all()
            return len(gone)
        # it is away altogether
        return 0

    return {"sessions": await asyncio.to_thread(drop)}


async def kill_messages(scene: Scene) -> Mapping[str, Any]:
    """NATS, with all it keeps in memory."""
    messages = scene.site.messages
    assert messages is not None
    await aside(messages.kill)
    away_s = scene.chance.uniform(0.0, 4.0)
    await asyncio.sleep(away_s)
    await aside(messages.start)
    return {"away_s": round(away_s, 2)}


def on_wire(end: str, what: str) -> Act:
    """A fault of the wire between one server and its `end`."""

    async def act(scene: Scene) -> Mapping[str, Any]:
        server = scene.server()
        wire: Wire | None = getattr(server, end)
        assert wire is not None
        lasts_s = scene.chance.uniform(0.1, 5.0 if what == "hold" else 3.0)
        if what == "cut":
            wire.cut()
        elif what == "hold":
            wire.hold()
        elif what == "slow":
            wire.slow(scene.chance.uniform(0.02, 0.3))
        else:
            wire.half_close()
            lasts_s = 0.3
        try:
            await asyncio.sleep(lasts_s)
        finally:
            if what == "hold" and scene.chance.random() < 0.5:
                # what was held is lost, as behind a switch that comes back without memory
                wire.reset()
            wire.heal()
        return {"server": server.number, "lasts_s": round(lasts_s, 2)}

    return act


# --- disk and clocks --------------------------------------------------------------------


async def fill_disk(scene: Scene) -> Mapping[str, Any]:
    """The disk of the database has no byte left for a while."""
    disk = scene.site.disk
    assert disk is not None
    ballast = await asyncio.to_thread(fill, disk)
    full_s = scene.chance.uniform(0.5, 4.0)
    try:
        await asyncio.sleep(full_s)
    finally:
        ballast.unlink()
    told = {"full_s": round(full_s, 2)}
    database = scene.site.database
    if database is not None and not database.alive():
        # PostgreSQL gives up when it cannot write its log; whoever runs it starts it again
        await aside(database.child.wait)
        await aside(database.start)
        return {**told, "database": "restarted"}
    return told


async def skew_clock(scene: Scene) -> Mapping[str, Any]:
    """The servers' clock jumps, and jumps back."""
    seconds = scene.chance.choice((-1, 1)) * scene.chance.choice((2.0, 30.0, 600.0, 3000.0))
    scene.site.skew(seconds)
    try:
        await asyncio.sleep(scene.chance.uniform(0.5, 4.0))
    finally:
        scene.site.skew(0.0)
    return {"seconds": seconds}


async def skew_devices(scene: Scene) -> Mapping[str, Any]:
    """Every phone shows another time than it is."""
    seconds = scene.chance.choice((-1, 1)) * scene.chance.choice((5.0, 120.0, 7200.0, 3.2e7))
    scene.town.device_skew_s = seconds
    try:
        await asyncio.sleep(scene.chance.uniform(1.0, 4.0))
    finally:
        scene.town.device_skew_s = 0.0
    return {"seconds": seconds}


# --- clients ----------------------------------------------------------------------------


async def storm(scene: Scene) -> Mapping[str, Any]:
    """As after a cell tower came back: everybody connects at once, hears, and is gone again."""
    known = list(scene.town.sent) or [("-", "-")]
    bases = scene.site.bases()
    open_: list[ClientConnection] = []
    answered = 0

    async def one(n: int) -> None:
        nonlocal answered
        base, (ticket, token) = bases[n % len(bases)], known[n % len(known)]
        with contextlib.suppress(
            OSError, ConnectionClosed, InvalidHandshake, InvalidMessage, EOFError
        ):
            socket = await connect(
                f"{base.replace('http', 'ws', 1)}/ws/{CITY}",
                origin=base,  # type: ignore[arg-type]
                compression=None,
                proxy=None,
                open_timeout=60,
                ping_interval=None,
                close_timeout=1,
                max_size=None,
            )
            open_.append(socket)
            await socket.send(orjson.dumps({"sub": f"report/{ticket}", "token": token}).decode())
            await asyncio.wait_for(socket.recv(), 60)
            answered += 1

    await asyncio.gather(*(one(n) for n in range(scene.sockets)))
    for socket in open_:
        socket.transport.abort()
    await asyncio.gather(*(socket.wait_closed() for socket in open_))
    return {"sockets": scene.sockets, "connected": len(open_), "answered": answered}


# --- which are possible where --------------------------------------------------------------


def _on_postgis(site: Site) -> bool:
    return site.database is not None


def _with_messages(site: Site) -> bool:
    return site.messages is not None


def _one_worker(site: Site) -> bool:
    return site.setup.workers == 1


def _several_workers(site: Site) -> bool:
    return site.setup.workers > 1


def _wires(end: str, possible: Callable[[Site], bool]) -> tuple[Fault, ...]:
    kinds = ("cut", "hold", "slow", "half_close")
    return tuple(Fault(f"{kind}_{end}", end, on_wire(end, kind), possible, 0.6) for kind in kinds)


FAULTS: tuple[Fault, ...] = (
    Fault("kill_process", "process", kill_process, _one_worker, 2.0),
    Fault("kill_worker", "process", kill_worker, _several_workers, 3.0),
    Fault("kill_server", "process", kill_process, _several_workers, 0.3),
    Fault("kill_dispatcher", "process", kill_dispatcher, _on_postgis, 1.5),
    Fault("vanish", "process", vanish, _on_postgis, 0.4),
    Fault("freeze_process", "process", freeze_process),
    Fault("kill_database", "database", kill_database, _on_postgis, 1.5),
    Fault("drop_sessions", "database", drop_sessions, _on_postgis),
    *_wires("database", _on_postgis),
    Fault("kill_messages", "messages", kill_messages, _with_messages, 2.0),
    *_wires("messages", _with_messages),
    *_wires("clients", lambda site: True),
    Fault("fill_disk", "disk", fill_disk, lambda site: site.disk is not None, 1.0),
    Fault("skew_clock", "clock", skew_clock, _one_worker),
    Fault("skew_devices", "clock", skew_devices, weight=0.5),
    Fault("storm", "storm", storm, weight=0.3),
)


def possible(site: Site) -> list[Fault]:
    """The faults that this set-up on this machine can have."""
    return [fault for fault in FAULTS if fault.possible(site)]


def impossible(site: Site) -> list[str]:
    """Those it ought to have, were this machine another."""
    return [] if site.disk is not None else ["fill_disk"]


__all__ = ["FAULTS", "Fault", "Scene", "impossible", "possible"]
