"""A small served city for stories: two wards, roads as the crow flies, staff of every role."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient
from shapely.geometry import box

import dispatch
from dispatch import actions
from dispatch.blobs import Blobs
from dispatch.core import events as ev
from dispatch.core.crews import Fix
from dispatch.core.policy import Policy, parse_policy
from dispatch.storage import migrations
from dispatch.storage.cities import found_city
from dispatch.system import City, System
from dispatch.system.build import knowing
from dispatch.system.clock import Clock
from geo.areas import Area, Areas
from geo.geocoding import Candidate, Phrase
from geo.network import StraightLineNetwork
from geo.point import Box, Point
from geo.sql import open_engine, writing
from realtime.bus import LocalBus
from web import accounts
from web.app import create_app
from web.settings import Settings

WEST, SOUTH, EAST, NORTH = 111.50, -7.66, 111.56, -7.60
MIDDLE = (111.53, -7.63)
PASSWORD = "sandi rahasia"
STAFF = {
    "dispatcher": None,
    "supervisor": None,
    "administrator": None,
    "officer": "bpbd",
}


def manual_policy() -> Policy:
    """The numbers that come with Sigap, but every crew is sent by a person's key."""
    path = Path(dispatch.__file__).with_name("policy.toml")
    policy = parse_policy(tomllib.loads(path.read_text(encoding="utf-8")))
    return replace(policy, offers=replace(policy.offers, automatic_priorities=()))


class OnePlace:
    """A gazetteer that knows one street."""

    def search(
        self, text: str, *, near: Point | None = None, limit: int = 5, language: str = "id"
    ) -> Sequence[Candidate]:
        if "pahlawan" not in text.lower():
            return []
        point = Point(*MIDDLE)
        return [
            Candidate(point, "Jalan Pahlawan", "street", 120.0, 0.9, "nama", "Barat", "Kartoharjo")
        ]

    def reverse(self, p: Point, *, language: str = "id") -> Phrase | None:
        return Phrase("Jalan Pahlawan", "Jalan Pahlawan", "Barat", "Kartoharjo", 10.0)


def areas() -> Areas:
    middle = (WEST + EAST) / 2
    return Areas(
        [
            Area("c", "Kota", "city", None, None, box(WEST, SOUTH, EAST, NORTH)),
            Area("d", "Kartoharjo", "district", "c", None, box(WEST, SOUTH, EAST, NORTH)),
            Area("w1", "Barat", "ward", "d", None, box(WEST, SOUTH, middle, NORTH)),
            Area("w2", "Timur", "ward", "d", None, box(middle, SOUTH, EAST, NORTH)),
        ]
    )


def small_city(city_id: str = "kota", *, basemap: Path | None = None) -> City:
    return City(
        id=city_id,
        name=city_id.title(),
        ticket_prefix="KTA",
        policy=manual_policy(),
        roads=StraightLineNetwork(),
        areas=areas(),
        geocoder=OnePlace(),
        box=Box(WEST, SOUTH, EAST, NORTH),
        version="v1",
        basemap=basemap,
    )


