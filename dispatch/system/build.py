"""The one switch between the embedded default and production: which adapters are chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from dispatch.blobs import Blobs
from dispatch.core.policy import Policy
from dispatch.storage import known as stored
from dispatch.storage import migrations
from dispatch.storage.cities import found_city
from dispatch.system.cities import City, read_policy, ticket_prefix
from dispatch.system.clock import fast_clock, wall_clock
from dispatch.system.roads import RoadChoice, open_roads
from dispatch.system.system import System
from geo.bundle import Bundle, installed_cities, open_bundle
from geo.known_places import KnownPlaces, WithKnown
from geo.network import RoadNetwork
from geo.nominatim import with_remote
from geo.sql import conninfo_of, open_engine, reading, writing
from realtime.bus import Bus, LocalBus
from realtime.nats_bus import NatsBus
from realtime.pg_bus import PgBus

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settings:
    """What `build` needs. `cities` None serves every city with a bundle in `data_dir/cities`.

    `clock_start` and `clock_speed` make time run faster, for a replay. `bus_url` is
    `nats://host:4222`; None: NOTIFY between the processes of one PostgreSQL, else nothing.
    """

    database_url: str
    data_dir: Path
    policy_path: Path | None = None
    cities: tuple[str, ...] | None = None
    clock_start: datetime | None = None
    clock_speed: float = 1.0
    bus_url: str | None = None
    roads: RoadChoice = field(default_factory=RoadChoice)
    geocoder: str = "embedded"


def build(settings: Settings) -> System:
    """Open database and cities and wire them up; start nothing yet.

    Raises BadPolicy, and BundleError for a city that is named but not there.
    """
    policy = read_policy(settings.policy_path)
    root = settings.data_dir / "cities"
    names = settings.cities if settings.cities is not None else tuple(installed_cities(root))

    def opened(city_id: str) -> City:
        bundle = open_bundle(root, city_id)
        roads = open_roads(bundle, settings.roads, data_dir=settings.data_dir)
        return city_of(bundle, policy, roads)

    cities = [opened(city_id) for city_id in names]
    clock = wall_clock
    if settings.clock_start is not None:
        clock = fast_clock(settings.clock_start, speed=settings.clock_speed)
    engine = open_engine(settings.database_url)
    migrations.upgrade(engine)
    cities = [knowing(city, engine, provider=settings.geocoder) for city in cities]
    with writing(engine) as connection:
        for city in cities:
            found_city(
                connection,
                city.id,
                name=city.name,
                ticket_prefix=city.ticket_prefix,
                now=clock(),
            )
    blobs = Blobs(settings.data_dir / "blobs")
    bus = open_bus(settings.bus_url, conninfo_of(engine))
    system = System(engine, cities, bus=bus, blobs=blobs, clock=clock)
    system.watch_cities(
        root, lambda city_id: knowing(opened(city_id), engine, provider=settings.geocoder)
    )
    return system


def open_bus(bus_url: str | None, conninfo: str | None) -> Bus:
    """The bus that reaches everybody who serves from the same database."""
    if bus_url:
        return NatsBus(bus_url)
    return LocalBus() if conninfo is None else PgBus(conninfo)


def knowing(city: City, engine: Engine, *, provider: str = "embedded") -> City:
    """The city with what it knows beyond its map, and the remote server it chose.

    Raises BadServer for an address that is none.
    """
    known = KnownPlaces(
        lambda: _read(engine, city.id, stored.version), lambda: _read(engine, city.id, stored.stock)
    )
    own = WithKnown(city.geocoder, known)
    geocoder = with_remote(own, city.areas, provider=provider)
    return replace(city, geocoder=geocoder, known=known)


def _read(engine: Engine, city_id: str, question: Callable[[Connection, str], T]) -> T:
    with reading(engine) as connection:
        return question(connection, city_id)


def city_of(bundle: Bundle, policy: Policy, roads: RoadNetwork) -> City:
    """A city served from its bundle, with the roads as somebody finds ways on them."""
    manifest = bundle.manifest
    return City(
        id=manifest.city_id,
        name=manifest.name,
        ticket_prefix=ticket_prefix(manifest.city_id),
        policy=policy,
        roads=roads,
        areas=bundle.areas(),
        geocoder=bundle.gazetteer(),
        box=manifest.box,
        version=manifest.version,
        basemap=bundle.basemap,
        attribution=manifest.attribution,
    )
