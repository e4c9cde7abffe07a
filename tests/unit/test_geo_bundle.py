import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geo import bundle_build, bundle_errors
from geo.bundle import Bundle, Extract, build_bundle, installed_cities, open_bundle
from geo.bundle_errors import BundleError
from geo.bundle_files import FORMAT
from geo.point import Point
from geo.progress import Silent
from tests.maps import grid, helsinki_extract, metres
from web.cli.up import DEMO_CITY, prepare_demo_city

HELSINKI = Extract(helsinki_extract())
MIDDLE = Point(24.9440, 60.1700)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Helsinki, built once; read it, do not change it."""
    root = tmp_path_factory.mktemp("cities")
    moment = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
    return build_bundle("helsinki", source=HELSINKI, root=root, name="Helsinki", now=moment)


def tree(root: Path) -> dict[str, str]:
    """Every file below root with its checksum."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file()
    }


def wards_file(path: Path, *corners: tuple[float, float]) -> Path:
    ring = [[metres(*xy).lon, metres(*xy).lat] for xy in (*corners, corners[0])]
    feature = {
        "type": "Feature",
        "properties": {"nama": "Satu", "kode": "35.77.01.1001"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return path


def test_a_bundle_holds_everything_a_city_needs(built: Bundle) -> None:
    snap = built.roads().snap(MIDDLE)
    assert snap is not None
    assert built.areas().attribute(MIDDLE) is not None
    assert built.gazetteer().search("Mannerheimintie")
    assert built.basemap.read_bytes()[:7] == b"PMTiles"
    assert built.manifest.box.contains(built.manifest.center)
    assert built.manifest.counts["edges"] == built.roads().arrays.edge_count
    assert "OpenStreetMap" in built.manifest.attribution
    assert built.manifest.created_at == "2026-11-22T05:00:00+00:00"
    built.verify()


def test_opening_again_gives_the_same_city_without_computing_it(built: Bundle) -> None:
    root = built.path.parent.parent
    again = open_bundle(root, "helsinki")
    assert again.manifest == built.manifest
    assert again.roads() is again.roads()
    assert again.roads().version == built.manifest.version
    a, b = MIDDLE, Point(24.9500, 60.1750)
    assert again.roads().travel_times([a], [b]) == built.roads().travel_times([a], [b])
    assert installed_cities(root) == ["helsinki"]


def test_the_contraction_order_is_stored_without_pickle(built: Bundle) -> None:
    order = np.load(built.path / "order.npy", allow_pickle=False)
    assert sorted(order.tolist()) == list(range(built.roads().arrays.edge_count))


def test_a_changed_file_is_found(built: Bundle, tmp_path: Path) -> None:
    copy = Bundle(tmp_path, built.manifest)
    for name in built.manifest.files:
        (tmp_path / name).write_bytes((built.path / name).read_bytes())
    copy.verify()
    stored = (tmp_path / "roads.npz").read_bytes()
    (tmp_path / "roads.npz").write_bytes(stored[:-1] + bytes([stored[-1] ^ 1]))
    with pytest.raises(bundle_errors.BundleDamaged, match=r"roads\.npz"):
        copy.verify()


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("roads.npz", Bundle.roads),
        ("order.npy", Bundle.roads),
        ("areas.geojson", Bundle.areas),
        ("gazetteer.sqlite3", Bundle.gazetteer),
    ],
)
@pytest.mark.parametrize("content", [None, b"", b"not what it was"])
def test_a_damaged_bundle_says_so_when_it_is_used(
    built: Bundle,
    tmp_path: Path,
    name: str,
    use: Callable[[Bundle], Any],
    content: bytes | None,
) -> None:
    copy = Bundle(tmp_path, built.manifest)
    for file in built.manifest.files:
        (tmp_path / file).write_bytes((built.path / file).read_bytes())
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(bundle_errors.BundleDamaged, match="add the city again"):
        use(copy)


def test_a_city_that_was_never_made_is_missed(tmp_path: Path) -> None:
    with pytest.raises(bundle_errors.BundleMissing, match="sigap city add madiun"):
        open_bundle(tmp_path, "madiun")
    assert installed_cities(tmp_path / "nowhere") == []


@pytest.mark.parametrize("city_id", ["", "../etc", "Madiun", "kota madiun", "-x", "a" * 33])
def test_short_names_stay_short_and_plain(tmp_path: Path, city_id: str) -> None:
    with pytest.raises(bundle_errors.BadCityId):
        build_bundle(city_id, source=HELSINKI, root=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 99}', '{"format": 1}'])
