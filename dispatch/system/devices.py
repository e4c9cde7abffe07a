"""Lets trackers in by their secret, and remembers what each last sent and why it was refused."""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import re
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from dispatch.core.crews import Fix
from dispatch.core.errors import Invalid, NotFound
from dispatch.core.log import plain
from dispatch.storage import devices, tables
from dispatch.storage.devices import Device
from dispatch.system import telemetry
from dispatch.system.clock import Clock
from geo.sql import reading, writing

logger = logging.getLogger("sigap.devices")

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,38}[A-Za-z0-9]")
AGAIN_S = 5.0
"""What another process changed in the registry is known here after this."""
SOON_S = 3.0
"""After this it is read again beforehand, so that nobody who knocks has to wait for it."""
NEWS_S = 5.0
KEPT_REFUSALS = 10
UNFIT = frozenset({"no_place", "no_satellites", "no_crew"})
"""Why a fix does not even enter the pipeline, which counts all others."""


@dataclass(slots=True)
class _News:
    """What one device sent since the server learned of it."""

    seen_at: datetime | None = None
    door: str = ""
    fix: dict[str, Any] | None = None
    accepted: int = 0
    late: int = 0
    repeated: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    refusals: list[dict[str, Any]] = field(default_factory=list)
    told: bool = True

    def view(self) -> dict[str, Any]:
        """As the screens get it; `refusals` the newest first."""
        return {
            "door": self.door,
            "fix": plain(self.fix),
            "accepted": self.accepted,
            "late": self.late,
            "repeated": self.repeated,
            "refused": dict(self.refused),
            "refusals": plain(self.refusals),
        }


@dataclass(frozen=True, slots=True)
class Made:
    """A device with a secret that is shown once."""

    device: Device
    secret: str


