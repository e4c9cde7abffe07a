"""What a demo city starts with: people to sign in as, and crews with vehicles and skills."""

from __future__ import annotations

import random
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from dispatch import actions
from dispatch.core.events import Actor, CrewRegistered
from dispatch.core.world import World
from dispatch.system import City, System
from web import accounts
from web.robots.points import on_a_road

BUILDER = Actor("administrator", "demo")
SEED = 20

CREWS: tuple[tuple[str, str, str, tuple[str, ...], str], ...] = (
    ("Regu Tanggap 1", "T1", "bpbd", ("chainsaw", "pump"), "truck"),
    ("Regu Tanggap 2", "T2", "bpbd", ("chainsaw", "pump"), "truck"),
    ("Regu Taman 1", "P1", "dlh", ("chainsaw",), "pickup"),
    ("Regu Lampu 1", "L1", "dishub", ("electrical",), "bucket_truck"),
    ("Regu Lampu 2", "L2", "dishub", ("electrical",), "van"),
    ("Regu Jalan 1", "J1", "pupr", ("roadworks", "pump"), "truck"),
    ("Regu Jalan 2", "J2", "pupr", ("roadworks", "pump"), "pickup"),
    ("Regu Tertib 1", "S1", "satpol_pp", ("enforcement",), "motorbike"),
    ("Regu Tertib 2", "S2", "satpol_pp", ("enforcement",), "van"),
)

EQUIPMENT = {"T1": ("winch",), "T2": ("winch",), "L1": ("aerial_lift",), "J1": ("barriers",)}

PEOPLE: tuple[tuple[str, str, str, str | None], ...] = (
    ("operator", "dispatcher", "Operator Demo", None),
    ("dinas", "officer", "Petugas BPBD Demo", "bpbd"),
    ("penilai", "supervisor", "Penilai Demo", None),
    ("admin", "administrator", "Administrator Demo", None),
    ("robot", "dispatcher", "Robot Operator", None),
)


@dataclass(frozen=True, slots=True)
class Account:
    """A demo sign-in."""

    role: str
    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo's people and crews; crews as (id, lon, lat of the station)."""

    accounts: tuple[Account, ...]
    crews: tuple[tuple[UUID, float, float], ...]

    def account(self, username: str) -> Account:
        """The sign-in of that name."""
        return next(account for account in self.accounts if account.username == username)

    def hint(self) -> list[dict[str, Any]]:
        """What the sign-in page of a demo shows: everybody's sign-in but the robot's."""
        return [asdict(a) for a in self.accounts if a.username != "robot"]


def passwords(path: Path) -> dict[str, str]:
    """The demo's passwords, made by chance at the first start and kept in a private file."""
    if path.is_file():
        # a file cut short by a full disk is made anew, and the people get their new passwords
        with suppress(orjson.JSONDecodeError):
            kept: dict[str, str] = orjson.loads(path.read_bytes())
            if {username for username, *_ in PEOPLE} <= set(kept):
                return kept
    made = {username: f"{username}-{secrets.token_hex(3)}" for username, *_ in PEOPLE}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(orjson.dumps(made))
    return made


def prepare(system: System, city: City, *, data_dir: Path, crews: int | None = None) -> Demo:
    """Make sure that people and crews are there; a second time changes nothing.

    `crews` is how many; more than there are names repeats them with higher numbers.
    """
    known = passwords(data_dir / f"demo-{city.id}.json")
    people = []
    for username, role, name, agency_id in PEOPLE:
        if not accounts.has_password(system, city.id, username, known[username]):
            accounts.add_staff(
                system,
                city.id,
                username=username,
                password=known[username],
                role=role,
                name=name,
                agency_id=agency_id,
            )
        people.append(Account(role, username, known[username]))
    return Demo(tuple(people), tuple(_crews(system, city, crews or len(CREWS))))


def _crews(system: System, city: City, wanted: int) -> list[tuple[UUID, float, float]]:
    with system.looking(city.id) as world:
        there = list(world.crews())
    chance = random.Random(SEED)
    for number in range(wanted):
        name, call_sign, agency_id, skills, vehicle = CREWS[number % len(CREWS)]
        turn = number // len(CREWS)
        lon, lat = on_a_road(chance, box=city.box, areas=city.areas, roads=city.roads)
        if number < len(there):
            continue
        fact = CrewRegistered(
            name=name if not turn else f"{name} ({turn + 1})",
            call_sign=call_sign if not turn else f"{call_sign}-{turn + 1}",
            agency_id=agency_id,
            skills=skills,
            vehicle=vehicle,
            members=3,
            station_lon=lon,
            station_lat=lat,
            equipment=EQUIPMENT.get(call_sign, ()),
        )
        system.do(city.id, BUILDER, partial(_register, fact))
    with system.looking(city.id) as world:
        return [(crew.id, crew.station_lon, crew.station_lat) for crew in world.crews()]


def _register(fact: CrewRegistered, world: World, now: datetime) -> object:
    return actions.register_crew(world, now, BUILDER, fact)
