"""How often the gazetteer finds what people describe badly, and refuses what is absent.

    python -m tests.bench.geo_bench jakarta/gazetteer.sqlite3 [--seed 7] [--count 320]

Prints one JSON line. Queries are made from the gazetteer's own names by the habits of Indonesian
messages: typos, short forms, Roman numerals, RT/RW, "in front of", ward names, crossings. Absent
places are names taken out of a copy of the gazetteer before asking for them.
"""

import argparse
import json
import random
import re
import shutil
import sqlite3
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from geo.gazetteer import Gazetteer
from geo.gazetteer_streets import Plane
from geo.gazetteer_text import key
from geo.geocoding import ACCEPT, Candidate

HIT_M = 150.0
ABSENT_SHARE = 0.12

_SHORT = {
    "timur": "tmr",
    "barat": "brt",
    "utara": "utr",
    "selatan": "sel",
    "raya": "ry",
    "taman": "tmn",
    "kampung": "kp",
    "pasar": "psr",
    "gedung": "gd",
    "sekolah": "sklh",
    "masjid": "msjd",
    "kantor": "ktr",
    "besar": "bsr",
    "tengah": "tgh",
}
_ROMAN = {"1": "I", "2": "II", "3": "III", "4": "IV", "5": "V", "6": "VI", "7": "VII", "8": "VIII"}
_CUES = ("depan", "dpn", "sebelah", "sblh", "dekat", "dkt", "belakang", "blkg", "seberang")
_CROSSINGS = (
    "perempatan {a} - {b}",
    "pertigaan {a} dgn {b}",
    "simpang {a} dan {b}",
    "pojok {a} / {b}",
    "perempatan {a} & {b}",
    "{a} pertigaan {b}",
)


@dataclass(frozen=True, slots=True)
class Known:
    """A place of the gazetteer with its shape and the ward it lies in."""

    id: int
    kind: str
    name: str
    shape: BaseGeometry
    ward: str | None
    district: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, what it is about, and the right answer (None: the place is absent)."""

    category: str
    text: str
    truth: BaseGeometry
    is_absent: bool = False


def geo_bench(gazetteer: Path, *, seed: int = 7, count: int = 320) -> dict[str, Any]:
    """Shares of right first answers (within HIT_M), of accepted absent places, and the times."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "gazetteer.sqlite3"
        shutil.copyfile(gazetteer, copy)
        asked = questions(copy, seed=seed, count=count)
        return _measure(Gazetteer.open(copy), asked)


