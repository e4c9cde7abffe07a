"""`sigap bench geocode`: how often described places are found, and absent ones refused."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import orjson
import typer
from rich.console import Console
from shapely.geometry.base import BaseGeometry

from geo.bundle import open_bundle
from geo.gazetteer import Gazetteer
from geo.gazetteer_streets import Plane
from geo.geocoding import ACCEPT
from geo.point import Point
from web.cli.city import folder
from web.cli.progress import Bars
from web.robots.place_questions import ABSENT, NOWHERE, UNSURE, Question, questions
from web.settings import Settings

HIT_M = 150.0
"""A crew sent this near to the place sees it."""

KEPT = 0.9
"""The share of the right first answers that a threshold must keep."""

GAZETTEER = "gazetteer.sqlite3"
console = Console(stderr=True, highlight=False)

Search = Callable[[str], Sequence[tuple[Point, float]]]
"""The places an engine proposes, best first, each with how sure it is (any scale)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine said to one question; `rank` of the first hit, None without one."""

    question: Question
    rank: int | None
    sure: float
    wall_ms: float
    cpu_ms: float

    @property
    def is_right(self) -> bool:
        return self.rank == 0


def geocode(
    city: Annotated[str, typer.Option(help="a city with a bundle")] = "jakarta",
    seed: Annotated[int, typer.Option(help="the first seed")] = 1,
    seeds: Annotated[int, typer.Option(min=1, help="how many seeds, one after the other")] = 1,
    count: Annotated[int, typer.Option(min=50, help="questions about places there")] = 400,
    nominatim: Annotated[
        str | None,
        typer.Option(help="a Nominatim database of the same extract: a SQLite file, or pgsql:…"),
    ] = None,
) -> None:
    """Places as people write them, absent places, nonsense; beside plain FTS5 and Nominatim."""
    gazetteer = open_bundle(folder(Settings()), city).path / GAZETTEER
    pooled: dict[str, list[list[Answer]]] = defaultdict(list)
    for n in range(seed, seed + seeds):
        with copied(gazetteer) as copy:
            asked = questions(copy, seed=n, count=count)
            for engine, search in engines(copy, nominatim):
                if isinstance(search, str):
                    say(
                        bench="geocode",
                        city=city,
                        seed=n,
                        engine=engine,
                        state="absent",
                        why=search,
                    )
                    continue
                answers = ask(search, asked, label=f"{engine}, seed {n}")
                pooled[engine].append(answers)
                for line in (*by_kind(answers), {"kind": "all", **figures(answers)}):
                    say(bench="geocode", city=city, seed=n, engine=engine, **line)
    if seeds > 1:
        for engine, runs in pooled.items():
            every = [answer for run in runs for answer in run]
            for line in (*by_kind(every), {"kind": "all", **figures(every)}):
                say(bench="geocode", city=city, seeds=seeds, engine=engine, **line)


def say(**figures: Any) -> None:
    """One result on standard output."""
    typer.echo(orjson.dumps(figures, option=orjson.OPT_SERIALIZE_NUMPY).decode())


@contextmanager
def copied(gazetteer: Path) -> Iterator[Path]:
    """A copy to take names out of, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="sigap-bench-") as room:
        copy = Path(room) / GAZETTEER
        shutil.copyfile(gazetteer, copy)
        yield copy


def engines(copy: Path, nominatim: str | None) -> Iterator[tuple[str, Search | str]]:
    """Every engine on the same names; a sentence instead where one is not installed."""
    gazetteer = Gazetteer.open(copy)
    try:
        yield "sigap", lambda text: [(c.point, c.confidence) for c in gazetteer.search(text)]
    finally:
        gazetteer.close()
    yield "fts5", plain_fts5(copy)
    yield "nominatim", nominatim_engine(nominatim)


def plain_fts5(copy: Path) -> Search:
    """SQLite's full-text search over the same names: any word, best bm25 first."""
    source = sqlite3.connect(copy)
    rows = source.execute(
        "select p.name, p.lon, p.lat from place p where p.kind in ('street', 'poi') order by p.id"
    ).fetchall()
    source.close()
    db = sqlite3.connect(":memory:")
    db.execute("create virtual table names using fts5(name, lon unindexed, lat unindexed)")
    db.executemany("insert into names values (?, ?, ?)", rows)

    def search(text: str) -> list[tuple[Point, float]]:
        words = ["".join(c for c in word if c.isalnum()) for word in text.split()]
        match = " OR ".join(f'"{word}"' for word in words if word)
        if not match:
            return []
        found = db.execute(
            "select lon, lat, bm25(names) from names where names match ? order by rank limit 5",
            (match,),
        )
        return [(Point(lon, lat), -rank) for lon, lat, rank in found]

    return search


