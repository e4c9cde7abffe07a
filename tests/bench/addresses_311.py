"""Real addresses of a city's 311 requests against its gazetteer: found, refused, and why.

    python -m tests.bench.addresses_311 baltimore requests.csv

One JSON line of figures, then one for each refusal of an address whose street the map has. An
address is resolvable when every street it names is on the map (the same words in any spelling of
avenue, north and the like); a refusal of another one is right: the extract shows corridors only.
"""

import argparse
import csv
import json
import re
from collections import Counter
from pathlib import Path

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
    refusals = []
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
        if right and there is not None:
            counts["with a true position"] += 1
            counts["within 300 m or its radius"] += (
                distance_m(found[0].point, there) <= NEAR_M + found[0].radius_m
            )
        if not (right and sure):
            reason = found[0].reason if found else "Nothing resembles it."
            why[reason] += 1
            best = found[0].label if found else None
            refusals.append({"address": address, "best": best, "why": reason})
    print(json.dumps({"bench": "addresses", "city": given.city, **counts}))
    for refusal in refusals:
        print(json.dumps({"bench": "addresses", "refused": refusal}))
    print(json.dumps({"bench": "addresses", "why": dict(why.most_common())}))


def _truth(row: dict[str, str]) -> Point | None:
    try:
        there = Point(float(row["Longitude"]), float(row["Latitude"]))
    except ValueError:
        return None
    return None if suspicion(there) else there


if __name__ == "__main__":
    main()
