"""People with a password, crews with a one-time code, and the sessions both get."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, delete, insert, select, update
from uuid_utils.compat import uuid7

from dispatch.core.errors import Invalid, NotFound
from dispatch.core.events import Actor
from dispatch.storage.tables import crew, pairing_code, session, staff
from dispatch.system import System, token_hash
from geo.sql import reading, writing

STAFF_ROLES = frozenset({"dispatcher", "officer", "supervisor", "administrator"})
MIN_PASSWORD = 8
# No 0 O 1 I L U: read aloud and typed with gloves.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 8
CODE_VALID_S = 600.0

# Argon2id with the library's defaults (RFC 9106, low-memory profile: 64 MiB, 3 passes).
_HASHER = PasswordHasher()
# One hash takes 64 MiB: a flood of sign-ins must not take all memory.
_HASHING = threading.BoundedSemaphore(2)
# Somebody who does not exist takes as long to refuse as somebody who does.
_NOBODY = _HASHER.hash(secrets.token_urlsafe(16))


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody signed in, in one city; `id` is the person's, or the crew's."""

    city_id: str
    id: UUID
    role: str
    name: str
    session_hash: str
    crew_id: UUID | None = None
    agency_id: str | None = None
    language: str | None = None

    @property
    def actor(self) -> Actor:
        """How the log names them."""
        return Actor(self.role, str(self.id))

    def view(self) -> dict[str, Any]:
        """What the screens may know."""
        return {
            "id": str(self.id),
            "name": self.name,
            "role": self.role,
            "city": self.city_id,
            "crew_id": str(self.crew_id) if self.crew_id else None,
            "agency_id": self.agency_id,
            "language": self.language,
        }


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session: its token is shown once. `ended` are the sessions it replaced."""

    principal: Principal
    token: str
    ended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PairingCode:
    """A one-time code for a crew's device."""

    code: str
    expires_at: datetime


fingerprint = token_hash
"""What is kept of a token or code. They are random, so no salt is needed."""


def _now() -> datetime:
    """The wall's time, also while a replay makes the city's clock run."""
    return datetime.now(UTC)


# --- people -----------------------------------------------------------------------


def add_staff(
    system: System,
    city_id: str,
    *,
    username: str,
    password: str,
    role: str,
    name: str,
    agency_id: str | None = None,
    language: str = "id",
) -> UUID:
    """Add a person, or change the one with this username; a change ends their sessions.

    Raises Invalid for a short password, an unknown role, or an officer without a known agency.
    """
    _check_person(system, city_id, password=password, role=role, agency_id=agency_id)
    with _HASHING:
        hashed = _HASHER.hash(password)
    values = {
        "name": name,
        "role": role,
        "agency_id": agency_id,
        "password_hash": hashed,
        "language": language,
        "disabled": False,
    }
    named = (staff.c.city_id == city_id) & (staff.c.username == _username(username))
    with writing(system.engine) as connection:
        known: UUID | None = connection.execute(select(staff.c.id).where(named)).scalar()
        if known is None:
            known = UUID(str(uuid7()))
            row = {"city_id": city_id, "id": known, "username": _username(username), **values}
            connection.execute(insert(staff).values(row))
        else:
            connection.execute(update(staff).where(named).values(values))
            own = (session.c.city_id == city_id) & (session.c.staff_id == known)
            connection.execute(delete(session).where(own))
    return known


def _check_person(
    system: System, city_id: str, *, password: str, role: str, agency_id: str | None
) -> None:
    city = system.city(city_id)
    if len(password) < MIN_PASSWORD:
        raise Invalid(f"A password needs at least {MIN_PASSWORD} characters.", field="password")
    if role not in STAFF_ROLES:
        raise Invalid(f"A role is one of: {', '.join(sorted(STAFF_ROLES))}.", field="role")
    if role == "officer" and agency_id not in city.policy.agencies:
        raise Invalid(f"There is no agency “{agency_id}”.", field="agency_id")


def _username(typed: str) -> str:
    return typed.strip().lower()


def sign_in(
    system: System, city_id: str, *, username: str, password: str, hours: float
) -> Opened | None:
    """A session for the right password; None for a wrong one, in the same time."""
    where = (staff.c.city_id == city_id) & (staff.c.username == _username(username))
    with reading(system.engine) as connection:
        row = connection.execute(select(staff).where(where)).mappings().first()
    hashed = row["password_hash"] if row and not row["disabled"] else _NOBODY
    if not _matches(hashed, password) or row is None or row["disabled"]:
        return None
    with writing(system.engine) as connection:
        if _HASHER.check_needs_rehash(hashed):
            renewed = _HASHER.hash(password)
            connection.execute(update(staff).where(where).values(password_hash=renewed))
        return _open(connection, _now(), _person(row, ""), hours=hours)


def open_sessions(
    system: System, city_id: str, username: str, *, count: int, hours: float = 1.0
) -> list[str]:
    """Sessions without a password, for whoever has the database in hand; their tokens."""
    where = (staff.c.city_id == city_id) & (staff.c.username == _username(username))
    with writing(system.engine) as connection:
        row = connection.execute(select(staff).where(where)).mappings().one()
        person = _person(row, "")
        return [_open(connection, _now(), person, hours=hours).token for _ in range(count)]


