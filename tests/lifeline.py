"""Keep a server alive while somebody holds the line, and leave nothing behind when they let go.

Run as a script by `tests.services`. Its standard input is the line: when it closes, because the
tests ended, were interrupted or were killed, the server is stopped and its directory deleted.
"""

import argparse
import contextlib
import pwd
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

STOP_WITHIN_S = 10.0


def keep_alive(directory: Path, command: list[str], *, user: str | None) -> int:
    """Run `command` as `user` until standard input closes; then stop it and delete `directory`.

    Returns 0 when it ran until the line closed; 1, and the directory stays, when it ended itself.
    """
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        user=user,
        group=pwd.getpwnam(user).pw_gid if user else None,
        extra_groups=[] if user else None,
    ) as server:
        hung_up = threading.Event()

        def listen() -> None:
            sys.stdin.buffer.read()
            hung_up.set()
            stop(server)

        threading.Thread(target=listen, daemon=True).start()
        server.wait()
    if not hung_up.is_set():
        return 1  # whoever holds the line reads the log first
    shutil.rmtree(directory, ignore_errors=True)
    return 0


def stop(server: subprocess.Popen[bytes]) -> None:
    """Ask politely (SIGINT: PostgreSQL's fast shutdown, NATS's clean one), then insist."""
    with contextlib.suppress(ProcessLookupError):
        server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        server.kill()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--user")
    parser.add_argument("directory", type=Path)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    # Ctrl-C reaches the tests; they close the line when they are done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return keep_alive(given.directory, given.command, user=given.user)


if __name__ == "__main__":
    sys.exit(main())