class Devices:
    """The registry of one city. Thread safe; other processes' changes are seen in seconds."""

    def __init__(self, engine: Engine, city_id: str, clock: Clock) -> None:
        self._engine, self._city_id, self._clock = engine, city_id, clock
        self._known: dict[str, Device] = {}
        self._news: dict[str, _News] = {}
        self._read_at: datetime | None = None
        self._told_at: datetime | None = None
        self._lock = threading.Lock()

    # --- at the door ------------------------------------------------------------------

    def let_in(self, device_id: str, secret: str) -> Device | None:
        """The device whose secret this is; None for a wrong one, an unknown or retired device.

        All three take the same time and look alike. Call `refresh` first when `outdated`.
        """
        known = self._known.get(device_id)
        kept = known.secret_hash if known else ""
        right = hmac.compare_digest(kept or fingerprint(""), fingerprint(secret))
        return known if known and right and secret and known.retired_at is None else None

    def heard(
        self, device: Device, door: str, fixes: Sequence[Fix], said: Sequence[str | None]
    ) -> None:
        """Remember what a device sent through a door, and what became of each fix."""
        now = self._clock()
        with self._lock:
            news = self._news.get(device.id)
            if news is None:
                news = self._news[device.id] = _remembered(device)
            news.seen_at, news.door, news.told = now, door, False
            for fix, word in zip(fixes, said, strict=True):
                _count(news, fix, word, now)
        for word in said:
            if word in UNFIT:
                telemetry.FIXES.labels(self._city_id, word).inc()

    def outdated(self) -> bool:
        """Whether another process may have changed the registry since it was read."""
        return self.read_s_ago() >= AGAIN_S

    def read_s_ago(self) -> float:
        """How old what is known of the registry is; after SOON_S read it anew, before AGAIN_S."""
        read_at = self._read_at
        return math.inf if read_at is None else abs((self._clock() - read_at).total_seconds())

    def refresh(self) -> None:
        """Read anew what others changed in the registry; call it off the event loop."""
        now = self._clock()
        with self._lock:
            known = self._known
        with reading(self._engine) as connection:
            found = devices.refreshed(connection, self._city_id, known)
        with self._lock:
            # what this process changed itself meanwhile is newer
            if self._known is known:
                self._known, self._read_at = found, now

    def _read(self, now: datetime) -> None:
        with reading(self._engine) as connection:
            found = devices.every(connection, self._city_id)
        with self._lock:
            self._known = {device.id: device for device in found}
            self._read_at = now

    # --- the registry -----------------------------------------------------------------

    def every(self) -> list[tuple[Device, dict[str, Any] | None]]:
        """Every device with its news, by id."""
        self._read(self._clock())
        with self._lock:
            return [self._with_news(device) for device in self._known.values()]

    def one(self, device_id: str) -> tuple[Device, dict[str, Any] | None]:
        """One device with its news. Raises NotFound."""
        self._read(self._clock())
        with self._lock:
            if device_id not in self._known:
                raise NotFound(f"There is no device “{device_id}” in this city.", kind="device")
            return self._with_news(self._known[device_id])

    def _with_news(self, device: Device) -> tuple[Device, dict[str, Any] | None]:
        news = self._news.get(device.id)
        if news is None or (device.seen_at and news.seen_at and news.seen_at < device.seen_at):
            # another process heard of it later
            return device, dict(device.news) if device.news else None
        return replace(device, seen_at=news.seen_at), news.view()

    def register(
        self, *, label: str, by: str, device_id: str | None = None, crew_id: UUID | None = None
    ) -> Made:
        """A new device, with an id of its own unless one is given.

        Raises Invalid for a bad id or label, Conflict for a taken id, NotFound for the crew.
        """
        label = " ".join(label.split())
        if not label or len(label) > 80:
            raise Invalid("Give the device a name of at most 80 letters.", field="label")
        chosen = device_id or str(10**7 + secrets.randbelow(9 * 10**7))
        if ID.fullmatch(chosen) is None:
            raise Invalid(
                "An id has 3 to 40 letters, digits, dots, dashes or underscores.", field="id"
            )
        secret, now = secrets.token_urlsafe(18), self._clock()
        device = Device(chosen, label, crew_id, fingerprint(secret), now, by, now)
        with writing(self._engine) as connection:
            self._check_crew(connection, crew_id)
            devices.add(connection, self._city_id, device)
        self._read(now)
        return Made(device, secret)

    def rotate(self, device_id: str) -> Made:
        """A new secret; the old one opens nothing from now on. Raises NotFound, Invalid."""
        secret, now = secrets.token_urlsafe(18), self._clock()
        with writing(self._engine) as connection:
            if devices.find(connection, self._city_id, device_id).retired_at is not None:
                raise Invalid("This device is retired. Register a new one.", field="id")
            device = devices.change(
                connection,
                self._city_id,
                device_id,
                secret_hash=fingerprint(secret),
                secret_at=now,
            )
        self._read(now)
        return Made(device, secret)

    def assign(self, device_id: str, crew_id: UUID | None) -> Device:
        """From now on it speaks for this crew, or for nobody. Raises NotFound."""
        with writing(self._engine) as connection:
            self._check_crew(connection, crew_id)
            device = devices.change(connection, self._city_id, device_id, crew_id=crew_id)
        self._read(self._clock())
        return device

    def retire(self, device_id: str) -> Device:
        """It is let in no more; what it sent stays. Raises NotFound."""
        now = self._clock()
        with writing(self._engine) as connection:
            device = devices.find(connection, self._city_id, device_id)
            if device.retired_at is None:
                device = devices.change(connection, self._city_id, device_id, retired_at=now)
        self._read(now)
        return device

    def _check_crew(self, connection: Any, crew_id: UUID | None) -> None:
        if crew_id is None:
            return
        crew = tables.crew.c
        found = (
            tables.crew.select().where(crew.city_id == self._city_id, crew.id == crew_id).limit(1)
        )
        if connection.execute(found).first() is None:
            raise NotFound("There is no such crew.", kind="crew")

    # --- writing ----------------------------------------------------------------------

    def flush(self, *, all_of_it: bool = False) -> None:
        """Keep the news of the devices, every few seconds; other processes show them too."""
        now = self._clock()
        if not all_of_it and self._told_at and (now - self._told_at).total_seconds() < NEWS_S:
            return
        self._told_at = now
        with self._lock:
            fresh = [
                (device_id, news.seen_at, news.view())
                for device_id, news in self._news.items()
                if not news.told and news.seen_at is not None
            ]
            for device_id, _, _ in fresh:
                self._news[device_id].told = True
        if not fresh:
            return
        try:
            with writing(self._engine) as connection:
                devices.tell(connection, self._city_id, sorted(fresh, key=lambda each: each[0]))
        except (SQLAlchemyError, OSError):
            logger.exception("news of the devices of %s are told later", self._city_id)


def fingerprint(secret: str) -> str:
    """What is kept of a secret: SHA-256, hex. It is random, so no salt is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _remembered(device: Device) -> _News:
    """Counts go on where they were before the server started."""
    kept = dict(device.news or {})
    news = _News(seen_at=device.seen_at)
    for name in ("door", "fix", "accepted", "late", "repeated", "refused", "refusals"):
        if name in kept:
            setattr(news, name, kept[name])
    return news


def _count(news: _News, fix: Fix, word: str | None, now: datetime) -> None:
    if word in ("late", "repeated"):
        news.late += word == "late"
        news.repeated += word == "repeated"
        return
    if word is None:
        news.accepted += 1
        news.fix = _sent(fix)
        return
    news.refused[word] = news.refused.get(word, 0) + 1
    refusal = {"reason": word, "at": now, "fix": _sent(fix)}
    news.refusals = [refusal, *news.refusals[: KEPT_REFUSALS - 1]]


def _sent(fix: Fix) -> dict[str, Any]:
    """The fix as the device sent it."""
    lon, lat = fix.lon, fix.lat
    return {
        # what is no number has none in JSON either
        "lon": lon if abs(lon) < 1e6 else None,
        "lat": lat if abs(lat) < 1e6 else None,
        "fix_time": fix.fix_time,
        "device_time": fix.device_time,
        "server_time": fix.server_time,
        "accuracy_m": fix.accuracy_m,
        "heading": fix.heading,
        "speed_ms": fix.speed_ms,
        "battery": fix.battery,
        "mock": fix.mock,
    }
