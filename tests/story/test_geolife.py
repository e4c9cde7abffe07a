"""Real GPS trajectories, with their gaps and jumps, through the door of Traccar Client.

There is no road extract of Beijing: the city is a plain with a grid of streets laid over it every
250 m, so the matched share says that matching works on real tracks, not how well it fits Beijing.
"""

from __future__ import annotations

import csv
import math
import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from dispatch import actions
from dispatch.core import events as ev
from dispatch.storage import fixes
from geo.osm_import import import_extract
from geo.point import METRES_PER_DEGREE, Box
from geo.roadgraph import RoadGraph
from tests.story.small_city import Stand, stand

pytestmark = [pytest.mark.needs("data"), pytest.mark.slow]
BATCH = 100
BOX = Box(116.25, 39.82, 116.65, 40.12)


def trajectories() -> dict[str, list[dict[str, str]]]:
    path = Path(os.environ["SIGAP_DATA"]) / "replay" / "geolife_beijing.csv"
    found: dict[str, list[dict[str, str]]] = {}
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter=";"):
            found.setdefault(row["trajectory_id"], []).append(row)
    return found


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("geolife")) as running:
        system = running.system
        folder = tmp_path_factory.mktemp("grid")
        roads = RoadGraph(import_extract(grid(folder / "grid.osm")))
        system._cities["kota"] = replace(system.city("kota"), box=BOX, roads=roads)
        yield running


def grid(path: Path, *, spacing_m: float = 250.0) -> Path:
    """Streets from edge to edge of the box, as OSM XML."""
    high = spacing_m / METRES_PER_DEGREE
    wide = high / math.cos(math.radians(BOX.center.lat))
    columns = int((BOX.east - BOX.west) / wide)
    rows = int((BOX.north - BOX.south) / high)
    lines = ['<osm version="0.6">']
    for row in range(rows):
        for column in range(columns):
            lat, lon = BOX.south + row * high, BOX.west + column * wide
            lines.append(f'<node id="{row * columns + column + 1}" lat="{lat}" lon="{lon}"/>')
    across = [[row * columns + c + 1 for c in range(columns)] for row in range(rows)]
    up = [[r * columns + column + 1 for r in range(rows)] for column in range(columns)]
    for number, street in enumerate([*across, *up], 1):
        nodes = "".join(f'<nd ref="{node}"/>' for node in street)
        tag = '<tag k="highway" v="residential"/>'
        lines.append(f'<way id="{number}">{nodes}{tag}</way>')
    path.write_text("\n".join([*lines, "</osm>"]), encoding="utf-8")
    return path


def when(row: dict[str, str]) -> datetime:
    return datetime.fromisoformat(f"{row['t']}:00")


def location(row: dict[str, str]) -> dict[str, Any]:
    coords = {"longitude": float(row["X"]), "latitude": float(row["Y"]), "speed": -1}
    return {"timestamp": when(row).isoformat(), "coords": coords}


def test_geolife_through_the_osmand_door(city: Stand) -> None:
    system, desk = city.system, city.staff("administrator")
    reasons: Counter[str] = Counter()
    sent = matched = kept = 0
    for name, rows in sorted(trajectories().items()):
        crew_id = crew_of(city, f"Regu {name}")
        body = {"label": name, "crew_id": str(crew_id)}
        made = desk.post("/devices", body).json()
        door = f"/osmand/kota/{made['secret']}"
        newest: datetime | None = None
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            at = max(when(row) for row in batch) + timedelta(seconds=5)
            system.clock = lambda at=at: at  # type: ignore[misc]
            shuffled = random.Random(start).sample(batch, len(batch))
            told = city.visitor().client.post(
                door,
                json={
                    "location": [location(row) for row in shuffled],
                    "device_id": made["device"]["id"],
                },
            )
            assert told.status_code == 200, told.text
            reasons.update(each["reason"] for each in told.json()["refused"])
            sent += len(batch)
            fix = system.newest_fix("kota", crew_id)
            assert fix is not None
            assert newest is None or fix.fix_time >= newest, "the marker moved back in time"
            newest = fix.fix_time
        system.flush_positions()
        with system.reading("kota") as connection:
            track = fixes.between(
                connection, "kota", crew_id, since=when(rows[0]), until=at + timedelta(days=1)
            )
        times = [fix.fix_time for fix in track]
        assert times == sorted(set(times))
        kept += len(track)
        matched += sum(fix.road_u is not None for fix in track)
    print(
        f"\nGeoLife: {sent} fixes sent, {kept} kept, refused {dict(reasons)}, "
        f"matched to the grid {matched / kept:.1%}"
    )
    assert sent == 5908
    assert set(reasons) <= {"jump"}
    assert kept > 0.99 * sent
    # streets every 250 m with 35 m to each side cover about half of a plain
    assert 0.25 < matched / kept < 0.9


def crew_of(city: Stand, name: str) -> UUID:
    """A crew that sent nothing yet: what it knew of today would make everything late."""
    admin, made = ev.Actor("administrator", "test"), list[UUID]()
    fact = ev.CrewRegistered(name, name, "bpbd", (), "truk", 3, 116.4, 39.9)
    city.system.do(
        "kota", admin, lambda w, now: made.append(actions.register_crew(w, now, admin, fact).id)
    )
    return made[0]
