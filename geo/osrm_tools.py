"""Prepares a map for an OSRM server and brings its speeds up to date, with OSRM's own programs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("osrm-extract", "osrm-partition", "osrm-customize", "osrm-routed")
START_WITHIN_S = 30.0
MOST_PLACES = 20_000
"""The largest table a server started here answers, sources and targets together."""


class OsrmToolsError(Exception):
    """A program of OSRM is missing or refused its work; the message says which and why."""


@dataclass(frozen=True, slots=True)
class OsrmTools:
    """The programs (one folder) and the profile that says how fast a car drives."""

    programs: Path
    profile: Path

    @classmethod
    def find(cls, folder: Path | None = None) -> OsrmTools | None:
        """In this folder, in `SIGAP_OSRM_BIN`, beside Python or on the PATH; None where they
        are not.

        `.ci/bootstrap/osrm.py` unpacks them from a wheel beside Python.
        """
        named = folder or _named() or _beside_python() or _on_path()
        if named is None or not all(os.access(named / name, os.X_OK) for name in PROGRAMS):
            return None
        shared = (named.parent / "share/profiles", named.parent / "share/osrm/profiles")
        profile = next((each / "car.lua" for each in shared if (each / "car.lua").exists()), None)
        return cls(named, profile) if profile else None

    def prepare(self, extract: Path, folder: Path) -> Path:
        """Make a server's files of an extract in `folder`; returns their common path, `….osrm`.

        Raises OsrmToolsError.
        """
        base = folder / f"{extract.name.partition('.')[0]}.osrm"
        self._run("osrm-extract", str(extract), "-p", str(self.profile), "-o", str(base))
        self._run("osrm-partition", str(base))
        self._run("osrm-customize", str(base))
        shutil.copyfile(_geometry(base), _usual_geometry(base))
        return base

    def customize(self, base: Path, speeds: Path) -> None:
        """Bring exactly the speeds of a segment-speed file into a server's files.

        osrm-customize keeps what earlier files said (a road once closed would stay closed), so it
        begins from the geometry that `prepare` laid aside. Raises OsrmToolsError.
        """
        usual = _usual_geometry(base)
        if not usual.is_file():
            raise OsrmToolsError(
                f"There is no {usual}; prepare the server's files with `sigap osrm prepare`."
            )
        draft = base.with_name(f"{base.name}.geometry.next")
        shutil.copyfile(usual, draft)
        draft.replace(_geometry(base))
        self._run("osrm-customize", str(base), "--segment-speed-file", str(speeds))

    def publish(self, base: Path, dataset: str) -> None:
        """Put the files into the shared memory of a running server; raises OsrmToolsError."""
        metric = ("--only-metric",) if self._is_published(dataset) else ()
        self._run("osrm-datastore", str(base), "--dataset-name", dataset, *metric)

    def _is_published(self, dataset: str) -> bool:
        listed = subprocess.run(
            [self.programs / "osrm-datastore", "--list"],
            capture_output=True,
            text=True,
            check=False,
        )
        return f" {dataset}/" in listed.stdout + listed.stderr

    @contextmanager
    def serving(self, base: Path) -> Iterator[OsrmServer]:
        """A server of these files on a free loopback port while the block runs."""
        server = OsrmServer(self, base)
        server.start()
        try:
            yield server
        finally:
            server.stop()

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.programs / program), *arguments], capture_output=True, text=True, check=False
        )
        if done.returncode:
            last = (done.stdout + done.stderr).strip().splitlines()[-1:] or ["nothing"]
            raise OsrmToolsError(f"{program} refused {arguments[0]}; it said: {last[0]}")


class OsrmServer:
    """One osrm-routed; its address stays the same when it starts again with newer speeds."""

    def __init__(self, tools: OsrmTools, base: Path) -> None:
        self._tools, self._base, self._port = tools, base, _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it and wait until it answers; raises OsrmToolsError."""
        command = [str(self._tools.programs / "osrm-routed"), "--algorithm", "mld"]
        command += ["--ip", "127.0.0.1", "--port", str(self._port)]
        command += ["--max-table-size", str(MOST_PLACES), str(self._base)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
        )
        _wait(self._process, self._port)

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)
            self._process = None

    def take(self, speeds: Path) -> None:
        """Drive by the speeds of this file from now on; raises OsrmToolsError."""
        self._tools.customize(self._base, speeds)
        self.stop()
        self.start()


def _geometry(base: Path) -> Path:
    return base.with_name(f"{base.name}.geometry")


def _usual_geometry(base: Path) -> Path:
    return base.with_name(f"{base.name}.geometry.usual")


def _named() -> Path | None:
    folder = os.environ.get("SIGAP_OSRM_BIN")
    return Path(folder) if folder else None


def _beside_python() -> Path | None:
    folder = Path(sys.prefix) / "osrm/bin"
    return folder if folder.is_dir() else None


def _on_path() -> Path | None:
    found = shutil.which("osrm-routed")
    return Path(found).resolve().parent if found else None


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + START_WITHIN_S
    while time.monotonic() < until and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise OsrmToolsError("osrm-routed did not start; are its files whole?")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
