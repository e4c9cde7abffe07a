"""`sigap eta report`: were the times of arrival true?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from dispatch.core.errors import NotFound
from dispatch.core.foretold import Told, Truth, told_in, truth_of
from dispatch.storage import journal, migrations, trips
from dispatch.storage.cities import cities
from dispatch.storage.trips import Learned
from geo.sql import open_engine, reading
from web.cli.stop import Stop
from web.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Times of arrival: how true they are.")
console = Console(highlight=False)

STEPS_KM = (1.0, 2.0, 4.0, 8.0)


@app.callback()
def _eta() -> None:
    """Keeps `report` a word of its own."""


@app.command()
def report(
    city: Annotated[str, typer.Argument(help="the city, as in `sigap city list`")],
    from_: Annotated[datetime | None, typer.Option("--from", help="asked at or after, UTC")] = None,
    to: Annotated[datetime | None, typer.Option(help="asked before, UTC")] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON lines on standard output")] = False,
    every: Annotated[bool, typer.Option(help="also arrivals that only a button tells of")] = False,
) -> None:
    """What crews' offers said beside what it took, from the log: by hour and by distance.

    The error is of what was told when the crew was asked, turnout included.
    """
    if from_ and to and _utc(from_) >= _utc(to):
        raise Stop("--from must be before --to.")
    engine = open_engine(Settings().database)
    try:
        with reading(engine) as connection:
            _check(connection, city)
            since = _utc(from_) if from_ else None
            events = journal.events(connection, city, kinds=["assignment"], since=since)
            found = [each for each in told_in(events) if to is None or each.asked_at < _utc(to)]
            lengths = trips.lengths(connection, city)
            lon = trips.longitude(connection, city)
            learned = trips.in_use(connection, city)
    finally:
        engine.dispose()
    told = [each for each in found if every or each.vouched]
    rows = list(_rows(told, lengths, lon))
    if json:
        _print_lines(city, rows, learned, pressed=len(found) - len(told))
        return
    _print_table(city, rows, learned, pressed=len(found) - len(told))


def _check(connection: Connection, city: str) -> None:
    if migrations.current(connection) != migrations.newest():
        raise Stop(
            "This database is empty or of another version of Sigap. "
            "Start `sigap up` of this version once, then ask again."
        )
    known = [row.city_id for row in cities(connection)]
    if city not in known:
        there = ", ".join(known) or "none"
        raise NotFound(f"There is no city “{city}” in this database; there is: {there}.")


Row = tuple[str, str, Truth]


def _rows(told: Sequence[Told], lengths: Mapping[UUID, float], lon: float) -> Iterator[Row]:
    """(by, part, figures): everything, then by hour, then by distance."""
    parts: dict[tuple[str, str], list[Told]] = {}
    for each in told:
        parts.setdefault(("all", "all"), []).append(each)
    for each in sorted(told, key=lambda each: _hour(each, lon)):
        parts.setdefault(("hour", _hour(each, lon)), []).append(each)
    for each in sorted(told, key=lambda each: lengths.get(each.assignment_id, 1e9)):
        step = _distance(lengths.get(each.assignment_id))
        parts.setdefault(("distance", step), []).append(each)
    for (by, part), some in parts.items():
        truth = truth_of(some)
        if truth is not None:
            yield by, part, truth


def _hour(told: Told, lon: float) -> str:
    local = told.asked_at + timedelta(hours=round(lon / 15.0))
    return f"{local.hour:02d}:00"


def _distance(length_m: float | None) -> str:
    if length_m is None:
        return "unknown"
    km = length_m / 1000.0
    lower = max((step for step in STEPS_KM if km >= step), default=0.0)
    upper = next((step for step in STEPS_KM if km < step), None)
    return f"{lower:.0f}–{upper:.0f} km" if upper else f"{lower:.0f} km and more"


def _print_lines(city: str, rows: Sequence[Row], learned: Learned | None, *, pressed: int) -> None:
    head = {"city": city, "left_out_button_only": pressed, **_learned(learned)}
    typer.echo(orjson.dumps(head).decode())
    for by, part, truth in rows:
        typer.echo(orjson.dumps({"city": city, "by": by, "part": part, **asdict(truth)}).decode())


def _learned(learned: Learned | None) -> dict[str, Any]:
    if learned is None:
        return {"calibration": "eta-0", "stage": 0, "trips": 0}
    return {
        "calibration": f"eta-{learned.number}",
        "stage": learned.document.get("stage"),
        "trips": learned.trips,
        "made_at": learned.made_at.astimezone(UTC).isoformat(),
    }


def _print_table(city: str, rows: Sequence[Row], learned: Learned | None, *, pressed: int) -> None:
    now = _learned(learned)
    console.print(
        f"{city}: told by {now['calibration']} now (stage {now['stage']}, {now['trips']} trips)."
    )
    if pressed:
        console.print(f"{pressed} arrivals that only a button tells of are left out (--every).")
    if not rows:
        console.print("No arrival was foretold in this time.")
        return
    table = Table("", *(["n", "MAE", "bias", "pinball50", "pinball90", "≤p50", "≤p90", "took"]))
    for column in table.columns[1:]:
        column.justify = "right"
    last = "all"
    for by, part, truth in rows:
        if by != last:
            table.add_section()
            last = by
        table.add_row(part, *_cells(truth))
    console.print(table)
    console.print(
        "Minutes from asked to arrived; bias above 0: later than told. ≤p50 should be near 50 %, "
        "≤p90 near 90 %. Hours by the sun's clock.",
        style="dim",
    )


def _cells(truth: Truth) -> tuple[str, ...]:
    return (
        str(truth.n),
        f"{truth.mae_s / 60:.2f}",
        f"{truth.bias_s / 60:+.2f}",
        f"{truth.pinball_p50_s / 60:.2f}",
        f"{truth.pinball_p90_s / 60:.2f}",
        f"{100 * truth.within_p50:.1f} %",
        f"{100 * truth.within_p90:.1f} %",
        f"{truth.mean_took_s / 60:.1f}",
    )


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
