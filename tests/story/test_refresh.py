"""A newer map is taken into service while Sigap runs; nobody waits, closed roads stay closed."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from dispatch import actions
from dispatch.core.events import Actor
from dispatch.system import City, Settings, System, build
from dispatch.system.refreshing import CityWatch
from geo.bundle import Extract, build_bundle
from tests.maps import SmallMap, metres
from web.app import create_app
from web.settings import Settings as WebSettings

DESK = Actor("dispatcher", "d")
WEST, EAST = metres(100, 400), metres(1_500, 400)


def town(*, newer: bool) -> SmallMap:
    """Nine by five crossings; the newer map has one more street and other ids for Jalan 3."""
    map_ = SmallMap()
    for row in range(5):
        for column in range(9):
            map_.node(_id(row, column, newer=newer), column * 200, row * 200)
    for row in range(5):
        nodes = [_id(row, column, newer=newer) for column in range(9)]
        map_.way(1_000 + row, nodes, name=f"Jalan Nomor {row + 1}")
    for column in range(9):
        nodes = [_id(row, column, newer=newer) for row in range(5)]
        map_.way(2_000 + column, nodes, name=f"Gang Nomor {column + 1}")
    if newer:
        map_.node(9_001, 0, 1_200)
        map_.way(3_000, [_id(4, 0, newer=True), 9_001], name="Jalan Pembangunan Baru")
    return map_


def _id(row: int, column: int, *, newer: bool) -> int:
    return 100 * row + column + 1 + (50_000 if newer and row == 2 else 0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    refresh(tmp_path, newer=False)
    return tmp_path


def refresh(data: Path, *, newer: bool) -> None:
    extract = town(newer=newer).write(data / "town.osm")
    build_bundle("kota", source=Extract(extract), root=data / "cities", name="Kota")


@pytest.fixture
def system(data: Path) -> Iterator[System]:
    made = build(Settings(database_url=f"sqlite:///{data / 'sigap.sqlite3'}", data_dir=data))
    try:
        yield made
    finally:
        made.stop()


def seconds(system: System) -> float:
    return float(system.city("kota").roads.travel_times([WEST], [EAST])[0, 0])


def close_middle(system: System) -> None:
    """Jalan Nomor 3 between its third and sixth crossing."""
    stretches = system.stretches_along("kota", [metres(420, 400), metres(980, 400)], within_m=10)
    assert len(stretches) == 3
    system.do(
        "kota",
        DESK,
        lambda world, now: actions.close_road(world, now, DESK, stretches, reason="pohon"),
    )


def watch_of(system: System) -> CityWatch:
    assert system._watch is not None
    return system._watch


def test_roads_places_and_basemap_are_those_of_the_newer_map(system: System, data: Path) -> None:
    old = system.city("kota")
    assert watch_of(system).turn() == []
    refresh(data, newer=True)
    assert watch_of(system).turn() == ["kota"]
    new = system.city("kota")
    assert new.version != old.version
    assert new.roads.version == new.version
    assert new.policy is old.policy
    [found] = new.geocoder.search("Jalan Pembangunan Baru", limit=1)
    assert found.confidence > 0.5
    assert not [
        c for c in old.geocoder.search("Jalan Pembangunan Baru", limit=1) if c.confidence > 0.9
    ]
    assert new.roads.snap(metres(0, 1_100), max_m=20) is not None
    assert old.roads.snap(metres(0, 1_100), max_m=20) is None
    assert watch_of(system).turn() == []


def test_what_is_closed_stays_closed_though_its_nodes_have_other_names(
    system: System, data: Path
) -> None:
    usual = seconds(system)
    close_middle(system)
    around = seconds(system)
    assert around > usual
    refresh(data, newer=True)
    watch_of(system).turn()
    assert system.city("kota").roads.version != system.city("kota").version
    assert seconds(system) == pytest.approx(around, abs=1)
    with system.looking("kota") as world:
        [closure] = world.active_closures()
    system.do(
        "kota",
        DESK,
        lambda world, now: actions.lift_closure(world, now, DESK, closure.id, reason="bersih"),
    )
    assert seconds(system) == pytest.approx(usual, abs=1)


def test_a_broken_newer_map_leaves_the_old_one_in_service(system: System, data: Path) -> None:
    old = system.city("kota")
    refresh(data, newer=True)
    home = data / "cities" / "kota"
    newest = home / (home / "current").read_text().strip()
    (newest / "roads.npz").write_bytes(b"no roads")
    assert watch_of(system).turn() == []
    assert system.city("kota") is old
    assert np.isfinite(seconds(system))
    refresh(data, newer=True)
    assert watch_of(system).turn() == ["kota"]


def test_nobody_who_asks_meanwhile_is_refused_or_sees_half_a_city(
    system: System, data: Path
) -> None:
    system.start()
    close_middle(system)
    around = seconds(system)
    failures: list[BaseException] = []
    seen: set[float] = set()
    versions: set[str] = set()
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                versions.add(system.city("kota").version)
                seen.add(round(seconds(system), 1))
                assert system.route("kota", WEST, EAST) is not None
                assert system.city("kota").geocoder.reverse(WEST)
                assert system.city("kota").areas.covers(metres(300, 300))
            except BaseException as e:  # noqa: BLE001 - a panic of the library is no Exception
                failures.append(e)
                return

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    try:
        for n in range(2):
            refresh(data, newer=n % 2 == 0)
            watch_of(system).turn()
    finally:
        done.set()
        for asker in askers:
            asker.join(timeout=30)
    assert failures == []
    # closed before and after, and never open in between
    assert max(seen) - min(seen) <= 1.0
    assert min(seen) == pytest.approx(around, abs=1)
    assert len(versions) > 1


def test_a_running_sigap_looks_by_itself(
    system: System, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatch.system.refreshing.EVERY_S", 0.05)
    swapped = threading.Event()

    def swap(city: City) -> None:
        system.swap_city(city)
        swapped.set()

    watch = CityWatch(
        data / "cities",
        {"kota": system.city("kota").version},
        reopen=watch_of(system)._reopen,
        swap=swap,
    )
    watch.start()
    try:
        refresh(data, newer=True)
        assert swapped.wait(timeout=60)
        assert system.city("kota").roads.snap(metres(0, 1_100), max_m=20) is not None
    finally:
        watch.stop()


def test_screens_that_were_open_before_keep_their_basemap(system: System, data: Path) -> None:
    old = system.city("kota").version
    settings = WebSettings(data_dir=data, rate_factor=0.0)
    with TestClient(create_app(settings, system=system)) as door:
        refresh(data, newer=True)
        watch_of(system).turn()
        new = system.city("kota").version
        bodies = [door.get(f"/tiles/kota/{version}.pmtiles") for version in (old, new)]
        assert [each.status_code for each in bodies] == [200, 200]
        assert bodies[0].content != bodies[1].content
        for wrong in ("20200101T000000Z-abcdef", "..", "%2e%2e%2f%2e%2e", "current"):
            assert door.get(f"/tiles/kota/{wrong}.pmtiles").status_code == 404
        shutil.rmtree(data / "cities" / "kota" / old)
        assert door.get(f"/tiles/kota/{old}.pmtiles").status_code == 404
