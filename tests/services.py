"""The servers and the browser that tests talk to: found, started in private, gone afterwards.

Nothing here needs root, listens beyond the loopback interface, or touches a server that is
already running. Each pytest process starts its own, so `-n 2` is safe.
"""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from geo.osrm_tools import OsrmTools

START_WITHIN_S = 60.0
TEMPLATE = "sigap_template"
# Ctrl-C and the like go to the whole process group; a server outlives them until the line closes.
LIFELINE = Path(__file__).with_name("lifeline.py")


class ServiceError(Exception):
    """A server that is installed did not start; the message ends with what it said."""


@dataclass(frozen=True, slots=True)
class Service:
    """Something a test may need, and what to say when it is absent."""

    name: str
    advice: str

    def found(self) -> bool:
        """Whether this machine has it."""
        return FINDERS[self.name]() is not None


def find_postgis() -> Path | None:
    """The `bin` directory of the newest PostgreSQL that has the PostGIS extension."""
    named = os.environ.get("SIGAP_TEST_POSTGRES_BIN")
    if named:
        return Path(named) if Path(named, "postgres").exists() else None
    candidates = [*Path("/usr/lib/postgresql").glob("*/bin")]
    candidates.sort(key=lambda path: _version(path.parent.name), reverse=True)
    on_path = shutil.which("pg_config")
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    return next((path for path in candidates if _has_postgis(path)), None)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def _has_postgis(bin_dir: Path) -> bool:
    if not (bin_dir / "postgres").exists():
        return False
    debian = Path("/usr/share/postgresql", bin_dir.parent.name, "extension/postgis.control")
    if debian.exists():
        return True
    config = bin_dir / "pg_config"
    if not config.exists():
        return False
    share = subprocess.run([config, "--sharedir"], capture_output=True, text=True, check=False)
    return Path(share.stdout.strip(), "extension/postgis.control").exists()


def find_nats() -> Path | None:
    """The `nats-server` program."""
    sbin = "/usr/sbin/nats-server"  # not on the PATH of Debian's ordinary users
    named = os.environ.get("SIGAP_TEST_NATS_SERVER") or shutil.which("nats-server") or sbin
    return Path(named) if Path(named).exists() else None


def find_chromium() -> Path | None:
    """A Chromium that Playwright can drive."""
    named = os.environ.get("SIGAP_TEST_CHROMIUM")
    if named:
        return Path(named) if Path(named).exists() else None
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        path = shutil.which(name)
        if path:
            return Path(path)
    apple = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
    return apple if apple.exists() else None


def find_data() -> Path | None:
    """The folder of real wards, maps and report streams."""
    named = os.environ.get("SIGAP_DATA")
    return Path(named) if named and Path(named).is_dir() else None


def find_osrm() -> Path | None:
    """The folder of OSRM's programs."""
    tools = OsrmTools.find()
    return tools.programs if tools else None


def find_atheris() -> Path | None:
    """The coverage-guided fuzzer, which has wheels for some machines only."""
    spec = find_spec("atheris")
    return Path(spec.origin) if spec and spec.origin else None


FINDERS = {
    "postgis": find_postgis,
    "nats": find_nats,
    "chromium": find_chromium,
    "data": find_data,
    "osrm": find_osrm,
    "atheris": find_atheris,
}

SERVICES = {
    service.name: service
    for service in (
        Service(
            "postgis",
            "install postgresql and postgresql-15-postgis-3 (or your release's number), "
            "or set SIGAP_TEST_POSTGRES_BIN",
        ),
        Service("chromium", "install chromium, or set SIGAP_TEST_CHROMIUM"),
        Service("nats", "install nats-server, or set SIGAP_TEST_NATS_SERVER"),
        Service("osrm", "run .ci/bootstrap/osrm.py with .venv's Python, or set SIGAP_OSRM_BIN"),
        Service("atheris", "install the development packages on Linux, x86-64, Python below 3.13"),
        Service("data", "set SIGAP_DATA to the folder of real wards, maps and report streams"),
    )
}