def test_a_manifest_one_cannot_read_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "madiun" / "v1").mkdir(parents=True)
    (tmp_path / "madiun" / "current").write_text("v1\n")
    (tmp_path / "madiun" / "v1" / "manifest.json").write_text(content)
    with pytest.raises(bundle_errors.BundleDamaged):
        open_bundle(tmp_path, "madiun")


def test_a_city_of_the_format_before_is_served_and_one_of_the_next_is_not(tmp_path: Path) -> None:
    town = build_bundle("town", source=Extract(grid(3).write(tmp_path / "t.osm")), root=tmp_path)
    manifest = town.path / "manifest.json"
    written = manifest.read_text(encoding="utf-8")
    manifest.write_text(written.replace(f'"format": {FORMAT}', '"format": 1'), encoding="utf-8")
    assert open_bundle(tmp_path, "town").manifest.format == 1
    newer = written.replace(f'"format": {FORMAT}', f'"format": {FORMAT + 1}')
    manifest.write_text(newer, encoding="utf-8")
    with pytest.raises(bundle_errors.BundleDamaged, match="reads 1 to 2; add the city again"):
        open_bundle(tmp_path, "town")


def test_a_demo_city_of_an_older_format_is_made_anew(tmp_path: Path) -> None:
    source = Extract(grid(3).write(tmp_path / "t.osm"))
    demo = build_bundle(DEMO_CITY, source=source, root=tmp_path)
    prepare_demo_city(tmp_path)
    assert open_bundle(tmp_path, DEMO_CITY).manifest == demo.manifest
    manifest = demo.path / "manifest.json"
    older = manifest.read_text(encoding="utf-8").replace(f'"format": {FORMAT}', '"format": 1')
    manifest.write_text(older, encoding="utf-8")
    prepare_demo_city(tmp_path)
    made = open_bundle(tmp_path, DEMO_CITY).manifest
    assert (made.format, made.name) == (FORMAT, "Helsinki")


def test_what_became_of_turn_rules_and_barriers_stands_in_the_manifest(built: Bundle) -> None:
    counts = built.manifest.counts
    assert counts["turn_rules"] > 30
    assert counts["turn_rules_at_times"] == 1
    assert min(counts["barriers"], counts["gates"]) > 3
    assert 0 < counts["no_cars_km"] < 10


def test_every_failure_is_one_sentence_and_leaves_the_old_city(
    built: Bundle, tmp_path: Path
) -> None:
    root = tmp_path / "cities"
    small = Extract(grid(3).write(tmp_path / "town.osm"))
    build_bundle("town", source=small, root=root)
    before = tree(root)
    whole = helsinki_extract().read_bytes()
    good_wards = wards_file(tmp_path / "w.geojson", (0, 0), (400, 0), (400, 400))
    far_wards = wards_file(tmp_path / "far.geojson", (9e4, 0), (9.1e4, 0), (9.1e4, 1e3))
    broken = tmp_path / "broken.geojson"
    broken.write_text('{"type": "FeatureCollection", "features": [')
    (tmp_path / "cut.osm.pbf").write_bytes(whole[:300_000])
    (tmp_path / "noise.osm.pbf").write_bytes(b"\x00\x00\x00\x0dnoise" * 100)
    (tmp_path / "blank.osm").write_text('<osm version="0.6"></osm>')
    cases: list[tuple[Path, Path | None, type[BundleError]]] = [
        (tmp_path / "gone.osm.pbf", None, bundle_errors.ExtractMissing),
        (tmp_path, None, bundle_errors.ExtractMissing),
        (tmp_path / "cut.osm.pbf", None, bundle_errors.BadExtract),
        (tmp_path / "noise.osm.pbf", None, bundle_errors.BadExtract),
        (tmp_path / "blank.osm", None, bundle_errors.NoRoads),
        (small.path, tmp_path / "gone.geojson", bundle_errors.BadWards),
        (small.path, broken, bundle_errors.BadWards),
        (small.path, helsinki_extract(), bundle_errors.BadWards),
        (small.path, far_wards, bundle_errors.BadWards),
    ]
    for path, wards, error in cases:
        for city_id in ("town", "fresh"):
            with pytest.raises(error) as caught:
                build_bundle(city_id, source=Extract(path), root=root, wards=wards)
            sentence = str(caught.value)
            assert sentence.rstrip().endswith((".", "?")), sentence
            assert "\n" not in sentence
            assert tree(root) == before, path
            assert not (root / "fresh").exists()
    rebuilt = build_bundle("town", source=small, root=root, wards=good_wards)
    assert [ward.name for ward in rebuilt.areas().wards] == ["Satu"]


