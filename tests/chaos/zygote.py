"""Imports Sigap once and forks a server for each order: `python -m tests.chaos.zygote`.

Orders are lines of JSON on standard input, answers lines of JSON on standard output. A server is
a process of its own that runs `sigap`'s command line; killed, it is gone like any other. It ends
with this process, and this one ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import mmap
import os
import signal
import struct
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.chaos.sabotage import SABOTAGE
from web.cli import main as cli

PR_SET_PDEATHSIG = 1
CLOCK = struct.Struct("d")


def serve_orders() -> None:
    """Fork for each order until nobody orders any more."""
    for name in ("nats", "web.worker", "uvicorn.protocols.websockets.websockets_sansio_impl"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, _bury)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(order)
        sys.stdout.write(json.dumps({"pid": pid}) + "\n")
        sys.stdout.flush()


def _bury(_number: int, _frame: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _become(order: dict[str, Any]) -> None:
    """Run the command in this fresh process, and end it."""
    status = 1
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.setsid()
        for number in (signal.SIGCHLD, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.environ.update(order["env"])
        os.chdir(order["folder"])
        if order.get("clock"):
            _skew(Path(order["clock"]))
        if order.get("sabotage"):
            SABOTAGE[order["sabotage"]]()
        sys.argv = ["sigap", *order["args"]]
        cli()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _skew(file: Path) -> None:
    """Let the server's clock be wrong by as many seconds as stand in the file."""
    with file.open("rb") as opened:
        seconds = mmap.mmap(opened.fileno(), CLOCK.size, prot=mmap.PROT_READ)

    def wrong_clock() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=CLOCK.unpack_from(seconds)[0])

    # the module: its package names the function alike
    sys.modules["dispatch.system.build"].__dict__["wall_clock"] = wrong_clock


if __name__ == "__main__":
    serve_orders()