def has_password(system: System, city_id: str, username: str, password: str) -> bool:
    """Whether this person is there and has this password."""
    where = (staff.c.city_id == city_id) & (staff.c.username == _username(username))
    with reading(system.engine) as connection:
        hashed = connection.execute(select(staff.c.password_hash).where(where)).scalar()
    return hashed is not None and _matches(hashed, password)


def _matches(hashed: str, password: str) -> bool:
    with _HASHING:
        try:
            return _HASHER.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False


# --- crews ------------------------------------------------------------------------


def new_code(
    system: System, city_id: str, crew_id: UUID, *, valid_s: float = CODE_VALID_S
) -> PairingCode:
    """A fresh code for the crew's device; older unused ones stop working. Raises NotFound."""
    code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
    expires_at = _now() + timedelta(seconds=valid_s)
    with writing(system.engine) as connection:
        where = (crew.c.city_id == city_id) & (crew.c.id == crew_id)
        if connection.execute(select(crew.c.id).where(where)).scalar() is None:
            raise NotFound("There is no such crew.")
        older = (pairing_code.c.city_id == city_id) & (pairing_code.c.crew_id == crew_id)
        connection.execute(delete(pairing_code).where(older))
        row = {
            "city_id": city_id,
            "code_hash": fingerprint(code),
            "crew_id": crew_id,
            "expires_at": expires_at,
            "used_at": None,
        }
        connection.execute(insert(pairing_code).values(row))
    return PairingCode(f"{code[:4]}-{code[4:]}", expires_at)


def redeem_code(system: System, city_id: str, code: str, *, hours: float) -> Opened | None:
    """The crew's session, once for each code; its older device's session ends. None: no such code.

    The code is marked used by one conditional update, so two phones cannot share it.
    """
    now = _now()
    plain = "".join(c for c in code.upper() if c.isalnum())
    this = (pairing_code.c.city_id == city_id) & (pairing_code.c.code_hash == fingerprint(plain))
    valid = this & pairing_code.c.used_at.is_(None) & (pairing_code.c.expires_at > now)
    with writing(system.engine) as connection:
        if connection.execute(update(pairing_code).where(valid).values(used_at=now)).rowcount != 1:
            return None
        crew_id = connection.execute(select(pairing_code.c.crew_id).where(this)).scalar_one()
        found = (crew.c.city_id == city_id) & (crew.c.id == crew_id)
        row = connection.execute(select(crew).where(found)).mappings().one()
        older = (session.c.city_id == city_id) & (session.c.crew_id == crew_id)
        ended = connection.execute(select(session.c.token_hash).where(older)).scalars().all()
        connection.execute(delete(session).where(older))
        return _open(connection, now, _crew(row, ""), hours=hours, ended=tuple(ended))


# --- sessions ---------------------------------------------------------------------


def find_session(system: System, city_id: str, token: str) -> Principal | None:
    """Whose session this is; None when it ended, expired or never was."""
    return _by_hash(system, city_id, fingerprint(token))


def _by_hash(system: System, city_id: str, token_hash: str) -> Principal | None:
    where = (
        (session.c.city_id == city_id)
        & (session.c.token_hash == token_hash)
        & (session.c.expires_at > _now())
    )
    with reading(system.engine) as connection:
        row = connection.execute(select(session).where(where)).mappings().first()
        if row is None:
            return None
        if row["staff_id"] is not None:
            mine = (staff.c.city_id == city_id) & (staff.c.id == row["staff_id"])
            person = connection.execute(select(staff).where(mine)).mappings().one()
            return None if person["disabled"] else _person(person, token_hash)
        ours = (crew.c.city_id == city_id) & (crew.c.id == row["crew_id"])
        return _crew(connection.execute(select(crew).where(ours)).mappings().one(), token_hash)


def changed(system: System, known: Mapping[str, Principal]) -> list[str]:
    """Which of these sessions ended, or are no longer who they were; by the token's hash."""
    if not known:
        return []
    return [
        session_hash
        for session_hash, principal in known.items()
        if _by_hash(system, principal.city_id, session_hash) != principal
    ]


def end_session(system: System, principal: Principal) -> None:
    """Sign out."""
    where = (session.c.city_id == principal.city_id) & (
        session.c.token_hash == principal.session_hash
    )
    with writing(system.engine) as connection:
        connection.execute(delete(session).where(where))


def _open(
    connection: Connection,
    now: datetime,
    principal: Principal,
    *,
    hours: float,
    ended: tuple[str, ...] = (),
) -> Opened:
    token = secrets.token_urlsafe(32)
    token_hash = fingerprint(token)
    row = {
        "city_id": principal.city_id,
        "token_hash": token_hash,
        "staff_id": None if principal.crew_id else principal.id,
        "crew_id": principal.crew_id,
        "device_label": None,
        "created_at": now,
        "expires_at": now + timedelta(hours=hours),
    }
    connection.execute(insert(session).values(row))
    named = replace(principal, session_hash=token_hash)
    return Opened(named, token, ended)


def _person(row: Any, session_hash: str) -> Principal:
    return Principal(
        city_id=row["city_id"],
        id=row["id"],
        role=row["role"],
        name=row["name"],
        session_hash=session_hash,
        agency_id=row["agency_id"],
        language=row["language"],
    )


def _crew(row: Any, session_hash: str) -> Principal:
    return Principal(
        city_id=row["city_id"],
        id=row["id"],
        role="crew",
        name=row["name"],
        session_hash=session_hash,
        crew_id=row["id"],
        agency_id=row["agency_id"],
    )