def small_system(
    folder: Path, *, database_url: str | None = None, clock: Clock | None = None
) -> System:
    """Two cities, `kota` and `tetangga`, on a database of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    basemap = folder / "basemap.pmtiles"
    basemap.write_bytes(bytes(range(256)) * 4)
    engine = open_engine(database_url or f"sqlite:///{folder / 'sigap.sqlite3'}")
    migrations.upgrade(engine)
    cities = [
        knowing(city, engine) for city in (small_city(basemap=basemap), small_city("tetangga"))
    ]
    with writing(engine) as connection:
        for city in cities:
            found_city(
                connection,
                city.id,
                name=city.name,
                ticket_prefix=city.ticket_prefix,
                now=datetime.now(UTC),
            )
    return System(
        engine,
        cities,
        bus=LocalBus(),
        blobs=Blobs(folder / "blobs"),
        clock=clock or (lambda: datetime.now(UTC)),
    )


def add_crew(
    system: System, city_id: str, name: str, *, agency_id: str = "bpbd", lon: float = MIDDLE[0]
) -> UUID:
    """A crew on duty with a fresh position."""
    admin = ev.Actor("administrator", "test")
    fact = ev.CrewRegistered(name, name, agency_id, ("chainsaw",), "truk", 3, lon, MIDDLE[1])
    made: list[UUID] = []
    system.do(
        city_id, admin, lambda w, now: made.append(actions.register_crew(w, now, admin, fact).id)
    )
    [crew_id] = made
    system.do(
        city_id,
        admin,
        lambda w, now: actions.set_crew_status(w, now, admin, crew_id, status="available"),
    )
    now = system.clock()
    assert system.take_fixes(city_id, crew_id, [Fix(crew_id, lon, MIDDLE[1], now, now)]) == []
    # What is matched reads the crew's row, which is written once a second.
    system.flush_positions()
    return crew_id


@dataclass
class Desk:
    """Somebody at a browser: a client with its own cookies."""

    client: TestClient
    city: str = "kota"
    who: str = "nobody"

    def get(self, path: str, **more: Any) -> httpx.Response:
        answer: httpx.Response = self.client.get(self._at(path), **more)
        return answer

    def post(
        self, path: str, body: Any = None, *, key: str | None = None, **more: Any
    ) -> httpx.Response:
        headers = {"Idempotency-Key": key or str(uuid4()), **more.pop("headers", {})}
        answer: httpx.Response = self.client.post(
            self._at(path), json=body or {}, headers=headers, **more
        )
        return answer

    def _at(self, path: str) -> str:
        return path if path.startswith(("/api", "/ws")) else f"/api/{self.city}{path}"


@dataclass
class Stand:
    """The running application and what is in it."""

    app: FastAPI
    main: TestClient
    system: System
    crew_id: UUID
    other_crew_id: UUID
    cookies: dict[tuple[str, str], str] = field(default_factory=dict)

    def visitor(self, city: str = "kota") -> Desk:
        client = TestClient(self.app, base_url="http://testserver")
        # Sockets must live in the event loop in which the city's news are told.
        client.portal = self.main.portal
        return Desk(client, city)

    def staff(self, role: str, city: str = "kota") -> Desk:
        """Somebody signed in with a password; signed in once, for passwords are slow on purpose."""
        desk = self.visitor(city)
        if (role, city) not in self.cookies:
            body = {"username": role, "password": PASSWORD, "city": city}
            answer = desk.post("/api/session", body)
            assert answer.status_code == 200, answer.text
            self.cookies[role, city] = cookie_of(answer)
        desk.client.headers["Cookie"] = self.cookies[role, city]
        desk.who = role
        return desk

    def crew(self, crew_id: UUID | None = None) -> Desk:
        desk = self.visitor()
        code = accounts.new_code(self.system, "kota", crew_id or self.crew_id).code
        answer = desk.post("/api/crew-session", {"city": "kota", "code": code})
        assert answer.status_code == 200, answer.text
        desk.client.headers["Cookie"] = cookie_of(answer)
        desk.who = "crew"
        return desk

    def report(self, **changes: Any) -> tuple[str, str, UUID]:
        """A citizen reports a fallen tree: ticket, token and the report's id."""
        body = {
            "service_code": "fallen_tree",
            "description": "Pohon tumbang menutup jalan raya",
            "lon": MIDDLE[0],
            "lat": MIDDLE[1],
            **changes,
        }
        answer = self.visitor().post("/reports", body)
        assert answer.status_code == 201, answer.text
        told = answer.json()
        found = self.system.report_of("kota", told["ticket"], told["token"])
        assert found is not None
        return told["ticket"], told["token"], found

    def offered(self, desk: Desk, **changes: Any) -> tuple[UUID, UUID, UUID]:
        """A report verified and offered to the crew: report, incident and assignment id."""
        _, _, report_id = self.report(**changes)
        verified = desk.post(f"/reports/{report_id}/verify")
        assert verified.status_code == 200, verified.text
        incident_id = named(verified, "incident")
        sent = desk.post(f"/incidents/{incident_id}/send", {"crew_id": str(self.crew_id)})
        assert sent.status_code == 200, sent.text
        return report_id, incident_id, named(sent, "assignment")


def cookie_of(answer: httpx.Response) -> str:
    """The cookie an answer sets, as a browser sends it back."""
    return answer.headers["Set-Cookie"].partition(";")[0]


def named(answer: httpx.Response, kind: str) -> UUID:
    """The id of the first thing of this kind that the answer's events name."""
    keys = [event["k"] for event in answer.json()["events"]]
    return UUID(next(key.partition("/")[2] for key in keys if key.startswith(f"{kind}/")))


@contextmanager
def stand(
    folder: Path, *, database_url: str | None = None, rate_factor: float = 0.0
) -> Iterator[Stand]:
    """The application, served, with staff of every role and two crews.

    Passwords are hashed cheaply here: what makes guessing slow would make tests slow.
    """
    with patch.object(accounts, "_HASHER", PasswordHasher(1, 1024, 1)):
        yield from _stand(folder, database_url=database_url, rate_factor=rate_factor)


def _stand(folder: Path, *, database_url: str | None, rate_factor: float) -> Iterator[Stand]:
    system = small_system(folder, database_url=database_url)
    for city, roles in (("kota", tuple(STAFF)), ("tetangga", ("administrator",))):
        for role in roles:
            accounts.add_staff(
                system,
                city,
                username=role,
                password=PASSWORD,
                role=role,
                name=role.title(),
                agency_id=STAFF[role],
            )
    crew_id = add_crew(system, "kota", "Regu 1")
    other = add_crew(system, "kota", "Regu 2", agency_id="dlh", lon=MIDDLE[0] + 0.01)
    settings = Settings(data_dir=folder, rate_factor=rate_factor)
    app = create_app(settings, system=system)
    with TestClient(app, base_url="http://testserver") as main:
        yield Stand(app, main, system, crew_id, other)


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)
