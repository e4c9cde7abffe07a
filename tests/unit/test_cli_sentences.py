"""What cannot be done ends with one clear sentence and status 1; never with a traceback."""

from __future__ import annotations

import errno
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from geo.bundle import Extract, build_bundle
from tests.maps import grid
from web.cli import main, up

Typed = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one small city."""
    folder = tmp_path_factory.mktemp("data")
    extract = grid(6).write(folder / "kotak.osm")
    build_bundle("kotak", source=Extract(extract), root=folder / "cities", name="Kotak")
    return folder


@pytest.fixture
def typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Typed:
    """Type a command; returns its exit status and all it said."""
    monkeypatch.setenv("SIGAP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    def run(*words: str, **environment: str) -> tuple[int, str]:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["sigap", *words])
        try:
            main()
        except SystemExit as end:
            status = end.code
        else:
            status = 0
        said = capsys.readouterr()
        assert isinstance(status, int)
        return status, said.out + said.err

    return run


def one_sentence(outcome: tuple[int, str], *parts: str) -> None:
    status, said = outcome
    assert status == 1, said
    assert "Traceback" not in said
    [sentence] = [line for line in said.splitlines() if line.startswith("✗ ")]
    assert sentence.endswith((".", "up", "FILE`.", "--port")) or sentence[-1].isdigit(), sentence
    for part in parts:
        assert part in sentence, sentence


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_a_port_in_use(typed: Typed, taken_port: int) -> None:
    one_sentence(typed("up", "--port", str(taken_port)), f"Port {taken_port} is in use", "--port")


def test_several_workers_on_one_file(typed: Typed) -> None:
    said = typed("up", "--workers", "2")
    one_sentence(said, "2 workers need PostGIS", "SIGAP_DATABASE_URL=postgresql+psycopg://")


def test_a_bus_that_is_none(typed: Typed) -> None:
    one_sentence(typed("up", SIGAP_BUS="redis://x"), "SIGAP_BUS = 'redis://x'", "nats://host:4222")


def test_a_restore_of_a_city_that_is_not_there(typed: Typed) -> None:
    one_sentence(typed("city", "restored", "atlantis"), "There is no city “atlantis” here.")


def test_a_port_that_is_none(typed: Typed) -> None:
    one_sentence(typed("up", SIGAP_PORT="http"), "SIGAP_PORT = 'http'", "integer")
    one_sentence(typed("up", SIGAP_PORT="70000"), "SIGAP_PORT = '70000'", "65535")


def test_an_address_that_is_not_this_machines(typed: Typed) -> None:
    one_sentence(typed("up", "--host", "192.0.2.1", "--port", "0"), "Cannot listen on 192.0.2.1")


def test_a_data_folder_that_cannot_be_written(typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    one_sentence(
        typed("up", SIGAP_DATA_DIR=str(file / "data")), "cannot be written", "SIGAP_DATA_DIR"
    )


def test_a_disk_without_room(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "NEEDED_BYTES", 2**62)
    one_sentence(typed("up"), "MB are free", "Free some space")

    def full(folder: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(up, "check_disk", full)
    one_sentence(typed("up"), "The disk is full", "nothing was damaged")


def test_no_city_yet(typed: Typed) -> None:
    one_sentence(typed("up", "--port", "0"), "There is no city yet", "sigap up --demo")


@pytest.mark.parametrize(
    "words",
    [
        ("city", "check", "mana"),
        ("crew", "list", "mana"),
        ("staff", "add", "mana", "budi", "--role", "dispatcher"),
        ("up", "--demo", "--city", "mana", "--port", "0"),
    ],
)
def test_a_city_that_is_not_there(typed: Typed, words: tuple[str, ...]) -> None:
    one_sentence(typed(*words), "There is no city “mana” yet", "sigap city add mana")


def test_a_city_from_nowhere(typed: Typed, tmp_path: Path) -> None:
    one_sentence(typed("city", "add", "kota"), "--extract FILE or --place NAME")
    one_sentence(
        typed("city", "add", "kota", "--extract", "a.osm.pbf", "--place", "Kota"), "either"
    )
    absent = tmp_path / "absent.osm.pbf"
    one_sentence(typed("city", "add", "kota", "--extract", str(absent)), str(absent))


def stream(path: Path, *rows: str) -> Path:
    columns = "SRRecordID,SRType,MethodReceived,CreatedDate,Latitude,Longitude,Address"
    path.write_text("\n".join((columns, *rows)) + "\n")
    return path


GOOD = "1,SW-Dirty Alley,API,03/02/2026 08:00:00 AM,0.01,10.01,"


def test_a_replay_that_cannot_begin(typed: Typed, tmp_path: Path) -> None:
    absent, file = tmp_path / "absent.csv", stream(tmp_path / "good.csv", GOOD)
    one_sentence(typed("replay", str(absent)), f"{absent} cannot be read: No such file")
    one_sentence(typed("replay", str(tmp_path)), "cannot be read: Is a directory")
    one_sentence(typed("replay", str(file), "--fold", "year"), "--fold is one of: auto, week, none")
    one_sentence(typed("replay", str(file), "--city", "mana"), "There is no city “mana” yet")
    empty = stream(tmp_path / "empty.csv")
    one_sentence(typed("replay", str(empty)), "holds no requests")


def test_a_policy_that_cannot_be_used(typed: Typed, cities: Path, tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("[offers]\nexpires_s = 1\n")
    said = typed("crew", "list", "kotak", SIGAP_DATA_DIR=str(cities), SIGAP_POLICY=str(path))
    one_sentence(said, str(path), "[[service]]")


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("nonsense", "SIGAP_DATABASE_URL cannot be used"),
        ("mars+rover://x/y", "SIGAP_DATABASE_URL cannot be used"),
        ("postgresql+psycopg://x@127.0.0.1:1/y", "The database cannot be reached"),
    ],
)
def test_a_database_that_cannot_be_used(typed: Typed, cities: Path, url: str, part: str) -> None:
    status, said = typed(
        "crew", "list", "kotak", SIGAP_DATA_DIR=str(cities), SIGAP_DATABASE_URL=url
    )
    assert status == 1
    assert said.startswith(f"✗ {part}")
    assert "Traceback" not in said


def test_people_and_crews_are_added_and_refused(typed: Typed, cities: Path) -> None:
    here = {"SIGAP_DATA_DIR": str(cities)}
    status, said = typed("staff", "add", "kotak", "budi", "--role", "dispatcher", **here)
    assert (status, "budi may sign in as dispatcher; password: " in said) == (0, True)
    one_sentence(typed("staff", "add", "kotak", "budi", "--role", "boss", **here), "role")
    place = ("--lon", "10.005", "--lat", "0.005")
    agency = ("--agency", "bpbd")
    status, said = typed("crew", "add", "kotak", "Regu 1", *agency, *place, **here)
    assert (status, "Regu 1 can sign on" in said) == (0, True)
    one_sentence(
        typed("crew", "add", "kotak", "Regu 2", "--agency", "nasa", *place, **here), "nasa"
    )
    far = ("--lon", "106.8", "--lat", "-6.2")
    one_sentence(typed("crew", "add", "kotak", "Regu 2", *agency, *far, **here), "far outside")
    wrong = ("--lon", "10.005", "--lat", "100")
    one_sentence(typed("crew", "add", "kotak", "Regu 2", *agency, *wrong, **here), "100")
    status, said = typed("crew", "list", "kotak", **here)
    assert (status, "Regu 1" in said, "Regu 2" in said) == (0, True, False)


def test_cities_are_listed_and_checked(typed: Typed, cities: Path) -> None:
    here = {"SIGAP_DATA_DIR": str(cities)}
    status, said = typed("city", "list", **here)
    assert (status, "kotak" in said) == (0, True)
    status, said = typed("city", "check", "kotak", **here)
    assert (status, "every file is as it was made" in said) == (0, True)


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ((), ("up", "city", "staff", "crew", "replay", "bench")),
        (("up", "--help"), ("--demo", "--host", "--port", "--robots", "--seed")),
        (("city", "add", "--help"), ("--extract", "--place", "--wards", "--name")),
        (("replay", "--help"), ("--city", "--speed", "--fold", "--limit", "--crews")),
        (("staff", "add", "--help"), ("--role", "--agency")),
        (("crew", "add", "--help"), ("--agency", "--lon", "--lat", "--skills")),
        (("bench", "--help"), ("path", "match", "boot")),
    ],
)
def test_help_names_everything(
    typed: Typed, words: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    status, said = typed(*words, COLUMNS="200")
    assert status in (0, 2)
    for part in parts:
        assert part in said


def test_it_is_so_for_whoever_starts_it_from_a_shell(tmp_path: Path, taken_port: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "from web.cli import main; main()", "up", "--port", str(taken_port)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "SIGAP_DATA_DIR": str(tmp_path)},
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"✗ Port {taken_port} is in use")
    assert ended.stderr.count("\n") == 1


def test_a_city_is_refreshed_and_its_versions_are_kept(typed: Typed, tmp_path: Path) -> None:
    here = {"SIGAP_DATA_DIR": str(tmp_path), "COLUMNS": "200"}
    old, new = grid(3), grid(3)
    new.ways[1_001] = (new.ways[1_001][0], {"highway": "residential", "name": "Jalan Pahlawan"})
    first, second = old.write(tmp_path / "old.osm"), new.write(tmp_path / "new.osm")
    assert typed("city", "add", "kotak", "--extract", str(first), **here)[0] == 0
    status, said = typed("city", "refresh", "kotak", "--extract", str(second), **here)
    assert status == 0, said
    assert "streets renamed (1): Jalan 2 → Jalan Pahlawan (400 m)" in said
    assert "of memory" in said
    status, said = typed("city", "versions", "kotak", **here)
    before, now = re.findall(r"\d{8}T\d{6}Z-[0-9a-f]{6}", said)
    assert said.count("in use") == 1
    assert typed("city", "changes", "kotak", **here)[1].count("Jalan Pahlawan") == 1
    assert "Nothing is known" in typed("city", "changes", "kotak", before, **here)[1]
    one_sentence(typed("city", "changes", "kotak", "2020", **here), "no version “2020”", now)
    one_sentence(typed("city", "use", "kotak", "2020", **here), "sigap city versions kotak")
    assert typed("city", "use", "kotak", before, **here)[0] == 0
    assert typed("city", "prune", "kotak", "--keep", "1", **here)[0] == 0
    said = typed("city", "versions", "kotak", **here)[1]
    assert before in said
    assert now in said
    one_sentence(typed("city", "refresh", "kotak", **here), "--extract FILE or --place NAME")
    one_sentence(
        typed("city", "refresh", "mana", "--extract", str(first), **here), "sigap city add"
    )
