"""Bring a bare checkout to the point where Sigap runs: `.venv`, the locked packages, the screens.

Needs only Python: pip comes along as a wheel beside this file, uv comes from the lock. What the
user told pip (index, certificates, proxy) holds for uv as well. The Makefile runs it as
`install.py up` or `install.py test`; with nothing changed it takes a fraction of a second.
"""

import ast
import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Literal, NoReturn

Purpose = Literal["up", "test"]

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
LOCKS = ROOT / ".ci/locks"
PIP_WHEEL = next(Path(__file__).parent.glob("pip-*.whl"))
INCLUDES: dict[str, tuple[str, ...]] = {"up": ("up", "test"), "test": ("test",)}
NEEDED_BYTES = {"up": 2_000_000_000, "test": 2_500_000_000}

NO_WHEEL = (
    "The package index lacks a locked package for this machine; Sigap needs Python 3.11 to 3.14 "
    "on Linux with glibc 2.34 or newer, or on macOS 15 or newer, x86-64 or arm64."
)
# What pip, uv and npm print when a cause outside Sigap stops them → what to tell the person.
CAUSES = (
    (
        ("No space left", "ENOSPC", "os error 28"),
        "The disk is full: free about 2 GB and run make again.",
    ),
    (
        ("CERTIFICATE_VERIFY_FAILED", "invalid peer certificate", "SELF_SIGNED_CERT"),
        "The package index's certificate is not trusted here: point PIP_CERT at yours.",
    ),
    (
        ("401 ", "403 ", "Unauthorized", "Forbidden"),
        "The package index refused access: check your pip settings (pip config list).",
    ),
    (
        (
            "No matching distribution",
            "not found in the package registry",
            "no usable wheels",
            "Could not find a version",
        ),
        NO_WHEEL,
    ),
)
NETWORK = (
    "ConnectionError",
    "NewConnection",
    "Connection refused",
    "Connection reset",
    "Could not fetch URL",
    "name resolution",
    "dns error",
    "timed out",
    "error sending request",
    "Network is unreachable",
    "ProxyError",
    "ENOTFOUND",
    "ECONNREFUSED",
    "ETIMEDOUT",
    "EAI_AGAIN",
    "ECONNRESET",
)
NO_NETWORK = (
    "The package index cannot be reached: check the network, "
    "or your pip settings when you use a mirror or a proxy, and run make again."
)


def main() -> None:
    purpose: Purpose = "test" if sys.argv[1:] == ["test"] else "up"
    python = ensure_venv(purpose)
    if not up_to_date(purpose, python):
        started = time.monotonic()
        install(purpose, python)
        stamp(purpose).write_text(fingerprint(purpose, python), encoding="utf-8")
        say(f"installed in {time.monotonic() - started:.0f} s")
    build_screens(python)


def say(text: str) -> None:
    print(f"sigap: {text}", flush=True)


def give_up(sentence: str) -> NoReturn:
    sys.exit(f"sigap: {sentence}")


def ensure_venv(purpose: Purpose) -> Path:
    """The virtual environment's Python; a new environment when there is none that works."""
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if works(python):
        return python
    require_space(purpose)
    version = ".".join(str(part) for part in sys.version_info[:3])
    say(f"making .venv with Python {version}")
    try:
        # Without pip: Debian's Python cannot bring its own, and the wheel beside this file will do.
        venv.create(VENV, with_pip=False, clear=True, symlinks=os.name != "nt")
    except OSError as error:
        give_up(f"cannot make {VENV}: {error.strerror or error}.")
    return python


def works(python: Path) -> bool:
    if not python.exists():
        return False
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([python, "-c", check], check=False, capture_output=True).returncode == 0


def require_space(purpose: Purpose) -> None:
    free = shutil.disk_usage(ROOT).free
    needed = NEEDED_BYTES[purpose]
    if free < needed:
        give_up(
            f"there are {free // 1_000_000} MB free on this disk and Sigap needs about "
            f"{needed // 1_000_000} MB: free some space and run make again."
        )


def stamp(purpose: str) -> Path:
    return VENV / f".sigap-{purpose}"


