"""What was answered is kept: the server is killed the moment it said yes, and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.story.small_city import MIDDLE

SERVE = """
import sys
from pathlib import Path
import uvicorn
from tests.story.small_city import small_system
from web.app import create_app
from web.settings import Settings
folder, port = Path(sys.argv[1]), int(sys.argv[2])
app = create_app(Settings(data_dir=folder, rate_factor=0), system=small_system(folder))
uvicorn.run(app, port=port, log_level="critical", access_log=False)
"""


@contextmanager
def serving(folder: Path) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(folder), str(port)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    try:
        _wait_for(port)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield client, process
    finally:
        process.kill()
        process.wait(timeout=10)


def _wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


@pytest.mark.slow
def test_a_ticket_that_was_given_out_survives_a_kill(tmp_path: Path) -> None:
    wish = {
        "service_code": "fallen_tree",
        "description": "Pohon tumbang di depan sekolah",
        "lon": MIDDLE[0],
        "lat": MIDDLE[1],
    }
    headers = {"Idempotency-Key": str(uuid4())}
    with serving(tmp_path) as (client, process):
        first = client.post("/api/kota/reports", json=wish, headers=headers)
        process.send_signal(signal.SIGKILL)
    assert first.status_code == 201
    with serving(tmp_path) as (client, _):
        told = first.json()
        seen = client.get(f"/api/kota/track/{told['ticket']}", params={"k": told["token"]})
        assert seen.json()["description"] == wish["description"]
        again = client.post("/api/kota/reports", json=wish, headers=headers)
        assert again.json() == told
        assert again.headers["Idempotency-Replayed"] == "true"