def test_a_full_disk_is_told_before_and_during_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    town = Extract(grid(3).write(tmp_path / "town.osm"))
    root = tmp_path / "cities"
    with monkeypatch.context() as patched:
        patched.setattr(bundle_build, "build_basemap", full)
        with pytest.raises(bundle_errors.NoDiskSpace, match="is full"):
            build_bundle("helsinki", source=town, root=root)
    with monkeypatch.context() as patched:
        usage = type("Usage", (), {"free": 1 << 20})
        patched.setattr(shutil, "disk_usage", lambda _: usage)
        with pytest.raises(bundle_errors.NoDiskSpace, match="only 1 MB left"):
            build_bundle("helsinki", source=town, root=root)
    assert not root.exists()


def test_a_root_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "cities").write_text("a file")
    with pytest.raises(bundle_errors.NotWritable):
        build_bundle("helsinki", source=HELSINKI, root=tmp_path / "cities")


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    class Impatient(Silent):
        def stage(self, name: str, total: int | None) -> None:
            if name == "Preparing routes":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_bundle("helsinki", source=HELSINKI, root=tmp_path, progress=Impatient())
    assert list(tmp_path.iterdir()) == []


KILLED = """
import sys
from pathlib import Path
from geo.bundle import Extract, build_bundle

class Stuck:
    def stage(self, name, total):
        if name == sys.argv[3]:
            print("stuck", flush=True)
            sys.stdin.read()
    def advance(self, n):
        pass

build_bundle("town", source=Extract(Path(sys.argv[2])), root=Path(sys.argv[1]), progress=Stuck())
"""


@pytest.mark.parametrize("stage", ["Reading wards", "Checksums"])
def test_a_killed_build_leaves_the_old_city_and_its_debris_goes_next_time(
    tmp_path: Path, stage: str
) -> None:
    root = tmp_path / "cities"
    town = grid(3).write(tmp_path / "town.osm")
    first = build_bundle("town", source=Extract(town), root=root)
    command = [sys.executable, "-c", KILLED, str(root), str(town), stage]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as builder:
        assert builder.stdout is not None
        assert builder.stdout.readline() == b"stuck\n"
        with pytest.raises(bundle_errors.BundleBusy):
            build_bundle("town", source=Extract(town), root=root)
        builder.send_signal(signal.SIGKILL)
        builder.wait(timeout=30)
    assert len(list((root / "town").iterdir())) == 3
    assert open_bundle(root, "town").manifest == first.manifest
    first.verify()
    second = build_bundle("town", source=Extract(town), root=root)
    kept = {path.name for path in (root / "town").iterdir()}
    assert kept == {"current", first.path.name, second.path.name}


def test_wards_cut_their_city_out_of_a_larger_map(tmp_path: Path) -> None:
    country = grid(3)
    far_north = 50_000.0
    for osm_id, (east, north) in list(country.nodes.items()):
        country.node(10_000 + osm_id, east, north + far_north)
    for osm_id, (refs, tags) in list(country.ways.items()):
        country.ways[10_000 + osm_id] = ([10_000 + ref for ref in refs], tags)
    wards = wards_file(tmp_path / "w.geojson", (0, 0), (400, 0), (400, 400), (0, 400))
    source = Extract(country.write(tmp_path / "country.osm"))
    city = build_bundle("town", source=source, root=tmp_path / "cities", wards=wards)
    whole = build_bundle("country", source=source, root=tmp_path / "cities")
    assert city.roads().arrays.edge_count * 2 == whole.roads().arrays.edge_count
    assert city.roads().snap(metres(100, 0)) is not None
    assert city.roads().snap(metres(100, far_north), max_m=1_000) is None
    assert {path.name for path in city.path.iterdir()} == {*city.manifest.files, "manifest.json"}


def test_stages_are_told_in_order_and_known_ones_are_filled(tmp_path: Path) -> None:
    class Listener:
        def __init__(self) -> None:
            self.stages: list[list[Any]] = []

        def stage(self, name: str, total: int | None) -> None:
            self.stages.append([name, total, 0])

        def advance(self, n: int) -> None:
            self.stages[-1][2] += n

    heard = Listener()
    town = Extract(grid(4).write(tmp_path / "town.osm"))
    bundle = build_bundle("town", source=town, root=tmp_path / "cities", progress=heard)
    assert heard.stages[0][0] == "Reading roads"
    name, total, done = heard.stages[-1]
    assert name == "Checksums"
    assert total == done == sum(f.size for f in bundle.manifest.files.values())
    assert all(done <= total for _, total, done in heard.stages if total is not None)