def fingerprint(purpose: str, python: Path) -> str:
    """Changes when what is to be installed changes."""
    digest = hashlib.sha256(str(python).encode())
    for path in (LOCKS / f"{purpose}.txt", ROOT / "pyproject.toml", Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def up_to_date(purpose: Purpose, python: Path) -> bool:
    return any(
        stamp(name).exists() and stamp(name).read_text("utf-8") == fingerprint(name, python)
        for name in INCLUDES[purpose]
    )


def install(purpose: Purpose, python: Path) -> None:
    lock = LOCKS / f"{purpose}.txt"
    environment = clean_environment()
    uv = fetch_uv(python, environment)
    say(f"installing the packages of {lock.relative_to(ROOT)}")
    if uv:
        installer = [str(uv), "pip", "install", "--python", str(python)]
        environment |= uv_settings(python, environment)
    else:
        say("there is no uv for this machine; pip takes longer")
        installer = [str(python), str(PIP_WHEEL / "pip"), "install"]
    run([*installer, "--require-hashes", "-r", str(lock)], environment, doing="Installing packages")
    build_screens(python)
    project = ["--no-build-isolation", "--no-deps", "--editable", str(ROOT)]
    run([*installer, "--quiet", *project], environment, doing="Installing sigap itself")


def clean_environment() -> dict[str, str]:
    """The user's environment without what would send packages elsewhere than into `.venv`."""
    astray = {"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONPATH", "PYTHONHOME"}
    kept = {name: value for name, value in os.environ.items() if name not in astray}
    return kept | {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def fetch_uv(python: Path, environment: dict[str, str]) -> Path | None:
    """uv, from its own lock; None when the index has no uv for this machine."""
    uv = python.with_name("uv.exe" if os.name == "nt" else "uv")
    if uv.exists():
        return uv
    say("fetching uv, the installer")
    lock = LOCKS / "bootstrap.txt"
    command = [str(python), str(PIP_WHEEL / "pip"), "install", "--quiet", "--require-hashes"]
    command += ["--only-binary=:all:", "-r", str(lock)]
    done = subprocess.run(
        command,
        env={"PIP_RETRIES": "2"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return uv
    cause = explain(done.stdout)
    if cause in (None, NO_WHEEL):
        return None
    give_up(cause)


def uv_settings(python: Path, environment: dict[str, str]) -> dict[str, str]:
    """What the user told pip, in uv's words. What the user told uv itself is left alone."""
    told = pip_settings(python, environment)
    extra = told.get("extra-index-url", "").split()
    settings = {
        "UV_DEFAULT_INDEX": told.get("index-url", ""),
        "UV_INDEX": " ".join(extra),
        # As pip does: the best version from any index. Every file's hash is locked.
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": ",".join(told.get("find-links", "").split()),
        "UV_NO_INDEX": "1" if told.get("no-index", "").lower() in ("1", "true", "yes") else "",
        "UV_INSECURE_HOST": " ".join(told.get("trusted-host", "").split()),
        "UV_HTTP_TIMEOUT": told.get("default-timeout", told.get("timeout", "")),
        "SSL_CERT_FILE": told.get("cert", ""),
        "ALL_PROXY": told.get("proxy", ""),
    }
    return {name: value for name, value in settings.items() if value and name not in environment}


def pip_settings(python: Path, environment: dict[str, str]) -> dict[str, str]:
    """Settings of pip by name; the environment wins over `[install]`, that over `[global]`."""
    listing = subprocess.run(
        [str(python), str(PIP_WHEEL / "pip"), "config", "list"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listing.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.partition(".")
        if section in found:
            found[section][name] = str(ast.literal_eval(value))
    return found["global"] | found["install"] | found[":env:"]


def build_screens(python: Path) -> None:
    done = subprocess.run([str(python), str(ROOT / "hatch_build.py")], check=False, cwd=ROOT)
    if done.returncode:
        sys.exit(done.returncode)


def run(command: list[str], environment: dict[str, str], *, doing: str) -> None:
    """Run an installer with its own progress on the screen; explain its failure in one sentence."""
    if subprocess.run(command, env=environment, check=False, cwd=ROOT).returncode == 0:
        return
    # Once more, listening: the first run's words went straight to the screen.
    again = subprocess.run(
        command,
        env=environment,
        check=False,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if again.returncode:
        give_up(explain(again.stdout) or f"{doing} failed; the reason stands above.")


def explain(output: str) -> str | None:
    """One sentence for a failure with a known cause outside Sigap, None for any other."""
    if any(sign in output for sign in NETWORK):
        return NO_NETWORK
    return next(
        (sentence for signs, sentence in CAUSES if any(sign in output for sign in signs)), None
    )


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
