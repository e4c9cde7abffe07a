"""What the documents say can be typed, set and opened, can be."""

import re
from pathlib import Path

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from web.cli.main import app
from web.settings import Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = {
    name: (ROOT / name).read_text("utf-8")
    for name in ("README.md", "CONTRIBUTING.md", "docker-compose.yml")
}
# Set by those who start the compose file or the tests, not read by Sigap.
NOT_SETTINGS = {"SIGAP_DB_PASSWORD", "SIGAP_LISTEN", "SIGAP_REQUIRE", "SIGAP_DATA"}
CODE = re.compile(
    r"`([^`\n]+)`|^(?:#\s+)?((?:docker|make|sigap|\.venv/bin/sigap|SIGAP_).*)$", re.MULTILINE
)


def typed(text: str) -> list[str]:
    """The pieces of code in a document."""
    return [match[1] or match[2] for match in CODE.finditer(text)]


def commands(text: str) -> set[tuple[str, ...]]:
    """What follows `sigap` wherever a document types it: the words before options and names."""
    found = set()
    for code in typed(text):
        for match in re.finditer(r"(?:^|[\s/])sigap (?!sigap )((?:[a-z]+ ?)+)", code):
            found.add(tuple(match[1].split()))
    return found


def resolve(words: tuple[str, ...]) -> TyperCommand:
    """The command that these words run; further words are its arguments."""
    command = get_command(app)
    for word in words:
        if isinstance(command, TyperGroup):
            command = command.commands[word]
    assert isinstance(command, TyperCommand), f"sigap {' '.join(words)} says nothing to do"
    return command


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_exist(name: str) -> None:
    for words in commands(DOCUMENTS[name]):
        resolve(words)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_options_exist(name: str) -> None:
    for code in typed(DOCUMENTS[name]):
        match = re.search(r"(?:^|[\s/])sigap (?!sigap )((?:[a-z]+ ?)+)(.*)", code)
        if match and "docker" not in code.partition("sigap")[0].split()[:1]:
            options = {
                option for param in resolve(tuple(match[1].split())).params for option in param.opts
            }
            assert set(re.findall(r"--[a-z-]+", match[2])) <= options, code


@pytest.mark.parametrize("name", DOCUMENTS)
def test_settings_exist(name: str) -> None:
    named = set(re.findall(r"\bSIGAP_[A-Z_]+\b", DOCUMENTS[name])) - NOT_SETTINGS
    known = {f"SIGAP_{field.upper()}" for field in Settings.model_fields}
    assert named - known == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_make_targets_exist(name: str) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {
        match[1]
        for code in typed(DOCUMENTS[name])
        for match in re.finditer(r"(?:^|\s)make ([a-z]+)", code)
    }
    assert named <= targets


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_paths_exist(name: str) -> None:
    linked = re.findall(r"\]\(([^)#:]+)\)", DOCUMENTS[name])
    coded = [
        code
        for code in typed(DOCUMENTS[name])
        if re.fullmatch(r"(?:dispatch|geo|realtime|web|tests|\.ci)(?:/[\w.-]+)*/?", code)
    ]
    assert [path for path in linked + coded if not (ROOT / path).exists()] == []


def test_help_lists_every_door() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    described = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    assert described == {
        "help",
        "up",
        "test",
        "lint",
        "screens",
        "bench",
        "chaos",
        "ui",
        "lock",
        "clean",
    }


def test_decisions_are_numbered_once() -> None:
    numbers = [path.name[:4] for path in (ROOT / "dispatch/decisions").glob("*.md")]
    assert all(number.isdigit() for number in numbers)
    assert len(numbers) == len(set(numbers))