def nominatim_engine(database: str | None) -> Search | str:
    """Nominatim within this process; a sentence where it or its database is absent."""
    if find_spec("nominatim_api") is None:
        return "The package nominatim-api is not installed."
    if database is None:
        return "Give its database with --nominatim FILE, or pgsql:dbname=NAME."
    # A SQLite file needs a Python that loads extensions (SpatiaLite); PostgreSQL needs nothing.
    dsn = database if database.startswith("pgsql:") else f"sqlite:dbname={database}"
    settings = {"NOMINATIM_DATABASE_DSN": dsn}
    # Sigap does not ask for the package: it is measured where somebody has it.
    api: Any = import_module("nominatim_api").NominatimAPI(environ=settings)

    def search(text: str) -> list[tuple[Point, float]]:
        found = api.search(text, max_results=5)
        return [(Point(r.centroid.x, r.centroid.y), r.calculated_importance()) for r in found]

    return search


def ask(search: Search, asked: Sequence[Question], *, label: str) -> list[Answer]:
    """Ask one after the other; the first answer warms the engine up and is asked again."""
    if asked:
        search(asked[0].text)
    answers = []
    with Bars(console) as bars:
        bars.stage(f"Asking {label}", len(asked))
        for question in asked:
            wall, cpu = time.perf_counter(), time.thread_time()
            found = search(question.text)
            spent = 1e3 * (time.perf_counter() - wall), 1e3 * (time.thread_time() - cpu)
            hits = (n for n, (p, _) in enumerate(found) if is_hit(p, question.truth))
            answers.append(
                Answer(question, next(hits, None), found[0][1] if found else 0.0, *spent)
            )
            bars.advance(1)
    return answers


def is_hit(p: Point, truth: BaseGeometry | None, *, within_m: float = HIT_M) -> bool:
    """Would a crew sent there stand within that many metres of the place?"""
    if truth is None:
        return False
    plane = Plane(p.lat)
    return bool(plane.flat([truth])[0].distance(plane.point(p)) <= within_m)


def by_kind(answers: Sequence[Answer]) -> Iterator[dict[str, Any]]:
    """One line for each kind of question."""
    kept = threshold(answers)
    for kind in dict.fromkeys(answer.question.kind for answer in answers):
        mine = [answer for answer in answers if answer.question.kind == kind]
        if mine[0].question.is_present:
            yield {"kind": kind, "n": len(mine), **found(mine)}
        else:
            yield {"kind": kind, "n": len(mine), **refused(mine, kept)}


def figures(answers: Sequence[Answer]) -> dict[str, Any]:
    """All questions together: found, refused, and how long it took."""
    present = [a for a in answers if a.question.is_present]
    nowhere = [a for a in answers if a.question.kind in NOWHERE]
    unsure = [a for a in answers if a.question.kind in UNSURE]
    absent = [a for a in answers if a.question.kind in ABSENT]
    kept = threshold(answers)
    right = [a for a in present if a.is_right]
    wall, cpu = [a.wall_ms for a in answers], [a.cpu_ms for a in answers]
    return {
        "n": len(present),
        **found(present),
        "n_absent": len(absent),
        "threshold": round(kept, 3),
        **refused(absent, kept),
        "nowhere_accepted": refused(nowhere, kept)["accepted_keeping_90"],
        "unsure_accepted": refused(unsure, kept)["accepted_keeping_90"],
        "product_threshold": ACCEPT,
        "right_kept_by_product": share([a.sure >= ACCEPT for a in right]),
        "p50_ms": round(float(np.quantile(wall, 0.5)), 1),
        "p95_ms": round(float(np.quantile(wall, 0.95)), 1),
        "cpu_p95_ms": round(float(np.quantile(cpu, 0.95)), 1),
    }


def found(present: Sequence[Answer]) -> dict[str, float]:
    return {
        "hit_at_1": share([a.is_right for a in present]),
        "hit_at_5": share([a.rank is not None for a in present]),
    }


def refused(absent: Sequence[Answer], kept: float) -> dict[str, float]:
    """Shares of absent places for which an answer was accepted, however near it may be."""
    return {
        "accepted_keeping_90": share([a.sure >= kept for a in absent]),
        "accepted_by_product": share([a.sure >= ACCEPT for a in absent]),
    }


def threshold(answers: Sequence[Answer]) -> float:
    """The highest confidence that keeps KEPT of the right first answers."""
    right = sorted((a.sure for a in answers if a.is_right and a.question.is_present), reverse=True)
    return right[max(0, int(np.ceil(KEPT * len(right))) - 1)] if right else 1.0


def share(values: Sequence[bool]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0
