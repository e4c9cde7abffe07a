"""Database and message servers that can be killed and come back where they were."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests import services
from tests.services import LIFELINE, Nats, Postgis, ServiceError

PASSWORD = "sandi-uji"
CLONE_NEWNS = 0x00020000
START_WITHIN_S = 60.0


_mounts = threading.Event()


def mount_apart() -> bool:
    """Let this process mount what nobody else sees and what ends with it; whether it may.

    Call it before there are threads: a thread keeps the mounts it was born with.
    """
    if os.geteuid() != 0 or sys.platform != "linux" or not shutil.which("mount"):
        return False
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        return False
    done = subprocess.run(["mount", "--make-rprivate", "/"], check=False, capture_output=True)
    if done.returncode == 0:
        _mounts.set()
    return _mounts.is_set()


class Room:
    """Temporary folders, some of them on a disk of their own that can be filled."""

    def __init__(self) -> None:
        self._folders: list[Path] = []
        self._mounted: list[Path] = []

    def folder(self, name: str, *, owner: str | None = None, mebibytes: int | None = None) -> Path:
        """A fresh folder; with `mebibytes` a small disk, where this user may mount one."""
        path = Path(tempfile.mkdtemp(prefix=f"sigap-chaos-{name}-", dir="/tmp"))
        self._folders.append(path)
        if mebibytes is not None and _mounts.is_set():
            size = f"size={mebibytes}m"
            subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(path)], check=True)
            self._mounted.append(path)
        if owner:
            shutil.chown(path, owner)
        return path

    def small(self, path: Path) -> bool:
        """Whether the folder is a disk of its own."""
        return path in self._mounted

    def close(self) -> None:
        for path in self._mounted:
            subprocess.run(["umount", "-l", str(path)], check=False, capture_output=True)
        for path in self._folders:
            shutil.rmtree(path, ignore_errors=True)


def fill(disk: Path) -> Path:
    """Take all that is free on the disk; returns the file to delete."""
    ballast = disk / ".ballast"
    with ballast.open("wb") as file:
        step = 64 * 2**20
        while step >= 4096:
            try:
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), step)
            except OSError:
                step //= 4
    return ballast


@dataclass
class Child:
    """A server behind a lifeline: it ends with us, whatever happens to us."""

    directory: Path
    command: list[str]
    user: str | None
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        as_user = ["--user", self.user] if self.user else []
        keeper = [sys.executable, "-I", str(LIFELINE), *as_user, str(self.directory / "gone")]
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*keeper, *self.command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                start_new_session=True,
            )

    def pid(self) -> int | None:
        """The server's own process, below its lifeline."""
        if self.process is None:
            return None
        below = children(self.process.pid)
        return below[0] if below else None

    def kill(self) -> None:
        """End it as a power cut does."""
        pid = self.pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
        self.wait()

    def wait(self) -> None:
        if self.process is not None:
            self.process.wait(timeout=30)
            self.process = None


def children(pid: int) -> list[int]:
    """The processes that this one started, oldest first."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(each) for each in task.read_text().split()]
    return sorted(found)


def below(pid: int) -> list[int]:
    """All processes that this one started, and those that they started."""
    return [each for child in children(pid) for each in (child, *below(child))]


@dataclass
class Database:
    """A private PostgreSQL with PostGIS on a port of the loopback interface."""

    server: Postgis
    child: Child
    disk: Path
    backends: list[int] = field(default_factory=list)

    @classmethod
    def make(cls, room: Room, *, mebibytes: int = 400) -> Database:
        bin_dir = services.find_postgis()
        if bin_dir is None:
            raise ServiceError("There is no PostgreSQL with PostGIS on this machine.")
        user = services._unprivileged_user()
        directory = room.folder("pg", owner=user, mebibytes=mebibytes)
        data = directory / "data"
        services._init(bin_dir, data, password=PASSWORD, user=user)
        port = services.free_port()
        settings = {
            "unix_socket_directories": str(directory),
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "max_connections": "120",
            "shared_buffers": "32MB",
            "max_wal_size": "64MB",
            "min_wal_size": "32MB",
            "timezone": "UTC",
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(bin_dir / "postgres"), "-D", str(data), *flags]
        server = Postgis(directory, "127.0.0.1", port, PASSWORD)
        made = cls(server, Child(directory, command, user), directory)
        made.start()
        services._make_template(server)
        return made

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.child.start()
        until = time.monotonic() + START_WITHIN_S
        while not services._answers(self.server):
            if time.monotonic() > until:
                raise ServiceError(f"PostgreSQL did not come back: {self.said()}")
            process = self.child.process
            if process is not None and process.poll() is not None:
                # its old self is still being cleared away: once more
                time.sleep(0.3)
                self.child.wait()
                self.child.start()
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill the server and every process below it."""
        top = self.child.pid()
        for pid in [top, *below(top)] if top else []:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.child.wait()

    def alive(self) -> bool:
        return self.child.pid() is not None

    def said(self) -> str:
        return (self.child.directory / "log").read_text("utf-8", "replace")[-2000:]

    def stop(self) -> None:
        self.child.stop()


@dataclass
class Messages:
    """A private NATS server with JetStream on a port that stays the same."""

    server: Nats
    child: Child

    @classmethod
    def make(cls, room: Room) -> Messages:
        program = services.find_nats()
        if program is None:
            raise ServiceError("There is no nats-server on this machine.")
        directory = room.folder("nats")
        port, monitor = services.free_port(), services.free_port()
        flags = ["--jetstream", "--addr", "127.0.0.1", "--port", str(port)]
        flags += ["--http_port", str(monitor), "--store_dir", str(directory / "store")]
        server = Nats(f"nats://127.0.0.1:{port}", f"http://127.0.0.1:{monitor}")
        made = cls(server, Child(directory, [str(program), *flags], None))
        made.start()
        return made

    @property
    def port(self) -> int:
        return int(self.server.url.rsplit(":", 1)[1])

    def start(self) -> None:
        log = self.child.directory / "log"
        before = log.read_text("utf-8", "replace").count("Server is ready") if log.exists() else 0
        self.child.start()
        until = time.monotonic() + START_WITHIN_S
        while log.read_text("utf-8", "replace").count("Server is ready") == before:
            if time.monotonic() > until:
                raise ServiceError("nats-server did not come back.")
            time.sleep(0.05)

    def kill(self) -> None:
        self.child.kill()

    def stop(self) -> None:
        self.child.stop()


async def aside(act: object) -> None:
    """Run something that blocks in a thread."""
    assert callable(act)
    await asyncio.to_thread(act)