@dataclass(frozen=True, slots=True)
class Postgis:
    """A running PostgreSQL with PostGIS; the user is `sigap`, the directory is private."""

    directory: Path
    host: str
    port: int
    password: str | None = None

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of one of its databases, as `SIGAP_DATABASE_URL` wants it."""
        if self.password is None:
            socket = quote(self.host, safe="")
            return f"postgresql+psycopg://sigap@/{database}?host={socket}&port={self.port}"
        secret = quote(self.password, safe="")
        return f"postgresql+psycopg://sigap:{secret}@{self.host}:{self.port}/{database}"

    def connect(self, database: str) -> psycopg.Connection[TupleRow]:
        """An autocommit connection to one of its databases."""
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user="sigap",
            password=self.password,
            dbname=database,
            autocommit=True,
        )

    def create(self, database: str) -> str:
        """Make an empty database with PostGIS in it; returns its URL."""
        with self.connect("postgres") as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(database), sql.Identifier(TEMPLATE)
                )
            )
        return self.url(database)


@contextmanager
def postgis(*, password: str | None = None) -> Iterator[Postgis]:
    """Start PostgreSQL with PostGIS, and delete it afterwards.

    Without a password it listens on a unix socket in its own directory only; with one also on the
    loopback interface, where the password is asked for. Durability is left on: what is tested is
    what runs. Raises `ServiceError` when it does not start within a minute.
    """
    bin_dir = find_postgis()
    if bin_dir is None:
        raise ServiceError("There is no PostgreSQL with PostGIS on this machine.")
    user = _unprivileged_user()
    with _directory("sigap-pg-", owner=user) as directory:
        data = directory / "data"
        _init(bin_dir, data, password=password, user=user)
        listen = "" if password is None else "127.0.0.1"
        server = Postgis(directory, str(directory), 5432)
        if password is not None:
            server = Postgis(directory, "127.0.0.1", free_port(), password)
        settings = {
            "unix_socket_directories": str(directory),
            "listen_addresses": listen,
            "port": str(server.port),
            "max_connections": "60",
            "shared_buffers": "64MB",
            "timezone": "UTC",
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(bin_dir / "postgres"), "-D", str(data), *flags]
        with _running(directory, command, user=user) as process:
            _wait(lambda: _answers(server), process=process, log=directory / "log")
            _make_template(server)
            yield server


def _init(bin_dir: Path, data: Path, *, password: str | None, user: str | None) -> None:
    command = [str(bin_dir / "initdb"), "-D", str(data), "-U", "sigap", "-E", "UTF8"]
    command += ["--no-locale", "--no-instructions"]
    if password is None:
        command += ["--auth=trust"]
    else:
        secret = data.with_name("password")
        secret.write_text(password, encoding="utf-8")
        if user:
            shutil.chown(secret, user)
        command += ["--auth=scram-sha-256", f"--pwfile={secret}"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=data.parent,
        user=user,
        group=pwd.getpwnam(user).pw_gid if user else None,
        extra_groups=[] if user else None,
    )
    if done.returncode:
        raise ServiceError(f"initdb failed: {done.stderr.strip()}")


def _answers(server: Postgis) -> bool:
    try:
        server.connect("postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def _make_template(server: Postgis) -> None:
    """Creating the extension takes most of a second; copying a database that has it does not."""
    with server.connect("postgres") as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    with server.connect(TEMPLATE) as connection:
        connection.execute("CREATE EXTENSION postgis")


@dataclass(frozen=True, slots=True)
class Nats:
    """A running NATS server with JetStream: where clients and where monitoring connect."""

    url: str
    monitor_url: str


@contextmanager
def nats(*arguments: str, port: int | None = None) -> Iterator[Nats]:
    """Start nats-server with JetStream on free loopback ports, and delete its store afterwards.

    `arguments` replace the flags that switch JetStream and monitoring on, so that a test can run
    the very command line of a deployment. A server on a `port` of before is that server come back.
    Raises `ServiceError` when it does not start.
    """
    program = find_nats()
    if program is None:
        raise ServiceError("There is no nats-server on this machine.")
    with _directory("sigap-nats-", owner=None) as directory:
        port, monitor_port = port or free_port(), free_port()
        flags = list(arguments) or ["--jetstream"]
        flags += ["--addr", "127.0.0.1", "--port", str(port), "--http_port", str(monitor_port)]
        flags += ["--store_dir", str(directory / "store")]
        server = Nats(f"nats://127.0.0.1:{port}", f"http://127.0.0.1:{monitor_port}")
        with _running(directory, [str(program), *flags], user=None) as process:
            log = directory / "log"
            _wait(lambda: "Server is ready" in _said(log), process=process, log=log)
            yield server


@contextmanager
def _directory(prefix: str, *, owner: str | None) -> Iterator[Path]:
    # A unix socket's path must stay under 104 characters: macOS's TMPDIR alone takes half of them.
    parent = "/tmp" if Path("/tmp").is_dir() else None
    directory = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        if owner:
            shutil.chown(directory, owner)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _running(
    directory: Path, command: list[str], *, user: str | None
) -> Iterator[subprocess.Popen[bytes]]:
    as_user = ["--user", user] if user else []
    lifeline = [sys.executable, "-I", str(LIFELINE), *as_user, str(directory), *command]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            lifeline,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=directory,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.stdin:
            process.stdin.close()
        process.wait()


def _wait(ready: Callable[[], bool], *, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_WITHIN_S
    said = ""
    while not ready():
        if process.poll() is not None or time.monotonic() > until:
            raise ServiceError(f"A server did not start. It said: {said[-2000:]}")
        said = _said(log) or said
        time.sleep(0.05)


def _said(log: Path) -> str:
    """What a server has written so far; nothing once its directory is gone."""
    return log.read_text("utf-8", "replace") if log.exists() else ""


def _unprivileged_user() -> str | None:
    """Whom root becomes to run PostgreSQL, which refuses to run as root; None for anyone else."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