def questions(copy: Path, *, seed: int, count: int) -> list[Asked]:
    """About `count` questions, and a third as many about places taken out of `copy`."""
    rng = random.Random(seed)
    db = sqlite3.connect(copy)
    try:
        known = _known(db)
        names = Counter(key(k.name.lower().split()) for k in known)
        unique = [k for k in known if names[key(k.name.lower().split())] == 1 and len(k.name) > 4]
        out = rng.sample(unique, round(ABSENT_SHARE * len(unique)))
        absent = _about(rng, rng.sample(out, min(len(out), count // 3)), "absent", is_absent=True)
        _take_out(db, out)
        gone = {k.id for k in out}
        here = [k for k in known if k.id not in gone]
        present = _present(rng, db, here, [k for k in unique if k.id not in gone], count)
        db.commit()
    finally:
        db.close()
    return present + absent


def _known(db: sqlite3.Connection) -> list[Known]:
    homes: dict[int, tuple[str | None, str | None]] = {}
    for place, ward, district in db.execute(
        "select place_id, ward, district from lies_in order by share"
    ):
        homes[place] = (ward, district)
    return [
        Known(
            place,
            kind,
            name,
            shapely.from_wkb(shape) if shape else shapely.Point(lon, lat),
            *homes.get(place, (None, None)),
        )
        for place, kind, name, lon, lat, shape in db.execute(
            "select id, kind, name, lon, lat, shape from place where kind in ('street', 'poi')"
        )
    ]


def _take_out(db: sqlite3.Connection, out: Sequence[Known]) -> None:
    for known in out:
        rows = db.execute("select id, words from name where place_id = ?", (known.id,)).fetchall()
        for name_id, spelled in rows:
            db.execute(
                "insert into name_search(name_search, rowid, words) values ('delete', ?, ?)",
                (name_id, key(spelled.split())),
            )
            db.execute("delete from name where id = ?", (name_id,))
            for word in set(spelled.split()):
                db.execute("update word set names = names - 1 where word = ?", (word,))
        db.execute("delete from crossing where a = ? or b = ?", (known.id, known.id))
        db.execute("delete from place where id = ?", (known.id,))


def _present(
    rng: random.Random,
    db: sqlite3.Connection,
    here: Sequence[Known],
    unique: Sequence[Known],
    count: int,
) -> list[Asked]:
    by_name: dict[str, list[Known]] = defaultdict(list)
    for known in here:
        by_name[known.name].append(known)
    streets = [k for k in unique if k.kind == "street"]
    pois = [k for k in unique if k.kind == "poi"]
    alike = [k for k in here if k.kind == "street" and k.ward and 1 < len(by_name[k.name]) <= 12]
    plan: list[tuple[str, Sequence[Known], float]] = [
        ("street_clean", streets, 50 / 320),
        ("street_messy", streets, 70 / 320),
        ("street_ambiguous_with_ward", alike, 50 / 320),
        ("poi_clean", pois, 30 / 320),
        ("poi_colloquial", pois, 60 / 320),
    ]
    asked = []
    for category, source, share in plan:
        asked += _about(rng, _some(rng, source, round(share * count)), category)
    ids = {k.id: k for k in here if k.kind == "street" and len(by_name[k.name]) <= 3}
    rows = db.execute("select a, b, lon, lat from crossing order by a, b").fetchall()
    corners = [(ids[a], ids[b], lon, lat) for a, b, lon, lat in rows if a in ids and b in ids]
    for a, b, lon, lat in _some(rng, corners, round(60 / 320 * count)):
        pair = (a, b) if rng.random() < 0.5 else (b, a)
        sides = [_messy(rng, _titled(rng, street.name)) for street in pair]
        text = rng.choice(_CROSSINGS).format(a=sides[0], b=sides[1])
        asked.append(Asked("crossing", _clean(text), shapely.Point(lon, lat)))
    return asked


def _about(
    rng: random.Random, known: Sequence[Known], category: str, *, is_absent: bool = False
) -> list[Asked]:
    write: dict[str, Callable[[random.Random, Known], str]] = {
        "street_clean": lambda _, k: k.name,
        "street_messy": _street_messy,
        "street_ambiguous_with_ward": _with_ward,
        "poi_clean": lambda _, k: k.name,
        "poi_colloquial": _poi_messy,
    }
    asked = []
    for k in known:
        kind = category
        if is_absent:
            of_kind = [name for name in write if name.startswith(k.kind)]
            kind = rng.choice([name for name in of_kind if name != "street_ambiguous_with_ward"])
        asked.append(Asked(category, _clean(write[kind](rng, k)), k.shape, is_absent))
    return asked


def _street_messy(rng: random.Random, k: Known) -> str:
    unit = rng.choice(
        [
            "",
            f" RT {rng.randint(1, 15):02d} RW {rng.randint(1, 12):02d}",
            f" no {rng.randint(1, 150)}",
        ]
    )
    name = _messy(rng, _titled(rng, _roman(rng, k.name)))
    return name + unit + (_area(rng, k) if rng.random() < 0.7 else "")


def _with_ward(rng: random.Random, k: Known) -> str:
    forms = [f", {k.ward}", f" kel {k.ward}"]
    if k.district:
        forms += [f" {k.ward} {k.district}", f" kec. {k.district}"]
    return _messy(rng, _titled(rng, k.name)) + rng.choice(forms)


def _poi_messy(rng: random.Random, k: Known) -> str:
    return f"{rng.choice(_CUES)} {_messy(rng, k.name)}{_area(rng, k) if rng.random() < 0.6 else ''}"


def _area(rng: random.Random, k: Known) -> str:
    if not k.ward:
        return ""
    forms = ["", f", {k.ward}", f" kel. {k.ward}", f" {k.ward}"]
    if k.district:
        forms += [f", Kec. {k.district}", f" {k.ward} {k.district}"]
    return rng.choice(forms)


def _titled(rng: random.Random, name: str) -> str:
    if re.match(r"(gg|gang|jl)\b", name.lower()):
        return name
    bare = re.sub(r"^jalan\s+", "", name, flags=re.IGNORECASE)
    if bare == name:
        return name
    return rng.choice(["Jl. ", "Jln ", "jl ", "Jalan ", "JL.", ""]) + bare


def _roman(rng: random.Random, name: str) -> str:
    return " ".join(_ROMAN.get(w, w) if rng.random() < 0.4 else w for w in name.split())


def _messy(rng: random.Random, name: str) -> str:
    text = _typo(rng, name) if rng.random() < 0.45 else name
    if rng.random() < 0.35:
        text = " ".join(
            _SHORT.get(word.lower(), word) if rng.random() < 0.6 else word for word in text.split()
        )
    if rng.random() < 0.5:
        return text.lower()
    return text.upper() if rng.random() < 0.15 else text


def _typo(rng: random.Random, text: str) -> str:
    if len(text) < 6:
        return text
    i, kind = rng.randrange(1, len(text) - 2), rng.random()
    if not text[i].isalpha():
        return text
    if kind < 0.35:
        return text[:i] + text[i + 1 :]
    if kind < 0.65:
        return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    if kind < 0.85:
        return text[:i] + text[i] + text[i:]
    return text[:i] + rng.choice("aiueo") + text[i + 1 :]


def _clean(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip(" ,")


def _some(rng: random.Random, source: Sequence[Any], n: int) -> list[Any]:
    return rng.sample(list(source), min(n, len(source)))


def is_hit(candidate: Candidate, truth: BaseGeometry) -> bool:
    """Would a crew sent there stand within HIT_M of the place?"""
    plane = Plane(candidate.point.lat)
    return bool(plane.flat([truth])[0].distance(plane.point(candidate.point)) <= HIT_M)


def _measure(gazetteer: Gazetteer, asked: Sequence[Asked]) -> dict[str, Any]:
    first: dict[str, list[bool]] = defaultdict(list)
    fifth: list[bool] = []
    times: list[float] = []
    true_sure: list[float] = []
    false_sure: list[float] = []
    for a in asked:
        begin = time.perf_counter()
        candidates = gazetteer.search(a.text)
        times.append((time.perf_counter() - begin) * 1000)
        hit = bool(candidates) and is_hit(candidates[0], a.truth)
        if a.is_absent:
            false_sure.append(candidates[0].confidence if candidates and not hit else 0.0)
            continue
        first[a.category].append(hit)
        fifth.append(any(is_hit(c, a.truth) for c in candidates))
        true_sure.append(candidates[0].confidence if hit else 0.0)
    every = [hit for hits in first.values() for hit in hits]
    times.sort()
    right = sorted(sure for sure in true_sure if sure)
    keeping_95 = right[round(0.042 * len(right))]
    return {
        "bench": "geo",
        "asked": len(every),
        "absent": len(false_sure),
        "hit_at_1": round(sum(every) / len(every), 3),
        "hit_at_5": round(sum(fifth) / len(fifth), 3),
        "by_category": {c: round(sum(h) / len(h), 3) for c, h in first.items()},
        "accept": ACCEPT,
        "true_accepted": _share(true_sure, ACCEPT),
        "absent_accepted": _share(false_sure, ACCEPT),
        "absent_accepted_keeping_95_8": _share(false_sure, keeping_95),
        "search_ms_p50": round(times[len(times) // 2], 1),
        "search_ms_p95": round(times[round(0.95 * len(times))], 1),
    }


def _share(values: Sequence[float], at_least: float) -> float:
    return round(sum(value >= at_least for value in values) / len(values), 3) if values else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gazetteer", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--count", type=int, default=320)
    given = parser.parse_args()
    print(json.dumps(geo_bench(given.gazetteer, seed=given.seed, count=given.count)))


if __name__ == "__main__":
    main()
