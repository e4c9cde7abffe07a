"""What an administrator may set, by environment variable or in a file called `.env`."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

CHECKOUT = Path(__file__).resolve().parent.parent


def default_data_dir() -> Path:
    """`.sigap` beside the code in a checkout, else where this system keeps a user's data."""
    if (CHECKOUT / "pyproject.toml").is_file():
        return CHECKOUT / ".sigap"
    return Path(platformdirs.user_data_dir("sigap", appauthor=False))


class Settings(BaseSettings):
    """Every setting is an environment variable: `SIGAP_` and the name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="SIGAP_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    data_dir: Path = Field(default_factory=default_data_dir)
    """City bundles, photos and, unless DATABASE_URL says otherwise, the database."""
    database_url: str = ""
    """`postgresql+psycopg://…` or `sqlite:///…`; empty: one SQLite file in the data directory."""
    policy: Path | None = None
    """A city's numbers; empty: the policy that comes with Sigap."""
    open311_keys: Annotated[tuple[str, ...], NoDecode] = ()
    """Keys that may send Open311 requests, separated by commas; empty: anybody may."""
    cities: Annotated[tuple[str, ...], NoDecode] = ()
    """Which cities to serve, separated by commas; empty: every city with a bundle."""
    roads: str = Field(default="embedded", pattern=r"^(embedded|osrm:https?://[^\s/]+[^\s]*)$")
    """Who finds the ways: `embedded`, or `osrm:http://host:port`; `{city}` is the city's id."""
    osrm_reload: str = ""
    """The command that has the OSRM server take new speeds; `{city}`, `{speeds}` are filled in."""
    roads_stand_in: bool = True
    """Whether the embedded engine answers while the OSRM server does not."""
    geocoder: str = Field(
        default="embedded", pattern=r"^(embedded|(nominatim|photon)(:https?://[^\s/]+[^\s]*)?)$"
    )
    """`embedded`, or `nominatim:http://host` or `photon:http://host`, which is asked where the
    city's own address book is not sure: then what citizens type about a place leaves this machine.
    Without an address it is the public server of its project."""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    """How many processes serve together; more than one needs PostGIS."""
    bus: str | None = None
    """`nats://host:4222` between several hosts; empty: NOTIFY on PostGIS, nothing on SQLite."""
    secure_cookies: bool | None = None
    """Whether cookies travel over HTTPS only; empty: as the request came."""
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.1", "::1")
    """Addresses of proxies whose X-Forwarded-For and -Proto are believed, separated by commas."""
    public_url: str | None = None
    """How people reach this server, for links and QR codes; empty: as the request came."""
    rate_factor: float = Field(default=1.0, ge=0)
    """Multiplies every rate limit of the public doors; 0 turns them off."""
    metrics_token: str | None = Field(default=None, min_length=16)
    """Who sends it as `Authorization: Bearer …` may read /metrics; empty: only this machine."""
    staff_session_h: float = Field(default=12.0, gt=0)
    crew_session_h: float = Field(default=24.0 * 30, gt=0)

    @field_validator("open311_keys", "cities", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for part in value:
            if part != "*":
                ip_network(part, strict=False)
        return value

    @field_validator("public_url")
    @classmethod
    def _bare_origin(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else None

    @field_validator("bus")
    @classmethod
    def _known_bus(cls, value: str | None) -> str | None:
        if value and not value.startswith(("nats://", "tls://")):
            raise ValueError("it looks like nats://host:4222")
        return value

    @property
    def database(self) -> str:
        """The database URL, with the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir / 'sigap.sqlite3'}"

    @property
    def osrm_url(self) -> str | None:
        """Where the OSRM server is, None for the embedded engine."""
        return self.roads.removeprefix("osrm:") if self.roads.startswith("osrm:") else None
