"""A published stream of requests goes through the public door, and its figures come out."""

from __future__ import annotations

import contextlib
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from geo.bundle import Extract, build_bundle
from tests.maps import grid, metres
from web.cli import main
from web.robots.stream311 import BadStream, Request311, folded, read_stream, service_of

COLUMNS = (
    "SRRecordID,SRType,MethodReceived,CreatedDate,CloseDate,SRStatus,Address,Latitude,Longitude"
)


def row(
    number: int,
    *,
    east: float | None = 300.0,
    north: float = 300.0,
    type_: str = "SW-Dirty Alley",
    how: str = "API",
    address: str = "",
    minute: int = 0,
) -> str:
    lon = lat = ""
    if east is not None:
        place = metres(east, north)
        lon, lat = str(place.lon), str(place.lat)
    return f"{number},{type_},{how},03/02/2026 08:{minute:02d}:00 AM,,New,{address},{lat},{lon}"


def stream(path: Path, *rows: str, columns: str = COLUMNS) -> Path:
    path.write_text("\n".join((columns, *rows)) + "\n", encoding="utf-8")
    return path


def test_a_file_is_read_by_time_with_its_types_channels_and_places(tmp_path: Path) -> None:
    path = stream(
        tmp_path / "311.csv",
        row(2, minute=5, type_="TRM-StLight Out", how="Phone"),
        row(1, minute=1, east=None, address="Jalan 1"),
        row(3, minute=9, type_="ECC-Vehicle Look Up", how="Fax"),
        "4,X,Web,03/02/2026 08:30:00 PM,03/03/2026 01:00:00 AM,Closed (Duplicate),,nan,inf",
        "5,Tree Fallen,Web,03/02/2026 08:31:00 PM",
        "6,Leak,Email,03/02/2026 08:32:00 PM,,,,1,2,too,many",
    )
    first, second, third, fourth, fifth, sixth = read_stream(path)
    assert (first.number, first.lon, first.lat, first.address) == ("1", None, None, "Jalan 1")
    assert second.at == datetime(2026, 3, 2, 8, 5, tzinfo=UTC)
    assert (second.service_code, second.channel) == ("street_light", "call_112")
    assert (third.service_code, third.channel) == ("illegal_parking", "counter")
    assert (fourth.duplicate, fourth.lon, fourth.lat) == (True, None, None)
    assert fourth.closed_at == datetime(2026, 3, 3, 1, 0, tzinfo=UTC)
    assert (fifth.service_code, fifth.lon, fifth.address) == ("fallen_tree", None, "")
    assert (sixth.service_code, sixth.lat, sixth.lon) == ("water_leak", 1.0, 2.0)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "has no column CreatedDate"),
        (b"a,b\n1,2\n", "has no column CreatedDate, Latitude"),
        (COLUMNS.encode(), "holds no requests"),
        (COLUMNS.encode() + b"\n1,X,Web,yesterday,,,,,\n", "line 2: CreatedDate .yesterday. is"),
        (COLUMNS.encode() + b"\n1,X,Web\n", "line 2: CreatedDate .. is no time"),
        (b"\xff\xfe\x00", "is not a CSV file in UTF-8"),
        (COLUMNS.encode() + b'\n1,"' + b"x" * 200_000, "is not a CSV file"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "311.csv"
    path.write_bytes(content)
    with pytest.raises(BadStream, match=says):
        read_stream(path)


def test_types_nobody_knows_are_kept_as_something_else() -> None:
    assert service_of("HCD-Cleaning") == "other"
    assert service_of("SW-Dirty Street") == "waste"


def request(number: int, at: datetime) -> Request311:
    return Request311(str(number), at, "X", "other", "web", "", None, None, None, False)


def test_years_laid_on_one_week_keep_weekday_and_hour() -> None:
    moments = [
        datetime(2019, 5, 7, 9, 30, tzinfo=UTC),
        datetime(2021, 11, 21, 23, 59, tzinfo=UTC),
        datetime(2020, 2, 29, 0, 0, tzinfo=UTC),
    ]
    laid = folded([request(n, at) for n, at in enumerate(moments)], "week")
    assert sorted((one.at.weekday(), one.at.hour, one.at.minute) for one in laid) == sorted(
        (at.weekday(), at.hour, at.minute) for at in moments
    )
    assert max(one.at for one in laid) - min(one.at for one in laid) < timedelta(days=7)
    assert [one.at for one in laid] == sorted(one.at for one in laid)
    assert folded(laid, "none") == laid


@pytest.mark.slow
def test_a_replay_counts_what_the_door_said_and_ends_with_its_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    extract = grid(6).write(tmp_path / "kotak.osm")
    build_bundle("kotak", source=Extract(extract), root=tmp_path / "cities", name="Kotak")
    good = [
        row(n, east=100.0 * n, minute=n, how=("API", "Phone", "Web")[n % 3]) for n in range(1, 6)
    ]
    bad = [
        "20,SW-Dirty Alley,API,03/02/2026 08:07:00 AM,,New,,1,11",
        "21,SW-Dirty Alley,API,03/02/2026 08:08:00 AM,,New,,0,0",
        row(22, east=90_000.0, minute=9),
    ]
    typed = row(30, east=None, address="rumah pak lurah", minute=10)
    path = stream(tmp_path / "311.csv", *good, *bad, typed)
    monkeypatch.setenv("SIGAP_DATA_DIR", str(tmp_path))
    words = ["replay", str(path), "--city", "kotak", "--speed", "600", "--crews", "6"]
    monkeypatch.setattr(sys, "argv", ["sigap", *words, "--work-min", "5"])
    with contextlib.suppress(SystemExit):
        main()
    said = capfd.readouterr()
    assert "✗" not in said.err, said.err
    assert "9 requests from 2026-03-02 08:01 to 2026-03-02 08:10" in said.out
    assert "Accepted 6 reports." in said.out, said.out
    assert "Refused 1 (whole_degree): The position has whole degrees only" in said.out
    assert "Refused 1 (zero): The position is 0, 0" in said.out
    assert "Refused 1 (out_of_area): This place is outside the city" in said.out
    assert "total_response" in said.out
    assert "waste" in said.out
    assert len(list((tmp_path / "replays").glob("kotak-*.sqlite3"))) == 1
    [total] = [line for line in said.out.splitlines() if "total_response" in line]
    # five with a place are verified and driven to; the one without waits for its pin
    assert [part.strip() for part in total.split("│")[2:4]] == ["5", "0"], said.out
