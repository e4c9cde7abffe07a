"""How long a start takes: cold, with an empty data folder, and warm."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from web.cli.stop import Stop

LIMIT_S = 300.0
COMMAND = (sys.executable, "-c", "from web.cli import main; main()", "up", "--demo", "--port", "0")


def boots() -> Iterator[tuple[str, float]]:
    """("cold", seconds) and ("warm", seconds) until Sigap says that it is up."""
    with tempfile.TemporaryDirectory(prefix="sigap-boot-") as fresh:
        for kind in ("cold", "warm"):
            yield kind, _boot(fresh)


def _boot(data_dir: str) -> float:
    begun = time.perf_counter()
    process = subprocess.Popen(
        [*COMMAND, "--no-robots"],
        env={**os.environ, "SIGAP_DATA_DIR": data_dir},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        for said in process.stdout:
            if "Sigap is up" in said:
                return time.perf_counter() - begun
            if time.perf_counter() - begun > LIMIT_S:
                break
        raise Stop("Sigap did not start.")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
