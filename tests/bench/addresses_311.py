"""Real addresses of a city's 311 requests against its gazetteer: found, refused, and why.

    python -m tests.bench.addresses_311 baltimore requests.csv

One JSON line of figures, then one for each address that was refused or put elsewhere although the
map has its street, and how often which reason. An address is resolvable when every street it names
is on the map (the same words in any spelling of avenue, north and the like); a refusal of another
one is right: the extract shows corridors only.
"""

import argparse
import csv
import json
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import shapely
from shapely.geometry.base import BaseGeometry

from geo.bundle import open_bundle
from geo.gazetteer import Gazetteer
from geo.gazetteer_text import key, words
from geo.geocoding import ACCEPT, Candidate
from geo.point import Point, distance_m, suspicion
from web.cli.bench_geocode import GAZETTEER
from web.cli.city import folder
from web.settings import Settings

NEAR_M = 300.0


def streets_of(address: str) -> list[str]:
    """The street names of an address or a crossing, each as the gazetteer spells names."""
    head = address.split(",", maxsplit=1)[0]
    named = re.split(r"\s+&\s+|\s+AND\s+", head, flags=re.IGNORECASE)
    bare = [re.sub(r"^\d+\s+", "", part.strip()) for part in named]
    return [key(words(part)) for part in bare if part]


def fits(found: Candidate, streets: list[str]) -> bool:
    """Does the answer name every street that was asked for?"""
    parts = [re.sub(r"^\d+\w?\s+", "", part) for part in found.label.split(",")[0].split(" / ")]
    return {key(words(part)) for part in parts} >= set(streets)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("city")
    parser.add_argument("file", type=Path)
    parser.add_argument("--most", type=int, default=10_000, help="addresses, evenly chosen")
    given = parser.parse_args()
    path = open_bundle(folder(Settings()), given.city).path / GAZETTEER
    gazetteer = Gazetteer.open(path)
    names = {key(spelled) for spelled in gazetteer.spelled_streets()}
    with given.file.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["Address"]: row for row in csv.DictReader(file) if row["Address"].strip()}
    counts: Counter[str] = Counter()
    why: Counter[str] = Counter()
    told = []
    lines = street_lines(path)
    chosen = sorted(rows.items())[:: max(1, len(rows) // given.most)]
    for address, row in chosen:
        streets = streets_of(address)
        resolvable = bool(streets) and all(street in names for street in streets)
        found = gazetteer.search(address, language="en")
        sure = bool(found) and found[0].confidence >= ACCEPT
        counts["asked"] += 1
        if not resolvable:
            counts["not on the map"] += 1
            counts["not on the map, accepted"] += sure
            continue
        counts["resolvable"] += 1
        right = bool(found) and fits(found[0], streets)
        counts["street found"] += right
        counts["street found and accepted"] += right and sure
        counts["other street accepted"] += sure and not right
        there = _truth(row)
        counts["without a true position"] += there is None
        missed = explained(found, streets, there, lines) if there is not None else None
        if right and there is not None:
            counts["with a true position"] += 1
            counts["within 300 m or its radius"] += missed is None
            counts["within 300 m"] += distance_m(found[0].point, there) <= NEAR_M
            counts["accepted, within 300 m or its radius"] += sure and missed is None
        if missed or not (right and sure):
            reason = missed or f"Refused: {found[0].reason if found else 'nothing resembles it.'}"
            why[reason] += 1
            best = found[0].label if found else None
            told.append({"address": address, "best": best, "accepted": sure, "why": reason})
    print(json.dumps({"bench": "addresses", "city": given.city, **counts}))
    for each in told:
        print(json.dumps({"bench": "addresses", "told": each}))
    print(json.dumps({"bench": "addresses", "why": dict(why.most_common())}))


def street_lines(path: Path) -> dict[str, list[BaseGeometry]]:
    """The lines of every street in the gazetteer, by its name as one word."""
    lines: dict[str, list[BaseGeometry]] = defaultdict(list)
    rows = sqlite3.connect(path).execute(
        "select n.words, p.shape from name n join place p on p.id = n.place_id "
        "where p.kind = 'street'"
    )
    for spelled, shape in rows:
        lines[key(spelled.split())].append(shapely.from_wkb(shape))
    return lines


def explained(
    found: Sequence[Candidate],
    streets: Sequence[str],
    there: Point,
    lines: Mapping[str, Sequence[BaseGeometry]],
) -> str | None:
    """Why the answer lies elsewhere than the request, None where it does not."""
    if not found or not fits(found[0], list(streets)):
        return "Another street, or none."
    off = distance_m(found[0].point, there)
    if off <= NEAR_M + found[0].radius_m:
        return None
    if any(min(_gap_m(line, there) for line in lines[street]) > NEAR_M for street in streets):
        return "The extract does not have this part of the street: the request lies off all of it."
    if "not on the map" in found[0].reason and len(streets) == 1:
        if "part of the street" in found[0].reason:
            return "Its number lies beyond the part of this street that was taken."
        return "No mapped number tells where this one is; the middle of a piece was taken."
    return "A number was found, but elsewhere."


def _gap_m(line: BaseGeometry, p: Point) -> float:
    foot = shapely.shortest_line(line, shapely.Point(p.lon, p.lat)).coords[0]
    return distance_m(p, Point(*foot[:2]))


def _truth(row: dict[str, str]) -> Point | None:
    try:
        there = Point(float(row["Longitude"]), float(row["Latitude"]))
    except ValueError:
        return None
    return None if suspicion(there) else there


if __name__ == "__main__":
    main()
