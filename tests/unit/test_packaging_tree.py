"""What is committed carries no secret, no trace of one machine, and nothing large."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

LARGEST_BYTES = 500_000
MAY_BE_LARGE = re.compile(r"^\.ci/bootstrap/pip-[\d.]+-py3-none-any\.whl$|^web/static/fonts/")

# Put together here, so that this file does not find itself.
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("npmmirror", "com"),
        ("proxy", "golang", "org"),
    )
)
MACHINE = re.compile(r"(?<![\w.~}$-])/(?:home|root|work|Users|opt/wheels|opt/pypi)/[\w.-]+")
SECRETS = (
    re.compile("-----BEGIN (?:[A-Z]+ )?PRIVATE " + "KEY-----"),
    re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}"),
    re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{10,}"),
    re.compile(r"://[^/\s:@'\"]+:[^/\s@'\"${}<>]+@(?!db:|localhost|127\.|example)[\w-]+\.[a-z]"),
)


@cache
def tracked(root: Path) -> tuple[Path, ...]:
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode:
        pytest.skip("this is not a checkout")
    return tuple(
        path for name in listing.stdout.split("\0") if name and (path := root / name).is_file()
    )


def texts(root: Path) -> Iterator[tuple[str, str]]:
    for path in tracked(root):
        data = path.read_bytes()
        if b"\0" not in data[:8192]:
            yield path.relative_to(root).as_posix(), data.decode("utf-8", "replace")


def traces(text: str) -> list[str]:
    """What of a machine, a registry or a secret is in a text."""
    found = [host for host in REGISTRIES if host in text]
    found += MACHINE.findall(text)
    found += [match.group() for secret in SECRETS for match in secret.finditer(text)]
    return found


def test_tracked_files_hold_no_trace(pytestconfig: pytest.Config) -> None:
    found = {name: traces(text) for name, text in texts(pytestconfig.rootpath)}
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "text",
    [
        f"--index-url https://{REGISTRIES[0]}/simple",
        'DATA = Path("/' + 'home/somebody/data")',
        "see /" + "work/main/geo",
        "-----BEGIN PRIVATE " + "KEY-----",
        "smtp://mail:hunter2" + "@mail.madiun.go.id",
    ],
)
def test_a_trace_is_seen(text: str) -> None:
    assert traces(text)


@pytest.mark.parametrize(
    "text",
    [
        "GET /" + "helsinki/r/HEL-7K3Q-4",
        "postgresql+psycopg://sigap:${SIGAP_DB_PASSWORD}" + "@db:5432/sigap",
        "https://www.openstreetmap.org/copyright",
        "~/.npmrc",
    ],
)
def test_what_is_harmless_passes(text: str) -> None:
    assert traces(text) == []


def test_tracked_files_are_small(pytestconfig: pytest.Config) -> None:
    root = pytestconfig.rootpath
    large = [
        name
        for path in tracked(root)
        if path.stat().st_size > LARGEST_BYTES
        and not MAY_BE_LARGE.match(name := path.relative_to(root).as_posix())
    ]
    assert large == []


def test_no_file_is_named_after_a_layer(pytestconfig: pytest.Config) -> None:
    # `services` is another word: Open311's, and the servers that tests start.
    refused = {"service", "utils", "helpers", "manager", "common"}
    root = pytestconfig.rootpath
    named = [path.relative_to(root).as_posix() for path in tracked(root) if path.stem in refused]
    assert named == []
